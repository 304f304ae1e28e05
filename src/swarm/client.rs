//! One client: carries out what its player wants and counts what happens.
//!
//! The only file that knows player, network and counters: what happened is translated into what is counted here and
//! nowhere else.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::base::clock::micros;
use crate::base::outcome::{Fault, Outcome};
use crate::base::secret_url::UrlError;
use crate::base::{ClientState, Kind, SecretUrl, limits};
use crate::hls::{self, Playlist};
use crate::net::{Body, ConnectTimings, Net, Observer, Request, Response, Wire};
use crate::player::{Action, Doing, Fetch, Input, Player, What};
use crate::stats::{Exchange, Meter, Metric, Playback, Timed, Timings};

use super::ClientSettings;
use super::story::Story;

/// Weyl constant: spreads client numbers over the seeds.
const SEED_STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// What a worker and one of its clients tell each other.
#[derive(Debug, Default)]
pub(super) struct Signals {
    /// No new request may start.
    draining: Cell<bool>,
    /// A request is open: the client must not be dropped while it can still finish.
    busy: Cell<bool>,
}

impl Signals {
    pub(super) fn drain(&self) {
        self.draining.set(true);
    }

    pub(super) fn is_busy(&self) -> bool {
        self.busy.get()
    }
}

/// A client while it lives. Dropping it settles what it played.
pub(super) struct Client {
    player: Player,
    wire: Wire,
    meter: Meter,
    signals: Rc<Signals>,
    published: Option<Playback>,
    story: Rc<Story>,
}

impl Client {
    pub(super) fn new(
        settings: &ClientSettings,
        net: Rc<Net>,
        meter: Meter,
        signals: Rc<Signals>,
        story: Rc<Story>,
    ) -> Self {
        let seed = settings.seed ^ meter.client_id().wrapping_mul(SEED_STEP);
        let player = Player::new(settings.entry.clone(), settings.variant, seed, meter.clock().now());
        Self { player, wire: Wire::new(net), meter, signals, published: None, story }
    }

    /// Lives until the stream has been played to its end, or the run drains.
    pub(super) async fn live(mut self) {
        let mut input = Input::Woke;
        loop {
            let action = self.player.on(self.now(), input);
            self.settle();
            if self.signals.draining.get() {
                return;
            }
            match action {
                Action::Fetch(fetch) => {
                    self.signals.busy.set(true);
                    input = self.fetch(&fetch).await;
                    if matches!(input, Input::Failed) {
                        self.story.failed(kind(fetch.what));
                    }
                    self.signals.busy.set(false);
                }
                Action::Wait(until) => {
                    sleep_until(Instant::from_std(self.meter.clock().origin() + until)).await;
                    input = Input::Woke;
                }
                Action::Finished => return,
            }
        }
    }

    fn now(&self) -> Duration {
        self.meter.clock().now()
    }

    /// Requests what the player wants; each redirect on the way is a request of its own.
    async fn fetch(&mut self, fetch: &Fetch) -> Input {
        let Self { player, wire, meter, signals, .. } = self;
        let kind = kind(fetch.what);
        let mut url = fetch.url.clone();
        for hop in 0..=limits::REDIRECTS {
            let mut tap = Tap { exchange: meter.start(kind) };
            let request = Request { url: &url, range: fetch.range, body: body(kind), total: fetch.total };
            let ended = wire.get(&request, &mut tap).await;
            let exchange = tap.exchange;
            let response = match ended {
                Ok(response) => response,
                Err(fault) => return fail(exchange, fault.into()),
            };
            let Some(location) = redirect(&response) else {
                return conclude(player, fetch.what, url, response, exchange);
            };
            match next_hop(&url, location, hop) {
                Err(fault) => return fail(exchange, fault.into()),
                Ok(next) => {
                    exchange.finish(Outcome::of_status(response.status, true), Some(timings(&response)));
                    meter.count(Metric::Redirects, 1);
                    url = next;
                }
            }
            if signals.draining.get() {
                break;
            }
        }
        Input::Failed
    }

    /// Counts what the player did since the last time, and publishes what its viewer sees.
    fn settle(&mut self) {
        let tally = self.player.take_tally();
        let meter = &self.meter;
        for (metric, amount) in [
            (Metric::StartupMicros, micros(tally.startup)),
            (Metric::PlayMicros, micros(tally.play)),
            (Metric::StallMicros, micros(tally.stall)),
            (Metric::Stalls, tally.stalls),
            (Metric::SegmentsSkipped, tally.segments_skipped),
        ] {
            if amount > 0 {
                meter.count(metric, amount);
            }
        }
        if let Some(after) = tally.began {
            meter.count(Metric::PlaybackStarts, 1);
            meter.time(Timed::Startup, micros(after));
        }
        let playback = self.playback();
        self.story.settled(self.published.map(|before| before.state), playback.state, &tally);
        if self.published != Some(playback) {
            self.meter.publish(&playback);
            self.published = Some(playback);
        }
    }

    fn playback(&self) -> Playback {
        let moment = self.player.moment(self.now());
        Playback {
            state: match moment.doing {
                Doing::Starting => ClientState::Starting,
                Doing::Playing => ClientState::Playing,
                Doing::Stalled => ClientState::Stalled,
                Doing::Waiting => ClientState::Waiting,
                Doing::Finished => ClientState::Finished,
            },
            joined_us: moment.joined_us,
            offset_us: moment.offset_us,
            dry_at_us: moment.dry_at_us,
            max_drift_us: moment.max_drift_us,
            bandwidth: self.player.bandwidth(),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.player.leave(self.now());
        self.settle();
    }
}

fn kind(what: What) -> Kind {
    match what {
        What::Entry | What::Playlist(_) => Kind::Playlist,
        What::Init(_) => Kind::Init,
        What::Segment(..) => Kind::Segment,
    }
}

fn body(kind: Kind) -> Body {
    match kind {
        Kind::Playlist => Body::Playlist,
        Kind::Key => Body::Key,
        Kind::Segment | Kind::Part | Kind::Init | Kind::Unknown => Body::Media,
    }
}

fn timings(response: &Response) -> Timings {
    Timings { first_byte_us: response.first_byte_us, body_us: response.body_us }
}

/// Where a response points to, if it is a redirect that can be followed.
fn redirect(response: &Response) -> Option<&str> {
    let followed = matches!(response.status, 301 | 302 | 303 | 307 | 308);
    response.location.as_deref().filter(|_| followed)
}

/// The address of the next hop, `hop` of them having been followed.
fn next_hop(url: &SecretUrl, location: &str, hop: u32) -> Result<SecretUrl, Fault> {
    if hop >= limits::REDIRECTS {
        return Err(Fault::PolicyRedirects);
    }
    url.join(location).map_err(|error| match error {
        UrlError::Scheme => Fault::PolicyScheme,
        UrlError::Host | UrlError::Syntax => Fault::ConnProtocol,
    })
}

/// Ends a request that failed, and tells the player.
fn fail(exchange: Exchange<'_>, outcome: Outcome) -> Input {
    exchange.finish(outcome, None);
    Input::Failed
}

/// Ends the request with what its response means, and tells the player.
fn conclude(
    player: &Player,
    what: What,
    url: SecretUrl,
    response: Response,
    exchange: Exchange<'_>,
) -> Input {
    let times = timings(&response);
    let outcome = Outcome::of_status(response.status, false);
    if !outcome.is_ok() {
        return fail(exchange, outcome);
    }
    match understand(player, what, url, response) {
        Ok(input) => {
            exchange.finish(Outcome::Ok, Some(times));
            input
        }
        Err(fault) => fail(exchange, fault.into()),
    }
}

/// What a good response is to the player.
fn understand(player: &Player, what: What, url: SecretUrl, response: Response) -> Result<Input, Fault> {
    match what {
        _ if response.status == 304 => Ok(Input::Unchanged),
        What::Init(_) | What::Segment(..) if response.wire_bytes == 0 => Err(Fault::BodyShort),
        What::Init(_) | What::Segment(..) => Ok(Input::Media),
        What::Entry | What::Playlist(_) => {
            let playlist = parse(player, &url, &response.body)?;
            player.accepts(what, &playlist)?;
            Ok(Input::Playlist(url, Box::new(playlist)))
        }
    }
}

fn parse(player: &Player, url: &SecretUrl, body: &[u8]) -> Result<Playlist, Fault> {
    let context = hls::Context { query: url.query(), imported: Some(player.variables()) };
    hls::parse_in(body, &context).map_err(|error| error.fault)
}

/// Tells the counters what the network tells.
struct Tap<'a> {
    exchange: Exchange<'a>,
}

impl Observer for Tap<'_> {
    fn received(&mut self, bytes: u64) {
        self.exchange.received(bytes);
    }

    fn connected(&mut self, timings: &ConnectTimings, again: bool) {
        let meter = self.exchange.meter();
        meter.count(Metric::Connections, 1);
        if again {
            meter.count(Metric::Reconnections, 1);
        }
        for (timed, time) in
            [(Timed::Dns, timings.dns_us), (Timed::Connect, timings.connect_us), (Timed::Tls, timings.tls_us)]
        {
            if let Some(microseconds) = time {
                meter.time(timed, microseconds);
            }
        }
    }

    fn retried(&mut self) {
        self.exchange.meter().count(Metric::StaleRetries, 1);
    }
}
