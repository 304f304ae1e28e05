//! The checks of a report as JUnit XML, for a CI that shows them beside its tests.

use std::fmt::Write as _;

use super::answer;
use super::cells::known;
use super::doc::{Doc, Part};
use super::escape::xml;
use super::thresholds;

/// Maximum number of checks; a run of this version has fewer than twenty.
const CHECKS: usize = 1_000;

/// Returns the checks as JUnit XML, with a newline at its end: one test case a check. A check without a value is
/// skipped.
pub(super) fn page(doc: &Doc) -> String {
    let checks: Vec<Part<'_>> = doc.at("/checks").list().take(CHECKS).collect();
    let with = |result: &str| checks.iter().filter(|check| check.at("/result").text() == result).count();
    let (failed, passed) = (checks.iter().filter(|check| fails(check)).count(), with("pass"));
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
    let exit_code = known(doc.at("/exit/code"));
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

/// Reports whether a check fails the run. For a CI a failure is the verdict, so it must not contradict the exit code:
/// only checks that decide that code fail. Those of an older report do not say whether they do.
fn fails(check: &Part<'_>) -> bool {
    ["fail", "inconclusive"].contains(&check.at("/result").text())
        && check.at("/decides").value().as_bool() != Some(false)
}

fn case(check: Part<'_>, page: &mut String) {
    let [name, limit] = ["/name", "/limit"].map(|path| check.at(path).word());
    let number = check.at("/value").number().map(|value| value.to_string());
    let (value, limit) = thresholds::shown(check)
        .map_or((number.clone(), limit), |(value, limit)| (number.map(|_| value), limit));
    let [name, limit] = [name, limit].map(|text| xml(&text));
    let measured = value.map_or(String::new(), |value| format!("{}, ", xml(&value)));
    _ = write!(page, "<testcase classname=\"hlswarm\" name=\"{name}\"");
    _ = match check.at("/result").text() {
        "pass" => writeln!(page, "/>"),
        "fail" if fails(&check) => {
            writeln!(page, "><failure message=\"{measured}expected {limit}\"/></testcase>")
        }
        "inconclusive" => {
            writeln!(page, "><failure message=\"{measured}inconclusive, expected {limit}\"/></testcase>")
        }
        "fail" => {
            let message = format!("{measured}expected {limit}; it does not affect the exit code");
            writeln!(page, "><skipped message=\"{message}\"/></testcase>")
        }
        _ => writeln!(page, "><skipped message=\"nothing was measured\"/></testcase>"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_check_that_decides_the_exit_code_fails_the_job() {
        let check = |more: &str| {
            format!(r#"{{"name": "a", "value": 12.5, "limit": "<= 0", "result": "fail"{more}}}"#)
        };
        let checks = [check(r#", "decides": true"#), check(r#", "decides": false"#), check("")].join(",");
        let text = format!(r#"{{"schema": "hlswarm.report/1", "checks": [{checks}]}}"#);
        let page = page(&Doc::parse(text.as_bytes()).expect("a report"));
        assert!(page.contains("tests=\"3\" failures=\"2\" errors=\"0\" skipped=\"1\""), "{page}");
        assert_eq!(page.matches("<failure message=\"12.5, expected &lt;= 0\"/>").count(), 2, "{page}");
        let skipped = "<skipped message=\"12.5, expected &lt;= 0; it does not affect the exit code\"/>";
        assert_eq!(page.matches(skipped).count(), 1, "{page}");
    }
}
