//! Replay of a record: the samples of the run again, taken by the same sampler from the recorded numbers.
//!
//! * All counts and distributions at the end are those of the run. The tape is recorded within the milliseconds in which
//!   the run took its own sample: a request that ended in between is one sample later in what is counted over time.
//! * Entries of the log and requests of watched clients may appear up to a second earlier or later. A client that is
//!   opened has its requests one by one only while the run itself watched it.
//! * The price of the plan is not recorded, nor are the counts of the built-in origin.

use std::io::BufRead;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use serde_json::Value;

use super::{RunSample, Sampler, Sources};
use crate::origin_metrics::{EXPORTERS, ExporterGauges};
use crate::pipeline::{Counts, RecordLine, RecordReader, SampleLine, Unreadable};
use crate::stats;
use crate::verdict::{After, Criteria, RULES, Threshold};
use crate::vocabulary::{Clock, ExpectedStatuses, Finding, HardStops, SecretUrl, fingerprint, limits};

/// Maximum number of worker threads of a recorded run: more processors than a machine has.
const WORKERS: u64 = 1_024;

/// Version of the order in which a tape visits its numbers. Raise it with each change of a `walk`.
const ORDER: &str = "2";

/// A record that is being replayed.
#[derive(Debug)]
pub struct Replay<'a> {
    reader: RecordReader<'a>,
    sampler: Sampler,
    selected: Arc<AtomicU64>,
    /// The first line.
    run: Value,
    /// The last sample, until the events that belong to it have been read.
    last: Option<Box<SampleLine>>,
    /// End of the run, if it is known.
    ending: Option<Value>,
    /// Counts of the pipeline at the end, if they are known.
    counts: Option<(Counts, Counts)>,
    /// True if the record is known to its end.
    is_over: bool,
}

/// Facts without which no sample can be taken, as the first line of a record has them.
#[must_use]
pub fn recorded_facts(sources: &Sources) -> Value {
    let criteria = &sources.criteria;
    let limits = sources.spending.as_ref().map(|spending| *spending.limits()).unwrap_or_default();
    serde_json::json!({
        "layout": layout(),
        "workers": sources.workers.len(),
        "canary": sources.canary,
        "binds_sources": sources.binds_sources,
        "origin_metrics": sources.exporters.iter().map(|exporter| &*exporter.url).collect::<Vec<_>>(),
        "max_bytes": limits.bytes,
        "max_requests": limits.requests,
        "max_bits_per_second": limits.bits_per_second,
        "thresholds": criteria.thresholds.iter().map(Threshold::text).collect::<Vec<_>>(),
        "warmup": (criteria.warmup != After::Start).then(|| criteria.warmup.to_string()),
        "abort_grace_s": criteria.abort_grace.map(|grace| grace.as_secs_f64()),
        "untrusted_criteria": criteria.allow_untrusted,
        "expected": criteria.expected.names(),
    })
}

impl<'a> Replay<'a> {
    /// Reads the first line of a record, whose file has this name, safe to print.
    ///
    /// # Errors
    /// Fails if it is the first line of no record, or of one that this program cannot replay.
    pub fn open(source: impl BufRead + 'a, name: Arc<str>) -> Result<Self, Unreadable> {
        let mut reader = RecordReader::new(source);
        let RecordLine::Run(run) = reader.next()? else {
            return Err(Unreadable::Damaged(1, "it is no first line"));
        };
        let sources = sources(&run).map_err(|why| Unreadable::Damaged(1, why))?;
        let selected = Arc::clone(&sources.selected);
        let sampler = Sampler::new(sources).replaying(name);
        Ok(Self { reader, sampler, selected, run, last: None, ending: None, counts: None, is_over: false })
    }

    /// Returns the first line.
    pub fn run(&self) -> &Value {
        &self.run
    }

    /// Returns the number of the client of which samples show more, to be set by the console; 0 for none.
    pub fn selected(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.selected)
    }

    /// Returns the end of the run, once it has been read.
    pub fn ending(&self) -> Option<&Value> {
        self.ending.as_ref()
    }

    /// Returns the next sample; `None` after the last one, which is whole.
    ///
    /// # Errors
    /// Fails at the first line that is damaged or cut. The samples before it stand.
    pub fn next(&mut self) -> Result<Option<Arc<RunSample>>, Unreadable> {
        while !self.is_over {
            match self.reader.next()? {
                RecordLine::Sample(line) if line.is_last => {
                    self.ending = Some(line.ending.clone());
                    self.last = Some(line);
                }
                RecordLine::Sample(line) => return self.sample(&line).map(Some),
                RecordLine::Event(event) => self.sampler.take_event(event),
                RecordLine::End { progress, events } => {
                    self.counts = Some((progress, events));
                    self.is_over = true;
                }
                RecordLine::Run(_) | RecordLine::Other => {}
            }
        }
        self.last.take().map(|line| self.sample(&line)).transpose()
    }

    /// Returns a whole sample of the moment up to which the record was read, for one that has no last sample.
    pub fn so_far(&mut self) -> Arc<RunSample> {
        match self.last.take().map(|line| self.sample(&line)) {
            Some(Ok(sample)) => sample,
            _ => self.sampler.next_whole_sample(),
        }
    }

    fn sample(&mut self, line: &SampleLine) -> Result<Arc<RunSample>, Unreadable> {
        let [lines, bytes] = self.reader.read_so_far();
        let misfit = "it has counters that this version of hlswarm does not know";
        self.sampler.set(line).map_err(|_| Unreadable::Damaged(lines, misfit))?;
        if !line.is_last {
            return Ok(self.sampler.next_sample());
        }
        // After the line was recorded, the recorder took all events that were left, and ended.
        if let (Some((progress, events)), Some(reading)) = (self.counts, self.sampler.reading()) {
            (reading.progress, reading.events) = (progress, events);
            (reading.recorder.lines, reading.recorder.bytes) = (lines, bytes);
            reading.lanes.iter_mut().for_each(|lane| lane.fill = 0);
        }
        Ok(self.sampler.next_whole_sample())
    }
}

/// Returns the sources of the run, before anything was counted.
fn sources(run: &Value) -> Result<Sources, &'static str> {
    let facts = run.get("replay").filter(|facts| facts.is_object());
    let facts = facts.ok_or("it was recorded by a version of hlswarm without replay")?;
    if facts.get("layout").and_then(Value::as_str) != Some(&*layout()) {
        return Err(
            "it was recorded by a version of hlswarm with other counters; replay it with that version",
        );
    }
    let number = |name: &str| facts.get(name).and_then(Value::as_u64);
    let workers = number("workers").filter(|workers| *workers <= WORKERS);
    let workers =
        workers.and_then(|workers| usize::try_from(workers).ok()).ok_or("it names no worker threads")?;
    let wall = run.get("started_unix_ms").and_then(Value::as_i64);
    let wall = wall.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).ok_or("it has no start")?;
    let stops = HardStops {
        bytes: number("max_bytes"),
        requests: number("max_requests"),
        bits_per_second: number("max_bits_per_second"),
    };
    Ok(Sources {
        canary: number("canary")
            .and_then(|canary| usize::try_from(canary).ok())
            .filter(|canary| *canary < workers),
        binds_sources: facts.get("binds_sources").and_then(Value::as_bool).unwrap_or_default(),
        criteria: Arc::new(criteria(facts)),
        exporters: exporters(facts),
        clock: Clock::start().started_at_wall(wall),
        ..Sources::for_run(workers, stops)
    })
}

/// Returns the gauges of the recorded exporters. Places in a tape follow from their number, so no URL is left out.
fn exporters(facts: &Value) -> Arc<[ExporterGauges]> {
    let urls = facts.get("origin_metrics").and_then(Value::as_array).into_iter().flatten().take(EXPORTERS);
    let urls = urls.map(|url| url.as_str().and_then(|url| SecretUrl::parse(url).ok()));
    urls.map_while(|url| url.as_ref().map(ExporterGauges::new)).collect()
}

/// Returns the recorded criteria. A threshold that this program does not know is left out.
fn criteria(facts: &Value) -> Criteria {
    let thresholds = facts.get("thresholds").and_then(Value::as_array).into_iter().flatten();
    let grace = facts.get("abort_grace_s").and_then(Value::as_f64);
    Criteria {
        thresholds: thresholds
            .filter_map(|text| Threshold::parse(text.as_str()?).ok())
            .take(limits::THRESHOLDS)
            .collect(),
        warmup: facts
            .get("warmup")
            .and_then(Value::as_str)
            .and_then(|text| After::parse(text).ok())
            .unwrap_or_default(),
        abort_grace: grace.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        allow_untrusted: facts.get("untrusted_criteria").and_then(Value::as_bool).unwrap_or_default(),
        expected: expected_statuses(facts),
    }
}

fn expected_statuses(facts: &Value) -> ExpectedStatuses {
    let names = facts.get("expected").and_then(Value::as_array).into_iter().flatten();
    ExpectedStatuses::from_names(names.filter_map(Value::as_str))
}

/// Returns the fingerprint of all names whose numbers have places in a tape. A program with other names, or another
/// version, may have other places.
fn layout() -> String {
    let catalogue = stats::catalogue();
    let names = [ORDER, env!("CARGO_PKG_VERSION"), &*catalogue].into_iter();
    fingerprint(names.chain(Finding::ALL.map(Finding::name)).chain(RULES.iter().map(|rule| rule.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_the_criteria_of_its_run() {
        let criteria = Criteria {
            thresholds: vec![Threshold::parse("error_rate<1%").expect("a threshold")],
            expected: ExpectedStatuses::from_names(["404", "500-503", "other"]),
            ..Criteria::default()
        };
        let facts = recorded_facts(&Sources { criteria: Arc::new(criteria.clone()), ..Sources::new(1) });
        assert_eq!(self::criteria(&facts), criteria);
    }

    #[test]
    fn a_record_says_if_the_ports_of_a_source_were_shared_by_all_addresses() {
        for given in [true, false] {
            let facts = recorded_facts(&Sources { binds_sources: given, ..Sources::new(1) });
            let run = serde_json::json!({ "started_unix_ms": 0, "replay": facts });
            assert_eq!(sources(&run).map(|sources| sources.binds_sources), Ok(given));
        }
    }
}
