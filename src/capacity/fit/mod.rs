//! Prices from measured loads, and the proof that a plan can rely on them.
//!
//! * Every load is measured once in each round. Costs are counted in steps of the speed measurement that ran beside the
//!   load, and the median of the rounds is the cost of a load: neither a machine that slows down for a while nor one
//!   disturbed round moves it.
//! * The proof asks what a plan will ask: for each round, the CPU of a load is predicted with prices from the other
//!   rounds and the speed that was measured just before it. The error contains all that can go wrong: drift, noise, a
//!   speed that does not follow the machine, and prices that do not add up.

mod prices;
mod proof;
#[cfg(test)]
mod tests;
mod typical;

use super::{Round, TestLoad, TransportCosts};

use prices::Prices;
use proof::Proof;

/// Smallest number of rounds, and of undisturbed measurements of a load, from which a median says something.
pub const ROUNDS_LEAST: usize = 3;
/// Largest error of the predicted test load, as the median of the rounds, that a calibration may have.
const ERROR_MAX: f64 = 0.10;
/// Largest error for which more rounds are worth their time: beyond it they would most likely confirm the refusal.
const ERROR_NEAR: f64 = 0.13;
/// Largest error of the other loads: a smaller one is normal for few requests on a virtual machine.
const OTHER_ERROR_MAX: f64 = 0.25;

/// Reason why measurements give no prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// A load has no measurement, or nothing happened in it.
    #[error("the load '{}' ({}) produced no numbers", .0.name(), .0.words())]
    Missing(TestLoad),
    /// A price is impossible.
    #[error("no price for {0}: another program disturbed the measurement")]
    NoPrice(&'static str),
}

/// Prices that were fitted to measurements, and the doubts about them.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// Nanoseconds of CPU of one step of the speed measurement, before a load.
    pub speed_ns: f64,
    /// Microseconds of CPU in each second of a run without clients.
    pub base_us_per_s: f64,
    /// Costs without TLS.
    pub plain: TransportCosts,
    /// Costs with TLS.
    pub tls: TransportCosts,
    /// Error of the predicted test load, as a share: the larger of the two transports.
    pub model_error_share: f64,
    /// Spread of its rounds, as a share: the larger of the two transports.
    pub spread_share: f64,
    /// Reasons not to believe the prices, one sentence each.
    pub doubts: Vec<String>,
}

impl Fitted {
    /// Reports whether more rounds may decide otherwise: the error is beyond what is accepted, but near it.
    pub fn is_near_the_limit(&self) -> bool {
        self.model_error_share > ERROR_MAX && self.model_error_share <= ERROR_NEAR
    }
}

/// Fits prices to the measurements of all rounds, on a machine with this number of processors.
///
/// # Errors
/// See [`Misfit`].
pub fn fit(rounds: &[Round], processors: f64) -> Result<Fitted, Misfit> {
    let all: Vec<_> = rounds.iter().collect();
    let prices = Prices::new(&all, processors)?;
    let proof = Proof::new(rounds, processors, &prices);
    let (mut doubts, mut model_error_share, mut spread_share) = (Vec::new(), 0.0_f64, 0.0_f64);
    if rounds.len() < ROUNDS_LEAST {
        doubts.push(format!("{ROUNDS_LEAST} rounds are needed to prove the prices"));
    }
    for secure in [false, true] {
        model_error_share = model_error_share.max(proof.error(TestLoad::Proof, secure)?);
        spread_share = spread_share.max(proof.spread(TestLoad::Proof, secure)?);
        let about = disturbances(rounds, secure).into_iter().chain(proof.doubts(secure)?);
        let transport = if secure { "HTTPS" } else { "HTTP" };
        doubts.extend(about.map(|doubt| format!("{transport}: {doubt}")));
    }
    let Prices { speed_ns, base_us_per_s, plain, tls } = prices;
    Ok(Fitted { speed_ns, base_us_per_s, plain, tls, model_error_share, spread_share, doubts })
}

/// Returns the loads that this machine limited too often, and those with failed requests, one sentence each.
fn disturbances(rounds: &[Round], secure: bool) -> Vec<String> {
    let mut doubts = Vec::new();
    for load in TestLoad::ALL.into_iter().filter(|load| load.is_measured(secure)) {
        let windows = rounds.iter().filter_map(|round| round.get(&(load, secure)));
        let (mut good, mut failed, mut reason) = (0, 0, None);
        for window in windows {
            good += usize::from(!window.is_disturbed());
            failed += window.failed;
            reason = reason.or(window.trust_reasons.first());
        }
        // A load without a pause is expected to be limited by this machine.
        if let Some(reason) = reason.filter(|_| load.is_paced() && good < ROUNDS_LEAST) {
            doubts.push(format!("this machine limited the load '{}': {reason}", load.name()));
        }
        if failed > 0 {
            let name = load.name();
            doubts.push(format!("the built-in origin failed {failed} of the requests of the load '{name}'"));
        }
    }
    doubts
}
