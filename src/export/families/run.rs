//! Metrics of the run: its identity, its load and the judgement on the stream.

use crate::export::family::Family;
use crate::export::scrape::Scrape;
use crate::export::series::Series;
use crate::sample::RunSample;
use crate::verdict::{CheckResult, JudgedThreshold, Knee, Verdict};
use crate::vocabulary::{ClientState, RunState};

/// The table.
pub(in crate::export) const TABLE: &[Family] = &[
    Family::info(
        "info",
        "Load test: version, URL of the stream without secrets, variant; always 1.",
        |s, out| {
            let identity = &s.facts.identity;
            let labels = [
                ("version", &*identity.version),
                ("stream_url", &*identity.target),
                ("variant", &*s.facts.variant),
            ];
            out.count(&labels, 1);
        },
    ),
    Family::info("build_info", "Build of hlswarm; always 1.", |s, out| {
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        out.count(&[("version", &*s.facts.identity.version), ("os", os), ("arch", arch)], 1);
    }),
    Family::info(
        "run_info",
        "Run: its id, which every request carries in X-Load-Test, and its seed; always 1.",
        |s, out| {
            let identity = &s.facts.identity;
            out.count(&[("run_id", &identity.run_id), ("seed", &identity.seed.to_string())], 1);
        },
    ),
    Family::gauge("run_state", "Phase of the run: 1 for the current one.", |s, out| {
        out.state("state", &mut RunState::ALL.into_iter().map(RunState::name), s.sample.state.name());
    }),
    Family::gauge("target_clients", "Clients to reach.", |s, out| out.count(&[], s.sample.target.into())),
    Family::gauge("active_clients", "Clients that are active: all but finished and dead ones.", |s, out| {
        out.count(&[], s.sample.active_clients());
    }),
    Family::gauge("peak_clients", "Largest number of clients active at once so far.", |s, out| {
        out.count(&[], s.sample.peak_clients);
    }),
    Family::gauge("clients", "Listed clients by state.", |s, out| {
        for state in ClientState::ALL {
            out.count(&[("state", state.name())], s.sample.snapshot.in_state(state));
        }
    }),
    Family::gauge("ramp_progress", "Share of the target that was admitted, from 0 to 1.", |s, out| {
        out.known(&[], s.sample.ramp_share());
    }),
    Family::gauge("test_duration_seconds", "Time after which the run ends; 0: until stopped.", |s, out| {
        out.number(&[], s.facts.duration.unwrap_or_default().as_secs_f64());
    }),
    Family::gauge("test_elapsed_seconds", "Time since the start of the run.", |s, out| {
        out.number(&[], s.sample.at.as_secs_f64());
    }),
    Family::gauge("test_remaining_seconds", "Time until the run ends; -1: until stopped.", |s, out| {
        let left = s.facts.duration.map(|end| end.saturating_sub(s.sample.at).as_secs_f64());
        out.number(&[], left.unwrap_or(-1.0));
    }),
    Family::counter("late_starts_total", "Starts of clients that came too late for the plan.", |s, out| {
        out.count(&[], s.sample.late_starts);
    }),
    Family::gauge("health_verdict", "How well the stream is served: 1 for the current verdict.", |s, out| {
        out.state(
            "verdict",
            &mut Verdict::ALL.into_iter().map(Verdict::name),
            s.sample.health.verdict.name(),
        );
    }),
    Family::gauge(
        "recent_error_ratio",
        "Share of the requests of the last ten seconds that failed, as the health verdict counts them.",
        |s, out| out.known(&[], s.sample.health.error_share),
    ),
    Family::gauge("recent_stalled_ratio", "Share of the active clients that are stalled.", |s, out| {
        out.known(&[], s.sample.health.stalled_share);
    }),
    Family::gauge(
        "knee_clients",
        "Clients at which errors or stalls first reached 1 % for two seconds; absent until they do.",
        |s, out| {
            for (cause, knee) in knees(s.sample) {
                knee.iter().for_each(|knee| out.count(&[("cause", cause)], knee.clients));
            }
        },
    ),
    Family::gauge(
        "threshold_value",
        "Newest value of each threshold of the operator: times in seconds, shares from 0 to 1.",
        |s, out| thresholds(s, out, |of| of.standing.value.map(|value| of.threshold.in_base_unit(value))),
    ),
    Family::gauge(
        "threshold_limit",
        "Limit of each threshold of the operator, in the same unit.",
        |s, out| {
            thresholds(s, out, |of| Some(of.threshold.in_base_unit(of.threshold.limit.number())));
        },
    ),
    Family::gauge(
        "threshold_ok",
        "Whether each threshold of the operator would be kept if the run ended now: 1 if so, 0 if it is crossed.",
        |s, out| {
            thresholds(s, out, |of| match of.result() {
                CheckResult::Pass => Some(1.0),
                CheckResult::Fail => Some(0.0),
                CheckResult::Unknown | CheckResult::Inconclusive => None,
            });
        },
    ),
    Family::counter("findings_total", "Problems that clients found in the stream.", |s, out| {
        for row in &s.sample.findings {
            let labels = [("finding", row.finding.name()), ("severity", row.finding.severity().name())];
            out.count(&labels, row.count);
        }
    }),
];

/// Writes a number of each threshold, whose expression is the label: there are at most as many as a run accepts, and an
/// expression has only names and numbers.
fn thresholds(scrape: &Scrape<'_>, out: &mut dyn Series, number: fn(&JudgedThreshold) -> Option<f64>) {
    for judged in scrape.sample.thresholds.iter() {
        out.known(&[("threshold", judged.threshold.text())], number(judged));
    }
}

fn knees(sample: &RunSample) -> [(&'static str, Option<Knee>); 2] {
    [("errors", sample.knees.errors), ("stalls", sample.knees.stalls)]
}
