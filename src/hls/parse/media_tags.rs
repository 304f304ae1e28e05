//! Readers of the tags for a media playlist as a whole (RFC 8216bis sections 4.4.3 and 4.4.5), and for parts
//! (4.4.4.9).

use crate::vocabulary::{Finding, limits, outcome::Fault};

use super::{
    ParseError,
    attributes::{Attributes, integer},
    media::MediaReader,
    scope::Scope,
    values::{clamped, decimal},
};
use crate::hls::{
    low_latency::{HintKind, Part, PreloadHint, RenditionReport, ServerControl, SkipSupport, Skipped},
    media::PlaylistType,
    text::Text,
};

impl MediaReader<'_> {
    /// Reads a tag that does not belong to one segment; reports whether it is one.
    pub(super) fn list_tag(
        &mut self,
        name: &str,
        value: &str,
        scope: &mut Scope<'_>,
    ) -> Result<bool, ParseError> {
        match name {
            "-X-TARGETDURATION" => self.target_duration(value, scope),
            "-X-MEDIA-SEQUENCE" => self.media_sequence(value, scope)?,
            "-X-DISCONTINUITY-SEQUENCE" => {
                self.playlist.discontinuity_sequence = sequence_number(value, scope)?;
            }
            "-X-ENDLIST" => self.playlist.endlist = true,
            "-X-PLAYLIST-TYPE" => self.playlist_type(value, scope),
            "-X-I-FRAMES-ONLY" => {
                scope.needs_version(4);
                self.playlist.i_frames_only = true;
            }
            "-X-PART-INF" => self.part_inf(value, scope),
            "-X-SERVER-CONTROL" => self.server_control(value, scope),
            "-X-PART" => self.part(value, scope)?,
            "-X-SKIP" => self.skip(value, scope)?,
            "-X-PRELOAD-HINT" => self.preload_hint(value, scope)?,
            "-X-RENDITION-REPORT" => self.rendition_report(value, scope)?,
            "-X-DATERANGE" => self.date_range(value, scope)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn target_duration(&mut self, value: &str, scope: &mut Scope<'_>) {
        self.evidence = true;
        let is_sound = integer(value).is_some_and(|seconds| seconds > 0);
        if !is_sound {
            scope.report_finding(Finding::BadTargetDuration);
        }
        // A negative value is useless. Code that paces by a fraction or 0 can still clamp it.
        let Some(seconds) = decimal(value).filter(|seconds| *seconds >= 0.0) else { return };
        if self.has_target_duration {
            scope.report_finding(Finding::DuplicateTag);
        }
        // A target duration beyond the limit is cut without a finding.
        let (duration, _) = clamped(seconds);
        self.has_target_duration = true;
        self.playlist.target_duration = duration;
    }

    fn media_sequence(&mut self, value: &str, scope: &mut Scope<'_>) -> Result<(), ParseError> {
        if self.listed() > 0 {
            scope.report_finding(Finding::MisplacedTag);
        }
        if self.has_sequence {
            scope.report_finding(Finding::DuplicateTag);
        }
        self.has_sequence = true;
        self.playlist.media_sequence = sequence_number(value, scope)?;
        Ok(())
    }

    fn playlist_type(&mut self, value: &str, scope: &mut Scope<'_>) {
        match value {
            "EVENT" => self.playlist.playlist_type = Some(PlaylistType::Event),
            "VOD" => self.playlist.playlist_type = Some(PlaylistType::Vod),
            _ => scope.report_finding(Finding::BadTag),
        }
    }

    fn part_inf(&mut self, value: &str, scope: &mut Scope<'_>) {
        let mut target = None;
        let mut attributes = Attributes::new(value);
        for it in attributes.by_ref() {
            if it.name == "PART-TARGET" {
                target = scope.seconds(it);
            }
        }
        scope.check_list(&attributes);
        self.playlist.part_target = scope.required(target);
    }

    fn server_control(&mut self, value: &str, scope: &mut Scope<'_>) {
        let mut control = ServerControl::default();
        let (mut segments, mut date_ranges) = (false, false);
        let mut attributes = Attributes::new(value);
        for it in attributes.by_ref() {
            match it.name {
                "CAN-SKIP-UNTIL" => {
                    control.can_skip_until = scope.seconds(it);
                    segments = control.can_skip_until.is_some();
                }
                "CAN-SKIP-DATERANGES" => date_ranges = scope.yes(it),
                "CAN-BLOCK-RELOAD" => control.can_block_reload = scope.yes(it),
                "HOLD-BACK" => control.hold_back = scope.seconds(it),
                "PART-HOLD-BACK" => control.part_hold_back = scope.seconds(it),
                _ => {}
            }
        }
        scope.check_list(&attributes);
        control.skip = match (segments, date_ranges) {
            (true, true) => SkipSupport::DateRanges,
            (true, false) => SkipSupport::Segments,
            (false, _) => SkipSupport::None,
        };
        if self.playlist.server_control.replace(control).is_some() {
            scope.report_finding(Finding::DuplicateTag);
        }
    }

    fn part(&mut self, value: &str, scope: &mut Scope<'_>) -> Result<(), ParseError> {
        self.evidence = true;
        let (mut uri, mut duration, mut range) = (None, None, None);
        let (mut independent, mut gap) = (false, false);
        let mut attributes = Attributes::new(value);
        for it in attributes.by_ref() {
            match it.name {
                "URI" => uri = scope.uri(it)?,
                "DURATION" => duration = scope.seconds(it),
                "INDEPENDENT" => independent = scope.yes(it),
                "BYTERANGE" => range = Some(it),
                "GAP" => gap = scope.yes(it),
                _ => {}
            }
        }
        scope.check_list(&attributes);
        let Some(uri) = scope.required(uri) else { return Ok(()) };
        let duration = scope.required(duration).unwrap_or_default();
        let before = self.part_end.take().filter(|(resource, _)| *resource == uri);
        let implied = before.map(|(_, end)| end);
        let byte_range = range.map(|it| scope.range(it, implied)).transpose()?.flatten();
        self.part_end = byte_range.map(|range| (uri.clone(), range.end()));
        if self.parts_kept == limits::PLAYLIST_PARTS {
            scope.report_finding(Finding::Truncated);
            return Ok(());
        }
        self.parts_kept += 1;
        self.pending.parts.push(Part { uri, duration, byte_range, independent, gap });
        Ok(())
    }

    fn skip(&mut self, value: &str, scope: &mut Scope<'_>) -> Result<(), ParseError> {
        let (mut segments, mut removed) = (None, Vec::new());
        let mut attributes = Attributes::new(value);
        for it in attributes.by_ref() {
            match it.name {
                "SKIPPED-SEGMENTS" => segments = scope.integer(it),
                "RECENTLY-REMOVED-DATERANGES" => {
                    scope.needs_version(10);
                    let ids = scope.expand(it.value)?;
                    let ids = ids.split('\t').filter(|id| !id.is_empty());
                    removed = ids.take(limits::PLAYLIST_ENTRIES).map(Text::from).collect();
                }
                _ => {}
            }
        }
        scope.check_list(&attributes);
        scope.needs_version(9);
        let Some(segments) = scope.required(segments) else { return Ok(()) };
        if self.listed() > 0 {
            scope.report_finding(Finding::MisplacedTag);
        }
        let skipped = Skipped { segments, removed_date_ranges: removed };
        if self.playlist.skipped.replace(skipped).is_some() {
            scope.report_finding(Finding::DuplicateTag);
        }
        Ok(())
    }

    fn preload_hint(&mut self, value: &str, scope: &mut Scope<'_>) -> Result<(), ParseError> {
        let (mut kind, mut uri, mut offset, mut length) = (None, None, None, None);
        let mut attributes = Attributes::new(value);
        for it in attributes.by_ref() {
            match it.name {
                "TYPE" => kind = hint_kind(it.value),
                "URI" => uri = scope.uri(it)?,
                "BYTERANGE-START" => offset = scope.integer(it),
                "BYTERANGE-LENGTH" => length = scope.integer(it),
                _ => {}
            }
        }
        scope.check_list(&attributes);
        if let (Some(kind), Some(uri)) = (scope.required(kind), scope.required(uri)) {
            let hint = PreloadHint { kind, uri, offset: offset.unwrap_or_default(), length };
            scope.push(&mut self.playlist.preload_hints, hint, limits::PLAYLIST_ENTRIES);
        }
        Ok(())
    }

    fn rendition_report(&mut self, value: &str, scope: &mut Scope<'_>) -> Result<(), ParseError> {
        let (mut uri, mut last_sequence, mut last_part) = (None, None, None);
        let mut attributes = Attributes::new(value);
        for it in attributes.by_ref() {
            match it.name {
                "URI" => uri = scope.uri(it)?,
                "LAST-MSN" => last_sequence = scope.integer(it),
                "LAST-PART" => last_part = scope.integer(it),
                _ => {}
            }
        }
        scope.check_list(&attributes);
        if let Some(uri) = scope.required(uri) {
            let report = RenditionReport { uri, last_sequence, last_part };
            scope.push(&mut self.playlist.rendition_reports, report, limits::PLAYLIST_ENTRIES);
        }
        Ok(())
    }

    fn date_range(&mut self, value: &str, scope: &mut Scope<'_>) -> Result<(), ParseError> {
        let mut id = None;
        let mut attributes = Attributes::new(value);
        for it in attributes.by_ref() {
            match it.name {
                "ID" => id = scope.text(it)?,
                // Only checked: no client plays by them.
                "CLASS" => _ = scope.text(it)?,
                "START-DATE" | "END-DATE" => _ = scope.date(it),
                "DURATION" | "PLANNED-DURATION" => _ = scope.seconds(it),
                "END-ON-NEXT" => _ = scope.yes(it),
                _ if it.quoted => _ = scope.expand(it.value)?,
                _ => {}
            }
        }
        scope.check_list(&attributes);
        if let Some(id) = scope.required(id) {
            scope.push(&mut self.playlist.date_ranges, id, limits::PLAYLIST_ENTRIES);
        }
        Ok(())
    }
}

/// Reads a sequence number. One beyond 64 bits makes the playlist unusable; any other invalid text becomes 0 with a
/// finding.
fn sequence_number(value: &str, scope: &mut Scope<'_>) -> Result<u64, ParseError> {
    if let Some(number) = integer(value) {
        return Ok(number);
    }
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ParseError::new(Fault::PlaylistSyntax, "a sequence number exceeds 64 bits"));
    }
    scope.report_finding(Finding::BadMediaSequence);
    Ok(0)
}

fn hint_kind(text: &str) -> Option<HintKind> {
    match text {
        "PART" => Some(HintKind::Part),
        "MAP" => Some(HintKind::Init),
        _ => None,
    }
}
