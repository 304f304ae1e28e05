//! Follows the frames of a connection as their bytes arrive, before HTTP/2 itself handles them: pure, no socket.
//!
//! What a peer may send without end is limited here, where each frame costs nothing but a look at its nine bytes of
//! header: interim responses, which `h2` would keep until they are read, and frames that carry nothing. HPACK,
//! CONTINUATION and flow control are limited by `h2`.

use std::time::Duration;

use tokio::time::Instant;

use crate::vocabulary::limits;
use crate::vocabulary::outcome::Fault;

/// Length, type, flags and stream of a frame (RFC 9113 section 4.1).
const HEADER_BYTES: usize = 9;
/// The header of a GOAWAY and its last stream.
const GOAWAY_BYTES: usize = HEADER_BYTES + 4;
/// HEADERS of one response: interim ones, the final one and trailers.
const HEADERS_PER_STREAM: u32 = limits::INTERIM_RESPONSES + 2;
/// Streams whose HEADERS are counted at a time: more than a client ever has open.
const STREAMS: usize = 8;
/// Frames without content that may come at once ...
const EMPTY_FRAMES: u32 = 1_000;
/// ... and how long each of them takes to be forgiven: a hundred in a second are no flood.
const FORGIVEN_AFTER: Duration = Duration::from_millis(10);
/// A padded frame of DATA up to this length may be nothing but padding.
const PADDING_BYTES: u32 = 256;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const PADDED: u8 = 8;

/// Where in the frames of a connection its bytes are.
#[derive(Debug)]
pub(super) struct Frames {
    /// The beginning of a frame, as far as it has come.
    start: [u8; GOAWAY_BYTES],
    filled: usize,
    /// Bytes of the frame that are still to come and mean nothing here.
    left: u32,
    /// HEADERS by stream, the last streams first.
    headers: [(u32, u32); STREAMS],
    /// Frames without content that may still come, and since when they have been counted.
    empty_allowed: u32,
    counted_since: Instant,
    last_stream: Option<u32>,
}

impl Frames {
    /// A connection of which nothing has come.
    pub(super) fn new() -> Self {
        Self {
            start: [0; GOAWAY_BYTES],
            filled: 0,
            left: 0,
            headers: [(0, 0); STREAMS],
            empty_allowed: EMPTY_FRAMES,
            counted_since: Instant::now(),
            last_stream: None,
        }
    }

    /// The last stream that the peer handles, once it has sent GOAWAY.
    pub(super) fn last_stream(&self) -> Option<u32> {
        self.last_stream
    }

    /// Takes the next bytes and returns how many frames began in them.
    ///
    /// # Errors
    /// `conn.proto` for too many interim responses, `h2.proto` for too many frames without content.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> Result<usize, Fault> {
        let mut frames = 0;
        while !bytes.is_empty() {
            if self.left > 0 {
                let skipped = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
                self.left -= u32::try_from(skipped).unwrap_or(self.left);
                bytes = bytes.get(skipped..).unwrap_or_default();
                continue;
            }
            let wanted = self.wanted();
            let room = self.start.get_mut(self.filled..wanted).unwrap_or_default();
            let count = room.len().min(bytes.len());
            let (taken, rest) = bytes.split_at(count);
            room.iter_mut().zip(taken).for_each(|(place, byte)| *place = *byte);
            self.filled += count;
            bytes = rest;
            if self.filled == self.wanted() {
                self.begin()?;
                frames += 1;
            }
        }
        Ok(frames)
    }

    /// Bytes of the frame's beginning that matter.
    fn wanted(&self) -> usize {
        let [a, b, c, kind, ..] = self.start;
        let has_stream =
            self.filled >= HEADER_BYTES && kind == GOAWAY && u32::from_be_bytes([0, a, b, c]) >= 4;
        if has_stream { GOAWAY_BYTES } else { HEADER_BYTES }
    }

    /// Looks at the beginning of a frame.
    fn begin(&mut self) -> Result<(), Fault> {
        let [a, b, c, kind, flags, s1, s2, s3, s4, last @ ..] = self.start;
        let length = u32::from_be_bytes([0, a, b, c]);
        let stream = u32::from_be_bytes([s1, s2, s3, s4]) & i32::MAX.unsigned_abs();
        let read = u32::try_from(self.filled.saturating_sub(HEADER_BYTES)).unwrap_or(0);
        if read > 0 {
            self.last_stream = Some(u32::from_be_bytes(last) & i32::MAX.unsigned_abs());
        }
        self.filled = 0;
        self.left = length.saturating_sub(read);
        match kind {
            HEADERS => self.count_headers(stream),
            CONTINUATION => Ok(()),
            DATA if flags & END_STREAM != 0 => Ok(()),
            DATA if flags & PADDED == 0 && length > 0 => Ok(()),
            DATA if length > PADDING_BYTES => Ok(()),
            _ => self.count_empty(),
        }
    }

    /// Counts HEADERS of a stream.
    fn count_headers(&mut self, stream: u32) -> Result<(), Fault> {
        let place = self.headers.iter().position(|(known, _)| *known == stream);
        let count = place.and_then(|place| self.headers.get(place)).map_or(0, |(_, count)| *count) + 1;
        if let Some(moved) = self.headers.get_mut(..=place.unwrap_or(STREAMS - 1)) {
            moved.rotate_right(1);
        }
        if let Some(first) = self.headers.first_mut() {
            *first = (stream, count);
        }
        if count > HEADERS_PER_STREAM { Err(Fault::ConnProtocol) } else { Ok(()) }
    }

    /// Counts a frame without content. The clock is asked only when the allowance is used up.
    fn count_empty(&mut self) -> Result<(), Fault> {
        if self.empty_allowed == 0 {
            let now = Instant::now();
            let forgiven = now.duration_since(self.counted_since).as_millis() / FORGIVEN_AFTER.as_millis();
            self.empty_allowed = u32::try_from(forgiven).unwrap_or(u32::MAX).min(EMPTY_FRAMES);
            self.counted_since = now;
        }
        self.empty_allowed = self.empty_allowed.checked_sub(1).ok_or(Fault::H2Protocol)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    }

    /// The result of the same bytes, whole and in pieces of several sizes.
    fn fed(bytes: &[u8]) -> Result<(usize, Option<u32>), Fault> {
        let in_pieces = |size: usize| {
            let mut frames = Frames::new();
            let mut count = 0;
            for piece in bytes.chunks(size) {
                count += frames.feed(piece)?;
            }
            Ok((count, frames.last_stream()))
        };
        let whole = in_pieces(bytes.len());
        for size in [1, 2, 5, 9, 10, 13, 100] {
            assert_eq!(in_pieces(size), whole, "in pieces of {size}");
        }
        whole
    }

    #[test]
    fn frames_are_counted_and_goaway_is_read_however_they_are_split() {
        let bytes = [
            frame(4, 0, 0, &[0; 12]),
            frame(HEADERS, 4, 1, b"\x88"),
            frame(DATA, END_STREAM, 1, &[7; 300]),
            frame(GOAWAY, 0, 0, &[0x80, 0, 0, 5, 0, 0, 0, 0, b'b', b'y', b'e']),
            frame(DATA, 0, 5, b"more"),
        ]
        .concat();
        assert_eq!(fed(&bytes), Ok((5, Some(5))));
        assert_eq!(fed(&frame(GOAWAY, 0, 0, b"")), Ok((1, None)), "shorter than it must be");
    }

    #[test]
    fn a_hundred_interim_responses_pass_and_more_are_a_fault() {
        let heads = |count: u32| frame(HEADERS, 4, 1, b"\x08\x03103").repeat(count as usize);
        assert_eq!(fed(&heads(102)), Ok((102, None)));
        assert_eq!(fed(&heads(103)), Err(Fault::ConnProtocol));
        // Data of another stream makes them no fewer; another stream has a hundred of its own.
        let between = [heads(60), frame(DATA, 0, 3, b"x"), heads(43)].concat();
        assert_eq!(fed(&between), Err(Fault::ConnProtocol));
        let other = [heads(102), frame(HEADERS, 4, 3, b"\x88"), frame(HEADERS, 4, 5, b"\x88")].concat();
        assert_eq!(fed(&other), Ok((104, None)));
    }

    #[tokio::test(start_paused = true)]
    async fn frames_without_content_are_a_flood_and_content_is_not() {
        for empty in [
            frame(6, 0, 0, &[0; 8]),
            frame(4, 0, 0, b""),
            frame(2, 0, 1, &[0; 5]),
            frame(3, 0, 1, &[0; 4]),
            frame(8, 0, 0, &[0; 4]),
            frame(0x42, 0, 0, &[0; 100]),
            frame(DATA, 0, 1, b""),
            frame(DATA, PADDED, 1, &[255; 256]),
        ] {
            assert_eq!(fed(&empty.repeat(1_000)), Ok((1_000, None)), "{empty:?}");
            assert_eq!(fed(&empty.repeat(1_100)), Err(Fault::H2Protocol), "{empty:?}");
        }
        for full in
            [frame(DATA, 0, 1, b"x"), frame(DATA, END_STREAM, 1, b""), frame(CONTINUATION, 0, 1, b"x")]
        {
            assert_eq!(fed(&full.repeat(5_000)), Ok((5_000, None)), "{full:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_frames_without_content_in_a_second_are_no_flood() {
        let mut frames = Frames::new();
        for _ in 0..600 {
            frames.feed(&frame(6, 0, 0, &[0; 8]).repeat(100)).expect("no flood");
            tokio::time::advance(Duration::from_secs(1)).await;
        }
    }
}
