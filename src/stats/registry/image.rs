//! The registry in an image: how a record keeps all counters, and how a replay sets them.

use std::sync::Arc;

use super::{ClientStats, Registry, StatsSlot};
use crate::stats::metric::Metric;
use crate::stats::worker::WorkerStats;
use crate::sync::image::{LARGEST, Walk};
use crate::vocabulary::limits;

/// Maximum number of slots without any change that one replay adds: a slot that had a client has changes.
const UNUSED_SLOTS: usize = 64;

impl Registry {
    /// Visits all counters; a light walk passes over the histograms.
    pub fn walk(&self, walk: &mut Walk<'_>) {
        // The order of `worker::read_totals`, so that no image has more requests finished than started, or than have an
        // outcome.
        self.walk_workers(walk, |worker, walk| worker.walk_scalars(walk, Metric::is_finished));
        self.walk_workers(walk, WorkerStats::walk_outcomes);
        let is_other = |metric: Metric| !metric.is_finished() && !metric.is_started();
        self.walk_workers(walk, |worker, walk| worker.walk_scalars(walk, is_other));
        self.walk_workers(walk, |worker, walk| worker.walk_scalars(walk, Metric::is_started));
        self.walk_workers(walk, WorkerStats::walk_rest);
        self.walk_workers(walk, WorkerStats::walk_histograms);
        // Retired clients were created before.
        walk.atomic(&self.retired.clients);
        walk.atomic(&self.created);
        walk.atomic(&self.violations);
        self.walk_slots(walk);
    }

    fn walk_workers(&self, walk: &mut Walk<'_>, visit: impl Fn(&WorkerStats, &mut Walk<'_>)) {
        self.workers.iter().for_each(|worker| visit(worker, walk));
    }

    /// Visits the slots of all clients. A replay adds those that it lacks.
    fn walk_slots(&self, walk: &mut Walk<'_>) {
        self.slots.iter().for_each(|(_, slot)| walk_slot(slot, walk));
        let mut unused = 0;
        while walk.wants(usize::MAX >> 1) && self.slots.count() < limits::CLIENTS as usize {
            unused += usize::from(!walk.wants(1 + ClientStats::NUMBERS));
            if unused > UNUSED_SLOTS {
                return;
            }
            let slot = Arc::<StatsSlot>::default();
            walk_slot(&slot, walk);
            self.slots.push(slot);
        }
    }
}

fn walk_slot(slot: &StatsSlot, walk: &mut Walk<'_>) {
    // A slot may change hands during the walk. The next image then has the rest of the new client's numbers.
    let holder = walk.visit(slot.holder());
    slot.values().walk(walk);
    if let Some(holder) = holder {
        slot.set_holder(holder.min(LARGEST));
    }
}
