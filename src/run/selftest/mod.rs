//! `selftest`: measures what this machine can carry, against the built-in origin, and keeps the result for later runs.
//!
//! * Each load runs in a process of its own, one after the other; the parent only waits.
//! * The loads request as real players do, at several rates: a saturated load would make a request look two to four
//!   times too cheap. Two loads without a pause give the largest rates, and no prices.
//! * Every load is measured in several rounds: the numbers of a virtual machine differ from one minute to the next, and a
//!   median bears that. `capacity::fit` proves the prices by predicting each round from the others.
//! * A result that the machine's other work has disturbed is shown and not kept.

mod loads;
mod one_load;
mod process;

use std::path::PathBuf;

use color_eyre::eyre::WrapErr as _;

use super::{ExitStatus, Failure, calibration_file, control_runtime, exit, preflight, signals, stdio};
use crate::capacity::{self, Calibration, Measured, Misfit, Round};
use crate::cli::SelftestArgs;
use crate::config::shown_file;
use crate::generator;
use crate::report::selftest::{self as page, LoadReport, SelftestReport};
use crate::vocabulary::{Clock, Command, HttpProfile, StopCause, exit_code, units};

use loads::{ROUNDS_MAX, Scale, Spec};
use process::LoadProcess;

/// Smallest number of clients that the loads need.
const CLIENTS_LEAST: u32 = 50;

/// Runs `hlswarm selftest`, or measures the one load that a parent process asks for.
pub(super) fn selftest(args: SelftestArgs) -> Result<ExitStatus, Failure> {
    let scale = if args.quick { Scale::Quick } else { Scale::Whole };
    if let Some(load) = args.load {
        return one_load::measure(Spec { load, secure: args.tls, scale });
    }
    let file = if args.no_save { None } else { Some(prepared_file()?) };
    let fit = preflight::check(CLIENTS_LEAST, &HttpProfile::default()).map_err(Failure::Preflight)?.clients;
    if cfg!(debug_assertions) {
        stdio::say(
            "hlswarm: selftest: this is a debug build, which needs much more CPU than a release build",
        );
    }
    let identity = Identity::read()?;
    let measured = control_runtime()?.block_on(measure(scale, fit, identity.machine.cpus_allowed))?;
    let rounds = match measured {
        Ok(rounds) => rounds,
        Err(cause) => {
            let (code, name) = exit::of_signal(cause).unwrap_or((exit_code::INTERNAL, "an internal fault"));
            stdio::say(&format!("hlswarm: selftest: ended early by {name}; nothing was saved"));
            return Ok(code.into());
        }
    };
    conclude(identity, &rounds, file, args.json)
}

/// Returns the file of the calibration, in a folder that can be written.
fn prepared_file() -> Result<PathBuf, Failure> {
    let path = calibration_file::path().ok_or_else(|| {
        let asked = "set XDG_STATE_HOME or HOME to an absolute path, or use --no-save";
        Failure::Unwritten(format!("selftest: there is no folder to keep the result in; {asked}"))
    })?;
    match calibration_file::prepare(&path) {
        Ok(()) => Ok(path),
        Err(error) => Err(unwritten(&path, &error)),
    }
}

fn unwritten(path: &std::path::Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::Unwritten(format!("selftest: {}: {error}", shown_file(path)))
}

/// Measures all rounds. A signal ends the measurement, and is then the error within.
async fn measure(scale: Scale, fit: u32, processors: f64) -> Result<Result<Vec<Round>, StopCause>, Failure> {
    let orders = signals()?.orders;
    let planned = Spec::rounds(scale);
    announce(&format!("measures {}, for", units::plural(planned as u64, "round")), scale, 0..planned, fit);
    let (mut rounds, mut count) = (Vec::new(), planned);
    while rounds.len() < count {
        match round(scale, fit, (rounds.len(), count), &orders).await? {
            Ok(round) => rounds.push(round),
            Err(cause) => return Ok(Err(cause)),
        }
        let is_last = rounds.len() == count && scale == Scale::Whole && count < ROUNDS_MAX;
        // Only once, and all rounds are judged then: to repeat until the result fits would accept noise.
        if is_last && capacity::fit(&rounds, processors).is_ok_and(|fitted| fitted.is_near_the_limit()) {
            announce(
                "the result is near its limit: measures more rounds, for",
                scale,
                count..ROUNDS_MAX,
                fit,
            );
            count = ROUNDS_MAX;
        }
    }
    Ok(Ok(rounds))
}

/// Says how long rounds take, before they begin.
fn announce(what: &str, scale: Scale, rounds: std::ops::Range<usize>, fit: u32) {
    let seconds = Spec::time(scale, rounds, fit).as_secs();
    let minutes = units::plural(((seconds + 30) / 60).max(1), "minute");
    stdio::say(&format!("hlswarm: selftest: {what} about {minutes}"));
}

/// Measures all loads of a round, one after the other, and then once more those that something disturbed.
async fn round(
    scale: Scale,
    fit: u32,
    (number, count): (usize, usize),
    orders: &flume::Receiver<Command>,
) -> Result<Result<Round, StopCause>, Failure> {
    let (specs, mut round) = (Spec::round(scale, number), Round::new());
    let place = format!("round {} of {count}", number + 1);
    for (load, spec) in (1..).zip(&specs) {
        match one(*spec, fit, &format!("{place}, {load} of {}", specs.len()), orders).await? {
            Ok(measured) => _ = round.insert((spec.load, spec.secure), measured),
            Err(cause) => return Ok(Err(cause)),
        }
    }
    let is_disturbed = |spec: &&Spec| {
        let measured = round.get(&(spec.load, spec.secure));
        scale == Scale::Whole && spec.load.is_paced() && measured.is_some_and(Measured::is_disturbed)
    };
    for spec in specs.iter().filter(is_disturbed).copied().collect::<Vec<_>>() {
        match one(spec, fit, &format!("{place}, disturbed, again"), orders).await? {
            Ok(measured) => _ = round.insert((spec.load, spec.secure), measured),
            Err(cause) => return Ok(Err(cause)),
        }
    }
    Ok(Ok(round))
}

/// Measures one load.
async fn one(
    spec: Spec,
    fit: u32,
    place: &str,
    orders: &flume::Receiver<Command>,
) -> Result<Result<Measured, StopCause>, Failure> {
    let (load, transport) = (spec.load, if spec.secure { ", TLS" } else { "" });
    stdio::say(&format!("hlswarm: selftest: {place}: {}{transport}", load.words()));
    let failed = |error: process::LoadError| {
        Failure::Preflight(format!("selftest: the load '{}' was not measured: {error}", load.name()))
    };
    let process = LoadProcess::start(spec, fit).map_err(failed)?;
    tokio::select! {
        measured = process.finish() => Ok(Ok(measured.map_err(failed)?)),
        cause = stopped(orders) => Ok(Err(cause)),
    }
}

/// Waits for a signal.
async fn stopped(orders: &flume::Receiver<Command>) -> StopCause {
    loop {
        match orders.recv_async().await {
            Ok(Command::Stop(cause) | Command::StopNow(cause)) => return cause,
            Ok(_) => {}
            // The senders live as long as the process.
            Err(_) => return StopCause::Fault,
        }
    }
}

/// Computes the prices, keeps them if they can be believed, and prints the result.
fn conclude(
    identity: Identity,
    rounds: &[Round],
    file: Option<PathBuf>,
    json: bool,
) -> Result<ExitStatus, Failure> {
    let loads = LoadReport::all(rounds);
    let (calibration, reasons) = match calibrate(&identity, rounds) {
        Ok((calibration, doubts)) => (Some(calibration), doubts),
        Err(misfit) => (None, vec![misfit.to_string()]),
    };
    let mut report = SelftestReport::new(identity.machine, identity.build, loads);
    report.version = env!("CARGO_PKG_VERSION");
    (report.calibration, report.reasons) = (calibration, reasons);
    let mut status = exit_code::UNTRUSTED;
    if let Some(calibration) = report.calibration.as_ref().filter(|_| report.reasons.is_empty()) {
        status = 0;
        if let Some(path) = file {
            calibration_file::write(&path, calibration).map_err(|error| unwritten(&path, &error))?;
            // Later runs read it the same way.
            calibration_file::read().map_err(|error| unwritten(&path, &error))?;
            report.file = Some(shown_file(&path));
        }
    }
    let text = if json { report.json().wrap_err("the result has no form")? } else { page::text(&report) };
    let printed = stdio::print(&text, None);
    Ok(ExitStatus::from(if printed.is_err() { exit_code::UNWRITTEN } else { status }))
}

/// Identity of the machine and of the program.
struct Identity {
    machine: capacity::Machine,
    build: String,
}

impl Identity {
    fn read() -> Result<Self, Failure> {
        let unknown = "selftest: the processors of this machine cannot be counted";
        let machine = generator::machine().ok_or_else(|| Failure::Preflight(unknown.to_owned()))?;
        let build = calibration_file::build().wrap_err("this program's own file cannot be read")?;
        Ok(Self { machine, build })
    }
}

/// Returns the calibration, and the reasons not to believe it.
fn calibrate(identity: &Identity, rounds: &[Round]) -> Result<(Calibration, Vec<String>), Misfit> {
    let (machine, build) = (identity.machine.clone(), identity.build.clone());
    let fitted = capacity::fit(rounds, machine.cpus_allowed)?;
    let now = Clock::start().started_at();
    let calibration = Calibration {
        schema: capacity::SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        build,
        made_at: now.round(jiff::Unit::Second).unwrap_or(now).to_string(),
        machine,
        speed_ns: fitted.speed_ns,
        base_us_per_s: fitted.base_us_per_s,
        plain: fitted.plain,
        tls: fitted.tls,
        model_error_share: fitted.model_error_share,
        spread_share: fitted.spread_share,
    };
    Ok((calibration, fitted.doubts))
}
