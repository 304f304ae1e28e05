//! Parser from bytes to a playlist: one pass over the lines, each passed to the reader that knows its tag.
//!
//! * The lines decide at the end whether it is a media or a multivariant playlist. Lines of both kinds in one
//!   playlist are an error (section 4.1).

mod attributes;
mod lines;
mod media;
mod media_tags;
mod multivariant;
mod scope;
mod values;

use crate::vocabulary::{Finding, outcome::Fault};

use super::{
    media::Media, multivariant::Multivariant, parse_error::ParseError, playlist_finding::PlaylistFindings,
    text::holds_control, variables::Context,
};
use attributes::Attributes;
use lines::{Line, Source};
use media::MediaReader;
use multivariant::MultivariantReader;
use scope::Scope;

/// Parsed playlist.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all are media, and all are behind an Arc")]
pub enum Playlist {
    /// A playlist of other playlists.
    Multivariant(Multivariant),
    /// A playlist of segments.
    Media(Media),
}

impl Playlist {
    /// Returns `multivariant` or `media`, as reports name it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Multivariant(_) => "multivariant",
            Self::Media(_) => "media",
        }
    }

    /// Returns the media playlist, if it is one.
    pub const fn media(&self) -> Option<&Media> {
        match self {
            Self::Multivariant(_) => None,
            Self::Media(media) => Some(media),
        }
    }

    /// Returns the findings that were tolerated.
    pub const fn findings(&self) -> &PlaylistFindings {
        match self {
            Self::Multivariant(multivariant) => &multivariant.findings,
            Self::Media(media) => &media.findings,
        }
    }
}

/// Parses a playlist without context, for instance from a file. A variable whose value would come from outside stays
/// as written, with a finding.
///
/// # Errors
/// See [`parse_in`].
pub fn parse(bytes: &[u8]) -> Result<Playlist, ParseError> {
    parse_with(bytes, None)
}

/// Parses a playlist that was loaded. Variables come from the query of its URL and from its multivariant playlist; a
/// variable that neither defines is an error.
///
/// # Errors
/// * [`Fault::PlaylistNotM3u8`]: the bytes do not begin with `#EXTM3U`;
/// * [`Fault::PlaylistSyntax`]: not UTF-8, a NUL, an undefined variable, sequence numbers beyond 64 bits, or the
///   lines of a media and of a multivariant playlist in one;
/// * [`Fault::PlaylistLimit`]: larger than `vocabulary::limits` allows;
/// * [`Fault::PlaylistSemantic`]: segments or variants are listed, and none has a usable URL.
pub fn parse_in(bytes: &[u8], context: &Context<'_>) -> Result<Playlist, ParseError> {
    parse_with(bytes, Some(context))
}

fn parse_with(bytes: &[u8], context: Option<&Context<'_>>) -> Result<Playlist, ParseError> {
    let source = Source::read(bytes)?;
    let mut reader = Reader::new(&source, context);
    let mut lines = source.lines();
    while let Some(line) = lines.next_line()? {
        reader.scope.line = line.number;
        if line.has_space {
            reader.scope.report_finding(Finding::Whitespace);
        }
        if holds_control(line.text) && !may_hold_tabs(line.text) {
            reader.scope.report_finding(Finding::ControlCharacter);
        }
        reader.line(line)?;
    }
    reader.finish()
}

/// Readers of both kinds, side by side until the kind is known.
struct Reader<'a> {
    scope: Scope<'a>,
    media: MediaReader<'a>,
    multivariant: MultivariantReader,
}

impl<'a> Reader<'a> {
    fn new(source: &'a Source<'_>, context: Option<&'a Context<'a>>) -> Self {
        let mut scope = Scope::new(context);
        if source.byte_order_mark {
            scope.report_finding(Finding::ByteOrderMark);
        }
        if source.bare_carriage_return {
            scope.report_finding(Finding::BareCarriageReturn);
        }
        Self { scope, media: MediaReader::new(source.text()), multivariant: MultivariantReader::default() }
    }

    fn line(&mut self, line: Line<'a>) -> Result<(), ParseError> {
        let text = line.text;
        if !text.starts_with('#') {
            return if text.is_empty() { Ok(()) } else { self.address(text) };
        }
        if !text.starts_with("#EXT") {
            return Ok(());
        }
        let Ok(parsed) = quick_m3u8::custom_parsing::tag::parse(text) else { return Ok(()) };
        let name = parsed.parsed.name();
        let value = text.get("#EXT".len() + name.len() + 1..).unwrap_or_default().trim_start();
        self.tag(name.trim_end(), value)
    }

    fn address(&mut self, text: &str) -> Result<(), ParseError> {
        if self.multivariant.takes_address() {
            self.multivariant.address(text, &mut self.scope)
        } else {
            self.media.address(text, &mut self.scope)
        }
    }

    /// Passes a tag to the readers. A tag that none of them knows is ignored (section 6.3.1).
    fn tag(&mut self, name: &'a str, value: &'a str) -> Result<(), ParseError> {
        if demands_unknown(value) {
            self.scope.report_finding(Finding::UnknownRequirement);
            self.multivariant.ignore(name);
            return Ok(());
        }
        let scope = &mut self.scope;
        if self.media.tag(name, value, scope)? || scope.tag(name, value)? {
            return Ok(());
        }
        self.multivariant.tag(name, value, scope).map(|_known| ())
    }

    fn finish(self) -> Result<Playlist, ParseError> {
        let Self { mut scope, media, multivariant } = self;
        match (multivariant.has_evidence(), media.has_evidence()) {
            (true, true) => Err(ParseError::new(
                Fault::PlaylistSyntax,
                "lines of both a media and a multivariant playlist (section 4.1)",
            )),
            (true, false) => multivariant.finish(scope).map(Playlist::Multivariant),
            (false, false) if multivariant.session_line().is_some() && media.listed() == 0 => {
                multivariant.finish(scope).map(Playlist::Multivariant)
            }
            (false, _) => {
                if let Some(line) = multivariant.session_line() {
                    scope.findings.note(Finding::MisplacedTag, line);
                }
                media.finish(scope).map(Playlist::Media)
            }
        }
    }
}

/// Reports whether tabs are the only control characters, in an EXT-X-SKIP: they separate its IDs (section 4.4.5.2).
fn may_hold_tabs(line: &str) -> bool {
    line.starts_with("#EXT-X-SKIP:") && !holds_control(&line.replace('\t', ""))
}

/// Reports whether an attribute demands a feature unknown to this program; the tag must then be ignored (section
/// 4.2).
fn demands_unknown(value: &str) -> bool {
    value.contains("REQ-")
        && Attributes::new(value).any(|it| it.name.starts_with("REQ-") && it.name != "REQ-VIDEO-LAYOUT")
}

#[cfg(test)]
pub(in crate::hls) mod tests;
