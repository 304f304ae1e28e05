//! `demo`: runs the load against the built-in origin. The origin is a child process, so that its CPU, files and
//! memory are not the load tester's.

use std::ffi::OsString;

use color_eyre::eyre::WrapErr as _;

use super::files::Temporary;
use super::{ExitStatus, Failure, stdio};
use crate::cli::DemoArgs;
use crate::config::{ConfigError, run_config};
use crate::control::Ahead;
use crate::origin::child::Child;
use crate::origin::settings::FAULT_RULES;
use crate::vocabulary::SecretUrl;

pub(super) async fn demo(args: DemoArgs, command: String) -> Result<ExitStatus, Failure> {
    if args.faults.len() > FAULT_RULES {
        return Err(ConfigError::Origin(format!("--fault: at most {FAULT_RULES} rules are accepted")).into());
    }
    let signals = super::signals()?;
    let child = Child::spawn(child_args(&args)).await.wrap_err("the built-in origin did not start")?;
    let hello = child.hello();
    let base = if args.tls { hello.tls.as_deref().unwrap_or(&hello.plain) } else { &hello.plain };
    let target = SecretUrl::parse(&format!("{base}/live/{}/master.m3u8", args.format));
    let target = target.wrap_err("the built-in origin reported an invalid URL")?;
    let mut load = args.load;
    let pem = hello.certificate_pem.as_deref().filter(|_| args.tls);
    let trusted = pem.map(|pem| Temporary::private(pem.as_bytes())).transpose();
    let trusted = trusted.wrap_err("the certificate of the built-in origin could not be saved")?;
    if let Some(certificate) = &trusted {
        load.requests.cacert = Some(certificate.path().to_owned());
    }
    let mut config = run_config(target, load, command)?;
    // The URL is right, and the faults that were asked for must not prevent the load.
    config.plan.ahead = Ahead::Together;
    // The configuration has read the certificate.
    drop(trusted);
    let ended = super::load(config, signals).await?;
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
