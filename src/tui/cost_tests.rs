//! Cost of the console over a run: the bytes that its terminal gets.

use std::sync::Arc;
use std::time::Duration;

use super::theme::{Charset, Palette, Theme};
use super::{Offscreen, fixtures};
use crate::sample::{History, RunSample};

/// Length of the run, of which one frame a second is drawn. A run has four; three of them change only a few digits, and
/// drawing them takes time.
const SECONDS: u32 = 600;
/// Most bytes in a second: a line that a phone shares must carry them.
const MOST: usize = 8_000;

/// Returns the bytes of all frames of a view in a storm, and those of the first.
fn bytes(keys: &[u8]) -> (usize, usize) {
    let theme = Theme { palette: Palette::Dark, charset: Charset::Unicode };
    let mut console = Offscreen::new(fixtures::title(), theme);
    console.press(keys);
    let storm = fixtures::sample("storm");
    let seconds = storm.history.since(Duration::ZERO);
    let mut history = Arc::new(History::new(0));
    storm.history.codes().iter().for_each(|code| _ = Arc::make_mut(&mut history).place_of(*code));
    let (mut all, mut first) = (0, 0);
    for second in 1..=SECONDS {
        let at = Duration::from_secs(1) * second;
        // The storm repeats itself until the run has its length.
        let repeated = seconds[second as usize % seconds.len()];
        Arc::make_mut(&mut history).push(crate::sample::Point { ends: at, ..repeated.bin.clone() });
        let mut sample = RunSample { at, history: Arc::clone(&history), ..RunSample::clone(&storm) };
        sample.snapshot.totals = storm.snapshot.totals.clone();
        sample.stream = Arc::new(fixtures::live(&sample));
        let shown = console.show(Arc::new(sample), 200, 50).expect("in memory").len();
        all += shown;
        first = if second == 1 { shown } else { first };
    }
    (all, first)
}

#[test]
fn ten_minutes_of_charts_cost_little_more_than_their_new_columns() {
    for (name, key) in [("overview", b"1"), ("stream", b"8")] {
        let (all, first) = bytes(key);
        let per_second = all / SECONDS as usize;
        println!("{name}: {first} bytes at first, {per_second} a second");
        assert!(per_second <= MOST, "{name}: {per_second} bytes a second");
    }
}
