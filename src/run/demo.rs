//! `demo`: runs the load against the built-in origin. The origin is a child process, so that its CPU, files and
//! memory are not the load tester's.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::{Duration, Instant};

use color_eyre::eyre::WrapErr as _;

use tokio::sync::watch;

use super::files::Temporary;
use super::{ExitStatus, Failure, stdio};
use crate::cli::DemoArgs;
use crate::config::{ConfigError, run_config};
use crate::control::Ahead;
use crate::origin::child::Child;
use crate::origin::narrator::Narrator;
use crate::origin::settings::FAULT_RULES;
use crate::run_state::{Note, NoteKind};
use crate::sample::RunSample;
use crate::vocabulary::SecretUrl;

/// Length of a demonstration unless another is asked for: each fault twice, and then the report.
const LENGTH: Duration = Duration::from_secs(120);

pub(super) async fn demo(args: DemoArgs, command: String) -> Result<ExitStatus, Failure> {
    if args.faults.len() > FAULT_RULES {
        return Err(ConfigError::Origin(format!("--fault: at most {FAULT_RULES} rules are accepted")).into());
    }
    let signals = super::signals()?;
    let child = Child::spawn(child_args(&args)).await.wrap_err("the built-in origin did not start")?;
    // The origin counts the time of its faults from its start, which it has just reported.
    let begun = Instant::now();
    let hello = child.hello();
    let base = if args.tls { hello.tls.as_deref().unwrap_or(&hello.plain) } else { &hello.plain };
    let target = SecretUrl::parse(&format!("{base}/live/{}/master.m3u8", args.format));
    let target = target.wrap_err("the built-in origin reported an invalid URL")?;
    let narrator = narrator(&args);
    let mut load = args.load;
    let has_default_end = load.duration.is_none() && load.stages.is_empty();
    if has_default_end {
        load.duration = Some(LENGTH);
    }
    let pem = hello.certificate_pem.as_deref().filter(|_| args.tls);
    let trusted = pem.map(|pem| Temporary::private(pem.as_bytes())).transpose();
    let trusted = trusted.wrap_err("the certificate of the built-in origin could not be saved")?;
    if let Some(certificate) = &trusted {
        load.requests.cacert = Some(certificate.path().to_owned());
    }
    let mut config = run_config(vec![target.into()], load, command)?;
    // The URL is right, and the faults that were asked for must not prevent the load.
    config.plan.ahead = Ahead::Together;
    config.plan.has_default_end = has_default_end;
    // The configuration has read the certificate.
    drop(trusted);
    let (ended, ()) =
        super::load_beside(config, signals, |samples, _| narrate(samples, narrator, begun)).await?;
    // All clients have left, so every connection is closed and the origin's counts are final.
    let counted = match child.finish().await {
        Ok(counts) => serde_json::to_value(counts).ok(),
        Err(error) => {
            stdio::say(&format!("hlswarm: the built-in origin did not report its counts: {error}"));
            None
        }
    };
    Ok(ended.conclude(counted).await)
}

fn narrator(args: &DemoArgs) -> Narrator {
    if args.faults.is_empty() && !args.healthy {
        return Narrator::from_scenario(args.bitrate);
    }
    // The command line has checked the rules.
    Narrator::new(args.faults.iter().filter_map(|rule| rule.parse().ok()).collect())
}

/// Notes each fault that the origin begins or ends, until the run ends.
async fn narrate(mut samples: watch::Receiver<Arc<RunSample>>, mut narrator: Narrator, begun: Instant) {
    while samples.changed().await.is_ok() {
        let sample = Arc::clone(&samples.borrow_and_update());
        if sample.state.is_ending() {
            return;
        }
        let now = begun.elapsed();
        for (changed, text) in narrator.until(now) {
            let at = sample.at.saturating_sub(now.saturating_sub(changed));
            sample.journal.note(Note { at, kind: NoteKind::Demo, text });
        }
    }
}

fn child_args(args: &DemoArgs) -> Vec<OsString> {
    let mut line: Vec<OsString> =
        vec!["origin".into(), "--child".into(), "--listen".into(), "127.0.0.1:0".into()];
    line.extend(["--bitrate".into(), args.bitrate.to_string().into()]);
    if args.tls {
        line.push("--tls".into());
    }
    if args.faults.is_empty() && !args.healthy {
        line.push("--scenario".into());
    }
    for rule in &args.faults {
        line.extend(["--fault".into(), rule.into()]);
    }
    if let Some(seed) = args.load.seed {
        line.extend(["--seed".into(), seed.to_string().into()]);
    }
    line
}
