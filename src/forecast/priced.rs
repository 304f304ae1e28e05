//! The price of a plan, as it was announced before the ramp.

use serde::Serialize;

use super::{Forecast, Use};
use crate::capacity::{Shortage, WARN_CPU_SHARE};
use crate::vocabulary::{HardStop, units};

/// Price of a plan, and what followed from it.
#[derive(Clone, Debug)]
pub struct Priced {
    /// The forecast; for the clients that were started, if there were fewer than asked for.
    pub forecast: Forecast,
    /// Clients that were asked for.
    pub asked: u32,
    /// Resources that they need more of than there is.
    pub shortages: Vec<Shortage>,
    /// The most of them that fit.
    pub largest: u32,
    /// Consequence of the shortages.
    pub consequence: PriceConsequence,
}

/// Consequence of the shortages of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceConsequence {
    /// There were none.
    Fits,
    /// The load was refused.
    Refused,
    /// As many clients as fit were started.
    Clamped,
    /// The load was started all the same.
    Ignored,
}

impl Priced {
    /// Returns the arithmetic of the shortages: `4,000 clients need 12 Gb/s and --max-bandwidth is 2 Gb/s; at most 666
    /// clients fit`. `None` without one.
    pub fn sentence(&self) -> Option<String> {
        let list: Vec<String> = self.shortages.iter().map(ToString::to_string).collect();
        let (asked, verb) = (u64::from(self.asked), if self.asked == 1 { "needs" } else { "need" });
        let fits = match self.largest {
            0 => "not even one fits".to_owned(),
            1 => "at most 1 client fits".to_owned(),
            most => format!("at most {} clients fit", units::count(most.into())),
        };
        (!list.is_empty())
            .then(|| format!("{} {verb} {}; {fits}", units::plural(asked, "client"), list.join("; and ")))
    }

    /// Reports whether the plan leaves little of the CPU for anything else.
    pub fn is_near_cpu(&self) -> bool {
        self.forecast.steady_cpu_share().is_some_and(|share| share > WARN_CPU_SHARE)
    }

    /// Returns the price in one line: `500 clients for 10 m 00 s: 104 GB in 277,500 requests, at most 1.50 Gb/s, 541
    /// open files, cpu 3.0%`.
    pub fn summary(&self) -> String {
        let forecast = &self.forecast;
        let planned = forecast.planned(forecast.length());
        let number = |amount: Option<f64>, shown: fn(f64) -> String| {
            amount.map_or_else(|| units::UNKNOWN.to_owned(), shown)
        };
        let length = match forecast.terms.duration {
            Some(_) => format!("for {}", units::span(forecast.length())),
            None => "in an hour".to_owned(),
        };
        let reached = [HardStop::Bytes, HardStop::Requests].into_iter().filter_map(|stop| {
            let at = forecast.reaches(stop).filter(|_| forecast.terms.duration.is_none())?;
            Some(format!(", reaches {} after about {}", stop.option(), units::clock(at)))
        });
        let (up_to, arriving) = match forecast.terms.arrivals {
            Some(arrivals) => {
                let mean = arrivals.mean(forecast.length()).round() as u64;
                let mean = units::count(mean.min(forecast.terms.profile.clients.into()));
                ("up to ", format!(" ({arrivals} arriving, about {mean} at once)"))
            }
            None if forecast.terms.stages.is_some() => ("up to ", String::new()),
            None => ("", String::new()),
        };
        format!(
            "{up_to}{}{arriving} {length}: {} in {}, at most {}, {} open files, cpu {}{}",
            units::plural(forecast.terms.profile.clients.into(), "client"),
            units::bytes(planned.bytes as u64),
            units::plural(planned.requests as u64, "request"),
            number(planned.bits_per_second_peak, units::bit_rate),
            number(planned.open_files, |files| units::count(files.ceil() as u64)),
            units::percent(forecast.steady_cpu_share()),
            reached.collect::<String>(),
        )
    }
}

impl Use {
    /// Returns each amount as a share of `planned`; `None` where one of them is unknown or nothing was planned.
    #[must_use]
    pub fn shares_of(&self, planned: &Self) -> UseShares {
        let share = |used: f64, planned: f64| (planned > 0.0).then(|| used / planned);
        let known = |used: Option<f64>, planned: Option<f64>| share(used?, planned?);
        UseShares {
            requests: share(self.requests, planned.requests),
            bytes: share(self.bytes, planned.bytes),
            bits_per_second: known(self.bits_per_second, planned.bits_per_second),
            cpu_s: known(self.cpu_s, planned.cpu_s),
            open_files: known(self.open_files, planned.open_files),
            memory_bytes: known(self.memory_bytes, planned.memory_bytes),
        }
    }
}

/// Amounts that were used, as shares of those that were planned; `null`: one of the two is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UseShares {
    /// Requests.
    pub requests: Option<f64>,
    /// Body bytes.
    pub bytes: Option<f64>,
    /// Mean body bits per second.
    pub bits_per_second: Option<f64>,
    /// CPU seconds.
    pub cpu_s: Option<f64>,
    /// Most open files.
    pub open_files: Option<f64>,
    /// Most resident memory.
    pub memory_bytes: Option<f64>,
}
