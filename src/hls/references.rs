//! URLs that a playlist names.

use super::{Key, Playlist};

impl Playlist {
    /// Calls `visit` with each URL that a client may load because of this playlist, as the playlist spells it: of media
    /// playlists, segments, initialization sections and keys.
    pub fn for_each_reference(&self, mut visit: impl FnMut(&str)) {
        let key_uri = |key: &Key| key.is_identity().then(|| key.uri.clone()).flatten();
        match self {
            Self::Multivariant(multivariant) => {
                multivariant.variants.iter().for_each(|variant| visit(variant.uri.as_str()));
                let renditions = multivariant.renditions.iter();
                renditions.filter_map(|rendition| rendition.uri.as_ref()).for_each(|uri| visit(uri.as_str()));
            }
            Self::Media(media) => {
                media.segments.iter().for_each(|segment| visit(segment.uri().as_str()));
                media.segments.inits().for_each(|init| visit(init.uri.as_str()));
                media.segments.keys().filter_map(key_uri).for_each(|uri| visit(uri.as_str()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::hls::parse;

    fn references(text: &str) -> Vec<String> {
        let mut references = Vec::new();
        let playlist = parse(text.as_bytes()).expect("a playlist");
        playlist.for_each_reference(|reference| references.push(reference.to_owned()));
        references
    }

    #[test]
    fn every_url_that_a_client_loads_is_named() {
        let media = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MAP:URI=\"i.mp4\"\n\
            #EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0x1\n#EXTINF:1,\na.m4s\n#EXTINF:1,\nhttp://b/b.m4s\n";
        assert_eq!(references(media), ["a.m4s", "http://b/b.m4s", "i.mp4", "k"]);
        let multivariant = "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a\",URI=\"a.m3u8\"\n\
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"b\"\n\
            #EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\nv.m3u8\n";
        assert_eq!(references(multivariant), ["v.m3u8", "a.m3u8"]);
    }
}
