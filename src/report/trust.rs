//! The trust verdict in the report: whether the load tester itself limited the result, and the evidence.

use std::collections::BTreeMap;

use serde::Serialize;

use super::answer;
use super::cells::{count, percent};
use super::doc::Part;
use super::page::Page;
use super::{BucketLayout, CalibrationReport, CanaryReport, LatencyReport, canary};
use crate::generator::{self, Delays};
use crate::sample::{RunSample, SomeSeconds};
use crate::verdict::{GaugeLimit, RULES, Reason, TrustVerdict, Weight};
use crate::vocabulary::units::{self, UNKNOWN};

/// Verdict on whether the load tester itself limited the result.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TrustReport {
    /// `VALID`: the load tester kept up. `SUSPECT`: it may have limited the result, in more than 5 % of the time or
    /// badly for a moment. `INVALID`: it limited the result, in more than 1 % of the time or in a way of which once
    /// is enough. `UNASSESSED`: nothing was measured. The worst verdict of any moment of the run; shares count after 20
    /// measured seconds and at the end.
    #[cfg_attr(test, schemars(with = "String"))]
    pub verdict: TrustVerdict,
    /// True if the exit code was not to depend on the verdict (`--allow-untrusted`).
    pub allow_untrusted: bool,
    /// Seconds of load that were judged.
    pub measured_s: f64,
    /// Seconds in which a gauge was beyond one of its limits.
    pub suspect_s: f64,
    /// Seconds in which a gauge was beyond its limit for INVALID.
    pub invalid_s: f64,
    /// Gauges that were beyond a limit for long enough, for each level that they reached; empty if there were none.
    pub reasons: Vec<TrustReason>,
    /// Intervals whose numbers must not be trusted, in seconds since the start. Of more than a thousand, the oldest and
    /// the newest.
    pub masked_intervals: Vec<MaskedInterval>,
    /// Number of further such intervals; `invalid_s` has their time.
    pub masked_intervals_left_out: u64,
    /// Main quantities of all seconds, for comparison with `trusted_seconds`; `null` if no second is masked.
    pub all_seconds: Option<SecondsReport>,
    /// Main quantities without the seconds that touch a masked interval; `null` if no second is masked.
    pub trusted_seconds: Option<SecondsReport>,
    /// Delay with which the load tester ran what was due, over all workers; latencies of this size are its own.
    /// `null`: it was not measured.
    pub generator_delay_us: Option<GeneratorDelay>,
    /// The canary; `null`: the load began with fewer than 20 clients, or it made no request.
    pub canary: Option<CanaryReport>,
    /// The run compared with the calibration of this machine; `null`: there is none that applies.
    pub calibration: Option<CalibrationReport>,
    /// Reason why there is no calibration; `null`: there is one.
    pub uncalibrated_because: Option<String>,
    /// All gauges by name. Names carry their units.
    pub gauges: BTreeMap<&'static str, GaugeReport>,
}

/// Evidence against the result.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TrustReason {
    /// Name of the gauge.
    pub gauge: &'static str,
    /// Level of the limit: `SUSPECT` or `INVALID`. A second counts for the worse level only.
    #[cfg_attr(test, schemars(with = "String"))]
    pub level: TrustVerdict,
    /// Seconds from the start to its first moment beyond the limit.
    pub first_s: f64,
    /// Seconds from the start to its last one.
    pub last_s: f64,
    /// Seconds beyond the limit.
    pub seconds: f64,
    /// Worst value.
    pub worst: f64,
    /// Limit that held for the worst value.
    pub threshold: f64,
    /// Number of the worker with the worst value; `null`: the gauge does not belong to a worker.
    pub worker: Option<usize>,
    /// Advice to the operator.
    pub advice: String,
    /// The reason as a sentence.
    pub sentence: String,
}

/// Main quantities of some seconds of the run.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SecondsReport {
    /// Number of seconds.
    pub seconds: f64,
    /// Requests that ended in them.
    pub finished: u64,
    /// Those that failed, except those that hlswarm cut.
    pub failed: u64,
    /// Requests that failed or ended ok.
    pub judged: u64,
    /// `failed` as a share of `judged`; `null`: there are none.
    pub failed_share: Option<f64>,
    /// Time to the first byte of segments, in microseconds; `null`: none was timed.
    pub segment_ttfb_us: Option<LatencyReport>,
}

/// An interval of the run.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MaskedInterval {
    /// Start, in seconds since the run began.
    pub from_s: f64,
    /// End, in seconds since the run began.
    pub to_s: f64,
}

/// Delays of the load tester, in microseconds.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GeneratorDelay {
    /// The median.
    pub p50: u64,
    /// The 99th percentile.
    pub p99: u64,
    /// The largest delay.
    pub max: u64,
    /// Number of delays.
    pub count: u64,
    /// Bucket layout, which is coarser than that of the report's other histograms.
    pub histogram: BucketLayout,
    /// Non-empty buckets as [upper end, count]; adding them merges reports of several machines exactly.
    pub buckets: Vec<(u64, u64)>,
}

/// A gauge of the load tester and its machine.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GaugeReport {
    /// Worst value of the run; `null`: the host does not offer it, or nothing was measured.
    pub worst: Option<f64>,
    /// Limit beyond which it is suspect; `null`: there is none.
    pub suspect: Option<LimitReport>,
    /// Limit beyond which it is invalid; `null`: there is none.
    pub invalid: Option<LimitReport>,
    /// Seconds in a row that a limit must be crossed.
    pub seconds: u32,
    /// False if the gauge is only shown and never changes the verdict.
    pub convicts: bool,
}

/// Limit of a gauge: the larger of the two.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LimitReport {
    /// A value.
    pub value: f64,
    /// Share of the median time to the first byte; 0 if the limit does not depend on it.
    pub share_of_ttfb: f64,
}

impl Serialize for TrustVerdict {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Returns the trust in a run whose workers had these delays.
pub(super) fn trust(sample: &RunSample, own_delays: &Delays) -> TrustReport {
    let trust = &sample.trust;
    let limit = |limit: Option<GaugeLimit>| {
        limit.map(|limit| LimitReport { value: limit.floor, share_of_ttfb: limit.share_of_first_byte })
    };
    let gauges = RULES.iter().map(|rule| {
        let gauge = GaugeReport {
            worst: trust.worst[rule.gauge],
            suspect: limit(rule.suspect),
            invalid: limit(rule.invalid),
            seconds: rule.seconds,
            convicts: rule.weight != Weight::Shown,
        };
        (rule.name, gauge)
    });
    let masked = trust.masked.as_slice().iter();
    let [all, trusted] = sample.all_and_trusted_seconds().map_or([None, None], |both| both.map(Some));
    TrustReport {
        verdict: trust.verdict,
        allow_untrusted: false,
        measured_s: trust.measured.as_secs_f64(),
        suspect_s: trust.doubtful.length().as_secs_f64(),
        invalid_s: trust.masked.length().as_secs_f64(),
        reasons: trust.reasons.iter().map(reason).collect(),
        masked_intervals: masked
            .map(|masked| MaskedInterval { from_s: masked.from.as_secs_f64(), to_s: masked.to.as_secs_f64() })
            .collect(),
        masked_intervals_left_out: trust.masked.left_out(),
        all_seconds: all.as_ref().map(seconds),
        trusted_seconds: trusted.as_ref().map(seconds),
        generator_delay_us: delay(own_delays),
        canary: None,
        calibration: None,
        uncalibrated_because: None,
        gauges: gauges.collect(),
    }
}

fn seconds(of: &SomeSeconds) -> SecondsReport {
    SecondsReport {
        seconds: of.length.as_secs_f64(),
        finished: of.finished,
        failed: of.failed,
        judged: of.judged(),
        failed_share: of.failure_share(),
        segment_ttfb_us: of.first_byte().and_then(LatencyReport::new),
    }
}

fn delay(delays: &Delays) -> Option<GeneratorDelay> {
    let generator::DelaySummary { p50, p99, max } = delays.summary()?;
    let [grouping_power, max_value_power] = generator::DELAY_BUCKETS;
    let buckets: Vec<_> = delays.buckets().collect();
    Some(GeneratorDelay {
        p50,
        p99,
        max,
        count: buckets.iter().map(|(_, count)| *count).sum(),
        histogram: BucketLayout { grouping_power, max_value_power },
        buckets,
    })
}

fn reason(reason: &Reason) -> TrustReason {
    TrustReason {
        gauge: reason.gauge.rule().name,
        level: reason.level,
        first_s: reason.first.as_secs_f64(),
        last_s: reason.last.as_secs_f64(),
        seconds: reason.lasted.as_secs_f64(),
        worst: reason.worst,
        threshold: reason.threshold,
        worker: reason.worker,
        advice: reason.advice.clone(),
        sentence: reason.sentence(),
    }
}

/// Writes the verdict, its reasons with their advice, and the load tester's own delay.
pub(super) fn lines(trust: Part<'_>, page: &mut Page) {
    page.line(format!("TRUST   {}", answer::trust_sentence(trust)));
    for reason in trust.at("/reasons").list().take(RULES.len()) {
        page.line(format!("        {}: {}", reason.at("/level").word(), reason.at("/sentence").word()));
        page.block(&reason.at("/advice").word());
    }
    let [all, trusted] = ["/all_seconds", "/trusted_seconds"].map(|path| trust.at(path));
    if all.is_known() && trusted.is_known() {
        page.line(row(["", "length", "requests", "failed", "ttfb p50 ms", "ttfb p95 ms"].map(str::to_owned)));
        page.line(compared("all seconds", all));
        page.line(compared("trusted only", trusted));
    }
    let delay = trust.at("/generator_delay_us");
    if delay.is_known() {
        let [p99, max] = ["/p99", "/max"].map(|path| units::milliseconds(delay.at(path).count()));
        page.line(format!(
            "        generator delay p99 {p99} ms, max {max} ms; ~: p99 below three times that"
        ));
    }
    let canary = trust.at("/canary");
    if canary.is_known() {
        page.line(canary::line(canary));
    }
    if trust.at("/allow_untrusted").is_true() {
        page.line("        --allow-untrusted: the exit code does not depend on this verdict");
    }
}

/// Returns the main quantities of some seconds as a row of the table.
fn compared(name: &str, of: Part<'_>) -> String {
    let first_byte = of.at("/segment_ttfb_us");
    let [p50, p95] = ["/p50", "/p95"].map(|path| match first_byte.at(path) {
        us if us.is_known() => units::milliseconds(us.count()),
        _ => UNKNOWN.to_owned(),
    });
    let length = units::span(of.at("/seconds").seconds());
    row([name.to_owned(), length, count(of.at("/finished")), percent(of.at("/failed_share")), p50, p95])
}

fn row([name, length, requests, failed, p50, p95]: [String; 6]) -> String {
    format!("        {name:<13}{length:>9}{requests:>12}{failed:>9}{p50:>13}{p95:>13}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::verdict::{Gauge, TrustJudge, TrustNumbers, Values};

    /// Returns the report of a run whose gauge had these values, second after second.
    fn report(gauge: Gauge, values: &[f64]) -> TrustReport {
        let mut judge = TrustJudge::default();
        for (at, value) in (1..).zip(values) {
            let mut all = Values::default();
            all[gauge] = Some(*value);
            let at = Duration::from_secs(at);
            judge.judge(&TrustNumbers { at, values: all, ..TrustNumbers::default() });
        }
        let own_delays = crate::generator::delays_of([310, 310, 4_000]);
        trust(&RunSample { trust: judge.trust().clone().into(), ..RunSample::default() }, &own_delays)
    }

    fn page(trust: &TrustReport) -> String {
        let json = serde_json::to_value(trust).expect("JSON");
        let mut page = Page::default();
        lines(Part::new(&json), &mut page);
        page.0
    }

    #[test]
    fn the_text_opens_with_the_verdict_and_gives_reasons_and_advice() {
        let calm = report(Gauge::Cpu, &[0.2; 20]);
        let expected = " TRUST   VALID: this machine did not limit the result\n         \
                        generator delay p99 4.00 ms, max 4.00 ms; ~: p99 below three times that\n";
        assert_eq!(page(&calm), expected);
        let unknown = page(&report(Gauge::Cpu, &[]));
        assert!(unknown.starts_with(" TRUST   UNASSESSED: nothing was measured\n"), "{unknown}");
        let mut busy = report(Gauge::Cpu, &[0.93; 20]);
        busy.allow_untrusted = true;
        let busy = page(&busy);
        for said in [
            "TRUST   NOT TRUSTWORTHY: this machine limited the result in 20.0 s of 20.0 s",
            "INVALID: cpu 93.0%, above 90.0% for 20.0 s from 00:00:00 on",
            "use fewer clients, or spread them over 2 machines",
            "--allow-untrusted",
        ] {
            assert!(busy.contains(said), "{said}: {busy}");
        }
    }

    #[test]
    fn json_has_every_gauge_and_null_for_what_the_host_does_not_offer() {
        let json = serde_json::to_value(report(Gauge::FilesRefused, &[0.0, 3.0, 0.0])).expect("JSON");
        assert_eq!(json["verdict"], "INVALID");
        assert_eq!(json["reasons"][0]["gauge"], "files_refused");
        assert_eq!(json["reasons"][0]["worst"], 3.0);
        assert_eq!(json["masked_intervals"], serde_json::json!([{ "from_s": 1.0, "to_s": 2.0 }]));
        assert_eq!(json["gauges"].as_object().map(serde_json::Map::len), Some(RULES.len()));
        assert_eq!(json["gauges"]["cpu_share"]["worst"], serde_json::Value::Null);
        assert_eq!(json["gauges"]["files_refused"]["worst"], 3.0);
    }

    #[test]
    fn the_main_quantities_stand_there_twice_if_a_second_is_masked() {
        let first_byte = |first: u64, last: u64| {
            let buckets = [(first, 6), (last, 3)];
            let values = crate::stats::LatencySnapshot::from_buckets(&buckets, 0, first, last)?;
            LatencyReport::new(&values)
        };
        let all = SecondsReport {
            seconds: 92.0,
            finished: 104,
            failed: 12,
            judged: 100,
            failed_share: Some(0.12),
            segment_ttfb_us: first_byte(1_999, 90_000),
        };
        let trusted = SecondsReport {
            seconds: 80.0,
            finished: 80,
            failed: 0,
            judged: 80,
            failed_share: Some(0.0),
            segment_ttfb_us: None,
        };
        let calm = report(Gauge::Cpu, &[0.2; 20]);
        assert!(calm.all_seconds.is_none() && calm.trusted_seconds.is_none());
        let both = TrustReport { all_seconds: Some(all), trusted_seconds: Some(trusted), ..calm };
        let page = page(&both);
        for line in [
            "                         length    requests   failed  ttfb p50 ms  ttfb p95 ms\n",
            "         all seconds   1 m 32 s         104    12.0%         2.00         90.0\n",
            "         trusted only  1 m 20 s          80       0%           --           --\n",
        ] {
            assert!(page.contains(line), "{page}");
        }
    }
}
