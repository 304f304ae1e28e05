//! Limit on the address space of this process (`ulimit -v`, `prlimit --as`), if there is one.
//!
//! A failed allocation aborts a process without a report. So this module tries before the load whether threads and
//! first requests fit, and during the load whether there is still room to end it.

use std::hint::black_box;
use std::io;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};

use crate::vocabulary::budget::Budget;
use crate::vocabulary::{Command, LargeBytes, StopCause, limits, units};

/// Stack of a thread, which takes address space from its start.
const STACK: usize = 2 << 20;
/// Bytes that the control thread needs to say that more do not fit.
const WORDS: usize = 1 << 20;
/// Bytes for the first requests and the reports of a short run.
const START: usize = 16 << 20;
/// Bytes reserved for the end of a run: its last sample and its reports.
const END: usize = 8 << 20;
/// Bytes that glibc's allocator reserves for each thread.
const ARENA: usize = 64 << 20;
/// Bytes that origins can make the process keep in any case: a few hundred short playlists.
const LEAST_KEPT: usize = 1 << 20;
/// Factor for each kept byte, which may exist as text, decoded, parsed and in the allocator's gaps.
const BYTES_FOR_EACH: usize = 4;
/// Time between two tries; a try takes microseconds.
const LOOK: Duration = Duration::from_millis(20);

/// Checks whether `threads` threads and a short run fit.
///
/// # Errors
/// One line that gives the limit and the bytes that are needed.
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

/// Checks whether the control thread fits. The kernel may grant a thread its stack and not one byte more: then its first
/// allocation would abort the process without a word.
///
/// # Errors
/// [`io::ErrorKind::OutOfMemory`].
pub(super) fn check_control_thread() -> io::Result<()> {
    if has_room(STACK + WORDS) { Ok(()) } else { Err(io::ErrorKind::OutOfMemory.into()) }
}

/// Returns the budget for bytes that origins can make the process keep. If the address space is limited, the budget
/// is a share of what `threads` threads leave: [`watch`] alone would act too late on a burst of large playlists.
pub(super) fn budget(threads: usize) -> Budget {
    let limit = getrlimit(Resource::As).current.and_then(|limit| usize::try_from(limit).ok());
    Budget::new(limit.map_or(limits::KEPT_BYTES, |limit| kept_within(limit, threads)))
}

fn kept_within(limit: usize, threads: usize) -> usize {
    let others = threads.saturating_mul(STACK + ARENA).saturating_add(START + END);
    (limit.saturating_sub(others) / BYTES_FOR_EACH).clamp(LEAST_KEPT, limits::KEPT_BYTES)
}

/// Stops the run before its address space is used up. Needs a runtime, and watches as long as that lives.
pub(super) fn watch(commands: flume::Sender<Command>) {
    if getrlimit(Resource::As).current.is_none() {
        return;
    }
    tokio::spawn(async move {
        while has_room(END) {
            tokio::time::sleep(LOOK).await;
        }
        // A run that takes no command is ending already.
        _ = commands.send_async(Command::StopNow(StopCause::AddressSpace)).await;
    });
}

fn has_room(bytes: usize) -> bool {
    let mut room = LargeBytes::default();
    let reserved = room.try_reserve_exact(bytes).is_ok();
    // The compiler may otherwise leave out an allocation that is never read.
    black_box(&room);
    reserved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_address_space_makes_the_budget_small() {
        assert_eq!(kept_within(200_000_000, 7), LEAST_KEPT);
        assert_eq!(kept_within(8 << 30, 7), limits::KEPT_BYTES);
        let between = kept_within(600 << 20, 7);
        assert!((LEAST_KEPT + 1..limits::KEPT_BYTES).contains(&between), "{between}");
        assert_eq!(kept_within(usize::MAX, usize::MAX), LEAST_KEPT);
    }

    #[test]
    fn there_is_room_for_a_little_and_none_for_more_than_there_can_be() {
        assert!(has_room(1 << 10));
        assert!(!has_room(1 << 47));
        assert!(check(1).is_ok() && check_control_thread().is_ok());
    }
}
