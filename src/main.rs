//! The program: all of it is in the library, so that rustc sees what nothing uses.

use std::process::ExitCode;

fn main() -> ExitCode {
    hlswarm::main()
}
