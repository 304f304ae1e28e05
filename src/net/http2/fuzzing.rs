//! Entry point for fuzzing the frames of HTTP/2; see [`crate::fuzzing`].

use super::frames::Frames;
use crate::vocabulary::outcome::Fault;

/// Maximum length of the frames of one input: with more of them, time decides which are a flood.
const FRAMES_BYTES: usize = 8 * 1024;

/// Follows any bytes as the frames of an HTTP/2 connection. The result must not depend on how they are split. The last
/// byte is the length of the pieces.
pub fn http2(data: &[u8]) {
    let Some((piece, wire)) = data.split_last().filter(|(_, wire)| wire.len() <= FRAMES_BYTES) else {
        return;
    };
    let followed = |piece: usize| {
        let (mut frames, mut count) = (Frames::new(), 0);
        for part in wire.chunks(piece.max(1)) {
            count += frames.feed(part)?;
        }
        Ok::<_, Fault>((count, frames.last_stream()))
    };
    let whole = followed(wire.len());
    assert_eq!(followed(usize::from(*piece)), whole, "in pieces of {piece}");
    assert!(
        whole.is_err() || whole.is_ok_and(|(_, last)| last.unwrap_or_default() <= i32::MAX.unsigned_abs())
    );
}
