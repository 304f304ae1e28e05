//! `selftest`: measures what this machine can carry, against the built-in origin, and keeps the result for later runs.
//!
//! * Each load runs in a process of its own, one after the other; the parent only waits.
//! * The loads request as real players do, at several rates: a saturated load would make a request look two to four
//!   times too cheap. Two loads without a pause give the largest rates, and no prices.
//! * A result that the machine's other work has disturbed is shown and not kept.

mod loads;
mod one_load;
mod process;

use std::path::PathBuf;

use color_eyre::eyre::WrapErr as _;

use super::{ExitStatus, Failure, calibration_file, control_runtime, exit, preflight, signals, stdio};
use crate::capacity::{self, Calibration, Measurements, Misfit};
use crate::cli::SelftestArgs;
use crate::config::shown_file;
use crate::generator;
use crate::report::selftest::{self as page, LoadReport, SelftestReport};
use crate::vocabulary::{Clock, Command, HttpProfile, StopCause};

use loads::{Scale, Spec};
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
    let measured = control_runtime()?.block_on(measure(scale, fit))?;
    let measured = match measured {
        Ok(measured) => measured,
        Err(cause) => {
            let (code, name) = exit::of_signal(cause).unwrap_or((exit::INTERNAL, "an internal fault"));
            stdio::say(&format!("hlswarm: selftest: ended early by {name}; nothing was saved"));
            return Ok(code.into());
        }
    };
    conclude(measured, file, args.json)
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

/// Numbers of all loads, without TLS and with it.
#[derive(Debug, Default)]
struct AllLoads {
    plain: Measurements,
    tls: Measurements,
    speed_ns: Option<f64>,
}

impl AllLoads {
    fn of(&mut self, secure: bool) -> &mut Measurements {
        if secure { &mut self.tls } else { &mut self.plain }
    }
}

/// Measures all loads, one after the other. A signal ends the measurement, and is then the error within.
async fn measure(scale: Scale, fit: u32) -> Result<Result<AllLoads, StopCause>, Failure> {
    let orders = signals()?.orders;
    let mut all = AllLoads { speed_ns: generator::speed_ns(), ..AllLoads::default() };
    let specs = Spec::all(scale);
    for (number, spec) in (1..).zip(&specs) {
        let (load, transport) = (spec.load, if spec.secure { ", TLS" } else { "" });
        stdio::say(&format!("hlswarm: selftest: {number} of {}: {}{transport}", specs.len(), load.words()));
        let failed = |error: process::LoadError| {
            Failure::Preflight(format!("selftest: the load '{}' was not measured: {error}", load.name()))
        };
        let process = LoadProcess::start(*spec, fit).map_err(failed)?;
        let measured = tokio::select! {
            measured = process.finish() => measured.map_err(failed)?,
            cause = stopped(&orders) => return Ok(Err(cause)),
        };
        all.of(spec.secure).insert(load, measured);
    }
    Ok(Ok(all))
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
fn conclude(all: AllLoads, file: Option<PathBuf>, json: bool) -> Result<ExitStatus, Failure> {
    let identity = Identity::read()?;
    let loads = LoadReport::all(&all.plain, &all.tls);
    let (calibration, reasons) = match calibrate(&identity, &all) {
        Ok((calibration, doubts)) => (Some(calibration), doubts),
        Err(misfit) => (None, vec![misfit.to_string()]),
    };
    let mut report = SelftestReport::new(identity.machine, identity.build, loads);
    report.version = env!("CARGO_PKG_VERSION");
    (report.calibration, report.reasons) = (calibration, reasons);
    let mut status = exit::UNTRUSTED;
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
    Ok(ExitStatus::from(if printed.is_err() { exit::UNWRITTEN } else { status }))
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
fn calibrate(identity: &Identity, all: &AllLoads) -> Result<(Calibration, Vec<String>), Misfit> {
    let (machine, build) = (identity.machine.clone(), identity.build.clone());
    let base_us_per_s = capacity::base_us_per_s(&all.plain)?;
    let costs = |loads| capacity::costs(base_us_per_s, loads, machine.cpus_allowed);
    let now = Clock::start().started_at();
    let mut calibration = Calibration {
        schema: capacity::SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        build,
        made_at: now.round(jiff::Unit::Second).unwrap_or(now).to_string(),
        speed_ns: all.speed_ns.ok_or(Misfit::NoPrice("a step of the processor"))?,
        base_us_per_s,
        plain: costs(&all.plain)?,
        tls: costs(&all.tls)?,
        model_error_share: 0.0,
        machine,
    };
    let mut reasons = Vec::new();
    for (secure, loads) in [(false, &all.plain), (true, &all.tls)] {
        let error = capacity::model_error(&calibration, loads, secure)?;
        calibration.model_error_share = calibration.model_error_share.max(error);
        let transport = if secure { "HTTPS" } else { "HTTP" };
        reasons.extend(capacity::doubts(loads, error).iter().map(|doubt| format!("{transport}: {doubt}")));
    }
    Ok((calibration, reasons))
}
