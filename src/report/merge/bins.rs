//! Columns over bins of Unix time of two reports: bins are combined to the wider width, then those of the same second
//! add up.

use serde_json::{Map, Value};

use super::sum;
use crate::report::doc::Part;
use crate::sample::{CODES, HISTORY_BINS, TIMELINE_BINS as BINS};
use crate::vocabulary::Outcome;

/// Column of the outcomes that have none of their own.
const OTHER: &str = "other";
/// Maximum number of columns of a block, and of a table in it: each takes memory for all bins, also if it is empty. A
/// run has less than half as many, but for outcomes.
const COLUMNS: usize = 64;
/// Maximum width of a bin, and the latest begin of one. A document may claim anything; the latest fits the widest.
const WIDTH_S: u64 = 1 << 42;
const BEGIN_S: u64 = 1 << 50;

/// Members that are not columns: the same in all reports of one version.
const CONSTANT: [&str; 1] = ["heat_begins_us"];

/// One block as bins of a width, from the first bin on.
struct Block<'a> {
    part: Part<'a>,
    width_s: u64,
    first: u64,
    count: u64,
}

impl<'a> Block<'a> {
    fn new(value: &'a Value) -> Option<Self> {
        let part = Part::new(value);
        let width_s = part.at("/bin_s").count();
        let count = ["/bytes", "/verdict"].map(|path| part.at(path).list().len()).into_iter().max()? as u64;
        let is_sound = width_s.is_power_of_two()
            && width_s <= WIDTH_S
            && part.at("/begins_unix_s").count() <= BEGIN_S
            && (1..=BINS as u64).contains(&count);
        is_sound.then(|| Self { part, width_s, first: part.at("/begins_unix_s").count() / width_s, count })
    }

    /// Returns the number of the first bin and of the one after the last, at a wider width.
    fn span(&self, width_s: u64) -> (u64, u64) {
        let wider = width_s / self.width_s;
        (self.first / wider, (self.first + self.count - 1) / wider + 1)
    }

    /// Returns the place of each bin among bins of `width_s` from `first` on.
    fn place(&self, bin: u64, width_s: u64, first: u64) -> usize {
        ((self.first + bin) / (width_s / self.width_s)).saturating_sub(first) as usize
    }
}

/// Merges two blocks. A block without a bin, or one that is not sound, changes nothing.
pub(super) fn merge(a: &Value, b: &Value) -> Value {
    let (one, other) = match (Block::new(a), Block::new(b)) {
        (Some(one), Some(other)) => (one, other),
        (Some(_), None) => return a.clone(),
        (None, Some(_)) => return b.clone(),
        (None, None) => return a.clone(),
    };
    let limit = if Part::new(a).at("/heat").is_known() { HISTORY_BINS } else { BINS } as u64;
    let mut width_s = one.width_s.max(other.width_s);
    let span = |width_s: u64| {
        let (mine, theirs) = (one.span(width_s), other.span(width_s));
        (mine.0.min(theirs.0), mine.1.max(theirs.1))
    };
    while span(width_s).1 - span(width_s).0 > limit && width_s < WIDTH_S {
        width_s *= 2;
    }
    let (first, end) = span(width_s);
    let to = Target { width_s, first, count: ((end - first) as usize).min(limit as usize) };
    let mut merged = Map::new();
    for (name, value) in members(a).chain(members(b)) {
        if merged.contains_key(name) || merged.len() >= COLUMNS {
            continue;
        }
        let column = match (name.as_str(), value) {
            ("bin_s", _) => Value::from(width_s),
            ("begins_unix_s", _) => Value::from(first * width_s),
            (name, value) if CONSTANT.contains(&name) => value.clone(),
            ("outcomes", _) => outcomes(table("outcomes", [&one, &other], &to)),
            (name, Value::Object(_)) => table(name, [&one, &other], &to),
            (name, _) => column(&[&one, &other].map(|block| (block, block.part.member(name))), &to),
        };
        merged.insert(name.clone(), column);
    }
    Value::Object(merged)
}

/// Bins of the merged block.
struct Target {
    width_s: u64,
    first: u64,
    count: usize,
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// Merges a table of columns.
fn table(name: &str, blocks: [&Block<'_>; 2], to: &Target) -> Value {
    let mut merged = Map::new();
    for block in blocks {
        for (column_name, _) in block.part.member(name).table() {
            if !merged.contains_key(column_name) && merged.len() < COLUMNS {
                let columns = blocks.map(|block| (block, block.part.member(name).member(column_name)));
                merged.insert(column_name.to_owned(), column(&columns, to));
            }
        }
    }
    Value::Object(merged)
}

/// Leaves as many outcomes as a run has columns for, the first in the order of outcomes, and adds up all others.
fn outcomes(merged: Value) -> Value {
    let Value::Object(mut columns) = merged else { return merged };
    let mut known: Vec<Outcome> = columns.keys().filter_map(|name| Outcome::from_name(name)).collect();
    known.sort_unstable();
    for outcome in known.into_iter().skip(CODES) {
        let Some(Value::Array(counts)) = columns.shift_remove(&outcome.to_string()) else { continue };
        let into = columns.entry(OTHER).or_insert_with(|| vec![0; counts.len()].into());
        for (sum_of, count) in into.as_array_mut().into_iter().flatten().zip(&counts) {
            *sum_of = sum(sum_of, count);
        }
    }
    Value::Object(columns)
}

/// Adds two columns. Numbers add up, of verdicts the worse one stays, and the pairs of a heat map add up by bucket.
fn column(columns: &[(&Block<'_>, Part<'_>); 2], to: &Target) -> Value {
    let mut merged: Vec<Value> = vec![Value::Null; to.count];
    for (block, column) in columns {
        for (bin, value) in (0..block.count).zip(column.list()) {
            if let Some(into) = merged.get_mut(block.place(bin, to.width_s, to.first)) {
                *into = add(into, value.value());
            }
        }
    }
    let all = || columns.iter().flat_map(|(_, column)| column.list());
    let empty = if all().any(|value| value.value().is_array()) {
        Value::from(Vec::<Value>::new())
    } else if all().any(|value| value.value().is_string()) {
        Value::from(crate::verdict::Verdict::Unknown.name())
    } else {
        Value::from(0)
    };
    merged.iter_mut().filter(|value| value.is_null()).for_each(|value| *value = empty.clone());
    Value::Array(merged)
}

fn add(a: &Value, b: &Value) -> Value {
    match (a, b) {
        (Value::Null, other) | (other, Value::Null) => other.clone(),
        (Value::Array(_), _) => pairs(Part::new(a), Part::new(b)),
        (Value::String(_), _) => {
            (if Part::new(a).verdict() >= Part::new(b).verdict() { a } else { b }).clone()
        }
        _ => sum(a, b),
    }
}

/// Adds counts by bucket.
fn pairs(a: Part<'_>, b: Part<'_>) -> Value {
    let mut counts = std::collections::BTreeMap::<u64, u64>::new();
    for pair in a.list().chain(b.list()).take(2 * BINS) {
        let count = counts.entry(pair.at("/0").count()).or_default();
        *count = count.saturating_add(pair.at("/1").count());
    }
    counts.into_iter().map(|(bucket, count)| Value::from(vec![bucket, count])).collect()
}
