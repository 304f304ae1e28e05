//! Choice of the failed requests of a worker that are reported with details.

use std::cell::RefCell;

use super::ClientSettings;
use crate::vocabulary::{KnownSecrets, Outcome};

/// Time between two examples of an outcome, in microseconds. In a storm, this one comparison remains of a failure, before
/// its body is taken, and the identifiers in its head, at most four short copies, which move with it.
const INTERVAL_US: u64 = 1_000_000;
/// Outcomes of which there are examples.
const OUTCOMES: usize = 32;

/// Time of the last example of each outcome, and the secrets that no example may show.
#[derive(Debug, Default)]
pub(super) struct Examples {
    last: RefCell<Vec<(Outcome, u64)>>,
    /// `None`: each client has secrets of its own, too many to look for.
    secrets: Option<KnownSecrets>,
}

impl Examples {
    /// Creates the examples of a run with these settings.
    pub(super) fn new(settings: &ClientSettings) -> Self {
        let cast = &settings.cast;
        // All targets get the same headers, cookies and proxies.
        let mut secrets = cast.first.net.secrets();
        cast.of_targets().for_each(|kind| secrets.add_url(&kind.player.entry));
        Self { secrets: cast.personal.is_none().then_some(secrets), ..Self::default() }
    }

    /// Returns the secrets of the run; `None` if responses must not be shown, because each client has its own.
    pub(super) const fn secrets(&self) -> Option<&KnownSecrets> {
        self.secrets.as_ref()
    }

    /// Reports whether a request that failed now is an example of its outcome: at most one a second is.
    pub(super) fn admits(&self, outcome: Outcome, now_us: u64) -> bool {
        let mut last = self.last.borrow_mut();
        match last.iter().position(|(known, _)| *known == outcome) {
            None if last.len() < OUTCOMES => last.push((outcome, now_us)),
            Some(place) => match last.get_mut(place) {
                Some((_, at_us)) if now_us >= *at_us + INTERVAL_US => *at_us = now_us,
                _ => return false,
            },
            None => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_one_example_a_second_and_their_number_is_bounded() {
        let examples = Examples::default();
        let [busy, gone] = [503, 404].map(|status| Outcome::from_status(status, false));
        let admitted = |outcome, at_ms: u64| examples.admits(outcome, at_ms * 1_000);
        assert!(admitted(busy, 100) && !admitted(busy, 900) && admitted(gone, 900));
        assert!(admitted(busy, 1_100) && !admitted(busy, 1_200));
        let all = (400..600).filter(|status| admitted(Outcome::from_status(*status, false), 5_000)).count();
        assert_eq!(all, OUTCOMES);
    }
}
