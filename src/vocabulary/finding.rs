//! Problems of a stream: a closed list, filled by the playlist reader and by clients while they load, and shown by
//! every report.
//!
//! * A finding concerns the stream and its delivery, never the load tester. The outcome of a request is its
//!   [`Outcome`](super::Outcome), independent of any finding.
//! * [`Severity::Error`]: viewers can lose playback. [`Severity::Warning`]: the stream breaks a rule that common
//!   players do not rely on. [`Severity::Note`]: allowed, but at a cost.
//!
//! Sections are those of RFC 8216bis (draft-pantos-hls-rfc8216bis-22).

/// Severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Allowed, but at a cost.
    Note,
    /// Breaks a rule that common players do not rely on.
    Warning,
    /// Viewers can lose playback.
    Error,
}

impl Severity {
    /// Returns the name on the screen and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Declares the closed list of findings: variant, name in reports, severity, meaning.
macro_rules! findings {
    ($($variant:ident $name:literal $severity:ident $meaning:literal,)+) => {
        /// Problem of a stream.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Finding { $(#[doc = $meaning] $variant,)+ }

        impl Finding {
            /// All findings, in the order of every table and report.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$variant,)+];

            /// Number of findings: the length of every table that is indexed by them.
            pub const COUNT: usize = [$($name,)+].len();

            /// Returns the name on the screen and in reports, for instance `playlist_stale`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Returns the severity of the finding.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)+ }
            }

            /// Describes the problem as a sentence for the operator.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }
        }
    };
}

findings! {
    // From one load of a media playlist to the next.
    PlaylistStale "playlist_stale" Error "A live playlist brought nothing new for more than 1.5 target durations (section 6.2.1).",
    SequenceWentBack "sequence_went_back" Error "The list begins or ends before the one that was there earlier (section 6.2.2).",
    SequenceJump "sequence_jump" Error "Sequence numbers rose faster than time passes: nobody could load what is between (section 6.2.2).",
    SegmentChanged "segment_changed" Error "A sequence number names another segment than before: the list slides without counting (section 6.2.2).",
    SegmentRemoved "segment_removed" Error "Segments left an EVENT playlist, which only grows (section 6.2.1).",
    TargetDurationChanged "target_duration_changed" Error "EXT-X-TARGETDURATION has changed (section 6.2.1).",
    TargetDurationExceeded "target_duration_exceeded" Error "A segment is longer than the target duration (section 4.4.3.1).",
    DiscontinuityMismatch "discontinuity_mismatch" Error "A segment has another discontinuity sequence number than before (section 6.2.2).",
    DateTimeSkew "date_time_skew" Warning "EXT-X-PROGRAM-DATE-TIME contradicts durations, or an earlier load (section 4.4.4.6).",
    ImpossibleDate "impossible_date" Warning "EXT-X-PROGRAM-DATE-TIME puts the live edge over a minute ahead or ten behind this clock: no latency (4.4.4.6).",
    PlaylistDiffers "playlist_differs_between_clients" Warning "A client was given an older or another list than one before it, from the same address (section 6.2.1).",

    WindowTooShort "window_too_short" Warning "A segment left a live playlist that is now shorter than three target durations (section 6.2.2).",
    HoldBackTooLong "hold_back_too_long" Warning "A segment left a live playlist that is now shorter than its HOLD-BACK (section 4.4.3.8).",

    // In one media playlist by itself.
    HoldBackTooShort "hold_back_too_short" Warning "HOLD-BACK is below three target durations, or PART-HOLD-BACK below two part targets (section 4.4.3.8).",
    MissingPartHoldBack "missing_part_hold_back" Warning "There is an EXT-X-PART-INF and no PART-HOLD-BACK (section 4.4.3.8).",
    SkipUntilTooShort "skip_until_too_short" Warning "CAN-SKIP-UNTIL is below six target durations (section 4.4.3.8).",
    PartTooShort "part_too_short" Warning "A part that is not the last of its segment is below 85 % of the part target (section 4.4.4.9).",
    PartTargetExceeded "part_target_exceeded" Error "A part is longer than the part target (section 4.4.3.7).",
    InitWithoutIv "init_without_iv" Error "An initialization section is encrypted with AES-128 and its key names no IV (section 4.4.4.5).",
    GapListed "gap_listed" Note "Segments are marked as missing: players jump over them or switch (section 4.4.4.7).",

    // Delivery of playlists and media.
    SegmentExpired "segment_expired" Error "A segment is listed and not there any more: 404 or 410 (section 6.2.2).",
    SegmentNotReady "segment_not_ready" Error "The newest segment is listed and not there yet: 404 or 410 (section 6.2.1).",
    SegmentEmpty "segment_empty" Error "A segment or initialization section has no bytes.",
    RangeIgnored "range_ignored" Warning "A byte range was asked for and the whole resource came (section 4.4.4.2).",
    RangeWrong "range_wrong" Error "A 206 response was not the byte range that was asked for, or did not say which it was.",
    KeyLength "key_length" Error "A key has neither 16 nor 32 bytes: it decrypts nothing (section 4.4.4.4).",
    MediaEncoded "media_encoded" Warning "A segment or initialization section came with a Content-Encoding that was not asked for.",
    BandwidthExceeded "bandwidth_exceeded" Warning "A segment has more bits per second than its variant's BANDWIDTH (section 4.4.6.2).",
    UnidentifiedPlaylist "unidentified_playlist" Warning "Neither its Content-Type nor a name in .m3u8 says that this is a playlist (section 4).",
    WrongContentType "wrong_content_type" Note "A Content-Type says something else than the name: allowed for a playlist in .m3u8 (section 4).",
    NoCacheHeader "no_cache_header" Note "A playlist came without Cache-Control or Expires: caches guess how long to keep it.",
    CachedTooLong "cached_too_long" Warning "A live playlist was older than 1.5 target durations when a cache served it (Age).",
    FreshTooLong "fresh_too_long" Error "A live playlist may be kept for more than 1.5 target durations: players and caches miss segments.",
    NotGzipped "not_gzipped" Note "A playlist of more than a kilobyte came without the gzip that was offered.",
    RedirectOnReload "redirect_on_reload" Note "A playlist is redirected with every reload: each costs two requests.",

    // Syntax of any playlist.
    ByteOrderMark "byte_order_mark" Warning "The playlist begins with a byte order mark (section 4.1).",
    BareCarriageReturn "bare_carriage_return" Warning "A line ends in CR without LF (section 4.1).",
    ControlCharacter "control_character" Warning "A line holds a control character (section 4.1).",
    Whitespace "whitespace" Warning "A line begins or ends with white space (section 4.1).",
    BadTag "bad_tag" Warning "A tag could not be read; it was left out.",
    BadAttributeList "bad_attribute_list" Warning "An attribute list is not name=value,...; a part of it was left out (section 4.2).",
    BadAttribute "bad_attribute" Warning "An attribute has a value of another type; it was left out (section 4.2).",
    DuplicateAttribute "duplicate_attribute" Error "An attribute stands twice in a tag: players should refuse the playlist; the last one counts (section 4.2).",
    WrongQuoting "wrong_quoting" Warning "An attribute value has quotes that its type must not have, or lacks them (section 4.2).",
    UnknownValue "unknown_value" Warning "An attribute has a word that is not defined: players must ignore the whole tag (section 6.3.1).",
    MissingAttribute "missing_attribute" Warning "A tag lacks an attribute that it must have.",
    UnknownRequirement "unknown_requirement" Warning "A tag demands (REQ-) something unknown; it was left out (section 4.2).",
    DuplicateTag "duplicate_tag" Warning "A tag that may stand once stands again; the last one counts.",
    MisplacedTag "misplaced_tag" Warning "A tag stands in the wrong place or kind of playlist.",
    BadUri "bad_uri" Error "A URL is empty, broken, or of a scheme that players do not request.",
    UnresolvedVariable "unresolved_variable" Note "A variable takes its value from outside the playlist, which is not known here (section 4.4.2.3).",
    VersionTooLow "version_too_low" Warning "The playlist uses what its EXT-X-VERSION does not offer (section 8).",
    VersionUnknown "version_unknown" Error "EXT-X-VERSION is higher than every version that is defined: players must not play it (section 8).",
    Truncated "truncated" Note "There are more entries of one kind than are kept.",

    // Syntax of a media playlist.
    MissingTargetDuration "missing_target_duration" Error "There is no EXT-X-TARGETDURATION; the longest segment stands in (section 4.4.3.1).",
    BadTargetDuration "bad_target_duration" Error "EXT-X-TARGETDURATION is not a positive whole number of seconds (section 4.4.3.1).",
    BadMediaSequence "bad_media_sequence" Error "A sequence number is not a decimal integer; 0 stands in.",
    MissingExtinfComma "missing_extinf_comma" Warning "EXTINF has no comma behind its duration (section 4.4.4.1).",
    BadExtinf "bad_extinf" Error "EXTINF has no usable duration; it was cut to what can be played (section 4.4.4.1).",
    MissingExtinf "missing_extinf" Error "A segment has no EXTINF (section 4.4.4.1).",
    ExtinfWithoutUri "extinf_without_uri" Warning "An EXTINF is not followed by an address.",
    BadByteRange "bad_byte_range" Error "A byte range could not be read; it was left out.",
    MissingByteRangeOffset "missing_byte_range_offset" Error "A byte range has no offset and follows no range of the same resource; 0 stands in (section 4.4.4.2).",
    BadKey "bad_key" Error "A key has no usable address, method or IV (section 4.4.4.4).",
    KeyNoneWithAttributes "key_none_with_attributes" Warning "EXT-X-KEY with METHOD=NONE has other attributes (section 4.4.4.4).",
    BadDate "bad_date" Warning "A date is not of ISO 8601 with a time zone.",
    MissingPartInf "missing_part_inf" Error "There are parts and no EXT-X-PART-INF (section 4.4.3.7).",

    // Syntax of a multivariant playlist.
    StreamWithoutUri "stream_without_uri" Error "An EXT-X-STREAM-INF is not followed by an address (section 4.4.6.2).",
    UriWithoutStream "uri_without_stream" Warning "An address in a multivariant playlist has no EXT-X-STREAM-INF (section 4.4.6.2).",
    MissingBandwidth "missing_bandwidth" Error "A variant names no BANDWIDTH (section 4.4.6.2).",
    UnmatchedGroup "unmatched_group" Error "A variant names a group that no EXT-X-MEDIA defines (section 4.4.6.2).",
}

impl Finding {
    /// Returns the index into a table of [`Finding::COUNT`] entries.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Returns the finding with this name, if there is one.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|finding| finding.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_is_found_at_its_index_and_by_its_name() {
        let mut names: Vec<_> = Finding::ALL.iter().map(|finding| finding.name()).collect();
        for (index, finding) in Finding::ALL.iter().enumerate() {
            assert_eq!(finding.index(), index);
            assert_eq!(Finding::of_name(finding.name()), Some(*finding));
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Finding::COUNT);
    }

    #[test]
    fn meanings_are_sentences_that_fit_two_lines_of_a_report() {
        for finding in Finding::ALL {
            let meaning = finding.meaning();
            assert!(meaning.ends_with('.') && meaning.len() <= 130, "{}: {}", finding.name(), meaning.len());
        }
    }
}
