//! Evaluation of a response: the answer for the player, and the outcome that is counted.

use std::sync::Arc;
use std::time::Duration;

use crate::hls::{Loaded, ParseError, Playlist};
use crate::player::{Answer, Failure, Fetch, Player, Resource};
use crate::vocabulary::limits;
use crate::vocabulary::outcome::{Fault, HttpFailure, Outcome};

use super::inspection::{Inspection, Look, why_unreadable};
use super::ladder;
use super::request::{Arrival, Received, timings};

/// Ends the request with its outcome, and returns the answer for the player.
pub(super) fn conclude(
    player: &Player,
    inspection: &mut Inspection,
    fetch: &Fetch,
    arrival: Arrival<'_>,
) -> Answer {
    let mut arrived = match arrival {
        Arrival::Failed(_) => return Answer::Failed(Failure::Unusable),
        Arrival::Inline(bytes) => return Answer::Media(bytes),
        Arrival::Response(arrived) => arrived,
    };
    let outcome = match arrived.response.head.status {
        // "Not modified" is not an answer to a request that was not conditional.
        304 if !arrived.response.conditional => Outcome::Http(HttpFailure::OTHER),
        status => Outcome::from_status(status, false),
    };
    let playlist = arrived.playlist.take();
    let look = look(fetch, &arrived);
    if !outcome.is_ok() {
        inspection.failure(&look);
        // The player treats a refusal (4xx) differently from a failure that may pass.
        let refused = matches!(arrived.response.head.status, 400..=499);
        arrived.exchange.finish(outcome, None);
        return Answer::Failed(if refused { Failure::Refused } else { Failure::Broken });
    }
    // A body that could not be decrypted is not inspected.
    let understood = arrived.decrypted.and_then(|()| understand(player, inspection, &look, playlist));
    match understood {
        Ok(answer) => {
            // Not every response that is ok is a segment that arrived whole.
            if matches!((fetch.what, &answer), (Resource::Segment(..), Answer::Media(_))) {
                arrived.exchange.keep_segment_size();
            }
            let times = timings(&arrived.response);
            arrived.exchange.finish(Outcome::Ok, Some(times));
            answer
        }
        Err(fault) => {
            arrived.exchange.finish(fault.into(), None);
            Answer::Failed(Failure::Unusable)
        }
    }
}

fn look<'a>(fetch: &'a Fetch, arrived: &'a Received<'_>) -> Look<'a> {
    let meter = arrived.exchange.meter();
    let [since, until] = [arrived.exchange.started_us(), arrived.at_us].map(Duration::from_micros);
    let (url, response, length) = (arrived.url(fetch), &arrived.response, arrived.length);
    Look { fetch, url, response, length, loaded: Loaded { since, until }, meter }
}

/// Returns the time for which a browser reuses the response.
fn fresh_for(look: &Look<'_>) -> Duration {
    let Loaded { since, until } = look.loaded;
    let now = look.meter.clock().started_at() + until;
    look.response.head.freshness.fresh_for(now, until.saturating_sub(since))
}

/// Turns a good response into the answer for the player.
fn understand(
    player: &Player,
    inspection: &mut Inspection,
    look: &Look<'_>,
    playlist: Option<Result<Arc<Playlist>, ParseError>>,
) -> Result<Answer, Fault> {
    let (what, response) = (look.fetch.what, look.response);
    if response.head.status == 206 {
        inspection.range(look)?;
    }
    match what {
        _ if response.head.status == 304 => {
            inspection.unchanged(look);
            Ok(Answer::Unchanged { fresh_for: fresh_for(look) })
        }
        Resource::Key(_) => {
            inspection.key(look)?;
            Ok(Answer::Media(response.wire_bytes))
        }
        Resource::Init(_) | Resource::Segment(..) => {
            inspection.media(look, player.announced(what));
            if response.wire_bytes == 0 {
                Err(Fault::BodyShort)
            } else {
                Ok(Answer::Media(response.wire_bytes))
            }
        }
        Resource::Entry | Resource::Playlist(_) => {
            let playlist = readable(look, playlist)?;
            player.accepts(what, &playlist)?;
            // A player that has left the track meanwhile does not use the playlist, so it is not inspected.
            if player.awaits(what) {
                inspection.follow(player.generation());
                inspection.playlist(look, &playlist);
                ladder::publish(player, look, &playlist);
            }
            let remembered = |etag: &&str| etag.len() <= limits::ETAG_BYTES;
            let etag = response.head.etag.as_deref().filter(remembered).map(Arc::from);
            Ok(Answer::Playlist { url: look.url.clone(), etag, playlist, fresh_for: fresh_for(look) })
        }
    }
}

/// Returns the playlist that came.
///
/// # Errors
/// One of `playlist.*`.
fn readable(
    look: &Look<'_>,
    playlist: Option<Result<Arc<Playlist>, ParseError>>,
) -> Result<Arc<Playlist>, Fault> {
    // `request` has read the playlist of every good response to a playlist request.
    let read = playlist.ok_or(Fault::LocalInternal)?;
    read.map_err(|error| {
        look.meter.explain(error.fault, || why_unreadable(look, &error));
        error.fault
    })
}
