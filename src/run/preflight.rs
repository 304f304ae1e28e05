//! Checks what this machine can carry, before anything is sent.
//!
//! The check counts the connections that every stream needs: one for each lane of requests that the player keeps
//! apart. Only the playlists show whether audio is separate and how many hosts there are. Connections beyond the
//! limit fail as `local.fd`, which the run reports at its end.

use rustix::process::{Resource, getrlimit, setrlimit};

use super::stdio;
use crate::config::RunConfig;
use crate::control::OnShortage;
use crate::load::{Bound, ClientLimit, Ramp};
use crate::player::LANES;
use crate::vocabulary::{HttpProfile, limits, units};

/// Open files that are not connections of clients: standard streams, runtimes, reports, name servers, and the files
/// of the workers as long as these are few.
const FILES_RESERVED: u64 = 64;
/// Reserved files that do not belong to workers.
const FILES_OF_OTHERS: u64 = 32;
/// Open files of a worker thread: its poller, the handle to it, its waker, its share of the signals.
const FILES_OF_WORKER: u64 = 4;
/// Divisor of all files that bounds the share of the workers.
const WORKERS_PART: u64 = 4;

/// Raises the limit of open files as far as possible and returns how many clients fit. If the plan has more, the
/// options decide: the load is refused, lowered, or started all the same.
///
/// # Errors
/// One line that says how many files are needed and how many there are.
pub(super) fn apply(config: &mut RunConfig) -> Result<ClientLimit, String> {
    let asked = config.plan.profile.clients;
    let http_profile = widest(config);
    let why = match check(asked, &http_profile) {
        Ok(limit) => return Ok(limit),
        Err(why) => why,
    };
    let limit = fit(&http_profile).0;
    match config.plan.on_shortage {
        OnShortage::Clamp if limit.clients > 0 => {
            let profile = &mut config.plan.profile;
            // Fewer clients than planned start at the planned rate.
            profile.ramp = profile.rate().map_or(profile.ramp, Ramp::Rate);
            profile.clients = limit.clients;
            let asked = units::plural(asked.into(), "client");
            let said = format!("{} of {asked}: {why}", units::count(limit.clients.into()));
            let by = if config.search.is_some() { "preflight: the search tries at most" } else { "--clamp:" };
            stdio::say(&format!("hlswarm: {by} {said}"));
            config.clamped = Some(said);
            Ok(limit)
        }
        OnShortage::Warn => {
            stdio::say(&format!("hlswarm: preflight (skipped): {why}"));
            Ok(ClientLimit::default())
        }
        OnShortage::Clamp | OnShortage::Refuse => Err(why),
    }
}

/// Returns how many clients of a player with this HTTP profile fit, and the limit of open files, which it raises as
/// far as possible.
fn fit(http_profile: &HttpProfile) -> (ClientLimit, Option<u64>) {
    let files = raise_open_files();
    let each = files_of_client(http_profile);
    let fit = files.map_or(u64::MAX, |files| files.saturating_sub(files_reserved()) / each);
    let limit = match (u32::try_from(fit), files) {
        (Ok(clients), Some(files)) if clients < limits::CLIENTS => {
            ClientLimit { clients, bound: Bound::OpenFiles(files) }
        }
        _ => ClientLimit::default(),
    };
    (limit, files)
}

/// Returns the HTTP profile of the player that needs most connections.
fn widest(config: &RunConfig) -> HttpProfile {
    let profiles = config.clients.cast.kinds().map(|kind| kind.net.http_profile);
    profiles.max_by_key(files_of_client).unwrap_or_default()
}

fn files_of_client(http_profile: &HttpProfile) -> u64 {
    if http_profile.connections_apart { LANES as u64 } else { 1 }
}

/// Checks whether so many clients fit.
///
/// # Errors
/// One line that says how many files are needed and how many there are.
pub(super) fn check(clients: u32, http_profile: &HttpProfile) -> Result<ClientLimit, String> {
    let (limit, files) = fit(http_profile);
    let each = files_of_client(http_profile);
    if !limit.is_exceeded_by(clients.into()) {
        return Ok(limit);
    }
    let needed = units::count(u64::from(clients) * each + files_reserved());
    let there = files.map_or(units::UNKNOWN.to_owned(), units::count);
    let need = if clients == 1 { "needs" } else { "need" };
    Err(format!(
        "{} {need} {needed} open files and this process may open {there}; raise the limit (ulimit -Hn) or ask for at most {}",
        units::plural(u64::from(clients), "client"),
        units::plural(u64::from(limit.clients), "client"),
    ))
}

/// Returns the number of worker threads: one for each core, or fewer if very few files may be open.
pub(super) fn workers() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    // The hard limit is the one that will hold: the soft limit is raised to it.
    let files = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    usize::try_from(workers_within(files)).unwrap_or(cores).min(cores)
}

fn workers_within(files: u64) -> u64 {
    (files / (FILES_OF_WORKER * WORKERS_PART)).max(1)
}

pub(super) fn files_reserved() -> u64 {
    // The canary has a worker of its own.
    FILES_RESERVED.max(FILES_OF_OTHERS + FILES_OF_WORKER * (workers() as u64 + 1))
}

/// Raises the soft limit to the hard one and returns the limit that then holds; `None` means no limit.
fn raise_open_files() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    let before = limit.current;
    limit.current = limit.maximum;
    match setrlimit(Resource::Nofile, limit) {
        Ok(()) => limit.maximum,
        // Some systems refuse the limit that they offered; the previous one still holds.
        Err(_) => before,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_with_the_arithmetic() {
        let http_profile = HttpProfile::default();
        assert!(check(0, &http_profile).is_ok());
        let fit = check(1, &http_profile).expect("one client fits").clients;
        assert!(fit >= 1);
        if fit < limits::CLIENTS {
            let refused = check(fit + 1, &http_profile).expect_err("too many");
            assert!(refused.contains(&units::count(u64::from(fit))), "{refused}");
        }
    }

    #[test]
    fn workers_leave_most_files_to_clients() {
        assert_eq!([3, 20, 64, 1024].map(workers_within), [1, 1, 4, 64]);
        assert!(workers() >= 1 && files_reserved() >= FILES_RESERVED);
    }

    #[test]
    fn a_player_that_keeps_its_lanes_apart_needs_a_file_for_each() {
        let apart = HttpProfile { connections_apart: true, ..HttpProfile::default() };
        let [together, apart] = [HttpProfile::default(), apart]
            .map(|http_profile| check(0, &http_profile).expect("none fits").clients);
        let Some(files) = getrlimit(Resource::Nofile).current else { return };
        let most = u64::from(limits::CLIENTS);
        assert_eq!(u64::from(together), (files - files_reserved()).min(most));
        assert_eq!(u64::from(apart), ((files - files_reserved()) / LANES as u64).min(most));
    }
}
