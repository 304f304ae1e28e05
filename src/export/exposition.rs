//! The text formats: OpenMetrics 1.0 and Prometheus text 0.0.4.
//!
//! * They differ in the names of metadata, in the types that they have and in the last line, so one writer serves both.
//!   (The crate `prometheus-client` writes only the first.)
//! * Prometheus asks for OpenMetrics; people and older scrapers get the plain text.

use std::fmt::Write as _;

use super::bounds::Step;
use super::series::{Labels, PREFIX, Series, Sort, unit};
use crate::stats::LatencySnapshot;

/// Format of an exposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus text format 0.0.4.
    Plain,
}

impl Format {
    /// Returns the media type.
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// Chooses the format for a value of `Accept`: OpenMetrics if it is accepted by name and not less than text.
    pub(super) fn accepted(accept: &str) -> Self {
        let weight = |wanted: &str| {
            let ranges = accept.split(',').filter_map(|range| {
                let mut parts = range.split(';').map(str::trim);
                let is_wanted = parts.next()?.eq_ignore_ascii_case(wanted);
                let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok());
                is_wanted.then_some(weight.unwrap_or(1.0))
            });
            ranges.fold(0.0, f64::max)
        };
        let open_metrics = weight("application/openmetrics-text");
        if open_metrics > 0.0 && open_metrics >= weight("text/plain") {
            Self::OpenMetrics
        } else {
            Self::Plain
        }
    }

    /// Writes the number of a bound or a value. OpenMetrics wants whole bounds as `1.0`, as Prometheus stores them.
    fn bound(self, bound: f64) -> String {
        match self {
            Self::OpenMetrics => format!("{bound:?}"),
            Self::Plain => bound.to_string(),
        }
    }
}

/// Text that is being written, and the family whose series follow.
pub(super) struct Exposition {
    text: String,
    format: Format,
    name: &'static str,
}

impl Exposition {
    pub(super) fn new(format: Format) -> Self {
        Self { text: String::with_capacity(64 * 1024), format, name: "" }
    }

    /// Ends the exposition.
    pub(super) fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    #[inline(never)]
    fn series(&mut self, ending: &str, labels: Labels<'_>, value: &str) {
        let text = &mut self.text;
        text.extend([PREFIX, self.name, ending]);
        for (place, (name, value)) in labels.iter().enumerate() {
            text.extend([if place == 0 { "{" } else { "," }, name, "=\""]);
            value.chars().for_each(|letter| match letter {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                letter => text.push(letter),
            });
            text.push('"');
        }
        text.extend([if labels.is_empty() { " " } else { "} " }, value, "\n"]);
    }
}

impl Series for Exposition {
    /// Writes the metadata of the family.
    fn begin(&mut self, name: &'static str, sort: Sort, help: &'static str) {
        self.name = name;
        // The metadata of OpenMetrics names the family without the ending of its type.
        let ending = match (self.format, sort) {
            (Format::OpenMetrics, Sort::Counter) => "_total",
            (Format::OpenMetrics, Sort::Info) => "_info",
            _ => "",
        };
        let whole = format!("{PREFIX}{name}");
        let whole = whole.strip_suffix(ending).unwrap_or(&whole);
        let sort = match (self.format, sort) {
            (_, Sort::Counter) => "counter",
            (_, Sort::Gauge) | (Format::Plain, Sort::Info) => "gauge",
            (Format::OpenMetrics, Sort::Info) => "info",
            (_, Sort::Histogram) => "histogram",
        };
        // Writing to a string does not fail.
        _ = writeln!(self.text, "# HELP {whole} {help}\n# TYPE {whole} {sort}");
        if let (Format::OpenMetrics, Some(unit)) = (self.format, unit(name)) {
            _ = writeln!(self.text, "# UNIT {whole} {unit}");
        }
    }

    fn count(&mut self, labels: Labels<'_>, value: u64) {
        self.series("", labels, &value.to_string());
    }

    fn number(&mut self, labels: Labels<'_>, value: f64) {
        self.series("", labels, &value.to_string());
    }

    fn histogram(&mut self, labels: Labels<'_>, values: &LatencySnapshot, step: Step, bounds: &[f64]) {
        let counts = values.counts_up_to(bounds.iter().map(|bound| step.steps(*bound)));
        let format = self.format;
        let ends = bounds.iter().map(|bound| format.bound(*bound)).chain(["+Inf".to_owned()]);
        let count = values.count();
        for (end, count) in ends.zip(counts.into_iter().chain([count])) {
            self.series("_bucket", &[labels, &[("le", &end)]].concat(), &count.to_string());
        }
        self.series("_sum", labels, &step.seconds(values.sum()).to_string());
        self.series("_count", labels, &count.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_the_one_that_is_accepted_most() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                          application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        for (accept, format) in [
            (prometheus, Format::OpenMetrics),
            ("Application/OpenMetrics-Text", Format::OpenMetrics),
            ("text/plain, application/openmetrics-text", Format::OpenMetrics),
            ("text/plain;q=0.9, application/openmetrics-text;q=0.1", Format::Plain),
            ("application/openmetrics-text;q=0", Format::Plain),
            ("application/openmetrics-text;q=nan", Format::Plain),
            ("application/openmetrics", Format::Plain),
            ("*/*", Format::Plain),
            ("", Format::Plain),
        ] {
            assert_eq!(Format::accepted(accept), format, "{accept}");
        }
    }

    #[test]
    fn labels_are_escaped_and_numbers_have_no_exponent() {
        let mut exposition = Exposition::new(Format::Plain);
        exposition.name = "x";
        exposition.number(&[("a", "\\\"\n"), ("b", "é")], 1e21);
        exposition.count(&[], u64::MAX);
        exposition.known(&[], None);
        let expected = "hls_swarm_x{a=\"\\\\\\\"\\n\",b=\"é\"} 1000000000000000000000\nhls_swarm_x 18446744073709551615\n";
        assert_eq!(exposition.finish(), expected);
    }

    #[test]
    fn a_histogram_is_cumulative_in_seconds() {
        for (format, one) in [(Format::Plain, "1"), (Format::OpenMetrics, "1.0")] {
            let values =
                LatencySnapshot::from_buckets(&[(1_500, 2), (60_000_000, 1)], 60_003_000, 1_500, 60_000_000);
            let mut exposition = Exposition::new(format);
            exposition.name = "t_seconds";
            let labels: Labels<'_> = &[("kind", "key")];
            exposition.histogram(labels, &values.expect("in range"), Step::Micros, &[0.001, 0.0025, 1.0]);
            let text = exposition.finish();
            let expected = format!(
                "hls_swarm_t_seconds_bucket{{kind=\"key\",le=\"0.001\"}} 0\n\
                 hls_swarm_t_seconds_bucket{{kind=\"key\",le=\"0.0025\"}} 2\n\
                 hls_swarm_t_seconds_bucket{{kind=\"key\",le=\"{one}\"}} 2\n\
                 hls_swarm_t_seconds_bucket{{kind=\"key\",le=\"+Inf\"}} 3\n\
                 hls_swarm_t_seconds_sum{{kind=\"key\"}} 60.003\n\
                 hls_swarm_t_seconds_count{{kind=\"key\"}} 3\n"
            );
            assert_eq!(text.trim_end_matches("# EOF\n"), expected);
        }
    }
}
