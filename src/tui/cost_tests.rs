//! Cost of the console over a run: the bytes that its terminal gets.

use std::sync::Arc;
use std::time::Duration;

use super::theme::{Charset, Palette, Theme};
use super::{Offscreen, fixtures};
use crate::pipeline::WatchedRequest;
use crate::sample::{History, RunSample, WatchedClient, WatchedSecond};

/// Length of the run, of which one frame a second is drawn. A run has four; three of them change only a few digits, and
/// drawing them takes time.
const SECONDS: u32 = 600;
/// Most bytes in a second: a line that a phone shares must carry them.
const MOST: usize = 8_000;

/// Returns the bytes of all frames of a view in a storm, and those of the first. `change` changes the sample of each second.
fn bytes(keys: &[u8], change: impl Fn(u32, &mut RunSample)) -> (usize, usize) {
    let theme = Theme { palette: Palette::Dark, charset: Charset::Unicode };
    let mut console = Offscreen::new(fixtures::title(), theme);
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
        change(second, &mut sample);
        let shown = console.show(Arc::new(sample), 200, 50).expect("in memory").len();
        all += shown;
        if second == 1 {
            first = shown;
            // A client can be opened once there is one.
            console.press(keys);
        }
    }
    (all, first)
}

#[test]
fn ten_minutes_of_charts_cost_little_more_than_their_new_columns() {
    for view in [b"1", b"8"] {
        assert_cheap(bytes(view, |_, _| {}));
    }
}

#[test]
fn ten_minutes_of_an_open_client_cost_little_more_than_its_new_requests() {
    let storm = fixtures::sample("storm");
    let watched = storm.watched.as_deref().expect("watched");
    let requests = |second: u64| {
        (second.saturating_sub(63)..=second).map(|at_s| {
            let (asked_us, sequence) = (1_000_000 * at_s, Some(at_s));
            WatchedRequest { asked_us, sequence, ..watched.requests[at_s as usize % watched.requests.len()] }
        })
    };
    let seconds = |second: u64| {
        (second.saturating_sub(63)..=second).map(|at_s| {
            let at_us = 1_000_000 * at_s;
            WatchedSecond { at_us, ..watched.seconds[at_s as usize % watched.seconds.len()] }
        })
    };
    assert_cheap(bytes(b"2jj\r", |second, sample| {
        let second = u64::from(second);
        sample.snapshot.clients_at_us = 1_000_000 * second;
        let (seconds, requests) = (seconds(second).collect(), requests(second).collect());
        sample.watched = Some(Arc::new(WatchedClient { id: 2, since_us: 0, seconds, requests }));
    }));
}

fn assert_cheap((all, first): (usize, usize)) {
    let per_second = all / SECONDS as usize;
    println!("{first} bytes at first, {per_second} a second");
    assert!(per_second <= MOST, "{per_second} bytes a second");
}
