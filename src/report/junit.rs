//! The checks of a report as JUnit XML, for a CI that shows them beside its tests.

use std::fmt::Write as _;

use super::answer;
use super::doc::{Doc, Part};
use super::escape::xml;
use crate::vocabulary::units;

/// Maximum number of checks; a run of this version has fewer than twenty.
const CHECKS: usize = 1_000;

/// Returns the checks as JUnit XML, with a newline at its end: one test case a check. A check without a value is
/// skipped.
pub(super) fn page(doc: &Doc) -> String {
    let checks: Vec<Part<'_>> = doc.at("/checks").list().take(CHECKS).collect();
    let with = |result: &str| checks.iter().filter(|check| check.at("/result").text() == result).count();
    let (failed, passed) = (with("fail"), with("pass"));
    let skipped = checks.len() - failed - passed;
    let run = doc.at("/run");
    let mut page = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let seconds = run.at("/duration_s").seconds().as_secs_f64();
    _ = writeln!(
        page,
        "<testsuites>\n<testsuite name=\"hlswarm {}\" tests=\"{}\" failures=\"{failed}\" errors=\"0\" \
         skipped=\"{skipped}\" time=\"{seconds:.3}\" timestamp=\"{}\">",
        xml(&run.at("/target").word()),
        checks.len(),
        xml(run.at("/started_at").word().trim_end_matches('Z')),
    );
    page.push_str("<properties>\n");
    let trust = doc.at("/trust/verdict").word();
    let verdict = doc.at("/health/verdict").word();
    let exit_code = units::count(doc.at("/exit/code").count());
    for (name, value) in [
        ("headline", answer::headline(doc).text()),
        ("health", verdict),
        ("trust", trust),
        ("exit_code", exit_code),
        ("run_id", run.at("/run_id").word()),
        ("version", run.at("/version").word()),
    ] {
        _ = writeln!(page, "<property name=\"{name}\" value=\"{}\"/>", xml(&value));
    }
    page.push_str("</properties>\n");
    checks.into_iter().for_each(|check| case(check, &mut page));
    page.push_str("</testsuite>\n</testsuites>\n");
    page
}

fn case(check: Part<'_>, page: &mut String) {
    let [name, limit] = ["/name", "/limit"].map(|path| xml(&check.at(path).word()));
    let value = check.at("/value").number();
    _ = write!(page, "<testcase classname=\"hlswarm\" name=\"{name}\"");
    match (check.at("/result").text(), value) {
        ("pass", _) => page.push_str("/>\n"),
        ("fail", Some(value)) => {
            _ = writeln!(page, "><failure message=\"{value}, expected {limit}\"/></testcase>");
        }
        ("fail", None) => {
            _ = writeln!(page, "><failure message=\"expected {limit}\"/></testcase>");
        }
        _ => _ = writeln!(page, "><skipped message=\"nothing was measured\"/></testcase>"),
    }
}
