//! Tests of the counters as a whole, through the interface that the rest of the program uses.

mod churn;
mod codes;
mod machine;
mod steady;

use super::{Meter, Registry, Snapshot, Timings};
use crate::vocabulary::{Kind, Outcome};

/// Takes a snapshot.
fn snapshot(registry: &Registry) -> Snapshot {
    let mut snapshot = Snapshot::default();
    registry.snapshot(0, &mut snapshot);
    snapshot
}

/// Makes one request from its start to its end.
fn request(meter: &Meter, kind: Kind, bytes: u64, outcome: Outcome) {
    let mut exchange = meter.start(kind);
    exchange.received(bytes);
    exchange.finish(outcome, outcome.is_ok().then_some(Timings { first_byte_us: 10, body_us: 20 }));
}
