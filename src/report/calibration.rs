//! The calibration of this machine in the report of a run: the share of the capacity that was used, and latencies at
//! the floor.

use std::sync::Arc;

use serde::Serialize;

use super::TrustReport;
use super::cells::{floor_legend, percent};
use super::doc::Doc;
use super::page::Page;
use crate::capacity::{Calibration, TransportCosts};
use crate::sample::RunSample;
use crate::vocabulary::RunIdentity;

/// The calibration of this machine, or the reason why none is used.
pub type Calibrated = Result<Arc<Calibration>, Arc<str>>;

/// The run compared with what this machine could do when `hlswarm selftest` measured it, on the loopback interface.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CalibrationReport {
    /// Time of the calibration, RFC 3339.
    pub made_at: String,
    /// True if the numbers are those over TLS, because the target is `https:`.
    pub secure: bool,
    /// Requests per second in the busiest second of the run; `null`: it lasted less than a second.
    pub requests_per_s_peak: Option<f64>,
    /// Most requests per second that this machine can make.
    pub requests_per_s_max: f64,
    /// Most body bits per second that it can receive.
    pub bits_per_second_max: f64,
    /// Used share of the capacity in the busiest second: of the requests or of the bits, whichever is larger.
    pub capacity_share: Option<f64>,
    /// Error of the calibration's prices for a load that was measured and not used for them.
    pub model_error_share: f64,
}

/// Percentiles that are within twice the shortest latency that this machine can measure: they say more about this
/// machine than about the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AtFloor {
    /// True if the median is at the floor.
    pub p50: bool,
    /// True if the 99th percentile is at the floor.
    pub p99: bool,
}

/// Returns the calibrated costs that apply to the target of a run.
pub fn costs<'a>(calibrated: &'a Calibrated, identity: &RunIdentity) -> Option<&'a TransportCosts> {
    calibrated.as_ref().ok().map(|calibration| calibration.costs(is_secure(identity)))
}

fn is_secure(identity: &RunIdentity) -> bool {
    identity.target.starts_with("https:")
}

/// Returns whether these percentiles of the duration `name` are at the floor; `None` if it has none.
pub(super) fn at_floor(costs: Option<&TransportCosts>, name: &str, percentiles: [u64; 2]) -> Option<AtFloor> {
    let [p50, p99] = costs?.floor_of(name)?.is_reached_by(percentiles);
    Some(AtFloor { p50, p99 })
}

/// Adds the calibration to the trust in a result.
pub(super) fn add(
    trust: &mut TrustReport,
    calibrated: &Calibrated,
    identity: &RunIdentity,
    sample: &RunSample,
) {
    match calibrated {
        Ok(calibration) => {
            let secure = is_secure(identity);
            let costs = calibration.costs(secure);
            let peak = sample.peak_requests_per_second;
            trust.calibration = Some(CalibrationReport {
                made_at: calibration.made_at.clone(),
                secure,
                requests_per_s_peak: peak,
                requests_per_s_max: costs.requests_per_s_max,
                bits_per_second_max: costs.bits_per_second_max,
                capacity_share: costs.used_share(peak, sample.peak_bits_per_second),
                model_error_share: calibration.model_error_share,
            });
        }
        Err(reason) => trust.uncalibrated_because = Some(reason.to_string()),
    }
}

/// Writes the used share of the capacity, or why it is unknown.
pub(super) fn line(doc: &Doc, page: &mut Page) {
    let reason = doc.at("/trust/uncalibrated_because");
    if reason.is_known() {
        page.line(format!("        not calibrated: {}; see 'hlswarm selftest'", reason.word()));
    }
    let calibration = doc.at("/trust/calibration");
    if !calibration.is_known() {
        return;
    }
    let date: String = calibration.at("/made_at").word().chars().take(10).collect();
    let legend = floor_legend(doc).map_or(String::new(), |legend| format!("; {legend}"));
    page.line(format!(
        "        used {} of calibrated capacity (loopback, {date}){legend}",
        percent(calibration.at("/capacity_share"))
    ));
}
