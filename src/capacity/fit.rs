//! Prices from measured loads.
//!
//! Each price follows from a load of its own, in a fixed order. A least-squares fit over all of them would hide a wrong
//! measurement in the others; here it shows as a price below zero or as an error of the model.

use super::{
    Calibration, Floor, FloorLatency, Measured, Measurements, RatePoint, TestLoad, TransportCosts, Work,
};

/// Largest error of the model that a calibration may have: beyond it a price says little.
const MODEL_ERROR_MAX: f64 = 0.25;
/// Largest difference between the first and the last measurement of the same load. Processors that change their speed
/// under load differ by more.
const SPEED_APART: f64 = 0.15;

/// Reason why measurements give no prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// A load has no measurement, or nothing happened in it.
    #[error("the load '{}' ({}) produced no numbers", .0.name(), .0.words())]
    Missing(TestLoad),
    /// A price is not above zero.
    #[error("no price for {0}: another program disturbed the measurement")]
    NoPrice(&'static str),
}

/// Returns the microseconds of CPU in each second of a run without clients.
///
/// # Errors
/// [`Misfit::Missing`].
pub fn base_us_per_s(measurements: &Measurements) -> Result<f64, Misfit> {
    let idle = measured(measurements, TestLoad::Idle)?;
    Ok(idle.cpu_s * 1e6 / idle.seconds)
}

/// Returns the costs over one transport, on a machine with this number of processors.
///
/// # Errors
/// See [`Misfit`].
pub fn costs(base_us_per_s: f64, loads: &Measurements, processors: f64) -> Result<TransportCosts, Misfit> {
    let [quiet, middle, wide] = [
        measured(loads, TestLoad::Quiet)?,
        measured(loads, TestLoad::Middle)?,
        measured(loads, TestLoad::Wide)?,
    ];
    let [many, churn] = [measured(loads, TestLoad::Many)?, measured(loads, TestLoad::Churn)?];
    let byte_ns = byte_ns(middle, wide)?;
    // Nothing connects while a load is steady, except where it is the point.
    let mut request_us = Vec::new();
    for load in [quiet, middle, many] {
        let us = request_us_of(load, base_us_per_s, byte_ns)?;
        request_us.push(RatePoint { requests_per_s: load.requests as f64 / load.seconds, us });
    }
    request_us.sort_by(|one, next| one.requests_per_s.total_cmp(&next.requests_per_s));
    let mut costs = TransportCosts {
        requests_per_s_max: requests_per_s_max(loads, processors)?,
        bits_per_second_max: bits_per_second_max(loads, processors)?,
        request_us,
        byte_ns,
        connection_us: 0.0,
        client_bytes: client_bytes(middle, many)?,
        floor: floor(quiet)?,
    };
    costs.connection_us = connection_us(churn, base_us_per_s, &costs)?;
    Ok(costs)
}

/// Returns how far the price of [`TestLoad::Proof`] is from its CPU time, as a share of the latter.
///
/// # Errors
/// [`Misfit::Missing`].
pub fn model_error(calibration: &Calibration, loads: &Measurements, secure: bool) -> Result<f64, Misfit> {
    let missing = Misfit::Missing(TestLoad::Proof);
    let proof = measured(loads, TestLoad::Proof)?;
    let work = Work {
        seconds: proof.seconds,
        requests: proof.requests as f64,
        bytes: proof.bytes as f64,
        connections: proof.connections as f64,
        secure,
    };
    let price = calibration.cpu_s(&work, calibration.speed_ns).ok_or(missing)?;
    Some((price - proof.cpu_s).abs() / proof.cpu_s).filter(|error| error.is_finite()).ok_or(missing)
}

/// Returns the reasons not to believe measurements with one transport, one sentence each. `model_error` is the error
/// of their prices.
pub fn doubts(loads: &Measurements, model_error: f64) -> Vec<String> {
    let disturbed = loads.iter().filter(|(load, _)| load.is_paced()).filter_map(|(load, measured)| {
        let reason = measured.trust_reasons.first()?;
        Some(format!("this machine limited the load '{}': {reason}", load.name()))
    });
    let failed = loads.iter().filter(|(_, measured)| measured.failed > 0);
    let failed = failed.map(|(load, measured)| {
        format!(
            "the built-in origin failed {} of the requests of the load '{}'",
            measured.failed,
            load.name()
        )
    });
    let mut doubts: Vec<_> = disturbed.chain(failed).collect();
    let again = [TestLoad::Quiet, TestLoad::QuietAgain].map(|load| measured(loads, load).ok());
    if let [Some(first), Some(last)] = again.map(|load| load.map(cpu_per_request))
        && (last - first).abs() > SPEED_APART * first
    {
        doubts.push("the first load cost more than 15 % more or less CPU when it was repeated".to_owned());
    }
    if model_error > MODEL_ERROR_MAX {
        doubts.push(format!("the prices mispredict a test load by {:.0} %", model_error * 100.0));
    }
    doubts
}

/// Returns the numbers of a load that has some.
fn measured(loads: &Measurements, load: TestLoad) -> Result<&Measured, Misfit> {
    let is_there = |measured: &&Measured| {
        measured.seconds > 0.0 && measured.cpu_s > 0.0 && (measured.requests > 0 || load == TestLoad::Idle)
    };
    loads.get(&load).filter(is_there).ok_or(Misfit::Missing(load))
}

fn cpu_per_request(load: &Measured) -> f64 {
    load.cpu_s / load.requests as f64
}

fn price(value: f64, of: &'static str) -> Result<f64, Misfit> {
    if value.is_finite() && value > 0.0 { Ok(value) } else { Err(Misfit::NoPrice(of)) }
}

/// Returns the nanoseconds of CPU for a byte: two loads that differ only in the size of their segments.
fn byte_ns(small: &Measured, large: &Measured) -> Result<f64, Misfit> {
    let per_second = |load: &Measured| (load.cpu_s / load.seconds, load.bytes as f64 / load.seconds);
    let ((small_s, small_bytes), (large_s, large_bytes)) = (per_second(small), per_second(large));
    price((large_s - small_s) * 1e9 / (large_bytes - small_bytes), "a byte")
}

fn request_us_of(load: &Measured, base_us_per_s: f64, byte_ns: f64) -> Result<f64, Misfit> {
    let us = load.cpu_s * 1e6 - base_us_per_s * load.seconds - load.bytes as f64 * byte_ns / 1e3;
    price(us / load.requests as f64, "a request")
}

/// Returns the price of a connection: the CPU time of a load with many of them that its requests do not explain.
fn connection_us(churn: &Measured, base_us_per_s: f64, costs: &TransportCosts) -> Result<f64, Misfit> {
    let (requests, connections) = (churn.requests as f64, churn.connections as f64);
    let request_us = costs.request_us_at(requests / churn.seconds).ok_or(Misfit::Missing(TestLoad::Churn))?;
    let others =
        base_us_per_s * churn.seconds + requests * request_us + churn.bytes as f64 * costs.byte_ns / 1e3;
    price((churn.cpu_s * 1e6 - others) / connections, "a connection")
}

fn client_bytes(fewer: &Measured, more: &Measured) -> Result<f64, Misfit> {
    let [fewer_bytes, more_bytes] = [fewer, more].map(|load| load.resident_bytes.map(|bytes| bytes as f64));
    let bytes = more_bytes.zip(fewer_bytes).ok_or(Misfit::NoPrice("the memory of a client"))?;
    let clients = more.clients as f64 - fewer.clients as f64;
    price((bytes.0 - bytes.1) / clients, "the memory of a client")
}

/// Returns the requests that all processors could make. It follows from this program's own CPU alone: the origin beside
/// it takes a part of a small machine that an origin elsewhere would leave free.
fn requests_per_s_max(loads: &Measurements, processors: f64) -> Result<f64, Misfit> {
    let full = measured(loads, TestLoad::SmallRequests)?;
    price(processors * full.requests as f64 / full.cpu_s, "small requests")
}

fn bits_per_second_max(loads: &Measurements, processors: f64) -> Result<f64, Misfit> {
    let full = measured(loads, TestLoad::LargeBodies)?;
    price(processors * full.bytes as f64 * 8.0 / full.cpu_s, "large bodies")
}

fn floor(quiet: &Measured) -> Result<Floor, Misfit> {
    let there = |latency: Option<FloorLatency>| latency.ok_or(Misfit::Missing(TestLoad::Quiet));
    Ok(Floor {
        playlist_ttfb_us: there(quiet.playlist_ttfb_us)?,
        segment_ttfb_us: there(quiet.segment_ttfb_us)?,
        segment_us: there(quiet.segment_us)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::calibration_for_tests;
    use super::*;

    /// Price of a request on the scripted machine, at any rate.
    const REQUEST_US: f64 = 90.0;
    const BYTE_NS: f64 = 0.5;
    const CONNECTION_US: f64 = 400.0;
    const BASE_US_PER_S: f64 = 2_000.0;
    const CLIENT_BYTES: u64 = 11_000;

    /// Returns the numbers of ten seconds of a load on the scripted machine.
    fn load(clients: u64, requests: u64, bytes: u64, connections: u64) -> Measured {
        let us = BASE_US_PER_S * 10.0
            + requests as f64 * REQUEST_US
            + connections as f64 * CONNECTION_US
            + bytes as f64 * BYTE_NS / 1e3;
        let latency = Some(FloorLatency { p50: 200.0, p99: 700.0 });
        Measured {
            seconds: 10.0,
            cpu_s: us / 1e6,
            requests,
            bytes,
            connections,
            clients,
            resident_bytes: Some(20_000_000 + clients * CLIENT_BYTES),
            playlist_ttfb_us: latency,
            segment_ttfb_us: latency,
            segment_us: latency,
            ..Measured::default()
        }
    }

    fn loads() -> Measurements {
        let loads = [
            (TestLoad::Idle, load(0, 0, 0, 0)),
            (TestLoad::Quiet, load(50, 500, 2_000_000, 0)),
            (TestLoad::Middle, load(400, 4_000, 16_000_000, 0)),
            (TestLoad::Wide, load(400, 4_000, 1_500_000_000, 0)),
            (TestLoad::Many, load(1_600, 16_000, 64_000_000, 0)),
            (TestLoad::Churn, load(100, 6_000, 50_000_000, 1_000)),
            (TestLoad::SmallRequests, load(64, 200_000, 2_000_000_000, 0)),
            (TestLoad::LargeBodies, load(64, 2_000, 10_000_000_000, 0)),
            (TestLoad::Proof, load(300, 3_000, 560_000_000, 0)),
            (TestLoad::QuietAgain, load(50, 500, 2_000_000, 0)),
        ];
        loads.into()
    }

    fn is_near(value: f64, expected: f64) -> bool {
        (value - expected).abs() <= expected * 0.01
    }

    fn calibrated(loads: &Measurements) -> Result<Calibration, Misfit> {
        let base_us_per_s = base_us_per_s(loads)?;
        let plain = costs(base_us_per_s, loads, 2.0)?;
        Ok(Calibration { base_us_per_s, tls: plain.clone(), plain, ..calibration_for_tests() })
    }

    #[test]
    fn the_loads_of_a_known_machine_give_its_prices_back() {
        let loads = loads();
        let calibration = calibrated(&loads).expect("prices");
        let plain = &calibration.plain;
        assert!(is_near(calibration.base_us_per_s, BASE_US_PER_S), "{calibration:?}");
        assert!(is_near(plain.byte_ns, BYTE_NS), "{plain:?}");
        assert!(is_near(plain.connection_us, CONNECTION_US), "{plain:?}");
        assert!(is_near(plain.client_bytes, CLIENT_BYTES as f64), "{plain:?}");
        assert_eq!(plain.request_us.len(), 3);
        assert!(plain.request_us.iter().all(|point| is_near(point.us, REQUEST_US)), "{plain:?}");
        // Two processors, 95.1 us a request with its bytes and the rest of the process.
        assert!(is_near(plain.requests_per_s_max, 2e6 / 95.1), "{plain:?}");
        assert!(is_near(plain.bits_per_second_max, 2e9 * 8.0 / 0.52), "{plain:?}");
        assert_eq!(plain.floor.segment_us, FloorLatency { p50: 200.0, p99: 700.0 });
        let error = model_error(&calibration, &loads, false).expect("a proof");
        assert!(error < 0.01, "{error}");
        assert_eq!(doubts(&loads, error), [""; 0]);
        let written = serde_json::to_string(&calibration).expect("JSON");
        assert!(Calibration::parse(&written).is_ok(), "{written}");
    }

    #[test]
    fn a_price_below_zero_and_a_load_without_numbers_are_refused() {
        let with = |load: TestLoad, measured: Measured| {
            let mut loads = loads();
            loads.insert(load, measured);
            calibrated(&loads)
        };
        let cheap = Measured { cpu_s: 0.1, ..load(400, 4_000, 1_500_000_000, 0) };
        assert_eq!(with(TestLoad::Wide, cheap), Err(Misfit::NoPrice("a byte")));
        let same = load(400, 4_000, 16_000_000, 0);
        assert_eq!(with(TestLoad::Wide, same), Err(Misfit::NoPrice("a byte")), "0 / 0");
        let unconnected = load(100, 6_000, 50_000_000, 0);
        assert_eq!(with(TestLoad::Churn, unconnected), Err(Misfit::NoPrice("a connection")));
        let unknown = Measured { resident_bytes: None, ..load(1_600, 16_000, 64_000_000, 0) };
        assert_eq!(with(TestLoad::Many, unknown), Err(Misfit::NoPrice("the memory of a client")));
        for missing in
            TestLoad::ALL.into_iter().filter(|load| !matches!(load, TestLoad::Proof | TestLoad::QuietAgain))
        {
            assert_eq!(with(missing, Measured::default()), Err(Misfit::Missing(missing)));
        }
        let silent = Measured { segment_us: None, ..load(50, 500, 2_000_000, 0) };
        assert_eq!(with(TestLoad::Quiet, silent), Err(Misfit::Missing(TestLoad::Quiet)));
    }

    #[test]
    fn a_disturbed_load_another_speed_and_wrong_prices_are_doubts() {
        let mut loads = loads();
        let quiet = loads.get(&TestLoad::Quiet).cloned().expect("measured");
        let slower = Measured { cpu_s: quiet.cpu_s * 1.2, ..quiet.clone() };
        loads.insert(TestLoad::QuietAgain, slower);
        loads.insert(
            TestLoad::Wide,
            Measured {
                trust_reasons: vec!["loop lag 40 ms".to_owned()],
                ..load(400, 4_000, 1_500_000_000, 0)
            },
        );
        // A load without a pause is expected to be limited by this machine.
        loads.insert(
            TestLoad::LargeBodies,
            Measured {
                trust_reasons: vec!["cpu 99%".to_owned()],
                failed: 3,
                ..load(64, 2_000, 10_000_000_000, 0)
            },
        );
        assert_eq!(
            doubts(&loads, 0.3),
            [
                "this machine limited the load 'wide': loop lag 40 ms",
                "the built-in origin failed 3 of the requests of the load 'large_bodies'",
                "the first load cost more than 15 % more or less CPU when it was repeated",
                "the prices mispredict a test load by 30 %",
            ]
        );
        loads.insert(TestLoad::QuietAgain, Measured { cpu_s: quiet.cpu_s * 1.1, ..quiet });
        assert_eq!(doubts(&loads, 0.2).len(), 2);
    }
}
