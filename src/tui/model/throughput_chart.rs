//! The chart of the bits that arrived and of those that viewers needed and did not get.

use crate::sample::{Moment, RunSample};
use crate::tui::theme::Role;
use crate::tui::widget::round_up;
use crate::vocabulary::{Tone, units};

use super::charts::{Chart, ChartMaker, Figure, Stack, StackBand, largest_sum, swatch};
use super::{Text, Weight};

impl ChartMaker<'_> {
    /// Stacks the bits that arrived and those that viewers needed and did not get.
    pub(super) fn throughput(&self) -> Chart {
        let got = self.values(&|moment| moment.got_bits_per_s());
        let missing = self.values(&|moment| moment.missing_bits_per_s());
        let bands = vec![
            StackBand { values: got, tone: Tone::Play, trouble: false },
            StackBand { values: missing, tone: Tone::Missing, trouble: false },
        ];
        let top = round_up(largest_sum(&bands));
        // Tops are 1, 2 or 5: their halves have one decimal.
        let label = |value: f64| units::bit_rate(value).replace(".50 ", ".5 ");
        Chart {
            title: Text::title("Throughput"),
            aside: match self.has_values() {
                true => throughput_legend(&self.app.steady, self.second()),
                false => vec![swatch(Tone::Play, "got"), swatch(Tone::Missing, "missing")],
            },
            focused: false,
            figure: Figure::Stack(Stack {
                bands,
                ahead: Vec::new(),
                top,
                scale: [label(top), label(top / 2.0), "0".to_owned()],
            }),
        }
    }
}

fn throughput_legend(sample: &RunSample, second: Option<Moment<'_>>) -> Vec<Text> {
    let rate = |bits: Option<f64>| bits.map_or(units::UNKNOWN.to_owned(), units::bit_rate);
    let got = second.and_then(|second| second.got_bits_per_s());
    let mut legend = vec![swatch(Tone::Play, &format!("got {}", rate(got))).weighing(Weight::Subject)];
    legend.push(Text::label(format!("peak {}", rate(sample.peak_bits_per_second))));
    let missing = second.and_then(|second| second.missing_bits_per_s()).filter(|missing| *missing > 0.0);
    if let Some(missing) = missing {
        let text =
            Text::new(Role::LegendAlarm(Tone::Missing), format!("■ missing {}", units::bit_rate(missing)));
        legend.push(text.weighing(Weight::OutOfBounds));
        let need = second.and_then(|second| second.need_bits_per_s());
        legend.push(Text::label(format!("of {} needed", rate(need))));
    }
    legend
}
