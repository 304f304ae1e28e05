//! The chart of the log: events per second by kind, those of trouble at the bottom.

use crate::sample::Moment;
use crate::tui::widget::round_up;
use crate::vocabulary::{Tone, units};

use super::charts::{Chart, ChartMaker, Figure, Stack, StackBand, largest_sum, swatch};
use super::{Text, Weight};

/// A kind of event: its rate in a moment.
type Rate = fn(&Moment<'_>) -> Option<f64>;

/// Kinds of events from the bottom up, with their words in the legend.
const KINDS: [(&str, Tone, Rate); 3] = [
    ("stalls", Tone::Fail, |moment| moment.stalls_per_s()),
    ("faults", Tone::Warn, |moment| moment.failed_per_s()),
    ("joins", Tone::Start, |moment| moment.joined_per_s()),
];

impl ChartMaker<'_> {
    /// Stacks the events per second by kind.
    pub(super) fn events(&self) -> Chart {
        let band = |(_, tone, rate): (&str, Tone, Rate)| StackBand {
            values: self.values(&|moment| rate(moment)),
            tone,
            trouble: tone != Tone::Start,
        };
        let bands: Vec<StackBand> = KINDS.into_iter().map(band).collect();
        let top = round_up(largest_sum(&bands).max(1.0));
        let second = self.second();
        let entry = |(word, tone, rate): (&str, Tone, Rate)| {
            let now = units::rate(second.as_ref().and_then(rate));
            let entry = swatch(tone, &format!("{word} {now}/s"));
            entry.or_short(format!("■ {word} {now}")).weighing(Weight::Subject)
        };
        let middle = if top < 2.0 { String::new() } else { units::rate(Some(top / 2.0)) };
        Chart {
            title: Text::title("Events per second").or_short("Events/s"),
            aside: KINDS.into_iter().map(entry).collect(),
            focused: false,
            figure: Figure::Stack(Stack {
                bands,
                ahead: Vec::new(),
                top,
                scale: [units::count(top as u64), middle, "0".to_owned()],
            }),
        }
    }
}
