//! Facts of a run in the first line of its record, and its end in the last sample: what a replay shows beside the
//! numbers. They are read from a file that may come from anywhere, so a missing or wrong value is unknown.

use std::time::Duration;

use serde_json::{Value, json};

use crate::config::RunConfig;
use crate::control::{Ending, Plan, RefusedBy};
use crate::load::{ArrivalProfile, Ramp, RampProfile, StageList, StagesProfile};
use crate::player::Profile;
use crate::report::{RunOptions, SearchReport, TargetReport};
use crate::sample::{Sources, recorded_facts};
use crate::tui::Title;
use crate::vocabulary::untrusted::harmless_lines;
use crate::vocabulary::{HardStop, Outcome, RunIdentity, StopCause, limits, units};

/// Returns the facts of a run for the first line of its record.
pub(super) fn facts(config: &RunConfig, sources: &Sources, title: &Title) -> Value {
    let mut facts = recorded_facts(sources);
    let Plan { profile, duration, has_default_end, .. } = &config.plan;
    let (ramp_rate, ramp_s) = match profile.ramp {
        Ramp::Rate(rate) => (Some(rate), None),
        Ramp::Time(time) => (None, Some(time.as_secs_f64())),
    };
    let plan = json!({
        "options": super::options(config),
        "reports": title.reports,
        "players": super::options(config).players,
        "allow_untrusted": config.output.allow_untrusted,
        "is_search": config.search.is_some(),
        "clients": profile.clients,
        "ramp_rate": ramp_rate,
        "ramp_s": ramp_s,
        "duration_s": duration.map(|duration| duration.as_secs_f64()),
        "has_default_end": has_default_end,
    });
    if let (Value::Object(facts), Value::Object(plan)) = (&mut facts, plan) {
        facts.extend(plan);
    }
    facts
}

/// Returns the end of a run for the last sample of its record, with the result of its search.
pub(super) fn ending(ending: Ending, search: Option<&SearchReport>) -> Value {
    let cause = ending.cause.map(|cause| match cause {
        StopCause::Limit(stop) => stop.name(),
        StopCause::Signal(..) => "signal",
        other => CAUSES.into_iter().find(|(_, cause)| *cause == other).map_or("", |(name, _)| name),
    });
    let signal = match ending.cause {
        Some(StopCause::Signal(number, _)) => Some(number),
        _ => None,
    };
    let refused = ending.refused.map(|by| match by {
        RefusedBy::Price => "price".to_owned(),
        RefusedBy::Stream(outcome) => outcome.to_string(),
    });
    json!({ "cause": cause, "signal": signal, "cut": ending.cut, "refused": refused, "search": search })
}

/// Causes without a number, with their words in a record.
const CAUSES: [(&str, StopCause); 9] = [
    ("operator", StopCause::Operator),
    ("ctl", StopCause::Control),
    ("interrupt", StopCause::Interrupt),
    ("hang_up", StopCause::HangUp),
    ("terminal_gone", StopCause::TerminalGone),
    ("address_space", StopCause::AddressSpace),
    ("threshold", StopCause::Threshold),
    ("searched", StopCause::Searched),
    ("fault", StopCause::Fault),
];

/// Reads the end of a run.
pub(super) fn read_ending(value: &Value) -> Ending {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let signal = value.get("signal").and_then(Value::as_u64).and_then(|number| u8::try_from(number).ok());
    let cause = |name| {
        let plain = CAUSES.into_iter().find(|(known, _)| *known == name).map(|(_, cause)| cause);
        let limit = || HardStop::ALL.into_iter().find(|stop| stop.name() == name).map(StopCause::Limit);
        plain.or_else(limit).or_else(|| Some(StopCause::Signal(signal?, "a signal")))
    };
    Ending {
        cause: text("cause").and_then(cause),
        cut: value.get("cut").and_then(Value::as_bool).unwrap_or_default(),
        refused: text("refused").and_then(|by| match by {
            "price" => Some(RefusedBy::Price),
            outcome => Outcome::from_name(outcome).map(RefusedBy::Stream),
        }),
    }
}

/// A run as the first line of its record describes it.
#[derive(Debug)]
pub(super) struct RecordedRun {
    pub(super) identity: RunIdentity,
    pub(super) options: RunOptions,
    pub(super) plan: Plan,
    pub(super) reports: Vec<String>,
    pub(super) allow_untrusted: bool,
    /// True if the run was a search.
    pub(super) is_search: bool,
}

impl RecordedRun {
    /// Reads the first line of a record.
    pub(super) fn new(run: &Value) -> Self {
        let facts = Facts(run.get("replay").unwrap_or(&Value::Null));
        let options = Facts(facts.0.get("options").unwrap_or(&Value::Null));
        let run = Facts(run);
        let seed = run.number("seed").unwrap_or_default();
        let ramp = match (facts.fraction("ramp_rate"), facts.time("ramp_s")) {
            (Some(rate), _) if rate > 0.0 => Ramp::Rate(rate),
            (_, time) => Ramp::Time(time.unwrap_or_default()),
        };
        let stages = options.0.get("stages").and_then(Value::as_str).and_then(stages);
        let arrivals = options.0.get("arrivals").and_then(Value::as_str).and_then(arrivals);
        let profile = RampProfile { clients: facts.count("clients"), ramp, seed, ..RampProfile::default() };
        Self {
            identity: RunIdentity {
                target: run.text("target"),
                target_hash: run.text("target_hash"),
                version: run.text("version").into(),
                started_at: run.text("started_at"),
                started_unix_ms: run.0.get("started_unix_ms").and_then(Value::as_i64).unwrap_or_default(),
                run_id: run.text("run_id"),
                seed,
                command: run.text("command"),
            },
            options: RunOptions {
                duration_asked_s: options.fraction("duration_asked_s"),
                clients_asked: options.count("clients_asked"),
                clamped: options.0.get("clamped").and_then(Value::as_str).map(harmless_lines),
                ramp_rate: options.fraction("ramp_rate"),
                stages: stages.as_ref().map(ToString::to_string),
                arrivals: arrivals.as_ref().map(ToString::to_string),
                variant: options.text("variant"),
                targets: targets(options.0.get("targets").unwrap_or(&Value::Null)),
                players: facts.texts("players").iter().map(|name| player(name)).collect(),
                player: options.text("player"),
                session_length: options.text("session_length"),
                mix: options.0.get("mix").and_then(Value::as_str).map(harmless_lines),
                data_rows: options.number("data_rows"),
                tls_verified: options.is_set("tls_verified"),
                proxy: options.0.get("proxy").and_then(Value::as_str).map(harmless_lines),
                resolve_unused: Vec::new(),
            },
            plan: Plan {
                profile,
                stages,
                arrivals,
                duration: facts.time("duration_s"),
                has_default_end: facts.is_set("has_default_end"),
                ..Plan::default()
            },
            reports: facts.texts("reports"),
            allow_untrusted: facts.is_set("allow_untrusted"),
            is_search: facts.is_set("is_search"),
        }
    }

    /// Returns the facts that the screen shows.
    pub(super) fn title(&self) -> Title {
        Title {
            identity: self.identity.clone(),
            variant: self.options.variant.clone(),
            profile: self.plan.profile,
            stages: self.plan.stages.clone(),
            arrivals: self.plan.arrivals,
            is_search: self.is_search,
            duration: self.plan.duration,
            // The run may have been on another machine.
            costs: None,
            reports: self.reports.clone(),
        }
    }
}

/// Reads the stages of a plan as its report gives them.
fn stages(text: &str) -> Option<StagesProfile> {
    let list: StageList = text.parse().ok()?;
    StagesProfile::new(&list.0).ok()
}

/// Reads the arrivals of a plan as its report gives them.
fn arrivals(text: &str) -> Option<ArrivalProfile> {
    let (rate, process) = text.split_once(' ')?;
    let per_second = units::parse_rate(rate).ok()?;
    Some(ArrivalProfile { per_second, process: process.parse().ok()?, stays: None })
}

/// Reads the streams of a run.
fn targets(list: &Value) -> Vec<TargetReport> {
    let list = list.as_array().into_iter().flatten().take(limits::TARGETS).map(Facts);
    list.map(|target| TargetReport { url: target.text("url"), weight: target.count("weight") }).collect()
}

fn player(name: &str) -> &'static str {
    Profile::ALL.into_iter().find(|profile| profile.name == name).map_or("unknown", |profile| profile.name)
}

/// Values of an object.
#[derive(Clone, Copy)]
struct Facts<'a>(&'a Value);

impl Facts<'_> {
    fn number(self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_u64()
    }

    fn count(self, name: &str) -> u32 {
        self.number(name).and_then(|number| number.try_into().ok()).unwrap_or_default()
    }

    fn fraction(self, name: &str) -> Option<f64> {
        self.0.get(name)?.as_f64()
    }

    fn time(self, name: &str) -> Option<Duration> {
        Duration::try_from_secs_f64(self.fraction(name)?).ok().filter(|time| time.as_secs() <= LONGEST_S)
    }

    fn text(self, name: &str) -> String {
        self.0.get(name).and_then(Value::as_str).map(harmless_lines).unwrap_or_default()
    }

    fn texts(self, name: &str) -> Vec<String> {
        let all = self.0.get(name).and_then(Value::as_array).into_iter().flatten();
        all.filter_map(Value::as_str).map(harmless_lines).take(REPORTS).collect()
    }

    fn is_set(self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or_default()
    }
}

/// Longest time that is read, in seconds: longer than any run.
const LONGEST_S: u64 = 10 * 366 * 86_400;
/// Most names of reports that are read.
const REPORTS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::outcome::{Fault, HttpFailure};

    #[test]
    fn an_ending_is_read_as_it_was_written() {
        let causes = CAUSES.map(|(_, cause)| cause).into_iter();
        let causes =
            causes.chain(HardStop::ALL.map(StopCause::Limit)).chain([StopCause::Signal(15, "a signal")]);
        for cause in causes.map(Some).chain([None]) {
            for refused in [
                None,
                Some(RefusedBy::Price),
                Some(RefusedBy::Stream(Outcome::Http(HttpFailure::new(404)))),
                Some(RefusedBy::Stream(Fault::ConnReset.into())),
            ] {
                let known = Ending { cause, cut: refused.is_none(), refused };
                assert_eq!(read_ending(&ending(known, None)), known);
            }
        }
        assert_eq!(read_ending(&json!({ "cause": "signal", "refused": 7 })), Ending::default());
    }

    #[test]
    fn a_first_line_without_facts_is_a_run_of_which_nothing_is_known() {
        let run =
            RecordedRun::new(&json!({ "target": "\u{1b}[2Jhttp://a.test", "replay": { "ramp_s": -1 } }));
        assert_eq!(run.identity.target, "^[[2Jhttp://a.test");
        assert_eq!((run.plan, run.options.players), (Plan::default(), vec![]));
    }
}
