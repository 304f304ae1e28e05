//! Judgements on the numbers of a run: pure functions from numbers to judgements, each made once for every reader.

mod check;
mod checks;
mod health;
mod trust;

pub use check::{Check, Consequence};
pub use checks::{EarlyEnd, EndAtLimit, EndNumbers, RunEnd, allow_untrusted, checks};
pub use health::{
    DEGRADED_SHARE, FAILING_SHARE, Health, HealthJudge, HealthNumbers, Knee, Knees, Pending, RunHealth,
    RunNumbers, Verdict,
};
pub use trust::{
    Demand, Gauge, Interval, RULES, Reason, Rule, Threshold, Trust, TrustJudge, TrustNumbers, TrustVerdict,
    Unit, Values, Weight, formatted, is_blurred,
};
