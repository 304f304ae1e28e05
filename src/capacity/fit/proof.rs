//! Proof of prices: each round predicted from the others.

use super::prices::Prices;
use super::typical::{has_numbers, median};
use super::{ERROR_MAX, Misfit, OTHER_ERROR_MAX, ROUNDS_LEAST};
use crate::capacity::{Measured, Round, TestLoad, Work};

/// Largest spread of the test load. A window of seconds is noisy on a virtual machine: the same load costs a third more
/// or less. The median of the rounds is meaningless only where they agree on nothing.
const SPREAD_MAX: f64 = 0.15;
const CAUSE: &str = "another program or machine disturbs this one";

/// Rounds, each with prices that do not follow from it.
pub(super) struct Proof<'a> {
    rounds: Vec<(&'a Round, Option<Prices>)>,
}

impl<'a> Proof<'a> {
    /// Fits prices to the other rounds of each one; if there are too few, `prices`, which follow from all, stand in.
    pub fn new(rounds: &'a [Round], processors: f64, prices: &Prices) -> Self {
        let each = rounds.iter().enumerate().map(|(number, round)| {
            if rounds.len() < ROUNDS_LEAST {
                return (round, Some(prices.clone()));
            }
            let others = rounds.iter().enumerate().filter(|(other, _)| *other != number);
            let others: Vec<_> = others.map(|(_, round)| round).collect();
            (round, Prices::new(&others, processors).ok())
        });
        Self { rounds: each.collect() }
    }

    /// Returns the error of a load in each round in which it was measured and not disturbed: positive if its price was
    /// too high. It is infinite if the other rounds gave no prices.
    fn errors(&self, load: TestLoad, secure: bool) -> Vec<f64> {
        let measured = |undisturbed: bool| -> Vec<f64> {
            let windows = self.rounds.iter().filter_map(|(round, prices)| {
                let window = round.get(&(load, secure)).filter(|window| has_numbers(window, load))?;
                (!undisturbed || !window.is_disturbed()).then_some((window, prices))
            });
            windows.map(|(window, prices)| error(window, prices.as_ref(), secure)).collect()
        };
        let good = measured(true);
        if good.is_empty() { measured(false) } else { good }
    }

    /// Returns the size of the error of a load: that of the median of the rounds. What errs now to this side and now to
    /// that is the noise of a window, which a plan does not have to predict.
    pub fn error(&self, load: TestLoad, secure: bool) -> Result<f64, Misfit> {
        Ok(self.middle(load, secure)?.abs())
    }

    /// Returns the median distance of the rounds from the median of a load.
    pub fn spread(&self, load: TestLoad, secure: bool) -> Result<f64, Misfit> {
        let middle = self.middle(load, secure)?;
        let distances = self.errors(load, secure).into_iter().map(|error| (error - middle).abs());
        median(distances.collect()).ok_or(Misfit::Missing(load))
    }

    fn middle(&self, load: TestLoad, secure: bool) -> Result<f64, Misfit> {
        median(self.errors(load, secure)).filter(|error| error.is_finite()).ok_or(Misfit::Missing(load))
    }

    /// Returns the median size of the errors of a load, whatever their sides.
    fn size(&self, load: TestLoad, secure: bool) -> Result<f64, Misfit> {
        let sizes = self.errors(load, secure).into_iter().map(f64::abs).collect();
        median(sizes).filter(|error| error.is_finite()).ok_or(Misfit::Missing(load))
    }

    /// Returns the reasons not to believe the prices of one transport, one sentence each.
    pub fn doubts(&self, secure: bool) -> Result<Vec<String>, Misfit> {
        let mut doubts = Vec::new();
        let (error, spread) = (self.error(TestLoad::Proof, secure)?, self.spread(TestLoad::Proof, secure)?);
        if error > ERROR_MAX {
            doubts.push(format!(
                "the prices mispredict a test load by {} ({} is accepted): {CAUSE}",
                percent(error),
                percent(ERROR_MAX)
            ));
        } else if spread > SPREAD_MAX {
            doubts.push(format!(
                "rounds of a test load differ by {} ({} is accepted): {CAUSE}",
                percent(spread),
                percent(SPREAD_MAX)
            ));
        }
        let priced = |load: &TestLoad| load.is_paced() && !matches!(load, TestLoad::Idle | TestLoad::Proof);
        for load in TestLoad::ALL.into_iter().filter(priced) {
            let error = self.size(load, secure)?;
            if error > OTHER_ERROR_MAX {
                let (name, error, limit) = (load.name(), percent(error), percent(OTHER_ERROR_MAX));
                doubts.push(format!(
                    "rounds of the load '{name}' differ by {error} ({limit} is accepted): {CAUSE}"
                ));
            }
        }
        Ok(doubts)
    }
}

/// Returns the error of the price of a measured load, as a plan would have it.
fn error(window: &Measured, prices: Option<&Prices>, secure: bool) -> f64 {
    let work = Work {
        seconds: window.seconds,
        requests: window.requests as f64,
        bytes: window.bytes as f64,
        connections: window.connections as f64,
        secure,
    };
    let planned = prices.zip(window.speed_before_ns).and_then(|(prices, ns)| prices.cpu_s(&work, ns));
    planned.map_or(f64::INFINITY, |planned| planned / window.cpu_s - 1.0)
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}
