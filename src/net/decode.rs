//! Content coding of playlists: gzip or none, bounded in output and in ratio. Media is never decoded.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use crate::base::limits;
use crate::base::outcome::Fault;

/// The body without its content coding.
///
/// # Errors
/// `body.decode` for an unknown or nested coding or a corrupt body, `body.ratio` for a body that expands more than
/// [`limits::DECODE_RATIO`], `playlist.limit` for one that is larger than [`limits::PLAYLIST_BYTES`].
pub(super) fn decode(coding: Option<&str>, body: Vec<u8>) -> Result<Vec<u8>, Fault> {
    match coding {
        None | Some("") => Ok(body),
        Some("gzip" | "x-gzip") => gunzip(&body),
        Some(_) => Err(Fault::BodyDecode),
    }
}

fn gunzip(body: &[u8]) -> Result<Vec<u8>, Fault> {
    let ratio_limit = body.len().saturating_mul(limits::DECODE_RATIO).max(limits::DECODE_RATIO_FROM_BYTES);
    let limit = ratio_limit.min(limits::PLAYLIST_BYTES);
    let mut decoded = Vec::with_capacity(body.len().saturating_mul(4).min(limit));
    // One byte more than allowed tells that there is more.
    let taken = MultiGzDecoder::new(body).take(limit as u64 + 1).read_to_end(&mut decoded);
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
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

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
