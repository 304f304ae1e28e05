//! Decoder that turns the terminal's bytes into keys.
//!
//! * This replaces the reader of crossterm, which blocks inside half an escape sequence and never returns once the
//!   terminal has gone. The decoder never reads: the caller passes it the bytes.
//! * Unknown sequences are dropped, never guessed: a garbled byte must not stop a run. The same holds for the replies
//!   that terminals send unasked: control strings (DCS, OSC, APC, PM, SOS) and reports are dropped whole, in however
//!   many pieces they arrive.
//! * The decoder is a state machine after ECMA-48 and Paul Williams' parser
//!   (<https://vt100.net/emu/dec_ansi_parser>). It holds at most one sequence of [`SEQUENCE_BYTES`] or a paste of
//!   [`PASTE_BYTES`], and no clock: the caller reports a silence of [`Decoder::patience`].

use std::time::Duration;

/// Maximum length of an escape sequence that can still become a key; a longer one is read to its end and dropped.
const SEQUENCE_BYTES: usize = 32;
/// Bytes of a paste that are kept; a prompt needs fewer.
const PASTE_BYTES: usize = 1024;
/// End of a bracketed paste.
const PASTE_END: &[u8] = b"\x1b[201~";
/// Bytes of a mouse report after `ESC [ M`, in the old format without numbers.
const MOUSE_BYTES: usize = 3;

/// Silence after which an Escape byte is the Escape key.
const ESCAPE_SILENCE: Duration = Duration::from_millis(30);
/// Further silence during which a slow line can still deliver the rest of a sequence whose Escape was taken for the
/// key.
const LATE_SILENCE: Duration = Duration::from_millis(250);
/// Silence after which an unfinished sequence is dropped.
const SEQUENCE_SILENCE: Duration = Duration::from_secs(2);
/// The same for a paste, and longer: taking the rest of a paste for keys would change the load.
const PASTE_SILENCE: Duration = Duration::from_secs(5);

const BELL: u8 = 0x07;
const CANCEL: u8 = 0x18;
const SUBSTITUTE: u8 = 0x1a;
const ESCAPE: u8 = 0x1b;
/// Terminator of a control string in its form of one 8-bit byte.
const STRING_TERMINATOR: u8 = 0x9c;

/// A key that was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character, with Shift already applied.
    Char(char),
    /// Control and a small letter.
    Ctrl(char),
    /// A function key, by its number.
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
    /// Shift and arrow left.
    ShiftLeft,
    /// Shift and arrow right.
    ShiftRight,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
}

/// Input from the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(Key),
    /// A pasted text, which is never taken for keys.
    Paste(String),
}

/// Decoder from bytes to inputs.
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
    /// The parameters of a sequence, the bytes of a character, or the text of a paste, up to their limits.
    bytes: Vec<u8>,
}

/// Context of the next byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing has begun: the byte begins something.
    #[default]
    Ground,
    /// A character of several bytes.
    Character,
    /// After an Escape byte, which may begin a sequence.
    Escape,
    /// The same, but the Escape has already been taken for the key.
    LateEscape,
    /// `ESC O`: one byte is missing.
    SingleShift,
    /// `ESC [`: parameters and a final byte are missing.
    Control,
    /// `ESC [ [`: one byte is missing.
    LinuxFunction,
    /// This many bytes to skip.
    Skip(usize),
    /// A control string.
    String(Introduced),
    /// A control string after an Escape byte, which may end it.
    StringEscape(Introduced),
    /// A paste, of whose end this many bytes have arrived.
    Paste(usize),
}

/// Form of the bytes that introduced a control string. Only an 8-bit introducer allows an 8-bit terminator, which is
/// otherwise part of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Introduced {
    SevenBit,
    EightBit,
}

impl Decoder {
    /// Decodes bytes and appends the inputs that they complete.
    pub fn push(&mut self, bytes: &[u8], inputs: &mut Vec<Input>) {
        for byte in bytes {
            self.take(*byte, inputs);
        }
    }

    /// Returns the time to wait for more bytes before [`Decoder::silence`]; `None` if nothing has begun.
    pub fn patience(&self) -> Option<Duration> {
        match self.state {
            State::Ground => None,
            State::Escape => Some(ESCAPE_SILENCE),
            State::LateEscape => Some(LATE_SILENCE),
            State::Paste(_) => Some(PASTE_SILENCE),
            _ => Some(SEQUENCE_SILENCE),
        }
    }

    /// Ends the wait for more bytes: a lone Escape becomes the key, anything else is dropped.
    pub fn silence(&mut self, inputs: &mut Vec<Input>) {
        if self.state == State::Escape {
            inputs.push(Input::Key(Key::Escape));
            self.state = State::LateEscape;
        } else {
            self.state = State::Ground;
        }
    }

    fn take(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        match self.state {
            State::Ground => self.begin(byte, inputs),
            State::Character => self.character(byte, inputs),
            State::Escape | State::LateEscape => self.escape(byte, inputs),
            State::SingleShift | State::LinuxFunction | State::Skip(_) if byte < b' ' => {
                self.restart(byte, inputs);
            }
            State::SingleShift => self.end(named(byte), inputs),
            State::Control => self.control(byte, inputs),
            State::LinuxFunction => self.end((byte == b'A').then_some(Key::Function(1)), inputs),
            State::Skip(more) if more > 1 => self.state = State::Skip(more - 1),
            State::Skip(_) => self.state = State::Ground,
            State::String(introduced) | State::StringEscape(introduced) => self.string(byte, introduced),
            State::Paste(matched) => self.paste(byte, matched, inputs),
        }
    }

    /// Ends a sequence, with a key or without one.
    fn end(&mut self, key: Option<Key>, inputs: &mut Vec<Input>) {
        self.state = State::Ground;
        inputs.extend(key.map(Input::Key));
    }

    /// Drops the sequence before this byte and begins with the byte.
    fn restart(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        self.state = State::Ground;
        self.begin(byte, inputs);
    }

    fn begin(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        match byte {
            ESCAPE => self.state = State::Escape,
            0..0x80 => inputs.extend(ascii(byte).map(Input::Key)),
            0x80..0xa0 => self.introduce(byte),
            _ if character_length(byte) > 1 => {
                self.bytes.clear();
                self.bytes.push(byte);
                self.state = State::Character;
            }
            _ => {}
        }
    }

    /// Handles an 8-bit control (C1); in UTF-8 it is a character of two bytes.
    fn introduce(&mut self, control: u8) {
        self.bytes.clear();
        self.state = match control {
            0x8f => State::SingleShift,
            0x9b => State::Control,
            0x90 | 0x98 | 0x9d..=0x9f => State::String(Introduced::EightBit),
            _ => State::Ground,
        };
    }

    fn character(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        if !(0x80..0xc0).contains(&byte) {
            return self.restart(byte, inputs);
        }
        self.bytes.push(byte);
        if self.bytes.len() < self.bytes.first().map_or(0, |lead| character_length(*lead)) {
            return;
        }
        let character = std::str::from_utf8(&self.bytes).ok().and_then(|text| text.chars().next());
        match character {
            Some(control @ '\u{80}'..'\u{a0}') => self.introduce(control as u8),
            character => self.end(character.map(Key::Char), inputs),
        }
    }

    fn escape(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        let late = self.state == State::LateEscape;
        self.bytes.clear();
        self.state = match byte {
            b'[' => State::Control,
            b'O' => State::SingleShift,
            b'P' | b'X' | b']' | b'^' | b'_' => State::String(Introduced::SevenBit),
            ESCAPE => {
                // A second Escape ends the first and may begin a sequence itself.
                inputs.extend((!late).then_some(Input::Key(Key::Escape)));
                State::Escape
            }
            _ => {
                // Escape and a key that was typed right after it look like Alt with the key. No Alt is bound, so they
                // are two keys: fast typing must not lose one.
                inputs.extend((!late).then_some(Input::Key(Key::Escape)));
                return self.restart(byte, inputs);
            }
        };
    }

    /// Handles a byte after `ESC [`.
    fn control(&mut self, byte: u8, inputs: &mut Vec<Input>) {
        match byte {
            // The Linux console sends F1 as `ESC [ [ A`.
            b'[' if self.bytes.is_empty() => self.state = State::LinuxFunction,
            b' '..=b'?' if self.bytes.len() < SEQUENCE_BYTES => self.bytes.push(byte),
            b' '..=b'?' => {}
            b'@'..=b'~' => self.control_sequence(byte, inputs),
            CANCEL | SUBSTITUTE => self.state = State::Ground,
            _ => self.restart(byte, inputs),
        }
    }

    fn control_sequence(&mut self, end: u8, inputs: &mut Vec<Input>) {
        let key = match (&*self.bytes, end) {
            (b"200", b'~') => {
                self.bytes.clear();
                self.state = State::Paste(0);
                return;
            }
            (b"", b'M') => {
                self.state = State::Skip(MOUSE_BYTES);
                return;
            }
            (number, b'~') => numbered(number),
            // `ESC [ A`; with a modifier it is `ESC [ 1 ; 5 A`. Only Shift with a sideways arrow is bound.
            (b"", end) => named(end),
            (b"1;2", b'C') => Some(Key::ShiftRight),
            (b"1;2", b'D') => Some(Key::ShiftLeft),
            _ => None,
        };
        self.end(key, inputs);
    }

    /// Handles a byte of a control string. The string ends with `ESC \`, or with BEL as in xterm; CAN and SUB cancel
    /// it.
    fn string(&mut self, byte: u8, introduced: Introduced) {
        let escaped = self.state == State::StringEscape(introduced);
        self.state = match byte {
            BELL | CANCEL | SUBSTITUTE => State::Ground,
            b'\\' if escaped => State::Ground,
            STRING_TERMINATOR if introduced == Introduced::EightBit => State::Ground,
            ESCAPE => State::StringEscape(introduced),
            _ => State::String(introduced),
        };
    }

    /// Handles a byte of a paste, of whose end `matched` bytes have arrived.
    fn paste(&mut self, byte: u8, matched: usize, inputs: &mut Vec<Input>) {
        if PASTE_END.get(matched) == Some(&byte) {
            self.state = State::Paste(matched + 1);
            if matched + 1 == PASTE_END.len() {
                let text = String::from_utf8_lossy(&self.bytes).into_owned();
                inputs.push(Input::Paste(text));
                self.state = State::Ground;
            }
            return;
        }
        // The end has its only Escape at the start, so the bytes matched so far cannot contain a new start.
        let begins = byte == ESCAPE;
        let text = PASTE_END.iter().take(matched).copied().chain((!begins).then_some(byte));
        self.bytes.extend(text.take(PASTE_BYTES.saturating_sub(self.bytes.len())));
        self.state = State::Paste(usize::from(begins));
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

/// Returns the length in bytes of the character with this first byte, or 1 if the byte cannot begin a character of
/// several.
fn character_length(lead: u8) -> usize {
    match lead {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
