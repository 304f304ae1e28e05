//! Numbers of the catalogue as points of OTLP.

use super::messages::{
    AggregationTemporality, AnyValue, Data, Gauge, Histogram, HistogramDataPoint, KeyValue, MetricMessage,
    NumberDataPoint, Sum, Value,
};
use crate::export::bounds::Step;
use crate::export::series::{Labels, PREFIX, Series, Sort, unit};
use crate::stats::LatencySnapshot;

/// Collects metrics, all of one moment.
pub(super) struct Points {
    /// Start of the run, in nanoseconds of Unix time.
    start: u64,
    /// The moment.
    now: u64,
    metrics: Vec<MetricMessage>,
}

impl Points {
    pub(super) fn new(start: u64, now: u64) -> Self {
        Self { start, now, metrics: Vec::with_capacity(128) }
    }

    /// Returns the metrics that have points: what is not known is absent.
    pub(super) fn finish(mut self) -> Vec<MetricMessage> {
        self.metrics.retain(|metric| match &metric.data {
            Some(Data::Gauge(gauge)) => !gauge.data_points.is_empty(),
            Some(Data::Sum(sum)) => !sum.data_points.is_empty(),
            Some(Data::Histogram(histogram)) => !histogram.data_points.is_empty(),
            None => false,
        });
        self.metrics
    }

    fn point(&mut self, labels: Labels<'_>, value: Value) {
        let (start, now) = (self.start, self.now);
        let point = |start_time_unix_nano| NumberDataPoint {
            attributes: attributes(labels),
            start_time_unix_nano,
            time_unix_nano: now,
            value: Some(value),
        };
        match self.metrics.last_mut().and_then(|metric| metric.data.as_mut()) {
            // A gauge is about its moment only.
            Some(Data::Gauge(gauge)) => gauge.data_points.push(point(0)),
            Some(Data::Sum(sum)) => sum.data_points.push(point(start)),
            Some(Data::Histogram(_)) | None => {}
        }
    }
}

impl Series for Points {
    fn begin(&mut self, name: &'static str, sort: Sort, help: &'static str) {
        let aggregation_temporality = AggregationTemporality::Cumulative.into();
        let data = match sort {
            Sort::Info | Sort::Gauge => Data::Gauge(Gauge::default()),
            Sort::Counter => Data::Sum(Sum { aggregation_temporality, is_monotonic: true, ..Sum::default() }),
            Sort::Histogram => Data::Histogram(Histogram { aggregation_temporality, ..Histogram::default() }),
        };
        // Units as UCUM has them.
        let unit = match unit(name) {
            Some("seconds") => "s",
            Some("bytes") => "By",
            Some("ratio") => "1",
            _ => "",
        };
        self.metrics.push(MetricMessage {
            name: format!("{PREFIX}{name}"),
            description: help.to_owned(),
            unit: unit.to_owned(),
            data: Some(data),
        });
    }

    fn count(&mut self, labels: Labels<'_>, value: u64) {
        self.point(labels, Value::AsInt(i64::try_from(value).unwrap_or(i64::MAX)));
    }

    fn number(&mut self, labels: Labels<'_>, value: f64) {
        self.point(labels, Value::AsDouble(value));
    }

    fn histogram(&mut self, labels: Labels<'_>, values: &LatencySnapshot, step: Step, bounds: &[f64]) {
        let up_to = values.counts_up_to(bounds.iter().map(|bound| step.steps(*bound)));
        let mut below = 0;
        let buckets = up_to.into_iter().chain([values.count()]);
        let bucket_counts = buckets.map(|up_to| up_to.saturating_sub(std::mem::replace(&mut below, up_to)));
        let point = HistogramDataPoint {
            attributes: attributes(labels),
            start_time_unix_nano: self.start,
            time_unix_nano: self.now,
            count: values.count(),
            sum: Some(step.seconds(values.sum())),
            bucket_counts: bucket_counts.collect(),
            explicit_bounds: bounds.to_vec(),
        };
        if let Some(Data::Histogram(histogram)) =
            self.metrics.last_mut().and_then(|metric| metric.data.as_mut())
        {
            histogram.data_points.push(point);
        }
    }
}

/// Returns labels as attributes.
pub(super) fn attributes(labels: Labels<'_>) -> Vec<KeyValue> {
    let attribute = |(key, value): &(&str, &str)| KeyValue {
        key: (*key).to_owned(),
        value: Some(AnyValue { string_value: Some((*value).to_owned()) }),
    };
    labels.iter().map(attribute).collect()
}
