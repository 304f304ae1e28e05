//! `plan`: one client loads enough of the stream to price the plan; nothing else is sent.

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::timeout;

use super::{EndedRun, ExitStatus, Failure, stdio};
use crate::cli::PlanArgs;
use crate::config::{Show, run_config, targets};
use crate::control::Ahead;
use crate::net::{self, locate};
use crate::report::{self, DestinationReport, PlanPage};
use crate::verdict::Criteria;
use crate::vocabulary::{Kind, SecretUrl, exit_code, units};

/// Maximum number of hosts whose addresses are looked up.
const HOSTS: usize = 8;
/// Maximum time for all look-ups together.
const LOOK_UP: Duration = Duration::from_secs(2);
/// Maximum time that the reader of standard output gets.
const PRINT_LIMIT: Duration = Duration::from_secs(3);

/// Prices the plan of a run and prints it.
pub(super) async fn plan(args: PlanArgs, command: String) -> Result<ExitStatus, Failure> {
    let signals = super::signals()?;
    let mut config = run_config(targets(args.stream.all())?, args.load, command)?;
    config.plan.ahead = Ahead::Probe;
    config.output.show = Show::Nothing;
    // The help says that these are ignored.
    (config.output.record, config.output.reports, config.output.metrics) = (None, Vec::new(), None);
    config.criteria = Criteria::default();
    let net = config.clients.cast.first.net.clone();
    let ended = super::load(config, signals).await?;
    let Some(priced) = ended.sample.priced.clone() else { return Ok(no_price(&ended)) };
    let mut page = PlanPage::new(&ended.report(None), &priced);
    look_up(&net, &mut page.plan.destinations).await;
    let text = if args.json { page.json().unwrap_or_default() } else { report::plan_text(&page) };
    let printed = stdio::print(&text, Some(PRINT_LIMIT));
    Ok(ExitStatus::from(match page.exit_code {
        _ if printed.is_err() => exit_code::UNWRITTEN,
        code => code,
    }))
}

/// Says why the plan has no price, and returns the exit code of a run that ends so.
fn no_price(ended: &EndedRun) -> ExitStatus {
    let report = ended.report(None);
    // The criteria of a run are none of a probe: with one client no target is reached, and it need not play.
    let code = report.exit.code.filter(|code| ![0, exit_code::CRITERIA].contains(code));
    let why = code.and(report.exit.reasons.first().cloned()).unwrap_or_else(|| {
        let ok = |kind| ended.sample.snapshot.totals.kind(kind).ok.requests;
        let [playlists, segments] = [(Kind::Playlist, "playlist"), (Kind::Segment, "segment")]
            .map(|(kind, name)| units::plural(ok(kind), name));
        let waited = units::span(ended.sample.at);
        format!("too little of the stream arrived to price it: {playlists} and {segments} in {waited}")
    });
    stdio::say(&format!("hlswarm: plan: {why}"));
    ExitStatus::from(code.unwrap_or(exit_code::CRITERIA))
}

/// Looks up the addresses of the hosts. One that has none in time keeps an empty list.
async fn look_up(settings: &net::Settings, destinations: &mut [DestinationReport]) {
    let all = async {
        for destination in destinations.iter_mut().take(HOSTS) {
            let Ok(url) = SecretUrl::parse(&destination.url()) else { continue };
            let addresses = locate(settings, &url).await.unwrap_or_default();
            destination.addresses = addresses.iter().map(IpAddr::to_string).collect();
        }
    };
    _ = timeout(LOOK_UP, all).await;
}
