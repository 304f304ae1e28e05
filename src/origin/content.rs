//! Response bytes without copying: a head, the heads of frames, and noise that all responses share.
//!
//! * The noise is one block, made once and repeated. Responses send slices of it, so a segment of 15 MB costs only
//!   its heads.
//! * The same position of the same content holds the same byte in every run with the same seed.

use std::io::IoSlice;

use bytes::{Buf, Bytes};

/// Noise of a content, repeated endlessly.
#[derive(Clone, Debug, Default)]
pub struct Noise {
    /// The block that repeats.
    pub block: Bytes,
    /// Position in the block that position 0 of the content maps to.
    pub phase: u64,
}

/// Heads of one length at regular distances.
#[derive(Clone, Debug, Default)]
pub struct Heads {
    /// The heads, one after another.
    pub bytes: Bytes,
    /// Length of each head.
    pub each: u64,
    /// Position of the first head in the content.
    pub first: u64,
    /// Distance from one head to the next; not less than `each`.
    pub period: u64,
    /// Number of leading heads that have `extra` more bytes before the next head.
    pub longer: u64,
    /// Extra bytes before the next head, for the first `longer` heads.
    pub extra: u64,
}

impl Heads {
    /// Locates the byte at offset `past` from the start of the first head. Returns the number of the head that it
    /// belongs to, its offset from the start of that head, and the bytes from there to the next head. There must be
    /// heads.
    fn locate(&self, past: u64) -> (u64, u64, u64) {
        let long = self.period + self.extra;
        let all_longer = self.longer * long;
        let (number, period, past) = match past.checked_sub(all_longer) {
            None => (0, long, past),
            Some(past) => (self.longer, self.period, past),
        };
        let within = past % period;
        (number + past / period, within, period - within)
    }
}

/// The bytes of a resource.
#[derive(Clone, Debug, Default)]
pub struct Content {
    head: Bytes,
    heads: Heads,
    noise: Noise,
    length: u64,
}

impl Content {
    /// Creates a content of just these bytes.
    pub fn whole(head: impl Into<Bytes>) -> Self {
        let head = head.into();
        Self { length: head.len() as u64, head, ..Self::default() }
    }

    /// Creates a content of `length` bytes: `head`, `heads` at their positions, and `noise` everywhere else. Without
    /// noise the content is the head alone.
    pub fn with_noise(head: impl Into<Bytes>, heads: Heads, noise: Noise, length: u64) -> Self {
        let head = head.into();
        if noise.block.is_empty() || length < head.len() as u64 {
            return Self::whole(head);
        }
        Self { head, heads, noise, length }
    }

    /// Returns the number of bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Returns the head, which is all bytes of a content without noise.
    pub fn head(&self) -> Bytes {
        self.head.clone()
    }

    /// Returns the bytes from position `at` to `end`, or to the end of the content.
    pub fn part(&self, at: u64, end: u64) -> Part {
        let end = end.min(self.length);
        Part { content: self.clone(), at: at.min(end), end }
    }

    /// Returns the contiguous bytes from position `at`, not beyond `end`: at least one, unless `at` is `end`.
    fn run(&self, at: u64, end: u64) -> &[u8] {
        let left = end.saturating_sub(at);
        if at < self.head.len() as u64 {
            return slice(&self.head, at, left);
        }
        let heads = Some(&self.heads).filter(|heads| heads.period > 0);
        let Some(past) = heads.and_then(|heads| at.checked_sub(heads.first)) else {
            let before_heads = heads.map_or(u64::MAX, |heads| heads.first - at);
            return self.noise(at, left.min(before_heads));
        };
        let (number, within, to_next) = self.heads.locate(past);
        match self.heads.each.checked_sub(within) {
            Some(most @ 1..) => slice(&self.heads.bytes, number * self.heads.each + within, left.min(most)),
            _ => self.noise(at, left.min(to_next)),
        }
    }

    fn noise(&self, at: u64, most: u64) -> &[u8] {
        let Noise { block, phase } = &self.noise;
        slice(block, (phase + at).checked_rem(block.len() as u64).unwrap_or(0), most)
    }
}

/// Returns at most `most` bytes from position `at`.
fn slice(bytes: &Bytes, at: u64, most: u64) -> &[u8] {
    let from = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    let most = usize::try_from(most).unwrap_or(usize::MAX).min(bytes.len() - from);
    bytes.get(from..from + most).unwrap_or_default()
}

/// Part of a content on its way to the socket, which takes its pieces in one vectored write.
#[derive(Clone, Debug)]
pub struct Part {
    content: Content,
    at: u64,
    end: u64,
}

impl Buf for Part {
    fn remaining(&self) -> usize {
        usize::try_from(self.end - self.at).unwrap_or(usize::MAX)
    }

    fn chunk(&self) -> &[u8] {
        self.content.run(self.at, self.end)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut at = self.at;
        let mut filled = 0;
        for slice in slices {
            let run = self.content.run(at, self.end);
            if run.is_empty() {
                break;
            }
            at += run.len() as u64;
            *slice = IoSlice::new(run);
            filled += 1;
        }
        filled
    }

    fn advance(&mut self, count: usize) {
        self.at = self.at.saturating_add(count as u64).min(self.end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> Content {
        let noise = Noise { block: Bytes::from_static(b"0123456"), phase: 5 };
        let heads =
            Heads { bytes: Bytes::from_static(b"abcdef"), each: 2, first: 7, period: 4, longer: 1, extra: 1 };
        Content::with_noise(&b"head"[..], heads, noise, 20)
    }

    const EXPECTED: &[u8] = b"head234ab012cd56ef23";

    fn read(content: &Content, step: u64) -> Vec<u8> {
        let starts = (0..content.length()).step_by(step as usize);
        starts.flat_map(|at| content.part(at, at + step).copy_to_bytes_in_runs()).collect()
    }

    impl Part {
        fn copy_to_bytes_in_runs(mut self) -> Vec<u8> {
            let mut all = Vec::new();
            while self.has_remaining() {
                let run = self.chunk().to_vec();
                assert!(!run.is_empty());
                self.advance(run.len());
                all.extend(run);
            }
            all
        }
    }

    #[test]
    fn parts_of_any_size_make_the_same_bytes() {
        for step in [1, 3, 7, 100] {
            assert_eq!(read(&content(), step), EXPECTED, "{step}");
        }
    }

    #[test]
    fn slices_for_one_call_are_the_same_bytes_as_runs() {
        for (room, at) in [(1, 0), (3, 2), (16, 0), (16, 13)] {
            let part = content().part(at, 20);
            let mut slices = vec![IoSlice::new(&[]); room];
            let filled = part.chunks_vectored(&mut slices);
            let bytes: Vec<u8> = slices[..filled].iter().flat_map(|slice| slice.to_vec()).collect();
            assert!(EXPECTED[at as usize..].starts_with(&bytes));
            assert!(filled == room || bytes.len() as u64 == 20 - at);
        }
    }

    #[test]
    fn past_the_end_there_is_nothing() {
        for at in [20, 21, u64::MAX] {
            assert_eq!(content().part(at, u64::MAX).remaining(), 0);
            assert!(content().part(at, u64::MAX).chunk().is_empty());
        }
        assert!(Content::default().part(0, 10).chunk().is_empty());
    }

    #[test]
    fn a_content_without_noise_is_its_head() {
        assert_eq!(read(&Content::whole("abc"), 100), b"abc");
        let without = Content::with_noise(&b"abc"[..], Heads::default(), Noise::default(), 10);
        assert_eq!(without.length(), 3);
    }
}
