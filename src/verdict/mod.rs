//! Judgements on the numbers of a run: pure functions from numbers to judgements, each made once for every reader.

mod checks;
mod health;

pub use checks::{Check, CheckResult, Consequence, EndNumbers, Limit, checks};
pub use health::{
    DEGRADED_SHARE, FAILING_SHARE, Health, HealthJudge, HealthNumbers, Knee, Knees, Pending, RunHealth,
    RunNumbers, Verdict,
};
