//! Options of OTLP: sends the metrics of a run to an OpenTelemetry collector.

use std::time::Duration;

use clap::Args;

use super::{Target, values};

/// Options of OTLP.
#[derive(Debug, Args)]
pub struct OtlpArgs {
    /// Send the metrics to this OpenTelemetry collector (OTLP over HTTP), such as http://127.0.0.1:4318, to which
    /// /v1/metrics is added; @FILE keeps a password in it off the command line [default: OTEL_EXPORTER_OTLP_ENDPOINT];
    /// headers are those of OTEL_EXPORTER_OTLP_HEADERS
    #[arg(long, value_name = "URL", help_heading = "Output")]
    pub otlp: Option<Target>,
    /// Time between two exports [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = values::otlp_interval, help_heading = "Output")]
    pub otlp_interval: Option<Duration>,
}
