//! Calibration of this machine: the CPU that a load costs here, as it was measured, and prices that follow from it.
//!
//! The price of a request depends on the rate of requests: a busy worker handles several in one turn. So it is a curve
//! over the rate, measured with paced loads. A saturated load would make a request look two to four times too cheap.
//! The price of a body is a curve over its length: a long one arrives in larger pieces, each for one wake-up.

use serde::{Deserialize, Serialize};

/// Version of the format.
pub const SCHEMA: &str = "hlswarm.calibration/3";

/// Difference of the allowed processors up to which a calibration still holds: a quota is a fraction.
const PROCESSORS_APART: f64 = 0.01;
/// Largest ratio of the speeds now and then for which a price holds. A machine that runs at half its speed is another
/// one: caches and kernel do not slow down alike.
const SPEED_RATIO_MAX: f64 = 2.0;
/// Maximum number of points of a curve: a selftest measures a handful.
const POINTS: usize = 64;

/// Calibration of one machine for one build of the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Calibration {
    /// Always `hlswarm.calibration/3`.
    pub schema: String,
    /// Version of the program that was measured.
    pub version: String,
    /// Identifier of the executable that was measured.
    pub build: String,
    /// Time of the measurement, RFC 3339.
    pub made_at: String,
    /// The machine that was measured.
    pub machine: Machine,
    /// Nanoseconds of CPU that one step of the speed measurement took, before a load.
    pub speed_ns: f64,
    /// Microseconds of CPU in each second of a run without clients.
    pub base_us_per_s: f64,
    /// Costs without TLS.
    pub plain: TransportCosts,
    /// Costs with TLS.
    pub tls: TransportCosts,
    /// Error of the prices for a load that they do not follow from, as a share: the median of the rounds, each of which
    /// was predicted from the others.
    pub model_error_share: f64,
    /// Noise of a single measurement of that load, as a share: the median distance of the rounds from their median. A
    /// short run may differ from its price by as much.
    pub spread_share: f64,
}

/// A machine, as far as it affects the costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Machine {
    /// Model of the processor.
    pub cpu_model: String,
    /// Processors that the process may use.
    pub cpus_allowed: f64,
    /// Release of the kernel.
    pub kernel: String,
}

/// Costs and limits of requests over one kind of transport.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TransportCosts {
    /// Most requests per second that the allowed processors can make.
    pub requests_per_s_max: f64,
    /// Most body bits per second that they can receive.
    pub bits_per_second_max: f64,
    /// Microseconds of CPU for a request, by the rate of requests, in rising order.
    pub request_us: Vec<RatePoint>,
    /// Microseconds of CPU for a body, by the mean length of bodies, in rising order: none for an empty one, and beyond
    /// the last point as much a byte as before it.
    pub body_us: Vec<BodyPoint>,
    /// Microseconds of CPU for a connection, its handshake included.
    pub connection_us: f64,
    /// Resident bytes of a client.
    pub client_bytes: f64,
    /// Shortest durations that this machine can measure.
    pub floor: Floor,
}

/// Price of a request at one rate of requests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RatePoint {
    /// Requests per second.
    pub requests_per_s: f64,
    /// Microseconds of CPU for each.
    pub us: f64,
}

/// Price of a body at one mean length of bodies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BodyPoint {
    /// Bytes of the mean body.
    pub bytes: f64,
    /// Microseconds of CPU for each.
    pub us: f64,
}

/// Shortest durations that this machine can measure, on its loopback interface.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Floor {
    /// Time to the first byte of a playlist.
    pub playlist_ttfb_us: FloorLatency,
    /// Time to the first byte of a segment.
    pub segment_ttfb_us: FloorLatency,
    /// Whole time of a segment.
    pub segment_us: FloorLatency,
}

/// Two percentiles of a duration, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FloorLatency {
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
}

/// Work of a load.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Length in seconds.
    pub seconds: f64,
    /// Requests.
    pub requests: f64,
    /// Body bytes.
    pub bytes: f64,
    /// Connections that are opened.
    pub connections: f64,
    /// True over TLS.
    pub secure: bool,
}

/// Reason why a calibration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalibrationError {
    /// The text is no calibration of this format.
    #[error("it is not in this version's format ({SCHEMA})")]
    Format,
    /// A number is missing its sense: negative, infinite, or out of order.
    #[error("it contains an impossible value")]
    Number,
    /// Another program was measured.
    #[error("it was made by another build of hlswarm")]
    Build,
    /// Another machine was measured, or its processors have changed.
    #[error("it was made on another machine, kernel or number of processors")]
    Machine,
}

impl Calibration {
    /// Reads a calibration and checks every number.
    ///
    /// # Errors
    /// [`CalibrationError::Format`] or [`CalibrationError::Number`].
    pub fn parse(text: &str) -> Result<Self, CalibrationError> {
        let calibration: Self = serde_json::from_str(text).map_err(|_| CalibrationError::Format)?;
        if calibration.schema != SCHEMA {
            return Err(CalibrationError::Format);
        }
        if calibration.has_sense() { Ok(calibration) } else { Err(CalibrationError::Number) }
    }

    /// Checks that this calibration was made here.
    ///
    /// # Errors
    /// [`CalibrationError::Build`] or [`CalibrationError::Machine`].
    pub fn check(&self, machine: &Machine, version: &str, build: &str) -> Result<(), CalibrationError> {
        if self.version != version || self.build != build {
            return Err(CalibrationError::Build);
        }
        let same = self.machine.cpu_model == machine.cpu_model && self.machine.kernel == machine.kernel;
        let apart = (self.machine.cpus_allowed - machine.cpus_allowed).abs() / machine.cpus_allowed;
        if same && apart <= PROCESSORS_APART { Ok(()) } else { Err(CalibrationError::Machine) }
    }

    fn has_sense(&self) -> bool {
        let above_zero = [self.speed_ns, self.machine.cpus_allowed];
        let at_least_zero = [self.base_us_per_s, self.model_error_share, self.spread_share];
        above_zero.into_iter().all(|number| number.is_finite() && number > 0.0)
            && at_least_zero.into_iter().all(|number| number.is_finite() && number >= 0.0)
            && [&self.plain, &self.tls].into_iter().all(TransportCosts::has_sense)
    }

    /// Returns the costs over this kind of transport.
    pub fn costs(&self, secure: bool) -> &TransportCosts {
        if secure { &self.tls } else { &self.plain }
    }

    /// Reports whether the prices hold at this speed.
    pub fn holds_at(&self, speed_ns: f64) -> bool {
        let ratio = speed_ns / self.speed_ns;
        (1.0 / SPEED_RATIO_MAX..=SPEED_RATIO_MAX).contains(&ratio)
    }

    /// Returns the CPU time of a load in seconds. `speed_ns` is the speed of the machine now; `None` if the work has
    /// no length, or if the speed is too far from the calibrated one.
    pub fn cpu_s(&self, work: &Work, speed_ns: f64) -> Option<f64> {
        let us = self.costs(work.secure).cpu_us(self.base_us_per_s, work)?;
        self.holds_at(speed_ns).then_some(us / 1e6 * speed_ns / self.speed_ns)
    }
}

impl TransportCosts {
    fn has_sense(&self) -> bool {
        let above_zero = [self.requests_per_s_max, self.bits_per_second_max, self.client_bytes];
        let floor = [self.floor.playlist_ttfb_us, self.floor.segment_ttfb_us, self.floor.segment_us];
        let bodies = self.body_us.iter().map(|point| point.us);
        let at_least_zero = bodies.chain([self.connection_us]);
        let rises = self.request_us.is_sorted_by(|one, next| one.requests_per_s < next.requests_per_s)
            && self.body_us.is_sorted_by(|one, next| one.bytes < next.bytes && one.us <= next.us);
        let lengths = self.body_us.iter().map(|point| point.bytes);
        let points = self.request_us.iter().flat_map(|point| [point.requests_per_s, point.us]).chain(lengths);
        let mut positive = above_zero.into_iter().chain(points);
        let floors = floor.into_iter().flat_map(|floor| [floor.p50, floor.p99]);
        positive.all(|number| number.is_finite() && number > 0.0)
            && at_least_zero.chain(floors).all(|number| number.is_finite() && number >= 0.0)
            && [self.request_us.len(), self.body_us.len()].iter().all(|points| (1..=POINTS).contains(points))
            && rises
    }

    /// Returns the microseconds of CPU of a load at the calibrated speed, `base_us_per_s` of each second being those of
    /// a run without clients; `None` if the work has no length.
    pub(super) fn cpu_us(&self, base_us_per_s: f64, work: &Work) -> Option<f64> {
        if work.seconds <= 0.0 {
            return None;
        }
        let request_us = self.request_us_at(work.requests / work.seconds)?;
        let mean_bytes = if work.requests > 0.0 { work.bytes / work.requests } else { 0.0 };
        Some(
            base_us_per_s * work.seconds
                + work.requests * (request_us + self.body_us_at(mean_bytes))
                + work.connections * self.connection_us,
        )
    }

    /// Returns the price of a request. Between two measured rates, the CPU of a second grows by the same amount with each
    /// request: wake-ups are shared, so that the first requests of a second are the dear ones. Beyond the measured rates
    /// the price is that of the nearest one.
    pub(super) fn request_us_at(&self, requests_per_s: f64) -> Option<f64> {
        let (first, last) = (self.request_us.first()?, self.request_us.last()?);
        if requests_per_s <= first.requests_per_s {
            return Some(first.us);
        }
        let between = self.request_us.windows(2).find_map(|pair| match pair {
            [low, high] if requests_per_s <= high.requests_per_s => Some((low, high)),
            _ => None,
        });
        let Some((low, high)) = between else { return Some(last.us) };
        let share = (requests_per_s - low.requests_per_s) / (high.requests_per_s - low.requests_per_s);
        let [low_us, high_us] = [low, high].map(|point| point.us * point.requests_per_s);
        Some((low_us + share * (high_us - low_us)) / requests_per_s)
    }

    /// Returns the price of a body, if bodies have this mean length.
    pub(super) fn body_us_at(&self, mean_bytes: f64) -> f64 {
        let (mut low, mut us) = (BodyPoint { bytes: 0.0, us: 0.0 }, 0.0);
        for high in &self.body_us {
            us = low.us + (mean_bytes - low.bytes) * (high.us - low.us) / (high.bytes - low.bytes);
            if mean_bytes <= high.bytes {
                break;
            }
            low = *high;
        }
        us
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns a calibration of a machine that needs 100 us for a request at 100 per second and 50 us at 10,000.
    pub(crate) fn calibration() -> Calibration {
        let latency = FloorLatency { p50: 300.0, p99: 600.0 };
        let floor = Floor { playlist_ttfb_us: latency, segment_ttfb_us: latency, segment_us: latency };
        let plain = TransportCosts {
            requests_per_s_max: 40_000.0,
            bits_per_second_max: 9e9,
            request_us: vec![
                RatePoint { requests_per_s: 100.0, us: 100.0 },
                RatePoint { requests_per_s: 10_000.0, us: 50.0 },
            ],
            body_us: vec![BodyPoint { bytes: 100_000.0, us: 50.0 }],
            connection_us: 200.0,
            client_bytes: 11_000.0,
            floor,
        };
        let tls = TransportCosts { connection_us: 2_000.0, client_bytes: 120_000.0, ..plain.clone() };
        Calibration {
            schema: SCHEMA.to_owned(),
            version: "1.0.0".to_owned(),
            build: "b".to_owned(),
            made_at: "2026-01-01T00:00:00Z".to_owned(),
            machine: Machine { cpu_model: "m".to_owned(), cpus_allowed: 2.0, kernel: "6".to_owned() },
            speed_ns: 10.0,
            base_us_per_s: 1_000.0,
            plain,
            tls,
            model_error_share: 0.05,
            spread_share: 0.04,
        }
    }

    #[test]
    fn a_request_costs_less_at_a_higher_rate_and_the_speed_of_the_machine_counts() {
        let calibration = calibration();
        let of = |requests: f64| {
            let work = Work { seconds: 10.0, requests, ..Work::default() };
            (calibration.cpu_s(&work, 10.0).expect("a price") - 0.01) * 1e6 / requests
        };
        for (rate, us) in
            [(10.0, 100.0), (100.0, 100.0), (1_000.0, 600.0 / 11.0), (10_000.0, 50.0), (1e6, 50.0)]
        {
            assert!((of(rate * 10.0) - us).abs() < 1e-6, "{rate}: {}", of(rate * 10.0));
        }
        let work = Work { seconds: 10.0, requests: 1e3, bytes: 1e9, connections: 100.0, secure: true };
        let price = calibration.cpu_s(&work, 10.0).expect("a price");
        assert!((price - (0.01 + 0.1 + 0.5 + 0.2)).abs() < 1e-9, "{price}");
        assert_eq!(calibration.cpu_s(&work, 20.0), Some(2.0 * price), "half as fast");
        assert_eq!(calibration.cpu_s(&Work::default(), 10.0), None);
        assert!(calibration.cpu_s(&work, 5.0).is_some());
        for another in [4.9, 20.1, f64::NAN, f64::INFINITY, 0.0] {
            assert_eq!(calibration.cpu_s(&work, another), None, "{another}");
        }
    }

    #[test]
    fn the_price_of_a_body_follows_its_length() {
        let bodies = [(50_000.0, 40.0), (150_000.0, 60.0)].map(|(bytes, us)| BodyPoint { bytes, us });
        let costs = TransportCosts { body_us: bodies.to_vec(), ..calibration().plain };
        for (bytes, us) in
            [(0.0, 0.0), (25e3, 20.0), (50e3, 40.0), (100e3, 50.0), (150e3, 60.0), (350e3, 100.0)]
        {
            assert_eq!(costs.body_us_at(bytes), us, "{bytes}");
        }
    }

    #[test]
    fn a_calibration_is_read_back_and_one_that_no_measurement_gives_is_refused() {
        let good = serde_json::to_value(calibration()).expect("JSON");
        assert_eq!(Calibration::parse(&good.to_string()), Ok(calibration()));
        for (pointer, value, expected) in [
            ("/schema", serde_json::json!("hlswarm.calibration/2"), CalibrationError::Format),
            ("/speed_ns", serde_json::json!(0.0), CalibrationError::Number),
            ("/plain/body_us", serde_json::json!([]), CalibrationError::Number),
            ("/plain/body_us/0/us", serde_json::json!(-1.0), CalibrationError::Number),
            ("/plain/body_us/0/bytes", serde_json::json!(0), CalibrationError::Number),
            ("/tls/client_bytes", serde_json::json!(0), CalibrationError::Number),
            ("/plain/request_us", serde_json::json!([]), CalibrationError::Number),
            ("/plain/request_us/1/requests_per_s", serde_json::json!(100.0), CalibrationError::Number),
            ("/machine", serde_json::json!(null), CalibrationError::Format),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(pointer).expect(pointer) = value;
            assert_eq!(Calibration::parse(&bad.to_string()), Err(expected), "{pointer}");
        }
        for text in ["", "[]", "not JSON", "{}"] {
            assert_eq!(Calibration::parse(text), Err(CalibrationError::Format), "{text}");
        }
    }

    #[test]
    fn a_calibration_of_another_build_or_machine_is_not_used() {
        let (made, here) = (calibration(), calibration().machine);
        assert_eq!(made.check(&here, "1.0.0", "b"), Ok(()));
        assert_eq!(made.check(&here, "1.0.1", "b"), Err(CalibrationError::Build));
        assert_eq!(made.check(&here, "1.0.0", "c"), Err(CalibrationError::Build));
        let more = Machine { cpus_allowed: 2.1, ..here.clone() };
        assert_eq!(made.check(&more, "1.0.0", "b"), Err(CalibrationError::Machine));
        let other = Machine { cpu_model: "n".to_owned(), ..here };
        assert_eq!(made.check(&other, "1.0.0", "b"), Err(CalibrationError::Machine));
    }
}
