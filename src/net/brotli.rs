//! Decodes Brotli (RFC 7932) in memory that is bounded by the output that is accepted.
//!
//! * The decoder writes nothing before its ring buffer is full or its input ends, so a limit on the output alone comes
//!   too late: a few bytes fill a window of 16 MiB, and those of the extension "large window" a gigabyte. The ring
//!   buffer therefore gets no more memory than accepted output needs.
//! * A large window is refused: the content coding `br` does not have it.

use std::cell::Cell;
use std::io::Read;

use brotli_decompressor::reader::DecompressorCustomAlloc;
use brotli_decompressor::{Allocator, BrotliDecoderParameter, StandardAlloc};

use crate::vocabulary::LargeBytes;

/// Size of the buffer for input.
const BUFFER_BYTES: usize = 4_096;
/// Bytes that the decoder allocates beyond the size of its ring buffer, and those of its small tables: its own are
/// below a kilobyte.
const BESIDE_RING_BYTES: usize = 4_096;

/// Memory of the decoder.
type Memory = <StandardAlloc as Allocator<u8>>::AllocatedMemory;

/// Allocator of the ring buffer, which has no memory for more than accepted output.
struct RingAllocator<'a> {
    limit: usize,
    is_refused: &'a Cell<bool>,
}

impl Allocator<u8> for RingAllocator<'_> {
    type AllocatedMemory = Memory;

    fn alloc_cell(&mut self, length: usize) -> Memory {
        if length > self.limit {
            self.is_refused.set(true);
            return Memory::default();
        }
        StandardAlloc::default().alloc_cell(length)
    }

    fn free_cell(&mut self, memory: Memory) {
        drop(LargeBytes::from(Vec::from(Into::<Box<[u8]>>::into(memory))));
    }
}

/// Returns a reader of what `input` expands to. It fails, and sets `is_refused`, where that is more than `output`
/// bytes rounded up to a power of two; if it does not, there is less, or a window that is small enough.
pub(super) fn reader<'a>(input: impl Read + 'a, output: usize, is_refused: &'a Cell<bool>) -> impl Read + 'a {
    let limit = output.next_power_of_two().saturating_add(BESIDE_RING_BYTES);
    let (ring, small) = (RingAllocator { limit, is_refused }, StandardAlloc::default());
    let mut decoder =
        DecompressorCustomAlloc::new(input, Memory::from(vec![0; BUFFER_BYTES]), ring, small, small);
    decoder.set_parameter(BrotliDecoderParameter::BROTLI_DECODER_PARAM_LARGE_WINDOW, 0);
    decoder
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `#EXTM3U`, a line end and seven MiB of `#` in a window of 16 MiB, as the encoder of the crate `brotli` writes it.
    const SEVEN_MIB: [u8; 25] = [
        159, 7, 0, 112, 0, 196, 49, 206, 23, 29, 112, 224, 113, 251, 58, 126, 11, 100, 238, 253, 27, 253, 70,
        3, 1,
    ];
    /// The same with twelve MiB.
    const TWELVE_MIB: [u8; 25] = [
        159, 7, 0, 192, 0, 196, 49, 206, 23, 29, 112, 224, 113, 251, 58, 126, 11, 100, 238, 253, 47, 253, 70,
        3, 1,
    ];

    /// Returns the length of what a body decodes to, and whether the decoder wanted too much memory.
    fn length(body: &[u8], output: usize) -> (Option<usize>, bool) {
        let (decoded, is_refused) = decode(body, output);
        (decoded.map(|decoded| decoded.len()), is_refused)
    }

    /// Decodes a body; returns its output or `None`, and whether the decoder wanted too much memory.
    fn decode(body: &[u8], output: usize) -> (Option<Vec<u8>>, bool) {
        let (is_refused, mut decoded) = (Cell::new(false), Vec::new());
        let read = reader(body, output, &is_refused).read_to_end(&mut decoded);
        (read.ok().map(|_| decoded), is_refused.get())
    }

    /// Returns `text` as it is in a stream whose window has 2^`bits` bytes by the extension "large window".
    fn large_window(bits: u8, text: &[u8]) -> Vec<u8> {
        // The mark of the extension, the size of the window, and the head of a block that is not compressed.
        let length = (text.len() as u32 - 1) << 1 | 1 << 17;
        [&[0x11, bits][..], &length.to_le_bytes()[..3], text, &[3]].concat()
    }

    #[test]
    fn output_that_is_accepted_is_read_whatever_the_window() {
        let (decoded, is_refused) = decode(&SEVEN_MIB, 8 << 20);
        let decoded = decoded.expect("seven MiB");
        assert_eq!((decoded.len(), is_refused), ((7 << 20) + 8, false));
        assert!(decoded.starts_with(b"#EXTM3U\n###") && decoded.ends_with(b"##"));
    }

    #[test]
    fn there_is_no_memory_for_output_that_is_not_accepted() {
        assert_eq!(length(&TWELVE_MIB, 8 << 20), (None, true));
        assert_eq!(length(&SEVEN_MIB, 128 * 1024), (None, true));
        assert_eq!(length(&SEVEN_MIB[..20], 8 << 20), (None, false), "a stream that is cut");
    }

    #[test]
    fn a_large_window_is_not_the_coding_br() {
        for bits in [10, 24, 30] {
            assert_eq!(decode(&large_window(bits, b"#EXTM3U\n"), 8 << 20), (None, false), "{bits}");
        }
    }
}
