//! Bytes from the terminal become keys.
//!
//! * Written here and not taken from crossterm, because its reader blocks inside half an escape sequence and never
//!   returns once the terminal has gone; this one never reads, it is given what was read.
//! * What is no known key is dropped, never guessed: a pasted or garbled byte must not stop a run.
//! * Memory is bounded: an unfinished sequence by [`SEQUENCE_BYTES`], a paste by [`PASTE_BYTES`].

/// The longest escape sequence that can still become a key.
const SEQUENCE_BYTES: usize = 32;
/// What is kept of a paste; a prompt needs less.
const PASTE_BYTES: usize = 1024;
/// Ends a bracketed paste.
const PASTE_END: &[u8] = b"\x1b[201~";

/// A key that was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character, with Shift already applied.
    Char(char),
    /// Control and a small letter.
    Ctrl(char),
    /// F1 and so on.
    Function(u8),
    /// Return.
    Enter,
    /// Escape alone.
    Escape,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
}

/// What the terminal sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(Key),
    /// A text that was pasted: never keys.
    Paste(String),
}

/// Puts bytes together until they are an input.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
    /// The text of a paste that has not ended.
    paste: Option<Vec<u8>>,
}

/// What the first bytes are.
enum Parsed {
    /// This many bytes, and the key that they are, if any.
    Key(usize, Option<Key>),
    /// This many bytes begin a paste.
    PasteBegin(usize),
    /// More bytes are needed.
    Unfinished,
}

impl Decoder {
    /// Takes bytes and adds what they complete.
    pub fn push(&mut self, bytes: &[u8], inputs: &mut Vec<Input>) {
        self.bytes.extend_from_slice(bytes);
        while !self.bytes.is_empty() {
            if self.paste.is_some() {
                if !self.take_paste(inputs) {
                    return;
                }
                continue;
            }
            match parse(&self.bytes) {
                Parsed::Key(used, key) => {
                    self.bytes.drain(..used);
                    inputs.extend(key.map(Input::Key));
                }
                Parsed::PasteBegin(used) => {
                    self.bytes.drain(..used);
                    self.paste = Some(Vec::new());
                }
                Parsed::Unfinished if self.bytes.len() > SEQUENCE_BYTES => self.bytes.clear(),
                Parsed::Unfinished => return,
            }
        }
    }

    /// Whether a sequence has begun and not ended: Escape alone looks like this, too.
    pub fn is_waiting(&self) -> bool {
        self.paste.is_none() && !self.bytes.is_empty()
    }

    /// Nothing more came: a lone Escape is the key, anything else is dropped.
    pub fn give_up(&mut self, inputs: &mut Vec<Input>) {
        if self.bytes == [0x1b] {
            inputs.push(Input::Key(Key::Escape));
        }
        self.bytes.clear();
    }

    /// Moves bytes into the paste; true when it has ended.
    fn take_paste(&mut self, inputs: &mut Vec<Input>) -> bool {
        let end = self.bytes.windows(PASTE_END.len()).position(|bytes| bytes == PASTE_END);
        // Without an end the last bytes may be the first of it.
        let text = end.unwrap_or_else(|| self.bytes.len().saturating_sub(PASTE_END.len() - 1));
        let paste = self.paste.get_or_insert_default();
        let room = PASTE_BYTES.saturating_sub(paste.len());
        paste.extend(self.bytes.iter().take(text.min(room)));
        self.bytes.drain(..text + end.map_or(0, |_| PASTE_END.len()));
        if end.is_some() {
            let text = self.paste.take().unwrap_or_default();
            inputs.push(Input::Paste(String::from_utf8_lossy(&text).into_owned()));
        }
        end.is_some()
    }
}

fn parse(bytes: &[u8]) -> Parsed {
    match bytes {
        [] | [0x1b] => Parsed::Unfinished,
        [0x1b, b'[', rest @ ..] => control_sequence(rest),
        [0x1b, b'O', rest @ ..] => match rest.first() {
            None => Parsed::Unfinished,
            Some(end) => Parsed::Key(3, named(*end)),
        },
        // Escape at the end of one sequence may be the beginning of the next.
        [0x1b, 0x1b, ..] => Parsed::Key(1, Some(Key::Escape)),
        // Alt with a key is not bound, and must not be taken for the key.
        [0x1b, other, ..] if bytes.len() <= utf8_length(*other) => Parsed::Unfinished,
        [0x1b, other, ..] => Parsed::Key(1 + utf8_length(*other), None),
        [byte, ..] if *byte < 0x80 => Parsed::Key(1, ascii(*byte)),
        [lead, ..] => character(bytes, utf8_length(*lead)),
    }
}

/// What follows `ESC [`.
fn control_sequence(rest: &[u8]) -> Parsed {
    // The Linux console sends F1 as `ESC [ [ A`.
    if let [b'[', after @ ..] = rest {
        let key = after.first().map(|end| (*end == b'A').then_some(Key::Function(1)));
        return key.map_or(Parsed::Unfinished, |key| Parsed::Key(4, key));
    }
    let Some(at) = rest.iter().position(|byte| (0x40..=0x7e).contains(byte)) else {
        return Parsed::Unfinished;
    };
    let used = 2 + at + 1;
    match rest.split_at_checked(at) {
        Some((b"200", [b'~', ..])) => Parsed::PasteBegin(used),
        Some((number, [b'~', ..])) => Parsed::Key(used, numbered(number)),
        // `ESC [ A`; with a modifier it is `ESC [ 1 ; 5 A`, which is not bound.
        Some((b"", [end, ..])) => Parsed::Key(used, named(*end)),
        _ => Parsed::Key(used, None),
    }
}

fn named(end: u8) -> Option<Key> {
    Some(match end {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        b'P' => Key::Function(1),
        b'Z' => Key::BackTab,
        b'M' => Key::Enter,
        _ => return None,
    })
}

fn numbered(number: &[u8]) -> Option<Key> {
    Some(match number {
        b"1" | b"7" => Key::Home,
        b"4" | b"8" => Key::End,
        b"5" => Key::PageUp,
        b"6" => Key::PageDown,
        b"11" => Key::Function(1),
        _ => return None,
    })
}

fn ascii(byte: u8) -> Option<Key> {
    Some(match byte {
        b'\r' | b'\n' => Key::Enter,
        b'\t' => Key::Tab,
        0x08 | 0x7f => Key::Backspace,
        0x01..=0x1a => Key::Ctrl(char::from(byte - 1 + b'a')),
        b' '..=b'~' => Key::Char(char::from(byte)),
        _ => return None,
    })
}

fn character(bytes: &[u8], length: usize) -> Parsed {
    let Some(encoded) = bytes.get(..length) else { return Parsed::Unfinished };
    let decoded = std::str::from_utf8(encoded).ok().and_then(|text| text.chars().next());
    match decoded {
        Some(character) => Parsed::Key(length, Some(Key::Char(character))),
        None => Parsed::Key(1, None),
    }
}

fn utf8_length(lead: u8) -> usize {
    match lead {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(bytes: &[u8]) -> Vec<Input> {
        let mut decoder = Decoder::default();
        let mut inputs = Vec::new();
        decoder.push(bytes, &mut inputs);
        if decoder.is_waiting() {
            decoder.give_up(&mut inputs);
        }
        inputs
    }

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let keys = decode(bytes).into_iter().filter_map(|input| match input {
            Input::Key(key) => Some(key),
            Input::Paste(_) => None,
        });
        keys.collect()
    }

    #[test]
    fn keys_are_known_by_what_terminals_send_for_them() {
        for (bytes, key) in [
            (&b"q"[..], Key::Char('q')),
            (b"\x03", Key::Ctrl('c')),
            (b"\x1b", Key::Escape),
            (b"\x1b[A", Key::Up),
            (b"\x1bOA", Key::Up),
            (b"\x1b[6~", Key::PageDown),
            (b"\x1b[Z", Key::BackTab),
            (b"\x1bOP", Key::Function(1)),
            (b"\x1b[[A", Key::Function(1)),
            (b"\x7f", Key::Backspace),
            (b"\r", Key::Enter),
            ("ü".as_bytes(), Key::Char('ü')),
        ] {
            assert_eq!(keys(bytes), [key], "{bytes:?}");
        }
    }

    #[test]
    fn what_is_not_bound_is_dropped_and_the_next_key_is_not() {
        for bytes in [&b"\x1b[1;5Ax"[..], b"\x1bqx", b"\x1b[99~x", b"\x00x", b"\xffx", b"\x1b[<0;1;1Mx"] {
            assert_eq!(keys(bytes), [Key::Char('x')], "{bytes:?}");
        }
    }

    #[test]
    fn a_paste_is_one_text_and_never_keys() {
        assert_eq!(
            decode(b"\x1b[200~quit\x1b[Aq\x1b[201~+"),
            [Input::Paste("quit\x1b[Aq".to_owned()), Input::Key(Key::Char('+'))]
        );
    }

    #[test]
    fn a_long_paste_and_an_endless_sequence_are_cut() {
        let mut decoder = Decoder::default();
        let mut inputs = Vec::new();
        decoder.push(b"\x1b[200~", &mut inputs);
        for _ in 0..1000 {
            decoder.push(&[b'q'; 1000], &mut inputs);
            assert!(decoder.bytes.len() < 2000);
        }
        decoder.push(PASTE_END, &mut inputs);
        assert_eq!(inputs, [Input::Paste("q".repeat(PASTE_BYTES))]);
        decoder.push(b"\x1b[", &mut inputs);
        decoder.push(&[b'1'; 100], &mut inputs);
        assert!(decoder.bytes.is_empty());
    }

    proptest! {
        #[test]
        fn how_bytes_are_cut_into_reads_changes_nothing(
            bytes in proptest::collection::vec(prop_oneof![Just(0x1b), Just(b'['), Just(b'O'), Just(b'~'), any::<u8>()], 0..40),
            cut in 0_usize..40,
        ) {
            let cut = cut.min(bytes.len());
            let (mut whole, mut parts) = (Vec::new(), Vec::new());
            Decoder::default().push(&bytes, &mut whole);
            let mut decoder = Decoder::default();
            decoder.push(&bytes[..cut], &mut parts);
            decoder.push(&bytes[cut..], &mut parts);
            prop_assert_eq!(whole, parts);
        }
    }
}
