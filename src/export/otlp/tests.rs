//! The messages have the series of `/metrics`, and what collectors answer is understood.

use std::collections::BTreeMap;

use prost::Message as _;

use super::messages::{
    AggregationTemporality, Data, ExportMetricsPartialSuccess, ExportMetricsServiceRequest,
    ExportMetricsServiceResponse, HistogramDataPoint, KeyValue, MetricMessage, NumberDataPoint, Value,
};
use super::{accepted, request};
use crate::export::exposition::Format;
use crate::export::tests::{Played, facts, series, text};
use crate::sample::RunSample;

fn labels(attributes: &[KeyValue], more: Option<String>) -> String {
    let text = |attribute: &KeyValue| {
        let value = attribute.value.as_ref().and_then(|value| value.string_value.as_deref());
        format!("{}=\"{}\"", attribute.key, value.expect("a text"))
    };
    let pairs: Vec<_> = attributes.iter().map(text).chain(more).collect();
    if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) }
}

/// Returns the series that Prometheus would have of a metric.
fn flat(metric: &MetricMessage) -> Vec<(String, f64)> {
    let number = |point: &NumberDataPoint| {
        let value = match point.value.expect("a value") {
            Value::AsDouble(value) => value,
            Value::AsInt(value) => value as f64,
        };
        (format!("{}{}", metric.name, labels(&point.attributes, None)), value)
    };
    let histogram = |point: &HistogramDataPoint| {
        let mut count = 0;
        let ends = point.explicit_bounds.iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
        let buckets = ends.zip(&point.bucket_counts).map(|(end, more)| {
            count += more;
            let labels = labels(&point.attributes, Some(format!("le=\"{end}\"")));
            (format!("{}_bucket{labels}", metric.name), count as f64)
        });
        let mut flat: Vec<_> = buckets.collect();
        let labels = labels(&point.attributes, None);
        flat.push((format!("{}_sum{labels}", metric.name), point.sum.expect("a sum")));
        flat.push((format!("{}_count{labels}", metric.name), point.count as f64));
        flat
    };
    match metric.data.as_ref().expect("data") {
        Data::Gauge(gauge) => gauge.data_points.iter().map(number).collect(),
        Data::Sum(sum) => sum.data_points.iter().map(number).collect(),
        Data::Histogram(data) => data.data_points.iter().flat_map(histogram).collect(),
    }
}

#[test]
fn a_request_has_the_series_of_a_scrape() {
    let mut played = Played::new();
    let sample = played.sample();
    let bytes = request(&facts(true), &sample).expect("a whole sample");
    let read = ExportMetricsServiceRequest::decode(&*bytes).expect("a message");
    let [source] = &read.resource_metrics[..] else { panic!("{read:?}") };
    let attributes = labels(&source.resource.as_ref().expect("a resource").attributes, None);
    assert!(attributes.starts_with("{service.name=\"hlswarm\",service.version=\""), "{attributes}");
    assert!(attributes.ends_with("\",service.instance.id=\"7\"}"), "{attributes}");
    let metrics = &source.scope_metrics[0].metrics;
    let sent: BTreeMap<_, _> = metrics.iter().flat_map(flat).collect();
    let text = text(&sample, true, Format::Plain);
    let scraped: BTreeMap<_, _> =
        series(&text).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    assert!(scraped.len() > 300, "{}", scraped.len());
    assert_eq!(sent, scraped);
}

#[test]
fn counts_are_cumulative_since_the_start_and_units_are_those_of_names() {
    let mut played = Played::new();
    let (facts, sample) = (facts(false), played.sample());
    let start = facts.clock.started_at().as_nanosecond() as u64;
    let bytes = request(&facts, &sample).expect("a whole sample");
    let read = ExportMetricsServiceRequest::decode(&*bytes).expect("a message");
    let metrics = &read.resource_metrics[0].scope_metrics[0].metrics;
    let named = |name: &str| {
        let metric = metrics.iter().find(|metric| metric.name == format!("hls_swarm_{name}"));
        metric.unwrap_or_else(|| panic!("{name}"))
    };
    let cumulative = i32::from(AggregationTemporality::Cumulative);
    let now = start + sample.at.as_nanos() as u64;
    match named("play_seconds_total").data.as_ref() {
        Some(Data::Sum(sum)) => {
            let point = &sum.data_points[0];
            assert_eq!((sum.is_monotonic, sum.aggregation_temporality), (true, cumulative));
            assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (start, now));
        }
        other => panic!("{other:?}"),
    }
    match named("time_to_first_byte_seconds").data.as_ref() {
        Some(Data::Histogram(histogram)) => {
            let point = &histogram.data_points[0];
            assert_eq!(histogram.aggregation_temporality, cumulative);
            assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (start, now));
            assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
            assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
        }
        other => panic!("{other:?}"),
    }
    match named("active_clients").data.as_ref() {
        Some(Data::Gauge(gauge)) => assert_eq!(gauge.data_points[0].start_time_unix_nano, 0),
        other => panic!("{other:?}"),
    }
    for (name, unit) in [
        ("play_seconds_total", "s"),
        ("bytes_downloaded_total", ""),
        ("kind_bytes_total", "By"),
        ("rebuffer_ratio", "1"),
        ("played_bytes_per_second", ""),
        ("active_clients", ""),
    ] {
        let metric = named(name);
        assert_eq!(metric.unit, unit, "{name}");
        assert!(metric.description.ends_with('.'), "{metric:?}");
    }
    assert_eq!(request(&facts, &RunSample::default()), None, "a light sample");
}

#[test]
fn an_answer_says_what_was_rejected() {
    let partial = |rejected_data_points, error_message: &str| {
        let error_message = error_message.to_owned();
        let partial_success = Some(ExportMetricsPartialSuccess { rejected_data_points, error_message });
        accepted(&ExportMetricsServiceResponse { partial_success }.encode_to_vec())
    };
    assert_eq!(accepted(b""), Ok(()));
    assert_eq!(partial(0, "a hint"), Ok(()));
    assert_eq!(partial(3, "too old\u{1b}[2J"), Err("3 points were rejected: too old^[[2J".to_owned()));
    assert_eq!(accepted(b"<html>"), Err("the answer is not that of an OTLP collector".to_owned()));
}
