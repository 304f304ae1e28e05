//! Reader of the tags of a multivariant playlist (RFC 8216bis section 4.4.6).

use std::collections::BTreeSet;

use crate::vocabulary::{Finding, limits, outcome::Fault};

use super::{
    ParseError,
    attributes::{Attributes, integer},
    scope::Scope,
};
use crate::hls::{
    multivariant::{
        ContentSteering, Multivariant, Rendition, RenditionKind, Resolution, SessionData, Variant,
    },
    text::Reference,
};

/// Meaning of the next URL line, as set by the EXT-X-STREAM-INF before it.
#[derive(Default)]
enum Pending {
    #[default]
    Nothing,
    Variant(Box<Variant>),
    /// The tag is ignored, and so is its URL.
    Ignored,
}

/// Collects the lines of a multivariant playlist.
#[derive(Default)]
pub(super) struct MultivariantReader {
    playlist: Multivariant,
    pending: Pending,
    /// True after a tag that only a multivariant playlist has.
    evidence: bool,
    /// The first line with a session tag.
    session: Option<u32>,
    /// True if a listed variant has no usable URL.
    unusable: bool,
}

impl MultivariantReader {
    /// Reports whether the next URL line belongs to this reader.
    pub fn takes_address(&self) -> bool {
        self.evidence
    }

    /// Reports whether a tag was read that only a multivariant playlist has.
    pub fn has_evidence(&self) -> bool {
        self.evidence
    }

    /// Returns the first line with a session tag. Some origins put such tags into media playlists too, where they are
    /// harmless, so they decide the kind of a playlist only if nothing else does.
    pub fn session_line(&self) -> Option<u32> {
        self.session
    }

    /// Reads the URL of a variant.
    pub fn address(&mut self, text: &str, scope: &mut Scope<'_>) -> Result<(), ParseError> {
        match std::mem::take(&mut self.pending) {
            Pending::Variant(variant) => match scope.reference(text)? {
                Some(uri) => {
                    let variant = Variant { uri, ..*variant };
                    scope.push(&mut self.playlist.variants, variant, limits::PLAYLIST_VARIANTS);
                }
                None => self.unusable = true,
            },
            Pending::Ignored => self.unusable = true,
            Pending::Nothing => scope.report_finding(Finding::UriWithoutStream),
        }
        Ok(())
    }

    /// Skips a tag that must be ignored; if it is an EXT-X-STREAM-INF, its URL is ignored too.
    pub fn ignore(&mut self, name: &str) {
        if name == "-X-STREAM-INF" {
            self.evidence = true;
            self.pending = Pending::Ignored;
        }
    }

    /// Reads a tag of this kind of playlist; reports whether it is one.
    pub fn tag(&mut self, name: &str, value: &str, scope: &mut Scope<'_>) -> Result<bool, ParseError> {
        match name {
            "-X-STREAM-INF" => self.stream(value, scope)?,
            "-X-MEDIA" => self.rendition(value, scope)?,
            "-X-I-FRAME-STREAM-INF" => self.i_frame_stream(value, scope)?,
            _ => return self.session_tag(name, value, scope),
        }
        Ok(true)
    }

    fn session_tag(&mut self, name: &str, value: &str, scope: &mut Scope<'_>) -> Result<bool, ParseError> {
        match name {
            "-X-SESSION-DATA" => self.session_data(value, scope)?,
            "-X-SESSION-KEY" => self.session_key(value, scope)?,
            "-X-CONTENT-STEERING" => self.content_steering(value, scope)?,
            _ => return Ok(false),
        }
        self.session.get_or_insert(scope.line);
        Ok(true)
    }

    fn stream(&mut self, value: &str, scope: &mut Scope<'_>) -> Result<(), ParseError> {
        self.evidence = true;
        let (variant, _) = variant(value, scope)?;
        if let Pending::Variant(_) = std::mem::replace(&mut self.pending, Pending::Variant(Box::new(variant)))
        {
            scope.report_finding(Finding::StreamWithoutUri);
        }
        Ok(())
    }

    fn i_frame_stream(&mut self, value: &str, scope: &mut Scope<'_>) -> Result<(), ParseError> {
        self.evidence = true;
        let (variant, uri) = variant(value, scope)?;
        if let Some(uri) = scope.required(uri) {
            let variant = Variant { uri, ..variant };
            scope.push(&mut self.playlist.i_frame_variants, variant, limits::PLAYLIST_VARIANTS);
        }
        Ok(())
    }

    fn rendition(&mut self, value: &str, scope: &mut Scope<'_>) -> Result<(), ParseError> {
        self.evidence = true;
        if let Some(rendition) = rendition(value, scope)? {
            scope.push(&mut self.playlist.renditions, rendition, limits::PLAYLIST_VARIANTS);
        }
        Ok(())
    }

    fn session_data(&mut self, value: &str, scope: &mut Scope<'_>) -> Result<(), ParseError> {
        let mut id = None;
        let (mut data, mut uri, mut format, mut language) = (None, None, None, None);
        let mut attributes = Attributes::new(value);
        for it in attributes.by_ref() {
            match it.name {
                "DATA-ID" => id = scope.text(it)?,
                "VALUE" => data = scope.text(it)?,
                "URI" => uri = scope.uri(it)?,
                "FORMAT" => format = scope.word(it),
                "LANGUAGE" => language = scope.text(it)?,
                _ => {}
            }
        }
        scope.check_list(&attributes);
        if let Some(id) = scope.required(id) {
            let entry = SessionData { id, value: data, uri, format, language };
            scope.push(&mut self.playlist.session_data, entry, limits::PLAYLIST_ENTRIES);
        }
        Ok(())
    }

    fn session_key(&mut self, value: &str, scope: &mut Scope<'_>) -> Result<(), ParseError> {
        match scope.key(value)? {
            Some(key) => scope.push(&mut self.playlist.session_keys, key, limits::PLAYLIST_ENTRIES),
            None => scope.report_finding(Finding::BadKey),
        }
        Ok(())
    }

    fn content_steering(&mut self, value: &str, scope: &mut Scope<'_>) -> Result<(), ParseError> {
        let (mut server_uri, mut pathway) = (None, None);
        let mut attributes = Attributes::new(value);
        for it in attributes.by_ref() {
            match it.name {
                "SERVER-URI" => server_uri = scope.uri(it)?,
                "PATHWAY-ID" => pathway = scope.text(it)?,
                _ => {}
            }
        }
        scope.check_list(&attributes);
        if let Some(server_uri) = scope.required(server_uri) {
            let steering = ContentSteering { server_uri, pathway };
            if self.playlist.content_steering.replace(steering).is_some() {
                scope.report_finding(Finding::DuplicateTag);
            }
        }
        Ok(())
    }

    /// Returns the playlist after all lines have been read.
    ///
    /// # Errors
    /// [`Fault::PlaylistSemantic`] if variants are listed and none can be played.
    pub fn finish(self, mut scope: Scope<'_>) -> Result<Multivariant, ParseError> {
        let Self { mut playlist, pending, unusable, .. } = self;
        if let Pending::Variant(_) = pending {
            scope.report_finding(Finding::StreamWithoutUri);
        }
        if playlist.variants.is_empty() && unusable {
            return Err(ParseError::new(Fault::PlaylistSemantic, "no variant has a usable URL"));
        }
        for _ in 0..unmatched_groups(&playlist) {
            scope.report_finding(Finding::UnmatchedGroup);
        }
        playlist.version = scope.final_version();
        playlist.independent_segments = scope.independent_segments;
        playlist.start = scope.start;
        playlist.variables = scope.variables;
        playlist.findings = scope.findings;
        Ok(playlist)
    }
}

/// Counts the references of variants to groups that do not exist.
fn unmatched_groups(playlist: &Multivariant) -> usize {
    let groups: BTreeSet<_> = playlist.renditions.iter().map(|it| (it.kind, &it.group)).collect();
    let named = playlist.variants.iter().flat_map(|variant| {
        [
            (RenditionKind::Audio, &variant.audio),
            (RenditionKind::Video, &variant.video),
            (RenditionKind::Subtitles, &variant.subtitles),
            (RenditionKind::ClosedCaptions, &variant.closed_captions),
        ]
    });
    let named = named.filter_map(|(kind, group)| group.as_ref().map(|group| (kind, group)));
    named.filter(|group| !groups.contains(group)).count()
}

/// Reads the attributes of a variant, and its URL if it is among them.
fn variant(value: &str, scope: &mut Scope<'_>) -> Result<(Variant, Option<Reference>), ParseError> {
    let mut variant = Variant::default();
    let (mut uri, mut bandwidth) = (None, None);
    let mut attributes = Attributes::new(value);
    for it in attributes.by_ref() {
        match it.name {
            "BANDWIDTH" => bandwidth = scope.integer(it),
            "AVERAGE-BANDWIDTH" => variant.average_bandwidth = scope.integer(it),
            "CODECS" => variant.codecs = scope.text(it)?,
            "RESOLUTION" => variant.resolution = resolution(it.value, scope),
            "FRAME-RATE" => variant.frame_rate = scope.number(it),
            "VIDEO-RANGE" => variant.video_range = scope.word_of(it, &["SDR", "HLG", "PQ"]),
            "HDCP-LEVEL" => variant.hdcp_level = scope.word_of(it, &["NONE", "TYPE-0", "TYPE-1"]),
            "AUDIO" => variant.audio = scope.text(it)?,
            "VIDEO" => variant.video = scope.text(it)?,
            "SUBTITLES" => variant.subtitles = scope.text(it)?,
            "CLOSED-CAPTIONS" if !it.quoted && it.value == "NONE" => variant.closed_captions = None,
            "CLOSED-CAPTIONS" => variant.closed_captions = scope.text(it)?,
            "PATHWAY-ID" => variant.pathway = scope.text(it)?,
            "URI" => uri = scope.uri(it)?,
            // Only checked: no client chooses by them.
            "SCORE" => _ = scope.number(it),
            "REQ-VIDEO-LAYOUT" => {
                scope.needs_version(12);
                _ = scope.text(it)?;
            }
            "SUPPLEMENTAL-CODECS" | "ALLOWED-CPC" | "STABLE-VARIANT-ID" => _ = scope.text(it)?,
            _ => {}
        }
    }
    scope.check_list(&attributes);
    if bandwidth.is_none() {
        scope.report_finding(Finding::MissingBandwidth);
    }
    // The choice of a variant needs a bandwidth: the average stands in.
    variant.bandwidth = bandwidth.or(variant.average_bandwidth).unwrap_or_default();
    Ok((variant, uri))
}

fn resolution(text: &str, scope: &mut Scope<'_>) -> Option<Resolution> {
    let numbers = text.split_once(['x', 'X']);
    let resolution = numbers
        .and_then(|(width, height)| Some(Resolution { width: integer(width)?, height: integer(height)? }));
    if resolution.is_none() {
        scope.report_finding(Finding::BadAttribute);
    }
    resolution
}

/// Reads the attributes of EXT-X-MEDIA; `None` if they do not state a known type.
fn rendition(value: &str, scope: &mut Scope<'_>) -> Result<Option<Rendition>, ParseError> {
    let (mut kind, mut group, mut name) = (None, None, None);
    let mut rendition = Rendition::default();
    let mut attributes = Attributes::new(value);
    for it in attributes.by_ref() {
        match it.name {
            "TYPE" => kind = Some(scope.known(rendition_kind(it.value))),
            "URI" => rendition.uri = scope.uri(it)?,
            "GROUP-ID" => group = scope.text(it)?,
            "NAME" => name = scope.text(it)?,
            "LANGUAGE" => rendition.language = scope.text(it)?,
            "DEFAULT" => rendition.default = scope.yes(it),
            "AUTOSELECT" => rendition.autoselect = scope.yes(it),
            "CHANNELS" => rendition.channels = scope.text(it)?,
            // Only checked: no client chooses by them.
            "FORCED" => _ = scope.yes(it),
            "BIT-DEPTH" | "SAMPLE-RATE" => _ = scope.integer(it),
            "INSTREAM-ID" => {
                scope.needs_version(instream_version(kind.flatten(), it.value));
                _ = scope.text(it)?;
            }
            "ASSOC-LANGUAGE" | "STABLE-RENDITION-ID" | "CHARACTERISTICS" => _ = scope.text(it)?,
            _ => {}
        }
    }
    scope.check_list(&attributes);
    // A rendition of unknown type is left out; one without group or name is kept.
    let Some(Some(kind)) = scope.required(kind) else { return Ok(None) };
    rendition.kind = kind;
    rendition.group = scope.required(group).unwrap_or_default();
    rendition.name = scope.required(name).unwrap_or_default();
    Ok(Some(rendition))
}

fn rendition_kind(text: &str) -> Option<RenditionKind> {
    match text {
        "AUDIO" => Some(RenditionKind::Audio),
        "VIDEO" => Some(RenditionKind::Video),
        "SUBTITLES" => Some(RenditionKind::Subtitles),
        "CLOSED-CAPTIONS" => Some(RenditionKind::ClosedCaptions),
        _ => None,
    }
}

/// Returns the version that an INSTREAM-ID needs (section 8).
fn instream_version(kind: Option<RenditionKind>, value: &str) -> u64 {
    match kind {
        Some(RenditionKind::ClosedCaptions) if value.starts_with("SERVICE") => 7,
        Some(RenditionKind::ClosedCaptions) | None => 1,
        Some(_) => 13,
    }
}
