//! The answer that a report gives, in the words that all of its formats share: headline, trust, tiles, failures and the
//! moments of the run. Each sentence is built here and nowhere else.

use super::cells::{clients, clock, from_ms, known, percent, plural, rate};
use super::doc::{Doc, Part};
use super::failures::{FAILURES, expected_sentence, mostly};
use super::search;
use crate::verdict::{DEGRADED_SHARE, TrustVerdict, Verdict};
use crate::vocabulary::Untrusted;
use crate::vocabulary::palette::Tone;
use crate::vocabulary::units::{self, UNKNOWN};

/// Maximum number of marks that are shown.
const MARKS: usize = 12;
/// Width of a mark's note beside its moment, in columns.
const NOTE_COLUMNS: usize = 40;

/// The result of a run in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Headline {
    /// Sign that says the same as the colour.
    pub(super) sign: &'static str,
    /// The verdict: `FAILED`.
    pub(super) word: &'static str,
    /// The rest: `origin.example.com breaks at 4,180 clients, 6.9 Gb/s`.
    pub(super) rest: String,
    /// Colour of its ground.
    pub(super) tone: Tone,
}

impl Headline {
    /// Returns the line as one text.
    pub(super) fn text(&self) -> String {
        format!("{}  {}", self.word, self.rest)
    }
}

/// Returns the headline of a run. A result that cannot be trusted says so first.
pub(super) fn headline(doc: &Doc) -> Headline {
    let verdict = doc.at("/health/verdict").verdict();
    let found_by = doc.at("/search");
    let rest = if found_by.is_known() { found(doc, found_by) } else { result(doc, verdict) };
    if doc.at("/trust/verdict").trust() == TrustVerdict::Invalid {
        let rest = format!("this machine limited the result; {rest}");
        return Headline { sign: "≈", word: TrustVerdict::Invalid.words(), rest, tone: Tone::Untrusted };
    }
    if found_by.is_known() {
        // What broke on the way to a result is no fault of the origin.
        let (sign, word, tone) = match found_by.at("/clients").is_known() {
            true if search::is_found(found_by) => ("✓", "FOUND", Tone::Ok),
            true => ("?", "UNFINISHED", Tone::Warn),
            false => ("?", "NOT FOUND", Tone::Warn),
        };
        return Headline { sign, word, rest, tone };
    }
    let (sign, tone) = match verdict {
        Verdict::Ok => ("✓", Tone::Ok),
        Verdict::Degraded => ("!", Tone::Warn),
        Verdict::Failing | Verdict::NothingPlays => ("✗", Tone::Fail),
        Verdict::Unknown => ("?", Tone::Untrusted),
    };
    Headline { sign, word: verdict.past(), rest, tone }
}

/// Returns the result of a search for a capacity.
fn found(doc: &Doc, search: Part<'_>) -> String {
    let (host, held) = (host(doc), search.at("/clients"));
    if !held.is_known() {
        let broken = search.at("/broken_at");
        return match search.at("/end").text() {
            "nothing_held" => format!("{host}: not even one client held every threshold"),
            _ if broken.is_known() => format!("{host} broke at {}; fewer were not measured", clients(broken)),
            _ => format!("{host}: no number of clients held every threshold"),
        };
    }
    let least = if search.at("/end").text() == "found" { "" } else { "at least " };
    let broken = search.at("/broken_at");
    let broken = if broken.is_known() { format!(", breaks at {}", known(broken)) } else { String::new() };
    format!("{host} carries {least}{}{broken}", clients(held))
}

fn result(doc: &Doc, verdict: Verdict) -> String {
    let host = host(doc);
    let knee = first_knee(doc);
    let load = knee
        .as_ref()
        .map(|knee| format!("{}, {}", clients(knee.at.at("/clients")), rate(knee.at.at("/bits_per_second"))));
    match (verdict, load) {
        (Verdict::Unknown, _) => format!("{host}: {}", unjudged(doc)),
        (Verdict::NothingPlays, _) => format!("{host}: no client ever played"),
        (Verdict::Ok, _) => {
            let peak = clients(doc.at("/run/clients_peak"));
            format!("{host} carried {peak}, {}", rate(doc.at("/throughput_bits_per_second/run")))
        }
        (Verdict::Degraded, Some(load)) => format!("{host} is degraded from {load} on"),
        (Verdict::Failing, Some(load)) => format!("{host} breaks at {load}"),
        // Neither errors nor stalls: only a threshold makes such a run DEGRADED.
        (Verdict::Degraded, None) if doc.at("/health/error_share").number() < Some(DEGRADED_SHARE) => {
            format!("{host}: {}", thresholds_sentence(doc).unwrap_or_else(|| failed(doc)))
        }
        (_, None) => format!("{host}: {}", failed(doc)),
    }
}

/// Returns what a run without a verdict has measured, and what it lacks: one of two seconds may end before a client plays.
pub(super) fn unjudged(doc: &Doc) -> String {
    let (started, finished) = (doc.at("/requests/started"), doc.at("/requests/finished"));
    let lasted = units::span(doc.at("/run/duration_s").seconds());
    match (started.count(), finished.count()) {
        (0, _) => "nothing was measured".to_owned(),
        (_, 0) => format!("no request ended within {lasted}; try a longer --duration"),
        _ if doc.at("/playback/started").count() == 0 => {
            let ended = plural(finished, "request");
            format!("no client played within {lasted}, {ended} ended; try a longer --duration")
        }
        _ => "nothing was measured".to_owned(),
    }
}

/// Returns the host of the target, with its port where the URL has one.
fn host(doc: &Doc) -> String {
    let target = doc.at("/run/target").text();
    let rest = target.split_once("://").map_or(target, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    Untrusted::new(if host.is_empty() { UNKNOWN } else { host }).shown_in(60)
}

/// Returns the share of the requests that failed, and what most of them ended with. What this machine or hlswarm itself
/// made fail is not the origin's.
fn failed(doc: &Doc) -> String {
    let mostly = mostly(doc).map_or(String::new(), |name| format!(", mostly {name}"));
    format!("{} of requests failed{mostly}", percent(doc.at("/health/error_share")))
}

/// Returns the sentences below the headline.
pub(super) fn subtitle(doc: &Doc) -> Vec<String> {
    let stalled = percent(doc.at("/health/stalled_share_max"));
    let started = doc.at("/run/started_at").word().replacen('T', " ", 1).replace('Z', " UTC");
    let length = units::span(doc.at("/run/duration_s").seconds());
    let (asked, merged) = (doc.at("/run/duration_asked_s"), doc.at("/run/merged_reports"));
    let asked = if merged.is_known() {
        format!(", {} merged", plural(merged, "report"))
    } else if asked.is_known() {
        format!(" of {}", units::span(asked.seconds()))
    } else {
        String::new()
    };
    let expected = expected_sentence(doc).map_or(String::new(), |sentence| format!(" ({sentence})"));
    let mut sentences = vec![
        failed(doc) + &expected,
        format!("at most {stalled} of clients stalled at once"),
        format!("rebuffer ratio {}", percent(doc.at("/playback/rebuffer_ratio"))),
        format!("{started}, {length}{asked}"),
    ];
    sentences.extend(reasons(doc));
    sentences
}

/// Returns the reasons for the exit code.
pub(super) fn reasons(doc: &Doc) -> impl Iterator<Item = String> {
    doc.at("/exit/reasons").list().take(FAILURES).map(Part::word)
}

/// Returns the number of the operator's thresholds that were kept: `2 of 3 thresholds kept`; `None` without one.
pub(super) fn thresholds_sentence(doc: &Doc) -> Option<String> {
    let all = doc.at("/thresholds").list();
    let kept = doc.at("/thresholds").list().filter(|row| row.at("/ok").is_true()).count() as u64;
    let number = all.len() as u64;
    (number > 0).then(|| format!("{} of {} kept", units::count(kept), units::plural(number, "threshold")))
}

/// Returns the sentence about the load tester itself.
pub(super) fn trust_sentence(trust: Part<'_>) -> String {
    let verdict = trust.at("/verdict").trust();
    let [suspect, invalid, measured] =
        ["/suspect_s", "/invalid_s", "/measured_s"].map(|path| units::span(trust.at(path).seconds()));
    let why = match verdict {
        TrustVerdict::Unassessed => "nothing was measured".to_owned(),
        TrustVerdict::Valid if trust.at("/reasons").list().len() == 0 => {
            "this machine did not limit the result".to_owned()
        }
        TrustVerdict::Valid => format!("the measurement was in doubt for only {suspect} of {measured}"),
        TrustVerdict::Suspect => {
            format!("this machine may have limited the result in {suspect} of {measured}")
        }
        TrustVerdict::Invalid => format!("this machine limited the result in {invalid} of {measured}"),
    };
    format!("{}: {why}", verdict.words())
}

/// Returns the sentence about the audience: what the run represents to the origin.
pub(super) fn audience_sentence(doc: &Doc) -> String {
    let audience = doc.at("/audience");
    let sources = audience.at("/source_addresses").list().len() as u64;
    let edges = audience.at("/edges").table().count() as u64;
    let addresses =
        if sources == 1 { "1 source address".to_owned() } else { format!("{sources} source addresses") };
    let note = if sources == 1 { "; real viewers would use many" } else { "" };
    format!("from {addresses} to {}{note}", units::plural(edges, "edge"))
}

/// A number of the run with its label and what it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    pub(super) label: &'static str,
    pub(super) value: String,
    pub(super) note: String,
    /// Colour of the value.
    pub(super) tone: Tone,
}

/// Returns the five numbers of a run that matter most.
pub(super) fn tiles(doc: &Doc) -> [Tile; 5] {
    [carried(doc), failed_tile(doc), stalled_tile(doc), startup_tile(doc), last_tile(doc)]
}

/// Returns the five numbers of the card: as the tiles, but with the trust as one of them, because a card travels alone.
pub(super) fn card_tiles(doc: &Doc) -> [Tile; 5] {
    let verdict = doc.at("/trust/verdict").trust();
    let trust = Tile {
        label: "measurement",
        value: verdict.words().to_lowercase(),
        note: String::new(),
        tone: trust_tone(verdict),
    };
    [failed_tile(doc), stalled_tile(doc), rebuffer_tile(doc), startup_tile(doc), trust]
}

/// Returns the colour of a trust verdict.
pub(super) const fn trust_tone(verdict: TrustVerdict) -> Tone {
    match verdict {
        TrustVerdict::Valid => Tone::Ok,
        TrustVerdict::Suspect => Tone::Warn,
        TrustVerdict::Unassessed | TrustVerdict::Invalid => Tone::Untrusted,
    }
}

fn carried(doc: &Doc) -> Tile {
    let knee = first_knee(doc);
    let (value, note) = match (&knee, doc.at("/health/verdict").verdict()) {
        (Some(knee), _) => {
            let (bits, until) = (rate(knee.at.at("/bits_per_second")), clock(knee.at.at("/at_s")));
            (known(knee.at.at("/clients")), format!("clients at {bits}, until {until}"))
        }
        (None, Verdict::Ok) => {
            let bits = rate(doc.at("/throughput_bits_per_second/run"));
            (known(doc.at("/run/clients_peak")), format!("clients at {bits}"))
        }
        (None, Verdict::Unknown) => (UNKNOWN.to_owned(), unjudged(doc)),
        (None, _) => (UNKNOWN.to_owned(), "no load was carried well".to_owned()),
    };
    Tile { label: "◆ carried", value, note, tone: Tone::Text }
}

fn failed_tile(doc: &Doc) -> Tile {
    let requests = doc.at("/requests");
    let [failed, judged] = ["/failed", "/judged"].map(|path| units::count(requests.at(path).count()));
    let share = requests.at("/failed_share");
    Tile {
        label: "requests failed",
        value: percent(share),
        note: format!("{failed} of {judged}"),
        tone: by_share(share),
    }
}

fn stalled_tile(doc: &Doc) -> Tile {
    let share = doc.at("/health/stalled_share_max");
    let stalls = units::plural(doc.at("/playback/stalls").count(), "stall");
    Tile {
        label: "stalled at once",
        value: percent(share),
        note: format!("{stalls} in all"),
        tone: by_share(share),
    }
}

fn rebuffer_tile(doc: &Doc) -> Tile {
    let ratio = doc.at("/playback/rebuffer_ratio");
    let stalls = units::plural(doc.at("/playback/stalls").count(), "stall");
    Tile {
        label: "rebuffer ratio",
        value: percent(ratio),
        note: format!("{stalls} in all"),
        tone: by_share(ratio),
    }
}

fn startup_tile(doc: &Doc) -> Tile {
    let playback = doc.at("/playback");
    let [p50, p95] = ["/startup_ms/p50", "/startup_ms/p95"].map(|path| from_ms(playback.at(path)));
    let never = playback.at("/start_failures").count() + playback.at("/exits_before_start").count();
    let never = if never == 0 { String::new() } else { format!(", {} never", units::count(never)) };
    Tile { label: "start-up p95", value: p95, note: format!("p50 {p50}{never}"), tone: Tone::Text }
}

/// Returns the delay behind live, or of a stream that is not live the share of time that was waited.
fn last_tile(doc: &Doc) -> Tile {
    let live = doc.at("/playback/live_latency_ms");
    if !live.is_known() {
        return rebuffer_tile(doc);
    }
    let [p50, p95] = ["/p50", "/p95"].map(|path| from_ms(live.at(path)));
    Tile { label: "behind live p95", value: p95, note: format!("p50 {p50}"), tone: Tone::Text }
}

/// Returns the colour of a share of trouble, by the limits of the health verdict.
pub(super) fn by_share(share: Part<'_>) -> Tone {
    match share.number() {
        Some(share) if share >= crate::verdict::FAILING_SHARE => Tone::Fail,
        Some(share) if share >= crate::verdict::DEGRADED_SHARE => Tone::Warn,
        _ => Tone::Text,
    }
}

/// A moment of the run that its charts show.
#[derive(Clone, Debug)]
pub(super) struct Labelled<'a> {
    /// The moment in the document; `/at_s` is its time.
    pub(super) at: Part<'a>,
    /// Its label: `◆ errors 1%`, `▲ m1 scaled up`.
    pub(super) label: String,
    /// True for a mark of the operator.
    pub(super) is_mark: bool,
}

/// Returns the load at which a run first was not served well; `None` if it always was.
pub(super) fn first_knee(doc: &Doc) -> Option<Labelled<'_>> {
    knees(doc).into_iter().next()
}

/// Returns the knees of a run, in the order of time.
pub(super) fn knees(doc: &Doc) -> Vec<Labelled<'_>> {
    let knees = [("/health/knee_errors", "◆ errors 1%"), ("/health/knee_stalls", "◆ stalls 1%")];
    let knees =
        knees.map(|(path, label)| Labelled { at: doc.at(path), label: label.to_owned(), is_mark: false });
    let mut knees: Vec<_> = knees.into_iter().filter(|knee| knee.at.is_known()).collect();
    knees.sort_by_key(|knee| knee.at.at("/at_s").seconds());
    knees
}

/// Returns the marks of the operator.
pub(super) fn marks(doc: &Doc) -> Vec<Labelled<'_>> {
    let marks = doc.at("/marks").list().take(MARKS).enumerate();
    let label = |number: usize, note: &str| {
        let note = Untrusted::new(note).shown_in(NOTE_COLUMNS);
        format!("▲ m{} {note}", number + 1).trim_end().to_owned()
    };
    marks
        .map(|(number, at)| Labelled { at, label: label(number, at.at("/note").text()), is_mark: true })
        .collect()
}
