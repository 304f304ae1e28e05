//! Facts of a run from its configuration: its identity, and its options as the report and the metrics give them.

use crate::config::RunConfig;
use crate::export::RunFacts;
use crate::load::{ArrivalProfile, StagesProfile};
use crate::report::{RunOptions, TargetReport};
use crate::swarm::ClientKind;
use crate::vocabulary::fingerprint::fingerprint;
use crate::vocabulary::{Clock, RunIdentity};

/// Returns the identity of the run that starts with `clock`.
pub(super) fn identity(config: &RunConfig, clock: Clock) -> RunIdentity {
    let cast = &config.clients.cast;
    let one = RunIdentity::new(&cast.first.player.entry, clock);
    let target_hash = match cast.targets.len() {
        1 => one.target_hash,
        _ => {
            let hashes = cast.of_targets().zip(&cast.targets);
            let hashes: Vec<_> = hashes
                .map(|(kind, weight)| format!("{weight} {}", kind.player.entry.fingerprint()))
                .collect();
            fingerprint(hashes.iter().map(String::as_str))
        }
    };
    RunIdentity {
        target: config.target(),
        target_hash,
        run_id: config.run_id.clone(),
        seed: config.plan.profile.seed,
        command: config.output.command.clone(),
        ..one
    }
}

/// Returns the facts of the run that its metrics give.
pub(super) fn facts(config: &RunConfig, identity: &RunIdentity, clock: Clock) -> RunFacts {
    RunFacts {
        identity: identity.clone(),
        variant: config.variant(),
        duration: config.plan.duration,
        per_client: false,
        clock,
    }
}

fn target_report((kind, weight): (&ClientKind, &u32)) -> TargetReport {
    TargetReport { url: kind.player.entry.to_string(), weight: *weight }
}

/// Returns the options of the run as its report gives them.
pub(super) fn options(config: &RunConfig) -> RunOptions {
    RunOptions {
        duration_asked_s: config.duration_s(),
        clients_asked: config.clients_asked,
        clamped: config.clamped.clone(),
        ramp_rate: config.plan.profile.rate(),
        stages: config.plan.stages.as_ref().map(StagesProfile::to_string),
        arrivals: config.plan.arrivals.as_ref().map(ArrivalProfile::to_string),
        targets: config
            .clients
            .cast
            .of_targets()
            .zip(&config.clients.cast.targets)
            .map(target_report)
            .collect(),
        variant: config.variant(),
        player: config.player(),
        session_length: config.session_length(),
        mix: (!config.mix.is_empty()).then(|| config.mix.join(", ")),
        data_rows: config.clients.cast.personal.as_ref().map(|personal| personal.data.rows() as u64),
        players: config
            .clients
            .cast
            .kinds()
            .take(config.clients.cast.mix.len())
            .map(|kind| kind.player.profile.name)
            .collect(),
        tls_verified: !config.insecure,
        proxy: config.clients.cast.first.net.transport.proxies.as_ref().map(ToString::to_string),
        resolve_unused: Vec::new(),
    }
}
