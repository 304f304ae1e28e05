//! Measures one load, in a process of its own: the memory of the loads before it would count as its own.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::{WrapErr as _, eyre};
use tokio::sync::watch;

use super::loads::Spec;
use crate::capacity::{FloorLatency, Measured};
use crate::cli;
use crate::config::{self, RunConfig, Show, run_config};
use crate::control::Ahead;
use crate::generator::{self, Process, SpeedBeside};
use crate::origin::child::Child;
use crate::run::files::Temporary;
use crate::run::{ExitStatus, Failure, control_runtime, load_beside, preflight, signals, stdio};
use crate::sample::RunSample;
use crate::stats::Metric;
use crate::verdict::TrustVerdict;
use crate::vocabulary::{Kind, Timed};

/// Measures a load and prints its numbers as one line of JSON, for the process that asked.
pub(super) fn measure(spec: Spec) -> Result<ExitStatus, Failure> {
    let measured = control_runtime()?.block_on(run(spec))?;
    let line = serde_json::to_string(&measured).wrap_err("the numbers have no form")?;
    let printed = stdio::print(&(line + "\n"), None);
    printed.map(|()| ExitStatus::from(0)).map_err(|error| Failure::Unwritten(error.to_string()))
}

async fn run(spec: Spec) -> Result<Measured, Failure> {
    let signals = signals()?;
    let child = Child::spawn(spec.origin()).await.wrap_err("the built-in origin did not start")?;
    let fit = preflight::check(0, &Default::default()).map_err(Failure::Preflight)?.clients;
    let config = configured(spec, &child, fit)?;
    let window = spec.window(fit);
    let speed_before_ns = generator::speed_ns();
    let (ended, measured) = load_beside(config, signals, |samples, _| stretch(samples, window)).await?;
    let mut measured = measured.wrap_err("the speed of this machine could not be measured")?;
    measured.speed_before_ns = speed_before_ns;
    if let Some(code) = ended.ending.cause.and_then(crate::run::exit::of_signal) {
        return Err(eyre!("{} ended the measurement", code.1).into());
    }
    conclude(&ended.sample, &mut measured);
    // The measurement needs no counts of the origin, and one that does not end is killed.
    _ = child.finish().await;
    Ok(measured)
}

/// Builds the configuration of the run from its command line.
fn configured(spec: Spec, child: &Child, fit: u32) -> Result<RunConfig, Failure> {
    let hello = child.hello();
    let base = if spec.secure { hello.tls.as_deref() } else { Some(hello.plain.as_str()) };
    let url = format!("{}{}", base.unwrap_or_default(), spec.stream());
    let parsed = cli::parse(spec.command(&url, fit)).map(|cli| cli.command);
    let Ok(cli::Command::Run(mut args)) = parsed else {
        return Err(eyre!("the built-in origin reported an invalid URL").into());
    };
    let pem = hello.certificate_pem.as_deref().filter(|_| spec.secure);
    let trusted = pem.map(|pem| Temporary::private(pem.as_bytes())).transpose();
    let trusted = trusted.wrap_err("the certificate of the built-in origin could not be saved")?;
    args.load.requests.cacert = trusted.as_ref().map(|file| file.path().to_owned());
    let targets = config::targets(args.stream.all())?;
    let mut config = run_config(targets, args.load, "hlswarm selftest".to_owned())?;
    // The environment may name a collector; a load that measures this machine is not for it.
    #[cfg(feature = "otlp")]
    {
        config.otlp = None;
    }
    config.output.show = Show::Nothing;
    // The price of the plan would follow from the calibration that is being made.
    config.plan.ahead = Ahead::Single;
    Ok(config)
}

/// Counts at one moment.
struct Counts {
    at: Duration,
    cpu: Duration,
    requests: u64,
    bytes: u64,
    connections: u64,
}

impl Counts {
    /// Takes the counts of a sample that was just made, and the CPU time so far without that of the speed measurement.
    fn new(sample: &RunSample, speed: &SpeedBeside) -> Self {
        let totals = &sample.snapshot.totals;
        Self {
            at: sample.at,
            cpu: Process::now().cpu.saturating_sub(speed.cpu()),
            requests: totals.started(),
            bytes: totals.bytes(),
            connections: totals.get(Metric::Connections),
        }
    }
}

/// Measures from the first sample after one moment to the first after another, and the speed of the machine beside it.
async fn stretch(
    mut samples: watch::Receiver<Arc<RunSample>>,
    (from, to): (Duration, Duration),
) -> io::Result<Measured> {
    let mut begun = None;
    // The sender lives until the run has ended, which is later.
    while samples.changed().await.is_ok() {
        let sample = Arc::clone(&samples.borrow_and_update());
        if sample.at < from {
            continue;
        }
        let Some((begin, speed)) = begun.take() else {
            let speed = SpeedBeside::start()?;
            begun = Some((Counts::new(&sample, &speed), speed));
            continue;
        };
        if sample.at < to {
            begun = Some((begin, speed));
            continue;
        }
        let now = Counts::new(&sample, &speed);
        let resident_bytes = Process::now().resident_bytes;
        return Ok(Measured {
            seconds: now.at.saturating_sub(begin.at).as_secs_f64(),
            cpu_s: now.cpu.saturating_sub(begin.cpu).as_secs_f64(),
            requests: now.requests.saturating_sub(begin.requests),
            bytes: now.bytes.saturating_sub(begin.bytes),
            connections: now.connections.saturating_sub(begin.connections),
            clients: sample.active_clients(),
            resident_bytes,
            speed_beside_ns: speed.finish().await,
            ..Measured::default()
        });
    }
    Ok(Measured::default())
}

/// Adds the numbers of the whole run.
fn conclude(sample: &RunSample, measured: &mut Measured) {
    let latency = |timed| {
        let run = sample.latency(timed).run?;
        Some(FloorLatency { p50: run.p50 as f64, p99: run.p99 as f64 })
    };
    measured.playlist_ttfb_us = latency(Timed::FirstByte(Kind::Playlist));
    measured.segment_ttfb_us = latency(Timed::FirstByte(Kind::Segment));
    measured.segment_us = latency(Timed::Total(Kind::Segment));
    measured.failed = sample.snapshot.totals.errors();
    if sample.trust.verdict != TrustVerdict::Valid {
        measured.trust_reasons = sample.trust.reasons.iter().map(|reason| reason.sentence()).collect();
    }
}
