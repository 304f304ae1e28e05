//! Judgements on the numbers of a run: pure functions from numbers to judgements, each made once for every reader.

mod checks;
mod health;

pub use checks::{Check, Consequence, EndNumbers, checks};
pub use health::{
    DEGRADED_SHARE, FAILING_SHARE, Health, HealthJudge, HealthNumbers, Knee, Knees, RunHealth, RunNumbers,
    Verdict,
};
