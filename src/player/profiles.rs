//! Players that `--player` can imitate, one row each.
//!
//! Each row follows the observed behaviour of that player against one live origin (nginx, four-second segments, a
//! window of six) with faults; for anything not observed, it follows the player's documentation or source.
//! Simplifications:
//!
//! * All but `ffmpeg` request media without a content coding, because this program does not decode media.
//! * `web` (hls.js 1.7 in Chromium 156): it uses its default retry policies for errors. It leaves a variant as its
//!   error controller does: at once after a 4xx or without a response, otherwise after the retries. It does not
//!   return to that variant.
//! * `ffmpeg` (5.1): it tries a playlist three times within 10 ms; here the third attempt waits for the limit of two
//!   playlist requests per second and client. It retries a segment that fails over a kept-alive connection once over
//!   a new one. It opens every playlist of a presentation and loads two segments of each before it plays one. Then it
//!   loads the initialization section again with each reload, over a connection that it closes.
//! * `native` (Chromium 156's own player): it requests the rest of a resource (`bytes=N-`), here all of it. With
//!   films and with windows with segments of 2, 4, 6 and 10 s, it loads 12 s and pauses until about 6 s are left
//!   (four-second segments: three, then two every 8 s; two-second ones: six, then three every 6 s). It begins with
//!   the third segment from the end whatever EXT-X-START and HOLD-BACK say. It retries a playlist that fails once
//!   each target duration, at least six times. If it stalls in a live stream and the stream moves on beyond the place
//!   where it would join, it ends with a decoding error.
//! * All of them wait for their [`Allowance`](super::Allowance) after a failure. Some were seen to make more requests
//!   to a failing origin: hls.js 1.7 runs through a live window whose segments are all 404 at 40 per second, ffmpeg
//!   through a film as fast as the responses come.
//! * `persistent` (video.js 8 and others that never leave): it retries a failed request every half target duration.
//! * `Retry-After` of a 429 or 503: none of these players reads it for a playlist or a segment. The sources of hls.js
//!   1.7.4 and video.js 8 (http-streaming 3.17.5) read it for content-steering manifests only, ffmpeg 5.1 has no code
//!   for it, and Chromium 156 retried a playlist with `Retry-After: 10` every target duration, as without it.
//! * `patient` imitates no player that was measured. It is `persistent` with a client of HTTP that honours
//!   `Retry-After`: it shows what an origin gains by sending one.

use std::time::Duration;

use super::profile::{
    AudioStart, Behind, Failover, Opening, Pace, Profile, Refused, Reload, ReloadUrl, Retry, RetryAfter,
    StartAt, StartVariant, Then,
};
use super::retry_wait::Wait;
use crate::vocabulary::HttpProfile;

const SECOND: Duration = Duration::from_secs(1);
const BROWSER: HttpProfile = HttpProfile::BROWSER;
/// Waits of hls.js's default load policies.
const WEB_WAIT: Wait = Wait::Doubling { first: SECOND, longest: Duration::from_secs(8) };
const RFC_RELOAD: Reload =
    Reload { changed: Pace::HalfTargets(2), unchanged: Pace::HalfTargets(1), slowest: Pace::HalfTargets(2) };

/// First estimate of hls.js: its `abrEwmaDefaultEstimate` and `abrEwmaDefaultEstimateMax`.
const WEB_ESTIMATE: StartVariant = StartVariant::Estimated { default: 500_000, most: 5_000_000 };

/// hls.js in a browser: the largest share on the web.
pub static WEB: Profile = Profile {
    name: "web",
    start: StartAt::TargetDurations(3),
    probes_oldest: false,
    reload: RFC_RELOAD,
    reload_url: ReloadUrl::Final,
    buffer_goal: Duration::from_secs(30),
    refill_at: Duration::from_secs(30),
    entry: Retry { times: Some(1), wait: WEB_WAIT, then: Then::Leave },
    playlist: Retry { times: Some(2), wait: WEB_WAIT, then: Then::Leave },
    segment: Retry { times: Some(6), wait: WEB_WAIT, then: Then::Leave },
    refused: Refused::Final,
    retry_after: RetryAfter::Ignored,
    behind: Behind::LiveEdge,
    opening: Opening::Chosen,
    reloads_init: false,
    caches: true,
    failover: Failover::AfterRetries,
    start_variant: WEB_ESTIMATE,
    audio_start: AudioStart::WithVideo,
    http_profile: BROWSER,
};

/// ffmpeg and programs built on it: loads as fast as it can, skips missing segments.
pub static FFMPEG: Profile = Profile {
    name: "ffmpeg",
    start: StartAt::Segments(3),
    probes_oldest: false,
    reload: Reload {
        changed: Pace::LastSegment,
        unchanged: Pace::HalfTargets(1),
        slowest: Pace::LastSegment,
    },
    reload_url: ReloadUrl::Final,
    buffer_goal: Duration::MAX,
    refill_at: Duration::MAX,
    entry: Retry { times: Some(0), wait: Wait::AtOnce, then: Then::Leave },
    playlist: Retry { times: Some(2), wait: Wait::AtOnce, then: Then::Leave },
    segment: Retry { times: Some(1), wait: Wait::AtOnce, then: Then::SkipOn },
    refused: Refused::AsAnyFailure,
    retry_after: RetryAfter::Ignored,
    behind: Behind::Oldest,
    opening: Opening::All { segments: 2 },
    reloads_init: true,
    caches: false,
    failover: Failover::Never,
    start_variant: StartVariant::Preferred,
    audio_start: AudioStart::Alone,
    http_profile: HttpProfile {
        playlist_encoding: None,
        media_encoding: None,
        whole_range: true,
        conditional: false,
        extra: &[("icy-metadata", "1")],
        connections_apart: true,
        closes_after_init: true,
    },
};

/// The player within Chromium: leaves at the first segment that fails, and when it has lost its place.
pub static NATIVE: Profile = Profile {
    name: "native",
    start: StartAt::Segments(3),
    probes_oldest: true,
    reload: Reload {
        changed: Pace::HalfTargets(2),
        unchanged: Pace::HalfTargets(2),
        slowest: Pace::HalfTargets(4),
    },
    reload_url: ReloadUrl::Given,
    // Twelve seconds, minus the media that is played while they are loaded.
    buffer_goal: Duration::from_millis(11_500),
    refill_at: Duration::from_secs(6),
    entry: Retry { times: Some(0), wait: Wait::AtOnce, then: Then::Leave },
    playlist: Retry { times: None, wait: Wait::HalfTargets(2), then: Then::Leave },
    segment: Retry { times: Some(0), wait: Wait::AtOnce, then: Then::Leave },
    refused: Refused::AsAnyFailure,
    retry_after: RetryAfter::Ignored,
    behind: Behind::Leave,
    opening: Opening::Chosen,
    reloads_init: false,
    caches: false,
    failover: Failover::Never,
    start_variant: StartVariant::Lowest,
    audio_start: AudioStart::Alone,
    http_profile: HttpProfile {
        playlist_encoding: Some("gzip, identity;q=1, *;q=0"),
        whole_range: true,
        conditional: false,
        ..BROWSER
    },
};

/// A player that never leaves: an origin with a fault keeps its whole audience.
pub static PERSISTENT: Profile = Profile {
    name: "persistent",
    start: StartAt::TargetDurations(3),
    probes_oldest: false,
    reload: RFC_RELOAD,
    reload_url: ReloadUrl::Final,
    buffer_goal: Duration::from_secs(30),
    refill_at: Duration::from_secs(30),
    entry: Retry { times: Some(0), wait: Wait::AtOnce, then: Then::BackOff },
    playlist: Retry { times: None, wait: Wait::HalfTargets(1), then: Then::BackOff },
    segment: Retry { times: Some(5), wait: Wait::HalfTargets(1), then: Then::Skip },
    refused: Refused::AsAnyFailure,
    retry_after: RetryAfter::Ignored,
    behind: Behind::LiveEdge,
    opening: Opening::Chosen,
    reloads_init: false,
    caches: true,
    failover: Failover::AtOnce { penalty: Duration::from_secs(60) },
    start_variant: StartVariant::Preferred,
    audio_start: AudioStart::WithVideo,
    http_profile: BROWSER,
};

/// A player that never leaves and waits as long as a busy server asks.
pub static PATIENT: Profile = Profile { name: "patient", retry_after: RetryAfter::Honoured, ..PERSISTENT };

impl Profile {
    /// All profiles, the default first.
    pub const ALL: [&'static Self; 5] = [&WEB, &FFMPEG, &NATIVE, &PERSISTENT, &PATIENT];

    /// Returns the profile with this name.
    ///
    /// # Errors
    /// Returns the accepted names if this one is unknown.
    pub fn named(name: &str) -> Result<&'static Self, String> {
        let found = Self::ALL.into_iter().find(|profile| profile.name == name.trim());
        found.ok_or_else(|| {
            let names = Self::ALL.map(|profile| profile.name);
            format!("expected one of: {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_found_by_its_name_and_no_other() {
        for profile in Profile::ALL {
            assert_eq!(Profile::named(profile.name), Ok(profile));
        }
        let names = "expected one of: web, ffmpeg, native, persistent, patient";
        assert_eq!(Profile::named("vlc"), Err(names.to_owned()));
        assert_eq!(Profile::ALL[0].http_profile, HttpProfile::default());
    }
}
