//! What a response is to the player, and what it is counted as.
//!
//! [`read_playlist`] is the one place where clients read playlists: what is to be shared between clients, or noticed
//! about the stream, belongs there.

use std::sync::Arc;

use crate::base::outcome::{Fault, Outcome};
use crate::hls::{self, Playlist};
use crate::player::{Answer, Fetch, Player, What};

use super::request::{Arrived, timings};

/// Ends the request with what its response means, and tells what the player hears of it.
pub(super) fn conclude(player: &Player, fetch: &Fetch, arrived: Option<Arrived<'_>>) -> Answer {
    let Some(arrived) = arrived else { return Answer::Failed };
    let outcome = Outcome::of_status(arrived.response.status, false);
    if !outcome.is_ok() {
        arrived.exchange.finish(outcome, None);
        return Answer::Failed;
    }
    match understand(player, fetch, &arrived) {
        Ok(answer) => {
            let times = timings(&arrived.response);
            arrived.exchange.finish(Outcome::Ok, Some(times));
            answer
        }
        Err(fault) => {
            arrived.exchange.finish(fault.into(), None);
            Answer::Failed
        }
    }
}

/// What a good response is to the player.
fn understand(player: &Player, fetch: &Fetch, arrived: &Arrived<'_>) -> Result<Answer, Fault> {
    let response = &arrived.response;
    match fetch.what {
        _ if response.status == 304 => Ok(Answer::Unchanged),
        What::Key(_) | What::Init(_) | What::Segment(..) if response.wire_bytes == 0 => Err(Fault::BodyShort),
        What::Key(_) | What::Init(_) | What::Segment(..) => Ok(Answer::Media(response.wire_bytes)),
        What::Entry | What::Playlist(_) => {
            let playlist = read_playlist(player, arrived)?;
            player.accepts(fetch.what, &playlist)?;
            let etag = response.etag.as_deref().map(Arc::from);
            Ok(Answer::Playlist { url: arrived.url.clone(), etag, playlist })
        }
    }
}

/// The playlist that came.
fn read_playlist(player: &Player, arrived: &Arrived<'_>) -> Result<Arc<Playlist>, Fault> {
    let context = hls::Context { query: arrived.url.query(), imported: Some(player.variables()) };
    let read = hls::parse_in(&arrived.response.body, &context);
    read.map(Arc::new).map_err(|error| error.fault)
}
