//! Result of `find` in the report: the block `search` and its lines.

use serde::Serialize;
use serde_json::Value;

use super::doc::{Doc, Part};
use super::page::Page;
use crate::control::{MeasuredLevel, Searched};
use crate::load::{Judgement, SearchEnd};
use crate::origin_metrics::OriginQuantity;
use crate::verdict::SearchVerdict;
use crate::vocabulary::untrusted::harmless_lines;
use crate::vocabulary::{Untrusted, limits, units};

/// Maximum number of levels that are read from a document: more than a search has.
const LEVELS: usize = 1_000;

/// Search for the largest number of clients that hold every threshold.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SearchReport {
    /// Thresholds that every level was judged by.
    pub thresholds: Vec<String>,
    /// Largest number of clients that held them each time; `null`: none did.
    pub clients: Option<u32>,
    /// Smallest number of clients that broke one: the capacity is below it; `null`: none did.
    pub broken_at: Option<u32>,
    /// End of the search: `found`, `nothing_held`, `most` (the largest number allowed held), `generator` (this machine
    /// was the limit), `undecided`, `unreached`, `unmeasured`, `unrecovered`, or `unfinished`.
    pub end: &'static str,
    /// The result as a sentence.
    pub sentence: String,
    /// Levels in the order in which they were measured.
    pub levels: Vec<LevelReport>,
}

/// A level of a search.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LevelReport {
    /// Clients.
    pub clients: u32,
    /// Begin of its measurement, in seconds since the start.
    pub from_s: f64,
    /// End of its measurement.
    pub to_s: f64,
    /// `held`, `broke`, `unknown` (nothing was measured) or `untrusted` (this machine limited the result).
    pub result: &'static str,
    /// Value of each threshold, in their order; `null`: nothing was measured.
    pub values: Vec<Option<f64>>,
    /// Mean busy share of the busiest machine of `origin_metrics` meanwhile; `null`: unknown.
    pub origin_cpu_share: Option<f64>,
    /// The level as a sentence.
    pub sentence: String,
}

impl SearchReport {
    /// Returns the block of a search.
    pub fn new(searched: &Searched) -> Self {
        let level = |measured: &MeasuredLevel| LevelReport {
            clients: measured.level.clients,
            from_s: measured.level.measured.start.as_secs_f64(),
            to_s: measured.level.measured.end.as_secs_f64(),
            result: name(&JUDGEMENTS, &measured.level.judgement),
            values: measured.values.clone(),
            origin_cpu_share: measured.origin.get(OriginQuantity::Cpu),
            sentence: measured.sentence(&searched.thresholds),
        };
        Self {
            thresholds: searched.thresholds.iter().map(ToString::to_string).collect(),
            clients: searched.held,
            broken_at: searched.broken,
            end: name(&ENDS, &searched.end),
            sentence: sentence(searched),
            levels: searched.levels.iter().map(level).collect(),
        }
    }

    /// Reads the block from a record, which may come from anywhere: a wrong value is as good as none. Returns `None`
    /// without a block.
    pub fn read(block: &Value) -> Option<Self> {
        let end = named(block, "end", &ENDS)?;
        let levels = block.get("levels").and_then(Value::as_array).into_iter().flatten();
        Some(Self {
            thresholds: texts(block.get("thresholds")),
            clients: number(block, "clients"),
            broken_at: number(block, "broken_at"),
            end,
            sentence: text(block, "sentence"),
            levels: levels.take(LEVELS).filter_map(LevelReport::read).collect(),
        })
    }

    /// Returns the judgement of the search for the checks of the run.
    pub fn verdict(&self) -> SearchVerdict {
        SearchVerdict {
            clients: self.clients,
            is_result: is_result(self.end),
            sentence: self.sentence.clone(),
        }
    }
}

impl LevelReport {
    fn read(level: &Value) -> Option<Self> {
        let seconds = |name| level.get(name).and_then(Value::as_f64).unwrap_or_default();
        let values = level.get("values").and_then(Value::as_array).into_iter().flatten();
        Some(Self {
            clients: number(level, "clients")?,
            from_s: seconds("from_s"),
            to_s: seconds("to_s"),
            result: named(level, "result", &JUDGEMENTS)?,
            values: values.take(limits::THRESHOLDS).map(Value::as_f64).collect(),
            origin_cpu_share: level.get("origin_cpu_share").and_then(Value::as_f64),
            sentence: text(level, "sentence"),
        })
    }
}

/// Name of each end of a search; `None` is the end of a search whose run ended first.
const ENDS: [(Option<SearchEnd>, &str); 9] = [
    (Some(SearchEnd::Found), "found"),
    (Some(SearchEnd::NothingHeld), "nothing_held"),
    (Some(SearchEnd::Most), "most"),
    (Some(SearchEnd::Generator), "generator"),
    (Some(SearchEnd::Undecided), "undecided"),
    (Some(SearchEnd::Unreached), "unreached"),
    (Some(SearchEnd::Unmeasured), "unmeasured"),
    (Some(SearchEnd::Unrecovered), "unrecovered"),
    (None, "unfinished"),
];
/// Name of each result of a level.
const JUDGEMENTS: [(Judgement, &str); 4] = [
    (Judgement::Held, "held"),
    (Judgement::Broken, "broke"),
    (Judgement::Unknown, "unknown"),
    (Judgement::Untrusted, "untrusted"),
];

/// Returns the name of a variant in its table.
fn name<T: PartialEq>(names: &[(T, &'static str)], variant: &T) -> &'static str {
    names.iter().find(|(known, _)| known == variant).map_or("", |(_, name)| name)
}

/// Reports whether this is the name of an end with a result.
fn is_result(end: &str) -> bool {
    use SearchEnd::{Found, Generator, Most};
    ENDS.iter().any(|(known, name)| *name == end && matches!(known, Some(Found | Most | Generator)))
}

/// Reads a name that must be in the table.
fn named<T>(value: &Value, key: &str, names: &[(T, &'static str)]) -> Option<&'static str> {
    let name = value.get(key)?.as_str()?;
    names.iter().find(|(_, known)| *known == name).map(|(_, known)| *known)
}

fn number(value: &Value, key: &str) -> Option<u32> {
    value.get(key)?.as_u64()?.try_into().ok()
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).map(harmless_lines).unwrap_or_default()
}

fn texts(values: Option<&Value>) -> Vec<String> {
    let all = values.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    all.take(limits::THRESHOLDS).map(harmless_lines).collect()
}

/// Returns the result as a sentence.
fn sentence(searched: &Searched) -> String {
    let clients = |number: u32| units::plural(number.into(), "client");
    let held = searched.held.map(|held| {
        let is_it = |it: &&MeasuredLevel| it.level.clients == held && it.level.judgement == Judgement::Held;
        let times = searched.levels.iter().filter(is_it).count();
        format!("{} held every threshold ({})", clients(held), units::plural(times as u64, "time"))
    });
    let broken = searched.broken.and_then(|broken| {
        let mut levels = searched.levels.iter().filter(|it| it.level.clients == broken);
        levels.find(|it| it.level.judgement == Judgement::Broken)
    });
    let broken = broken.map(|level| level.sentence(&searched.thresholds));
    let result = match (held, broken) {
        (Some(held), Some(broken)) => format!("{held}; {broken}"),
        (Some(held), None) => held,
        (None, Some(broken)) if searched.end == Some(SearchEnd::NothingHeld) => {
            format!("not even one client held every threshold: {broken}")
        }
        (None, Some(broken)) => format!("{broken}; fewer were not measured"),
        (None, None) if searched.levels.is_empty() => "no number of clients was measured".to_owned(),
        (None, None) => "no number of clients held every threshold".to_owned(),
    };
    let limited;
    let why = match searched.end {
        Some(SearchEnd::Found | SearchEnd::NothingHeld) => "",
        Some(SearchEnd::Most) if searched.held == Some(searched.limit.clients) => {
            limited = format!("; the origin may carry more, but the run was {}", searched.limit);
            &limited
        }
        Some(SearchEnd::Most) => "; it is the largest number allowed, so the origin may carry more",
        Some(SearchEnd::Generator) if searched.held.is_none() => "; this machine was the limit",
        Some(SearchEnd::Generator) => "; beyond it this machine was the limit, so the origin may carry more",
        Some(SearchEnd::Undecided) => "; the search ended: its levels contradicted each other too often",
        Some(SearchEnd::Unreached) => {
            "; the search ended: the clients of the next level did not come, or left"
        }
        Some(SearchEnd::Unmeasured) => {
            "; the search ended: nothing was measured that a threshold could judge"
        }
        Some(SearchEnd::Unrecovered) => "; the search ended: the origin did not recover",
        None => "; the search was not finished",
    };
    format!("{result}{why}")
}

/// Reports whether a document has the result of a search.
pub fn has_search(doc: &Doc) -> bool {
    doc.at("/search").is_known()
}

/// Reports whether a search ended with a result.
pub(super) fn is_found(search: Part<'_>) -> bool {
    search.at("/clients").is_known() && is_result(search.at("/end").text())
}

/// Writes the result of a search, and its levels.
pub(super) fn lines(doc: &Doc, page: &mut Page) {
    if !has_search(doc) {
        return;
    }
    let search = doc.at("/search");
    let word = if is_found(search) { "FOUND" } else { "??" };
    page.line(format!("{word:<8}{}", Untrusted::new(search.at("/sentence").text()).shown()));
    for level in search.at("/levels").list().take(LEVELS) {
        let at = units::clock(level.at("/to_s").seconds());
        page.line(format!("        {at}  {}", Untrusted::new(level.at("/sentence").text()).shown()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use crate::load::{ClientLimit, Level};
    use crate::origin_metrics::OriginValues;
    use crate::verdict::Threshold;

    /// Returns a search that measured these levels, each with its share of errors.
    fn searched(levels: &[(u32, Judgement, f64)], end: Option<SearchEnd>) -> Searched {
        let of = |judgement| levels.iter().filter(move |level| level.1 == judgement).map(|level| level.0);
        let levels = levels.iter().map(|(clients, judgement, share)| MeasuredLevel {
            level: Level {
                clients: *clients,
                measured: Duration::ZERO..Duration::from_secs(8),
                judgement: *judgement,
            },
            values: vec![Some(*share)],
            origin: OriginValues::default(),
        });
        Searched {
            thresholds: vec![Threshold::parse("error_rate<1%").expect("a threshold")],
            held: of(Judgement::Held).max(),
            broken: of(Judgement::Broken).min(),
            end,
            levels: levels.collect(),
            limit: ClientLimit::default(),
        }
    }

    #[test]
    fn a_search_without_a_result_says_only_what_it_measured() {
        use Judgement::{Broken, Held, Untrusted};
        for (levels, end, expected) in [
            (
                &[(10, Broken, 0.5)][..],
                Some(SearchEnd::Unrecovered),
                "10 clients broke error_rate<1%: 50.0%; fewer were not measured; the search ended: the origin did not recover",
            ),
            (
                &[(2, Broken, 0.5), (1, Broken, 0.5)],
                Some(SearchEnd::NothingHeld),
                "not even one client held every threshold: 1 client broke error_rate<1%: 50.0%",
            ),
            (
                &[(10, Held, 0.0), (20, Broken, 0.5)],
                Some(SearchEnd::Found),
                "10 clients held every threshold (1 time); 20 clients broke error_rate<1%: 50.0%",
            ),
            (&[], None, "no number of clients was measured; the search was not finished"),
            (
                &[(10, Untrusted, 0.0)],
                Some(SearchEnd::Generator),
                "no number of clients held every threshold; this machine was the limit",
            ),
        ] {
            assert_eq!(sentence(&searched(levels, end)), expected);
        }
    }

    #[test]
    fn a_block_is_read_as_it_was_written() {
        let levels: Vec<_> =
            (1..).zip(JUDGEMENTS).map(|(clients, (judgement, _))| (clients, judgement, 0.25)).collect();
        for (end, _) in ENDS {
            let written = serde_json::to_value(SearchReport::new(&searched(&levels, end))).expect("JSON");
            let read = SearchReport::read(&written).expect("a block");
            assert_eq!(read.levels.len(), JUDGEMENTS.len());
            let has_result = matches!(end, Some(SearchEnd::Found | SearchEnd::Most | SearchEnd::Generator));
            assert_eq!((read.verdict().is_result, is_found(Part::new(&written))), (has_result, has_result));
            assert_eq!(serde_json::to_value(read).expect("JSON"), written);
        }
    }

    #[test]
    fn a_block_from_anywhere_is_none_or_harmless() {
        assert!(SearchReport::read(&Value::Null).is_none());
        assert!(SearchReport::read(&serde_json::json!({ "end": "\u{1b}" })).is_none());
        let block = serde_json::json!({
            "end": "found", "clients": -1, "sentence": "\u{1b}[2J",
            "levels": [7, { "clients": 3, "result": "?" }, { "clients": 3, "result": "held", "values": "x" }],
        });
        let read = SearchReport::read(&block).expect("a block");
        assert_eq!((read.clients, read.sentence.as_str(), read.levels.len()), (None, "^[[2J", 1));
    }
}
