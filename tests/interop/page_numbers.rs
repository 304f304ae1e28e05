//! Numbers that a page shows, compared with those of the report: each must be the text of a number in it, or be in one of
//! its texts.

use std::collections::BTreeSet;
use std::time::Duration;

use hlswarm::testing::vocabulary::units;
use serde_json::Value;

/// The number of the RFC, which the page names.
const RFC: &str = "8216";
/// Longest list of which a page may count a part.
const COUNTED: usize = 200;

/// Returns the numbers in the visible text of a page that no value of its report explains.
pub fn unexplained(page: &str, report: &Value) -> Vec<String> {
    let mut known = BTreeSet::from([RFC.to_owned()]);
    collect(report, &mut known);
    let shown = numbers(&visible(page));
    shown.into_iter().filter(|number| !known.contains(number)).collect()
}

/// Returns the text of a page outside of its head, its scripts and its drawings.
pub fn visible(page: &str) -> String {
    let mut text = page.split_once("<body>").map_or(page, |(_, body)| body).to_owned();
    for (begin, end) in [("<script", "</script>"), ("<svg", "</svg>"), ("<code", "</code>")] {
        while let Some(from) = text.find(begin) {
            let to = text[from..].find(end).map_or(text.len(), |at| from + at + end.len());
            text.replace_range(from..to, " ");
        }
    }
    let mut plain = String::with_capacity(text.len());
    let mut is_tag = false;
    for c in text.chars() {
        match c {
            '<' => {
                is_tag = true;
                plain.push(' ');
            }
            '>' => is_tag = false,
            _ if !is_tag => plain.push(c),
            _ => {}
        }
    }
    plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// Returns the numbers of a text: digits with their points, commas and colons. A number that belongs to a name (`p95`,
/// `segment_7.ts`) is none.
fn numbers(text: &str) -> Vec<String> {
    let mut numbers = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || "()/–—·;<>=~\"'".contains(c)) {
        let word = word.trim_start_matches(['+', '-', '−', '≤', '≥']);
        let end = word.find(|c: char| !c.is_ascii_digit() && !".,:".contains(c)).unwrap_or(word.len());
        let number = word[..end].trim_end_matches(['.', ',', ':']);
        if number.starts_with(|c: char| c.is_ascii_digit()) {
            numbers.push(number.to_owned());
        }
    }
    numbers
}

/// Returns all numbers in a text of the report, also those in names and times.
fn parts(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_ascii_digit() && !".,:".contains(c));
    let parts = parts.map(|part| part.trim_matches(['.', ',', ':'])).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// Adds the texts of all numbers of a value, the numbers in its texts and names, and the lengths of its lists.
fn collect(value: &Value, known: &mut BTreeSet<String>) {
    match value {
        Value::Number(number) => texts(number.as_f64().unwrap()).iter().for_each(|text| {
            known.extend(numbers(text));
        }),
        Value::String(text) => known.extend(parts(text)),
        Value::Array(all) => {
            known.extend((0..=all.len().min(COUNTED)).map(|part| units::count(part as u64)));
            all.iter().for_each(|value| collect(value, known));
        }
        Value::Object(all) => {
            known.extend((0..=all.len().min(COUNTED)).map(|part| units::count(part as u64)));
            // The bounds of a histogram in steps of a unit are not in the report themselves.
            let unit = value["unit"].as_f64();
            for bucket in value["buckets"].as_array().into_iter().flatten().filter(|_| unit.is_some()) {
                for end in [0.0, 1.0].map(|more| bucket[0].as_f64().unwrap() + more) {
                    collect(&Value::from(end * unit.unwrap()), known);
                }
            }
            for (name, value) in all {
                known.extend(parts(name));
                collect(value, known);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// Returns a number in all forms in which a page may write it.
fn texts(number: f64) -> Vec<String> {
    let whole = number.max(0.0).round() as u64;
    let mut texts = vec![
        number.to_string(),
        units::count(whole),
        units::number(number),
        units::bytes(whole),
        units::bit_rate(number),
        units::rate(Some(number)),
        units::percent(Some(number)),
        units::milliseconds(whole),
        format!("{number:.1}"),
        format!("{number:.2}"),
        format!("{number:.3}"),
    ];
    for unit in [1.0, 1e-3, 1e-6] {
        let Ok(time) = Duration::try_from_secs_f64(number * unit) else { continue };
        let forms = [units::clock, units::short_clock, units::span, units::short_span, units::whole_span];
        texts.extend(forms.map(|form| form(time)));
        // The page rounds seconds, where the console drops their fraction.
        texts.push(format!("{:.1}", time.as_secs_f64()));
    }
    texts
}
