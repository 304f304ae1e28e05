//! Keeps secrets of a run out of core dumps, and warns of one that other users of this machine can read.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::stdio;
use crate::cli::{self, CheckArgs, DemoArgs, FindArgs, PlanArgs, RunArgs, Target};
#[cfg(feature = "otlp")]
use crate::config::OtlpSettings;
use crate::config::RunConfig;
use crate::local_http::Address;
use crate::vocabulary::SecretUrl;

/// Warns of a password in a URL of the command line, which the process cannot take back.
pub fn warn_of_shown<'a>(targets: impl Iterator<Item = &'a Target>) {
    warn(targets, "give the URL as @FILE, or the password in a header with --header-env");
}

/// Warns of the same in a URL of this option, whose server gets no header of the run.
pub(super) fn warn_of_shown_in<'a>(option: &str, targets: impl Iterator<Item = &'a Target>) {
    warn(targets, &format!("give {option} @FILE"));
}

fn warn<'a>(mut targets: impl Iterator<Item = &'a Target>, instead: &str) {
    if targets.any(Target::shows_password) {
        stdio::say(&format!(
            "hlswarm: warning: other users of this machine can read the password in the URL (ps); {instead}"
        ));
    }
}

/// Warns of the password of a proxy on the command line.
pub fn warn_of_proxy(command: &cli::Command) {
    let requests = match command {
        cli::Command::Run(RunArgs { load, .. })
        | cli::Command::Demo(DemoArgs { load, .. })
        | cli::Command::Plan(PlanArgs { load, .. })
        | cli::Command::Find(FindArgs { load, .. }) => &load.requests,
        cli::Command::Check(CheckArgs { requests, .. }) => requests,
        _ => return,
    };
    if requests.transport.shows_password() {
        stdio::say(
            "hlswarm: warning: other users of this machine can read the password in --proxy (ps); give it in HLSWARM_PROXY or \
             in a plan file, or use --proxy env",
        );
    }
}

/// Forbids core dumps if the run knows a secret, so that a crash leaves no file with the operator's credentials.
pub(super) fn keep_out_of_core_dumps(config: &RunConfig) {
    let has_token = matches!(config.output.control, Some(Address::Tcp(_)));
    let cast = &config.clients.cast;
    let urls = config.origin_metrics.iter().chain(cast.kinds().map(|kind| &kind.player.entry));
    #[cfg(feature = "otlp")]
    let has_token = has_token || config.otlp.as_ref().is_some_and(OtlpSettings::have_secrets);
    let has_secrets = has_token
        || cast.personal.is_some()
        || urls.into_iter().any(SecretUrl::has_secrets)
        || cast.kinds().any(|kind| kind.net.have_secrets());
    if !has_secrets {
        return;
    }
    let maximum = getrlimit(Resource::Core).maximum;
    // Lowering a limit cannot fail. If it did, the run would still be worth more than this precaution.
    _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
    // A core pattern that is a pipe ignores that limit, but not this setting. It also keeps other processes of the
    // user out of the memory and the environment of this one.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
