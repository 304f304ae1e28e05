//! The page of the run so far, which the run makes on request: the console goes on until it arrives.

use std::sync::Arc;

use super::DocRequest;
use crate::report::Doc;

/// Requests for the document of the run, of which one at a time is open.
#[derive(Debug)]
pub(super) struct PendingPage {
    requests: flume::Sender<DocRequest>,
    reply: Option<flume::Receiver<Arc<Doc>>>,
}

impl PendingPage {
    pub(super) fn new(requests: flume::Sender<DocRequest>) -> Self {
        Self { requests, reply: None }
    }

    /// Asks for the document.
    ///
    /// # Errors
    /// The previous request is still open, or the run takes none any more.
    pub(super) fn ask(&mut self) -> Result<(), &'static str> {
        if self.reply.is_some() {
            return Err("the report is being written");
        }
        let (request, reply) = flume::bounded(1);
        self.requests.try_send(request).map_err(|_| ENDING)?;
        self.reply = Some(reply);
        Ok(())
    }

    /// Takes the document once it is there.
    pub(super) fn take(&mut self) -> Option<Result<Arc<Doc>, &'static str>> {
        let taken = match self.reply.as_ref()?.try_recv() {
            Ok(doc) => Ok(doc),
            Err(flume::TryRecvError::Empty) => return None,
            // The run has ended in between, and makes no report of the run so far any more.
            Err(flume::TryRecvError::Disconnected) => Err(ENDING),
        };
        self.reply = None;
        Some(taken)
    }
}

/// Reason why there is no document.
const ENDING: &str = "the run is ending; press e in its report";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;

    #[test]
    fn one_request_at_a_time_is_open_and_a_run_that_ends_answers_it() {
        let (requests, asked) = flume::bounded(1);
        let mut pending = PendingPage::new(requests);
        assert_eq!((pending.take(), pending.ask()), (None, Ok(())));
        assert_eq!((pending.take(), pending.ask()), (None, Err("the report is being written")));
        let doc = fixtures::report();
        asked.recv().expect("a request").send(Arc::clone(&doc)).expect("taken");
        assert_eq!((pending.take(), pending.take()), (Some(Ok(doc)), None));
        assert_eq!(pending.ask(), Ok(()));
        drop(asked.recv().expect("a request"));
        assert_eq!((pending.take(), pending.take()), (Some(Err(ENDING)), None));
        drop(asked);
        assert_eq!(pending.ask(), Err(ENDING));
    }
}
