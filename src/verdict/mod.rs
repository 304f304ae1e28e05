//! Judgements on the numbers of a run: pure functions from numbers to judgements, each made once for every reader.

mod check;
mod difference;
mod health;
mod run_checks;
mod threshold;
mod trust;

pub use check::{Check, CheckResult, Consequence, Limit};
pub use difference::{Change, Portion, Quantile, matters, shares};
pub use health::{
    DEGRADED_SHARE, FAILING_SHARE, Health, HealthJudge, HealthNumbers, Knee, Knees, Pending, RunHealth,
    RunNumbers, Verdict,
};
pub use run_checks::{EarlyEnd, EndAtLimit, EndNumbers, RunEnd, SearchVerdict, allow_untrusted, checks};
#[cfg(test)]
pub use threshold::Measure;
pub use threshold::{
    After, Criteria, Distribution, Extent, JudgedThreshold, Quantity, RunNumber, Statistic, Threshold,
    ThresholdWatch, threshold_checks,
};
pub use trust::{
    Demand, Gauge, GaugeLimit, Interval, PerGauge, RULES, Reason, Rule, Trust, TrustJudge, TrustNumbers,
    TrustVerdict, Unit, Values, Weight, formatted, is_blurred,
};
