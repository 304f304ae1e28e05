//! Dealing by shares: who of several gets the next client, so that among any number of first clients each has its share,
//! to less than one client.
//!
//! * It is the rule of Tijdeman (The chairman assignment problem, 1980), in whole numbers. Dealing at random keeps
//!   shares only on average; one after the other in blocks keeps them only at the end of a block.
//! * Where several may follow, chance decides: two lists of shares that are dealt together must not fall into step.

use rand::{RngExt as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Deals by shares, without an end.
#[derive(Clone, Debug)]
pub struct Shares {
    weights: Vec<u32>,
    /// Number of times that each was dealt.
    dealt: Vec<u64>,
    random: Xoshiro256PlusPlus,
}

impl Shares {
    /// Creates the dealer of these weights, at least one of which is above zero. Equal seeds deal equally.
    pub fn new(weights: &[u32], seed: u64) -> Self {
        let random = Xoshiro256PlusPlus::seed_from_u64(seed);
        Self { weights: weights.to_vec(), dealt: vec![0; weights.len()], random }
    }

    /// Deals once, and returns the place in the list of weights.
    pub fn deal(&mut self) -> usize {
        let next = self.next();
        if let Some(dealt) = self.dealt.get_mut(next) {
            *dealt += 1;
        }
        next
    }

    /// Chooses among those that must not wait longer, first the one whose time runs out first.
    fn next(&mut self) -> usize {
        let sum: i128 = self.weights.iter().map(|weight| i128::from(*weight)).sum();
        let turn = i128::from(self.dealt.iter().sum::<u64>()) + 1;
        // An error of one less this part is what no order can avoid.
        let parts = 2 * self.weights.len().saturating_sub(1).max(1) as i128;
        let lags = self.weights.iter().zip(&self.dealt).enumerate().filter_map(|(place, (weight, dealt))| {
            let weight = i128::from(*weight);
            let lag = (turn * weight - sum * i128::from(*dealt)) * parts;
            (weight > 0 && lag >= sum).then(|| (place, weight, (parts - 1) * sum - lag))
        });
        let lags: Vec<_> = lags.collect();
        // The time that is left, as a fraction with the weight below the line.
        let is_sooner = |(_, weight, left): &(usize, i128, i128), (_, than, other): &(usize, i128, i128)| {
            (left * than).cmp(&(other * weight))
        };
        let soonest = lags.iter().copied().min_by(is_sooner);
        let first: Vec<_> = lags
            .into_iter()
            .filter(|lag| soonest.is_some_and(|other| is_sooner(lag, &other).is_eq()))
            .collect();
        let chosen = if first.len() > 1 { self.random.random_range(0..first.len()) } else { 0 };
        first.get(chosen).map_or(0, |(place, ..)| *place)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the largest difference of a count from its share, among this many first clients.
    fn off(weights: &[u32], seed: u64, count: u64) -> f64 {
        let (mut shares, mut dealt) = (Shares::new(weights, seed), vec![0_u64; weights.len()]);
        let sum: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
        let mut worst = 0.0_f64;
        for turn in 1..=count {
            dealt[shares.deal()] += 1;
            let differences = weights.iter().zip(&dealt);
            let differences = differences
                .map(|(weight, dealt)| (turn as f64 * f64::from(*weight) / sum - *dealt as f64).abs());
            worst = differences.fold(worst, f64::max);
        }
        worst
    }

    #[test]
    fn a_share_of_three_quarters_is_three_of_four() {
        let mut shares = Shares::new(&[3, 1], 1);
        let dealt: Vec<_> = (0..400).map(|_| shares.deal()).collect();
        assert!(
            dealt.chunks(4).all(|four| four.iter().filter(|place| **place == 1).count() == 1),
            "{dealt:?}"
        );
        let mut shares = Shares::new(&[5], 1);
        assert!((0..9).all(|_| shares.deal() == 0));
        let mut shares = Shares::new(&[0, 2], 1);
        assert!((0..9).all(|_| shares.deal() == 1));
    }

    #[test]
    fn chance_decides_where_several_may_follow() {
        let dealt = |seed| {
            let mut shares = Shares::new(&[1, 1], seed);
            (0..64).map(|_| shares.deal()).collect::<Vec<_>>()
        };
        assert_eq!(dealt(1), dealt(1));
        assert_ne!(dealt(1), dealt(2));
        let alternates = |dealt: &[usize]| dealt.windows(2).all(|two| two[0] != two[1]);
        assert!(!alternates(&dealt(1)), "{:?}", dealt(1));
    }

    proptest! {
        #[test]
        fn every_number_of_first_clients_is_shared_to_less_than_one_client(
            weights in prop::collection::vec(1_u32..10_000, 1..9),
            seed: u64,
        ) {
            let worst = off(&weights, seed, 2_000);
            prop_assert!(worst < 1.0, "{worst}");
        }
    }
}
