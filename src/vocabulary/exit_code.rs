//! Exit codes of the program, and which of several applies.

/// An internal fault: a caught panic, a broken invariant.
pub const INTERNAL: u8 = 70;
/// A run refused the request of `hlswarm ctl`. No run ends with it.
pub const REFUSED: u8 = 1;
/// Bad arguments or configuration.
pub const USAGE: u8 = 2;
/// Preflight refused the load: this machine cannot carry it, or the first client found nothing at the URL.
pub const PREFLIGHT: u8 = 5;
/// A report or a record could not be written.
pub const UNWRITTEN: u8 = 6;
/// Code of a run that a signal ended, before the number of the signal is added.
pub const SIGNALLED: u8 = 128;
/// The run finished, but this machine limited the result.
pub const UNTRUSTED: u8 = 4;
/// The run finished, but its criteria failed.
pub const CRITERIA: u8 = 3;

/// Codes in the order in which they apply; [`SIGNALLED`] stands for those of all signals.
const ORDER: [u8; 7] = [INTERNAL, USAGE, PREFLIGHT, UNWRITTEN, SIGNALLED, UNTRUSTED, CRITERIA];

/// Returns the place of a code among those that apply, the one that applies first lowest. Success is last; before it
/// stand codes that this version does not know.
pub fn rank(code: u64) -> (usize, u64) {
    let class = if code > SIGNALLED.into() { SIGNALLED.into() } else { code };
    let place = ORDER.iter().position(|known| u64::from(*known) == class);
    (place.unwrap_or(ORDER.len() + usize::from(code == 0)), code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_internal_fault_applies_before_all_others_and_success_after_them() {
        let mut codes = [0, 3, 4, 141, 143, 6, 9, 5, 2, 70];
        codes.sort_by_key(|code| rank(*code));
        assert_eq!(codes, [70, 2, 5, 6, 141, 143, 4, 3, 9, 0]);
    }
}
