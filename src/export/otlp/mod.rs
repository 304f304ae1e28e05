//! The metrics of a run as OTLP, the protocol of OpenTelemetry: what `/metrics` has, for a collector that is sent them.
//!
//! The messages are declared here and encoded by `prost`, which builds in a third of the time of `opentelemetry-proto`: that
//! has the messages of all signals, and depends on the SDK of OpenTelemetry. `opentelemetry-otlp` sends only what that SDK
//! has counted itself.

mod messages;
mod points;
#[cfg(test)]
mod tests;

use std::time::Duration;

use prost::Message as _;

use super::catalogue::give;
use super::scrape::{RunFacts, Scrape};
use crate::sample::RunSample;
use crate::vocabulary::Untrusted;
use messages::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse, InstrumentationScope, Resource,
    ResourceMetrics, ScopeMetrics,
};
use points::{Points, attributes};

/// Media type of a request and its response.
pub const CONTENT_TYPE: &str = "application/x-protobuf";

/// Returns the request that brings the numbers of a sample; `None` if that is not a whole one.
pub fn request(facts: &RunFacts, sample: &RunSample) -> Option<Vec<u8>> {
    let scrape = Scrape::new(facts, sample)?;
    let start = u64::try_from(facts.clock.started_at().as_nanosecond()).unwrap_or_default();
    let mut points = Points::new(start, start.saturating_add(nanoseconds(sample.at)));
    give(&scrape, &mut points);
    let (identity, name) = (&facts.identity, "hlswarm");
    let resource = [
        ("service.name", name),
        ("service.version", &*identity.version),
        ("service.instance.id", &*identity.run_id),
    ];
    let scope = InstrumentationScope { name: name.to_owned(), version: identity.version.to_string() };
    let request = ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(Resource { attributes: attributes(&resource) }),
            scope_metrics: vec![ScopeMetrics { scope: Some(scope), metrics: points.finish() }],
        }],
    };
    Some(request.encode_to_vec())
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Reads the body of a response whose status is 200.
///
/// # Errors
/// Returns the reason for which the collector did not take all points, in words that may be shown.
pub fn accepted(body: &[u8]) -> Result<(), String> {
    let Ok(response) = ExportMetricsServiceResponse::decode(body) else {
        return Err("the answer is not that of an OTLP collector".to_owned());
    };
    match response.partial_success {
        Some(partial) if partial.rejected_data_points > 0 => {
            let (points, why) =
                (partial.rejected_data_points, Untrusted::new(&partial.error_message).shown());
            Err(format!("{points} points were rejected: {why}"))
        }
        // A message without rejected points is only a hint.
        _ => Ok(()),
    }
}
