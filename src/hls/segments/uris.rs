//! URLs of a list of segments. Those of a long list differ in a few characters, and only these are stored.
//!
//! * The newest URLs are stored in full, so that two versions of a live window are compared without decoding.
//! * The others are stored in blocks of [`BLOCK`]: the common prefix and suffix of a block are stored once. A token
//!   that is the same in all URLs costs nothing. Random access reads the lengths of one block.

use std::borrow::Cow;

use integer_encoding::{VarInt, VarIntWriter};

/// URLs per block. A larger block saves little: the shared text already costs less than a byte per URL.
const BLOCK: usize = 64;

/// URLs in insertion order.
#[derive(Clone, Debug, Default)]
pub(super) struct Uris {
    /// Text of all blocks: for each the common prefix, the common suffix, and the middles.
    text: String,
    /// The lengths of these texts, as variable-length numbers.
    lengths: Vec<u8>,
    /// Offset of each block in `text` and in `lengths`.
    blocks: Vec<(u32, u32)>,
    /// The newest URLs in full, at most two blocks of them; `ends` holds the end of each.
    newest: String,
    ends: Vec<u32>,
}

impl Uris {
    pub(super) fn push(&mut self, uri: &str) {
        if self.ends.len() >= 2 * BLOCK {
            self.seal();
        }
        self.newest.push_str(uri);
        self.ends.push(number(self.newest.len()));
    }

    /// Returns the URL at `index`.
    pub(super) fn get(&self, index: usize) -> Option<Cow<'_, str>> {
        match self.blocks.get(index / BLOCK) {
            Some(block) => self.decoded(*block, index % BLOCK).map(Cow::Owned),
            None => {
                let index = index - self.blocks.len() * BLOCK;
                uri_at(&self.newest, &self.ends, index).map(Cow::Borrowed)
            }
        }
    }

    /// Releases spare capacity.
    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.lengths.shrink_to_fit();
        self.blocks.shrink_to_fit();
        self.newest.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.text.capacity()
            + self.lengths.capacity()
            + self.blocks.capacity() * size_of::<(u32, u32)>()
            + self.newest.capacity()
            + self.ends.capacity() * size_of::<u32>()
    }

    fn decoded(&self, (text, lengths): (u32, u32), index: usize) -> Option<String> {
        let mut lengths = self.lengths.get(lengths as usize..)?;
        let [before, after] = [read_length(&mut lengths)?, read_length(&mut lengths)?];
        let text = self.text.get(text as usize..)?;
        let (before, text) = text.split_at_checked(before)?;
        let (after, text) = text.split_at_checked(after)?;
        let mut start = 0;
        for _ in 0..index {
            start += read_length(&mut lengths)?;
        }
        let between = text.get(start..start + read_length(&mut lengths)?)?;
        Some([before, between, after].concat())
    }

    /// Turns the oldest block of URLs stored in full into a compressed block.
    fn seal(&mut self) {
        let Self { text, lengths, blocks, newest, ends } = self;
        let uris: Vec<&str> = (0..BLOCK).filter_map(|index| uri_at(newest, ends, index)).collect();
        let (before, after) = shared(&uris);
        blocks.push((number(text.len()), number(lengths.len())));
        for shared in [before, after] {
            text.push_str(shared);
            write_length(lengths, shared.len());
        }
        for uri in &uris {
            let between = uri.get(before.len()..uri.len() - after.len()).unwrap_or_default();
            text.push_str(between);
            write_length(lengths, between.len());
        }
        let sealed = ends.get(BLOCK - 1).copied().unwrap_or_default();
        newest.drain(..sealed as usize);
        ends.drain(..BLOCK);
        ends.iter_mut().for_each(|end| *end -= sealed);
    }
}

/// Returns the URL at `index` of `text`, a sequence of URLs that end at `ends`.
fn uri_at<'a>(text: &'a str, ends: &[u32], index: usize) -> Option<&'a str> {
    let end = *ends.get(index)? as usize;
    let start = index.checked_sub(1).map_or(Some(0), |before| ends.get(before).copied())?;
    text.get(start as usize..end)
}

/// Returns the longest common prefix and suffix of `uris` that do not overlap in any of them.
fn shared<'a>(uris: &[&'a str]) -> (&'a str, &'a str) {
    let Some((first, others)) = uris.split_first() else { return ("", "") };
    let mut before = first.len();
    for other in others {
        before = equal_bytes(first.bytes(), other.bytes()).min(before);
    }
    while !first.is_char_boundary(before) {
        before -= 1;
    }
    // The suffix can be at most as long as the rest of the shortest URL.
    let mut after = uris.iter().map(|uri| uri.len() - before).min().unwrap_or_default();
    for other in others {
        after = equal_bytes(first.bytes().rev(), other.bytes().rev()).min(after);
    }
    while !first.is_char_boundary(first.len() - after) {
        after -= 1;
    }
    (first.get(..before).unwrap_or_default(), first.get(first.len() - after..).unwrap_or_default())
}

fn equal_bytes(one: impl Iterator<Item = u8>, other: impl Iterator<Item = u8>) -> usize {
    one.zip(other).take_while(|(one, other)| one == other).count()
}

/// Converts a length. Texts are bounded far below 4 GiB: a playlist is, and so is the text that its variables insert.
fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn write_length(lengths: &mut Vec<u8>, length: usize) {
    // Writing to a vector cannot fail.
    _ = lengths.write_varint(length);
}

fn read_length(lengths: &mut &[u8]) -> Option<usize> {
    let (length, size) = usize::decode_var(lengths)?;
    *lengths = lengths.get(size..)?;
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kept(uris: &[String]) -> Uris {
        let mut kept = Uris::default();
        uris.iter().for_each(|uri| kept.push(uri));
        kept.shrink();
        kept
    }

    fn assert_kept(uris: &[String]) {
        let kept = kept(uris);
        for (index, uri) in uris.iter().enumerate() {
            assert_eq!(kept.get(index).as_deref(), Some(uri.as_str()), "{index}");
        }
        assert_eq!(kept.get(uris.len()), None);
    }

    #[test]
    fn every_url_of_a_long_list_comes_back() {
        assert_kept(&[]);
        for count in [1, BLOCK, 2 * BLOCK, 2 * BLOCK + 1, 3 * BLOCK, 1_000] {
            assert_kept(&(0..count).map(|n| format!("s{n}.ts?token=a")).collect::<Vec<_>>());
            assert_kept(&vec!["the same".to_owned(); count]);
            assert_kept(&vec![String::new(); count]);
        }
        // Multi-byte characters that differ in one byte, and a URL that is a prefix of all others.
        assert_kept(&(0..300).map(|n| char::from_u32(0xe0 + n).into_iter().collect()).collect::<Vec<_>>());
        assert_kept(&(0..300).map(|n| "ä".repeat(n % 7) + &"b".repeat(n % 3)).collect::<Vec<_>>());
        assert_kept(&(0..300).map(|n| "x".repeat(n * 3)).collect::<Vec<_>>());
    }

    #[test]
    fn a_long_list_costs_a_few_bytes_for_each_url_whatever_the_token() {
        let token = "t".repeat(500);
        let uris: Vec<_> = (0..10_000).map(|n| format!("https://h/v/seg-{n}.ts?token={token}")).collect();
        let bytes = kept(&uris).heap_bytes() as f64 / uris.len() as f64;
        assert!(bytes < 24.0, "{bytes} bytes for each");
        let plain: Vec<_> = (0..10_000).map(|n| format!("s{n}")).collect();
        let bytes = kept(&plain).heap_bytes() as f64 / plain.len() as f64;
        assert!(bytes < 5.0, "{bytes} bytes for each");
    }

    proptest! {
        #[test]
        fn any_urls_come_back(uris in proptest::collection::vec("[aä€]{0,2}[01]{0,2}[bß]{0,2}", 0..200)) {
            assert_kept(&uris);
        }
    }
}
