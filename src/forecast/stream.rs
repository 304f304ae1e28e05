//! Model of a stream, learned from the responses to one client: its playlists, and the sizes of its media.
//!
//! The size of a segment comes from the first of these that is known: its byte range; its EXT-X-BITRATE; the
//! AVERAGE-BANDWIDTH of its variant, if what was measured agrees with it to a third; the measured segments of its
//! playlist; nine tenths of the BANDWIDTH, which is a peak. A few segments of variable bit rate can be a third off
//! their mean, and many playlists state wrong bandwidths: so neither is used without the other.

use std::sync::Arc;
use std::time::Duration;

use super::probed::{Got, Probed};
use crate::hls::{Media, Playlist, Segment};
use crate::player::Resource;
use crate::vocabulary::secret_url::Endpoint;
use crate::vocabulary::{SecretUrl, per_second};

/// Segments of the played variant after which its size is known well enough: a viewer of a live stream loads as many
/// at once.
const SEGMENTS: u32 = 3;
/// Largest difference between a stated average and the measured rate at which the statement is believed.
const AGREES: f64 = 1.0 / 3.0;
/// Share of a peak bandwidth that a stream uses on average, as a guess.
const OF_PEAK: f64 = 0.9;
/// Maximum number of URLs that are remembered: a presentation has fewer playlists and initialization sections.
const KNOWN: usize = 256;
/// Segments from which on a live window is long: each simulated reload copies the list, and the run waits for the
/// simulation. It is a window of some hours.
const LONG_WINDOW: usize = 5_000;
/// Time of a request that was not observed.
const TOOK: Duration = Duration::from_millis(10);

/// Basis of the sizes of media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateSource {
    /// The byte ranges of the playlist.
    ByteRanges,
    /// EXT-X-BITRATE.
    BitrateTags,
    /// AVERAGE-BANDWIDTH, which the measurement confirms.
    AverageBandwidth,
    /// Measured segments.
    Measured,
    /// BANDWIDTH: nothing was measured in time.
    Bandwidth,
}

impl RateSource {
    /// Returns the word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ByteRanges => "byte_ranges",
            Self::BitrateTags => "bitrate_tags",
            Self::AverageBandwidth => "average_bandwidth",
            Self::Measured => "measured",
            Self::Bandwidth => "bandwidth",
        }
    }
}

/// Mean bit rate of the played variant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BitRate {
    /// Body bits per second of media.
    pub bits_per_second: f64,
    /// Basis of the rate.
    pub source: RateSource,
    /// Segments that were measured.
    pub segments: u32,
}

/// A host that clients will connect to.
#[derive(Clone, Debug, PartialEq)]
pub struct Destination {
    /// Host, port, and whether it is reached over TLS.
    pub endpoint: Endpoint,
    /// True if it answers over HTTP/2.
    pub http2: bool,
    /// Most connections that one client has open there at once.
    pub connections_per_client: u32,
}

/// Segments that arrived.
#[derive(Clone, Copy, Debug, Default)]
struct Measured {
    bytes: u64,
    length: Duration,
    segments: u32,
}

/// Bandwidths that a multivariant playlist states for a media playlist.
#[derive(Clone, Copy, Debug, Default)]
struct Stated {
    peak: u64,
    average: Option<u64>,
}

/// A response that is known by its URL.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) url: SecretUrl,
    pub(super) base: SecretUrl,
    pub(super) hops: u32,
    pub(super) wire_bytes: u64,
    pub(super) took: Duration,
    pub(super) playlist: Option<Arc<Playlist>>,
    pub(super) fresh_for: Duration,
    pub(super) etag: Option<Arc<str>>,
    measured: Measured,
    stated: Stated,
}

/// Model of a stream.
#[derive(Clone, Debug, Default)]
pub struct StreamModel {
    known: Vec<Known>,
    /// The playlist of each track that the client plays now, as places in `known`.
    tracks: Vec<Option<usize>>,
    /// Numbers of those among them that it only probes.
    others: Vec<usize>,
    http2: Vec<(Endpoint, bool)>,
    took: Option<Duration>,
}

impl StreamModel {
    /// Learns from a response.
    pub fn learn(&mut self, probed: Probed) {
        let endpoint = probed.base.endpoint();
        if self.http2.len() < KNOWN && !self.http2.iter().any(|(known, _)| *known == endpoint) {
            self.http2.push((endpoint, probed.http2));
        }
        if let Some(track) = probed.what.track().filter(|track| probed.is_other && *track < KNOWN)
            && !self.others.contains(&track)
        {
            self.others.push(track);
        }
        match (probed.what, &probed.got) {
            (_, Got::Nothing) => {}
            (Resource::Segment(track, sequence), Got::Media) => self.measure(track, sequence, &probed),
            (what, Got::Playlist(playlist, ..)) => {
                let playlist = Arc::clone(playlist);
                let place = self.keep(probed);
                match (what, &*playlist) {
                    (Resource::Entry, Playlist::Multivariant(_)) => self.state_all(),
                    (Resource::Entry, Playlist::Media(_)) => self.play(0, place),
                    (Resource::Playlist(track), _) => self.play(track, place),
                    _ => {}
                }
            }
            (_, Got::Media) => _ = self.keep(probed),
        }
    }

    /// Remembers a response in place of an earlier one from the same URL, whose measurements stay.
    fn keep(&mut self, probed: Probed) -> Option<usize> {
        let Probed { url, base, hops, wire_bytes, took, got, .. } = probed;
        let (playlist, fresh_for, etag) = match got {
            Got::Playlist(playlist, fresh_for, etag) => (Some(playlist), fresh_for, etag),
            Got::Media | Got::Nothing => (None, Duration::ZERO, None),
        };
        let place = self.place(&url);
        let before = place.and_then(|place| self.known.get(place));
        let (measured, mut stated) =
            before.map_or_else(Default::default, |known| (known.measured, known.stated));
        if stated.peak == 0 {
            stated = self.stated(&url);
        }
        let known = Known { url, base, hops, wire_bytes, took, playlist, fresh_for, etag, measured, stated };
        match place {
            Some(place) => *self.known.get_mut(place)? = known,
            None if self.known.len() < KNOWN => self.known.push(known),
            None => return None,
        }
        place.or(self.known.len().checked_sub(1))
    }

    fn place(&self, url: &SecretUrl) -> Option<usize> {
        self.known.iter().position(|known| known.url == *url)
    }

    fn play(&mut self, track: usize, place: Option<usize>) {
        if track >= self.tracks.len() && track < KNOWN {
            self.tracks.resize(track + 1, None);
        }
        if let Some(played) = self.tracks.get_mut(track) {
            *played = place;
        }
    }

    /// Looks up the bandwidths that a multivariant playlist states for the media playlist at `url`.
    fn stated(&self, url: &SecretUrl) -> Stated {
        let multivariants = self.known.iter().filter_map(|known| match known.playlist.as_deref() {
            Some(Playlist::Multivariant(multivariant)) => Some((&known.base, multivariant)),
            _ => None,
        });
        let mut variants = multivariants.flat_map(|(base, multivariant)| {
            multivariant.variants.iter().map(move |variant| (base.refer(variant.uri.as_str()), variant))
        });
        let found = variants.find(|(at, _)| at == url);
        found.map_or_else(Stated::default, |(_, variant)| Stated {
            peak: variant.bandwidth,
            average: variant.average_bandwidth,
        })
    }

    /// Gives the media playlists that are already known the bandwidths of a new multivariant playlist.
    fn state_all(&mut self) {
        let stated: Vec<_> = self.known.iter().map(|known| self.stated(&known.url)).collect();
        self.known.iter_mut().zip(stated).for_each(|(known, stated)| known.stated = stated);
    }

    fn measure(&mut self, track: usize, sequence: u64, probed: &Probed) {
        self.took = Some(self.took.map_or(probed.took, |took| (took + probed.took) / 2));
        let place = self.tracks.get(track).copied().flatten();
        let Some(known) = place.and_then(|place| self.known.get_mut(place)) else { return };
        let Some(media) = known.media() else { return };
        let Some(length) = media.segment(sequence).map(Segment::duration) else { return };
        known.measured.bytes += probed.wire_bytes;
        known.measured.length += length;
        known.measured.segments += 1;
    }

    /// Reports whether the played variant is known well enough to be priced.
    pub fn is_complete(&self) -> bool {
        let mut tracks = self.tracks.iter().flatten().filter_map(|place| self.known.get(*place));
        let Some(main) = tracks.next() else { return false };
        let Some(media) = main.media() else { return false };
        let all = u32::try_from(media.segments.len()).unwrap_or(u32::MAX);
        let enough = if media.endlist { SEGMENTS.min(all) } else { SEGMENTS };
        main.measured.segments >= enough && tracks.all(|other| other.measured.segments > 0)
    }

    /// Returns this model with each variant that no client has loaded yet as the played one at its own bandwidth, so that
    /// a viewer can be simulated who would play it.
    #[must_use]
    pub fn with_other_variants(&self) -> Self {
        let mut model = self.clone();
        let Some(main) = self.played().next().filter(|main| main.media().is_some()) else { return model };
        for known in &self.known {
            let Some(Playlist::Multivariant(multivariant)) = known.playlist.as_deref() else { continue };
            for variant in &multivariant.variants {
                let url = known.base.refer(variant.uri.as_str());
                if model.place(&url).is_none() && model.known.len() < KNOWN {
                    let (stated, measured) = (self.stated(&url), Measured::default());
                    let base = url.clone();
                    model.known.push(Known { url, base, stated, measured, ..main.clone() });
                }
            }
        }
        model
    }

    /// Returns the response that is known from this URL.
    pub(super) fn get(&self, url: &SecretUrl) -> Option<(usize, &Known)> {
        let place = self.place(url)?;
        Some((place, self.known.get(place)?))
    }

    pub(super) fn at(&self, place: usize) -> Option<&Known> {
        self.known.get(place)
    }

    /// Returns the time that a segment takes.
    pub(super) fn segment_took(&self) -> Duration {
        self.took.unwrap_or(TOOK).max(Duration::from_millis(1))
    }

    pub(super) fn is_http2(&self, endpoint: &Endpoint) -> bool {
        self.http2.iter().any(|(known, http2)| known == endpoint && *http2)
    }

    /// Reports whether a live window is so long that each reload of it costs a simulation much time.
    pub(super) fn has_long_window(&self) -> bool {
        let mut live = self.known.iter().filter_map(Known::media).filter(|media| !media.endlist);
        live.any(|media| media.segments.len() > LONG_WINDOW)
    }

    /// Returns the lengths of the playlists that have ended.
    pub(super) fn films(&self) -> impl Iterator<Item = Duration> {
        let media = self.known.iter().filter_map(Known::media).filter(|media| media.endlist);
        media.map(Media::total_duration)
    }

    /// Returns the bytes of a segment of the playlist at `place`, and their basis.
    pub(super) fn segment_bytes(&self, place: usize, segment: Option<Segment<'_>>) -> Option<f64> {
        let known = self.known.get(place)?;
        if let Some(range) = segment.and_then(Segment::byte_range) {
            return Some(range.length as f64);
        }
        let mean = || {
            let media = known.media()?;
            let count = media.segments.len().max(1) as f64;
            Some(media.total_duration().as_secs_f64() / count)
        };
        let seconds = segment.map(|segment| segment.duration().as_secs_f64()).or_else(mean)?;
        if let Some(bits) = segment.and_then(Segment::bitrate) {
            return Some(bits as f64 / 8.0 * seconds);
        }
        self.rate_of(known).map(|(rate, _)| rate / 8.0 * seconds)
    }

    /// Returns the mean bit rate of a media playlist without tags of its own.
    fn rate_of(&self, known: &Known) -> Option<(f64, RateSource)> {
        let measured = known.measured_rate();
        let peak = known.stated.peak as f64 * OF_PEAK;
        let Some(measured) = measured else {
            return (peak > 0.0).then_some((peak, RateSource::Bandwidth));
        };
        // The statement is about the variant and its audio together.
        let main = self.played().next().map(|main| main.stated.average);
        let together: f64 = self.played_rates().sum();
        match main.flatten().map(|average| average as f64) {
            Some(average) if together > 0.0 && (together / average - 1.0).abs() <= AGREES => {
                Some((measured * average / together, RateSource::AverageBandwidth))
            }
            _ => Some((measured, RateSource::Measured)),
        }
    }

    fn played_rates(&self) -> impl Iterator<Item = f64> {
        self.played().filter_map(Known::measured_rate)
    }

    /// Returns the playlists that the client plays now, that of the variant first.
    fn played(&self) -> impl Iterator<Item = &Known> {
        let tracks = self.tracks.iter().enumerate().filter(|(track, _)| !self.others.contains(track));
        tracks.filter_map(|(_, place)| self.known.get((*place)?))
    }

    /// Returns the mean bit rate of everything that the client plays now; `None` without a media playlist.
    pub fn bit_rate(&self) -> Option<BitRate> {
        let main = self.played().next()?;
        let segment = main.media()?.segments.last();
        let (source, tagged) = match segment {
            Some(segment) if segment.byte_range().is_some() => (Some(RateSource::ByteRanges), true),
            Some(segment) if segment.bitrate().is_some() => (Some(RateSource::BitrateTags), true),
            _ => (self.rate_of(main).map(|(_, source)| source), false),
        };
        let rates = self
            .played()
            .filter_map(|known| if tagged { known.tagged_rate() } else { Some(self.rate_of(known)?.0) });
        Some(BitRate { bits_per_second: rates.sum(), source: source?, segments: main.measured.segments })
    }
}

impl Known {
    pub(super) fn media(&self) -> Option<&Media> {
        match self.playlist.as_deref() {
            Some(Playlist::Media(media)) => Some(media),
            _ => None,
        }
    }

    fn measured_rate(&self) -> Option<f64> {
        per_second(self.measured.bytes as f64 * 8.0, self.measured.length)
    }

    /// Returns the mean bit rate that the tags of the segments state.
    fn tagged_rate(&self) -> Option<f64> {
        let media = self.media()?;
        let bits = |segment: Segment<'_>| {
            let range = segment.byte_range().map(|range| range.length as f64 * 8.0);
            range.or_else(|| Some(segment.bitrate()? as f64 * segment.duration().as_secs_f64()))
        };
        let total: f64 = media.segments.iter().filter_map(bits).sum();
        per_second(total, media.total_duration())
    }
}

#[cfg(test)]
mod tests;
