//! X15 and X16: too few files, threads and addresses of memory.

use rustix::process::Signal;

use crate::expectations::assert_common;
use crate::program::{Ended, HLSWARM, Program, Start};
use crate::rows::{Row, row};
use crate::streams::live_origin;

/// Runs under limits of the shell; returns the run and the number of requests that the origin saw.
pub fn limited(limits: &str, options: &[&str]) -> (Ended, usize) {
    let origin = live_origin();
    let url = origin.url("/m.m3u8");
    let line = [HLSWARM, "run", &url, "--no-tui", "--ramp-time", "0", "-d", "3s"];
    let start = Start::shell(&format!("{limits} exec \"$0\" \"$@\""), &line).with(options);
    let run = start.reports().record().end();
    (run, origin.log.requests().len())
}

/// Runs with `--clamp` where only `fitting` of the clients can be had: those start, and it is said.
pub fn clamped(limits: &str, clients: &str, fitting: u64, words: &str) {
    let (run, _) = limited(limits, &["-c", clients, "--clamp"]);
    assert_common(&run, fitting);
    run.assert_exit_code(0);
    for (said, name) in [(run.output("stderr"), "said"), (run.output("report.txt"), "reported")] {
        assert!(said.contains(words), "not {name}: {said}");
    }
    assert_eq!(run.count("/run/clients_target"), fitting);
    assert_eq!(run.count("/run/clients_peak"), fitting);
    assert!(!run.outcomes().contains(&"local.fd"), "{:?}", run.outcomes());
}

fn refused(limits: &str, clients: &str, words: &str) {
    let (run, requests) = limited(&format!("{limits} &&"), &["-c", clients]);
    run.assert_exit_code(5);
    let said = run.output("stderr");
    assert!(said.lines().count() == 1 && said.contains(words), "{said}");
    assert_eq!(requests, 0, "nothing is sent");
    assert!(run.report.is_null(), "nothing is reported");
}

/// Runs with ever larger address spaces: each run is refused in one line, or runs.
fn address_spaces() {
    let fits = |mebibytes: u32| {
        let limit = format!("ulimit -v {} && exec \"$0\" \"$@\"", mebibytes * 1_024);
        Start::shell(&limit, &[HLSWARM, "--version"]).end().exit_code() == Some(0)
    };
    let least = (4..600).step_by(8).find(|size| fits(*size)).unwrap();
    let mut refused = 0;
    for size in (0..8).map(|step| least + 5 * step) {
        let (run, _) = limited(&format!("ulimit -v {} &&", size * 1_024), &["-c", "1"]);
        match run.exit_code() {
            Some(5) => {
                let said = run.output("stderr");
                assert!(said.lines().count() == 1 && said.contains("preflight"), "{size} MiB: {said}");
                refused += 1;
            }
            // What fits at the start may still be too little later: then the run says so, too.
            _ => run.assert_exit_codes(&[0, 4]),
        }
    }
    assert!(refused > 0, "no size was too small");
}

/// Returns the rows.
pub fn rows() -> Vec<Row> {
    vec![
        row("X15", "few open files")
            .job("64 for a thousand", || {
                refused("ulimit -n 64", "1000", "1,000 clients need 1,064 open files")
            })
            .job("256 for a thousand", || refused("ulimit -n 256", "1000", "may open 256"))
            .job("128 for a thousand, clamped", || {
                clamped("ulimit -n 128 &&", "1000", 64, "--clamp: 64 of 1,000 clients");
            })
            .job("a soft limit is raised", || {
                let origin = live_origin();
                let mut program = Start::run_by(
                    "ulimit -Sn 64 && ulimit -Hn 1000 && exec \"$0\" \"$@\"",
                    &origin.url("/m.m3u8"),
                )
                .with(&["-c", "300", "--ramp-time", "0"])
                .start();
                let all =
                    |program: &Program| program.read("record.ndjson").matches("\"joined\"").count() >= 300;
                assert!(program.wait_until("300 clients", all));
                program.signal(Signal::INT);
                let run = program.end();
                assert_common(&run, 300);
                assert_eq!(run.count("/run/clients_peak"), 300);
                assert!(!run.outcomes().contains(&"local.fd"), "{:?}", run.outcomes());
            }),
        threads(row("X16", "no memory, or no room for threads").job("address spaces", address_spaces)),
    ]
}

/// Runs as a user that has no other process and may have ever more threads: each run is refused with one line of
/// reasons, or runs.
fn numbers_of_threads(user: u32) {
    const MOST: u32 = 14;
    let mut refused = 0;
    // On two processors, so that the program has two workers everywhere.
    for threads in 1..=MOST {
        let by = format!(
            "chown {user} . && exec prlimit --nproc={threads} \
             setpriv --reuid={user} --regid={user} --clear-groups taskset -c 0,1 \"$0\" \"$@\"; "
        );
        let (run, requests) = limited(&by, &["-c", "1"]);
        match run.exit_code() {
            Some(5) => {
                let said = run.output("stderr");
                let reasons = said.lines().filter(|line| line.contains("could not be started")).count();
                assert!(reasons == 1 && said.lines().count() <= 2, "{threads}: {said}");
                assert_eq!(requests, 0, "{threads}: nothing is sent");
                refused += 1;
            }
            // What is enough to start need not be enough for helpers, without which it goes on.
            _ => run.assert_exit_codes(&[0, 4]),
        }
    }
    assert!((1..MOST).contains(&refused), "{refused} of {MOST} were refused");
}

fn threads(row: Row) -> Row {
    // A number that no user of this machine has, and no other run of these tests at the same time.
    let user = 700_000 + std::process::id() % 100_000;
    let try_it = format!("exec setpriv --reuid={user} --regid={user} --clear-groups \"$0\" \"$@\"");
    match Start::shell(&try_it, &[HLSWARM, "--version"]).end().exit_code() {
        Some(0) => row.job("numbers of threads", move || numbers_of_threads(user)),
        _ => row.lacks("the limit of threads does not hold for root: needs setpriv(1), and root to use it"),
    }
}
