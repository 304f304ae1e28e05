//! One request of a client with its redirects, and what of it is counted while it lasts.
//!
//! * What cannot be requested (another scheme, a broken URL) is a request that ends as `policy.scheme` and never reaches
//!   the wire. What stands in the playlist itself (`data:`) is no request at all.
//! * What this machine lacks is counted, waited for and tried again: the player hears nothing of it, because no viewer
//!   would leave for it.

use std::sync::Arc;
use std::time::Duration;

use crate::hls::{ParseError, Playlist, Variables};
use crate::net::{Body, ConnectionInfo, Observer, Request, RequestLane, Response};
use crate::player::{Fetch, Resource};
use crate::stats::{Exchange, Meter, Metric, Route, Timed, Timings};
use crate::vocabulary::outcome::{Fault, Outcome};
use crate::vocabulary::secret_url::Access;
use crate::vocabulary::{Finding, Kind, SecretUrl, limits};

use super::client_slot::{ClientSlot, RequestGuard};
use super::decryption::{BodyDecryptor, KeyRing};
use super::playlist_cache::PlaylistCache;
use super::reach::Attempt;

/// How long a client waits for what this machine lacks before it tries again.
const LOCAL_WAIT: Duration = Duration::from_secs(1);

/// A request that has ended.
pub(super) struct Completed<'a> {
    /// Redirects that were followed.
    pub(super) redirects: u32,
    pub(super) arrival: Arrival<'a>,
    /// The request counts as open until what came has been looked at; `None`: none was made.
    pub(super) open: Option<RequestGuard<'a>>,
}

/// What became of a request.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every request is a response: a box would be an allocation for each"
)]
pub(super) enum Arrival<'a> {
    /// It failed, and that has been counted.
    Failed,
    /// So many bytes of a key or of media stood in the playlist itself.
    Inline(u64),
    /// The response, the address that it came from, and the exchange that still wants its outcome.
    Response(Received<'a>),
}

/// A complete response that is no redirect.
pub(super) struct Received<'a> {
    /// The address that it finally came from, if redirects led there.
    pub(super) redirected: Option<SecretUrl>,
    pub(super) response: Response,
    /// When it had come.
    pub(super) at_us: u64,
    /// Bytes of its body, as far as these were kept.
    pub(super) length: usize,
    /// Whether it could be decrypted, if it had to be.
    pub(super) decrypted: Result<(), Fault>,
    /// The playlist that it holds, if one was asked for and came.
    pub(super) playlist: Option<Result<Arc<Playlist>, ParseError>>,
    pub(super) exchange: Exchange<'a>,
}

impl Received<'_> {
    /// Returns true when the status says that what was asked for came.
    fn is_ok(&self) -> bool {
        self.response.status != 304 && Outcome::of_status(self.response.status, false).is_ok()
    }

    /// Reads the playlist, with what its multivariant playlist defines. Other requests of the client go on meanwhile.
    async fn read(&mut self, fetch: &Fetch, library: &PlaylistCache, imported: &Variables) {
        let body = std::mem::take(&mut self.response.body);
        self.playlist = Some(library.read(self.url(fetch), body, imported).await);
    }

    /// The address that it finally came from.
    pub(super) fn url<'a>(&'a self, fetch: &'a Fetch) -> &'a SecretUrl {
        self.redirected.as_ref().unwrap_or(&fetch.url)
    }
}

/// What a request knows of its client.
#[derive(Clone, Copy)]
pub(super) struct RequestContext<'a> {
    pub(super) slot: &'a ClientSlot,
    pub(super) meter: &'a Meter,
    /// Where keys are kept, if what is encrypted is to be decrypted.
    pub(super) keys: Option<&'a KeyRing>,
}

/// Requests what the player wants; each redirect on the way is a request of its own. `imported` are the variables of the
/// multivariant playlist that the player has.
pub(super) async fn request<'a>(
    wire: &mut RequestLane,
    fetch: &Fetch,
    context: RequestContext<'a>,
    imported: impl Fn() -> Variables,
) -> Completed<'a> {
    let RequestContext { slot, meter, keys } = context;
    let open = slot.begin_request(&fetch.url).await;
    let mut redirects = 0;
    let mut arrival = match fetch.url.access() {
        _ if open.is_none() => Arrival::Failed,
        Access::Request => follow(wire, fetch, context, &mut redirects).await,
        Access::Inline => read_inline(fetch, meter, keys),
        Access::Refused => {
            meter.find(Finding::BadUri, || fetch.url.refusal());
            fail(meter.start(kind(fetch.what)), Fault::PolicyScheme)
        }
    };
    if let Arrival::Response(arrived) = &mut arrival
        && kind(fetch.what) == Kind::Playlist
        && arrived.is_ok()
    {
        let imported = imported();
        arrived.read(fetch, slot.library(), &imported).await;
    }
    Completed { redirects, arrival, open }
}

/// Takes a key or media out of its `data:` address. A playlist there is refused: players load it by a request.
fn read_inline<'a>(fetch: &Fetch, meter: &Meter, keys: Option<&KeyRing>) -> Arrival<'a> {
    let refused = |fault| {
        meter.find(Finding::BadUri, || "data: holds nothing that can be played".to_owned());
        fail(meter.start(kind(fetch.what)), fault)
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

async fn follow<'a>(
    wire: &mut RequestLane,
    fetch: &Fetch,
    context: RequestContext<'a>,
    redirects: &mut u32,
) -> Arrival<'a> {
    let RequestContext { slot, meter, keys } = context;
    let mut redirected: Option<SecretUrl> = None;
    let mut is_lacking = false;
    loop {
        if is_lacking {
            tokio::time::sleep(LOCAL_WAIT).await;
        }
        if (is_lacking || *redirects > 0) && slot.is_draining() {
            return Arrival::Failed;
        }
        let url = redirected.as_ref().unwrap_or(&fetch.url);
        let Tried { exchange, decryptor, ended } = attempt(wire, url, fetch, context).await;
        is_lacking = matches!(ended, Err(fault) if fault.is_local() && fault != Fault::LocalInternal);
        let response = match ended {
            Ok(response) => response,
            Err(fault) if is_lacking => {
                exchange.finish(fault.into(), None);
                continue;
            }
            Err(fault) => return fail(exchange, fault),
        };
        let Some(location) = redirect(&response) else {
            let body = response.body.bytes();
            let decrypted = decrypted(fetch, body.as_deref().unwrap_or_default(), decryptor, keys);
            drop(body);
            let (at_us, length) = (meter.now_us(), response.body.len());
            let playlist = None;
            return Arrival::Response(Received {
                redirected,
                response,
                at_us,
                length,
                decrypted,
                playlist,
                exchange,
            });
        };
        match next_hop(url, location, *redirects) {
            Err(fault) => return fail(exchange, fault),
            Ok(next) => {
                exchange.finish(Outcome::of_status(response.status, true), Some(timings(&response)));
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
    ended: Result<Response, Fault>,
}

/// Sends one GET for what the player wants to `url`.
async fn attempt<'a>(
    wire: &mut RequestLane,
    url: &SecretUrl,
    fetch: &Fetch,
    context: RequestContext<'a>,
) -> Tried<'a> {
    let RequestContext { slot, meter, keys } = context;
    let kind = kind(fetch.what);
    let decryptor = BodyDecryptor::new(keys, fetch.decryption.as_deref());
    let body = body(kind, &decryptor);
    let mut observer = MeterObserver { exchange: meter.start(kind), decryptor, attempt: Attempt::default() };
    let Fetch { range, total, reuse, .. } = *fetch;
    let request = Request { url, range, unless: fetch.unless.as_deref(), body, total, reuse };
    let ended = wire.get(&request, &mut observer).await;
    let MeterObserver { exchange, decryptor, attempt } = observer;
    slot.reach().ended(url, attempt, ended.as_ref().err().copied());
    if let Ok(response) = &ended {
        meter.answered(&route(&response.opening), response.wire_bytes, response.cache);
    }
    Tried { exchange, decryptor, ended }
}

/// Keeps a key that came, and says whether media could be decrypted.
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

/// Ends a request that failed.
fn fail<'a>(exchange: Exchange<'_>, fault: Fault) -> Arrival<'a> {
    exchange.finish(fault.into(), None);
    Arrival::Failed
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

fn route(opening: &ConnectionInfo) -> Route {
    let ConnectionInfo { edge, source, http2, resumed, .. } = *opening;
    Route { edge, source, http2, resumed }
}

/// How long the phases of a response took.
pub(super) fn timings(response: &Response) -> Timings {
    Timings { first_byte_us: response.first_byte_us, body_us: response.body_us }
}

/// Where a response points to, if it is a redirect that can be followed.
fn redirect(response: &Response) -> Option<&str> {
    let followed = matches!(response.status, 301 | 302 | 303 | 307 | 308);
    response.location.as_deref().filter(|_| followed)
}

/// The address of the next hop, `redirects` having been followed.
fn next_hop(url: &SecretUrl, location: &str, redirects: u32) -> Result<SecretUrl, Fault> {
    if redirects >= limits::REDIRECTS {
        return Err(Fault::PolicyRedirects);
    }
    url.join(location).map_err(|_| Fault::PolicyScheme)
}

/// Tells the counters what the network tells.
struct MeterObserver<'a> {
    exchange: Exchange<'a>,
    decryptor: BodyDecryptor,
    attempt: Attempt,
}

impl Observer for MeterObserver<'_> {
    fn received(&mut self, bytes: u64) {
        self.attempt = Attempt::Answered;
        self.exchange.received(bytes);
    }

    fn body(&mut self, piece: &[u8]) {
        self.decryptor.take(piece);
    }

    fn connected(&mut self, opening: &ConnectionInfo, replaces: bool) {
        self.attempt = Attempt::Connected;
        let meter = self.exchange.meter();
        meter.count(Metric::Connections, 1);
        meter.opened(&route(opening));
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
        self.exchange.meter().explain(fault, || reason.to_owned());
    }

    fn retried(&mut self) {
        self.exchange.meter().count(Metric::StaleRetries, 1);
    }
}
