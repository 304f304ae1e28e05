//! P16 to P23: what a playlist or a redirect can name.

use std::sync::Arc;

use rustix::fs::inotify;

use crate::certificates::Authority;
use crate::origin::{Answer, Origin};
use crate::program::folder;
use crate::rows::{Case, Row, row};
use crate::streams::{master, vod, vod_of};

/// Returns the rows.
pub fn rows() -> Vec<Row> {
    [loops(), addresses()].into_iter().flatten().collect()
}

fn loops() -> Vec<Row> {
    let hop = |label, script: fn(&str) -> String| {
        Case::new(label, move |asked| Answer::redirect(&script(&asked.path)))
            .fails("policy.redirects")
            .and_ok()
            .holds(|run, log| {
                let given_up = run.count("/outcomes/policy.redirects");
                assert_eq!(run.count("/outcomes/ok"), 5 * given_up, "each hop is a request");
                assert_eq!(run.count("/connections/redirects"), 5 * given_up);
                assert_eq!(log.requests().len() as u64, run.count("/requests/started"));
            })
    };
    vec![
        row("P16", "multivariant playlists that name themselves")
            .case(Case::text("itself", master("m.m3u8")).fails("playlist.semantic").and_ok())
            .case(
                Case::new("in turn", |asked| {
                    Answer::playlist(master(if asked.path == "/a.m3u8" { "b.m3u8" } else { "a.m3u8" }))
                })
                .fails("playlist.semantic")
                .and_ok(),
            ),
        row("P17", "redirects without end")
            .case(hop("ever longer", |path| path.replace(".m3u8", "x.m3u8")))
            .case(hop("to itself", str::to_owned)),
        downgrade(),
        another_host(),
        schemes(),
        forbidden(),
    ]
}

/// Starts an origin that plays, and answers 599 to a request with a secret.
fn elsewhere() -> Arc<Origin> {
    Arc::new(Origin::start(|asked| match (asked.header("authorization"), asked.is_playlist()) {
        (Some(_), _) => Answer::status("599 A secret came along"),
        (None, true) => Answer::playlist(vod(2)),
        (None, false) => Answer::segment(),
    }))
}

fn downgrade() -> Row {
    let plain = elsewhere();
    let case = |label| {
        let plain = Arc::clone(&plain);
        let start = move || {
            let to = plain.url("/m.m3u8");
            let config = Authority::new().server("127.0.0.1", &[]);
            Origin::tls(config, Arc::new(move |_| Answer::redirect(&to)))
        };
        Case::with_origin(label, start).options(&["--insecure"])
    };
    let seen = Arc::clone(&plain);
    row("P18", "a redirect from https to http")
        .case(case("refused").fails("policy.scheme").finding("insecure_url").holds(|run, log| {
            assert_eq!(log.requests().len() as u64, run.count("/requests/started"), "each was sent over TLS");
        }))
        .case(case("allowed").options(&["--allow-downgrade"]).holds(move |_, _| {
            assert!(seen.log.count(".ts") >= 2, "segments come in the clear");
        }))
}

fn another_host() -> Row {
    let secret = ["--header", "Authorization: Bearer hunter2"];
    let (unseen, seen) = (elsewhere(), elsewhere());
    let case = |label, other: &Origin| {
        let to = format!("http://localhost:{}/m.m3u8", other.port());
        Case::new(label, move |_| Answer::redirect(&to)).options(&secret)
    };
    row("P19", "a redirect to another host")
        .case(case("refused", &unseen).fails("policy.host").finding("foreign_host").alone().holds(
            move |run, _| {
                assert!(unseen.log.requests().is_empty(), "nothing is sent there");
                assert!(run.output("report.txt").contains("--allow-host localhost"), "the way out is said");
            },
        ))
        .case(case("allowed", &seen).options(&["--allow-host", "localhost"]).holds(move |_, _| {
            assert!(seen.log.count(".ts") >= 2);
        }))
}

fn forbidden() -> Row {
    let row = row("P21", "a segment at an address that no stream has");
    let addresses = [
        ("metadata service", "http://169.254.169.254/latest"),
        ("hexadecimal", "http://0xa9fea9fe/latest"),
        ("decimal", "http://2852039166/latest"),
        ("mapped", "http://[::ffff:169.254.169.254]/latest"),
        ("unspecified", "http://0.0.0.0:9/latest"),
        ("by name", "http://ads.example.net:81/latest"),
    ];
    addresses.into_iter().fold(row, |row, (label, url)| {
        row.case(
            Case::text(label, vod_of([url]))
                .options(&["--follow-cdn", "--resolve", "ads.example.net:81:169.254.169.254"])
                .fails("policy.addr")
                .and_ok()
                .finding("unreachable_address"),
        )
    })
}

/// A file that no program may open, and the kernel's word on it.
struct Planted {
    folder: tempfile::TempDir,
    watch: rustix::fd::OwnedFd,
}

impl Planted {
    fn new() -> Self {
        let folder = folder();
        let file = folder.path().join("planted.ts");
        std::fs::write(&file, "planted").unwrap();
        let watch = inotify::init(inotify::CreateFlags::NONBLOCK).unwrap();
        inotify::add_watch(&watch, file, inotify::WatchFlags::ALL_EVENTS).unwrap();
        Self { folder, watch }
    }

    fn assert_untouched(&self) {
        let mut buffer = [std::mem::MaybeUninit::uninit(); 1_024];
        let mut events = inotify::Reader::new(&self.watch, &mut buffer);
        assert!(events.next().is_err(), "the file of a playlist was touched");
    }
}

/// Schemes that no player requests, as URLs of the file at `path` where they name files.
fn refused(path: &str) -> Vec<String> {
    const OF_FILES: [&str; 6] =
        ["file://", "FILE://", " file://", "crypto+file://", "subfile:,,start,0,end,9,,:", "unix:"];
    const OTHERS: [&str; 4] =
        ["ftp://127.0.0.1/x", "javascript:alert(1)", "gopher://127.0.0.1/x", "concat:a|b"];
    let of_files = OF_FILES.iter().map(|scheme| format!("{scheme}{path}"));
    of_files.chain(OTHERS.map(str::to_owned)).collect()
}

/// Places of a URL in a stream: their names, and the playlist in which each holds `url`.
fn places(url: &str) -> [(&'static str, String); 4] {
    let tagged = |tag: &str| vod(2).replace("#EXTINF", &format!("{tag}\n#EXTINF"));
    [
        ("segment", vod_of([url])),
        ("variant", master(url)),
        ("initialization section", tagged(&format!("#EXT-X-MAP:URI=\"{url}\""))),
        ("key", tagged(&format!("#EXT-X-KEY:METHOD=AES-128,URI=\"{url}\""))),
    ]
}

fn schemes() -> Row {
    let planted = Arc::new(Planted::new());
    let path = planted.folder.path().join("planted.ts").to_str().unwrap().to_owned();
    let looked_at = |case: Case| {
        let planted = Arc::clone(&planted);
        case.fails("policy.scheme").options(&["--player", "persistent"]).holds(move |run, log| {
            planted.assert_untouched();
            let asked = log.requests();
            assert!(asked.iter().all(|(_, path)| path.contains(".m3u8")), "not only playlists: {asked:?}");
            let all = run.outputs().map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned());
            assert!(
                all.into_iter().all(|text| !text.contains("planted.ts")),
                "a path of this machine is shown"
            );
        })
    };
    // One URL for each run: a run ends at its first refusal, which says nothing about other URLs.
    refused(&path).into_iter().fold(row("P20", "schemes that no player requests"), |row, url| {
        let label = |place| format!("{place} {}", url.replace(&path, ""));
        let texts = places(&url).map(|(place, text)| looked_at(Case::text(label(place), text).and_ok()));
        let redirect = Case::new(label("redirect"), {
            let url = url.clone();
            move |_| Answer::redirect(&url)
        });
        texts.into_iter().chain([looked_at(redirect)]).fold(row, Row::case)
    })
}

fn addresses() -> Vec<Row> {
    let long = format!("{}long.ts", "x/".repeat(4_000));
    let expected = [
        "/x/y/a.ts",
        "/abs.ts",
        "/up.ts",
        "/x/y/v.m3u8?q=1",
        "/x/y/with%20space.ts",
        "/x/y/%C3%BCn%C3%AFcode.ts",
        "/net.ts",
        "/x/y/query.ts?a=b",
    ];
    let wanted = format!("/x/y/{long}");
    let relative = Case::new("relative", move |asked| {
        let host = asked.header("host").unwrap_or_default();
        match asked.path.as_str() {
            "/m.m3u8" => Answer::playlist(master("x/y/v.m3u8")),
            "/x/y/v.m3u8" => Answer::playlist(vod_of([
                "a.ts",
                "/abs.ts",
                "../../../up.ts",
                "?q=1",
                "with space.ts",
                "ünïcode.ts",
                &format!("//{host}/net.ts"),
                "query.ts?a=b#fragment",
                &long,
                "",
            ])),
            _ => Answer::segment(),
        }
    });
    let hostile = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na\u{1b}[2J.ts\n#EXTINF:1,\nb%0d%0aX-Evil: 1.ts\n\
        #EXTINF:1,title\u{1b}]52;c;eA==\u{7}\nc\u{202e}.ts\n#EXTINF:1,\nd\u{9b}31m.ts\n#EXTINF:1,\ne\u{2028}.ts\n\
        #EXTINF:1,\ngood.ts\n#EXT-X-ENDLIST\n";
    vec![
        row("P22", "URLs of every form")
            .case(relative.holds(move |_, log| {
                let seen: Vec<_> = log.requests().into_iter().map(|(_, path)| path).collect();
                let all = expected.iter().copied().chain([wanted.as_str()]);
                let missing: Vec<_> = all.filter(|path| !seen.iter().any(|seen| seen == path)).collect();
                assert!(missing.is_empty(), "not requested: {missing:?}; {seen:.200?}");
            }))
            .case(
                Case::text("20 kB", vod_of(["y".repeat(20_000)]))
                    .fails("policy.scheme")
                    .and_ok()
                    .finding("bad_uri"),
            )
            .case(
                Case::text("no host", vod_of(["http://[::1/b.ts"]))
                    .fails("policy.scheme")
                    .and_ok()
                    .finding("bad_uri"),
            )
            .case(Case::text("not ASCII", vod(2)).host("bücher.test")),
        row("P23", "controls in URLs and titles").case(
            Case::new("hostile", move |asked| match (asked.header("x-evil"), asked.is_playlist()) {
                (Some(_), _) => Answer::status("599 A URL became a header line"),
                (None, true) => Answer::playlist(hostile),
                (None, false) => Answer::segment(),
            })
            .finding("control_character")
            .finding("bad_uri")
            .holds(|_, log| {
                let paths: Vec<_> = log.requests().into_iter().map(|(_, path)| path).collect();
                for path in &paths {
                    assert!(path.bytes().all(|byte| byte.is_ascii_graphic()), "{path:?} was sent");
                }
                for expected in ["/b%0d%0aX-Evil:%201.ts", "/good.ts"] {
                    assert!(paths.iter().any(|path| path == expected), "{expected} is not among {paths:?}");
                }
            }),
        ),
    ]
}
