//! Prices from the medians of measured loads.
//!
//! Each price follows from a load of its own, in a fixed order. A least-squares fit over all of them would hide a wrong
//! measurement in the others; here it shows as a price that is impossible or as an error of the proof.

use super::Misfit;
use super::typical::{Typical, speed};
use crate::capacity::{BodyPoint, Floor, FloorLatency, RatePoint, Round, TestLoad, TransportCosts, Work};

/// Prices that follow from some rounds.
#[derive(Clone, Debug)]
pub(super) struct Prices {
    /// Nanoseconds of CPU of one step of the speed measurement, before a load.
    pub speed_ns: f64,
    pub base_us_per_s: f64,
    pub plain: TransportCosts,
    pub tls: TransportCosts,
}

impl Prices {
    /// Fits prices to rounds, on a machine with this number of processors.
    pub fn new(rounds: &[&Round], processors: f64) -> Result<Self, Misfit> {
        let beside_ns = speed(rounds, |window| window.speed_beside_ns)?;
        let base_us_per_s = Typical::new(rounds, TestLoad::Idle, false, beside_ns)?.cpu_us;
        let costs = |secure| {
            let of = |load| Typical::new(rounds, load, secure, beside_ns);
            costs(base_us_per_s, &of, processors)
        };
        Ok(Self {
            speed_ns: speed(rounds, |window| window.speed_before_ns)?,
            base_us_per_s,
            plain: costs(false)?,
            tls: costs(true)?,
        })
    }

    /// Returns the CPU time of a load in seconds, on a machine of this speed.
    pub fn cpu_s(&self, work: &Work, speed_ns: f64) -> Option<f64> {
        let costs = if work.secure { &self.tls } else { &self.plain };
        Some(costs.cpu_us(self.base_us_per_s, work)? / 1e6 * speed_ns / self.speed_ns)
    }
}

/// Returns the costs over one transport.
fn costs(
    base_us_per_s: f64,
    of: &dyn Fn(TestLoad) -> Result<Typical, Misfit>,
    processors: f64,
) -> Result<TransportCosts, Misfit> {
    let [quiet, middle, many] = [of(TestLoad::Quiet)?, of(TestLoad::Middle)?, of(TestLoad::Many)?];
    let mut costs = TransportCosts {
        requests_per_s_max: requests_per_s_max(&of(TestLoad::SmallRequests)?, processors)?,
        bits_per_second_max: bits_per_second_max(&of(TestLoad::LargeBodies)?, processors)?,
        request_us: Vec::new(),
        body_us: body_us(&[&middle, &of(TestLoad::Medium)?, &of(TestLoad::Wide)?])?,
        connection_us: 0.0,
        client_bytes: client_bytes(&middle, &many)?,
        floor: floor(&quiet)?,
    };
    // Nothing connects while a load is steady, except where it is the point.
    for load in [&quiet, &middle, &many] {
        let us = request_us(load, base_us_per_s, &costs)?;
        costs.request_us.push(RatePoint { requests_per_s: load.requests, us });
    }
    costs.request_us.sort_by(|one, next| one.requests_per_s.total_cmp(&next.requests_per_s));
    costs.connection_us = connection_us(&of(TestLoad::Churn)?, base_us_per_s, &costs)?;
    Ok(costs)
}

fn price(value: f64, of: &'static str) -> Result<f64, Misfit> {
    if value.is_finite() && value > 0.0 { Ok(value) } else { Err(Misfit::NoPrice(of)) }
}

/// Returns a price that may be too small to be measured, and is zero then: the kernel discards the bytes of segments
/// without TLS for almost nothing. A difference that noise has made negative shows as an error of its load in the proof.
fn small_price(value: f64, of: &'static str) -> Result<f64, Misfit> {
    if value.is_finite() { Ok(value.max(0.0)) } else { Err(Misfit::NoPrice(of)) }
}

/// Returns the price of a body over its length, from loads that differ only in the size of their segments, in rising
/// order. The first point is that of the second load: from an empty body on, a byte costs as between the first two.
fn body_us(loads: &[&Typical]) -> Result<Vec<BodyPoint>, Misfit> {
    let mut points = Vec::new();
    let mut last = BodyPoint { bytes: 0.0, us: 0.0 };
    for pair in loads.windows(2) {
        let [small, large] = pair else { continue };
        let byte_us = small_price((large.cpu_us - small.cpu_us) / (large.bytes - small.bytes), "a byte")?;
        let longer = price(large.bytes / large.requests - last.bytes, "a byte")?;
        last = BodyPoint { bytes: last.bytes + longer, us: last.us + longer * byte_us };
        points.push(last);
    }
    Ok(points)
}

fn request_us(load: &Typical, base_us_per_s: f64, costs: &TransportCosts) -> Result<f64, Misfit> {
    let us = (load.cpu_us - base_us_per_s) / load.requests;
    price(us - costs.body_us_at(load.bytes / load.requests), "a request")
}

/// Returns the price of a connection: the CPU time of a load with many of them that its requests do not explain.
fn connection_us(churn: &Typical, base_us_per_s: f64, costs: &TransportCosts) -> Result<f64, Misfit> {
    let request_us = costs.request_us_at(churn.requests).ok_or(Misfit::Missing(TestLoad::Churn))?;
    let body_us = costs.body_us_at(churn.bytes / churn.requests);
    let others = base_us_per_s + churn.requests * (request_us + body_us);
    small_price((churn.cpu_us - others) / churn.connections, "a connection")
}

fn client_bytes(fewer: &Typical, more: &Typical) -> Result<f64, Misfit> {
    let bytes = more.resident_bytes.zip(fewer.resident_bytes);
    let (more_bytes, fewer_bytes) = bytes.ok_or(Misfit::NoPrice("the memory of a client"))?;
    price((more_bytes - fewer_bytes) / (more.clients - fewer.clients), "the memory of a client")
}

/// Returns the requests that all processors could make. It follows from this program's own CPU alone: the origin beside
/// it takes a part of a small machine that an origin elsewhere would leave free.
fn requests_per_s_max(full: &Typical, processors: f64) -> Result<f64, Misfit> {
    price(processors * full.requests_per_cpu_s, "small requests")
}

fn bits_per_second_max(full: &Typical, processors: f64) -> Result<f64, Misfit> {
    price(processors * full.bytes_per_cpu_s * 8.0, "large bodies")
}

fn floor(quiet: &Typical) -> Result<Floor, Misfit> {
    let there = |latency: Option<FloorLatency>| latency.ok_or(Misfit::Missing(TestLoad::Quiet));
    Ok(Floor {
        playlist_ttfb_us: there(quiet.playlist_ttfb_us)?,
        segment_ttfb_us: there(quiet.segment_ttfb_us)?,
        segment_us: there(quiet.segment_us)?,
    })
}
