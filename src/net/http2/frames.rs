//! Follows the frames of a connection as their bytes arrive, before `h2` handles them. No I/O.
//!
//! This module limits what a peer could otherwise send forever: interim responses, which `h2` would keep until they
//! are read, and frames without content. It is cheap here, because it only reads the nine bytes of each frame's
//! header. `h2` limits HPACK, CONTINUATION and flow control.

use std::time::Duration;

use tokio::time::Instant;

use crate::vocabulary::limits;
use crate::vocabulary::outcome::Fault;

/// Bytes of a frame's header: length, type, flags and stream (RFC 9113 section 4.1).
const HEADER_BYTES: usize = 9;
/// Bytes of the header of a GOAWAY and of its last stream.
const GOAWAY_BYTES: usize = HEADER_BYTES + 4;
/// Maximum HEADERS frames of one response: interim ones, the final one and trailers.
const HEADERS_PER_STREAM: u32 = limits::INTERIM_RESPONSES + 2;
/// Streams whose HEADERS are counted at a time: more than a client ever has open.
const STREAMS: usize = 8;
/// Frames without content that may arrive at once ...
const EMPTY_FRAMES: u32 = 1_000;
/// ... and the time after which one more is allowed: a hundred in a second are not a flood.
const FORGIVEN_AFTER: Duration = Duration::from_millis(10);
/// Length up to which a padded DATA frame may consist of padding alone.
const PADDING_BYTES: u32 = 256;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const PADDED: u8 = 8;

/// Position in the frames of a connection, and the counts that its limits need.
#[derive(Debug)]
pub(super) struct Frames {
    /// Beginning of the current frame, of which `filled` bytes have arrived.
    start: [u8; GOAWAY_BYTES],
    filled: usize,
    /// Bytes of the frame that are still to come and are ignored here.
    left: u32,
    /// Streams and their counts of HEADERS, the most recent first.
    headers: [(u32, u32); STREAMS],
    /// Frames without content that are still allowed.
    empty_allowed: u32,
    /// Time at which `empty_allowed` was last refilled.
    counted_since: Instant,
    last_stream: Option<u32>,
}

impl Frames {
    /// Starts at the beginning of a connection.
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

    /// Returns the last stream that the peer handles, once it has sent GOAWAY.
    pub(super) fn last_stream(&self) -> Option<u32> {
        self.last_stream
    }

    /// Reads the next bytes and returns the number of frames whose header they complete.
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

    /// Returns the number of bytes to read of the frame's beginning: more for a GOAWAY.
    fn wanted(&self) -> usize {
        let [a, b, c, kind, ..] = self.start;
        let has_stream =
            self.filled >= HEADER_BYTES && kind == GOAWAY && u32::from_be_bytes([0, a, b, c]) >= 4;
        if has_stream { GOAWAY_BYTES } else { HEADER_BYTES }
    }

    /// Handles the beginning of a frame.
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

    /// Counts a HEADERS frame of a stream and moves the stream to the front.
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

    /// Counts a frame without content. It reads the clock only when the allowance is used up.
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

    /// Feeds the bytes whole and in pieces of several sizes, and returns the result, which must be the same.
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
        // Data of another stream does not reset the count; each stream has a hundred of its own.
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
