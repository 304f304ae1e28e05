//! Runs the model of a lock-free protocol under loom and rejects a model that proves nothing: see `tests/loom.sh`.

use std::sync::Arc;
// Not loom's own: these count across all interleavings.
use std::sync::atomic::{AtomicU64, Ordering};

/// Maximum steps of one interleaving: reading a whole registry takes thousands.
const STEPS: usize = 50_000;

/// Runs `model` under every interleaving with at most `preemptions` preemptions (`None`: no limit), and with every
/// value that a load may return. The model returns true if its reader met the case that the model is about. A model
/// that meets it never, or always, proves nothing and fails.
pub fn explore(preemptions: Option<usize>, model: impl Fn() -> bool + Send + Sync + 'static) {
    let (runs, met) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.max_branches = STEPS;
    {
        let (runs, met) = (Arc::clone(&runs), Arc::clone(&met));
        builder.check(move || {
            runs.fetch_add(1, Ordering::Relaxed);
            met.fetch_add(u64::from(model()), Ordering::Relaxed);
        });
    }
    let (runs, met) = (runs.load(Ordering::Relaxed), met.load(Ordering::Relaxed));
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    println!("{name}: {runs} interleavings, in {met} of them what it is about");
    assert!(met > 0, "{name} never meets what it is about");
    assert!(met < runs, "{name} meets it always: there is nothing that it could have missed");
}
