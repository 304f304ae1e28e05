//! The URLs of a list of segments: those of a long list differ in a few characters, and only these are kept.
//!
//! * The newest URLs stand in full, so that two versions of a live window are compared without decoding.
//! * The others stand in blocks of [`BLOCK`]: what all URLs of a block begin and end with is kept once. A token that
//!   is the same in all of them costs nothing; random access reads the lengths of one block.

use std::borrow::Cow;

use integer_encoding::{VarInt, VarIntWriter};

/// URLs of a block. More save little: what they share is then already less than a byte for each.
const BLOCK: usize = 64;

/// URLs in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Uris {
    /// The texts of all blocks: for each what its URLs begin with, what they end with, and what is between.
    text: String,
    /// The lengths of these texts, as variable-length numbers.
    lengths: Vec<u8>,
    /// Where in both each block begins.
    blocks: Vec<(u32, u32)>,
    /// The newest URLs in full, at most two blocks of them, and where each ends.
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

    /// The URL at `index`.
    pub(super) fn get(&self, index: usize) -> Option<Cow<'_, str>> {
        match self.blocks.get(index / BLOCK) {
            Some(block) => self.decoded(*block, index % BLOCK).map(Cow::Owned),
            None => {
                let index = index - self.blocks.len() * BLOCK;
                uri_at(&self.newest, &self.ends, index).map(Cow::Borrowed)
            }
        }
    }

    /// Gives back memory that was taken for more URLs.
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

    /// Makes a block of the oldest URLs that stand in full.
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

/// The URL at `index` of `text`, in which URLs follow one another and end at `ends`.
fn uri_at<'a>(text: &'a str, ends: &[u32], index: usize) -> Option<&'a str> {
    let end = *ends.get(index)? as usize;
    let start = index.checked_sub(1).map_or(Some(0), |before| ends.get(before).copied())?;
    text.get(start as usize..end)
}

/// The longest texts that all of `uris` begin and end with and that overlap in none of them.
fn shared<'a>(uris: &[&'a str]) -> (&'a str, &'a str) {
    let Some((first, others)) = uris.split_first() else { return ("", "") };
    let mut before = first.len();
    for other in others {
        before = equal_bytes(first.bytes(), other.bytes()).min(before);
    }
    while !first.is_char_boundary(before) {
        before -= 1;
    }
    // What is left of the shortest is the most that all can end with.
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

/// Texts are bounded far below 4 GiB: a playlist, and what its variables insert, are.
fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn write_length(lengths: &mut Vec<u8>, length: usize) {
    // A vector takes all that is written to it.
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
        // Characters of several bytes that differ in one of them, and a URL that is what all others begin with.
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
