//! X18 and X19: clocks that jump, and a machine that sleeps.

use std::fs;

use rustix::process::Signal;
use rustix::time::ClockId;

use crate::expectations::assert_common;
use crate::preload;
use crate::process_rows::{five, wait_for_segments};
use crate::program::Ended;
use crate::rows::{Row, row};
use crate::streams::live_origin;

/// Returns the rows.
pub fn rows() -> Vec<Row> {
    vec![clocks(row("X18", "a wall clock that jumps")), suspended(row("X19", "a machine that is suspended"))]
}

/// Changes clocks by these seconds while segments are loaded, and ends the run when each client has loaded the playlist
/// three times more.
fn changed(clocks: &[ClockId], seconds: i64) -> Ended {
    let origin = live_origin();
    let bits = clocks.iter().fold(0, |bits, clock| bits | 1 << *clock as u32);
    let start = preload::loaded(five(&origin), preload::CLOCK)
        .env("MATRIX_CLOCKS", &bits.to_string())
        .env("MATRIX_SHIFT", &seconds.to_string());
    let mut program = start.start();
    wait_for_segments(&mut program, &origin);
    fs::write(program.path("shifted"), "").unwrap();
    let loaded = origin.log.count("m3u8");
    assert!(program.wait_until("reloads", |_| origin.log.count("m3u8") >= loaded + 15));
    program.signal(Signal::INT);
    let run = program.end();
    assert_common(&run, 5);
    assert_eq!(run.outcomes(), ["ok"]);
    assert!(run.number("/run/duration_s") < 1_000.0, "{}", run.report["run"]);
    for (name, times) in run.report["latency_us"].as_object().unwrap() {
        assert!(times["max"].as_u64() < Some(1_000_000_000), "{name}: {times}");
    }
    run
}

/// Returns the worst value of a gauge of the trust verdict, in seconds.
fn worst_s(run: &Ended, gauge: &str) -> f64 {
    run.number(&format!("/trust/gauges/{gauge}/worst")) / 1e6
}

/// Shifts the wall clock by these seconds.
fn shifted(seconds: i64) {
    let run = changed(&[ClockId::Realtime], seconds);
    run.assert_exit_code(0);
    let step = worst_s(&run, "clock_step_us");
    assert!((step - seconds.abs() as f64).abs() < 1.0, "a step of {step} s");
    assert!(worst_s(&run, "suspended_us") < 1.0);
}

fn clocks(row: Row) -> Row {
    if !preload::can_change_clocks() {
        return row.lacks(preload::NO_COMPILER);
    }
    row.job("forward by an hour", || shifted(3_600))
        .job("back by an hour", || shifted(-3_600))
        .job("to 1970", || shifted(-1_767_225_600))
}

fn suspended(row: Row) -> Row {
    if !preload::can_change_clocks() {
        return row.lacks(preload::NO_COMPILER);
    }
    // Afterwards the wall clock and that of the time since boot are ahead of the one that the program measures with.
    row.job("for ten seconds", || {
        let run = changed(&[ClockId::Realtime, ClockId::Boottime], 10);
        run.assert_exit_code(0);
        let asleep = worst_s(&run, "suspended_us");
        assert!((asleep - 10.0).abs() < 1.0, "asleep for {asleep} s");
        assert!(
            worst_s(&run, "clock_step_us") < 1.0,
            "the time of a suspension is no step of the wall clock"
        );
    })
}
