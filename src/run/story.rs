//! The story of a run as lines of the log: changes of the load, verdicts, the first of each failure and finding, marks and
//! notes, each once.

use crate::report::trust_line;
use crate::run_state::{ChangeKind, LoadChange, Note, NoteKind};
use crate::sample::RunSample;
use crate::verdict::{TrustVerdict, Verdict};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{RunState, units};

/// Level of a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// Something that happens in every run.
    Info,
    /// Trouble of the origin, of this machine or of the plan.
    Warn,
    /// An exit code other than 0.
    Error,
}

impl Level {
    /// Returns the word of the log.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// Tells each part of the story once.
#[derive(Debug, Default)]
pub(super) struct Story {
    state: Option<RunState>,
    trust: TrustVerdict,
    is_priced: bool,
    changes: usize,
    verdicts: usize,
    marks: usize,
    notes: usize,
    /// Names of the failures and findings that occurred.
    known: Vec<String>,
}

impl Story {
    /// Gives the lines that a sample adds to `line`.
    pub(super) fn tell(&mut self, sample: &RunSample, mut line: impl FnMut(Level, &str)) {
        let journal = &sample.journal;
        if self.state.replace(sample.state) != Some(sample.state) {
            let clients = units::plural(sample.active_clients(), "client");
            line(Level::Info, &format!("{} {} with {clients}", units::clock(sample.at), sample.state.name()));
        }
        if let Some(priced) = sample.priced.as_ref().filter(|_| !self.is_priced) {
            self.is_priced = true;
            line(Level::Info, &format!("plan: {}", priced.summary()));
            priced.sentence().iter().for_each(|why| line(Level::Warn, &format!("plan: {why}")));
        }
        for change in journal.changes().skip(self.changes) {
            self.changes += 1;
            line(Level::Info, &change_line(change));
        }
        for change in journal.verdicts().skip(self.verdicts) {
            self.verdicts += 1;
            let level = if change.verdict > Verdict::Ok { Level::Warn } else { Level::Info };
            let (at, clients) = (units::clock(change.at), units::plural(change.clients, "client"));
            line(level, &format!("{at} verdict {}: {}, at {clients}", change.verdict.name(), change.reason));
        }
        for mark in journal.marks().skip(self.marks) {
            self.marks += 1;
            line(Level::Info, &format!("{} mark m{}: {}", units::clock(mark.at), self.marks, mark.note));
        }
        for note in journal.notes().skip(self.notes) {
            self.notes += 1;
            line(level_of(note), &format!("{} {}", units::clock(note.at), note.text));
        }
        self.tell_firsts(sample, &mut line);
        let verdict = sample.trust.verdict;
        if verdict != TrustVerdict::Unassessed && std::mem::replace(&mut self.trust, verdict) != verdict {
            let level = if verdict == TrustVerdict::Valid { Level::Info } else { Level::Warn };
            line(level, &format!("{} {}", units::clock(sample.at), trust_line(sample)));
        }
    }

    /// Tells failures and findings that have not occurred before. What the end of a run cuts is none.
    fn tell_firsts(&mut self, sample: &RunSample, line: &mut impl FnMut(Level, &str)) {
        let cut = Fault::Cut.into();
        for row in sample.failures.iter().filter(|row| row.outcome != cut) {
            let name = row.outcome.to_string();
            if !self.known.contains(&name) {
                let clients = units::plural(row.clients_at_first, "client");
                line(Level::Warn, &format!("{} first {name}, at {clients}", units::clock(row.first)));
                self.known.push(name);
            }
        }
        for row in sample.findings.iter() {
            let name = row.finding.name();
            if !self.known.iter().any(|known| known == name) {
                line(Level::Warn, &format!("{} finding {name}: {}", units::clock(row.first), row.detail));
                self.known.push(name.to_owned());
            }
        }
    }
}

fn level_of(note: &Note) -> Level {
    match note.kind {
        NoteKind::StallsBegan
        | NoteKind::Threshold
        | NoteKind::Limited
        | NoteKind::OriginMetrics
        | NoteKind::Export => Level::Warn,
        _ => Level::Info,
    }
}

fn change_line(change: &LoadChange) -> String {
    let what = match change.kind {
        ChangeKind::Target => {
            let [from, to] = [change.from, change.to].map(|clients| units::count(clients.into()));
            format!("target {from} -> {to}")
        }
        kind => kind.name().to_owned(),
    };
    format!("{} {what}, by {}", units::clock(change.at), change.by.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use crate::run_state::{ChangeSource, VerdictChange};
    use crate::vocabulary::Mark;

    fn told(story: &mut Story, sample: &RunSample) -> Vec<String> {
        let mut lines = Vec::new();
        story.tell(sample, |level, text| lines.push(format!("{} {text}", level.name())));
        lines
    }

    #[test]
    fn each_part_of_the_story_is_told_once() {
        let (mut story, sample) = (Story::default(), RunSample::default());
        let at = Duration::from_secs(65);
        let state = format!("INFO 00:00:00 {} with 0 clients", sample.state.name());
        assert_eq!(told(&mut story, &sample), [state]);
        let journal = &sample.journal;
        let change = |kind, from, to| LoadChange { at, kind, from, to, by: ChangeSource::Operator };
        journal.change(change(ChangeKind::Target, 10, 2_000));
        journal.change(change(ChangeKind::Hold, 2_000, 2_000));
        let reason = "12% of requests fail".to_owned();
        journal.verdict(VerdictChange { at, verdict: Verdict::Failing, reason, clients: 7 });
        journal.mark(Mark { at, note: "cache off".to_owned() });
        journal.note(Note { at, kind: NoteKind::StallsBegan, text: "2% are stalled".to_owned() });
        journal.note(Note { at, kind: NoteKind::Stage, text: "hold 10m".to_owned() });
        let expected = [
            "INFO 00:01:05 target 10 -> 2,000, by operator",
            "INFO 00:01:05 hold, by operator",
            "WARN 00:01:05 verdict FAILING: 12% of requests fail, at 7 clients",
            "INFO 00:01:05 mark m1: cache off",
            "WARN 00:01:05 2% are stalled",
            "INFO 00:01:05 hold 10m",
        ];
        assert_eq!(told(&mut story, &sample), expected);
        let none: [&str; 0] = [];
        assert_eq!(told(&mut story, &sample), none);
    }
}
