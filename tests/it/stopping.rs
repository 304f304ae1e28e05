//! All ways to stop a run: the report is complete, and the exit code names the cause.

use std::time::Duration;

use rustix::process::Signal;

use crate::program::Program;
use crate::scripted::{Answer, Scripted, Then};

const LIMIT: Duration = Duration::from_secs(30);

/// Runs a demo, sends it the signals once it is running, and returns its end.
fn stopped(options: &[&str], signals: &[Signal]) -> crate::program::Ended {
    let load = ["--healthy", "-c", "5", "--ramp-time", "0"];
    let program = Program::start_command(&["demo"], &[&load, options].concat());
    program.wait_until_it_said("RUNNING");
    for signal in signals {
        program.signal(*signal);
    }
    program.end_within(LIMIT)
}

#[test]
fn a_signal_before_the_declared_end_is_the_exit_code_and_the_report_is_complete() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let run = stopped(&["-d", "60s"], &[signal]);
        run.assert_exit_code(code);
        assert!(run.report.count("/requests/segment") > 0);
        assert_eq!(run.report.count("/requests/started"), run.report.count("/requests/finished"));
        assert_eq!(run.report.count("/exit/code"), code as u64);
        // The origin, a child process of the demo, did not receive the signal and has reported its counts.
        assert_eq!(run.report.count("/origin/requests/segment"), run.report.count("/requests/segment"));
    }
}

#[test]
fn one_interrupt_is_the_normal_end_of_a_run_without_a_duration() {
    stopped(&[], &[Signal::INT]).assert_exit_code(0);
}

#[test]
fn what_is_in_flight_may_finish_and_a_second_interrupt_cuts_it() {
    let silent = || Scripted::start(|_| Answer { bytes: Vec::new(), then: Then::Hang });
    // Without a duration one interrupt is the normal end, here of a run in which nothing was played; two are not.
    for (interrupts, code, shortest) in [(1, 3, Duration::from_secs(4)), (2, 130, Duration::ZERO)] {
        let origin = silent();
        let program = Program::start(&origin.url("/master.m3u8"), &["-c", "3", "--ramp-time", "0"]);
        program.wait_until_it_said("RUNNING");
        let begun = std::time::Instant::now();
        for _ in 0..interrupts {
            program.signal(Signal::INT);
            // Two pending signals merge into one, so wait for the effect of the first.
            program.wait_until_it_said("DRAINING");
        }
        let run = program.end_within(LIMIT);
        run.assert_exit_code(code);
        assert_eq!(run.report.outcomes(), [("cut", 3)]);
        assert!(begun.elapsed() >= shortest);
    }
}

#[test]
fn zero_clients_send_nothing_and_end_well() {
    let run = Program::start_command(&["demo"], &["-c", "0", "-d", "1s"]).end_within(LIMIT);
    run.assert_exit_code(0);
    assert_eq!(run.report.count("/requests/started"), 0);
}
