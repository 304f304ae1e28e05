//! What was wrong in a playlist and yet tolerated: a closed list, each kind with its first line and a count.
//!
//! * A kind stands at most once in [`Warnings`]: a hostile playlist cannot make the list grow.

/// Declares the closed list of warnings: variant, name in reports, meaning.
macro_rules! warnings {
    ($($variant:ident $name:literal $meaning:literal,)+) => {
        /// A way in which a playlist breaks the rules and can still be played.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum WarningKind { $(#[doc = $meaning] $variant,)+ }

        impl WarningKind {
            /// All kinds, in the order of every report.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name in reports.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What is wrong, as a sentence for the operator.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }
        }
    };
}

warnings! {
    ByteOrderMark "byte_order_mark" "The playlist begins with a byte order mark (section 4.1).",
    BareCarriageReturn "bare_carriage_return" "A line ends in CR without LF (section 4.1).",
    Whitespace "whitespace" "A line begins or ends with white space (section 4.1).",
    BadTag "bad_tag" "A tag could not be read; it was left out.",
    BadAttributeList "bad_attribute_list" "An attribute list is not name=value,...; a part of it was left out (section 4.2).",
    BadAttribute "bad_attribute" "An attribute has a value of another type; it was left out (section 4.2).",
    WrongQuoting "wrong_quoting" "An attribute value has quotes that its type must not have, or lacks them (section 4.2).",
    MissingAttribute "missing_attribute" "A tag lacks an attribute that it must have.",
    UnknownRequirement "unknown_requirement" "A tag demands (REQ-) something unknown; it was left out (section 4.2).",
    DuplicateTag "duplicate_tag" "A tag that may stand once stands again; the last one counts.",
    MisplacedTag "misplaced_tag" "A tag stands in the wrong place or kind of playlist.",
    BadUri "bad_uri" "An address is empty or holds control characters; it is not requested.",
    MissingTargetDuration "missing_target_duration" "There is no EXT-X-TARGETDURATION; the longest segment stands in (section 4.4.3.1).",
    BadTargetDuration "bad_target_duration" "EXT-X-TARGETDURATION is not a positive whole number of seconds (section 4.4.3.1).",
    BadMediaSequence "bad_media_sequence" "A sequence number is not a decimal integer; 0 stands in.",
    MissingExtinfComma "missing_extinf_comma" "EXTINF has no comma behind its duration (section 4.4.4.1).",
    BadExtinf "bad_extinf" "EXTINF has no usable duration; it was cut to what can be played (section 4.4.4.1).",
    MissingExtinf "missing_extinf" "A segment has no EXTINF (section 4.4.4.1).",
    ExtinfWithoutUri "extinf_without_uri" "An EXTINF is not followed by an address.",
    LongSegment "long_segment" "A segment is longer than the target duration (section 4.4.3.1).",
    BadByteRange "bad_byte_range" "A byte range could not be read; it was left out.",
    MissingByteRangeOffset "missing_byte_range_offset" "A byte range has no offset and follows no range of the same resource; 0 stands in (section 4.4.4.2).",
    BadKey "bad_key" "A key has no usable address, method or IV (section 4.4.4.4).",
    BadDate "bad_date" "A date is not of ISO 8601 with a time zone.",
    StreamWithoutUri "stream_without_uri" "An EXT-X-STREAM-INF is not followed by an address (section 4.4.6.2).",
    UriWithoutStream "uri_without_stream" "An address in a multivariant playlist has no EXT-X-STREAM-INF (section 4.4.6.2).",
    MissingBandwidth "missing_bandwidth" "A variant names no BANDWIDTH (section 4.4.6.2).",
    UnmatchedGroup "unmatched_group" "A variant names a group that no EXT-X-MEDIA defines (section 4.4.6.2).",
    UnresolvedVariable "unresolved_variable" "A variable takes its value from outside the playlist, which is not known here (section 4.4.2.3).",
    MissingPartInf "missing_part_inf" "There are parts and no EXT-X-PART-INF (section 4.4.3.7).",
    VersionTooLow "version_too_low" "The playlist uses what its EXT-X-VERSION does not offer (section 8).",
    VersionUnknown "version_unknown" "EXT-X-VERSION is higher than every version that is defined (section 8).",
    Truncated "truncated" "There are more entries of one kind than are kept.",
}

/// One kind of rule that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Which rule.
    pub kind: WarningKind,
    /// The first line (from 1) where it was broken.
    pub line: u32,
    /// How often it was broken.
    pub count: u32,
}

/// What was wrong in a playlist, in the order of first appearance, each kind once.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Warnings(Vec<Warning>);

impl Warnings {
    /// Counts one more `kind` at `line`.
    pub(super) fn note(&mut self, kind: WarningKind, line: u32) {
        match self.0.iter_mut().find(|warning| warning.kind == kind) {
            Some(warning) => warning.count = warning.count.saturating_add(1),
            None => self.0.push(Warning { kind, line, count: 1 }),
        }
    }

    /// All of them, in the order of first appearance.
    pub fn iter(&self) -> impl Iterator<Item = &Warning> {
        self.0.iter()
    }

    /// Whether nothing was wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The warning of `kind`, if there is one.
    pub fn get(&self, kind: WarningKind) -> Option<&Warning> {
        self.0.iter().find(|warning| warning.kind == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_stands_once_with_its_first_line_and_a_count() {
        let mut warnings = Warnings::default();
        for line in 3..1000 {
            warnings.note(WarningKind::BadUri, line);
        }
        warnings.note(WarningKind::Truncated, 7);
        let expected = Warning { kind: WarningKind::BadUri, line: 3, count: 997 };
        assert_eq!(warnings.get(WarningKind::BadUri), Some(&expected));
        assert_eq!(warnings.iter().count(), 2);
    }

    #[test]
    fn names_of_warnings_are_unique() {
        let mut names: Vec<_> = WarningKind::ALL.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), WarningKind::ALL.len());
    }
}
