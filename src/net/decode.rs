//! Content coding of playlists: what browsers accept, bounded in output and in ratio. Media is never decoded.

use std::io::Read;

use brotli_decompressor::Decompressor;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use ruzstd::decoding::StreamingDecoder;

use crate::base::limits;
use crate::base::outcome::Fault;

/// The largest window that a decoder of `zstd` must have room for (RFC 9659 section 3).
const ZSTD_WINDOW_BYTES: u64 = 8 << 20;
/// What `brotli-decompressor` reads at a time.
const BROTLI_BUFFER_BYTES: usize = 4_096;
/// The first byte of a zlib stream says so in its lower half (RFC 1950 section 2.2).
const ZLIB_METHOD: u8 = 8;

/// The body without its content coding.
///
/// # Errors
/// `body.decode` for an unknown or nested coding or a corrupt body, `body.ratio` for a body that expands more than
/// [`limits::DECODE_RATIO`], `playlist.limit` for one that is larger than [`limits::PLAYLIST_BYTES`].
pub(super) fn decode(coding: Option<&str>, body: Vec<u8>) -> Result<Vec<u8>, Fault> {
    match coding {
        None | Some("") => Ok(body),
        Some("gzip" | "x-gzip") => expand(&body, MultiGzDecoder::new(body.as_slice())),
        // Meant is zlib (RFC 9110 section 8.4.1.2); some servers leave its frame out, and browsers take both.
        Some("deflate") if body.first().is_some_and(|first| first & 0x0f == ZLIB_METHOD) => {
            expand(&body, ZlibDecoder::new(body.as_slice()))
        }
        Some("deflate") => expand(&body, DeflateDecoder::new(body.as_slice())),
        Some("br") => expand(&body, Decompressor::new(body.as_slice(), BROTLI_BUFFER_BYTES)),
        Some("zstd") => {
            let decoder = StreamingDecoder::new_with_max_window_size(body.as_slice(), ZSTD_WINDOW_BYTES);
            expand(&body, decoder.map_err(|_| Fault::BodyDecode)?)
        }
        Some(_) => Err(Fault::BodyDecode),
    }
}

/// All that `decoder` makes of `body`, within the limits.
fn expand(body: &[u8], decoder: impl Read) -> Result<Vec<u8>, Fault> {
    let ratio_limit = body.len().saturating_mul(limits::DECODE_RATIO).max(limits::DECODE_RATIO_FROM_BYTES);
    let limit = ratio_limit.min(limits::PLAYLIST_BYTES);
    let mut decoded = Vec::with_capacity(body.len().saturating_mul(4).min(limit));
    // One byte more than allowed tells that there is more.
    let taken = decoder.take(limit as u64 + 1).read_to_end(&mut decoded);
    taken.map_err(|_| Fault::BodyDecode)?;
    match decoded.len() {
        length if length <= limit => Ok(decoded),
        _ if limit == limits::PLAYLIST_BYTES => Err(Fault::PlaylistLimit),
        _ => Err(Fault::BodyRatio),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    use std::io::Write;

    /// What Node.js makes of a hundred times `#EXTM3U` and a line feed, and of four megabytes of nothing.
    const BROTLI_LINES: [u8; 25] = [
        27, 31, 3, 248, 141, 148, 171, 147, 107, 61, 82, 84, 133, 165, 21, 102, 154, 168, 68, 111, 225, 0,
        105, 248, 25,
    ];
    const BROTLI_BOMB: [u8; 14] = [155, 255, 255, 63, 248, 39, 0, 226, 177, 64, 32, 247, 254, 7];

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).expect("memory");
        encoder.finish().expect("memory")
    }

    #[test]
    fn a_gzipped_playlist_is_read() {
        assert_eq!(decode(Some("gzip"), gzip(b"#EXTM3U\n")), Ok(b"#EXTM3U\n".to_vec()));
        assert_eq!(decode(None, b"#EXTM3U\n".to_vec()), Ok(b"#EXTM3U\n".to_vec()));
    }

    #[test]
    fn every_coding_that_is_offered_is_read() {
        let lines = b"#EXTM3U\n".repeat(100);
        let [mut zlib, mut raw] = [Vec::new(), Vec::new()];
        ZlibEncoder::new(&mut zlib, Compression::fast()).write_all(&lines).expect("memory");
        DeflateEncoder::new(&mut raw, Compression::fast()).write_all(&lines).expect("memory");
        let zstd = compress_to_vec(lines.as_slice(), CompressionLevel::Fastest);
        for (coding, body) in
            [("deflate", zlib), ("deflate", raw), ("br", BROTLI_LINES.to_vec()), ("zstd", zstd.clone())]
        {
            assert_eq!(decode(Some(coding), body.clone()), Ok(lines.clone()), "{coding}");
            assert_eq!(
                decode(Some(coding), body[..body.len() / 2].to_vec()),
                Err(Fault::BodyDecode),
                "{coding}"
            );
        }
        let offered = crate::base::Manners::default().playlist_encoding;
        assert_eq!(offered, Some("gzip, deflate, br, zstd"), "each of them is tested here");
    }

    #[test]
    fn a_window_that_is_too_large_is_refused_before_there_is_memory_for_it() {
        // A frame of no known length, with a window of 2^27 bytes (RFC 8878 section 3.1.1.1.2).
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0, 17 << 3, 1, 0, 0];
        assert_eq!(decode(Some("zstd"), frame.to_vec()), Err(Fault::BodyDecode));
    }

    #[test]
    fn what_cannot_be_decoded_is_a_fault() {
        let whole = gzip(&b"#EXTM3U\n".repeat(100));
        assert_eq!(decode(Some("gzip"), whole[..whole.len() - 9].to_vec()), Err(Fault::BodyDecode));
        assert_eq!(decode(Some("gzip"), b"plain".to_vec()), Err(Fault::BodyDecode));
        assert_eq!(decode(Some("br"), b"plain".to_vec()), Err(Fault::BodyDecode));
        assert_eq!(decode(Some("gzip, gzip"), gzip(&gzip(b"x"))), Err(Fault::BodyDecode));
    }

    #[test]
    fn a_bomb_is_stopped_by_its_ratio_and_a_giant_by_its_size() {
        assert_eq!(decode(Some("gzip"), gzip(&vec![0; 4 << 20])), Err(Fault::BodyRatio));
        assert_eq!(decode(Some("br"), BROTLI_BOMB.to_vec()), Err(Fault::BodyRatio));
        // Noise that repeats only beyond the reach of gzip's window does not compress.
        let mut state = 1_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(64 * 1024)
        .collect();
        let noise = noise.repeat(limits::PLAYLIST_BYTES / noise.len() + 1);
        assert_eq!(decode(Some("gzip"), gzip(&noise)), Err(Fault::PlaylistLimit));
    }
}
