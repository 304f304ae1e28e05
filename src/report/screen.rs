//! The report as the console shows it after the run: every number and every sentence as text, from a document alone.
//!
//! The console places these texts beside its charts and derives nothing. Whatever the document says is sanitised here.

use super::answer::{self, by_share};
use super::cells::{
    LatencyRow, clients, clock, count, from_ms, known, latency_rows, percent, plural, rate, shown,
};
use super::columns::{Columns, most_of_parts};
use super::doc::{Doc, Part};
use super::sessions::{SessionSpread, spreads};
use super::{failures, text};
use crate::verdict::{TrustVerdict, Verdict};
use crate::vocabulary::palette::Tone;
use crate::vocabulary::units::{self, UNKNOWN};
use crate::vocabulary::{Severity, Untrusted};

/// Steps of the distributions over sessions.
const STEPS: usize = 40;
/// Columns of the small chart of an outcome.
const PARTS: usize = 20;
/// Maximum number of edge addresses that are listed.
const EDGES: usize = 24;
/// Width of a command, in columns: the page has all of it.
const COMMAND: usize = 160;

/// A number that the console shows in big digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyNumber {
    /// Digits without grouping; `--` if the number is unknown.
    pub digits: String,
    /// Unit, and the name of the number where the unit does not say it.
    pub unit: String,
    /// Colour of the digits.
    pub tone: Tone,
}

/// A value with its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Name of the value.
    pub label: &'static str,
    /// The value with its unit; `--` if it is unknown.
    pub value: String,
    /// Colour of the value.
    pub tone: Tone,
}

/// A failed outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct OutcomeRow {
    /// Name in a line: `503`.
    pub short: String,
    /// Name in a table: `503 Service Unavailable`.
    pub name: String,
    /// Colour that it has in every chart.
    pub tone: Tone,
    /// Most requests per second in each twentieth of the run; empty if the report has none over time.
    pub over_time: Vec<f64>,
    /// Time of the first one; `--` if unknown.
    pub first: String,
    /// Clients that were active at the first one.
    pub clients: String,
    /// Number of requests.
    pub total: String,
}

/// A problem of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemRow {
    /// Cost of the problem to viewers.
    pub severity: Severity,
    /// Name from the list of findings.
    pub name: String,
    /// Number of times that clients found it: `312x`.
    pub count: String,
    /// Time of the first and of the last one.
    pub place: String,
    /// Detail of the first one.
    pub detail: String,
}

/// Responses of one server address.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeRow {
    /// Address of the server.
    pub address: String,
    /// Complete responses, for a bar.
    pub responses: f64,
    /// Complete responses, bytes received, and share of responses from a cache.
    pub cells: [String; 3],
}

/// A report as texts for the console.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportScreen {
    /// Result in few words: `breaks at 4,180 clients`.
    pub result: String,
    /// Meaning of the first two numbers: `Breaks at`.
    pub load: &'static str,
    /// Clients, bits per second, and the rebuffer ratio.
    pub numbers: [KeyNumber; 3],
    /// Clients that started, and those that began to play.
    pub audience: String,
    /// The run as viewers saw it: two columns of four values.
    pub viewers: [Fact; 8],
    /// Distributions over sessions.
    pub sessions: Vec<SessionSpread>,
    /// Latencies of the whole run in milliseconds.
    pub latency: Vec<LatencyRow>,
    /// Share of requests that failed, and of how many.
    pub failed: Fact,
    /// Failed outcomes, the most frequent first.
    pub failures: Vec<OutcomeRow>,
    /// Problems of the stream, the worst first.
    pub findings: Vec<ProblemRow>,
    /// Sentence about addresses and edges.
    pub addresses: String,
    /// Server addresses, the one with the most responses first.
    pub edges: Vec<EdgeRow>,
    /// Colour of the trust verdict.
    pub trust_tone: Tone,
    /// Trust verdict as a sentence, then its reasons.
    pub trust: Vec<String>,
    /// Program and command of the run.
    pub run: Vec<String>,
    /// Exit code, then its reasons.
    pub exit: Vec<String>,
}

impl ReportScreen {
    /// Formats everything that the console shows of a document.
    pub fn new(doc: &Doc) -> Self {
        let (load, result, numbers) = load(doc);
        Self {
            result,
            load,
            numbers,
            audience: format!(
                "{}, {} began to play",
                clients(doc.at("/run/clients_started")),
                known(doc.at("/playback/started"))
            ),
            viewers: viewers(doc),
            sessions: spreads(doc, STEPS),
            latency: latency_rows(doc),
            failed: failed(doc.at("/requests")),
            failures: outcomes(doc),
            findings: findings(doc),
            addresses: addresses(doc),
            edges: edges(doc.at("/audience/edges")),
            trust_tone: answer::trust_tone(doc.at("/trust/verdict").trust()),
            trust: trust(doc.at("/trust")),
            run: run(doc.at("/run")),
            exit: exit(doc),
        }
    }
}

/// Returns the load at which the result stands: the first knee of a run that was not served well, else the peak.
fn load(doc: &Doc) -> (&'static str, String, [KeyNumber; 3]) {
    let verdict = doc.at("/health/verdict").verdict();
    let knee = answer::first_knee(doc).map(|knee| knee.at);
    let (run, throughput) = (doc.at("/run"), doc.at("/throughput_bits_per_second"));
    let peak = run.at("/clients_peak");
    let (load, active, bits) = match (verdict, knee) {
        (Verdict::Failing, Some(knee)) => ("Breaks at", knee.at("/clients"), knee.at("/bits_per_second")),
        (Verdict::Degraded, Some(knee)) => {
            ("Degraded from", knee.at("/clients"), knee.at("/bits_per_second"))
        }
        (Verdict::Ok, _) => ("Carried", peak, throughput.at("/run")),
        _ => ("Peak load", peak, throughput.at("/peak")),
    };
    let result = match verdict {
        Verdict::Unknown => "nothing was measured".to_owned(),
        Verdict::NothingPlays => "no client ever played".to_owned(),
        _ => format!("{} {}", load.to_lowercase(), clients(active)),
    };
    let ratio = doc.at("/playback/rebuffer_ratio");
    let numbers = [
        key_number(known(active).replace(',', ""), "clients", Tone::Bright),
        key_number(rate(bits), "", Tone::Bright),
        key_number(percent(ratio), "rebuffer", by_share(ratio)),
    ];
    (load, result, numbers)
}

/// Splits a number from its unit.
fn key_number(text: String, name: &str, tone: Tone) -> KeyNumber {
    let is_digit = |sign: char| sign.is_ascii_digit() || ".-".contains(sign);
    let end = text.find(|sign| !is_digit(sign)).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    KeyNumber { digits: digits.to_owned(), unit: format!("{} {name}", unit.trim()).trim().to_owned(), tone }
}

fn viewers(doc: &Doc) -> [Fact; 8] {
    let playback = doc.at("/playback");
    let plain = |label, value| Fact { label, value, tone: Tone::Text };
    let share = |label, share: Part<'_>| Fact { label, value: percent(share), tone: by_share(share) };
    let percentiles =
        |spread: Part<'_>| format!("{}, {}", from_ms(spread.at("/p50")), from_ms(spread.at("/p95")));
    let an_hour = playback.at("/stalls_per_hour").number().map_or(UNKNOWN.to_owned(), units::number);
    [
        plain("start-up p50, p95", percentiles(playback.at("/startup_ms"))),
        plain("start failures", known(playback.at("/start_failures"))),
        plain("left on failure", known(playback.at("/gave_up"))),
        plain("behind p50, p95", percentiles(playback.at("/live_latency_ms"))),
        share("stalled at once", doc.at("/health/stalled_share_max")),
        share("rebuffer ratio", playback.at("/rebuffer_ratio")),
        plain("stalls an hour", an_hour),
        plain("bit rate played", rate(playback.at("/bits_per_second"))),
    ]
}

fn failed(requests: Part<'_>) -> Fact {
    let share = requests.at("/failed_share");
    let value = format!("{} of {}", percent(share), known(requests.at("/judged")));
    Fact { label: "failed", value, tone: by_share(share) }
}

fn outcomes(doc: &Doc) -> Vec<OutcomeRow> {
    let bands = Columns::new(doc).failures;
    let row = |row: failures::FailureRow| {
        let band = bands.iter().find(|band| band.name == row.short);
        OutcomeRow {
            over_time: band.map_or(Vec::new(), |band| most_of_parts(&band.values, PARTS).collect()),
            short: row.short,
            name: row.name,
            tone: row.tone,
            first: row.first,
            clients: row.clients,
            total: units::count(row.count),
        }
    };
    failures::failures(doc).into_iter().map(row).collect()
}

fn findings(doc: &Doc) -> Vec<ProblemRow> {
    let row = |(part, line): (Part<'_>, text::FindingLine)| ProblemRow {
        severity: line.severity,
        name: line.name,
        count: format!("{}x", units::count(line.count)),
        place: format!("{} to {}", clock(part.at("/first_s")), clock(part.at("/last_s"))),
        detail: line.detail,
    };
    let lines = doc.at("/findings").list().zip(text::findings_of(doc));
    let mut findings: Vec<ProblemRow> = lines.map(row).collect();
    findings.sort_by_key(|row| std::cmp::Reverse(row.severity));
    findings
}

fn edges(edges: Part<'_>) -> Vec<EdgeRow> {
    let mut edges: Vec<(&str, Part<'_>)> = edges.table().collect();
    edges.sort_by_key(|(_, edge)| std::cmp::Reverse(edge.at("/requests").count()));
    let row = |(address, edge): (&str, Part<'_>)| EdgeRow {
        address: shown(address),
        responses: edge.at("/requests").number().unwrap_or_default(),
        cells: [
            count(edge.at("/requests")),
            units::bytes(edge.at("/bytes").count()),
            format!("hit {}", percent(edge.at("/hit_share"))),
        ],
    };
    edges.into_iter().take(EDGES).map(row).collect()
}

/// Returns the sentence about the audience; without that block it would count 0 addresses.
fn addresses(doc: &Doc) -> String {
    if doc.at("/audience").is_known() { answer::audience_sentence(doc) } else { UNKNOWN.to_owned() }
}

fn trust(trust: Part<'_>) -> Vec<String> {
    let reason =
        |reason: Part<'_>| format!("{}: {}", reason.at("/level").word(), reason.at("/sentence").word());
    let reasons = trust.at("/reasons").list().take(failures::FAILURES).map(reason);
    let delay = trust.at("/generator_delay_us");
    let delay = delay.is_known().then(|| {
        let [p99, max] = ["/p99", "/max"].map(|path| super::cells::milliseconds(delay.at(path)));
        format!("generator delay p99 {p99} ms, max {max} ms")
    });
    let is_assessed = trust.at("/verdict").trust() != TrustVerdict::Unassessed;
    let sentence = answer::trust_sentence(trust);
    std::iter::once(sentence).chain(reasons).chain(delay.filter(|_| is_assessed)).collect()
}

fn run(run: Part<'_>) -> Vec<String> {
    let [version, id] = ["/version", "/run_id"].map(|path| run.at(path).word());
    let length = run.at("/duration_s");
    let length = if length.is_known() { units::span(length.seconds()) } else { UNKNOWN.to_owned() };
    let seed = run.at("/seed").value().as_u64().map_or(UNKNOWN.to_owned(), |seed| seed.to_string());
    vec![
        format!("hlswarm {version}, {length}, seed {seed}, run {id}"),
        Untrusted::new(run.at("/command").text()).shown_in(COMMAND),
    ]
}

fn exit(doc: &Doc) -> Vec<String> {
    let code = format!("exit code {}", known(doc.at("/exit/code")));
    let merged = doc.at("/run/merged_reports");
    let merged = merged.is_known().then(|| format!("{} merged", plural(merged, "report")));
    let thresholds = answer::thresholds_sentence(doc);
    std::iter::once(code).chain(merged).chain(thresholds).chain(answer::reasons(doc)).collect()
}
