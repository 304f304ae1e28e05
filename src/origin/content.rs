//! The bytes of a response without copying them: a head of its own, heads of its pictures, and noise that all responses
//! share between them.
//!
//! * The noise is one block, made once and repeated; what is sent are slices of it. So a segment of 15 MB costs its
//!   heads.
//! * The same position of the same content is the same byte in every run with the same seed.

use std::io::IoSlice;

use bytes::{Buf, Bytes};

/// The noise of a content, repeated for ever; `phase` is the position of its first byte, if it had no head.
#[derive(Clone, Debug, Default)]
pub struct Noise {
    /// The block that repeats.
    pub block: Bytes,
    /// Where it is entered.
    pub phase: u64,
}

/// Heads of one length at regular distances.
#[derive(Clone, Debug, Default)]
pub struct Heads {
    /// One after another.
    pub bytes: Bytes,
    /// The length of each.
    pub each: u64,
    /// The position of the first.
    pub first: u64,
    /// From one to the next; not less than `each`.
    pub period: u64,
    /// So many of the first have `extra` bytes more to the next.
    pub longer: u64,
    /// These bytes.
    pub extra: u64,
}

impl Heads {
    /// Which head the byte `past` the first head belongs to, its place from the beginning of that head, and the bytes
    /// from there to the next head. There must be heads.
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
    /// Just these bytes.
    pub fn whole(head: impl Into<Bytes>) -> Self {
        let head = head.into();
        Self { length: head.len() as u64, head, ..Self::default() }
    }

    /// `head`, then `heads` in their places, and `noise` wherever neither stands, `length` bytes in all. Without noise
    /// it is the head alone.
    pub fn with_noise(head: impl Into<Bytes>, heads: Heads, noise: Noise, length: u64) -> Self {
        let head = head.into();
        if noise.block.is_empty() || length < head.len() as u64 {
            return Self::whole(head);
        }
        Self { head, heads, noise, length }
    }

    /// How many bytes there are.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The head: all bytes of a content without noise.
    pub fn head(&self) -> Bytes {
        self.head.clone()
    }

    /// The bytes from position `at` to `end`, or to the end of the content.
    pub fn part(&self, at: u64, end: u64) -> Part {
        let end = end.min(self.length);
        Part { content: self.clone(), at: at.min(end), end }
    }

    /// The bytes from position `at` on that lie side by side, not beyond `end`: at least one, unless `at` is `end`.
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

/// At most `most` of the bytes from position `at` on.
fn slice(bytes: &Bytes, at: u64, most: u64) -> &[u8] {
    let from = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    let most = usize::try_from(most).unwrap_or(usize::MAX).min(bytes.len() - from);
    bytes.get(from..from + most).unwrap_or_default()
}

/// A part of a content on its way to the socket, which takes its pieces with one call.
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
