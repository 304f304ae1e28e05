//! What this machine can carry, before anything is sent.
//!
//! Counted is what every stream needs: a connection for each lane of requests that the player keeps apart. Whether
//! audio is separate and how many hosts there are is known only from the playlists; what that needs beyond the limit
//! ends as `local.fd`, which the run says at its end.

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::base::{Manners, limits, units};
use crate::player::LANES;

/// Open files that are no client's connection: standard streams, runtimes, reports, name servers.
const FILES_RESERVED: u64 = 64;

/// Raises the limit of open files as far as it goes and returns how many clients of a player with these manners fit.
///
/// # Errors
/// One line that says what is needed and what there is.
pub(super) fn check(clients: u32, manners: &Manners) -> Result<u32, String> {
    let files = raise_open_files();
    let each = if manners.connections_apart { LANES as u64 } else { 1 };
    let fit = files.map_or(u64::from(limits::CLIENTS), |files| files.saturating_sub(FILES_RESERVED) / each);
    let fit = u32::try_from(fit).unwrap_or(u32::MAX).min(limits::CLIENTS);
    if clients <= fit {
        return Ok(fit);
    }
    let needed = units::count(u64::from(clients) * each + FILES_RESERVED);
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
        let manners = Manners::default();
        assert!(check(0, &manners).is_ok());
        let fit = check(1, &manners).expect("one client fits");
        assert!(fit >= 1);
        if fit < limits::CLIENTS {
            let refused = check(fit + 1, &manners).expect_err("too many");
            assert!(refused.contains(&units::count(u64::from(fit))), "{refused}");
        }
    }

    #[test]
    fn a_player_that_keeps_its_lanes_apart_needs_a_file_for_each() {
        let apart = Manners { connections_apart: true, ..Manners::default() };
        let [together, apart] =
            [Manners::default(), apart].map(|manners| check(0, &manners).expect("none fits"));
        let Some(files) = getrlimit(Resource::Nofile).current else { return };
        let most = u64::from(limits::CLIENTS);
        assert_eq!(u64::from(together), (files - FILES_RESERVED).min(most));
        assert_eq!(u64::from(apart), ((files - FILES_RESERVED) / LANES as u64).min(most));
    }
}
