//! All formats of a report: the same numbers, whatever a document holds, and no markup that a text could make.

use serde_json::Value;

use super::ReportFormat;
use super::doc::Doc;
use super::fixtures::{doc, report_of, with};
use super::{answer, failures};
use crate::vocabulary::units;
use crate::vocabulary::untrusted::HOSTILE;

/// Formats that are rendered from a document.
const PAGES: [ReportFormat; 5] =
    [ReportFormat::Html, ReportFormat::Svg, ReportFormat::Markdown, ReportFormat::Junit, ReportFormat::Text];

fn render(format: ReportFormat, doc: &Doc) -> String {
    format.render_doc(doc).expect("rendered")
}

/// Elements of HTML without an end.
const VOID: [&str; 2] = ["meta", "br"];
/// Elements of HTML whose content is no markup.
const RAW: [&str; 2] = ["style", "script"];

/// Reads markup strictly: elements nest, attributes are quoted and not repeated, text has no bare sign. Returns the
/// names of all elements and attributes.
fn read_strictly(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut elements, mut attributes, mut open) = (Vec::new(), Vec::new(), Vec::<String>::new());
    let mut rest = text.trim_start_matches("<!DOCTYPE html>");
    rest = rest.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").unwrap_or(rest);
    loop {
        let (before, after) = match rest.split_once('<') {
            Some(split) => split,
            None => (rest, ""),
        };
        assert_text(before);
        if after.is_empty() {
            break;
        }
        let (tag, next) = after.split_once('>').expect("a tag ends");
        rest = next;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "{tag}");
            continue;
        }
        let is_closed = tag.ends_with('/');
        let tag = tag.trim_end_matches('/');
        let name = tag.split([' ', '\n']).next().expect("a name").to_owned();
        assert!(name.chars().all(|letter| letter.is_ascii_alphanumeric()), "{tag}");
        attributes.extend(read_attributes(&tag[name.len()..]));
        elements.push(name.clone());
        if RAW.contains(&name.as_str()) {
            let end = rest.find(&format!("</{name}>")).expect("an end");
            rest = &rest[end + name.len() + 3..];
        } else if !is_closed && !VOID.contains(&name.as_str()) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    (elements, attributes)
}

fn read_attributes(mut text: &str) -> Vec<String> {
    let mut names = Vec::<String>::new();
    while !text.trim().is_empty() {
        let (name, after) = text.trim_start().split_once("=\"").unwrap_or_else(|| panic!("{text:?}"));
        let (value, next) = after.split_once('"').expect("a quote");
        assert!(
            name.chars().all(|letter| letter.is_ascii_alphanumeric() || ":-".contains(letter)),
            "{name:?}"
        );
        assert_text(value);
        assert!(!names.iter().any(|known| known == name), "{name} twice");
        names.push(name.to_owned());
        text = next;
    }
    names
}

fn assert_text(text: &str) {
    assert!(!text.contains('>'), "{text:?}");
    for reference in text.split('&').skip(1) {
        let name = reference.split(';').next().unwrap_or_default();
        assert!(["amp", "lt", "gt", "quot", "#39"].contains(&name), "{name:?}");
    }
    let bad = |character: char| character.is_control() && character != '\n';
    assert!(!text.contains(bad), "{text:?}");
}

#[test]
fn every_page_is_strict_markup_without_a_way_out() {
    for format in [ReportFormat::Html, ReportFormat::Svg, ReportFormat::Junit] {
        let page = render(format, &doc());
        let (elements, attributes) = read_strictly(&page);
        assert!(!attributes.iter().any(|name| name.starts_with("on") || name == "style"), "{attributes:?}");
        for element in ["iframe", "object", "embed", "link", "base", "form", "foreignObject", "a"] {
            assert!(!elements.iter().any(|name| name == element), "{element}");
        }
        let text = match page.split_once("<script type=\"application/json\" id=\"report\">") {
            Some((before, _)) => before,
            None => &page,
        };
        let outside = text.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "");
        // The target is named in JUnit, and the command on the page.
        let outside = outside.replace("https://origin.example.com/live/master.m3u8", "");
        let url = outside.find("://").map(|at| &outside[at..(at + 60).min(outside.len())]);
        assert_eq!(url, None);
    }
}

#[test]
fn the_page_holds_its_report_and_allows_nothing_but_its_own_style_and_script() {
    let doc = doc();
    let page = render(ReportFormat::Html, &doc);
    let (_, after) = page.split_once("id=\"report\">").expect("the JSON");
    let (json, _) = after.split_once("</script>").expect("its end");
    assert_eq!(Doc::parse(json.as_bytes()).expect("a document"), doc);
    let hash = |text: &str| {
        use base64::Engine as _;
        let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(digest))
    };
    let between = |from: &str, to: &str| {
        let (_, after) = page.split_once(from).expect(from);
        after.split_once(to).expect(to).0.to_owned()
    };
    let policy = between("http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    assert!(policy.starts_with("default-src 'none'; img-src data:; "), "{policy}");
    assert!(policy.contains(&format!("style-src {};", hash(&between("<style>", "</style>")))), "{policy}");
    assert!(policy.contains(&format!("script-src {};", hash(&between("<script>", "</script>")))), "{policy}");
}

#[test]
fn all_formats_give_the_same_numbers() {
    let doc = doc();
    let [html, svg, markdown, junit, text] = PAGES.map(|format| render(format, &doc));
    let headline = answer::headline(&doc);
    assert_eq!(headline.text(), "FAILED  origin.example.com breaks at 5 clients, 5 Mb/s");
    for page in [&html, &svg, &markdown, &junit, &text] {
        assert!(page.contains(headline.word) && page.contains(&headline.rest), "{page}");
    }
    let percent = |path: &str| units::percent(doc.at(path).number());
    let count = |path: &str| units::count(doc.at(path).count());
    let failed = percent("/requests/failed_share");
    assert_ne!(failed, "--");
    let p95 = units::milliseconds(doc.at("/latency_us/segment/p95").count());
    for (page, values) in
        [(&html, vec![&failed, &p95]), (&markdown, vec![&failed, &p95]), (&svg, vec![&failed])]
    {
        values.iter().for_each(|value| assert!(page.contains(value.as_str()), "{value}: {page}"));
    }
    let of = format!("{} of {}", count("/requests/failed"), count("/requests/judged"));
    assert!(html.contains(&of) && markdown.contains(&of) && text.contains(&of), "{of}");
    for row in failures::failures(&doc) {
        let counted = failures::counted(&doc);
        let known = counted.iter().find(|(outcome, _)| failures::short(*outcome) == row.short);
        assert_eq!(known.map(|(_, count)| *count), Some(row.count), "{}", row.short);
        assert!(html.contains(&row.name) && markdown.contains(&row.name.replace('_', "\\_")), "{}", row.name);
    }
    for check in doc.at("/checks").list() {
        let name = check.at("/name").word();
        assert!(html.contains(&name) && junit.contains(&format!("name=\"{name}\"")), "{name}");
    }
    // The fixture's failed checks are listed ones: nothing of it decides the exit code, which is 0.
    assert_eq!(doc.at("/exit/code").count(), 0);
    assert!(failed_checks(&doc) > 0 && !junit.contains("<failure "), "{junit}");
    let tests = format!("tests=\"{}\" failures=\"0\"", doc.at("/checks").list().len());
    assert!(junit.contains(&tests), "{junit}");
}

fn failed_checks(doc: &Doc) -> usize {
    doc.at("/checks").list().filter(|check| check.at("/result").text() == "fail").count()
}

/// Replaces every text and name of a value that is not read as one of a closed list.
pub(super) fn poison(value: &mut Value, text: &str) {
    match value {
        Value::String(old) if !["OK", "FAILING", "DEGRADED", "VALID", "http.503"].contains(&old.as_str()) => {
            *old = text.to_owned();
        }
        Value::Array(items) => items.iter_mut().for_each(|item| poison(item, text)),
        Value::Object(members) => members.iter_mut().for_each(|(_, member)| poison(member, text)),
        _ => {}
    }
}

#[test]
fn no_text_of_a_document_becomes_markup() {
    let markup = ["</script><script>alert(1)</script>", "\" onload=\"x", "<img src=x onerror=y>", "]]>&lt;"];
    for text in HOSTILE.iter().chain(&markup) {
        let mut value = doc().root().value().clone();
        poison(&mut value, text);
        value["schema"] = Value::from(super::SCHEMA);
        value["audience"]["edges"] = serde_json::json!({ *text: { "requests": 1, "bytes": 2 } });
        value["findings"] =
            serde_json::json!([{ "kind": text, "severity": text, "detail": text, "count": 1 }]);
        value["trust"]["reasons"] = serde_json::json!([{ "level": text, "sentence": text, "advice": text }]);
        let doc = Doc::parse(value.to_string().as_bytes()).expect("a document");
        for format in [ReportFormat::Html, ReportFormat::Svg, ReportFormat::Junit] {
            let (elements, attributes) = read_strictly(&render(format, &doc));
            assert!(!elements.iter().any(|name| name == "img"));
            assert!(!attributes.iter().any(|name| name.starts_with("on")), "{attributes:?}");
            assert!(elements.iter().filter(|name| *name == "script").count() <= 3);
        }
        let markdown = render(ReportFormat::Markdown, &doc);
        assert!(!markdown.contains(['<', '\r', '\u{1b}']), "{markdown:?}");
        let text = render(ReportFormat::Text, &doc);
        assert!(!text.chars().any(|sign| sign.is_control() && sign != '\n'), "{text:?}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}

#[test]
fn a_document_of_nothing_is_rendered_too() {
    for text in ["{}", "{\"run\":[],\"health\":7,\"series\":{\"bin_s\":0},\"history\":{\"bin_s\":1e300}}"] {
        let text = text.replacen('{', &format!("{{\"schema\":\"{}\",", super::SCHEMA), 1).replace(",}", "}");
        let doc = Doc::parse(text.as_bytes()).expect("a document");
        for format in PAGES {
            let page = render(format, &doc);
            assert!(page.contains("nothing was measured") && !page.contains("NaN"), "{page}");
        }
    }
}

#[test]
fn the_card_is_small_and_the_summary_short() {
    let doc = doc();
    assert!(render(ReportFormat::Svg, &doc).len() < 22_000);
    let markdown = render(ReportFormat::Markdown, &doc);
    assert!(markdown.lines().count() < 60, "{markdown}");
    // A table has as many cells in every line.
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    for table in markdown.split("\n\n").filter(|block| block.starts_with('|')) {
        let mut lines = table.lines().map(cells);
        let first = lines.next();
        assert!(lines.all(|count| Some(count) == first), "{table}");
    }
}

#[test]
fn a_result_that_cannot_be_trusted_says_so_first() {
    let doc = with(&doc(), "/trust/verdict", "INVALID".into());
    for format in PAGES {
        let page = render(format, &doc);
        let at = |words: &str| page.find(words).unwrap_or(usize::MAX);
        assert!(at("NOT TRUSTWORTHY") < at("breaks at"), "{page}");
    }
    assert!(render(ReportFormat::Text, &doc).starts_with(" NOT TRUSTWORTHY  this machine limited"));
}

#[test]
fn a_report_that_is_read_again_has_the_same_pages() {
    let doc = Doc::new(&report_of(&[1, 2])).expect("a document");
    let again = Doc::parse(doc.json().expect("JSON").as_bytes()).expect("a document");
    for format in PAGES.into_iter().chain([ReportFormat::Json]) {
        assert_eq!(render(format, &again), render(format, &doc));
    }
}

#[test]
fn the_pages_of_several_reports_say_so() {
    let docs = [doc(), super::fixtures::doc_of(&[7])].map(Ok::<_, super::NotMergeable>);
    let merged = super::merge(docs).expect("merged");
    for format in [ReportFormat::Html, ReportFormat::Markdown, ReportFormat::Text] {
        assert!(render(format, &merged).contains(", 2 reports merged"), "{format:?}");
    }
}

#[test]
fn a_run_that_ends_before_a_client_plays_says_what_it_has_measured() {
    let begun = with(&with(&doc(), "/health/verdict", "--".into()), "/playback/started", 0.into());
    for (started, finished, expected) in [
        (0, 0, "nothing was measured"),
        (3, 0, "no request ended within"),
        (3, 2, "2 requests ended; try a longer --duration"),
    ] {
        let doc =
            with(&with(&begun, "/requests/started", started.into()), "/requests/finished", finished.into());
        for format in [ReportFormat::Html, ReportFormat::Markdown, ReportFormat::Text] {
            let page = render(format, &doc).split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(page.contains(expected), "{expected}: {page}");
        }
    }
}

#[test]
fn only_a_load_that_was_served_well_was_carried() {
    let no_knee = with(&doc(), "/health/knee_errors", Value::Null);
    let tile = |verdict: &str| {
        let [carried, ..] = answer::tiles(&with(&no_knee, "/health/verdict", verdict.into()));
        (carried.value, carried.note)
    };
    assert_eq!(tile("OK").0, "5");
    for verdict in ["DEGRADED", "FAILING", "NOTHING PLAYS"] {
        assert_eq!(tile(verdict), ("--".to_owned(), "no load was carried well".to_owned()), "{verdict}");
    }
    assert_eq!(tile("--"), ("--".to_owned(), "nothing was measured".to_owned()));
    let [carried, ..] = answer::tiles(&doc());
    assert_eq!((carried.value.as_str(), carried.note.as_str()), ("5", "clients at 5 Mb/s, until 0:02"));
}

#[test]
fn the_headline_blames_the_origin_only_for_what_it_could_answer() {
    let doc = with(&doc(), "/outcomes", serde_json::json!({ "ok": 54, "http.503": 6, "local.fd": 40 }));
    let doc = with(&with(&doc, "/health/error_share", 0.1.into()), "/requests/failed_share", 0.46.into());
    let doc = with(&doc, "/health/knee_errors", Value::Null);
    let said = "10.0% of requests failed, mostly 503";
    assert_eq!(answer::headline(&doc).rest, format!("origin.example.com: {said}"));
    assert_eq!(answer::subtitle(&doc)[0], said);
}

#[test]
fn every_format_marks_a_latency_that_may_be_the_load_testers_own() {
    let latency = |floor: bool| {
        let value = serde_json::json!({
            "count": 9, "p50": 300, "p95": 400, "p99": 500, "p999": 600, "max": 700,
            "at_floor": { "p50": floor, "p99": floor },
        });
        let doc = with(&doc(), "/latency_us", serde_json::json!({ "segment": value }));
        with(&doc, "/trust/calibration", serde_json::json!({ "made_at": "2026-11-02" }))
    };
    let delay = serde_json::json!({ "p99": 200, "max": 900 });
    let blurred = with(&latency(false), "/trust/generator_delay_us", delay);
    for format in [ReportFormat::Html, ReportFormat::Markdown, ReportFormat::Text] {
        let shown = |doc: &Doc| render(format, doc).replace("&lt;", "<").replace("\\", "");
        let page = shown(&latency(true));
        assert!(page.contains("<0.30") && page.contains("<0.50") && page.contains("<: at floor"), "{page}");
        let page = shown(&blurred);
        assert!(page.contains("~0.50") && !page.contains("<0.30"), "{page}");
    }
}

#[test]
fn the_lines_of_a_chart_of_few_clients_have_their_own_numbers() {
    let three = render(ReportFormat::Html, &super::fixtures::doc_of(&[3, 4, 5]));
    let (_, chart) = three.split_once("id=\"clients\"").expect("a chart");
    let (chart, _) = chart.split_once("</svg>").expect("its end");
    let labels: Vec<&str> =
        chart.split("text-anchor=\"end\">").skip(1).filter_map(|rest| rest.split('<').next()).collect();
    assert_eq!(labels, ["5", "2.5", "0"]);
}

#[test]
fn a_long_reason_leaves_its_advice_and_its_neighbours() {
    let long = "x".repeat(190);
    let reason = serde_json::json!([{ "gauge": "cpu_share", "level": "SUSPECT", "sentence": long, "advice": "use fewer clients" }]);
    let doc = with(&doc(), "/trust/reasons", reason);
    let doc = with(&doc, "/exit/reasons", serde_json::json!([long, "the last reason"]));
    assert!(render(ReportFormat::Html, &doc).contains("<dt>advice</dt><dd>use fewer clients</dd>"));
    let markdown = render(ReportFormat::Markdown, &doc);
    let subtitle = markdown.lines().nth(2).expect("a line");
    assert!(subtitle.ends_with(" · the last reason"), "{subtitle}");
}

#[test]
fn an_outcome_that_a_document_lists_twice_has_one_row_and_one_band() {
    let mut value = doc().root().value().clone();
    let failures = value["failures"].as_array_mut().expect("failures");
    let busy = failures.iter().find(|failure| failure["outcome"] == "http.503").expect("503").clone();
    failures.extend(vec![busy; 3]);
    let doc = Doc::from_value(value);
    assert_eq!(failures::failures(&doc).iter().filter(|row| row.short == "503").count(), 1);
    let bands = super::columns::Columns::new(&doc).failures;
    assert_eq!(bands.iter().filter(|band| band.name == "503").count(), 1);
}
