//! Charts of the page: clients, latency, failures and throughput on one time axis, with knees and marks through all.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::tone_class;
use crate::report::answer::{self, Labelled};
use crate::report::cells::clock;
use crate::report::columns::{Band, Columns, HeatMap};
use crate::report::doc::Doc;
use crate::report::drawing::{self, Rows, Scale};
use crate::report::escape::{push_xml, xml};
use crate::vocabulary::palette::{RAMP_DARK, RAMP_LIGHT, Tone};
use crate::vocabulary::units;

/// Width of the drawing, without the labels at its left.
pub(super) const WIDTH: f64 = 900.0;
/// Room for the labels at the left, and at the right and above.
const LEFT: f64 = 76.0;
const MARGIN: f64 = 14.0;

/// Latencies that have a line in the heat map, in microseconds.
const DECADES: [(u64, &str); 7] = [
    (100, "100 µs"),
    (1_000, "1 ms"),
    (10_000, "10 ms"),
    (100_000, "100 ms"),
    (1_000_000, "1 s"),
    (10_000_000, "10 s"),
    (100_000_000, "100 s"),
];

/// The values of all charts of a page, and the moments that stand in each of them.
pub(super) struct Charts<'a> {
    pub(super) columns: &'a Columns,
    moments: Vec<Labelled<'a>>,
}

/// A chart: its name in the page, its title and what stands beside the title.
struct Panel<'a> {
    id: &'a str,
    title: &'a str,
    aside: &'a str,
    height: f64,
}

impl<'a> Charts<'a> {
    pub(super) fn new(doc: &'a Doc, columns: &'a Columns) -> Self {
        let mut moments = answer::knees(doc);
        moments.extend(answer::marks(doc));
        Self { columns, moments }
    }

    /// Writes all charts.
    pub(super) fn write(&self, page: &mut String) {
        let columns = self.columns;
        if columns.times.is_empty() {
            page.push_str("<p class=\"none\">The report has no counts over time.</p>");
            return;
        }
        let count = |value: f64| units::count(value.round() as u64);
        let small = |value: f64| if value < 10.0 { format!("{value}") } else { count(value) };
        let panel = Panel { id: "clients", title: "Clients", aside: "", height: 150.0 };
        self.stack(&panel, &columns.clients, &small, page);
        match &columns.heat {
            Some(heat) => self.heat(heat, page),
            None => page.push_str("<p class=\"none\">The report has no latency over time.</p>"),
        }
        let panel = Panel { id: "failures", title: "Failures per second", aside: "", height: 110.0 };
        self.stack(&panel, &columns.failures, &small, page);
        let panel = Panel { id: "bits", title: "Throughput", aside: "", height: 100.0 };
        self.stack(&panel, &columns.bits, &units::bit_rate, page);
        self.axis(page);
    }

    fn stack(&self, panel: &Panel<'_>, bands: &[Band], label: &dyn Fn(f64) -> String, page: &mut String) {
        title(panel, bands, page);
        let top = drawing::round_up(drawing::highest(bands));
        let scale = self.scale(top, panel.height);
        begin(panel, page);
        for (share, value) in [(1.0, top), (0.5, top / 2.0), (0.0, 0.0)] {
            let text = if value == 0.0 { "0".to_owned() } else { label(value) };
            grid(panel.height - share * panel.height, &text, page);
        }
        for (tone, path) in drawing::stack(bands, &self.columns.times, scale) {
            _ = write!(page, "<path class=\"{}\" d=\"{path}\"/>", tone_class(tone));
        }
        self.moments(panel.height, page);
        page.push_str("</svg>");
    }

    fn heat(&self, heat: &HeatMap, page: &mut String) {
        let aside = "start to last byte, ok and failed; stronger = more segments";
        let panel = Panel { id: "heat", title: "Segment latency", aside, height: 190.0 };
        title(&panel, &[], page);
        begin(&panel, page);
        let rows = Rows::new(heat);
        for (us, label) in DECADES {
            if let Some(place) = rows.place(heat, us) {
                grid(panel.height - place * panel.height, label, page);
            }
        }
        let scale = self.scale(1.0, panel.height);
        let ends = [self.columns.times.first(), self.columns.times.last()]
            .map(|time| time.copied().unwrap_or_default());
        let (from, to) = (scale.x(ends[0].0), scale.x(ends[1].1));
        for (ramp, class) in [(&RAMP_LIGHT, "for-light"), (&RAMP_DARK, "for-dark")] {
            let Ok(png) = drawing::heat_png(heat, rows, ramp) else { continue };
            _ = write!(
                page,
                "<image class=\"{class}\" x=\"{from:.1}\" width=\"{:.1}\" height=\"{:.0}\" preserveAspectRatio=\"none\" \
                 href=\"data:image/png;base64,{}\"/>",
                to - from,
                panel.height,
                STANDARD.encode(png)
            );
        }
        self.moments(panel.height, page);
        page.push_str("</svg>");
    }

    /// Writes the ribbon of the verdict, the ticks, and the names of knees and marks.
    fn axis(&self, page: &mut String) {
        let scale = self.scale(1.0, 1.0);
        let names = self.moments.len() as f64;
        let height = 36.0 + names * 14.0;
        begin(&Panel { id: "axis", title: "Verdict and time", aside: "", height }, page);
        _ = write!(page, "<text x=\"-8\" y=\"10\" text-anchor=\"end\">verdict</text>");
        for (from, to, tone) in drawing::ribbon(&self.columns.verdicts, &self.columns.times) {
            let (from, to) = (scale.x(from), scale.x(to));
            _ = write!(
                page,
                "<rect class=\"{}\" x=\"{from:.1}\" width=\"{:.1}\" height=\"10\"/>",
                tone_class(tone),
                to - from
            );
        }
        for (seconds, label) in drawing::ticks(self.columns.length_s) {
            _ = write!(
                page,
                "<text x=\"{:.1}\" y=\"26\" text-anchor=\"middle\">{label}</text>",
                scale.x(seconds)
            );
        }
        for (place, moment) in self.moments.iter().enumerate() {
            let x = scale.x(moment.at.at("/at_s").seconds().as_secs_f64());
            let y = 42.0 + place as f64 * 14.0;
            // A name stands on the side of its line where there is room.
            let (anchor, x) = if x > WIDTH / 2.0 { ("end", x - 4.0) } else { ("start", x + 4.0) };
            let class = if moment.is_mark { "mark-name" } else { "knee-name" };
            _ = write!(page, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.0}\" text-anchor=\"{anchor}\">");
            push_xml(&format!("{} at {}", moment.label, clock(moment.at.at("/at_s"))), page);
            page.push_str("</text>");
        }
        self.moments(14.0, page);
        page.push_str("</svg>");
    }

    /// Writes a line for each knee and mark, and the cross-hair that the script moves.
    fn moments(&self, height: f64, page: &mut String) {
        let scale = self.scale(1.0, height);
        for moment in &self.moments {
            let x = scale.x(moment.at.at("/at_s").seconds().as_secs_f64());
            let class = if moment.is_mark { "mark" } else { "knee" };
            _ = write!(
                page,
                "<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"-6\" y2=\"{height:.0}\"/>"
            );
        }
        _ = write!(
            page,
            "<line class=\"cross\" visibility=\"hidden\" x1=\"0\" x2=\"0\" y1=\"-6\" y2=\"{height:.0}\"/>\
             <rect x=\"0\" y=\"-6\" width=\"{WIDTH:.0}\" height=\"{:.0}\" fill=\"none\" pointer-events=\"all\"/>",
            height + 6.0
        );
    }

    fn scale(&self, top: f64, height: f64) -> Scale {
        Scale { length_s: self.columns.length_s, top, width: WIDTH, height }
    }

    /// Returns the values of the charts as JSON, for the script.
    pub(super) fn data(&self) -> String {
        let numbers =
            |values: &[f64]| values.iter().map(|value| format!("{value:.3}")).collect::<Vec<_>>().join(",");
        let bands = |bands: &[Band], unit: &str, by: f64| {
            let band = |band: &Band| {
                let values: Vec<f64> = band.values.iter().map(|value| value * by).collect();
                format!("[\"{}\",\"{unit}\",[{}]]", xml(&band.name), numbers(&values))
            };
            bands.iter().map(band).collect::<Vec<_>>().join(",")
        };
        let times: Vec<String> =
            self.columns.times.iter().map(|(from, to)| format!("[{from:.3},{to:.3}]")).collect();
        format!(
            "{{\"length\":{:.3},\"width\":{WIDTH:.0},\"times\":[{}],\"charts\":{{\"clients\":[{}],\"failures\":[{}],\
             \"bits\":[{}]}}}}",
            self.columns.length_s,
            times.join(","),
            bands(&self.columns.clients, "", 1.0),
            bands(&self.columns.failures, "/s", 1.0),
            bands(&self.columns.bits, " Mb/s", 1e-6),
        )
    }
}

/// Writes the title of a chart with the names of its bands.
fn title(panel: &Panel<'_>, bands: &[Band], page: &mut String) {
    _ = write!(page, "<h3><span class=\"now\" id=\"now-{}\"></span>{} ", panel.id, panel.title);
    for band in bands.iter().rev() {
        key(band.tone, page);
        page.push_str("<span>");
        push_xml(&band.name, page);
        page.push_str("</span>");
    }
    _ = write!(page, "<span>{}</span></h3>", panel.aside);
}

/// Writes the square of a colour in a legend.
pub(super) fn key(tone: Tone, page: &mut String) {
    _ = write!(
        page,
        "<svg class=\"key\" viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect class=\"{}\" width=\"10\" height=\"10\" rx=\"2\"/></svg>",
        tone_class(tone)
    );
}

fn begin(panel: &Panel<'_>, page: &mut String) {
    _ = write!(
        page,
        "<svg class=\"chart\" id=\"{}\" role=\"img\" aria-label=\"{} over the run\" viewBox=\"{} {} {} {}\">",
        panel.id,
        panel.title,
        -LEFT,
        -MARGIN,
        WIDTH + LEFT + 20.0,
        panel.height + MARGIN + 6.0
    );
}

fn grid(y: f64, label: &str, page: &mut String) {
    _ = write!(
        page,
        "<line class=\"grid\" x1=\"0\" x2=\"{WIDTH:.0}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
         <text x=\"-8\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
        y + 4.0
    );
}
