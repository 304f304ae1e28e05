//! Price of an open load: clients that arrive at a rate and leave when their session is over.
//!
//! * In each second as many bytes are sent as one client needs for its whole session, times the rate: clients of all ages
//!   are there at once. So no client is summed by itself.
//! * Sessions of random lengths are priced by their mean. A viewer needs most at its begin, so that is no less than the
//!   mean of their prices.
//! * No more clients than were asked for are there at once: the rate is then that of those who are admitted.

use super::curve::Traffic;
use super::price::Forecast;

/// Pieces of the sum over the times of arrival.
const PIECES: u32 = 2_000;

/// Arrivals that find room.
struct Admission {
    /// Arrivals per second.
    rate: f64,
    /// Time for which each of them stays, in seconds; infinite: to the end.
    stays: f64,
    /// Time in which they arrive, in seconds.
    span: f64,
}

impl Forecast {
    /// Returns the arrivals that find room in a run that lasts so long.
    fn admission(&self, clients: u32, seconds: f64) -> Admission {
        let Some(arrivals) = &self.terms.arrivals else {
            return Admission { rate: 0.0, stays: f64::INFINITY, span: 0.0 };
        };
        let (asked, room) = (arrivals.per_second, f64::from(clients));
        match arrivals.stays.map(|stays| stays.as_secs_f64()) {
            Some(stays) => Admission { rate: asked.min(room / stays), stays, span: seconds },
            // Clients that never leave fill the room that there is.
            None => Admission { rate: asked, stays: f64::INFINITY, span: seconds.min(room / asked) },
        }
    }

    /// Returns the clients that leave in a second.
    pub(super) fn leaves_per_s(&self, clients: u32) -> f64 {
        let Admission { rate, stays, .. } = self.admission(clients, 0.0);
        if stays.is_finite() { rate } else { 0.0 }
    }

    /// Returns the sum over the clients that have arrived in a run that lasts so long.
    pub(super) fn traffic_of_arrivals(&self, clients: u32, seconds: f64) -> Traffic {
        let Admission { rate, stays, span } = self.admission(clients, seconds);
        let piece = span / f64::from(PIECES);
        let ages = (0..PIECES).map(|number| seconds - (f64::from(number) + 0.5) * piece);
        ages.fold(Traffic::default(), |sum, age| sum.plus(self.curve.at(age.min(stays)), rate * piece))
    }

    /// Returns the traffic of the busiest second, with as many clients as are to be expected at most.
    pub(super) fn flow(&self, clients: u32, seconds: f64) -> Traffic {
        let Admission { rate, stays, span } = self.admission(clients, seconds);
        let mean = rate * stays.min(span);
        let most = if mean > 0.0 { (self.started(clients, seconds) / mean).max(1.0) } else { 1.0 };
        let joining = Traffic::default().plus(self.curve.at(span.min(stays)), rate * most);
        let steady = Traffic::default().plus(self.steady(), mean * most);
        if joining.bytes > steady.bytes { joining } else { steady }
    }
}
