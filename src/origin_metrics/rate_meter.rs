//! Values from the sums of successive pages: counters become rates.

use std::time::Duration;

use super::page_reader::{PageSums, Sum};
use super::quantity::{OriginQuantity, OriginValues};

/// Longest time between two pages whose difference is still a rate of now.
const LONGEST_INTERVAL: Duration = Duration::from_secs(8);
/// Share of the traffic of the loopback device below which network cards carry nothing that matters: then the stream is
/// on the loopback device, as in a test on one machine.
const IDLE_CARDS: f64 = 0.01;

/// Makes values from the pages of one exporter.
#[derive(Clone, Copy, Debug, Default)]
pub struct RateMeter {
    /// Time and sums of the last page.
    last: Option<(Duration, PageSums)>,
}

impl RateMeter {
    /// Returns the values of a page that was read at `at`.
    pub fn read(&mut self, at: Duration, sums: &PageSums) -> OriginValues {
        let last = self.last.replace((at, *sums));
        let interval = last.and_then(|(before, page)| Interval::new(at.checked_sub(before)?, page, *sums));
        let rate = |of: fn(&Interval) -> Option<f64>| interval.as_ref().and_then(of);
        OriginValues::from_fn(|quantity| match quantity {
            OriginQuantity::Cpu => rate(Interval::busy_share),
            OriginQuantity::BitsOut => rate(|interval| interval.bits([Sum::BytesOut, Sum::LoopbackOut])),
            OriginQuantity::BitsIn => rate(|interval| interval.bits([Sum::BytesIn, Sum::LoopbackIn])),
            OriginQuantity::Requests => rate(|interval| interval.per_second(Sum::Requests)),
            OriginQuantity::Memory => sums.get(Sum::MemoryBytes),
            OriginQuantity::Load => sums.get(Sum::Load),
            OriginQuantity::Connections => sums.get(Sum::Connections),
            OriginQuantity::Reading => sums.get(Sum::Reading),
            OriginQuantity::Writing => sums.get(Sum::Writing),
            OriginQuantity::Waiting => sums.get(Sum::Waiting),
        })
    }
}

/// Two pages and the seconds between them.
struct Interval {
    seconds: f64,
    from: PageSums,
    to: PageSums,
}

impl Interval {
    fn new(length: Duration, from: PageSums, to: PageSums) -> Option<Self> {
        let is_one = !length.is_zero() && length <= LONGEST_INTERVAL;
        is_one.then_some(Self { seconds: length.as_secs_f64(), from, to })
    }

    /// Returns the growth of a counter; `None` if it is unknown, or was reset.
    fn growth(&self, sum: Sum) -> Option<f64> {
        let growth = self.to.get(sum)? - self.from.get(sum)?;
        (growth >= 0.0).then_some(growth)
    }

    fn per_second(&self, sum: Sum) -> Option<f64> {
        Some(self.growth(sum)? / self.seconds)
    }

    fn busy_share(&self) -> Option<f64> {
        let (all, idle) = (self.growth(Sum::CpuSeconds)?, self.growth(Sum::IdleSeconds)?);
        (all > 0.0).then(|| (1.0 - idle / all).clamp(0.0, 1.0))
    }

    /// Returns the bits per second of the network cards, or those of the loopback device if the cards are idle.
    fn bits(&self, [cards, loopback]: [Sum; 2]) -> Option<f64> {
        let moved = |sums: [Sum; 2]| -> f64 { sums.into_iter().filter_map(|sum| self.growth(sum)).sum() };
        let of_cards = moved([Sum::BytesOut, Sum::BytesIn]);
        let of_loopback = moved([Sum::LoopbackOut, Sum::LoopbackIn]);
        let has_cards = self.to.get(cards).is_some();
        let carrier = if has_cards && of_cards >= IDLE_CARDS * of_loopback { cards } else { loopback };
        // A machine may have no loopback device, or hide it.
        let carrier = if self.to.get(carrier).is_some() { carrier } else { cards };
        Some(8.0 * self.per_second(carrier)?)
    }
}
