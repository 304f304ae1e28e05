//! Secrets that only the origin may see: a token in the URL, and the value of a header.

use std::time::Duration;

use crate::origin::Origin;
use crate::program::{Ended, Program};

const TOKEN: &str = "tok3n-0f-the-address";
const HEADER: &str = "Authorization: Bearer tok3n-0f-the-header";
/// Text that no output may hold: both secrets contain it.
const SECRET: &str = "tok3n";
const END_LIMIT: Duration = Duration::from_secs(20);

fn run(origin: &Origin, path: &str, options: &[&str]) -> Ended {
    let url = origin.url(&format!("{path}?token={TOKEN}"));
    let options = [&["--header", HEADER][..], options].concat();
    Program::start(&url, &options).end_within(END_LIMIT)
}

fn assert_silent(run: &Ended) {
    for (name, text) in run.outputs() {
        assert!(!text.contains(SECRET), "{name} tells a secret: {text}");
    }
}

#[test]
fn a_token_reaches_the_origin_and_no_output() {
    let Some(mut origin) = Origin::start() else { return };
    let run = run(&origin, "/ts/master.m3u8", &["-c", "2", "-d", "5s"]);
    run.assert_exit_code(0);
    assert_silent(&run);
    assert!(run.outputs().all(|(name, text)| name == "stderr" || text.contains("/ts/master.m3u8")));
    let log = origin.stop_and_read_log();
    let token = format!("token={TOKEN}");
    let carried = log.only(|entry| entry.query == token && entry.uri == "/ts/master.m3u8");
    assert_eq!(carried.requests(), 2);
}

#[test]
fn a_token_is_in_no_complaint_about_its_address() {
    let Some(mut origin) = Origin::start() else { return };
    let run = run(&origin, "/nothing/master.m3u8", &["-c", "2", "-d", "3s"]);
    run.assert_exit_code(5);
    assert_silent(&run);
    assert_eq!(run.report.outcomes(), [("http.404", origin.stop_and_read_log().requests())]);
}

#[test]
fn a_token_is_in_no_complaint_about_the_options_beside_it() {
    let Some(mut origin) = Origin::start() else { return };
    let run = run(&origin, "/ts/master.m3u8", &["-c", "ten"]);
    run.assert_exit_code(2);
    assert_silent(&run);
    assert_eq!(origin.stop_and_read_log().requests(), 0);
}
