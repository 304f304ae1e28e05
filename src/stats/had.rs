//! Outcomes that a client ever had, as bits.

use super::client::ClientStats;
use super::failure_table;
use crate::vocabulary::Outcome;

/// Failure slots of the outcomes that have a bit.
#[derive(Debug)]
pub(super) struct HadSlots([Option<usize>; u16::BITS as usize]);

impl HadSlots {
    /// Creates the slots of these outcomes; only the first 16 have a bit.
    pub(super) fn new(codes: &[Outcome]) -> Self {
        let mut slots = [None; u16::BITS as usize];
        slots.iter_mut().zip(codes).for_each(|(slot, code)| *slot = failure_table::slot(*code));
        Self(slots)
    }

    /// Returns the bits of the outcomes that a client ever had.
    #[inline]
    pub(super) fn had(&self, stats: &ClientStats) -> u16 {
        let mut had = 0;
        stats.for_each_slot(|failure, _| {
            if let Some(place) = self.0.iter().position(|slot| *slot == Some(failure)) {
                had |= 1 << place;
            }
        });
        had
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Registry, Snapshot};
    use crate::vocabulary::outcome::Fault;
    use crate::vocabulary::{Clock, Kind};

    #[test]
    fn a_bit_stays_after_the_client_has_recovered_and_goes_with_it() {
        let registry = Registry::new(1);
        let busy = Outcome::from_status(503, false);
        let codes = vec![Fault::ConnReset.into(), busy];
        let mut snapshot = Snapshot { codes, ..Snapshot::default() };
        let mut had = || {
            registry.snapshot(0, &mut snapshot);
            snapshot.clients[0].had
        };
        let client = registry.add();
        let meter = client.meter(0, Clock::start());
        for outcome in [busy, Outcome::from_status(404, false), Outcome::Ok] {
            meter.start(Kind::Segment).finish(outcome, None);
        }
        assert_eq!(had(), 0b10);
        meter.start(Kind::Segment).finish(Fault::ConnReset.into(), None);
        assert_eq!(had(), 0b11);
        drop((meter, client));
        let _next = registry.add();
        assert_eq!(had(), 0);
    }
}
