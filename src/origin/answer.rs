//! Turns a request into a response: faults first, then the catalog.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{
    ACCEPT_RANGES, ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING,
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderName, HeaderValue, RANGE, VARY,
};
use http::{Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;

use super::body::{Body, Ending, Manner, Pace};
use super::catalog::{Catalog, Found};
use super::content::Content;
use super::counts::Counters;
use super::faults::{Faults, Hit};
use super::gzip::{self, Gzip};
use super::ledger::{Ledger, Ticket};
use super::path::{Resource, kind_of};
use super::range::{self, RangeRequest};
use super::rule::Fault;
use super::uplink::Uplink;

/// State that all connections of an origin share.
#[derive(Debug)]
pub struct Shared {
    /// Resources of the origin.
    pub catalog: Catalog,
    /// Fault rules of the origin.
    pub faults: Faults,
    /// Compressor of playlists, if enabled.
    pub gzip: Option<Gzip>,
    /// Rate of all bodies together, if it is limited.
    pub uplink: Option<Arc<Uplink>>,
    /// Start of the origin.
    pub started: Instant,
    /// Counters of requests and responses.
    pub counters: Arc<Counters>,
}

/// Error for a fault rule that resets the connection instead of answering.
#[derive(Debug, thiserror::Error)]
#[error("reset by a fault rule")]
pub struct NoAnswer;

/// A response before it has a body: everything that [`Body`] needs except the ticket.
struct Draft {
    response: http::response::Builder,
    status: StatusCode,
    content: Content,
    range: Range<u64>,
}

impl Draft {
    fn new(status: StatusCode, content: Content) -> Self {
        Self::from_range(status, 0..content.length(), content)
    }

    fn from_range(status: StatusCode, range: Range<u64>, content: Content) -> Self {
        let response = Response::builder().status(status).header(ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        Self { response, status, content, range }
    }

    fn note(status: StatusCode) -> Self {
        // These two never have a body (RFC 9110 sections 15.3.5 and 15.4.5).
        let bare = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let text = if bare { String::new() } else { format!("{}\n", status.as_u16()) };
        Self::new(status, Content::whole(text))
            .with(CONTENT_TYPE, HeaderValue::from_static("text/plain"))
            .with(CACHE_CONTROL, HeaderValue::from_static("no-store"))
    }

    fn with(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.response = self.response.header(name, value.into());
        self
    }

    /// Builds the response. A response to HEAD has its length but no body.
    fn finish(mut self, head: bool, manner: Manner, mut ticket: Ticket) -> Result<Response<Body>, NoAnswer> {
        if head {
            self = Self { range: 0..0, ..self.with_length() };
        }
        ticket.answer(self.status, self.range.end - self.range.start);
        // The headers are constants and numbers, so building cannot fail. If it did, the connection would be closed.
        self.response.body(Body::new(self.content, self.range, manner, ticket)).map_err(|_| NoAnswer)
    }

    fn with_length(self) -> Self {
        let length = self.range.end - self.range.start;
        self.with(CONTENT_LENGTH, length)
    }
}

/// Answers one request. On a connection beyond the accepted number each one ends with 503, and the connection with it.
///
/// # Errors
/// [`NoAnswer`] when the connection is to be reset.
pub async fn answer(
    shared: Arc<Shared>,
    ledger: Arc<Ledger>,
    request: Request<Incoming>,
    is_beyond: bool,
) -> Result<Response<Body>, NoAnswer> {
    let kind = kind_of(request.uri().path());
    let is_http1 = request.version() < Version::HTTP_2;
    let ticket = ledger.received(kind, is_http1);
    let arrived = shared.started.elapsed();
    let head = request.method() == Method::HEAD;
    if is_beyond {
        let full = Draft::note(StatusCode::SERVICE_UNAVAILABLE);
        // HTTP/2 has no such header (RFC 9113 section 8.2.2).
        let full = if is_http1 { full.with(CONNECTION, HeaderValue::from_static("close")) } else { full };
        return full.finish(head, Manner::default(), ticket);
    }
    let hit = shared.faults.hit(kind, arrived);
    let mut at = arrived;
    match hit.map(|hit| (hit.fault, hit.active.since)) {
        Some((Fault::Status(status), _)) => {
            return Draft::note(status).finish(head, Manner::default(), ticket);
        }
        Some((Fault::Reset, _)) => {
            ledger.ask_reset();
            return Err(NoAnswer);
        }
        Some((Fault::Delay(time), _)) => {
            tokio::time::sleep(time).await;
            at = shared.started.elapsed();
        }
        Some((Fault::Stale, since)) => at = since,
        _ => {}
    }
    let manner = Manner { uplink: shared.uplink.clone(), ..manner(hit, arrived) };
    draft(&shared, &request, at).finish(head, manner, ticket)
}

/// Returns the effect of a fault on a body that begins `elapsed` after the origin's start.
fn manner(hit: Option<Hit>, elapsed: Duration) -> Manner {
    let whole = Manner::default();
    match hit.map(|hit| (hit.fault, hit.active.until)) {
        Some((Fault::Cut, _)) => Manner { ending: Ending::Cut, ..whole },
        Some((Fault::Stall, _)) => Manner { ending: Ending::Stall, ..whole },
        Some((Fault::Bandwidth(bits_per_second), until)) => {
            let until = until.map(|until| tokio::time::Instant::now() + until.saturating_sub(elapsed));
            Manner { pace: Some(Pace { bits_per_second, until }), ..whole }
        }
        _ => whole,
    }
}

/// Drafts the healthy answer to a request, `elapsed` after the origin's start.
fn draft(shared: &Shared, request: &Request<Incoming>, elapsed: Duration) -> Draft {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Draft::note(StatusCode::METHOD_NOT_ALLOWED)
            .with(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    let resource = Resource::parse(request.uri().path());
    let Some(found) = resource.and_then(|resource| shared.catalog.find(resource, elapsed)) else {
        return Draft::note(StatusCode::NOT_FOUND);
    };
    let (content_type, cache_control) = (found.content_type, found.cache_control);
    let draft = if found.is_text {
        text(found, shared.gzip.as_ref().filter(|_| gzip::accepted(request.headers())))
    } else {
        media(found, request)
    };
    draft
        .with(CONTENT_TYPE, HeaderValue::from_static(content_type))
        .with(CACHE_CONTROL, HeaderValue::from_static(cache_control))
}

/// Drafts an answer with a playlist or the page, compressed if `gzip` is given.
fn text(found: Found, gzip: Option<&Gzip>) -> Draft {
    let draft = match gzip.and_then(|gzip| gzip.encode(found.content.head())) {
        Some(coded) => Draft::new(StatusCode::OK, Content::whole(coded))
            .with(CONTENT_ENCODING, HeaderValue::from_static("gzip")),
        None => Draft::new(StatusCode::OK, found.content),
    };
    draft.with(VARY, HeaderValue::from_static("Accept-Encoding"))
}

/// Drafts an answer with a segment or an initialization section, or the requested range of it (only GET has ranges:
/// RFC 9110 section 14.2).
fn media(found: Found, request: &Request<Incoming>) -> Draft {
    let length = found.content.length();
    let header = request.headers().get(RANGE).filter(|_| request.method() == Method::GET);
    let draft = match range::requested(header.and_then(|value| value.to_str().ok()), length) {
        RangeRequest::Everything => Draft::new(StatusCode::OK, found.content),
        RangeRequest::Bytes(range) => {
            let span = format!("bytes {}-{}/{length}", range.start, range.end.saturating_sub(1));
            with_span(Draft::from_range(StatusCode::PARTIAL_CONTENT, range, found.content), &span)
        }
        RangeRequest::Nothing => {
            let nothing = Draft::new(StatusCode::RANGE_NOT_SATISFIABLE, Content::default());
            with_span(nothing, &format!("bytes */{length}"))
        }
    };
    draft.with(ACCEPT_RANGES, HeaderValue::from_static("bytes"))
}

fn with_span(draft: Draft, span: &str) -> Draft {
    match HeaderValue::from_str(span) {
        Ok(span) => draft.with(CONTENT_RANGE, span),
        Err(_) => draft,
    }
}
