//! Price of an open load: clients that arrive at a rate and leave when their session is over.
//!
//! * In each second as many bytes are sent as one client needs for its whole session, times the rate: clients of all ages
//!   are there at once. So no client is summed by itself.
//! * Sessions of random lengths are priced by their mean. A viewer needs most at its begin, so that is no less than the
//!   mean of their prices.
//! * No more clients than were asked for are there at once. If they are fewer than would come, they fill the room at the
//!   rate of the arrivals, and from the end of the first session on one is admitted for each that leaves.

use std::ops::Range;

use super::curve::Traffic;
use super::price::Forecast;

/// Pieces of the sum over the times of arrival.
const PIECES: u32 = 2_000;

/// Arrivals that find room.
struct Admission {
    /// Arrivals per second, from the start.
    rate: f64,
    /// Time for which each of them stays, in seconds; infinite: to the end.
    stays: f64,
    /// Time in which they arrive, in seconds.
    span: f64,
    /// Arrivals per second that later take the places of those who have left; 0: the room is never full.
    later: f64,
}

impl Forecast {
    /// Returns the arrivals that find room in a run that lasts so long.
    fn admission(&self, clients: u32, seconds: f64) -> Admission {
        let Some(arrivals) = &self.terms.arrivals else {
            return Admission { rate: 0.0, stays: f64::INFINITY, span: 0.0, later: 0.0 };
        };
        let (rate, room) = (arrivals.per_second, f64::from(clients));
        let stays = arrivals.stays.map_or(f64::INFINITY, |stays| stays.as_secs_f64());
        if rate * stays <= room {
            return Admission { rate, stays, span: seconds, later: 0.0 };
        }
        Admission { rate, stays, span: seconds.min(room / rate), later: room / stays }
    }

    /// Returns the clients that leave in a second.
    pub(super) fn leaves_per_s(&self, clients: u32) -> f64 {
        let Admission { rate, stays, later, .. } = self.admission(clients, 0.0);
        if later > 0.0 || stays.is_infinite() { later } else { rate }
    }

    /// Returns the sum over the clients that have arrived in a run that lasts so long.
    pub(super) fn traffic_of_arrivals(&self, clients: u32, seconds: f64) -> Traffic {
        let Admission { rate, stays, span, later } = self.admission(clients, seconds);
        let begin = stays.min(seconds);
        let sum = self.arriving(Traffic::default(), 0.0..span, rate, [stays, seconds]);
        self.arriving(sum, begin..seconds, later, [stays, seconds])
    }

    /// Adds the clients that arrive in an interval at this rate, and stay until they leave or the run ends.
    fn arriving(&self, sum: Traffic, within: Range<f64>, rate: f64, [stays, end]: [f64; 2]) -> Traffic {
        let piece = (within.end - within.start) / f64::from(PIECES);
        if rate * piece <= 0.0 {
            return sum;
        }
        let ages = (0..PIECES).map(|number| end - within.start - (f64::from(number) + 0.5) * piece);
        ages.fold(sum, |sum, age| sum.plus(self.curve.at(age.min(stays)), rate * piece))
    }

    /// Returns the traffic of the busiest second, with as many clients as are to be expected at most.
    pub(super) fn flow(&self, clients: u32, seconds: f64) -> Traffic {
        let Admission { rate, stays, span, .. } = self.admission(clients, seconds);
        let mean = rate * stays.min(span);
        let most = if mean > 0.0 { (self.started(clients, seconds) / mean).max(1.0) } else { 1.0 };
        let joining = Traffic::default().plus(self.curve.at(span.min(stays)), rate * most);
        let steady = Traffic::default().plus(self.steady(), mean * most);
        if joining.bytes > steady.bytes { joining } else { steady }
    }
}
