//! Runs the jobs of all rows on a few threads, and prints a line for each row and their counts.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use crate::rows::{Job, Row};

/// Variable that turns what this machine lacks for a row into a failure.
const REQUIRE: &str = "HLSWARM_REQUIRE_ROWS";

/// Runs at a time. Most of a run is waiting for timers of players, so there are more than cores.
const AT_ONCE: usize = 12;

thread_local! {
    /// Message and place of the last panic on this thread.
    static REASON: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Results of a row so far.
struct Progress {
    id: &'static str,
    fault: &'static str,
    not_possible: Option<&'static str>,
    runs: usize,
    left: usize,
    failures: Vec<String>,
}

/// Rows that must be there: groups of the matrix with the numbers of their rows, without those of things that do not
/// exist here (agents, a broker, children that play).
const NUMBERS: [(&str, &[RangeInclusive<u32>]); 5] = [
    ("P", &[1..=38]),
    ("S", &[1..=20]),
    ("C", &[1..=14, 16..=17]),
    ("X", &[1..=5, 7..=16, 18..=23, 26..=27]),
    ("O", &[1..=14]),
];

/// Fails unless each row of [`NUMBERS`] is there once.
fn assert_complete(rows: &[Row]) {
    let mut expected = Vec::new();
    for (group, ranges) in NUMBERS {
        expected.extend(ranges.iter().cloned().flatten().map(|number| format!("{group}{number}")));
    }
    let mut found: Vec<_> = rows.iter().map(|row| row.id).collect();
    expected.sort();
    found.sort_unstable();
    assert_eq!(found, expected, "rows of the matrix");
}

/// Runs the rows that the command line selects, or all. Fails if a row does.
pub fn run(rows: Vec<Row>) -> ExitCode {
    assert_complete(&rows);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(word) = unknown(&rows, &arguments) {
        println!("fault matrix: '{word}' selects no row; a row such as P13 or a group such as P is accepted");
        return ExitCode::FAILURE;
    }
    let rows: Vec<_> = rows.into_iter().filter(|row| is_selected(row.id, &arguments)).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        rows.iter().for_each(|row| println!("{}: test", row.id));
        return ExitCode::SUCCESS;
    }
    panic::set_hook(Box::new(|told| {
        let place = told.location().map(ToString::to_string).unwrap_or_default();
        let message = told.payload_as_str().unwrap_or("a panic").to_owned();
        REASON.set(format!("{message} [{place}]"));
    }));
    let begun = Instant::now();
    let progress = play(rows);
    let count = |holds: fn(&Progress) -> bool| progress.iter().filter(|row| holds(row)).count();
    let failed = count(|row| !row.failures.is_empty());
    let not_possible = count(|row| row.failures.is_empty() && row.not_possible.is_some());
    let passed = progress.len() - failed - not_possible;
    println!(
        "fault matrix: {passed} rows passed / {not_possible} not possible here / {failed} failed, {} s",
        begun.elapsed().as_secs()
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Returns the words of a command line. Options are those of other test programs.
fn words(arguments: &[String]) -> impl Iterator<Item = &str> {
    arguments.iter().map(String::as_str).filter(|argument| !argument.starts_with('-'))
}

/// Reports whether words of the command line name this row or its group.
fn is_selected(id: &str, arguments: &[String]) -> bool {
    words(arguments).next().is_none() || words(arguments).any(|word| is_named(id, word))
}

fn is_named(id: &str, word: &str) -> bool {
    word == id || (word.len() == 1 && id.starts_with(word))
}

/// Returns a word that has the form of a row or group and names none. Other words are names of tests: `cargo test NAME`
/// passes NAME to all test programs.
fn unknown<'a>(rows: &[Row], arguments: &'a [String]) -> Option<&'a str> {
    let is_row = |word: &str| {
        let number = word.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
        word.len() <= number.len() + 1 && number.bytes().all(|digit| digit.is_ascii_digit())
    };
    words(arguments).find(|word| is_row(word) && !rows.iter().any(|row| is_named(row.id, word)))
}

/// Runs all jobs; returns the results by row.
fn play(rows: Vec<Row>) -> Vec<Progress> {
    let mut jobs = VecDeque::new();
    let mut progress = Vec::new();
    let are_required = std::env::var_os(REQUIRE).is_some();
    for (place, row) in rows.into_iter().enumerate() {
        let Row { id, fault, not_possible, is_lacking, jobs: of_row } = row;
        let runs = of_row.len();
        let lacking = not_possible.filter(|_| is_lacking && are_required);
        let failures = lacking.map(|what| format!("{REQUIRE} is set: {what}")).into_iter().collect();
        progress.push(Progress { id, fault, not_possible, runs, left: runs, failures });
        jobs.extend(of_row.into_iter().map(|job| (place, job)));
        if runs == 0 {
            progress[place].print();
        }
    }
    let (jobs, progress) = (Mutex::new(jobs), Mutex::new(progress));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((place, job)) = next(&jobs) {
                    let failure = failure_of(job);
                    let row = &mut progress.lock().unwrap()[place];
                    row.failures.extend(failure);
                    row.left -= 1;
                    if row.left == 0 {
                        row.print();
                    }
                }
            });
        }
    });
    progress.into_inner().unwrap()
}

fn next(jobs: &Mutex<VecDeque<(usize, Job)>>) -> Option<(usize, Job)> {
    jobs.lock().unwrap().pop_front()
}

/// Runs a job; returns the reason if it fails.
fn failure_of(job: Job) -> Option<String> {
    let Job { label, run } = job;
    panic::catch_unwind(AssertUnwindSafe(run)).err().map(|_| format!("{label}: {}", REASON.take()))
}

impl Progress {
    fn print(&self) {
        let Self { id, fault, not_possible, runs, failures, .. } = self;
        match (failures.is_empty(), not_possible) {
            (false, _) => println!("{id:4} FAILED: {fault}\n     {}", failures.join("\n     ")),
            (true, Some(why)) => println!("{id:4} not possible here: {fault} ({runs} runs): {why}"),
            (true, None) => println!("{id:4} passed: {fault} ({runs} runs)"),
        }
    }
}
