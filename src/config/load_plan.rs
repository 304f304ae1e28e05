//! The plan of a load from its options.

use std::time::Duration;

use super::ConfigError;
use crate::cli::LoadArgs;
use crate::control::{Ahead, OnShortage, Plan};
use crate::load::{ArrivalProfile, ClientLimit, Ramp, RampProfile, Stage, StageList, StagesProfile};
use crate::vocabulary::HardStops;

/// Builds the plan of `run` and `demo`.
///
/// # Errors
/// Stages that make no plan, and arrivals that never end.
pub(super) fn plan(args: &LoadArgs, seed: u64) -> Result<Plan, ConfigError> {
    let stages = stages(&args.stages, args.duration)?;
    let arrivals = arrivals(args)?;
    let profile = match (&stages, &arrivals) {
        (Some(stages), _) => stages.pace(seed),
        (None, Some(arrivals)) => RampProfile {
            clients: most_clients(args, arrivals),
            ramp: Ramp::Rate(arrivals.per_second),
            jitter: Duration::ZERO,
            seed,
        },
        // `--ramp-rate` has a default, so `--ramp-time` wins where it is given.
        (None, None) => RampProfile {
            clients: args.clients,
            ramp: args.ramp_time.map_or(Ramp::Rate(args.ramp_rate), Ramp::Time),
            jitter: args.ramp_jitter,
            seed,
        },
    };
    Ok(Plan {
        profile,
        limit: ClientLimit::default(),
        // Without preflight no client tries the stream before the others.
        ahead: if args.skip_preflight { Ahead::Together } else { Ahead::First },
        on_shortage: match (args.limits.clamp, args.skip_preflight) {
            (true, _) => OnShortage::Clamp,
            (false, true) => OnShortage::Warn,
            (false, false) => OnShortage::Refuse,
        },
        brakes: !args.no_brake,
        duration: args.duration.or(stages.as_ref().map(StagesProfile::length)),
        has_default_end: false,
        hard_stops: HardStops::from(args.limits),
        stages,
        arrivals,
    })
}

/// Returns the stages of a plan; `None` without any. They must end some time, or `duration` must end the run.
fn stages(lists: &[StageList], duration: Option<Duration>) -> Result<Option<StagesProfile>, ConfigError> {
    let stages: Vec<Stage> = lists.iter().flat_map(|list| list.0.iter().copied()).collect();
    if stages.is_empty() {
        return Ok(None);
    }
    let profile = StagesProfile::new(&stages).map_err(ConfigError::Stages)?;
    if profile.length().is_zero() && duration.is_none() {
        let why = "the run would end at once; add a stage that takes time, such as 'hold 10m', or --duration";
        return Err(ConfigError::Stages(why.to_owned()));
    }
    Ok(Some(profile))
}

/// Returns the arrivals of a plan; `None` without any. The number of clients must have a bound.
fn arrivals(args: &LoadArgs) -> Result<Option<ArrivalProfile>, ConfigError> {
    let Some(per_second) = args.arrival.arrival else { return Ok(None) };
    let stays = mean_session(args);
    if stays.is_none() && args.clients == 0 && args.duration.is_none() {
        return Err(ConfigError::EndlessArrivals);
    }
    Ok(Some(ArrivalProfile { per_second, process: args.arrival.arrival_process, stays }))
}

/// Returns the mean length of the sessions, over the members of the mix; `None` if some of them never end.
fn mean_session(args: &LoadArgs) -> Option<Duration> {
    if args.mix.is_empty() {
        return args.session_length.mean();
    }
    let shares: u32 = args.mix.iter().map(|member| member.share).sum();
    let lengths = args.mix.iter().map(|member| {
        let length = member.session_length.unwrap_or(args.session_length).mean()?;
        Some(length.mul_f64(f64::from(member.share) / f64::from(shares)))
    });
    lengths.sum()
}

/// Returns the most clients that may be there at once: those that were asked for, or those to expect.
fn most_clients(args: &LoadArgs, arrivals: &ArrivalProfile) -> u32 {
    if args.clients > 0 { args.clients } else { arrivals.peak(args.duration.unwrap_or(Duration::MAX)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    fn planned(options: &[&str]) -> Result<Plan, String> {
        let line = ["hlswarm", "run", "http://h/a"].iter().chain(options).map(std::ffi::OsString::from);
        let parsed = cli::parse(line).map_err(|usage| format!("{usage:?}"))?;
        let cli::Command::Run(args) = parsed.command else { panic!("a run") };
        plan(&args.load, 1).map_err(|error| error.to_string())
    }

    #[test]
    fn arrivals_need_a_bound_and_get_the_clients_that_they_need() {
        let clients = |options: &[&str]| planned(options).map(|plan| plan.profile.clients);
        assert_eq!(clients(&["--arrival", "20/s", "--session-length", "exp:5m"]), Ok(6_314));
        assert_eq!(clients(&["--arrival", "20/s", "--session-length", "5m", "-d", "10s"]), Ok(261));
        assert_eq!(clients(&["--arrival", "600/m", "-d", "10s"]), Ok(144));
        assert_eq!(clients(&["--arrival", "20/s", "-c", "50"]), Ok(50));
        let plan = planned(&["--arrival", "600/m", "--arrival-process", "even", "-c", "5"]).expect("a plan");
        assert_eq!(plan.arrivals.map(|arrivals| arrivals.to_string()).as_deref(), Some("10/s even"));
        assert_eq!(plan.profile.rate(), Some(10.0));
        for (options, expected) in [
            (&["--arrival", "20/s"][..], "--arrival: no client would ever leave; give --session-length"),
            (&["--arrival", "20/s", "--stage", "hold 1s"], "--arrival cannot be used together with --stage"),
            (&["--arrival", "20/s", "--ramp-time", "1s"], "cannot be used together with"),
            (&["--arrival", "fast"], "--arrival 'fast': expected a rate"),
            (&["--arrival", "2", "-c5", "--arrival-process", "odd"], "expected poisson or even"),
            (&["--arrival-process", "even"], "--arrival"),
        ] {
            let said = planned(options).expect_err("refused");
            assert!(said.contains(expected) && !said.contains('\n'), "{options:?}: {said}");
        }
    }
}
