//! The address space that this process may use (`ulimit -v`, `prlimit --as`), where it is limited.
//!
//! An allocation that fails aborts a process, without a report. So it is tried before the load whether threads and
//! first requests fit, and while the load lasts whether there is still room to end it.

use std::hint::black_box;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};

use crate::base::{Command, StopCause, units};

/// The stack of a thread, which is address space from its start.
const STACK: usize = 2 << 20;
/// What the first requests and the reports of a short run take.
const START: usize = 16 << 20;
/// What is kept for the end of a run: its last frame and its reports.
const END: usize = 8 << 20;
/// Time between two tries; a try takes microseconds.
const LOOK: Duration = Duration::from_millis(20);

/// Tries whether so many threads and a short run fit.
///
/// # Errors
/// One line that says what is needed and what there is.
pub(super) fn check(threads: usize) -> Result<(), String> {
    let Some(limit) = getrlimit(Resource::As).current else { return Ok(()) };
    let needed = threads.saturating_mul(STACK).saturating_add(START);
    if has_room(needed) {
        return Ok(());
    }
    Err(format!(
        "this process may use {} of address space, and {} more are needed; raise the limit (ulimit -v)",
        units::bytes(limit),
        units::bytes(needed as u64),
    ))
}

/// Stops the run before its address space is used up, within a runtime and for as long as that lives.
pub(super) fn watch(commands: flume::Sender<Command>) {
    if getrlimit(Resource::As).current.is_none() {
        return;
    }
    tokio::spawn(async move {
        while has_room(END) {
            tokio::time::sleep(LOOK).await;
        }
        // Where the run takes no command it is ending.
        _ = commands.send_async(Command::StopNow(StopCause::AddressSpace)).await;
    });
}

fn has_room(bytes: usize) -> bool {
    let mut room = Vec::<u8>::new();
    let reserved = room.try_reserve_exact(bytes).is_ok();
    // The compiler may leave out an allocation that nobody looks at.
    black_box(&room);
    reserved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_a_little_and_none_for_more_than_there_can_be() {
        assert!(has_room(1 << 10));
        assert!(!has_room(1 << 47));
        assert!(check(1).is_ok());
    }
}
