//! `origin`: runs the built-in origin alone until Ctrl-C.

use color_eyre::eyre;

use super::signals::Signals;
use super::{ExitStatus, Failure, PRINT_LIMIT, files, stdio};
use crate::cli::OriginArgs;
use crate::config::{ConfigError, shown_file};
use crate::origin::{Counts, Origin, OriginError, Settings, child, serve_blocking};
use crate::vocabulary::{Kind, units};

/// Serves until a signal arrives (or, as a child, until standard input ends).
pub(super) fn serve(args: OriginArgs) -> Result<ExitStatus, Failure> {
    let as_child = args.child;
    let certificate = args.certificate.clone();
    let settings = settings(args);
    if as_child {
        child::serve(settings).map_err(refused)?;
        return Ok(ExitStatus::from(0));
    }
    let on_ready = |origin: &Origin| {
        announce(origin);
        if let (Some(path), Some(pem)) = (&certificate, origin.certificate_pem())
            && let Err(error) = files::resolve(path).and_then(|path| files::replace(&path, pem.as_bytes()))
        {
            stdio::say(&format!("hlswarm: --certificate {}: {error}", shown_file(path)));
        }
        Ok(())
    };
    let counts = serve_blocking(settings, on_ready, any_signal()).map_err(refused)?;
    _ = stdio::print(&summary(&counts), Some(PRINT_LIMIT));
    Ok(ExitStatus::from(0))
}

/// Converts the error of an origin that did not start: bad settings, or a refusal by the system.
fn refused(error: OriginError) -> Failure {
    match error {
        OriginError::Settings(sentence) => Failure::Config(ConfigError::Origin(sentence)),
        OriginError::Bind { .. } => Failure::Unable(eyre::Report::new(error).wrap_err(
            "--listen: expected an address of this machine with a free port; port 0 takes any free one",
        )),
        error => Failure::Unable(eyre::Report::new(error)),
    }
}

fn settings(args: OriginArgs) -> Settings {
    Settings {
        listen: args.listen,
        allow_remote: args.allow_remote,
        tls: args.tls,
        segment_duration: args.segment_duration,
        window: args.window,
        vod_segments: args.vod_segments,
        bitrate: args.bitrate,
        seed: args.seed,
        gzip: !args.no_gzip,
        capacity: args.capacity,
        connections: args.connections,
        faults: args.faults,
        demo_scenario: args.scenario,
    }
}

fn announce(origin: &Origin) {
    let addresses = origin.addresses();
    stdio::say("hlswarm origin: serving until Ctrl-C");
    for stream in ["live/ts", "live/fmp4", "vod/ts", "vod/fmp4"] {
        stdio::say(&format!("  http://{}/{stream}/master.m3u8", addresses.plain));
    }
    if let Some(tls) = addresses.tls {
        stdio::say(&format!("  and the same over TLS at https://{tls}/"));
    }
}

/// Returns a summary of the served requests, with a line for each kind.
fn summary(counts: &Counts) -> String {
    let mut text = String::from("served\n");
    for kind in Kind::ALL {
        let requests = counts.requests.get(kind.name()).copied().unwrap_or_default();
        let bytes = counts.bytes.get(kind.name()).copied().unwrap_or_default();
        if requests > 0 {
            text.push_str(&format!(
                "  {:<9}{:>12}  {}\n",
                kind.name(),
                units::count(requests),
                units::bytes(bytes)
            ));
        }
    }
    text
}

async fn any_signal() {
    match Signals::catch() {
        Ok(signals) => signals.stopped().await,
        // Without handlers a signal kills the process.
        Err(_) => std::future::pending().await,
    }
}
