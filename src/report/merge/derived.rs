//! Numbers of a merged report that follow from its counts: the same functions as in a run compute them.

use serde_json::{Number, Value};

use super::over_time::Load;
use super::thresholds;
use crate::report::doc::Part;
use crate::report::failures::{answerable, expected_statuses};
use crate::stats::Quality;
use crate::verdict::{Limit, Portion, Threshold};
use crate::vocabulary::outcome::Class;
use crate::vocabulary::{Outcome, per_second};

/// Fills in all numbers that are derived.
pub(super) fn fill(report: &mut Value) {
    requests(report);
    let root = Part::new(report);
    let requests = root.at("/requests");
    let failed_share = portion(requests, "/failed", "/judged").share();
    let answerable = answerable(root.at("/outcomes"), expected_statuses(root));
    let error_share = answerable.share();
    let finished = requests.at("/finished").count();
    let length = root.at("/run/duration_s").seconds();
    let bits = root.at("/bytes/total").count() as f64 * 8.0;
    let quality = quality(root.at("/playback"));
    set(report, "/requests/failed_share", failed_share);
    set(report, "/health/error_share", error_share);
    set(report, "/throughput_bits_per_second/run", per_second(bits, length));
    set(report, "/playback/rebuffer_ratio", quality.rebuffer_ratio());
    set(report, "/playback/average_speed", quality.average_speed());
    set(report, "/playback/stalls_per_hour", quality.stalls_per_hour());
    set(report, "/playback/bits_per_second", quality.bits_per_second());
    for failure in elements(report, "/failures") {
        let share = Portion { part: Part::new(failure).at("/count").count(), whole: finished }.share();
        set(failure, "/share", share);
    }
    for edge in members(report, "/audience/edges") {
        let (hit, miss) = (Part::new(edge).at("/hit").count(), Part::new(edge).at("/miss").count());
        set(edge, "/hit_share", Portion { part: hit, whole: hit.saturating_add(miss) }.share());
    }
    for name in ["/trust/all_seconds", "/trust/trusted_seconds"] {
        if let Some(of) = report.pointer_mut(name).filter(|of| of.is_object()) {
            let share = portion(Part::new(of), "/failed", "/judged").share();
            set(of, "/failed_share", share);
        }
    }
    clients(report);
    checks(report, answerable);
    thresholds::judge_again(report);
}

/// Fills in how many requests failed: what one of the machines expected is a failure on none of them.
fn requests(report: &mut Value) {
    let root = Part::new(report);
    let expected = expected_statuses(root);
    let count = |is_meant: &dyn Fn(Outcome) -> bool| {
        let outcomes = root.at("/outcomes").table();
        let meant = outcomes.filter(|(name, _)| Outcome::from_name(name).is_some_and(is_meant));
        meant.fold(0_u64, |sum, (_, count)| sum.saturating_add(count.count()))
    };
    let failed = count(&|outcome| outcome.is_failure() && !expected.has(outcome));
    let (ok, as_expected) = (count(&|outcome| outcome.is_ok()), count(&|outcome| expected.has(outcome)));
    for (path, number) in
        [("failed", failed), ("judged", failed.saturating_add(ok)), ("expected", as_expected)]
    {
        put(report, &format!("/requests/{path}"), number.into());
    }
}

/// Fills in the numbers of clients: each machine knew only its own.
fn clients(report: &mut Value) {
    let root = Part::new(report);
    let load = Load::new(root.at("/series"));
    let count = |clients: Option<u64>| clients.map_or(Value::Null, Value::from);
    let began = root.at("/run/started_unix_ms").number().unwrap_or_default() / 1e3;
    let knees = ["/health/knee_errors", "/health/knee_stalls"].map(|path| {
        let at = root.at(path).at("/at_s").number().map(|at_s| began + at_s);
        let of_both = load.as_ref().zip(at);
        let clients = of_both.and_then(|(load, at)| load.clients_at(at));
        (path, clients, of_both.and_then(|(load, at)| load.bits_per_second_at(at, began)))
    });
    for failure in elements(report, "/failures") {
        let at = Part::new(failure).at("/first_s").number().map(|at_s| began + at_s);
        let clients = load.as_ref().zip(at).and_then(|(load, at)| load.clients_at(at));
        put(failure, "/clients_at_first", count(clients));
    }
    let peak = count(load.as_ref().and_then(Load::peak));
    let stalled = load.as_ref().and_then(Load::stalled_share_max);
    let stalled_clients = count(load.as_ref().and_then(Load::stalled_clients_max));
    for (path, clients, bits) in knees {
        put(report, &format!("{path}/clients"), count(clients));
        set(report, &format!("{path}/bits_per_second"), bits);
    }
    put(report, "/run/clients_peak", peak);
    put(report, "/health/stalled_clients_max", stalled_clients);
    set(report, "/health/stalled_share_max", stalled);
}

/// Judges again the checks whose values are shares of the merged counts.
fn checks(report: &mut Value, answerable: Portion) {
    let succeeded = Portion { part: answerable.whole.saturating_sub(answerable.part), ..answerable };
    let outcomes = Part::new(report).at("/outcomes");
    let local: u64 = outcomes
        .table()
        .filter(|(name, _)| class(name) == Some(Class::Local))
        .fold(0, |sum, (_, count)| sum.saturating_add(count.count()));
    let finished = Part::new(report).at("/requests/finished").count();
    let local_share = Portion { part: local, whole: finished }.share();
    for check in elements(report, "/checks") {
        let part = Part::new(check);
        let value = match part.at("/name").text() {
            "success_share" => succeeded.share(),
            "error_share" => answerable.share(),
            "local_share" => local_share,
            _ => part.at("/value").number(),
        };
        // Those of thresholds follow from the list of thresholds.
        if Threshold::parse(part.at("/name").text()).is_ok() {
            continue;
        }
        let limit = Limit::parse(part.at("/limit").text());
        let result = match limit.zip(value).map(|(limit, value)| limit.holds(value)) {
            None => "unknown",
            Some(true) => "pass",
            Some(false) => "fail",
        };
        set(check, "/value", value);
        if let Some(into) = check.pointer_mut("/result") {
            *into = Value::from(result);
        }
    }
}

fn class(name: &str) -> Option<Class> {
    Outcome::from_name(name).map(Outcome::class)
}

fn portion(of: Part<'_>, part: &str, whole: &str) -> Portion {
    Portion { part: of.at(part).count(), whole: of.at(whole).count() }
}

fn quality(playback: Part<'_>) -> Quality {
    let micros = |path: &str| playback.at(path).seconds().as_micros() as u64;
    Quality {
        startup_us: micros("/startup_s"),
        play_us: micros("/play_s"),
        stall_us: micros("/stall_s"),
        stalls: playback.at("/stalls").count(),
        played_bytes: playback.at("/played_bytes").count(),
    }
}

fn set(value: &mut Value, path: &str, number: Option<f64>) {
    put(value, path, number.and_then(Number::from_f64).map_or(Value::Null, Value::Number));
}

fn put(value: &mut Value, path: &str, new: Value) {
    if let Some(into) = value.pointer_mut(path) {
        *into = new;
    }
}

fn elements<'a>(value: &'a mut Value, path: &str) -> impl Iterator<Item = &'a mut Value> {
    value.pointer_mut(path).and_then(Value::as_array_mut).into_iter().flatten()
}

fn members<'a>(value: &'a mut Value, path: &str) -> impl Iterator<Item = &'a mut Value> {
    value
        .pointer_mut(path)
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(|members| members.iter_mut().map(|(_, value)| value))
}
