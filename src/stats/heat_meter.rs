//! Takes from a histogram of the whole run what it has gained, for the heat map.

use super::heat::{HEAT_BUCKETS, Heat};
use super::latency::LatencySnapshot;

/// Follows one histogram of the run and takes what is new in it.
#[derive(Clone, Debug)]
pub struct HeatMeter {
    taken: [u64; HEAT_BUCKETS],
}

impl Default for HeatMeter {
    fn default() -> Self {
        Self { taken: [0; HEAT_BUCKETS] }
    }
}

impl HeatMeter {
    /// Adds to `heat` the values that the histogram has gained since it was last taken.
    pub fn take(&mut self, histogram: &LatencySnapshot, heat: &mut Heat) {
        let mut now = [0; HEAT_BUCKETS];
        histogram.add_to_heat(&mut now);
        for (bucket, (now, taken)) in now.into_iter().zip(&mut self.taken).enumerate() {
            heat.add_to(bucket, now.saturating_sub(*taken));
            *taken = now.max(*taken);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::latency_cells::Latencies;
    use crate::vocabulary::Timed;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_a_histogram_gains_is_in_the_bucket_of_its_value(
            values in proptest::collection::vec(proptest::collection::vec(0_u64..1 << 33, 0..20), 1..5),
        ) {
            let (latencies, mut meter) = (Latencies::default(), HeatMeter::default());
            let mut all = Heat::default();
            for second in values {
                let mut expected = Heat::default();
                for value in second {
                    latencies.record(Timed::Dns, value);
                    expected.record(value);
                }
                let (mut histogram, mut heat) = (LatencySnapshot::default(), Heat::default());
                latencies.add_to(Timed::Dns, &mut histogram);
                meter.take(&histogram, &mut heat);
                prop_assert_eq!(&heat, &expected);
                all.add(&heat);
                prop_assert_eq!(all.total(), histogram.count());
            }
        }
    }
}
