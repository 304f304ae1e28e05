//! The last events: the log, examples of failed requests and the requests of watched clients. A recorder keeps them of a
//! run, a replay of a record.

use std::sync::Arc;

use super::event::{Event, Happening, LogEntry};
use super::examples::{Example, Examples};
use super::gauges::Reading;
use super::watched::{ClientRequests, Requests};
use crate::sync::ring::Ring;

/// Events that the log keeps.
pub(super) const LOG_ENTRIES: usize = 1_000;

/// The last events.
#[derive(Debug)]
pub struct LastEvents {
    ring: Ring<LogEntry>,
    logged: u64,
    /// Number of the last event of the log that was published.
    published: u64,
    examples: Examples,
    requests: Requests,
}

impl Default for LastEvents {
    fn default() -> Self {
        Self {
            ring: Ring::new(LOG_ENTRIES),
            logged: 0,
            published: 0,
            examples: Examples::default(),
            requests: Requests::default(),
        }
    }
}

impl LastEvents {
    /// Takes the next event.
    pub fn take(&mut self, mut event: Event) {
        if let (Happening::Request(request), Some(client)) = (&event.what, event.client) {
            self.requests.take(client, *request);
        }
        if event.what.is_logged() {
            self.examples.take(&mut event);
            self.logged += 1;
            self.ring.push(LogEntry { number: self.logged, event });
        }
    }

    /// Returns the log, oldest entry first; `None` if the last call returned the same.
    pub(super) fn log(&mut self) -> Option<Arc<[LogEntry]>> {
        let is_news = std::mem::replace(&mut self.published, self.logged) != self.logged;
        is_news.then(|| self.ring.iter().cloned().collect())
    }

    /// Returns the examples, newest first; `None` if the last call returned the same.
    pub(super) fn examples(&mut self) -> Option<Arc<[Example]>> {
        self.examples.news().map(Arc::from)
    }

    /// Returns the requests of watched clients; `None` if the last call returned the same.
    pub(super) fn requests(&mut self) -> Option<Arc<[ClientRequests]>> {
        self.requests.news().map(Arc::from)
    }

    /// Puts what has changed into `reading`.
    pub fn publish(&mut self, reading: &mut Reading) {
        self.log().into_iter().for_each(|log| reading.log = log);
        self.examples().into_iter().for_each(|examples| reading.examples = examples);
        self.requests().into_iter().for_each(|requests| reading.requests = requests);
    }
}
