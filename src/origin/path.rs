//! URL paths of the origin and the resources that they name.
//!
//! The ending of a path decides the kind of its request, whether or not the path exists: a request for a segment that
//! has left the playlist counts as a segment, for the client as for the origin.

use crate::vocabulary::Kind;

/// Variants of each stream: `v0` (the highest bitrate) to `v2`.
pub const VARIANTS: usize = 3;

/// Live or on demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presentation {
    /// A window that slides with the clock.
    Live,
    /// A playlist that is complete.
    Vod,
}

/// Container format of segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// MPEG-2 transport stream.
    Ts,
    /// Fragmented MP4 with an initialization section.
    Fmp4,
}

/// One of the four streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Live or VOD.
    pub presentation: Presentation,
    /// TS or fMP4.
    pub container: Container,
}

/// A resource that a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// `/`: a page that lists the streams.
    Page,
    /// `/live/ts/master.m3u8`.
    Multivariant(Stream),
    /// `/live/ts/v0/index.m3u8`.
    Media(Stream, usize),
    /// `/live/fmp4/v0/init.mp4`.
    Init(Stream, usize),
    /// `/live/ts/v0/segment_12.ts`.
    Segment(Stream, usize, u64),
}

impl Stream {
    /// All streams, in the order of the page.
    pub const ALL: [Self; 4] = [
        Self { presentation: Presentation::Live, container: Container::Ts },
        Self { presentation: Presentation::Live, container: Container::Fmp4 },
        Self { presentation: Presentation::Vod, container: Container::Ts },
        Self { presentation: Presentation::Vod, container: Container::Fmp4 },
    ];

    /// Returns the path of the multivariant playlist.
    pub fn path(self) -> &'static str {
        match (self.presentation, self.container) {
            (Presentation::Live, Container::Ts) => "/live/ts/master.m3u8",
            (Presentation::Live, Container::Fmp4) => "/live/fmp4/master.m3u8",
            (Presentation::Vod, Container::Ts) => "/vod/ts/master.m3u8",
            (Presentation::Vod, Container::Fmp4) => "/vod/fmp4/master.m3u8",
        }
    }
}

impl Container {
    /// Returns the file extension of a segment.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Ts => "ts",
            Self::Fmp4 => "m4s",
        }
    }
}

impl Resource {
    /// Returns the resource that `path` names, or `None` if the origin has none by that name.
    pub fn parse(path: &str) -> Option<Self> {
        if path == "/" {
            return Some(Self::Page);
        }
        if let Some(stream) = Stream::ALL.into_iter().find(|stream| stream.path() == path) {
            return Some(Self::Multivariant(stream));
        }
        let mut parts = path.strip_prefix('/')?.split('/');
        let presentation = match parts.next()? {
            "live" => Presentation::Live,
            "vod" => Presentation::Vod,
            _ => return None,
        };
        let container = match parts.next()? {
            "ts" => Container::Ts,
            "fmp4" => Container::Fmp4,
            _ => return None,
        };
        let variant = number(parts.next()?.strip_prefix('v')?)?;
        let variant = usize::try_from(variant).ok().filter(|variant| *variant < VARIANTS)?;
        let file = parts.next().filter(|_| parts.next().is_none())?;
        Self::from_file(Stream { presentation, container }, variant, file)
    }

    fn from_file(stream: Stream, variant: usize, file: &str) -> Option<Self> {
        match file {
            "index.m3u8" => Some(Self::Media(stream, variant)),
            "init.mp4" => (stream.container == Container::Fmp4).then_some(Self::Init(stream, variant)),
            _ => {
                let (name, ending) = file.split_once('.')?;
                let sequence = number(name.strip_prefix("segment_")?)?;
                (ending == stream.container.ending()).then_some(Self::Segment(stream, variant, sequence))
            }
        }
    }
}

/// Parses a number as the origin writes it: digits without a sign or leading zeros, so that one resource has one URL.
fn number(text: &str) -> Option<u64> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| canonical)
}

/// Returns the kind of resource that a request for `path` asks for.
pub fn kind_of(path: &str) -> Kind {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("m3u8") => Kind::Playlist,
        Some("ts" | "m4s") => Kind::Segment,
        Some("mp4") => Kind::Init,
        _ => Kind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVE_TS: Stream = Stream { presentation: Presentation::Live, container: Container::Ts };
    const VOD_FMP4: Stream = Stream { presentation: Presentation::Vod, container: Container::Fmp4 };

    #[test]
    fn every_address_is_understood() {
        for (path, resource, kind) in [
            ("/", Resource::Page, Kind::Unknown),
            ("/live/ts/master.m3u8", Resource::Multivariant(LIVE_TS), Kind::Playlist),
            ("/vod/fmp4/master.m3u8", Resource::Multivariant(VOD_FMP4), Kind::Playlist),
            ("/live/ts/v0/index.m3u8", Resource::Media(LIVE_TS, 0), Kind::Playlist),
            ("/vod/fmp4/v2/init.mp4", Resource::Init(VOD_FMP4, 2), Kind::Init),
            ("/live/ts/v1/segment_12.ts", Resource::Segment(LIVE_TS, 1, 12), Kind::Segment),
            ("/vod/fmp4/v0/segment_0.m4s", Resource::Segment(VOD_FMP4, 0, 0), Kind::Segment),
        ] {
            assert_eq!(Resource::parse(path), Some(resource), "{path}");
            assert_eq!(kind_of(path), kind, "{path}");
        }
    }

    #[test]
    fn other_addresses_name_nothing_but_keep_their_kind() {
        for (path, kind) in [
            ("", Kind::Unknown),
            ("/live", Kind::Unknown),
            ("/live/ts/v3/index.m3u8", Kind::Playlist),
            ("/live/ts/v0/init.mp4", Kind::Init),
            ("/live/ts/v0/segment_1.m4s", Kind::Segment),
            ("/live/ts/v0/segment_01.ts", Kind::Segment),
            ("/live/ts/v0/segment_+1.ts", Kind::Segment),
            ("/live/ts/v0/segment_.ts", Kind::Segment),
            ("/live/ts/v0/segment_99999999999999999999.ts", Kind::Segment),
            ("/live/ts/v0/x/segment_1.ts", Kind::Segment),
            ("/live/ts/../ts/master.m3u8", Kind::Playlist),
            ("/favicon.ico", Kind::Unknown),
        ] {
            assert_eq!(Resource::parse(path), None, "{path}");
            assert_eq!(kind_of(path), kind, "{path}");
        }
    }
}
