//! Reader of the segments of a media playlist (RFC 8216bis section 4.4.4), which also completes the playlist at its
//! end.
//!
//! * Segments are numbered at the end, so the position of EXT-X-MEDIA-SEQUENCE does not matter.
//! * Of more than [`limits::PLAYLIST_SEGMENTS`] segments, the first of a complete playlist are kept, else the newest.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::vocabulary::{Finding, limits, outcome::Fault};

use super::{
    ParseError,
    attributes::{Attributes, integer},
    scope::Scope,
    values::{clamped, decimal},
};
use crate::hls::{
    checks_static::check,
    low_latency::{Part, Unfinished},
    media::Media,
    resource::{ByteRange, Init, Key},
    segments::NewSegment,
    text::Reference,
};

/// Properties of the next segment, as set by the tags before it.
#[derive(Default)]
pub(super) struct Pending<'a> {
    duration: Option<Duration>,
    /// Value of the tag as written: its offset may depend on the URL that comes later.
    byte_range: Option<&'a str>,
    discontinuity: bool,
    gap: bool,
    date_time: Option<Timestamp>,
    pub parts: Vec<Part>,
}

/// The keys in effect, and the list of them that segments share.
#[derive(Default)]
struct Keys {
    active: Vec<Key>,
    shared: Option<Arc<[Key]>>,
}

/// Segments of a very long playlist that are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    First,
    Newest,
}

/// Collects the lines of a media playlist.
pub(super) struct MediaReader<'a> {
    text: &'a str,
    pub playlist: Media,
    pub pending: Pending<'a>,
    /// True after a tag that only a media playlist has.
    pub evidence: bool,
    pub has_target_duration: bool,
    pub has_sequence: bool,
    pub parts_kept: usize,
    /// End of the last part's byte range, for one without an offset.
    pub part_end: Option<(Reference, u64)>,
    /// End of the last segment's byte range, for one without an offset.
    range_end: Option<(Reference, u64)>,
    keys: Keys,
    init: Option<Arc<Init>>,
    bitrate: Option<u64>,
    /// Number of EXT-X-DISCONTINUITY tags so far.
    discontinuities: u64,
    /// Number of segments so far, kept or not.
    count: u64,
    /// Number of segments so far that have a usable URL.
    usable: u64,
    kept: Option<Kept>,
    longest: (Duration, u32),
}

impl<'a> MediaReader<'a> {
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            playlist: Media::default(),
            pending: Pending::default(),
            evidence: false,
            has_target_duration: false,
            has_sequence: false,
            parts_kept: 0,
            part_end: None,
            range_end: None,
            keys: Keys::default(),
            init: None,
            bitrate: None,
            discontinuities: 0,
            count: 0,
            usable: 0,
            kept: None,
            longest: (Duration::ZERO, 0),
        }
    }

    /// Reports whether a tag was read that only a media playlist has.
    pub fn has_evidence(&self) -> bool {
        self.evidence
    }

    /// Returns the number of segments listed so far.
    pub fn listed(&self) -> u64 {
        self.count
    }

    /// Reads a tag of this kind of playlist; reports whether it is one.
    pub fn tag(&mut self, name: &str, value: &'a str, scope: &mut Scope<'_>) -> Result<bool, ParseError> {
        match name {
            "INF" => self.extinf(value, scope),
            "-X-BYTERANGE" => {
                scope.needs_version(4);
                self.pending.byte_range = Some(value);
            }
            "-X-DISCONTINUITY" => {
                self.pending.discontinuity = true;
                self.discontinuities = self.discontinuities.saturating_add(1);
            }
            "-X-KEY" => self.key(value, scope)?,
            "-X-MAP" => self.map(value, scope)?,
            "-X-PROGRAM-DATE-TIME" => self.pending.date_time = scope.timestamp(value),
            "-X-GAP" => self.pending.gap = true,
            "-X-BITRATE" => self.bitrate(value, scope),
            _ => return self.list_tag(name, value, scope),
        }
        Ok(true)
    }

    fn extinf(&mut self, value: &str, scope: &mut Scope<'_>) {
        self.evidence = true;
        if self.pending.duration.is_some() {
            scope.report_finding(Finding::ExtinfWithoutUri);
        }
        let (number, title) =
            value.split_once(',').map_or((value, None), |(number, title)| (number, Some(title)));
        let number = number.trim_ascii();
        if title.is_none() {
            scope.report_finding(Finding::MissingExtinfComma);
        }
        if number.contains('.') {
            scope.needs_version(3);
        }
        let (duration, usable) = clamped(decimal(number).unwrap_or(-1.0));
        if !usable {
            scope.report_finding(Finding::BadExtinf);
        }
        if duration > self.longest.0 {
            self.longest = (duration, scope.line);
        }
        self.pending.duration = Some(duration);
    }

    fn bitrate(&mut self, value: &str, scope: &mut Scope<'_>) {
        match integer(value) {
            Some(kilobits) => self.bitrate = Some(kilobits.saturating_mul(1000)),
            None => scope.report_finding(Finding::BadTag),
        }
    }

    /// Reads a key. It replaces that of the same format; `NONE` ends all (section 4.4.4.4).
    fn key(&mut self, value: &str, scope: &mut Scope<'_>) -> Result<(), ParseError> {
        let key = scope.key(value)?;
        let active = &mut self.keys.active;
        match key {
            None => active.clear(),
            Some(key) => {
                active.retain(|other| {
                    other.format != key.format && !(other.is_identity() && key.is_identity())
                });
                scope.push(active, key, limits::PLAYLIST_KEYS);
            }
        }
        self.keys.shared = Some(active.as_slice().into());
        Ok(())
    }

    fn map(&mut self, value: &str, scope: &mut Scope<'_>) -> Result<(), ParseError> {
        scope.needs_version(if self.playlist.i_frames_only { 5 } else { 6 });
        let (mut uri, mut byte_range) = (None, None);
        let mut attributes = Attributes::new(value);
        for it in attributes.by_ref() {
            match it.name {
                "URI" => uri = scope.uri(it)?,
                "BYTERANGE" => byte_range = scope.range(it, None)?,
                _ => {}
            }
        }
        scope.check_list(&attributes);
        if let Some(uri) = scope.required(uri) {
            self.init = Some(Arc::new(Init { uri, byte_range, keys: self.keys.shared.clone() }));
        }
        Ok(())
    }

    /// Reads the URL of a segment. A segment without a usable URL keeps its place in the numbering, as a gap.
    pub fn address(&mut self, text: &str, scope: &mut Scope<'_>) -> Result<(), ParseError> {
        let pending = std::mem::take(&mut self.pending);
        if pending.duration.is_none() {
            scope.report_finding(Finding::MissingExtinf);
        }
        let uri = scope.reference(text)?;
        self.count = self.count.saturating_add(1);
        self.usable += u64::from(uri.is_some());
        let gap = pending.gap || uri.is_none();
        let uri = uri.unwrap_or_default();
        let byte_range = self.byte_range(pending.byte_range, &uri, scope);
        if self.makes_room(scope) {
            self.playlist.segments.push(NewSegment {
                duration: pending.duration.unwrap_or_default(),
                byte_range,
                init: self.init.clone(),
                keys: self.keys.shared.clone(),
                discontinuity: pending.discontinuity,
                timeline: self.discontinuities,
                gap,
                bitrate: self.bitrate.filter(|_| byte_range.is_none()),
                date_time: pending.date_time,
                parts: pending.parts,
                uri,
            });
        }
        Ok(())
    }

    /// Reads the byte range of a segment. One without an offset begins at the end of the previous segment's range, if
    /// both are in the same resource (section 4.4.4.2).
    fn byte_range(
        &mut self,
        text: Option<&str>,
        uri: &Reference,
        scope: &mut Scope<'_>,
    ) -> Option<ByteRange> {
        let before = self.range_end.take();
        let implied = before.filter(|(resource, _)| resource == uri).map(|(_, end)| end);
        let range = scope.byte_range(text?, implied)?;
        self.range_end = Some((uri.clone(), range.end()));
        Some(range)
    }

    /// Reports whether to keep the next segment. Beyond the limit, a complete playlist keeps its first segments and a
    /// live one its newest.
    fn makes_room(&mut self, scope: &mut Scope<'_>) -> bool {
        if self.playlist.segments.len() < limits::PLAYLIST_SEGMENTS {
            return true;
        }
        scope.report_finding(Finding::Truncated);
        // Searched for only once: a playlist that can still grow matters at its end, a complete one at its beginning.
        let kept = *self.kept.get_or_insert_with(|| {
            let complete = self.text.contains("#EXT-X-ENDLIST");
            if complete { Kept::First } else { Kept::Newest }
        });
        kept == Kept::Newest
    }

    /// Returns the playlist after all lines have been read.
    ///
    /// # Errors
    /// * [`Fault::PlaylistSyntax`] if sequence numbers overflow;
    /// * [`Fault::PlaylistSemantic`] if segments are listed and none has a usable URL.
    pub fn finish(mut self, mut scope: Scope<'_>) -> Result<Media, ParseError> {
        if self.count > 0 && self.usable == 0 {
            return Err(ParseError::new(Fault::PlaylistSemantic, "no segment has a usable URL"));
        }
        self.number_segments()?;
        self.finish_parts(&mut scope);
        self.finish_target_duration(&mut scope);
        let mut playlist = self.playlist;
        playlist.version = scope.final_version();
        playlist.independent_segments = scope.independent_segments;
        playlist.start = scope.start;
        let mut findings = scope.findings;
        check(&playlist, &mut findings);
        playlist.findings = findings;
        Ok(playlist)
    }

    fn number_segments(&mut self) -> Result<(), ParseError> {
        let playlist = &mut self.playlist;
        let skipped = playlist.skipped.as_ref().map_or(0, |skipped| skipped.segments);
        let listed = playlist.media_sequence.checked_add(skipped);
        let next = listed.and_then(|first| first.checked_add(self.count));
        let (Some(listed), Some(_)) = (listed, next) else {
            return Err(ParseError::new(Fault::PlaylistSyntax, "sequence numbers exceed 64 bits"));
        };
        playlist.segments.number(listed, playlist.discontinuity_sequence);
        if self.kept == Some(Kept::Newest) {
            playlist.segments = std::mem::take(&mut playlist.segments).newest(limits::PLAYLIST_SEGMENTS);
        }
        playlist.segments.shrink();
        Ok(())
    }

    fn finish_parts(&mut self, scope: &mut Scope<'_>) {
        let playlist = &mut self.playlist;
        let skipped = playlist.skipped.as_ref().map_or(0, |skipped| skipped.segments);
        let pending = std::mem::take(&mut self.pending);
        if pending.duration.is_some() {
            scope.report_finding(Finding::ExtinfWithoutUri);
        }
        if !pending.parts.is_empty() {
            playlist.unfinished = Some(Unfinished {
                sequence: playlist.media_sequence.saturating_add(skipped).saturating_add(self.count),
                discontinuity_sequence: playlist.discontinuity_sequence.saturating_add(self.discontinuities),
                init: self.init.clone(),
                keys: self.keys.shared.clone(),
                date_time: pending.date_time,
                parts: pending.parts,
            });
        }
        if self.parts_kept > 0 && playlist.part_target.is_none() {
            scope.report_finding(Finding::MissingPartInf);
        }
    }

    fn finish_target_duration(&mut self, scope: &mut Scope<'_>) {
        let (longest, line) = self.longest;
        let rounded = Duration::from_secs(longest.as_secs_f64().round() as u64);
        if !self.has_target_duration {
            // An empty playlist needs no limit: an encoder that has not begun is not a fault.
            if self.has_evidence() {
                scope.report_finding(Finding::MissingTargetDuration);
            }
            self.playlist.target_duration = rounded;
        } else if rounded > self.playlist.target_duration {
            scope.findings.note(Finding::TargetDurationExceeded, line);
        }
    }
}
