//! Change of a share over the last half minute, from the points of a history.

use std::time::Duration;

use super::history::History;
use super::moment::Moment;
use crate::vocabulary::share;

/// Length of the two spans that are compared.
const SPAN: Duration = Duration::from_secs(10);
/// Time between their ends.
const BACK: Duration = Duration::from_secs(30);

/// A part and its whole.
type Parts = (u64, u64);

impl History {
    /// Returns the share of failed requests, as the verdict counts them, over the last ten seconds, less that of 30 s
    /// earlier; `None` if one of them is unknown.
    pub fn error_share_change(&self) -> Option<f64> {
        self.change(&|moment| moment.error_parts())
    }

    /// Returns the share of active clients that is stalled over the last ten seconds, less that of 30 s earlier; `None`
    /// if one of them is unknown.
    pub fn stalled_share_change(&self) -> Option<f64> {
        self.change(&|moment| moment.stalled_parts())
    }

    fn change(&self, parts: &dyn Fn(&Moment<'_>) -> Parts) -> Option<f64> {
        let now = self.last()?.ends;
        Some(self.share_until(now, parts)? - self.share_until(now.checked_sub(BACK)?, parts)?)
    }

    /// Returns the share over the span that ends at `to`; `None` if the run was shorter.
    fn share_until(&self, to: Duration, parts: &dyn Fn(&Moment<'_>) -> Parts) -> Option<f64> {
        let moments = self.since(to.checked_sub(SPAN)?);
        let within = moments.iter().filter(|moment| moment.ends <= to).map(parts);
        let (part, whole) = within.fold((0, 0), |sum, parts| (sum.0 + parts.0, sum.1 + parts.1));
        share(part, whole)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Point;
    use super::*;
    use crate::vocabulary::ClientState;
    use crate::vocabulary::outcome::Class;

    #[test]
    fn the_last_ten_seconds_are_compared_with_those_of_half_a_minute_ago() {
        let mut history = History::default();
        for ends in 1..=60 {
            let mut point = Point { ends: Duration::from_secs(ends), ..Point::default() };
            point.counts.ended[Class::Ok.index()] = 8;
            point.counts.client_ms[ClientState::Playing.index()] = 1_000;
            if ends > 30 {
                point.codes[0] = 2;
                point.counts.client_ms[ClientState::Stalled.index()] = 1_000;
            }
            history.push(point);
            let known = (history.error_share_change(), history.stalled_share_change());
            assert_eq!(known.0.is_some(), ends >= 40, "{ends}: {known:?}");
            if ends == 60 {
                assert_eq!(known, (Some(0.2), Some(0.5)));
            }
        }
    }
}
