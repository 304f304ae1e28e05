//! Playlists that rows play, and an origin of a sound stream.

use std::time::Instant;

use crate::origin::{Answer, Origin};

/// Value of `--timeout` where a row waits for it: short, but no healthy response of a busy machine takes that long.
pub const PATIENT: &str = "3s";

/// Returns a VOD of `segments` segments of a second.
pub fn vod(segments: usize) -> String {
    vod_of((0..segments).map(|number| format!("s{number}.ts")))
}

/// Returns a VOD of segments of a second at these URLs.
pub fn vod_of(urls: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let list: String = urls.into_iter().map(|url| format!("#EXTINF:1,\n{}\n", url.as_ref())).collect();
    format!("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n{list}#EXT-X-ENDLIST\n")
}

/// Returns a live window of six segments of a second that begins at number `first`.
pub fn live(first: u64) -> String {
    live_with("", first)
}

/// Returns the same with further lines in its head.
pub fn live_with(head: &str, first: u64) -> String {
    let list: String =
        (first..first.saturating_add(6)).map(|number| format!("#EXTINF:1,\ns{number}.ts\n")).collect();
    format!("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{first}\n{head}{list}")
}

/// Returns a multivariant playlist of one variant.
pub fn master(variant: &str) -> String {
    format!("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n{variant}\n")
}

/// Starts an origin of a live stream.
pub fn live_origin() -> Origin {
    let begun = Instant::now();
    Origin::start(move |asked| match asked.is_playlist() {
        true => Answer::playlist(live(10 + begun.elapsed().as_secs())),
        false => Answer::segment(),
    })
}
