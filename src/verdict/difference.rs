//! Difference between two runs: whether it is more than the noise of either. Pure numbers.
//!
//! * Requests that follow each other resemble each other: several of them say as much as one. So only a part of them
//!   counts towards the certainty of a number.
//! * A difference that is certain may still be too small to matter: it must also exceed [`RELEVANT`].

/// Relative difference from which on a change matters.
pub const RELEVANT: f64 = 0.10;
/// Quantile of the normal distribution for a confidence of 99 %, both sides.
const Z: f64 = 2.576;
/// Number of requests that say as much as one independent request.
const ALIKE: f64 = 4.0;
/// Fewest values that have a quantile. To compare it with a very different one takes more, such as 505 for the 95th
/// percentile.
const FEWEST: u64 = 20;

/// Direction of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The second run is better.
    Better,
    /// No difference beyond noise.
    Same,
    /// The second run is worse.
    Worse,
    /// One of the runs has no such number, or too few values.
    Unknown,
}

impl Change {
    /// Returns the word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Same => "same",
            Self::Worse => "worse",
            Self::Unknown => "unknown",
        }
    }

    /// Returns the direction from `a` to `b`, if they differ and less is better.
    pub fn by(a: f64, b: f64) -> Self {
        if b > a { Self::Worse } else { Self::Better }
    }
}

/// A part of a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Portion {
    /// The part, such as the requests that failed.
    pub part: u64,
    /// The whole.
    pub whole: u64,
}

impl Portion {
    /// Returns the part as a share; `None` if there is no whole.
    pub fn share(self) -> Option<f64> {
        crate::vocabulary::share(self.part, self.whole)
    }
}

/// Compares two shares of which less is better, by a test of two proportions.
pub fn shares(a: Portion, b: Portion) -> Change {
    let Some((share_a, share_b)) = a.share().zip(b.share()) else { return Change::Unknown };
    let [whole_a, whole_b] = [a.whole, b.whole].map(|whole| (whole as f64 / ALIKE).max(1.0));
    let pooled = (share_a * whole_a + share_b * whole_b) / (whole_a + whole_b);
    let deviation = (pooled * (1.0 - pooled) * (1.0 / whole_a + 1.0 / whole_b)).sqrt();
    let is_certain = (share_a - share_b).abs() > Z * deviation;
    if is_certain && matters(share_a, share_b) { Change::by(share_a, share_b) } else { Change::Same }
}

/// Reports whether the difference of two numbers is large enough to matter.
pub fn matters(a: f64, b: f64) -> bool {
    (a - b).abs() > RELEVANT * a.abs().min(b.abs())
}

/// Values between which a quantile lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantile {
    /// Lower end of the confidence interval; infinite if there are too few values.
    pub low: f64,
    /// The quantile itself.
    pub value: f64,
    /// Upper end of the confidence interval; infinite if there are too few values.
    pub high: f64,
}

impl Quantile {
    /// Returns a quantile of the values in `buckets`, which are (upper end, count) in ascending order; `None` if there
    /// are too few values.
    pub fn new(buckets: &[(f64, u64)], quantile: f64) -> Option<Self> {
        let count: u64 = buckets.iter().map(|(_, count)| *count).sum();
        if count < FEWEST {
            return None;
        }
        let all = count as f64;
        // The rank of a quantile is distributed as the number of values below it.
        let deviation = Z * (quantile * (1.0 - quantile) / (all / ALIKE)).sqrt();
        let at = |share: f64| match share {
            // Too few values for a bound on this side: the quantile of another run may be anywhere beyond.
            _ if share <= 0.0 => Some(f64::NEG_INFINITY),
            _ if share >= 1.0 => Some(f64::INFINITY),
            _ => value_at(buckets, (share * all).ceil().max(1.0) as u64),
        };
        let value = value_at(buckets, (quantile.clamp(0.0, 1.0) * all).ceil().max(1.0) as u64)?;
        Some(Self { low: at(quantile - deviation)?, value, high: at(quantile + deviation)? })
    }

    /// Compares two quantiles of which less is better. A difference of at most `floor` is noise of the measurement.
    pub fn compare(a: Option<Self>, b: Option<Self>, floor: f64) -> Change {
        let Some((a, b)) = a.zip(b) else { return Change::Unknown };
        // The distances between each quantile and the end of its interval on the side of the other one.
        let (own, others) = if b.value > a.value {
            (a.high - a.value, b.value - b.low)
        } else {
            (a.value - a.low, b.high - b.value)
        };
        let (distance, noise) = ((a.value - b.value).abs(), own.hypot(others));
        if distance <= floor || !matters(a.value, b.value) {
            return Change::Same;
        }
        if noise.is_infinite() {
            // The values are too few for a bound between the two: a doubled quantile would look the same.
            return Change::Unknown;
        }
        if distance > noise { Change::by(a.value, b.value) } else { Change::Same }
    }
}

/// Returns the value of this rank, counted from 1.
fn value_at(buckets: &[(f64, u64)], rank: u64) -> Option<f64> {
    let mut below = 0;
    for (end, count) in buckets {
        below += count;
        if below >= rank {
            return Some(*end);
        }
    }
    buckets.last().map(|(end, _)| *end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns `count` values around `middle` that differ by up to a third, scaled by `factor`.
    fn spread(middle: f64, count: u64, factor: f64) -> Vec<(f64, u64)> {
        (0..count).map(|place| ((middle * (0.8 + 0.4 * place as f64 / count as f64)) * factor, 1)).collect()
    }

    fn medians(count: u64, factor: f64) -> Change {
        let [a, b] = [1.0, factor].map(|factor| Quantile::new(&spread(100.0, count, factor), 0.5));
        Quantile::compare(a, b, 0.0)
    }

    #[test]
    fn a_fifth_is_found_and_a_hundredth_is_not() {
        assert_eq!((medians(2_000, 1.2), medians(2_000, 1.0 / 1.2)), (Change::Worse, Change::Better));
        assert_eq!((medians(2_000, 1.01), medians(2_000, 1.0)), (Change::Same, Change::Same));
        assert_eq!((medians(30, 1.2), medians(5, 1.2)), (Change::Same, Change::Unknown));
        // Thirty values say little about their 95th percentile, however far apart they are.
        let [a, b] = [1.0, 3.0].map(|factor| Quantile::new(&spread(100.0, 30, factor), 0.95));
        assert_eq!(Quantile::compare(a, b, 0.0), Change::Unknown);
        assert_eq!(Quantile::compare(a, a, 0.0), Change::Same);
        let of_p95 = |count, factor| Quantile::new(&spread(100.0, count, factor), 0.95);
        assert_eq!(Quantile::compare(of_p95(504, 1.0), of_p95(504, 2.0), 0.0), Change::Unknown);
        assert_eq!(Quantile::compare(of_p95(505, 1.0), of_p95(505, 2.0), 0.0), Change::Worse);
        let of = |part| Portion { part, whole: 10_000 };
        assert_eq!(
            (shares(of(1_000), of(1_300)), shares(of(1_000), of(1_010))),
            (Change::Worse, Change::Same)
        );
        assert_eq!((shares(of(0), of(0)), shares(of(200), of(0))), (Change::Same, Change::Better));
        assert_eq!(shares(of(3), Portion::default()), Change::Unknown);
        assert_eq!(Change::Unknown.name(), "unknown");
    }

    #[test]
    fn a_difference_within_the_noise_of_the_measurement_is_none() {
        let [a, b] = [1.0, 1.2].map(|factor| Quantile::new(&spread(100.0, 2_000, factor), 0.5));
        assert_eq!(Quantile::compare(a, b, 30.0), Change::Same);
    }

    proptest! {
        #[test]
        fn a_run_never_differs_from_itself(values in proptest::collection::vec((0_u32..1_000_000, 1_u64..100), 1..50), q in 0.0..1.0_f64) {
            let mut buckets: Vec<(f64, u64)> = values.iter().map(|(end, count)| (f64::from(*end), *count)).collect();
            buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
            let of = Quantile::new(&buckets, q);
            prop_assert!(!matches!(Quantile::compare(of, of, 0.0), Change::Better | Change::Worse));
            if let Some(Quantile { low, value, high }) = of {
                prop_assert!(low <= value && value <= high);
            }
        }

        #[test]
        fn two_shares_are_compared_in_both_directions(a in 0_u64..500, b in 0_u64..500) {
            let of = |part| Portion { part, whole: 500 };
            let swapped = match shares(of(b), of(a)) {
                Change::Better => Change::Worse,
                Change::Worse => Change::Better,
                other => other,
            };
            prop_assert_eq!(shares(of(a), of(b)), swapped);
        }
    }
}
