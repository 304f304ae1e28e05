//! The live stream: a thread publishes sliding windows of segments into nginx's folder, on time.
//!
//! - A playlist appears whole or not at all (written to a second file, then renamed), after the segments that it
//!   names.
//! - Segment `n` of the stream is file `n` modulo [`SEGMENTS`] of the media; every round begins with a discontinuity.
//! - A segment outlives its place in the playlist by about two windows, longer than RFC 8216 section 6.2.2 asks.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::media::{Media, Packaging, SEGMENT_SECONDS, SEGMENTS, VARIANTS, Variant};

/// Segments in a media playlist.
pub const WINDOW: u64 = 6;
/// Number of segments by which a segment must precede the window before it is deleted.
const KEPT_BEHIND: u64 = 2 * WINDOW;
const SEGMENT: Duration = Duration::from_secs(SEGMENT_SECONDS as u64);

/// A live stream that runs until it is dropped, even when no server serves it.
pub struct LiveStream {
    stop: Option<Sender<()>>,
    publisher: Option<JoinHandle<()>>,
    late_ms: Arc<AtomicU64>,
}

impl LiveStream {
    /// Publishes the first window into `www` in both packagings, and starts the thread that moves it.
    pub fn publish(media: &Media, www: &Path) -> Self {
        let stream = Stream { media: media.clone(), www: www.to_owned(), epoch: now_less_one_window() };
        stream.prepare();
        stream.publish(0);
        let (stop, stopped) = channel();
        let late_ms = Arc::new(AtomicU64::new(0));
        let count_ms = Arc::clone(&late_ms);
        let publisher = thread::spawn(move || stream.slide(&stopped, &count_ms));
        Self { stop: Some(stop), publisher: Some(publisher), late_ms }
    }

    /// Returns by how much all windows so far together were published later than due: a busy disk or processor.
    pub fn late(&self) -> Duration {
        Duration::from_millis(self.late_ms.load(Ordering::Relaxed))
    }
}

impl Drop for LiveStream {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(publisher) = self.publisher.take() {
            let _ = publisher.join();
        }
    }
}

struct Stream {
    media: Media,
    www: PathBuf,
    /// Time at which segment 0 begins.
    epoch: Timestamp,
}

impl Stream {
    fn prepare(&self) {
        for packaging in Packaging::ALL {
            for variant in &VARIANTS {
                fs::create_dir_all(self.folder(packaging, variant)).unwrap();
            }
        }
        for variant in &VARIANTS {
            let init = self.folder(Packaging::Fmp4, variant).join("init.mp4");
            fs::hard_link(self.media.init(variant), init).unwrap();
        }
    }

    /// Publishes one window each segment duration. Counts from the start, so that delays do not add up.
    fn slide(&self, stopped: &Receiver<()>, late_ms: &AtomicU64) {
        let start = Instant::now();
        for first in 1.. {
            let due = start + SEGMENT * u32::try_from(first).unwrap();
            let wait = due.saturating_duration_since(Instant::now());
            if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            self.publish(first);
            late_ms.fetch_add(due.elapsed().as_millis() as u64, Ordering::Relaxed);
        }
    }

    fn publish(&self, first: u64) {
        for packaging in Packaging::ALL {
            for variant in &VARIANTS {
                self.publish_variant(packaging, variant, first);
            }
        }
    }

    fn publish_variant(&self, packaging: Packaging, variant: &Variant, first: u64) {
        let folder = self.folder(packaging, variant);
        for number in first..first + WINDOW {
            let segment = folder.join(segment_name(packaging, number));
            if !segment.exists() {
                fs::hard_link(self.media.segment(packaging, variant, number), segment).unwrap();
            }
        }
        let beside = folder.join("index.m3u8.new");
        fs::write(&beside, media_playlist(packaging, first, self.epoch)).unwrap();
        fs::rename(&beside, folder.join("index.m3u8")).unwrap();
        if let Some(old) = first.checked_sub(KEPT_BEHIND) {
            fs::remove_file(folder.join(segment_name(packaging, old))).unwrap();
        }
    }

    fn folder(&self, packaging: Packaging, variant: &Variant) -> PathBuf {
        self.www.join(packaging.folder()).join(variant.name)
    }
}

/// Returns the start of a stream whose first whole window ends now.
fn now_less_one_window() -> Timestamp {
    Timestamp::now() - SEGMENT * u32::try_from(WINDOW).unwrap()
}

fn segment_name(packaging: Packaging, number: u64) -> String {
    format!("live_{number}.{}", packaging.ending())
}

/// Returns the playlist of the window that begins with segment `first`.
fn media_playlist(packaging: Packaging, first: u64, epoch: Timestamp) -> String {
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{SEGMENT_SECONDS}\n\
         #EXT-X-MEDIA-SEQUENCE:{first}\n#EXT-X-DISCONTINUITY-SEQUENCE:{}\n",
        first.saturating_sub(1) / SEGMENTS
    );
    if packaging == Packaging::Fmp4 {
        text += "#EXT-X-MAP:URI=\"init.mp4\"\n";
    }
    for number in first..first + WINDOW {
        if number > 0 && number.is_multiple_of(SEGMENTS) {
            text += "#EXT-X-DISCONTINUITY\n";
        }
        let begins = epoch + SEGMENT * u32::try_from(number).unwrap();
        let name = segment_name(packaging, number);
        let _ =
            writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{begins:.3}\n#EXTINF:{SEGMENT_SECONDS}.000,\n{name}");
    }
    text
}

/// Returns the number of the first segment of a media playlist.
pub fn media_sequence(playlist: &str) -> u64 {
    let tag = "#EXT-X-MEDIA-SEQUENCE:";
    playlist.lines().find_map(|line| line.strip_prefix(tag)).unwrap().parse().unwrap()
}

#[test]
fn every_round_begins_with_a_discontinuity_that_is_counted_once_it_has_left() {
    let playlist = |first| media_playlist(Packaging::MpegTs, first, Timestamp::UNIX_EPOCH);
    assert!(!playlist(0).contains("#EXT-X-DISCONTINUITY\n"));
    let shown = playlist(SEGMENTS);
    assert!(shown.contains("#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-DISCONTINUITY\n"), "{shown}");
    let gone = playlist(SEGMENTS + 1);
    assert!(gone.contains("#EXT-X-DISCONTINUITY-SEQUENCE:1\n"), "{gone}");
}

#[test]
fn every_segment_carries_its_own_wall_clock_time() {
    let playlist = media_playlist(Packaging::Fmp4, 3, Timestamp::UNIX_EPOCH);
    assert!(playlist.contains("#EXT-X-MAP:URI=\"init.mp4\"\n"), "{playlist}");
    assert!(
        playlist.contains("#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:00:06.000Z\n#EXTINF:2.000,\nlive_3.m4s\n"),
        "{playlist}"
    );
    assert_eq!(playlist.matches("#EXTINF").count(), usize::try_from(WINDOW).unwrap());
}
