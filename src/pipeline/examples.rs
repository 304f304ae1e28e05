//! Examples of failed requests: the last ones of each outcome.

use std::collections::VecDeque;

use super::event::{Event, FailureDetails, Happening};
use crate::vocabulary::{Kind, Outcome};

/// Outcomes of which examples are kept, and the number of examples of each.
const OUTCOMES: usize = 16;
const OF_EACH: usize = 4;

/// One failed request.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// Time of its outcome, in microseconds since the start of the run.
    pub at_us: u64,
    /// Number of its client.
    pub client: u64,
    /// Kind of the request.
    pub request: Kind,
    /// Its outcome.
    pub outcome: Outcome,
    /// More about it.
    pub details: FailureDetails,
}

/// The last examples of each outcome. They take at most 64 times some 600 bytes.
#[derive(Debug, Default)]
pub(super) struct Examples {
    /// In the order of the first example.
    outcomes: Vec<(Outcome, VecDeque<Example>)>,
    has_changed: bool,
}

impl Examples {
    /// Takes the details of an event, if it has any: the log and the record do not need them any more.
    pub(super) fn take(&mut self, event: &mut Event) {
        let Happening::Fault { request, outcome, details } = &mut event.what else { return };
        let Some((details, client)) = details.take().zip(event.client) else { return };
        let place = self.outcomes.iter().position(|(known, _)| known == outcome);
        let place = place.unwrap_or_else(|| {
            self.outcomes.push((*outcome, VecDeque::with_capacity(OF_EACH)));
            self.outcomes.len() - 1
        });
        if place >= OUTCOMES {
            self.outcomes.truncate(OUTCOMES);
            return;
        }
        let Some((_, kept)) = self.outcomes.get_mut(place) else { return };
        if kept.len() >= OF_EACH {
            kept.pop_front();
        }
        let (request, outcome) = (*request, *outcome);
        kept.push_back(Example { at_us: event.at_us, client, request, outcome, details: *details });
        self.has_changed = true;
    }

    /// Returns all examples, newest first; `None` if there is none that the last call did not return.
    pub(super) fn news(&mut self) -> Option<Vec<Example>> {
        if !std::mem::take(&mut self.has_changed) {
            return None;
        }
        let mut all: Vec<Example> = self.outcomes.iter().flat_map(|(_, kept)| kept).cloned().collect();
        all.sort_by_key(|example| std::cmp::Reverse(example.at_us));
        Some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(at_us: u64, status: u16, has_details: bool) -> Event {
        let details = FailureDetails {
            url: format!("https://a.test/{at_us}.ts").into(),
            took_us: 1,
            edge: None,
            cache: None,
            ids: None,
            words: None,
        };
        let details = has_details.then(|| Box::new(details));
        let outcome = Outcome::from_status(status, false);
        Event { at_us, client: Some(7), what: Happening::Fault { request: Kind::Segment, outcome, details } }
    }

    fn times(examples: &mut Examples) -> Option<Vec<u64>> {
        Some(examples.news()?.iter().map(|example| example.at_us).collect())
    }

    #[test]
    fn the_last_examples_of_each_outcome_stay_and_a_frequent_one_does_not_push_out_a_rare_one() {
        let mut examples = Examples::default();
        examples.take(&mut fault(1, 404, true));
        for at_us in 2..=9 {
            examples.take(&mut fault(at_us, 503, true));
        }
        examples.take(&mut fault(10, 503, false));
        assert_eq!(times(&mut examples), Some(vec![9, 8, 7, 6, 1]));
        assert_eq!(times(&mut examples), None, "nothing new");
    }

    #[test]
    fn the_number_of_outcomes_is_bounded() {
        let mut examples = Examples::default();
        for status in 400..460 {
            for at_us in 0..10 {
                examples.take(&mut fault(at_us, status, true));
            }
        }
        assert_eq!(times(&mut examples).map(|all| all.len()), Some(OUTCOMES * OF_EACH));
    }

    #[test]
    fn an_event_leaves_its_details_with_the_examples() {
        let mut event = fault(1, 503, true);
        Examples::default().take(&mut event);
        assert!(matches!(event.what, Happening::Fault { details: None, .. }));
    }
}
