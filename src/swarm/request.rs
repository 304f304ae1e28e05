//! One request of a client with its redirects, and the counting while it lasts.
//!
//! * A URL that cannot be requested (another scheme, a broken URL) counts as a request that ends as `policy.scheme`
//!   and never reaches the wire, and so does one that is out of scope, as `policy.host`, `policy.addr` or
//!   `policy.scheme`. A response that redirects to such a URL ends with the same outcome. Data in the playlist itself
//!   (`data:`) is not a request at all.
//! * A request that fails for lack of a local resource is counted and, after a wait, retried: the player does not
//!   notice, because no viewer would leave for it. The log and the record show it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::hls::{ParseError, Playlist, Variables};
use crate::net::scope::Lead;
use crate::net::{Body, ConnectionInfo, Observer, Request, RequestLane, Response};
use crate::pipeline::{FailureDetails, WatchedRequest};
use crate::player::{Fetch, Resource};
use crate::stats::{Exchange, Meter, Metric, Timings};
use crate::vocabulary::outcome::{Class, Fault, Outcome};
use crate::vocabulary::secret_url::Access;
use crate::vocabulary::{CacheStatus, Finding, Kind, KnownSecrets, SecretUrl, Timed, limits};

use super::client_events::ClientEvents;
use super::client_slot::{ClientSlot, RequestGuard};
use super::decryption::{BodyDecryptor, KeyRing};
use super::failed_answer::FailedAnswer;
use super::playlist_cache::PlaylistCache;
use super::reach::Attempt;
use super::scope::{self, HostRequest, admit, lead_to, refuse_scheme};

/// Time that a client waits for a local resource before it retries.
const LOCAL_WAIT: Duration = Duration::from_secs(1);

/// A request that has ended.
pub(super) struct Completed<'a> {
    /// Redirects that were followed.
    pub(super) redirects: u32,
    pub(super) arrival: Arrival<'a>,
    /// Guard that counts the request as open until the response has been evaluated; `None` if no request was made.
    pub(super) open: Option<RequestGuard<'a>>,
}

/// Result of a request.
pub(super) enum Arrival<'a> {
    /// The request failed, and that has been counted. `None` if it was not sent.
    Failed(Option<Sent>),
    /// A key or media of this many bytes was in the playlist itself.
    Inline(u64),
    /// The response, the URL that it came from, and the exchange that still needs its outcome.
    Response(Received<'a>),
}

/// A complete response that is not a redirect.
pub(super) struct Received<'a> {
    /// URL that the response finally came from, if redirects led there.
    pub(super) redirected: Option<SecretUrl>,
    pub(super) response: Response,
    /// Time at which the response was complete, in microseconds since the start of the run.
    pub(super) at_us: u64,
    /// Length of the body in bytes, as far as it was kept.
    pub(super) length: usize,
    /// Result of the decryption; `Ok` if nothing had to be decrypted.
    pub(super) decrypted: Result<(), Fault>,
    /// Playlist in the body, if one was requested and came.
    pub(super) playlist: Option<Result<Arc<Playlist>, ParseError>>,
    pub(super) exchange: Exchange<'a>,
    /// True if it is an example of its failure; `None`: not decided yet.
    is_example: Option<bool>,
}

/// Times and bytes of a request. Times are in microseconds since the start of the run.
#[derive(Clone, Copy, Default)]
pub(super) struct Sent {
    /// Time at which it began.
    pub(super) started_us: u64,
    /// Time of the first byte that came; for a failed request without a response, known only if its client is watched.
    pub(super) first_byte_us: Option<u64>,
    /// Body bytes that came.
    pub(super) bytes: u64,
}

impl Sent {
    fn new(exchange: &Exchange<'_>, first_byte_us: Option<u64>) -> Self {
        Self { started_us: exchange.started_us(), first_byte_us, bytes: exchange.bytes() }
    }
}

/// Facts of a request that are known before it is evaluated, for reports of it.
#[derive(Default)]
pub(super) struct Answered {
    redirected: Option<SecretUrl>,
    sent: Option<Sent>,
    edge: Option<SocketAddr>,
    cache: Option<CacheStatus>,
    failed: Option<FailedAnswer>,
    is_example: Option<bool>,
}

impl Answered {
    /// Takes the facts of a request, and what is shown of a failed response out of it.
    pub(super) fn new(arrival: &mut Arrival<'_>) -> Self {
        match arrival {
            Arrival::Failed(sent) => Self { sent: *sent, ..Self::default() },
            Arrival::Inline(_) => Self::default(),
            Arrival::Response(received) => Self {
                redirected: received.redirected.clone(),
                sent: Some(Sent::new(&received.exchange, Some(received.first_byte_us()))),
                edge: Some(received.response.opening.route.edge),
                cache: received.response.head.cache,
                failed: FailedAnswer::take(&mut received.response),
                is_example: received.is_example,
            },
        }
    }

    /// Returns the times and bytes of the request; `None` if it was not sent.
    pub(super) fn sent(&self) -> Option<Sent> {
        self.sent
    }

    /// Reports that the request, one for `url` on `wire`, failed now.
    pub(super) fn report(&self, events: &ClientEvents, what: Resource, url: &SecretUrl, wire: &RequestLane) {
        let details = |now_us, secrets: Option<&KnownSecrets>| self.details(url, wire, now_us, secrets);
        events.failed(kind(what), self.is_example, details);
    }

    /// Returns the details of the request; `None` if it was not sent.
    fn details(
        &self,
        url: &SecretUrl,
        wire: &RequestLane,
        now_us: u64,
        secrets: Option<&KnownSecrets>,
    ) -> Option<FailureDetails> {
        let url = self.redirected.as_ref().unwrap_or(url);
        let shown = self.failed.as_ref().zip(secrets.cloned()).map(|(failed, mut secrets)| {
            secrets.add_url(url);
            wire.add_cookies(&mut secrets);
            failed.shown(secrets)
        });
        let (ids, words) = shown.unwrap_or_default();
        Some(FailureDetails {
            url: url.to_string().into(),
            took_us: now_us.saturating_sub(self.sent?.started_us),
            edge: self.edge,
            cache: self.cache,
            ids,
            words,
        })
    }
}

impl Received<'_> {
    /// Reports whether the status says that the resource itself was sent.
    fn is_ok(&self) -> bool {
        self.response.head.status != 304 && Outcome::from_status(self.response.head.status, false).is_ok()
    }

    /// Returns the time of the first byte of the response, in microseconds since the start of the run.
    fn first_byte_us(&self) -> u64 {
        self.at_us.saturating_sub(self.response.body_us)
    }

    /// Reads the playlist, with the variables that its multivariant playlist defines. Other requests of the client go
    /// on meanwhile.
    async fn read(&mut self, fetch: &Fetch, library: &PlaylistCache, imported: &Variables) {
        let body = std::mem::take(&mut self.response.body);
        self.playlist = Some(library.read(self.url(fetch), body, imported).await);
    }

    /// Returns the time of the run until which a 429 or 503 asks its client to wait.
    pub(super) fn retry_at(&self) -> Option<Duration> {
        let arrived = Duration::from_micros(self.at_us);
        let now = self.exchange.meter().clock().started_at() + arrived;
        Some(arrived + self.response.head.retry_after.wait(now)?)
    }

    /// Returns the URL that the response finally came from.
    pub(super) fn url<'a>(&'a self, fetch: &'a Fetch) -> &'a SecretUrl {
        self.redirected.as_ref().unwrap_or(&fetch.url)
    }
}

/// The parts of a client that a request uses.
#[derive(Clone, Copy)]
pub(super) struct RequestContext<'a> {
    pub(super) slot: &'a ClientSlot,
    pub(super) meter: &'a Meter,
    pub(super) events: &'a ClientEvents,
    /// Keys of the client, if encrypted media is to be decrypted.
    pub(super) keys: Option<&'a KeyRing>,
    /// The request, if its client is watched.
    pub(super) watched: Option<WatchedRequest>,
}

/// Carries out a fetch of the player; each redirect on the way is a request of its own. `imported` returns the
/// variables of the multivariant playlist that the player has.
pub(super) async fn request<'a>(
    wire: &mut RequestLane,
    fetch: &Fetch,
    context: RequestContext<'a>,
    imported: impl Fn() -> Variables,
) -> Completed<'a> {
    let RequestContext { slot, meter, keys, .. } = context;
    let open = slot.begin_request(&fetch.url).await;
    let mut redirects = 0;
    let mut arrival = match fetch.url.access() {
        _ if open.is_none() => Arrival::Failed(None),
        Access::Request => match admit(slot.scope(), meter, &fetch.url, lead_to(fetch)) {
            Ok(()) => match follow(wire, fetch, context, &mut redirects).await {
                Some(arrival) => arrival,
                // A hard stop ends the run within moments. Until then the player waits: an answer would make it count
                // a failure that the origin did not cause.
                None => {
                    drop(open);
                    return std::future::pending().await;
                }
            },
            Err(fault) => fail(meter.start(kind(fetch.what)), None, fault),
        },
        Access::Inline => read_inline(fetch, meter, keys),
        Access::Refused => fail(meter.start(kind(fetch.what)), None, refuse_scheme(meter, &fetch.url)),
    };
    if let Arrival::Response(arrived) = &mut arrival
        && kind(fetch.what) == Kind::Playlist
        && arrived.is_ok()
    {
        let imported = imported();
        arrived.read(fetch, slot.playlist_cache(), &imported).await;
    }
    Completed { redirects, arrival, open }
}

/// Takes a key or media out of its `data:` URL. A playlist there is refused: players load playlists by requests.
fn read_inline<'a>(fetch: &Fetch, meter: &Meter, keys: Option<&KeyRing>) -> Arrival<'a> {
    let refused = |fault| {
        meter.find(Finding::BadUri, || "the data: URL holds nothing playable".to_owned());
        fail(meter.start(kind(fetch.what)), None, fault)
    };
    if kind(fetch.what) == Kind::Playlist {
        return refused(Fault::PolicyScheme);
    }
    let Ok(bytes) = fetch.url.inline() else { return refused(Fault::BodyDecode) };
    let mut decryptor = BodyDecryptor::new(keys, fetch.decryption.as_deref());
    decryptor.take(&bytes);
    match decrypted(fetch, &bytes, decryptor, keys) {
        _ if bytes.is_empty() => refused(Fault::BodyShort),
        Ok(()) => Arrival::Inline(bytes.len() as u64),
        Err(fault) => refused(fault),
    }
}

/// Sends a request and follows its redirects. Returns `None` if a hard stop lets no more requests be sent.
async fn follow<'a>(
    wire: &mut RequestLane,
    fetch: &Fetch,
    context: RequestContext<'a>,
    redirects: &mut u32,
) -> Option<Arrival<'a>> {
    let RequestContext { slot, meter, events, keys, .. } = context;
    let mut redirected: Option<SecretUrl> = None;
    let mut is_lacking = false;
    loop {
        // A local resource may become free: wait for it before the retry.
        if is_lacking {
            tokio::time::sleep(LOCAL_WAIT).await;
        }
        // The first request was begun before the run drained; a retry or a redirect would be a new one.
        if (is_lacking || *redirects > 0) && slot.is_draining() {
            return Some(Arrival::Failed(None));
        }
        // A hard stop: what is not sent is not counted.
        if !meter.may_send() {
            return None;
        }
        let url = redirected.as_ref().unwrap_or(&fetch.url);
        let Tried { exchange, decryptor, first_byte_us, is_example, ended } =
            attempt(wire, url, fetch, context).await;
        // An internal error is not a lack, and waiting does not help against it.
        is_lacking = matches!(ended, Err(fault) if fault.is_local() && fault != Fault::LocalInternal);
        let response = match ended {
            Ok(response) => response,
            Err(fault) if is_lacking => {
                let answered = Answered::new(&mut fail(exchange, first_byte_us, fault));
                answered.report(events, fetch.what, url, wire);
                continue;
            }
            Err(fault) => return Some(fail(exchange, first_byte_us, fault)),
        };
        let Some(location) = redirect(&response) else {
            // The last hop: the exchange stays open until the body has been judged.
            let body = response.body.bytes();
            let decrypted = decrypted(fetch, body.as_deref().unwrap_or_default(), decryptor, keys);
            drop(body);
            let (at_us, length) = (meter.now_us(), response.body.len());
            return Some(Arrival::Response(Received {
                redirected,
                response,
                at_us,
                length,
                decrypted,
                playlist: None,
                exchange,
                is_example,
            }));
        };
        // Each hop is a request of its own with its own outcome, as the origin counts it.
        let next = next_hop(meter, url, location, *redirects).and_then(|next| {
            admit(slot.scope(), meter, &next, Lead::Redirect(url))?;
            Ok(next)
        });
        match next {
            // A refused hop is the failure of the request that named it.
            Err(fault) => return Some(fail(exchange, first_byte_us, fault)),
            Ok(next) => {
                exchange.finish(Outcome::from_status(response.head.status, true), Some(timings(&response)));
                meter.count(Metric::Redirects, 1);
                *redirects += 1;
                redirected = Some(next);
            }
        }
    }
}

/// One GET, before it has an outcome.
struct Tried<'a> {
    exchange: Exchange<'a>,
    decryptor: BodyDecryptor,
    /// Time of the first byte of the body, if the client is watched.
    first_byte_us: Option<u64>,
    /// True if the response is an example of its failure; `None`: not decided yet.
    is_example: Option<bool>,
    ended: Result<Response, Fault>,
}

/// Sends one GET for `fetch` to `url`, which is the URL of a redirect if one was followed.
async fn attempt<'a>(
    wire: &mut RequestLane,
    url: &SecretUrl,
    fetch: &Fetch,
    context: RequestContext<'a>,
) -> Tried<'a> {
    let RequestContext { slot, meter, events, keys, watched } = context;
    let kind = kind(fetch.what);
    let decryptor = BodyDecryptor::new(keys, fetch.decryption.as_deref());
    let body = body(kind, &decryptor);
    let (exchange, attempt) = (meter.start(kind), Attempt::default());
    let (first_byte_us, is_example) = (None, None);
    let mut observer =
        MeterObserver { exchange, decryptor, attempt, events, watched, first_byte_us, is_example };
    let Fetch { range, total, reuse, .. } = *fetch;
    let request = Request { url, range, unless: fetch.unless.as_deref(), body, total, reuse };
    let host = HostRequest { place: slot, meter, url };
    let ended = wire.get(&request, &mut observer).await;
    let MeterObserver { exchange, decryptor, attempt, first_byte_us, is_example, .. } = observer;
    host.place.reach().ended(host.url, attempt, ended.as_ref().err().copied());
    match &ended {
        Ok(response) => {
            let (route, head) = (&response.opening.route, &response.head);
            host.meter.answered(route, head.status, response.wire_bytes, head.cache);
        }
        Err(fault) if fault.class() == Class::Policy => host.refuse(*fault),
        Err(_) => {}
    }
    Tried { exchange, decryptor, first_byte_us, is_example, ended }
}

/// Keeps a key, or ends the decryption of media.
fn decrypted(
    fetch: &Fetch,
    body: &[u8],
    decryptor: BodyDecryptor,
    keys: Option<&KeyRing>,
) -> Result<(), Fault> {
    match (fetch.what, keys) {
        (Resource::Key(_), Some(keys)) => keys.add(&fetch.url, body),
        _ => decryptor.finish(),
    }
}

/// Ends a request that failed with this fault.
fn fail<'a>(exchange: Exchange<'_>, first_byte_us: Option<u64>, fault: Fault) -> Arrival<'a> {
    let sent = Sent::new(&exchange, first_byte_us);
    exchange.finish(fault.into(), None);
    Arrival::Failed(Some(sent))
}

/// Returns the media sequence number of a segment.
pub(super) fn sequence(what: Resource) -> Option<u64> {
    match what {
        Resource::Segment(_, sequence) => Some(sequence),
        _ => None,
    }
}

pub(super) fn kind(what: Resource) -> Kind {
    match what {
        Resource::Entry | Resource::Playlist(_) => Kind::Playlist,
        Resource::Key(_) => Kind::Key,
        Resource::Init(_) => Kind::Init,
        Resource::Segment(..) => Kind::Segment,
    }
}

fn body(kind: Kind, decryptor: &BodyDecryptor) -> Body {
    match kind {
        _ if decryptor.looks() => Body::SeenMedia,
        Kind::Playlist => Body::Playlist,
        Kind::Key => Body::Key,
        Kind::Segment | Kind::Part | Kind::Init | Kind::Unknown => Body::Media,
    }
}

/// Returns the durations of the phases of a response.
pub(super) fn timings(response: &Response) -> Timings {
    Timings { first_byte_us: response.first_byte_us, body_us: response.body_us }
}

/// Returns the location that a response points to, if it is a redirect that can be followed.
fn redirect(response: &Response) -> Option<&str> {
    let followed = matches!(response.head.status, 301 | 302 | 303 | 307 | 308);
    response.head.location.as_deref().filter(|_| followed)
}

/// Returns the URL of the next hop after `redirects` redirects.
fn next_hop(meter: &Meter, url: &SecretUrl, location: &str, redirects: u32) -> Result<SecretUrl, Fault> {
    if redirects >= limits::REDIRECTS {
        return Err(Fault::PolicyRedirects);
    }
    url.join(location).map_err(|_| refuse_scheme(meter, &url.refer(location)))
}

/// Observer that counts what the network reports.
struct MeterObserver<'a> {
    exchange: Exchange<'a>,
    decryptor: BodyDecryptor,
    attempt: Attempt,
    events: &'a ClientEvents,
    watched: Option<WatchedRequest>,
    first_byte_us: Option<u64>,
    /// True if the response is an example of its failure; decided when its body begins.
    is_example: Option<bool>,
}

impl Observer for MeterObserver<'_> {
    fn received(&mut self, bytes: u64) {
        self.attempt = Attempt::Answered;
        if let (Some(request), None) = (self.watched, self.first_byte_us) {
            let now_us = self.exchange.meter().now_us();
            self.first_byte_us = Some(now_us);
            self.events.first_byte(request, now_us);
        }
        self.exchange.received(bytes);
    }

    fn keeps_words(&mut self, status: u16) -> bool {
        let is_example = self.events.admits(status);
        self.is_example = Some(is_example);
        is_example && self.events.show_responses()
    }

    fn body(&mut self, piece: &[u8]) {
        self.decryptor.take(piece);
    }

    fn connected(&mut self, opening: &ConnectionInfo, replaces: bool) {
        self.attempt = Attempt::Connected;
        let meter = self.exchange.meter();
        meter.count(Metric::Connections, 1);
        meter.opened(&opening.route);
        if replaces {
            meter.count(Metric::Reconnections, 1);
        }
        let times = &opening.timings;
        for (timed, time) in
            [(Timed::Dns, times.dns_us), (Timed::Connect, times.connect_us), (Timed::Tls, times.tls_us)]
        {
            if let Some(microseconds) = time {
                meter.time(timed, microseconds);
            }
        }
    }

    fn explained(&mut self, fault: Fault, reason: &str) {
        self.exchange.meter().explain(fault, || scope::reason(fault, reason));
    }

    fn retried(&mut self) {
        self.exchange.meter().count(Metric::StaleRetries, 1);
    }
}
