//! Options that say when a run has failed, and the page of the help about them.

use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;

use crate::verdict::{After, Distribution, Extent, Quantity, RunNumber, Statistic, Threshold};
use crate::vocabulary::{ExpectedStatuses, SessionNumber};

/// Criteria of the operator.
#[derive(Clone, Debug, Default, Args)]
pub struct CriteriaArgs {
    /// Exit with code 3 if this is not kept, such as 'segment_ttfb_p95<500ms' or 'error_rate<1% over 30s after ramp';
    /// repeatable. 'hlswarm --help thresholds' lists the quantities
    #[arg(long = "threshold", value_name = "EXPR", value_parser = Threshold::parse, help_heading = "Criteria")]
    pub thresholds: Vec<Threshold>,
    /// Leave out this time, or the ramp, from thresholds, and show the main numbers without it beside those of the whole
    /// run [default: nothing is left out]
    #[arg(long, value_name = "TIME|ramp", value_parser = After::parse, help_heading = "Criteria")]
    pub warmup: Option<After>,
    /// End the run once a threshold stayed crossed for this long [default: 10s]
    #[arg(long, value_name = "GRACE", num_args = 0..=1, require_equals = true, default_missing_value = super::options::ABORT_GRACE, value_parser = crate::vocabulary::units::parse_duration, requires = "thresholds", help_heading = "Criteria")]
    pub abort_on_fail: Option<Duration>,
    /// HTTP statuses that are no failures, such as 404,410 or 500-503: counted and shown as what they are, but left out of
    /// error shares, health and thresholds of failures; repeatable
    #[arg(long = "expect", value_name = "STATUSES", value_delimiter = ',', value_parser = ExpectedStatuses::parse, help_heading = "Criteria")]
    pub expected: Vec<ExpectedStatuses>,
}

/// Width of the page in columns.
const WIDTH: usize = 80;
/// Columns of the names.
const NAMES: usize = 24;
/// Columns of the measures.
const MEASURES: usize = 18;

const HEAD: &str = "\
Thresholds: your own criteria. They are judged once a second; one that is not
kept at the end is a reason for exit code 3.

  --threshold 'QUANTITY OP VALUE [over TIME] [after ramp | after TIME]'

  OP           < <= > >= == !=
  over TIME    judge each window of this length, 1s to 5m (above 1m up to 5s
               longer); one that crosses the limit is enough. Without it: the
               run so far, and the value at its end decides
  after ...    leave out the beginning: the ramp, or this time. Without it that
               of --warmup is left out, or nothing

A threshold without a value is inconclusive and fails: nothing was measured, or
no window was filled. So is every threshold of a run whose own measurement is
INVALID (exit code 4), unless --allow-untrusted is given.
Responses with a status of --expect are no failures: http_errors and outcomes
count them, error_rate and the like leave them out.
--abort-on-fail[=GRACE] ends the run once a threshold stayed crossed for GRACE,
10s by default. A limit from below (>=) is crossed until the value gets there:
of a rate, say 'after ramp'.

  hlswarm demo --threshold 'segment_ttfb_p95<500ms' --threshold 'error_rate<1%'
  hlswarm demo --threshold 'http_errors{503}==0 over 30s after ramp'

Quantities (*: only for the whole run, without over and after):
";

/// Returns the page about thresholds, whose lists come from the catalogue of quantities.
pub(super) fn page() -> String {
    let mut text = HEAD.to_owned();
    for number in RunNumber::ALL {
        let quantity = Quantity::Number(*number);
        let mark = if quantity.extent() == Extent::Whole { "*" } else { "" };
        let (name, measure) = (format!("{}{mark}", number.name()), quantity.measure().example());
        entry(&format!("{name:<NAMES$}{measure:<MEASURES$}"), number.meaning(), &mut text);
    }
    text.push_str("\nCounts, with or without a label in braces:\n");
    for (name, meaning) in [
        ("http_errors{CODE}", "requests that ended with this status, or other; without a label: with any"),
        ("outcomes{NAME}", "requests that ended so, such as timeout.first_byte; needs a label"),
        ("findings{NAME}", "problems of this kind in the stream, such as playlist_stale"),
    ] {
        entry(&format!("{name:<NAMES$}{:<MEASURES$}", "count, 0"), meaning, &mut text);
    }
    text.push_str("\nSessions that have ended, as session_NAME_STATISTIC, only for the whole run:\n");
    let statistics = Statistic::OF_SESSIONS.map(Statistic::name).join(" ");
    entry(&format!("{:<NAMES$}", "STATISTIC"), &statistics, &mut text);
    for number in SessionNumber::ALL {
        let measure = Quantity::Sessions(number, Statistic::Max).measure().example();
        entry(&format!("{:<NAMES$}{measure}", number.name()), "", &mut text);
    }
    text.push_str("\nTimes, as NAME_STATISTIC (segment_ttfb_p95), such as 500ms:\n");
    let statistics = Statistic::ALL.map(Statistic::name).join(" ");
    entry(&format!("{:<NAMES$}", "STATISTIC"), &statistics, &mut text);
    let names: Vec<String> = Distribution::all().map(Distribution::name).collect();
    entry(&format!("{:<NAMES$}", "NAME"), &names.join(" "), &mut text);
    text
}

/// Writes an entry of a list, whose text continues below itself.
fn entry(head: &str, meaning: &str, text: &mut String) {
    let indent = head.len() + 2;
    let mut line = format!("  {head}");
    for word in meaning.split(' ') {
        if line.len() + word.len() > WIDTH {
            _ = writeln!(text, "{}", line.trim_end());
            line = " ".repeat(indent);
        }
        line.push_str(word);
        line.push(' ');
    }
    _ = writeln!(text, "{}", line.trim_end());
}
