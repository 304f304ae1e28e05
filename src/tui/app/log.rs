//! The events that the log shows: those of clients, filtered one by one and then grouped, and how many lines the story of
//! the run has.

use std::collections::BTreeSet;

use super::App;
use crate::pipeline::{Happening, LogEntry};
use crate::vocabulary::Outcome;
use crate::vocabulary::outcome::Fault;

/// Alike events of one second, oldest first; never empty.
#[derive(Clone, Debug)]
pub(in crate::tui) struct LogGroup<'a> {
    pub(in crate::tui) entries: Vec<&'a LogEntry>,
}

impl App {
    /// Returns the client events that the log shows, oldest first: alike ones of a second together, unless each was
    /// asked for.
    pub(in crate::tui) fn log(&self) -> Vec<LogGroup<'_>> {
        let mut groups: Vec<LogGroup<'_>> = Vec::new();
        // The first group of the newest second.
        let (mut second, mut from) = (None, 0);
        for entry in self.shown.log.iter().filter(|entry| self.is_logged(entry)) {
            let at = entry.at().as_secs();
            if second != Some(at) {
                (second, from) = (Some(at), groups.len());
            }
            let of_second = groups.get_mut(from..).unwrap_or_default();
            let alike = |group: &&mut LogGroup<'_>| {
                group.entries.first().is_some_and(|first| is_alike(&first.event.what, &entry.event.what))
            };
            match of_second.iter_mut().find(alike).filter(|_| !self.log_each) {
                Some(group) => group.entries.push(entry),
                None => groups.push(LogGroup { entries: vec![entry] }),
            }
        }
        groups
    }

    /// Returns the number of lines of the story of the run; outcomes that first occurred in one second share one.
    pub(in crate::tui) fn story_lines(&self) -> usize {
        let sample = &self.shown;
        let journal = &sample.journal;
        let changes = journal.changes().map(|change| change.at);
        let verdicts = journal.verdicts().map(|change| change.at);
        let marks = journal.marks().map(|mark| mark.at);
        let notes = journal.notes().map(|note| note.at);
        let findings = sample.findings.iter().map(|row| row.first);
        let knees = [sample.knees.errors, sample.knees.stalls].into_iter().flatten().map(|knee| knee.at);
        let all = changes.chain(verdicts).chain(marks).chain(notes).chain(findings).chain(knees);
        let firsts = sample.failures.iter().filter(|row| row.outcome != Outcome::Failed(Fault::Cut));
        let firsts = firsts.filter(|row| row.first <= sample.at).map(|row| row.first.as_secs());
        all.filter(|at| *at <= sample.at).count() + firsts.collect::<BTreeSet<_>>().len()
    }

    fn is_logged(&self, entry: &LogEntry) -> bool {
        let Some(client) = entry.event.client else { return false };
        let what = &entry.event.what;
        let line = || format!("{client} {} {}", what.kind(), what.text());
        let is_wanted = !self.clients.faults_only || what.is_trouble();
        is_wanted && self.log_filter.as_ref().is_none_or(|filter| filter.takes(&line()))
    }
}

/// Reports whether two events differ at most in their client and in the length of a stall.
fn is_alike(one: &Happening, other: &Happening) -> bool {
    match (one, other) {
        (Happening::StallEnded { .. }, Happening::StallEnded { .. }) => true,
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Access, Filter, Msg, Title};
    use super::*;
    use crate::pipeline::Event;
    use crate::sample::RunSample;
    use crate::vocabulary::Kind;

    #[test]
    fn alike_events_of_a_second_are_one_line_and_a_filter_sees_each() {
        let at =
            |ms: u64, client: u64, what: Happening| Event { at_us: ms * 1_000, client: Some(client), what };
        let reset =
            || Happening::Fault { request: Kind::Segment, outcome: Fault::ConnReset.into(), details: None };
        let mut events: Vec<Event> =
            (0..512).map(|client| at(5_000 + client, client, Happening::StallBegan)).collect();
        events.push(at(5_600, 7, reset()));
        events.push(at(5_700, 7, Happening::StallEnded { lasted_us: 3 }));
        events.push(at(5_800, 8, Happening::StallEnded { lasted_us: 9 }));
        events.push(at(6_000, 9, Happening::StallBegan));
        let log: Arc<[LogEntry]> =
            (0..).zip(events).map(|(number, event)| LogEntry { number, event }).collect();
        let mut app = App::new(Title::default(), Access::Full);
        app.update(Msg::Sample(Arc::new(RunSample { log, ..RunSample::default() })));
        let counts = |app: &App| app.log().iter().map(|group| group.entries.len()).collect::<Vec<_>>();
        assert_eq!(counts(&app), [512, 1, 2, 1]);
        app.log_filter = Filter::new("^7 [a-z]").expect("a pattern");
        assert_eq!(counts(&app), [1, 1, 1]);
        (app.log_filter, app.log_each) = (None, true);
        assert_eq!(app.log().len(), 516);
    }
}
