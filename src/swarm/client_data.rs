//! Data of each client: the values of its placeholders, from a row of a table.
//!
//! Rows are dealt by the place of a client. Clients that are there at once have different rows as long as there are
//! enough; a client that comes later takes the row of the one whose place it takes. Under an open load places only grow,
//! so rows go round: a client that stays long may share its row with a later one. Values are secrets.

use std::fmt;

use rand::{RngExt as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::vocabulary::placeholder;

/// Separates the random order of rows from other uses of the seed of the run.
const STREAM: u64 = 0xda7a_0f00;

/// Order in which rows are dealt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataOrder {
    /// As in the table.
    #[default]
    Sequential,
    /// By chance: each row once, before the first one comes again.
    Random,
}

/// Table of values, a row for each client.
#[derive(Clone)]
pub struct ClientData {
    columns: Vec<String>,
    /// Values of one row after the other, in the order of the columns.
    values: Vec<Box<str>>,
    /// Rows in the order in which they are dealt; empty: as in the table.
    order: Vec<u32>,
}

impl fmt::Debug for ClientData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientData").field("rows", &self.rows()).finish_non_exhaustive()
    }
}

impl ClientData {
    /// Creates a table of these columns, whose values are those of one row after the other.
    pub fn new(columns: Vec<String>, values: Vec<Box<str>>) -> Self {
        Self { columns, values, order: Vec::new() }
    }

    /// Returns this table, dealt in the given order; equal seeds give equal orders.
    #[must_use]
    pub fn dealt(self, order: DataOrder, seed: u64) -> Self {
        let mut rows = Vec::new();
        if order == DataOrder::Random {
            rows = (0..u32::try_from(self.rows()).unwrap_or(u32::MAX)).collect();
            let mut random = Xoshiro256PlusPlus::seed_from_u64(seed ^ STREAM);
            (1..rows.len()).rev().for_each(|last| rows.swap(last, random.random_range(0..=last)));
        }
        Self { order: rows, ..self }
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.values.len().checked_div(self.columns.len()).unwrap_or_default()
    }

    /// Returns the values of the client at this place, counted from 0.
    pub fn of_client(&self, place: usize) -> RowOfData<'_> {
        let place = place.checked_rem(self.rows()).unwrap_or_default();
        self.row(self.order.get(place).map_or(place, |row| *row as usize))
    }

    /// Returns the row with this number, counted from 0.
    pub fn row(&self, row: usize) -> RowOfData<'_> {
        let width = self.columns.len();
        RowOfData { columns: &self.columns, values: self.values.get(row * width..).unwrap_or_default() }
    }
}

/// Values of one client.
#[derive(Clone, Copy)]
pub struct RowOfData<'a> {
    columns: &'a [String],
    values: &'a [Box<str>],
}

impl<'a> RowOfData<'a> {
    /// Returns the value of the column with this name.
    pub fn value(&self, name: &str) -> Option<&'a str> {
        let place = self.columns.iter().position(|column| column == name)?;
        self.values.get(place).map(|value| &**value)
    }

    /// Returns header lines with these values in the place of their placeholders.
    pub fn fill(&self, lines: &[String]) -> Vec<String> {
        lines.iter().map(|line| placeholder::fill(line, |name| self.value(name))).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn data() -> ClientData {
        let values = (0..20).map(|number| format!("hunter2-{number}").into());
        ClientData::new(vec!["id".to_owned(), "token".to_owned()], values.collect())
    }

    fn token(data: &ClientData, place: usize) -> Option<&str> {
        data.of_client(place).value("token")
    }

    #[test]
    fn rows_are_dealt_in_order_and_again_from_the_first() {
        let data = data();
        assert_eq!(
            (data.rows(), token(&data, 0), token(&data, 9)),
            (10, Some("hunter2-1"), Some("hunter2-19"))
        );
        assert_eq!((token(&data, 10), data.of_client(1).value("id")), (Some("hunter2-1"), Some("hunter2-2")));
        assert_eq!(data.of_client(0).value("none"), None);
        assert_eq!(data.row(1).fill(&["X: {id}{other}".to_owned()]), ["X: hunter2-2{other}"]);
        assert!(!format!("{data:?}").contains("hunter2"));
    }

    #[test]
    fn a_random_order_deals_each_row_once() {
        let dealt = |seed| {
            let data = data().dealt(DataOrder::Random, seed);
            (0..10).map(|place| token(&data, place).expect("a row").to_owned()).collect::<Vec<_>>()
        };
        let first = dealt(1);
        assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 10, "{first:?}");
        assert_eq!(first, dealt(1));
        assert_ne!(first, dealt(2));
    }
}
