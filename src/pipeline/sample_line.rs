//! Line `sample` of a record: what has changed since the line before, for `hlswarm replay`.
//!
//! * It has all that the sampler reads: counters of the run and of each client, the status, and the gauges of the load
//!   tester. So a replay can take every sample again, and shows what the run showed.
//! * `cells` and `gauges` are changes of an [`Image`](crate::sync::image::Image): places in this program's memory, which
//!   mean nothing to other programs. The first line of the record names their layout.
//! * A line that finds no room is left out. The next one has its changes, so no count is lost.

use std::io::Write as _;

use serde_json::Value;

use crate::sync::image::{Changes, Depth, LARGEST};

/// Changes up to one sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SampleLine {
    /// Microseconds since the start of the run.
    pub at_us: u64,
    /// Number of the sample, counted by the sampler's ticks.
    pub tick: u64,
    /// Numbers that were visited: the large tables change once a second.
    pub depth: Depth,
    /// True for the last sample: nothing counts any more.
    pub is_last: bool,
    /// Changes of what the sampler reads.
    pub cells: Changes,
    /// Changes of what it measures itself.
    pub gauges: Changes,
    /// New entries of the journal, as arrays that begin with their kind.
    pub journal: Vec<Value>,
    /// End of the run, of the last sample; otherwise null.
    pub ending: Value,
}

impl SampleLine {
    /// Appends the line.
    pub(super) fn write(&self, buffer: &mut Vec<u8>) {
        let Self { at_us, tick, depth, is_last, .. } = self;
        // Writing into memory cannot fail.
        _ = write!(buffer, "{{\"kind\":\"sample\",\"at_us\":{at_us},\"tick\":{tick}");
        for (name, is_set) in [("light", *depth == Depth::Light), ("last", *is_last)] {
            if is_set {
                _ = write!(buffer, ",\"{name}\":true");
            }
        }
        write_numbers(buffer, "cells", &self.cells.numbers);
        write_numbers(buffer, "gauges", &self.gauges.numbers);
        let texts = self.cells.texts.iter().map(|(place, text)| serde_json::json!([place, text]));
        for (name, values) in [("texts", texts.collect()), ("journal", self.journal.clone())] {
            if !values.is_empty() {
                _ = write!(buffer, ",\"{name}\":{}", Value::Array(values));
            }
        }
        if !self.ending.is_null() {
            _ = write!(buffer, ",\"ending\":{}", self.ending);
        }
        buffer.extend_from_slice(b"}\n");
    }

    /// Reads the line; `None` if it is none.
    pub(super) fn read(line: &Value) -> Option<Self> {
        let number = |name: &str| line.get(name)?.as_u64();
        let list =
            |name: &str| line.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let numbers = |name: &str| list(name).iter().map(Value::as_i64).collect::<Option<Vec<i64>>>();
        let is_set = |name: &str| line.get(name).and_then(Value::as_bool).unwrap_or_default();
        let text = |pair: &Value| Some((pair.get(0)?.as_u64()?, pair.get(1)?.as_str()?.to_owned()));
        let texts = list("texts").iter().map(text).collect::<Option<Vec<_>>>()?;
        Some(Self {
            at_us: number("at_us")?,
            tick: number("tick")?.min(LARGEST),
            depth: if is_set("light") { Depth::Light } else { Depth::Whole },
            is_last: is_set("last"),
            cells: Changes { numbers: numbers("cells")?, texts },
            gauges: Changes { numbers: numbers("gauges")?, texts: Vec::new() },
            journal: list("journal").to_vec(),
            ending: line.get("ending").cloned().unwrap_or_default(),
        })
    }
}

fn write_numbers(buffer: &mut Vec<u8>, name: &str, numbers: &[i64]) {
    if numbers.is_empty() {
        return;
    }
    _ = write!(buffer, ",\"{name}\":");
    for (place, number) in numbers.iter().enumerate() {
        _ = write!(buffer, "{}{number}", if place == 0 { '[' } else { ',' });
    }
    buffer.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_read_as_it_was_written() {
        let full = SampleLine {
            at_us: 1_500_000,
            tick: 6,
            depth: Depth::Light,
            is_last: true,
            cells: Changes {
                numbers: vec![0, i64::MIN, 3, -1],
                texts: vec![(2, "a \"text\"\t".to_owned()), (9, String::new())],
            },
            gauges: Changes { numbers: vec![1, i64::MAX], texts: Vec::new() },
            journal: vec![serde_json::json!(["mark", 1_200_000, "a note"])],
            ending: serde_json::json!({ "cut": true }),
        };
        for line in [full, SampleLine::default()] {
            let mut buffer = Vec::new();
            line.write(&mut buffer);
            assert_eq!(buffer.iter().filter(|byte| **byte == b'\n').count(), 1);
            let value = serde_json::from_slice(&buffer).expect("JSON");
            assert_eq!(SampleLine::read(&value), Some(line));
        }
        assert_eq!(SampleLine::read(&serde_json::json!({"at_us": 1, "tick": 1, "cells": [0.5]})), None);
    }
}
