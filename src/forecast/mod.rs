//! Forecast of a run: the traffic and the resources that its plan will use, from what its first client received.
//!
//! * [`StreamModel`] learns the stream from the first client. The player itself then plays against that model, in
//!   virtual time: start-up, buffer, reloads, pauses and the end of a film come from it and are not guessed here.
//! * [`Curve`] is the mean of some such viewers over their age, [`Forecast`] the sum over the clients of the plan.
//! * A forecast is made once, before the ramp. It never learns from the run that it is compared with.

mod arrivals;
mod connections;
mod curve;
mod price;
mod priced;
mod probed;
mod stream;
mod viewer;

pub use curve::Curve;
pub use price::{Base, Forecast, Terms, Use};
pub use priced::{PriceConsequence, Priced, UseShares};
pub use probed::{Got, Probed};
pub use stream::{BitRate, Destination, RateSource, StreamModel};

#[cfg(test)]
pub(crate) use price::tests::{
    priced as priced_for_tests, probes as probes_for_tests, settings as settings_for_tests,
};
