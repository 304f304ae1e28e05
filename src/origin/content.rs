//! The bytes of a response without copying them: a head of its own, then noise that all responses share.
//!
//! * The noise is one block, made once and repeated; a chunk is a slice of it. So a segment of 15 MB costs its head.
//! * The same position of the same content is the same byte in every run with the same seed.

use bytes::Bytes;

/// What a resource consists of.
#[derive(Clone, Debug, Default)]
pub struct Content {
    head: Bytes,
    noise: Bytes,
    phase: u64,
    length: u64,
}

impl Content {
    /// Just these bytes.
    pub fn whole(head: impl Into<Bytes>) -> Self {
        let head = head.into();
        Self { length: head.len() as u64, head, noise: Bytes::new(), phase: 0 }
    }

    /// `head`, then the repeated `noise` from its byte `phase` on, `length` bytes in all. Without noise, or with a
    /// length below that of the head, it is the head alone.
    pub fn with_noise(head: Vec<u8>, noise: Bytes, phase: usize, length: u64) -> Self {
        if noise.is_empty() || length < head.len() as u64 {
            return Self::whole(head);
        }
        Self { head: Bytes::from(head), noise, phase: phase as u64, length }
    }

    /// How many bytes there are.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Some bytes from position `at` on: at least one and at most `most`, unless `at` is the end or `most` is 0.
    pub fn chunk(&self, at: u64, most: u64) -> Bytes {
        let most = most.min(self.length.saturating_sub(at));
        let (source, from) = match at.checked_sub(self.head.len() as u64) {
            None => (&self.head, at),
            Some(past) => {
                (&self.noise, (self.phase + past).checked_rem(self.noise.len() as u64).unwrap_or(0))
            }
        };
        let from = usize::try_from(from).unwrap_or(usize::MAX).min(source.len());
        let count = usize::try_from(most).unwrap_or(usize::MAX).min(source.len() - from);
        source.slice(from..from + count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All bytes, taken in chunks of at most `most`.
    pub(super) fn read(content: &Content, most: u64) -> Vec<u8> {
        let mut all = Vec::new();
        while (all.len() as u64) < content.length() {
            let chunk = content.chunk(all.len() as u64, most);
            assert!(!chunk.is_empty() && chunk.len() as u64 <= most);
            all.extend_from_slice(&chunk);
        }
        all
    }

    #[test]
    fn chunks_of_any_size_make_the_same_bytes() {
        let content = Content::with_noise(b"head".to_vec(), Bytes::from_static(b"0123456"), 5, 20);
        for most in [1, 3, 7, u64::MAX] {
            assert_eq!(read(&content, most), b"head5601234560123456", "{most}");
        }
    }

    #[test]
    fn past_the_end_there_is_nothing() {
        let content = Content::with_noise(b"head".to_vec(), Bytes::from_static(b"0123456"), 0, 9);
        assert!(content.chunk(9, 10).is_empty());
        assert!(content.chunk(u64::MAX, 10).is_empty());
        assert!(Content::default().chunk(0, 10).is_empty());
        assert!(content.chunk(0, 0).is_empty());
    }

    #[test]
    fn a_content_without_noise_is_its_head() {
        assert_eq!(read(&Content::whole("abc"), u64::MAX), b"abc");
        assert_eq!(Content::with_noise(b"abc".to_vec(), Bytes::new(), 0, 10).length(), 3);
    }
}
