//! C10 to C12: HTTP/2, frame by frame.

use std::io;
use std::thread;
use std::time::Duration;

use crate::http2::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, OK, PADDED, PING, PRIORITY, PUSH_PROMISE,
    Peer, RST_STREAM, SEGMENT, SETTINGS, WINDOW_UPDATE, case, frame,
};
use crate::origin::Log;
use crate::program::Ended;
use crate::rows::{Case, Row, row};

/// Last stream of a GOAWAY that allows every stream.
const ALL_STREAMS: u32 = i32::MAX.unsigned_abs();

/// Returns the rows.
pub fn rows() -> Vec<Row> {
    vec![goaway(), resets(), bodies(headers(floods(limits(row("C12", "HTTP/2 beyond its limits")))))]
}

/// Returns a case in which each request is met by `script`, and fails with `outcome`.
fn each(
    label: &'static str,
    outcome: &'static str,
    script: impl Fn(&mut Peer<'_>) -> io::Result<()> + Send + Sync + 'static,
) -> Case {
    case(label, b"", script).fails(outcome).holds(move |run, _| {
        let outcomes = run.segment_outcomes();
        assert!(!outcomes.contains(&"ok"), "{outcomes:?}");
    })
}

/// Returns the number of HTTP/2 connections that carried a request.
fn connections(log: &Log) -> usize {
    let mut connections: Vec<_> =
        log.requests().into_iter().filter(|(_, path)| path == SEGMENT).map(|(number, _)| number).collect();
    connections.sort_unstable();
    connections.dedup();
    connections.len()
}

fn plays_on(run: &Ended, log: &Log) {
    assert_eq!(run.count("/playback/finished_clients"), 1, "the viewer plays to the end");
    assert!(connections(log) > 1, "another connection is used");
}

/// Returns a case of row C6.
pub fn half_open() -> Case {
    let dead = case("dead over HTTP/2", b"", |peer| match (peer.connection, peer.place) {
        (0, 2..) => Ok(()),
        _ => peer.segment(),
    });
    dead.fails("timeout.first_byte").exit(0).by_itself().holds(plays_on).holds(|run, _| {
        assert_eq!(run.count("/outcomes/timeout.first_byte"), 1, "a dead connection is not used again");
    })
}

fn goaway() -> Row {
    let first = |label, script: fn(&mut Peer<'_>) -> io::Result<()>| {
        case(label, b"", move |peer| match (peer.connection, peer.place) {
            (0, 1) => script(peer),
            _ => peer.segment(),
        })
    };
    let between = first("between requests", |peer| {
        peer.segment()?;
        peer.goaway(peer.stream, 0)
    });
    let retried = |run: &Ended, _: &Log| assert!(run.count("/connections/stale_retries") > 0, "sent again");
    let refused = |label, script| first(label, script).holds(plays_on).holds(retried);
    row("C10", "GOAWAY")
        .case(between.holds(plays_on))
        .case(refused("before the request, NO_ERROR", |peer| {
            peer.goaway(0, 0)?;
            peer.close()
        }))
        .case(refused("before the request, INTERNAL_ERROR", |peer| {
            peer.goaway(0, 2)?;
            peer.close()
        }))
        .case(refused("before the request, ENHANCE_YOUR_CALM", |peer| {
            peer.goaway(0, 11)?;
            peer.close()
        }))
        .case(
            first("served after it", |peer| {
                peer.goaway(ALL_STREAMS, 0)?;
                thread::sleep(Duration::from_millis(50));
                peer.segment()
            })
            .holds(plays_on),
        )
        .case(
            first("then silence", |peer| peer.goaway(ALL_STREAMS, 0))
                .fails("timeout.first_byte")
                .exit(0)
                .by_itself()
                .holds(plays_on),
        )
}

fn resets() -> Row {
    let reset =
        |label, code: u8| each(label, "h2.rst", move |peer| peer.answer(RST_STREAM, 0, &[0, 0, 0, code]));
    let once = case("refused once", b"", |peer| match peer.place % 2 {
        0 => peer.answer(RST_STREAM, 0, &[0, 0, 0, 7]),
        _ => peer.segment(),
    });
    let in_body = each("in the body", "h2.rst", |peer| {
        peer.answer(HEADERS, END_HEADERS, OK)?;
        peer.answer(DATA, 0, &[0x47; 5_000])?;
        peer.answer(RST_STREAM, 0, &[0, 0, 0, 2])
    });
    let idle = each("of a stream to come", "h2.proto", |peer| {
        peer.answer(HEADERS, END_HEADERS, OK)?;
        peer.send(RST_STREAM, 0, peer.stream + 2, &[0, 0, 0, 8])
    });
    // The stream before has ended, so that each frame alone is legal (RFC 9113 section 5.1, "closed").
    let flood = case("a flood of them", b"", |peer| match peer.place {
        0 => peer.segment(),
        _ => peer.flood(&frame(RST_STREAM, 0, peer.stream - 2, &[0, 0, 0, 8])),
    });
    let flood = flood.fails("h2.proto").exit(0);
    row("C11", "RST_STREAM")
        .case(reset("REFUSED_STREAM", 7).holds(|run, log| {
            let sent = run.count("/requests/segment") + run.count("/connections/stale_retries");
            assert_eq!(log.count(SEGMENT) as u64, sent, "refused requests are sent once more");
            assert!(run.count("/connections/stale_retries") > 0);
        }))
        .case(reset("CANCEL", 8))
        .case(reset("ENHANCE_YOUR_CALM", 11))
        .case(reset("INTERNAL_ERROR", 2))
        .case(reset("NO_ERROR", 0))
        .case(once)
        .case(in_body.holds(|run, _| {
            let failed = run.count("/kinds/segment/outcomes/h2.rst");
            assert_eq!(run.count("/kinds/segment/outcome_bytes/h2.rst"), failed * 5_000);
        }))
        .case(idle)
        .case(flood)
}

fn limits(row: Row) -> Row {
    let with = |label, settings| case(label, settings, |peer| peer.segment());
    let refused = |label, settings| case(label, settings, |peer| peer.segment()).fails("h2.proto");
    row.case(with("no concurrent streams", b"\0\x03\0\0\0\0").fails("timeout.first_byte").exits(&[0, 3]))
        .case(with("one concurrent stream", b"\0\x03\0\0\0\x01"))
        .case(with("no window for bodies of requests", b"\0\x04\0\0\0\0"))
        .case(with("an unknown setting", b"\0\x77\0\0\0\x05"))
        .case(with("the largest header table", b"\0\x01\xff\xff\xff\xff"))
        .case(with("push", b"\0\x02\0\0\0\x01"))
        .case(refused("a window beyond 31 bits", b"\0\x04\x80\0\0\0"))
        .case(refused("frames without content", b"\0\x05\0\0\0\0"))
        .case(each("no step of the window", "h2.proto", |peer| {
            peer.answer(HEADERS, END_HEADERS, OK)?;
            peer.answer(WINDOW_UPDATE, 0, &[0; 4])
        }))
        .case(each("steps beyond the window", "h2.flow", |peer| {
            peer.answer(HEADERS, END_HEADERS, OK)?;
            peer.raw(&frame(WINDOW_UPDATE, 0, 0, &ALL_STREAMS.to_be_bytes()).repeat(2))
        }))
}

fn floods(row: Row) -> Row {
    let flood = |label, begin: fn(&mut Peer<'_>) -> io::Result<()>, bytes: fn(u32) -> Vec<u8>| {
        each(label, "h2.proto", move |peer| {
            begin(peer)?;
            peer.flood(&bytes(peer.stream))
        })
    };
    let nothing: fn(&mut Peer<'_>) -> io::Result<()> = |_| Ok(());
    let head: fn(&mut Peer<'_>) -> io::Result<()> = |peer| peer.answer(HEADERS, END_HEADERS, OK);
    row.case(flood("SETTINGS", nothing, |_| frame(SETTINGS, 0, 0, b"\0\x04\0\0\xff\xff")))
        .case(flood("PING", nothing, |_| frame(PING, 0, 0, &[0; 8])))
        .case(flood("empty DATA", head, |stream| frame(DATA, 0, stream, b"")))
        .case(flood("padding", head, |stream| frame(DATA, PADDED, stream, &[&[255][..], &[0; 255]].concat())))
        .case(flood("WINDOW_UPDATE", nothing, |stream| frame(WINDOW_UPDATE, 0, stream, &[0, 0, 0, 1])))
        .case(flood("PRIORITY", nothing, |stream| frame(PRIORITY, 0, stream, &[0, 0, 0, 0, 16])))
        .case(flood(
            "CONTINUATION",
            |peer| peer.answer(HEADERS, 0, OK),
            |stream| frame(CONTINUATION, 0, stream, &b"\0\x01a\x01b".repeat(100)),
        ))
        .case(flood("PUSH_PROMISE", nothing, |stream| {
            frame(PUSH_PROMISE, END_HEADERS, stream, b"\0\0\0\x02\x82\x84\x87")
        }))
        .case(each("interim responses", "conn.proto", |peer| {
            peer.flood(&frame(HEADERS, END_HEADERS, peer.stream, b"\x08\x03103"))
        }))
}

fn headers(row: Row) -> Row {
    let wrong =
        |label, bytes: fn(u32) -> Vec<u8>| each(label, "h2.proto", move |peer| peer.raw(&bytes(peer.stream)));
    let bomb = each("a bomb of the header table", "h2.proto", |peer| {
        // A field of 3,900 bytes enters the table, and each byte of the frames that follow repeats it.
        let field = [&b"\x88\x40\x01x\x7f\xbd\x1d"[..], &[b'z'; 3_900]].concat();
        peer.answer(HEADERS, 0, &field)?;
        for _ in 0..50 {
            peer.answer(CONTINUATION, 0, &[0xbe; 16_000])?;
        }
        peer.answer(CONTINUATION, END_HEADERS, b"")
    });
    row.case(bomb)
        .case(wrong("a code that is none", |stream| {
            frame(HEADERS, END_HEADERS | END_STREAM, stream, &[0xff; 30])
        }))
        .case(wrong("no status", |stream| frame(HEADERS, END_HEADERS | END_STREAM, stream, b"\0\x01x\x01y")))
        .case(wrong("a late status", |stream| frame(HEADERS, END_HEADERS, stream, b"\0\x01x\x01y\x88")))
        .case(wrong("of no stream", |_| frame(HEADERS, END_HEADERS, 0, OK)))
        .case(wrong("DATA of a stream to come", |stream| frame(DATA, END_STREAM, stream + 100, b"x")))
        .case(wrong("a frame of 16 MiB", |stream| {
            [&b"\xff\xff\xff\0\0"[..], &stream.to_be_bytes(), &[b'x'; 100_000]].concat()
        }))
        .case(each("status 999", "http.other", |peer| {
            peer.answer(HEADERS, END_HEADERS | END_STREAM, b"\x08\x03999")
        }))
}

fn bodies(row: Row) -> Row {
    const LENGTH_100: &[u8] = b"\x88\x0f\x0d\x03100";
    let head = |peer: &mut Peer<'_>| peer.answer(HEADERS, END_HEADERS, LENGTH_100);
    let cut = each("closed", "body.short", move |peer| {
        head(peer)?;
        peer.answer(DATA, 0, &[0x47; 50])?;
        peer.close()
    });
    row.case(cut.holds(|run, _| {
        let failed = run.count("/kinds/segment/outcomes/body.short");
        assert_eq!(run.count("/kinds/segment/outcome_bytes/body.short"), failed * 50);
    }))
    .case(each("too short", "h2.proto", move |peer| {
        head(peer)?;
        peer.answer(DATA, END_STREAM, &[0x47; 50])
    }))
    .case(each("too long", "h2.proto", move |peer| {
        head(peer)?;
        peer.answer(DATA, END_STREAM, &[0x47; 150])
    }))
    .case(each("empty", "body.short", |peer| peer.answer(HEADERS, END_HEADERS | END_STREAM, OK)))
    .case(each("stalled", "timeout.idle", move |peer| {
        head(peer)?;
        peer.answer(DATA, 0, &[0x47; 50])
    }))
    .case(each("an error without end", "http.500", |peer| {
        peer.answer(HEADERS, END_HEADERS, b"\x8e")?;
        peer.flood(&frame(DATA, 0, peer.stream, &[b'x'; 16_384]))
    }))
    .case(each("closed after GOAWAY", "h2.goaway", |peer| {
        peer.send(GOAWAY, 0, 0, &[peer.stream.to_be_bytes(), [0; 4]].concat())?;
        peer.close()
    }))
}
