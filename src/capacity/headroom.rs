//! Results of a run compared with the calibration: the share of the capacity that was used, and latencies that are
//! about as short as this machine can measure them.

use super::{FloorLatency, TransportCosts};

/// Multiple of the floor up to which a latency is mostly this machine's own: half of it or more.
const FLOOR_FACTOR: f64 = 2.0;

impl TransportCosts {
    /// Returns the used share of the capacity in the busiest second: of the requests or of the bits, whichever is
    /// larger. `None` if one of them is unknown.
    pub fn used_share(&self, requests_per_s: Option<f64>, bits_per_second: Option<f64>) -> Option<f64> {
        let requests = requests_per_s? / self.requests_per_s_max;
        Some(requests.max(bits_per_second? / self.bits_per_second_max))
    }

    /// Returns the floor of the duration with this name in reports; `None` if none was measured.
    pub fn floor_of(&self, name: &str) -> Option<FloorLatency> {
        match name {
            "playlist_ttfb" => Some(self.floor.playlist_ttfb_us),
            "segment_ttfb" => Some(self.floor.segment_ttfb_us),
            "segment" => Some(self.floor.segment_us),
            _ => None,
        }
    }
}

impl FloorLatency {
    /// Reports whether a median and a 99th percentile are within twice the floor.
    pub fn is_reached_by(&self, [p50_us, p99_us]: [u64; 2]) -> [bool; 2] {
        [p50_us as f64 <= self.p50 * FLOOR_FACTOR, p99_us as f64 <= self.p99 * FLOOR_FACTOR]
    }
}

#[cfg(test)]
mod tests {
    use super::super::calibration_for_tests;

    #[test]
    fn the_used_share_is_that_of_the_scarcer_and_unknown_without_both() {
        let plain = calibration_for_tests().plain;
        assert_eq!(plain.used_share(Some(10_000.0), Some(0.9e9)), Some(0.25));
        assert_eq!(plain.used_share(Some(4_000.0), Some(4.5e9)), Some(0.5));
        assert_eq!([plain.used_share(None, Some(1.0)), plain.used_share(Some(1.0), None)], [None, None]);
    }

    #[test]
    fn a_latency_is_at_the_floor_up_to_twice_of_it() {
        let plain = calibration_for_tests().plain;
        for name in ["playlist_ttfb", "segment_ttfb", "segment"] {
            let floor = plain.floor_of(name).expect(name);
            assert_eq!(floor.is_reached_by([600, 1_200]), [true, true]);
            assert_eq!(floor.is_reached_by([601, 1_201]), [false, false]);
        }
        assert_eq!(plain.floor_of("dns"), None);
    }
}
