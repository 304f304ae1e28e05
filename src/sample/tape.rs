//! Tape of a run: what the sampler reads, as changes from sample to sample. A record keeps it, a replay plays it.
//!
//! The road not taken is a record of the samples themselves: they have dozens of types, of which most are derived. Events
//! alone do not do either: they tell of failures and changes, not of each of the thousands of requests in a second.
//! Changes of counters are small, lose nothing when one of them is left out, and make the replay run the code that the
//! run itself has run: the sampler derives every number again, and the console and the report show them.

use std::time::Duration;

use serde_json::{Value, json};

use super::Sources;
use crate::generator::Meter;
use crate::pipeline::{Reading, SampleLine};
use crate::run_state::{ChangeKind, ChangeSource, Journal, LoadChange, Note, NoteKind};
use crate::sync::image::{Depth, Image, Misfit, Walk};
use crate::vocabulary::clock::micros;
use crate::vocabulary::{Mark, Untrusted};

/// Numbers as of the last line.
#[derive(Debug, Default)]
pub(super) struct Tape {
    sources: Image,
    meters: Image,
    /// Entries of the journal that have been recorded: changes of the load, marks, notes.
    journal: [usize; 3],
}

impl Tape {
    /// Begins the line of a sample: takes what the sampler is about to read.
    pub(super) fn begin(&mut self, sources: &Sources, at: Duration, tick: u64, depth: Depth) -> SampleLine {
        SampleLine {
            at_us: micros(at),
            tick,
            depth,
            is_last: false,
            journal: self.news(sources.status.journal()),
            cells: self.sources.record(depth, |walk| walk_sources(sources, walk)),
            ..SampleLine::default()
        }
    }

    /// Ends the line: takes what the sampler has measured itself, and the gauges that others write while it reads them.
    pub(super) fn end(
        &mut self,
        line: &mut SampleLine,
        sources: &Sources,
        meter: &mut Meter,
        reading: &mut Reading,
    ) {
        line.gauges = self.meters.record(line.depth, |walk| walk_meters(sources, meter, reading, walk));
    }

    /// Sets everything as it was at a line, which must follow the line of the last call.
    ///
    /// # Errors
    /// Fails if a change has no place.
    pub(super) fn set(
        &mut self,
        line: &SampleLine,
        sources: &Sources,
        meter: &mut Meter,
        reading: &mut Reading,
    ) -> Result<(), Misfit> {
        line.journal.iter().for_each(|entry| write_down(entry, sources.status.journal()));
        self.sources.replay(line.depth, &line.cells, |walk| walk_sources(sources, walk))?;
        self.meters.replay(line.depth, &line.gauges, |walk| walk_meters(sources, meter, reading, walk))
    }

    /// Returns the entries of the journal that are new and that no sampler makes.
    fn news(&mut self, journal: &Journal) -> Vec<Value> {
        let [changes, marks, notes] = &mut self.journal;
        let mut news = Vec::new();
        for change in journal.changes().skip(*changes) {
            let LoadChange { at, kind, from, to, by } = change;
            news.push(json!(["load", nanos(*at), kind.name(), from, to, by.name()]));
            *changes += 1;
        }
        for Mark { at, note } in journal.marks().skip(*marks) {
            news.push(json!(["mark", nanos(*at), note]));
            *marks += 1;
        }
        for Note { at, kind, text } in journal.notes().skip(*notes) {
            let (clients, held) = match *kind {
                NoteKind::Level { clients, held } => (clients, held),
                _ => (0, None),
            };
            news.extend(kind.recorded().map(|kind| json!(["note", nanos(*at), kind, text, clients, held])));
            *notes += 1;
        }
        news
    }
}

fn walk_sources(sources: &Sources, walk: &mut Walk<'_>) {
    sources.status.walk(walk);
    sources.spending.iter().for_each(|spending| spending.walk(walk));
    sources.workers.iter().for_each(|worker| worker.walk_delays(walk));
    // Last, because it grows with the clients.
    sources.registry.walk(walk);
}

fn walk_meters(sources: &Sources, meter: &mut Meter, reading: &mut Reading, walk: &mut Walk<'_>) {
    sources.host.walk(walk);
    sources.exporters.iter().for_each(|exporter| exporter.walk(walk));
    meter.walk(sources.workers.len(), walk);
    for counts in [&mut reading.progress, &mut reading.events] {
        let numbers = [&mut counts.offered, &mut counts.delivered, &mut counts.dropped];
        numbers.into_iter().for_each(|number| walk.number(number));
    }
    for lane in &mut reading.lanes {
        let numbers = [&mut lane.fill, &mut lane.high_water, &mut lane.capacity, &mut lane.dropped];
        numbers.into_iter().for_each(|number| walk.number(number));
    }
    let recorder = &mut reading.recorder;
    let numbers = [&mut recorder.lines, &mut recorder.bytes, &mut recorder.frames_lost];
    numbers.into_iter().for_each(|number| walk.number(number));
    let mut blocked_us = recorder.blocked_since.map(micros);
    walk.option(&mut blocked_us);
    recorder.blocked_since = blocked_us.map(Duration::from_micros);
}

/// Returns the time of an entry in nanoseconds: reports show all digits of it.
fn nanos(at: Duration) -> u64 {
    u64::try_from(at.as_nanos()).unwrap_or(u64::MAX)
}

/// Adds a recorded entry to the journal. One that is none is left out.
fn write_down(entry: &Value, journal: &Journal) {
    let [kind, at_ns, rest @ ..] = entry.as_array().map(Vec::as_slice).unwrap_or_default() else { return };
    let Some(at) = at_ns.as_u64().map(Duration::from_nanos) else { return };
    let shown = |text: &Value| text.as_str().map(|text| Untrusted::new(text).shown());
    match (kind.as_str(), rest) {
        (Some("load"), [kind, from, to, by]) => {
            let kind = kind.as_str().and_then(ChangeKind::from_name);
            let by = by.as_str().and_then(ChangeSource::from_name);
            let [from, to] = [from, to].map(|clients| clients.as_u64()?.try_into().ok());
            let known = kind.zip(by).zip(from.zip(to));
            if let Some(((kind, by), (from, to))) = known {
                journal.change(LoadChange { at, kind, from, to, by });
            }
        }
        (Some("mark"), [note]) => {
            shown(note).into_iter().for_each(|note| journal.mark(Mark { at, note }));
        }
        (Some("note"), [kind, text, clients, held]) => {
            let clients = clients.as_u64().and_then(|clients| clients.try_into().ok()).unwrap_or_default();
            let kind = kind.as_str().and_then(|name| NoteKind::from_recorded(name, clients, held.as_bool()));
            let known = kind.zip(shown(text));
            known.into_iter().for_each(|(kind, text)| journal.note(Note { at, kind, text }));
        }
        _ => {}
    }
}
