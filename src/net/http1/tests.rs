//! Tests that each response is read the same however it is split.

use super::super::fuzzing::{Seen, read as read_parts, skip};
use super::super::head::Coding;
use super::*;
use proptest::prelude::*;

/// Feeds the wire bytes in pieces of the given size, then closes the connection.
fn read(wire: &[u8], piece: usize) -> Seen {
    read_parts(wire, wire.chunks(piece.max(1)))
}

fn ok(status: u16, body: &str, left: usize) -> Seen {
    Ok((status, body.as_bytes().to_vec(), left))
}

/// Returns wire bytes with their expected result, which no split may change.
fn cases() -> Vec<(String, Seen)> {
    let wire = |(wire, seen): (&str, Seen)| (wire.to_owned(), seen);
    let not_http = not_http().into_iter().map(|wire| (wire.to_owned(), Err(Fault::ConnProtocol)));
    let too_long = too_long().into_iter().map(|wire| (wire, Err(Fault::ConnProtocol)));
    good()
        .into_iter()
        .chain(odd_but_read())
        .chain(cut_off())
        .map(wire)
        .chain(not_http)
        .chain(too_long)
        .collect()
}

fn good() -> Vec<(&'static str, Seen)> {
    vec![
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", ok(200, "hello", 0)),
        ("HTTP/1.1 200\r\ncontent-length:5\r\n\r\nhello", ok(200, "hello", 0)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", ok(200, "hello", 0)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhello", ok(200, "hel", 2)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ok(200, "", 0)),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n", ok(204, "", 0)),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", ok(304, "", 0)),
        ("HTTP/1.1 999 Odd\r\nContent-Length: 1\r\n\r\nx", ok(999, "x", 0)),
        ("HTTP/1.0 200 OK\r\n\r\nuntil the end", ok(200, "until the end", 0)),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;ext=\"a b\"\r\n world\r\n0\r\n\r\n",
            ok(200, "hello world", 0),
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n000\r\nTrailer: x\r\nB: y\r\n\r\n",
            ok(200, "0123456789", 0),
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno",
            ok(404, "no", 0),
        ),
    ]
}

/// Returns invalid heads that curl, Node.js or browsers accept.
fn odd_but_read() -> Vec<(&'static str, Seen)> {
    vec![
        ("HTTP/1.1 200 OK\r\nX: a;\r\n  b\r\n\tc\r\nContent-Length: 5\r\n\r\nhello", ok(200, "hello", 0)),
        ("HTTP/1.1 200 OK\r\nX:\r\n b\r\nContent-Length:\r\n 5\r\n\r\nhello", ok(200, "hello", 0)),
        ("HTTP/1.1 200 OK\r\n folded: nothing\r\nContent-Length: 5\r\n\r\nhello", ok(200, "hello", 0)),
        ("HTTP/1.1 200 OK\r\nContent-Length : 5\r\nX-Allow\t: true\r\n\r\nhello", ok(200, "hello", 0)),
        (
            "HTTP/1.1 200 OK\r\nX Served By: a\r\nX[id]: 7\r\n: nothing\r\nContent-Length: 3\r\n\r\nabc",
            ok(200, "abc", 0),
        ),
        ("HTTP/1.1 200 OK\r\nX: \x01\u{e9}\r\nContent-Length: 3\r\n\r\nabc", ok(200, "abc", 0)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", ok(200, "hello", 0)),
        ("HTTP/1.1  200  OK\nContent-Length: 5\n\nhello", ok(200, "hello", 0)),
        ("\r\n\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", ok(200, "hello", 0)),
        ("HTTP/1.1 200\nContent-Length: 5\n\r\nhello", ok(200, "hello", 0)),
    ]
}

fn cut_off() -> Vec<(&'static str, Seen)> {
    vec![
        ("", Err(Fault::ConnEof)),
        ("HTTP/1.1 200 OK\r\nContent-", Err(Fault::ConnEof)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", Err(Fault::BodyShort)),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", Err(Fault::BodyShort)),
    ]
}

/// Returns responses that are not HTTP, or ambiguous.
fn not_http() -> Vec<&'static str> {
    vec![
        "<html>nothing of the kind</html>",
        "HTTP/3.7 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 101 Switching\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nX\r: ab\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 1000 OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabX",
    ]
}

/// Returns responses that are valid, but longer than the limits.
fn too_long() -> Vec<String> {
    vec![
        format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(limits::HEADER_LINES + 1)),
        format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "b".repeat(limits::HEAD_BYTES)),
        format!("{}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 100 C\r\n\r\n".repeat(101)),
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;{}\r\na\r\n0\r\n\r\n",
            "x".repeat(limits::CHUNK_LINE_BYTES)
        ),
        format!("HTTP/1.1 200 OK\r\nX: a\r\n{}\r\n", " b\r\n".repeat(limits::HEADER_LINES)),
        format!("{}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "\r\n".repeat(limits::HEAD_BYTES)),
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n",
            format!("1;{}\r\na\r\n", "x".repeat(1_000)).repeat(20)
        ),
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nT: {}\r\n\r\n",
            "x".repeat(super::chunked::TRAILER_BYTES)
        ),
    ]
}

#[test]
fn each_response_is_read_the_same_however_it_is_split() {
    for (wire, seen) in cases() {
        let shown = &wire[..wire.len().min(120)];
        for piece in [wire.len(), 1, 2, 3, 7, 64] {
            assert_eq!(read(wire.as_bytes(), piece), seen, "in pieces of {piece}: {shown:?}");
            let counted = seen.clone().map(|(status, body, left)| (status, body.len(), left));
            assert_eq!(skip(wire.as_bytes(), piece), counted, "unseen, in pieces of {piece}: {shown:?}");
        }
    }
}

#[test]
fn a_connection_is_kept_when_both_sides_can_tell_where_the_body_ends() {
    for (head, kept) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: foo, Close\r\n\r\n", false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n", false),
    ] {
        let mut reader = Reader::default();
        reader.feed(head.as_bytes(), &mut |_, _| ()).expect(head);
        assert_eq!(reader.head().expect("a head").keep_alive, kept, "{head:?}");
    }
}

#[test]
fn the_head_tells_type_coding_and_location() {
    let mut reader = Reader::default();
    let wire = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /b\r\nContent-Type: text/html \r\nContent-Encoding: GZIP\r\n\r\n";
    reader.feed(wire.as_bytes(), &mut |_, _| ()).expect("valid");
    let head = reader.head().expect("a head");
    assert_eq!(head.location.as_deref(), Some("/b"));
    assert_eq!(head.content_type.as_deref(), Some("text/html"));
    assert_eq!(head.codings.single(), Ok(Some(Coding::Gzip)));
}

/// Returns a case with some of its bytes replaced.
fn mutated(case: prop::sample::Index, mutations: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    let (wire, _) = case.get(&cases()).clone();
    let mut wire = wire.into_bytes();
    wire.truncate(4_096);
    for (at, byte) in mutations.iter().filter(|_| !wire.is_empty()).collect::<Vec<_>>() {
        let at = at.index(wire.len());
        wire[at] = *byte;
    }
    wire
}

fn mutation() -> impl Strategy<Value = (prop::sample::Index, u8)> {
    let byte = prop_oneof![any::<u8>(), prop::sample::select(b"\r\n :\t\0,;0".as_slice())];
    (any::<prop::sample::Index>(), byte)
}

proptest! {
    #[test]
    fn no_input_panics_and_no_body_outgrows_the_wire(
        mutations in prop::collection::vec(mutation(), 0..8),
        case in any::<prop::sample::Index>(),
        piece in 1_usize..64,
    ) {
        let wire = mutated(case, &mutations);
        if let Ok((_, body, left)) = read(&wire, piece) {
            prop_assert!(body.len() + left <= wire.len());
        }
    }

    #[test]
    fn every_split_of_the_same_bytes_gives_the_same_result(
        mutations in prop::collection::vec(mutation(), 0..8),
        case in any::<prop::sample::Index>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
    ) {
        let wire = mutated(case, &mutations);
        let mut ends: Vec<_> = cuts.iter().map(|cut| cut.index(wire.len() + 1)).chain([0, wire.len()]).collect();
        ends.sort_unstable();
        let parts = ends.windows(2).map(|pair| &wire[pair[0]..pair[1]]);
        prop_assert_eq!(read_parts(&wire, parts), read(&wire, wire.len()));
    }
}

#[test]
fn of_media_nothing_is_read_that_only_a_second_use_needs() {
    let wire = b"HTTP/1.1 200 OK\r\nETag: \"1\"\r\nCache-Control: max-age=9\r\nContent-Type: video/mp2t\r\nContent-Length: 0\r\n\r\n";
    for (mut reader, is_read) in [(Reader::default(), true), (Reader::for_media(), false)] {
        assert_eq!(reader.feed(wire, &mut |_, _| {}), Ok(Progress::Done { used: wire.len() }));
        let head = reader.into_head().expect("a head");
        assert_eq!((head.etag.is_some(), head.freshness.is_stated()), (is_read, is_read));
        assert_eq!(head.content_type.as_deref(), Some("video/mp2t"));
    }
}
