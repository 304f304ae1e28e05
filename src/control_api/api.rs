//! Replies to requests: reads the status and the newest sample, and hands orders to the run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::{Mutex, watch};
use tokio::time::timeout;

use super::guard::Guard;
use super::order::{self, Order};
use super::refused::{Refused, granted};
use crate::local_http::{Reply, Replying, Request, Service};
use crate::report::Doc;
use crate::run_state::Status;
use crate::sample::{RunSample, TICK};
use crate::vocabulary::steering::ENDING;
use crate::vocabulary::{
    Clock, Command, Mark, RunState, Steer, SteerRequest, Steered, StopCause, Untrusted, limits, units,
};

/// Maximum bytes of a body: a note has at most some hundred.
const BODY_BYTES: usize = 64 * 1024;
/// Time for the run to answer an order. It takes milliseconds, unless this machine is overloaded.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// Words about the resumption of a held ramp, in answers.
const RESUMES: &str = "'hlswarm ctl resume' resumes";
const OF_SEARCH: &str = "the search sets the load; only status, sample, mark and stop are accepted";
const BUSY: &str = "the run is busy; try again";
const ENDED: &str = "the run has ended; its reports have the last numbers";

/// Parts from which an [`Api`] is built.
pub struct ApiParts {
    /// Check of all requests.
    pub guard: Guard,
    /// Identifier of the run.
    pub run_id: String,
    /// URL of the stream, without secrets.
    pub target: String,
    /// True if a search sets the load.
    pub is_search: bool,
    /// Clock of the run.
    pub clock: Clock,
    /// Status of the run.
    pub status: Arc<Status>,
    /// Receiver of the newest sample.
    pub samples: watch::Receiver<Arc<RunSample>>,
    /// Sender of commands to the run.
    pub commands: flume::Sender<Command>,
    /// Sender of requests for the document of the run so far, each with the channel that takes it.
    pub documents: flume::Sender<flume::Sender<Arc<Doc>>>,
}

/// The API of a run.
pub struct Api {
    parts: ApiParts,
    /// The last document and the time at which it came, for requests that come together.
    recent: Mutex<Option<(Instant, Arc<Doc>)>>,
    has_stopped: AtomicBool,
}

impl Api {
    /// Creates the API of a run.
    pub fn new(parts: ApiParts) -> Self {
        Self { parts, recent: Mutex::default(), has_stopped: AtomicBool::default() }
    }

    async fn obey(&self, order: Order) -> Result<String, Refused> {
        Ok(match order {
            Order::Status => self.status().to_string(),
            Order::Sample => self.sample().await?,
            Order::Steer(steer) => self.steer(steer).await?.to_string(),
            Order::Mark(note) => self.mark(&note)?.to_string(),
            Order::Stop => self.stop()?.to_string(),
        })
    }

    fn status(&self) -> Value {
        let ApiParts { status, samples, run_id, target, is_search, .. } = &self.parts;
        let (sample, state) = (Arc::clone(&samples.borrow()), status.state());
        let held_by = status.journal().last_hold().filter(|_| state == RunState::Hold);
        json!({
            "run_id": run_id,
            "url": target,
            "state": state.name(),
            "held_by": held_by.map(|by| by.name()),
            "is_search": is_search,
            "clients": {
                "active": sample.active_clients(),
                "target": status.target(),
                "limit": status.limit().clients,
            },
            "elapsed_s": sample.at.as_secs_f64(),
            "health": sample.health.verdict.name(),
            "trust": sample.trust.verdict.name(),
        })
    }

    /// Returns the report so far. Requests within one tick of the sampler share one: making it takes a whole sample.
    async fn sample(&self) -> Result<String, Refused> {
        let mut recent = self.recent.lock().await;
        let is_fresh = recent.as_ref().is_some_and(|(at, _)| at.elapsed() < TICK);
        if !is_fresh {
            let (answer, document) = flume::bounded(1);
            let asked = self.parts.documents.send_async(answer).await;
            // Without a document the run has ended meanwhile.
            let document = if asked.is_ok() { document.recv_async().await.ok() } else { None };
            *recent = Some((Instant::now(), document.ok_or_else(|| Refused::conflict(ENDED))?));
        }
        let document = recent.as_ref().map(|(_, document)| Arc::clone(document));
        drop(recent);
        let text = document.and_then(|document| document.json().ok().map(|text| text.into_owned()));
        text.ok_or_else(|| Refused::conflict(ENDED))
    }

    async fn steer(&self, steer: Steer) -> Result<Value, Refused> {
        if self.parts.is_search {
            return Err(Refused::conflict(OF_SEARCH));
        }
        if self.is_ending() {
            return Err(Refused::conflict(ENDING));
        }
        let (answer, answered) = flume::bounded(1);
        self.send(Command::Steer(SteerRequest { steer, answer }))?;
        let steered = match timeout(ANSWER_LIMIT, answered.recv_async()).await {
            Ok(Ok(steered)) => steered,
            Err(_) if !self.is_ending() => {
                return Err(Refused::busy("the run is busy; it makes the change later"));
            }
            // The run drops what it does not do any more.
            Ok(Err(_)) | Err(_) => return Err(Refused::conflict(ENDING)),
        };
        if steer == Steer::Hold {
            self.sampled_since(self.parts.clock.now()).await;
        }
        let message = match steer {
            Steer::Target(_) | Steer::Adjust(_) => steered.target(RESUMES),
            Steer::Hold => steered.held(RESUMES),
            Steer::Resume => steered.resumed().to_owned(),
        };
        let Steered { from, to, limited, is_held, .. } = steered;
        Ok(json!({ "from": from, "target": to, "limited": limited, "held": is_held, "message": message }))
    }

    /// Waits for a sample that is taken after `now`, at most [`ANSWER_LIMIT`]: a reader who asks for the status next must find
    /// the clients that were admitted last, because the answer says that no more are added.
    async fn sampled_since(&self, now: Duration) {
        let mut samples = self.parts.samples.clone();
        // A run that ends takes no more samples.
        _ = timeout(ANSWER_LIMIT, samples.wait_for(|sample| sample.at > now)).await;
    }

    fn mark(&self, note: &str) -> Result<Value, Refused> {
        if self.is_ending() {
            return Err(Refused::conflict(ENDING));
        }
        let (at, note) = (self.parts.clock.now(), Untrusted::new(note.trim()).shown());
        let message = format!("marked {}", units::clock(at));
        let marked = json!({ "at_s": at.as_secs_f64(), "note": note, "message": message });
        self.send(Command::Mark(Mark { at, note }))?;
        Ok(marked)
    }

    /// Ends the run, as a key does; a second time cuts the requests in flight.
    fn stop(&self) -> Result<Value, Refused> {
        let state = self.parts.status.state();
        let is_again = self.has_stopped.swap(true, Ordering::Relaxed) || state == RunState::Draining;
        self.send(Command::Stop(StopCause::Control))?;
        let message = match (state, is_again) {
            (RunState::Finished, _) => "the run has ended".to_owned(),
            (_, true) => "the run ends now: requests in flight are cut".to_owned(),
            (_, false) => {
                let grace = units::whole_span(limits::DRAIN_GRACE);
                format!("the run ends: no client is added, requests in flight have {grace} to finish")
            }
        };
        Ok(json!({ "message": message }))
    }

    fn is_ending(&self) -> bool {
        self.parts.status.state().is_ending()
    }

    fn send(&self, command: Command) -> Result<(), Refused> {
        self.parts.commands.try_send(command).map_err(|error| match error {
            flume::TrySendError::Full(_) => Refused::busy(BUSY),
            flume::TrySendError::Disconnected(_) => Refused::conflict(ENDED),
        })
    }
}

impl Service for Api {
    fn body_bytes(&self) -> usize {
        BODY_BYTES
    }

    fn refusal(&self, head: &Request) -> Option<Reply> {
        let guard = &self.parts.guard;
        let refused =
            guard.refusal(head).or_else(|| order::refusal(head)).or_else(|| guard.refusal_of_body(head));
        refused.map(Refused::reply)
    }

    fn unreadable(&self, status: &'static str, why: &str) -> Reply {
        Refused::new(status, why).reply()
    }

    fn reply<'a>(&'a self, request: &'a Request) -> Replying<'a> {
        Box::pin(async {
            let order = order::order(&request.path, &request.body);
            let reply = match order {
                Ok(order) => self.obey(order).await,
                Err(refused) => Err(refused),
            };
            reply.map_or_else(Refused::reply, |json| granted(&json))
        })
    }
}
