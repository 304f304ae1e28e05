//! The fault matrix: what origins, connections, this machine and operators can do wrong, one row for each, against the
//! real program.
//!
//! - `cargo test --test matrix` runs all rows, several at a time; `cargo test --test matrix -- P13 S` runs row P13 and
//!   all rows of segments. The last line counts them: passed, not possible here, failed.
//! - Every run keeps the expectations of `expectations.rs`; a row adds the outcome, the exit code and what is special.
//! - A run ends when its record shows the expected outcome, not after a time, so a busy machine breaks no row.
//! - A row that cannot be built here says why, and runs what can be built of it. With `HLSWARM_REQUIRE_ROWS=1` it
//!   fails if another machine has what it lacks: the rights of root, a C compiler, ip(8), tc(8).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test with a main of its own, which Clippy does not know as a test"
)]

mod address_rows;
mod certificates;
mod clock_rows;
mod connection_rows;
mod expectations;
mod http2;
mod http2_rows;
mod limit_rows;
mod machine_rows;
mod many_rows;
mod names;
mod operator_rows;
mod origin;
mod playlist_rows;
mod preload;
mod process_rows;
mod program;
mod rows;
mod runner;
mod segment_rows;
mod stream_rows;
mod streams;
#[expect(dead_code, reason = "shared with tests/pty, which uses more of it")]
#[path = "../pty/terminal.rs"]
mod terminal;
mod terminal_rows;

use std::process::ExitCode;

use rows::Row;

/// Tables of rows.
const TABLES: [fn() -> Vec<Row>; 12] = [
    playlist_rows::rows,
    address_rows::rows,
    stream_rows::rows,
    segment_rows::rows,
    connection_rows::rows,
    http2_rows::rows,
    process_rows::rows,
    terminal_rows::rows,
    machine_rows::rows,
    limit_rows::rows,
    clock_rows::rows,
    operator_rows::rows,
];

fn main() -> ExitCode {
    runner::run(TABLES.into_iter().flat_map(|rows| rows()).collect())
}
