//! Tests that keys are decoded and that other input never becomes keys.

use super::*;
use proptest::prelude::*;

fn decode(pieces: &[&[u8]]) -> Vec<Input> {
    let mut decoder = Decoder::default();
    let mut inputs = Vec::new();
    for piece in pieces {
        decoder.push(piece, &mut inputs);
    }
    if decoder.patience().is_some() {
        decoder.silence(&mut inputs);
    }
    inputs
}

fn keys(bytes: &[u8]) -> Vec<Key> {
    let keys = decode(&[bytes]).into_iter().filter_map(|input| match input {
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
        (b"\x1bOM", Key::Enter),
        (b"\x1b[1;2C", Key::ShiftRight),
        (b"\x1b[1;2D", Key::ShiftLeft),
        (b"\x1b[[A", Key::Function(1)),
        (b"\x9bA", Key::Up),
        (b"\x7f", Key::Backspace),
        (b"\r", Key::Enter),
        ("ü".as_bytes(), Key::Char('ü')),
    ] {
        assert_eq!(keys(bytes), [key], "{bytes:?}");
    }
}

#[test]
fn an_escape_and_a_key_within_one_read_are_two_keys() {
    assert_eq!(keys(b"\x1bq"), [Key::Escape, Key::Char('q')]);
    assert_eq!(keys("\x1b\u{fc}x".as_bytes()), [Key::Escape, Key::Char('ü'), Key::Char('x')]);
    assert_eq!(keys(b"\x1b\x03"), [Key::Escape, Key::Ctrl('c')]);
    assert_eq!(keys(b"\x1b\x1b[Aq"), [Key::Escape, Key::Up, Key::Char('q')]);
}

#[test]
fn what_is_not_bound_is_dropped_and_the_next_key_is_not() {
    for bytes in [
        &b"\x1b[1;5Ax"[..],
        b"\x1b[99~x",
        b"\x00x",
        b"\xffx",
        b"\xe2\x82x",
        b"\x1b[<0;1;1Mx",
        b"\x1b[M qqx",
        b"\x1b[I\x1b[Ox",
    ] {
        assert_eq!(keys(bytes), [Key::Char('x')], "{bytes:?}");
    }
}

/// Replies that terminals send unasked, or long after a query.
const REPLIES: [&[u8]; 16] = [
    b"\x1b]11;rgb:1c1c/1c1c/1c1c\x1b\\",
    b"\x1b]10;rgb:q+Q-/c9999\x07",
    b"\x1b]52;c;cXVpdA==\x1b\\",
    b"\x1bP1$r0m\x1b\\",
    b"\x1bP>|XTerm(390)q\x1b\\",
    b"\x1bP!|7E565445\x1b\\",
    b"\x1b_Gi=31;OK q\x1b\\",
    b"\x1b^quit\x1b\\",
    b"\x1bXquit\x1b\\",
    b"\x9d11;rgb:qq\x9c",
    b"\x90qq\x1b\\",
    "\u{9d}11;qq\u{9c}".as_bytes(),
    "\x1b]lq ✜ q\x1b\\".as_bytes(),
    b"\x1bPtmux;\x1b\x1b]11;q\x1bq\x1b\\",
    b"\x1b[?64;1;2;6;9;15;16;17;18;21;22;28;29;31;32;33;34;35;36c",
    b"\x1b[?2026;2$y\x1b[24;80R\x1b[8;24;80t\x1b[>41;390;0c",
];

#[test]
fn what_a_terminal_sends_unasked_is_no_key_in_whatever_pieces_it_comes() {
    let q = [Input::Key(Key::Char('q'))];
    for reply in REPLIES {
        for cut in 0..=reply.len() {
            let (head, tail) = reply.split_at(cut);
            assert_eq!(decode(&[head, tail, b"q"]), q, "{reply:?} cut at {cut}");
        }
        let bytes: Vec<&[u8]> = reply.chunks(1).chain([&b"q"[..]]).collect();
        assert_eq!(decode(&bytes), q, "{reply:?} byte by byte");
    }
}

#[test]
fn a_reply_whose_escape_was_taken_for_the_key_is_still_no_other_key() {
    for reply in REPLIES.iter().filter(|reply| reply.first() == Some(&ESCAPE)) {
        let mut decoder = Decoder::default();
        let mut inputs = Vec::new();
        let (first, rest) = reply.split_at(1);
        decoder.push(first, &mut inputs);
        decoder.silence(&mut inputs);
        decoder.push(rest, &mut inputs);
        assert_eq!(inputs, [Input::Key(Key::Escape)], "{reply:?}");
    }
}

#[test]
fn a_key_after_an_escape_is_that_key_once_the_escape_stands_alone() {
    let mut decoder = Decoder::default();
    let mut inputs = Vec::new();
    decoder.push(b"\x1b", &mut inputs);
    decoder.silence(&mut inputs);
    decoder.push(b"q", &mut inputs);
    assert_eq!(inputs, [Input::Key(Key::Escape), Input::Key(Key::Char('q'))]);
    decoder.push(b"\x1b", &mut inputs);
    decoder.silence(&mut inputs);
    decoder.silence(&mut inputs);
    decoder.push(b"[", &mut inputs);
    assert_eq!(inputs.last(), Some(&Input::Key(Key::Char('['))));
}

#[test]
fn a_string_that_never_ends_is_over_after_a_silence_and_keeps_nothing() {
    for begin in [&b"\x1b]"[..], b"\x1bP", b"\x1b[", b"\x9d"] {
        let mut decoder = Decoder::default();
        let mut inputs = Vec::new();
        decoder.push(begin, &mut inputs);
        for _ in 0..1000 {
            decoder.push(&[b'1'; 1000], &mut inputs);
        }
        assert!(inputs.is_empty() && decoder.bytes.len() <= SEQUENCE_BYTES, "{begin:?}");
        assert_eq!(decoder.patience(), Some(SEQUENCE_SILENCE));
        decoder.silence(&mut inputs);
        decoder.push(b"q", &mut inputs);
        assert_eq!(inputs, [Input::Key(Key::Char('q'))], "{begin:?}");
    }
}

#[test]
fn a_paste_is_one_text_and_never_keys() {
    let pasted = [Input::Paste("quit\x1b[Aq\x1b".to_owned()), Input::Key(Key::Char('+'))];
    let bytes = b"\x1b[200~quit\x1b[Aq\x1b\x1b[201~+";
    for cut in 0..bytes.len() {
        let (head, tail) = bytes.split_at(cut);
        assert_eq!(decode(&[head, tail]), pasted, "cut at {cut}");
    }
}

#[test]
fn a_long_paste_is_cut_and_one_without_an_end_is_dropped() {
    let mut decoder = Decoder::default();
    let mut inputs = Vec::new();
    decoder.push(b"\x1b[200~", &mut inputs);
    for _ in 0..1000 {
        decoder.push(&[b'q'; 1000], &mut inputs);
        assert!(decoder.bytes.len() <= PASTE_BYTES);
    }
    decoder.push(PASTE_END, &mut inputs);
    assert_eq!(inputs, [Input::Paste("q".repeat(PASTE_BYTES))]);
    decoder.push(b"\x1b[200~999", &mut inputs);
    assert_eq!(decoder.patience(), Some(PASTE_SILENCE));
    decoder.silence(&mut inputs);
    assert_eq!((inputs.len(), decoder.patience()), (1, None));
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
