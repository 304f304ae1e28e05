//! Two runs side by side: what differs beyond noise, and in which direction.

use serde::Serialize;

use super::answer;
use super::cells::clients;
use super::doc::{Doc, Part};
use super::failures::{answerable, expected_statuses};
use super::page::Page;
use crate::verdict::{Change, Portion, Quantile, TrustVerdict, matters, shares};
use crate::vocabulary::Untrusted;
use crate::vocabulary::units::{self, UNKNOWN};

/// The version of the JSON of `compare`.
pub const COMPARE_SCHEMA: &str = "hlswarm.compare/1";
/// Resolution of a knee in seconds of the ramp: the verdict looks at the last ten seconds.
const KNEE_S: f64 = 5.0;
/// Width of a value in the text, in columns.
const VALUE: usize = 17;

/// Durations that are compared: place in the document, name.
const DURATIONS: [(&str, &str); 4] = [
    ("/latency_us/playlist", "playlist"),
    ("/latency_us/segment_ttfb", "segment ttfb"),
    ("/latency_us/segment_all", "segment"),
    ("/latency_us/startup", "start-up"),
];

/// Options that should be the same in both runs: place in the document, name.
const CONDITIONS: [(&str, &str); 13] = [
    ("/run/target_hash", "target"),
    ("/run/version", "version"),
    ("/run/clients_asked", "clients"),
    ("/run/ramp_rate", "ramp rate"),
    ("/run/stages", "stages"),
    ("/run/arrivals", "arrivals"),
    ("/run/duration_asked_s", "duration"),
    ("/run/variant", "variant"),
    ("/run/player", "player"),
    ("/run/mix", "mix"),
    ("/run/session_length", "session length"),
    ("/run/proxy", "proxy"),
    ("/histogram", "bucket layout"),
];

/// Two runs compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Always `hlswarm.compare/1`.
    pub schema: &'static str,
    /// The first run.
    pub a: RunName,
    /// The second run.
    pub b: RunName,
    /// Options in which the runs differ; their effect is part of every difference.
    pub conditions: Vec<Condition>,
    /// Name of the run whose measurement cannot be trusted: nothing is compared then.
    pub untrusted: Option<&'static str>,
    /// Numbers that are compared.
    pub rows: Vec<Row>,
    /// Number of rows that got worse.
    pub worse: usize,
    /// Number of rows that got better.
    pub better: usize,
    /// Number of rows that cannot be compared, because one run has too few values.
    pub unknown: usize,
}

/// Name of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunName {
    /// Its headline.
    pub headline: String,
    /// The run id.
    pub run_id: String,
    /// Time of its start.
    pub started_at: String,
}

/// An option in which two runs differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// Name of the option.
    pub name: &'static str,
    /// Its value in the first run.
    pub a: String,
    /// Its value in the second run.
    pub b: String,
}

/// A number of both runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Name of the number.
    pub name: String,
    /// Its value in the first run.
    pub a: String,
    /// Its value in the second run.
    pub b: String,
    /// Relative change from the first to the second; `null`: one of them is unknown or 0.
    pub change: Option<f64>,
    /// Direction of the change: `better`, `same` (no difference beyond noise), `worse` or `unknown`.
    #[serde(serialize_with = "word")]
    pub kind: Change,
}

fn word<S: serde::Serializer>(change: &Change, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(change.name())
}

/// Compares two runs.
pub fn compare(a: &Doc, b: &Doc) -> Comparison {
    let mut rows = vec![
        played([a, b]),
        failed("requests failed", [a, b], "/outcomes"),
        failed("playlists failed", [a, b], "/kinds/playlist/outcomes"),
        failed("segments failed", [a, b], "/kinds/segment/outcomes"),
        stalled([a, b]),
    ];
    for (path, name) in DURATIONS {
        rows.extend(duration(name, [a, b], path));
    }
    rows.push(live_latency([a, b]));
    rows.push(knee("errors 1% at", [a, b], "/health/knee_errors"));
    rows.push(knee("stalls 1% at", [a, b], "/health/knee_stalls"));
    rows.retain(|row| row.a != UNKNOWN || row.b != UNKNOWN);
    let untrusted = [(a, "a"), (b, "b")]
        .into_iter()
        .find(|(doc, _)| doc.at("/trust/verdict").trust() == TrustVerdict::Invalid)
        .map(|(_, name)| name);
    if untrusted.is_some() {
        rows.iter_mut().for_each(|row| row.kind = Change::Unknown);
    }
    let count = |kind: Change| rows.iter().filter(|row| row.kind == kind).count();
    let (worse, better, unknown) = (count(Change::Worse), count(Change::Better), count(Change::Unknown));
    let conditions =
        CONDITIONS.into_iter().filter_map(|(path, name)| condition(name, [a, b].map(|doc| doc.at(path))));
    Comparison {
        schema: COMPARE_SCHEMA,
        a: run_name(a),
        b: run_name(b),
        conditions: conditions.collect(),
        untrusted,
        rows,
        worse,
        better,
        unknown,
    }
}

fn run_name(doc: &Doc) -> RunName {
    let run = doc.at("/run");
    RunName {
        headline: answer::headline(doc).text(),
        run_id: run.at("/run_id").word(),
        started_at: run.at("/started_at").word(),
    }
}

fn condition(name: &'static str, [a, b]: [Part<'_>; 2]) -> Option<Condition> {
    let shown = |part: Part<'_>| match part.value() {
        serde_json::Value::String(text) => Untrusted::new(text).shown_in(30),
        serde_json::Value::Null => "none".to_owned(),
        other => Untrusted::new(&other.to_string()).shown_in(30),
    };
    (a.value() != b.value()).then(|| Condition { name, a: shown(a), b: shown(b) })
}

/// Returns the relative change; `None` if there is nothing to divide by.
fn relative(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    let (a, b) = a.zip(b)?;
    (a > 0.0).then(|| b / a - 1.0)
}

/// Compares the share of clients that never played: a run in which nothing plays has no other numbers.
fn played(docs: [&Doc; 2]) -> Row {
    share_row(
        "clients never played",
        docs.map(|doc| {
            let whole = doc.at("/run/clients_started").count();
            Portion { part: whole.saturating_sub(doc.at("/playback/started").count()), whole }
        }),
    )
}

/// Compares the share of failures among requests that the origin could answer. What one of the runs expected is a failure
/// in neither.
fn failed(name: &str, docs: [&Doc; 2], path: &str) -> Row {
    let [a, b] = docs.map(|doc| expected_statuses(doc.root()));
    share_row(name, docs.map(|doc| answerable(doc.at(path), a.and(b))))
}

/// Compares the share of sessions that stalled.
fn stalled(docs: [&Doc; 2]) -> Row {
    let portion = |doc: &Doc| {
        let mut portion = Portion::default();
        for (ratio, count) in buckets(doc.at("/playback/sessions/rebuffer_ratio")) {
            portion.whole = portion.whole.saturating_add(count);
            portion.part = portion.part.saturating_add(if ratio > 0.0 { count } else { 0 });
        }
        portion
    };
    share_row("sessions that stalled", docs.map(portion))
}

fn share_row(name: &str, [a, b]: [Portion; 2]) -> Row {
    Row {
        name: name.to_owned(),
        a: units::percent(a.share()),
        b: units::percent(b.share()),
        change: relative(a.share(), b.share()),
        kind: if a.whole > 0 && b.whole == 0 { Change::Worse } else { shares(a, b) },
    }
}

/// Returns the buckets of a distribution as (upper end, count), ascending.
fn buckets(part: Part<'_>) -> Vec<(f64, u64)> {
    let pair = |pair: Part<'_>| Some((pair.at("/0").number()?, pair.at("/1").count()));
    let mut buckets: Vec<(f64, u64)> = part.at("/buckets").list().filter_map(pair).collect();
    buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
    buckets
}

/// Compares the median and the 95th percentile of a duration. A difference below the load tester's own delay is noise.
fn duration(name: &str, docs: [&Doc; 2], path: &str) -> Vec<Row> {
    let floor = |quantile: &str| {
        let own =
            docs.map(|doc| doc.at("/trust/generator_delay_us").at(quantile).number().unwrap_or_default());
        own.into_iter().fold(0.0, f64::max)
    };
    let all = docs.map(|doc| buckets(doc.at(path)));
    let row = |(name_of, quantile, own): (&str, f64, &str)| {
        let [a, b] =
            [0, 1].map(|place: usize| all.get(place).and_then(|buckets| Quantile::new(buckets, quantile)));
        let shown = |at: &Option<Quantile>| {
            at.map_or(UNKNOWN.to_owned(), |at| format!("{} ms", units::milliseconds(at.value as u64)))
        };
        Row {
            name: format!("{name} {name_of}"),
            a: shown(&a),
            b: shown(&b),
            change: relative(a.map(|at| at.value), b.map(|at| at.value)),
            // What the second run never reached is not the same as before.
            kind: match (a, all.get(1).is_some_and(Vec::is_empty)) {
                (Some(_), true) => Change::Worse,
                _ => Quantile::compare(a, b, floor(own)),
            },
        }
    };
    [("p50", 0.5, "/p50"), ("p95", 0.95, "/p99")].map(row).into()
}

/// Compares the median delay behind live.
fn live_latency(docs: [&Doc; 2]) -> Row {
    let path = "/latency_us/live_latency";
    let mut rows = duration("behind live", docs, path);
    rows.swap_remove(0)
}

/// Compares the load at which trouble began: more clients are better. A run without a knee was well up to its largest
/// load, and no further; one in which nothing played has no knee either, and says nothing.
fn knee(name: &str, docs: [&Doc; 2], path: &str) -> Row {
    let knees = docs.map(|doc| doc.at(path));
    let [a, b] = knees.map(|knee| knee.at("/clients").number());
    let ramp = docs.map(|doc| doc.at("/run/ramp_rate").number().unwrap_or_default());
    let step = ramp.into_iter().fold(0.0, f64::max) * KNEE_S;
    let peaks = docs.map(|doc| doc.at("/run/clients_peak").number().unwrap_or_default());
    let [a_peak, b_peak] = peaks;
    let is_unknown = |doc: &Doc| {
        // A merged report may not know the load at its knee.
        let without_load = doc.at(path).is_known() && !doc.at(path).at("/clients").is_known();
        without_load || doc.at("/playback/started").count() == 0
    };
    let kind = match (a, b) {
        _ if docs.into_iter().any(is_unknown) => Change::Unknown,
        (Some(a), Some(b)) if (a - b).abs() <= step || !matters(a, b) => Change::Same,
        (Some(a), Some(b)) => Change::by(b, a),
        (Some(a), None) if b_peak > a + step => Change::Better,
        (None, Some(b)) if a_peak > b + step => Change::Worse,
        (Some(_), None) | (None, Some(_)) => Change::Unknown,
        (None, None) => Change::Same,
    };
    let shown = |knee: Part<'_>, peak: f64| {
        if knee.is_known() {
            clients(knee.at("/clients"))
        } else {
            format!("> {}", units::count(peak as u64))
        }
    };
    let [a_knee, b_knee] = knees;
    Row {
        name: name.to_owned(),
        a: shown(a_knee, a_peak),
        b: shown(b_knee, b_peak),
        change: relative(a, b),
        kind,
    }
}

impl Comparison {
    /// Reports whether the second run is worse.
    pub fn is_regression(&self) -> bool {
        self.worse > 0
    }

    /// Returns the comparison as JSON, with a newline at its end.
    ///
    /// # Errors
    /// Never fails for a comparison that was made here; the signature is serde's.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// Returns the comparison as text, 80 columns wide, with a newline at its end.
    pub fn text(&self) -> String {
        let mut page = Page::default();
        for (name, run) in [("a", &self.a), ("b", &self.b)] {
            page.line(format!("{name}       {}", run.headline));
            page.line(format!("        run {}, {}", run.run_id, run.started_at));
        }
        for Condition { name, a, b } in &self.conditions {
            page.line(format!("!!      not the same {name}: {a} and {b}"));
        }
        if let Some(untrusted) = self.untrusted {
            page.line(format!(
                "XX      the measurement of {untrusted} is NOT TRUSTWORTHY: nothing is compared"
            ));
        }
        page.rule();
        page.line(format!("{:<24}{:>VALUE$}{:>VALUE$}{:>10}", "", "a", "b", "change"));
        for row in &self.rows {
            let change = row.change.map_or(String::new(), |change| format!("{:+.1}%", change * 100.0));
            let kind = if row.kind == Change::Same { "" } else { row.kind.name() };
            page.line(format!("{:<24}{:>VALUE$}{:>VALUE$}{change:>10}  {kind}", row.name, row.a, row.b));
        }
        page.rule();
        let counts = [(self.worse, "worse"), (self.better, "better"), (self.unknown, "with too few values")];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, word)| format!("{count} {word}")).collect();
        page.line(match (self.untrusted, counts.as_slice()) {
            (Some(_), _) => "not compared".to_owned(),
            (None, []) => "no difference beyond noise".to_owned(),
            (None, counts) => format!("{}; all others: no difference beyond noise", counts.join(", ")),
        });
        page.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::report::fixtures::{doc_of, with};

    /// Returns a run of twenty clients.
    fn run() -> Doc {
        doc_of(&(0..20).collect::<Vec<u64>>())
    }

    /// Returns a run whose requests all took longer by a factor.
    fn slower(doc: &Doc, factor: f64) -> Doc {
        let mut value = doc.root().value().clone();
        for (_, latency) in value["latency_us"].as_object_mut().expect("latencies") {
            for bucket in latency["buckets"].as_array_mut().expect("buckets") {
                bucket[0] = json!((bucket[0].as_f64().expect("an end") * factor) as u64);
            }
        }
        Doc::from_value(value)
    }

    fn kinds(comparison: &Comparison, kind: Change) -> Vec<&str> {
        comparison.rows.iter().filter(|row| row.kind == kind).map(|row| row.name.as_str()).collect()
    }

    #[test]
    fn a_run_does_not_differ_from_itself_or_by_a_hundredth() {
        for other in [run(), slower(&run(), 1.01)] {
            let comparison = compare(&run(), &other);
            assert_eq!((comparison.worse, comparison.better), (0, 0), "{comparison:?}");
            assert!(!comparison.is_regression() && comparison.conditions.is_empty());
            assert!(comparison.text().ends_with(" no difference beyond noise\n"), "{}", comparison.text());
        }
    }

    #[test]
    fn a_fifth_of_latency_and_more_failures_are_found_in_both_directions() {
        let worse = compare(&run(), &slower(&run(), 1.2));
        assert!(kinds(&worse, Change::Worse).contains(&"segment p50"), "{}", worse.text());
        assert!(worse.is_regression());
        let better = compare(&slower(&run(), 1.2), &run());
        assert_eq!((better.better, better.worse), (worse.worse, 0));
        let failed = doc_of(&(100..120).collect::<Vec<u64>>());
        let comparison = compare(&run(), &failed);
        assert!(kinds(&comparison, Change::Worse).contains(&"requests failed"), "{}", comparison.text());
    }

    #[test]
    fn a_run_that_measured_nothing_is_a_regression() {
        let mut value = run().root().value().clone();
        for (_, latency) in value["latency_us"].as_object_mut().expect("latencies") {
            latency["buckets"] = json!([]);
        }
        value["playback"]["started"] = json!(0);
        let comparison = compare(&run(), &Doc::from_value(value));
        let worse = kinds(&comparison, Change::Worse);
        assert!(worse.contains(&"clients never played") && worse.contains(&"segment p95"), "{worse:?}");
        assert!(comparison.is_regression(), "{}", comparison.text());
        let knee = comparison.rows.iter().find(|row| row.name == "errors 1% at").expect("a row");
        assert_eq!(knee.kind, Change::Unknown, "there is no knee where nothing played");
    }

    #[test]
    fn conditions_that_differ_and_measurements_in_doubt_are_named() {
        let other = with(&slower(&run(), 2.0), "/run/player", json!("ffmpeg"));
        let comparison = compare(&run(), &other);
        assert_eq!(
            comparison.conditions,
            [Condition { name: "player", a: "web".into(), b: "ffmpeg".into() }]
        );
        assert!(comparison.text().contains("!!      not the same player: web and ffmpeg\n"));
        let untrusted = with(&other, "/trust/verdict", json!("INVALID"));
        let comparison = compare(&run(), &untrusted);
        assert_eq!((comparison.untrusted, comparison.worse), (Some("b"), 0));
        assert!(comparison.text().contains("XX      the measurement of b is NOT TRUSTWORTHY"));
        assert!(comparison.text().lines().all(|line| line.chars().count() <= 80), "{}", comparison.text());
    }

    #[test]
    fn more_clients_before_the_knee_are_better_and_a_new_knee_is_worse() {
        let at = |clients: u64| with(&run(), "/health/knee_errors/clients", json!(clients));
        let kind = |a: &Doc, b: &Doc| {
            let rows = compare(a, b).rows;
            rows.iter().find(|row| row.name == "errors 1% at").map(|row| row.kind)
        };
        assert_eq!(kind(&at(1_000), &at(2_000)), Some(Change::Better));
        assert_eq!(kind(&at(1_000), &at(1_020)), Some(Change::Same));
        let up_to = |peak: u64| {
            with(&with(&run(), "/health/knee_errors", Value::Null), "/run/clients_peak", json!(peak))
        };
        let never = up_to(5_000);
        assert_eq!(
            (kind(&never, &at(10)), kind(&at(10), &never)),
            (Some(Change::Worse), Some(Change::Better))
        );
        let merged = with(&at(100), "/health/knee_errors/clients", Value::Null);
        let comparison = compare(&merged, &at(5_000));
        let row = comparison.rows.iter().find(|row| row.name == "errors 1% at").expect("a row");
        assert_eq!((row.a.as_str(), row.kind), ("-- clients", Change::Unknown));
        let last = "1 with too few values; all others: no difference beyond noise";
        assert!(comparison.text().contains(last), "{}", comparison.text());
        // Below the load at which the other one broke, a run without a knee says nothing.
        let small = up_to(100);
        assert_eq!(
            (kind(&small, &at(500)), kind(&at(500), &small)),
            (Some(Change::Unknown), Some(Change::Unknown))
        );
        let json: Value =
            serde_json::from_str(&compare(&never, &at(10)).json().expect("JSON")).expect("JSON");
        assert_eq!((&json["schema"], &json["worse"]), (&json!(COMPARE_SCHEMA), &json!(1)));
    }
}
