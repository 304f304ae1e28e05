//! What this machine can carry, before anything is sent.

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::base::{limits, units};

/// Open files that are no client's connection: standard streams, runtimes, reports, name servers.
const FILES_RESERVED: u64 = 64;

/// Raises the limit of open files as far as it goes and returns how many clients fit.
///
/// # Errors
/// One line that says what is needed and what there is.
pub(super) fn check(clients: u32) -> Result<u32, String> {
    let files = raise_open_files();
    let fit = files.map_or(u64::from(limits::CLIENTS), |files| files.saturating_sub(FILES_RESERVED));
    let fit = u32::try_from(fit).unwrap_or(u32::MAX).min(limits::CLIENTS);
    if clients <= fit {
        return Ok(fit);
    }
    let needed = units::count(u64::from(clients) + FILES_RESERVED);
    let there = files.map_or(units::UNKNOWN.to_owned(), units::count);
    Err(format!(
        "{} need {needed} open files and this process may open {there}; raise the limit (ulimit -Hn) or ask for at most {}",
        units::plural(u64::from(clients), "client"),
        units::plural(u64::from(fit), "client"),
    ))
}

/// Raises the soft limit to the hard one and returns what holds then; `None`: no limit.
fn raise_open_files() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    let before = limit.current;
    limit.current = limit.maximum;
    match setrlimit(Resource::Nofile, limit) {
        Ok(()) => limit.maximum,
        // Some systems refuse what they offered; what was there before still holds.
        Err(_) => before,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_with_the_arithmetic() {
        assert!(check(0).is_ok());
        let fit = check(1).expect("one client fits");
        assert!(fit >= 1);
        if fit < limits::CLIENTS {
            let refused = check(fit + 1).expect_err("too many");
            assert!(refused.contains(&units::count(u64::from(fit))), "{refused}");
        }
    }
}
