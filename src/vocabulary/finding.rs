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
    PlaylistStale "playlist_stale" Error "A live playlist had no update for more than 1.5 target durations (section 6.2.1).",
    SequenceWentBack "sequence_went_back" Error "The playlist begins or ends earlier than one that was loaded before (section 6.2.2).",
    SequenceJump "sequence_jump" Error "Sequence numbers rose faster than time passes: no client could load the segments in between (section 6.2.2).",
    SegmentChanged "segment_changed" Error "A sequence number names a different segment than before: the window slides without counting (section 6.2.2).",
    SegmentRemoved "segment_removed" Error "Segments were removed from an EVENT playlist, which may only grow (section 6.2.1).",
    TargetDurationChanged "target_duration_changed" Error "EXT-X-TARGETDURATION has changed (section 6.2.1).",
    TargetDurationExceeded "target_duration_exceeded" Error "A segment is longer than the target duration (section 4.4.3.1).",
    DiscontinuityMismatch "discontinuity_mismatch" Error "A segment has a different discontinuity sequence number than before (section 6.2.2).",
    DateTimeSkew "date_time_skew" Warning "EXT-X-PROGRAM-DATE-TIME contradicts the segment durations, or an earlier load (section 4.4.4.6).",
    ImpossibleDate "impossible_date" Warning "EXT-X-PROGRAM-DATE-TIME puts the live edge over 1 min ahead of this clock or 10 min behind it: no latency (4.4.4.6).",
    PlaylistDiffers "playlist_differs_between_clients" Warning "A client got an older or a different playlist than a client before it, from the same URL (section 6.2.1).",

    WindowTooShort "window_too_short" Warning "A segment was removed from a live playlist that is now shorter than three target durations (section 6.2.2).",
    HoldBackTooLong "hold_back_too_long" Warning "A segment was removed from a live playlist that is now shorter than its HOLD-BACK (section 4.4.3.8).",

    // In one media playlist by itself.
    HoldBackTooShort "hold_back_too_short" Warning "HOLD-BACK is below three target durations, or PART-HOLD-BACK below two part targets (section 4.4.3.8).",
    MissingPartHoldBack "missing_part_hold_back" Warning "EXT-X-PART-INF is present but PART-HOLD-BACK is not (section 4.4.3.8).",
    SkipUntilTooShort "skip_until_too_short" Warning "CAN-SKIP-UNTIL is below six target durations (section 4.4.3.8).",
    PartTooShort "part_too_short" Warning "A part that is not the last of its segment is below 85 % of the part target (section 4.4.4.9).",
    PartTargetExceeded "part_target_exceeded" Error "A part is longer than the part target (section 4.4.3.7).",
    InitWithoutIv "init_without_iv" Error "An initialization section is encrypted with AES-128, but its key has no IV (section 4.4.4.5).",
    GapListed "gap_listed" Note "Segments are marked as missing: players skip them or switch variants (section 4.4.4.7).",

    // Delivery of playlists and media.
    SegmentExpired "segment_expired" Error "A segment is listed but no longer available: 404 or 410 (section 6.2.2).",
    SegmentNotReady "segment_not_ready" Error "The newest segment is listed but not available yet: 404 or 410 (section 6.2.1).",
    SegmentEmpty "segment_empty" Error "A segment or initialization section is empty.",
    RangeIgnored "range_ignored" Warning "A byte range was requested but the whole resource was sent (section 4.4.4.2).",
    RangeWrong "range_wrong" Error "A 206 response was not the requested byte range, or did not say which range it was.",
    KeyLength "key_length" Error "A key has neither 16 nor 32 bytes: it cannot decrypt anything (section 4.4.4.4).",
    MediaEncoded "media_encoded" Warning "A segment or initialization section was sent with a Content-Encoding that was not requested.",
    BandwidthExceeded "bandwidth_exceeded" Warning "A segment has a higher bit rate than its variant's BANDWIDTH (section 4.4.6.2).",
    UnidentifiedPlaylist "unidentified_playlist" Warning "Neither the Content-Type nor a name ending in .m3u8 identifies this as a playlist (section 4).",
    WrongContentType "wrong_content_type" Note "The Content-Type contradicts the file name: allowed for a playlist that ends in .m3u8 (section 4).",
    NoCacheHeader "no_cache_header" Note "A playlist has neither Cache-Control nor Expires: caches guess how long to keep it.",
    CachedTooLong "cached_too_long" Warning "A cache served a live playlist that was older than 1.5 target durations (Age).",
    FreshTooLong "fresh_too_long" Error "A live playlist may be cached for more than 1.5 target durations: players and caches miss segments.",
    NotGzipped "not_gzipped" Note "A playlist of more than a kilobyte was sent uncompressed although the client accepts gzip.",
    RedirectOnReload "redirect_on_reload" Note "Reloads of a playlist are redirected: each reload costs two requests.",

    // Places that the stream leads to; see `net::scope`.
    ForeignHost "foreign_host" Note "A playlist or redirect leads to a host of another owner, or out of a private network; it was not loaded.",
    InsecureUrl "insecure_url" Warning "A playlist or response over https leads to http, which browsers block; it was not loaded.",
    UnreachableAddress "unreachable_address" Error "A playlist or redirect leads to an address that viewers cannot reach, such as a private one; it was not loaded.",

    // Syntax of any playlist.
    ByteOrderMark "byte_order_mark" Warning "The playlist begins with a byte order mark (section 4.1).",
    BareCarriageReturn "bare_carriage_return" Warning "A line ends in CR without LF (section 4.1).",
    ControlCharacter "control_character" Warning "A line contains a control character (section 4.1).",
    Whitespace "whitespace" Warning "A line begins or ends with white space (section 4.1).",
    BadTag "bad_tag" Warning "A tag could not be read; it was ignored.",
    BadAttributeList "bad_attribute_list" Warning "An attribute list is not name=value,...; a part of it was ignored (section 4.2).",
    BadAttribute "bad_attribute" Warning "An attribute has a value of the wrong type; it was ignored (section 4.2).",
    DuplicateAttribute "duplicate_attribute" Error "A tag has the same attribute twice: players should refuse the playlist; the last one was used (section 4.2).",
    WrongQuoting "wrong_quoting" Warning "An attribute value is quoted although its type forbids it, or lacks the quotes that it needs (section 4.2).",
    UnknownValue "unknown_value" Warning "An attribute has an undefined value: players must ignore the whole tag (section 6.3.1).",
    MissingAttribute "missing_attribute" Warning "A tag lacks a required attribute.",
    UnknownRequirement "unknown_requirement" Warning "A tag requires (REQ-) something unknown; it was ignored (section 4.2).",
    DuplicateTag "duplicate_tag" Warning "A tag that may occur once is repeated; the last one was used.",
    MisplacedTag "misplaced_tag" Warning "A tag is in the wrong place or in the wrong kind of playlist.",
    BadUri "bad_uri" Error "A URL is empty or malformed, or has a scheme that players do not request.",
    UnresolvedVariable "unresolved_variable" Note "A variable takes its value from outside the playlist and is unknown here (section 4.4.2.3).",
    VersionTooLow "version_too_low" Warning "The playlist uses features that its EXT-X-VERSION does not include (section 8).",
    VersionUnknown "version_unknown" Error "EXT-X-VERSION is higher than every defined version: players must not play it (section 8).",
    Truncated "truncated" Note "There are more entries of one kind than hlswarm keeps.",

    // Syntax of a media playlist.
    MissingTargetDuration "missing_target_duration" Error "EXT-X-TARGETDURATION is missing; the longest segment is used instead (section 4.4.3.1).",
    BadTargetDuration "bad_target_duration" Error "EXT-X-TARGETDURATION is not a positive whole number of seconds (section 4.4.3.1).",
    BadMediaSequence "bad_media_sequence" Error "A sequence number is not a decimal integer; 0 is used instead.",
    MissingExtinfComma "missing_extinf_comma" Warning "EXTINF has no comma after its duration (section 4.4.4.1).",
    BadExtinf "bad_extinf" Error "EXTINF has no usable duration; it was limited to what can be played (section 4.4.4.1).",
    MissingExtinf "missing_extinf" Error "A segment has no EXTINF (section 4.4.4.1).",
    ExtinfWithoutUri "extinf_without_uri" Warning "An EXTINF is not followed by a URL.",
    BadByteRange "bad_byte_range" Error "A byte range could not be read; it was ignored.",
    MissingByteRangeOffset "missing_byte_range_offset" Error "A byte range has no offset and follows no range of the same resource; 0 is used instead (section 4.4.4.2).",
    BadKey "bad_key" Error "A key has no usable URL, method or IV (section 4.4.4.4).",
    KeyNoneWithAttributes "key_none_with_attributes" Warning "EXT-X-KEY with METHOD=NONE has other attributes (section 4.4.4.4).",
    BadDate "bad_date" Warning "A date is not in ISO 8601 format with a time zone.",
    MissingPartInf "missing_part_inf" Error "There are parts but no EXT-X-PART-INF (section 4.4.3.7).",

    // Syntax of a multivariant playlist.
    StreamWithoutUri "stream_without_uri" Error "An EXT-X-STREAM-INF is not followed by a URL (section 4.4.6.2).",
    UriWithoutStream "uri_without_stream" Warning "A URL in a multivariant playlist has no EXT-X-STREAM-INF (section 4.4.6.2).",
    MissingBandwidth "missing_bandwidth" Error "A variant has no BANDWIDTH (section 4.4.6.2).",
    UnmatchedGroup "unmatched_group" Error "A variant names a group that no EXT-X-MEDIA defines (section 4.4.6.2).",
}

impl Finding {
    /// Returns the index into a table of [`Finding::COUNT`] entries.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Returns the finding with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
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
            assert_eq!(Finding::from_name(finding.name()), Some(*finding));
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
