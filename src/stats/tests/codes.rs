//! HTTP statuses: from the status of a response to the counts that a reader of its client and of the run sees.

use std::collections::BTreeMap;
use std::sync::{Arc, Barrier};

use super::{request, snapshot};
use crate::stats::{ClientHandle, Registry};
use crate::vocabulary::{Clock, Kind, Outcome};

/// Returns every status that HTTP knows, and three that it does not.
fn every_status() -> impl Iterator<Item = u16> {
    (100..=999).chain([0, 1_000, u16::MAX])
}

/// Returns how often a status is recorded: neighbours differ, so that no count can pass for another's.
fn times(status: u16) -> u64 {
    1 + u64::from(status % 7)
}

/// Returns the label of a status in every report, `None` if the status is not a failure.
fn label(status: u16) -> Option<String> {
    match status {
        200 | 206 | 304 => None,
        400..=599 => Some(status.to_string()),
        _ => Some("other".to_owned()),
    }
}

/// Returns the counts that a reader of the run sees, by label.
fn seen(registry: &Registry) -> BTreeMap<String, u64> {
    snapshot(registry).totals.http_errors().map(|code| (code.code.to_string(), code.count)).collect()
}

/// Returns the counts that a reader of one client sees, by label.
fn seen_of(registry: &Registry, client: &ClientHandle) -> BTreeMap<String, u64> {
    let mut seen = BTreeMap::new();
    let row = registry.get(client.id()).expect("listed");
    registry.inspect(&row, |stats| {
        stats.for_each_failure(|outcome, count| {
            let name = outcome.to_string();
            seen.insert(name.strip_prefix("http.").expect("a status").to_owned(), count);
        });
    });
    seen
}

#[test]
fn every_status_alone_is_counted_under_its_label_and_nowhere_else() {
    for status in every_status() {
        let registry = Registry::new(1);
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        (0..times(status))
            .for_each(|_| request(&meter, Kind::Segment, 3, Outcome::from_status(status, false)));
        let expected: BTreeMap<String, u64> =
            label(status).map(|label| (label, times(status))).into_iter().collect();
        assert_eq!(seen(&registry), expected, "{status}");
        assert_eq!(seen_of(&registry, &client), expected, "{status}");
        assert_eq!(registry.audit(), 0, "{status}");
    }
}

#[test]
fn all_statuses_together_keep_their_counts_and_a_count_of_zero_is_absent() {
    let registry = Registry::new(1);
    let client = registry.add();
    let meter = client.meter(0, Clock::start());
    let mut expected = BTreeMap::<String, u64>::new();
    assert_eq!(seen(&registry), expected);
    for status in every_status() {
        (0..times(status))
            .for_each(|_| request(&meter, Kind::Segment, 0, Outcome::from_status(status, false)));
        if let Some(label) = label(status) {
            *expected.entry(label).or_default() += times(status);
        }
        assert_eq!(seen(&registry).len(), expected.len(), "after {status}");
    }
    assert_eq!(expected.len(), 201);
    assert_eq!(seen(&registry), expected);
    assert_eq!(seen_of(&registry, &client), expected);
    let oks: u64 = [200, 206, 304].into_iter().map(times).sum();
    assert_eq!(snapshot(&registry).totals.ended(Outcome::Ok), oks);
}

/// Runs `tasks` at once, each on a thread with a client and totals of its own, and returns the registry.
fn at_once(tasks: usize, task: impl Fn(&ClientHandle, usize) + Sync) -> Arc<Registry> {
    let registry = Registry::new(tasks);
    let together = Barrier::new(tasks);
    std::thread::scope(|scope| {
        for index in 0..tasks {
            let (registry, together, task) = (&registry, &together, &task);
            scope.spawn(move || {
                let client = registry.add();
                together.wait();
                task(&client, index);
            });
        }
    });
    assert_eq!(registry.audit(), 0);
    registry
}

#[test]
fn a_hundred_tasks_at_once_lose_no_count() {
    const ROUNDS: u64 = 200;
    let codes = [404, 429, 500, 503, 599, 302];
    let registry = at_once(100, |client, index| {
        let meter = client.meter(index, Clock::start());
        for _ in 0..ROUNDS {
            codes
                .iter()
                .for_each(|code| request(&meter, Kind::Segment, 1, Outcome::from_status(*code, false)));
        }
    });
    let labels = codes.iter().filter_map(|code| label(*code));
    assert_eq!(seen(&registry), labels.map(|label| (label, 100 * ROUNDS)).collect());
}

#[test]
fn all_two_hundred_codes_at_once_keep_their_counts() {
    let registry = at_once(200, |client, index| {
        let meter = client.meter(index, Clock::start());
        let status = 400 + index as u16;
        (0..times(status))
            .for_each(|_| request(&meter, Kind::Playlist, 1, Outcome::from_status(status, false)));
    });
    assert_eq!(seen(&registry), (400..=599).map(|status| (status.to_string(), times(status))).collect());
}
