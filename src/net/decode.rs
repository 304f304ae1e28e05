//! Decodes the content codings of playlists that browsers accept, bounded in output, ratio and time. Media is never
//! decoded.
//!
//! * A small body is decoded at once. A larger one, or a small one that expands to more than [`SMALL_OUTPUT_BYTES`],
//!   is decoded on a helper thread, so that other clients do not wait for it.
//! * The time limit is CPU time of the decoding thread, checked every few kilobytes: a body may be valid, expand
//!   little and cost microseconds for each byte, as thousands of empty gzip members do.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::time::Duration;

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use rustix::time::{ClockId, clock_gettime};
use ruzstd::decoding::StreamingDecoder;

use super::brotli;
use super::head::{Coding, Codings};
use super::kept::Charged;
use super::offload::offload;
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{LargeBytes, limits};

/// Maximum window size of the `zstd` decoder (RFC 9659 section 3).
const ZSTD_WINDOW_BYTES: u64 = 8 << 20;
/// Lower half of the first byte of a zlib stream (RFC 1950 section 2.2).
const ZLIB_METHOD: u8 = 8;
/// Bytes of input or output between two checks of the limits.
const SLICE_BYTES: usize = 8 * 1024;
/// Maximum length of a body that is decoded at once ...
const SMALL_BYTES: usize = 8 * 1024;
/// ... as long as it expands to no more than this, which takes a few hundred microseconds.
const SMALL_OUTPUT_BYTES: usize = 128 * 1024;
/// Maximum excess of gzip or deflate input over output: a coding that enlarges a body is useless.
const SURPLUS_BYTES: usize = 64 * 1024;

/// Decodes a body, whose charge lasts as long.
///
/// # Errors
/// `body.decode` for a nested coding or a corrupt body, `body.ratio` for a body that expands more than
/// [`limits::DECODE_RATIO`], takes longer than [`limits::DECODE_TIME`] or whose coding enlarges it, `playlist.limit`
/// for one that is larger than [`limits::PLAYLIST_BYTES`].
pub(super) async fn decode(codings: Codings, body: Charged) -> Result<LargeBytes, Fault> {
    let Some(coding) = codings.single().map_err(|_| Fault::BodyDecode)? else { return Ok(body.into_bytes()) };
    let length = body.bytes().len();
    if length <= SMALL_BYTES {
        match expand(coding, body.bytes(), &Budget::small()) {
            // The small budget was exceeded: retry with the full one.
            Err(Fault::BodyRatio) => {}
            decoded => return decoded,
        }
    }
    offload(move || expand(coding, body.bytes(), &Budget::for_length(length))).await?
}

/// Limits of decoding a body, and the use made of them so far.
#[derive(Debug, Default)]
struct Budget {
    /// Maximum bytes of output.
    output: usize,
    /// CPU time of the thread at which decoding must stop; `None` if the limit on the output is enough.
    until: Option<Duration>,
    taken: Cell<usize>,
    made: Cell<usize>,
    is_over: Cell<bool>,
    /// True once the decoder wanted memory for more than the output.
    is_refused: Cell<bool>,
}

impl Budget {
    /// Returns the budget of a body of this length that is decoded on a helper thread.
    fn for_length(length: usize) -> Self {
        let ratio = length.saturating_mul(limits::DECODE_RATIO).max(limits::DECODE_RATIO_FROM_BYTES);
        Self {
            output: ratio.min(limits::PLAYLIST_BYTES),
            until: Some(thread_time() + limits::DECODE_TIME),
            ..Self::default()
        }
    }

    /// Returns the budget of a small body that is decoded at once.
    fn small() -> Self {
        Self { output: SMALL_OUTPUT_BYTES, ..Self::default() }
    }

    /// Returns the fault of a body that expands to more than the output.
    fn excess(&self) -> Fault {
        if self.output >= limits::PLAYLIST_BYTES { Fault::PlaylistLimit } else { Fault::BodyRatio }
    }

    /// Reports whether more than `surplus` bytes went in beyond the output, or the time is up.
    fn is_used_up(&self, surplus: Option<usize>) -> bool {
        let grows = surplus.is_some_and(|surplus| self.taken.get() > self.made.get().saturating_add(surplus));
        let over = grows || self.until.is_some_and(|until| thread_time() > until);
        self.is_over.set(over);
        over
    }
}

/// Returns the CPU time of this thread.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

/// Input of a decoder, handed out in slices.
struct Input<'a> {
    rest: &'a [u8],
    /// Bytes that may be taken before the next check of the budget.
    slice: usize,
    budget: &'a Budget,
    surplus: Option<usize>,
}

impl BufRead for Input<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.slice == 0 {
            if self.budget.is_used_up(self.surplus) {
                return Err(io::ErrorKind::Other.into());
            }
            self.slice = SLICE_BYTES;
        }
        Ok(self.rest.get(..self.slice).unwrap_or(self.rest))
    }

    fn consume(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
        self.slice = self.slice.saturating_sub(count);
        self.budget.taken.set(self.budget.taken.get() + count);
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

/// Decodes all of `body`, within its budget.
fn expand(coding: Coding, body: &[u8], budget: &Budget) -> Result<LargeBytes, Fault> {
    // Deflate holds back no more than its window, so its input soon shows up in its output.
    let surplus = matches!(coding, Coding::Gzip | Coding::Deflate).then_some(SURPLUS_BYTES);
    let input = Input { rest: body, slice: SLICE_BYTES, budget, surplus };
    match coding {
        Coding::Gzip => drain(MultiGzDecoder::new(input), body, budget),
        // `deflate` means zlib (RFC 9110 section 8.4.1.2). Some servers omit its frame, and browsers accept both.
        Coding::Deflate if body.first().is_some_and(|first| first & 0x0f == ZLIB_METHOD) => {
            drain(ZlibDecoder::new(input), body, budget)
        }
        Coding::Deflate => drain(DeflateDecoder::new(input), body, budget),
        Coding::Brotli => drain(brotli::reader(input, budget.output, &budget.is_refused), body, budget),
        Coding::Zstd => {
            let decoder = StreamingDecoder::new_with_max_window_size(input, ZSTD_WINDOW_BYTES);
            drain(decoder.map_err(|_| Fault::BodyDecode)?, body, budget)
        }
    }
}

/// Reads the whole output of `decoder` for `body`, within its budget.
fn drain(mut decoder: impl Read, body: &[u8], budget: &Budget) -> Result<LargeBytes, Fault> {
    let mut decoded = LargeBytes::from(Vec::with_capacity(body.len().saturating_mul(4).min(budget.output)));
    loop {
        let taken = decoder.by_ref().take(SLICE_BYTES as u64).read_to_end(&mut decoded);
        match taken {
            Err(_) if budget.is_over.get() => return Err(Fault::BodyRatio),
            Err(_) if budget.is_refused.get() => return Err(budget.excess()),
            Err(_) => return Err(Fault::BodyDecode),
            Ok(0) => return Ok(decoded),
            Ok(count) => budget.made.set(budget.made.get() + count),
        }
        if decoded.len() > budget.output {
            return Err(budget.excess());
        }
        if budget.is_used_up(None) {
            return Err(Fault::BodyRatio);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    use std::io::Write;

    /// Brotli output of Node.js for a hundred lines `#EXTM3U`.
    const BROTLI_LINES: [u8; 25] = [
        27, 31, 3, 248, 141, 148, 171, 147, 107, 61, 82, 84, 133, 165, 21, 102, 154, 168, 68, 111, 225, 0,
        105, 248, 25,
    ];
    /// Brotli output of Node.js for four megabytes of zeros.
    const BROTLI_BOMB: [u8; 14] = [155, 255, 255, 63, 248, 39, 0, 226, 177, 64, 32, 247, 254, 7];

    /// Decodes with the budget of a helper thread, but a generous time limit.
    fn decode(coding: Coding, body: Vec<u8>) -> Result<Vec<u8>, Fault> {
        let time = Some(thread_time() + Duration::from_secs(60));
        expand_into_vec(coding, &body, &Budget { until: time, ..Budget::for_length(body.len()) })
    }

    fn expand_into_vec(coding: Coding, body: &[u8], budget: &Budget) -> Result<Vec<u8>, Fault> {
        expand(coding, body, budget).map(|decoded| decoded.to_vec())
    }

    /// Decodes as the path of a request does.
    async fn decode_response(coding: &str, body: Vec<u8>) -> Result<Vec<u8>, Fault> {
        let decoded = super::decode(codings(coding), Charged::uncharged(&body)).await;
        decoded.map(|decoded| decoded.to_vec())
    }

    fn codings(value: &str) -> Codings {
        let mut head = super::super::head::Head::default();
        head.field(b"content-encoding", value.as_bytes());
        head.codings
    }

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).expect("memory");
        encoder.finish().expect("memory")
    }

    #[tokio::test]
    async fn a_gzipped_playlist_is_read_whether_it_is_small_or_large() {
        let lines = |count: u32| {
            (0..count).map(|n| format!("#{}\n", n * 7_919 % 99_991)).collect::<String>().into_bytes()
        };
        for count in [1, 100, 17_000, 40_000] {
            let decoded = decode_response("gzip", gzip(&lines(count))).await;
            assert_eq!(decoded, Ok(lines(count)));
        }
        for plain in ["", "identity", "aws-chunked"] {
            assert_eq!(decode_response(plain, lines(1)).await, Ok(lines(1)), "{plain:?}");
        }
        let nested = gzip(&gzip(&lines(1)));
        assert_eq!(decode_response("gzip, gzip", nested).await, Err(Fault::BodyDecode));
        let bomb = decode_response("br", BROTLI_BOMB.to_vec()).await;
        assert_eq!(bomb, Err(Fault::BodyRatio), "a small body that turns out to be large");
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
            let coding = codings(coding).single().expect("one").expect("known");
            assert_eq!(decode(coding, body.clone()), Ok(lines.clone()), "{coding:?}");
            let half = body[..body.len() / 2].to_vec();
            assert_eq!(decode(coding, half), Err(Fault::BodyDecode), "{coding:?}");
        }
        let offered = crate::vocabulary::HttpProfile::default().playlist_encoding;
        assert_eq!(offered, Some("gzip, deflate, br, zstd"), "each of them is tested here");
    }

    #[test]
    fn a_window_that_is_too_large_is_refused_before_there_is_memory_for_it() {
        // A frame of unknown length with a window of 2^27 bytes (RFC 8878 section 3.1.1.1.2).
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0, 17 << 3, 1, 0, 0];
        assert_eq!(decode(Coding::Zstd, frame.to_vec()), Err(Fault::BodyDecode));
    }

    #[test]
    fn what_cannot_be_decoded_is_a_fault() {
        let whole = gzip(&b"#EXTM3U\n".repeat(100));
        assert_eq!(decode(Coding::Gzip, whole[..whole.len() - 9].to_vec()), Err(Fault::BodyDecode));
        assert_eq!(decode(Coding::Gzip, b"plain".to_vec()), Err(Fault::BodyDecode));
        assert_eq!(decode(Coding::Brotli, b"plain".to_vec()), Err(Fault::BodyDecode));
    }

    #[test]
    fn a_bomb_is_stopped_by_its_ratio_and_a_giant_by_its_size() {
        assert_eq!(decode(Coding::Gzip, gzip(&vec![0; 4 << 20])), Err(Fault::BodyRatio));
        assert_eq!(decode(Coding::Brotli, BROTLI_BOMB.to_vec()), Err(Fault::BodyRatio));
        // Noise that repeats only beyond gzip's window does not compress.
        let mut state = 1_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(64 * 1024)
        .collect();
        let noise = noise.repeat(limits::PLAYLIST_BYTES / noise.len() + 1);
        assert_eq!(decode(Coding::Gzip, gzip(&noise)), Err(Fault::PlaylistLimit));
    }

    #[test]
    fn what_costs_time_and_brings_nothing_is_stopped() {
        let members = gzip(b"").repeat(100_000);
        let budget = Budget { until: None, ..Budget::for_length(members.len()) };
        assert_eq!(expand_into_vec(Coding::Gzip, &members, &budget), Err(Fault::BodyRatio));
        assert!(
            budget.taken.get() <= SURPLUS_BYTES + 2 * SLICE_BYTES,
            "{} bytes were looked at",
            budget.taken.get()
        );
        // Many members that each produce output are a valid playlist.
        let lines = gzip(&b"#EXTM3U\n".repeat(10)).repeat(5_000);
        assert_eq!(decode(Coding::Gzip, lines).map(|body| body.len()), Ok(5_000 * 80));
    }

    #[test]
    fn a_body_whose_time_is_over_is_stopped_whatever_its_coding() {
        let noise: Vec<u8> = (0..60_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let zstd = compress_to_vec(noise.as_slice(), CompressionLevel::Fastest);
        for (coding, body) in [(Coding::Gzip, gzip(&noise)), (Coding::Zstd, zstd)] {
            let budget = Budget { until: Some(Duration::ZERO), ..Budget::for_length(body.len()) };
            assert_eq!(expand_into_vec(coding, &body, &budget), Err(Fault::BodyRatio), "{coding:?}");
        }
    }
}
