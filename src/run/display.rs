//! Display of a run while it lasts: the console, or plain progress lines without a terminal.
//!
//! Both read the same samples, and neither holds up the load.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::time::timeout;

use super::{Failure, stdio, threads};
use crate::config::{RunConfig, Show, shown_file};
use crate::forecast::{PriceConsequence, Priced};
use crate::load::SearchPlan;
use crate::report::{self, Doc};
use crate::run_state::{ChangeKind, ChangeSource, LoadChange, Note, NoteKind};
use crate::sample::{RunSample, SamplerHandle};
use crate::tui::{
    Access, Charset, Console, DocRequest, Remote, Setup, TerminalColours, Theme, ThemeName, Title,
};
use crate::verdict::TrustVerdict;
use crate::vocabulary::{Command, RunIdentity, units};

/// Time between two progress lines, slightly less than a second: the samples set the pace.
const PROGRESS: Duration = Duration::from_millis(990);

/// Interval between checks whether the operator has left the report.
const LOOK: Duration = Duration::from_millis(50);

/// Display of the run.
pub(super) enum Display {
    /// The live screen, and the channel that takes its report.
    Console(Console, watch::Sender<Option<Arc<Doc>>>),
    /// One line per second on standard error.
    Progress(JoinHandle<()>),
    /// No display.
    Nothing,
}

impl Display {
    /// Starts to show the samples of `sampler`.
    pub(super) fn begin(
        title: Title,
        config: &RunConfig,
        sampler: &SamplerHandle,
        commands: flume::Sender<Command>,
        documents: flume::Sender<DocRequest>,
    ) -> Result<Self, Failure> {
        if config.output.show == Show::Nothing {
            return Ok(Self::Nothing);
        }
        if config.output.show == Show::Screen && Console::available() {
            let (sender, report) = watch::channel(None);
            let setup = Setup {
                samples: sampler.samples(),
                report,
                commands,
                documents,
                selected: sampler.selected(),
                title,
                replay: Arc::default(),
                theme: theme(config.output.theme, config.output.ascii),
                on_hangup: config.output.on_hangup,
                access: if config.output.read_only { Access::ReadOnly } else { Access::Full },
            };
            let console = Console::start(setup)
                .map_err(|error| Failure::no_thread("the screen (try --no-tui)", &error))?;
            return Ok(Self::Console(console, sender));
        }
        let thread = progress(config, sampler);
        Ok(Self::Progress(thread.map_err(|error| Failure::no_thread("the progress lines", &error))?))
    }

    /// Returns the handle that passes the terminal to the shell and back; `None` without a screen.
    pub(super) fn remote(&self) -> Option<Remote> {
        match self {
            Self::Console(console, _) => console.remote(),
            Self::Progress(_) | Self::Nothing => None,
        }
    }

    /// Returns the number of panics that the console has seen so far, those of clients included.
    pub(super) fn panics(&self) -> u64 {
        match self {
            Self::Console(console, _) => console.panics(),
            Self::Progress(_) | Self::Nothing => 0,
        }
    }

    /// Shows the report until the operator leaves it or a signal arrives.
    pub(super) async fn show(&mut self, report: &Arc<Doc>, orders: &flume::Receiver<Command>) {
        let Self::Console(console, sender) = self else { return };
        sender.send_replace(Some(Arc::clone(report)));
        while !console.has_left() {
            if let Ok(Ok(Command::Stop(_) | Command::StopNow(_))) = timeout(LOOK, orders.recv_async()).await {
                return;
            }
        }
    }

    /// Ends the display: restores the screen and waits for the last line. The sampler must have been stopped. Returns
    /// the number of panics.
    pub(super) fn end(self) -> u64 {
        match self {
            Self::Console(console, _) => {
                let panics = console.stop();
                panics.iter().for_each(|message| stdio::say(message));
                panics.len() as u64
            }
            Self::Progress(thread) => u64::from(thread.join().is_err()),
            Self::Nothing => 0,
        }
    }
}

/// Returns the facts of a run that the screen shows, but for the costs of this machine.
pub(super) fn title(config: &RunConfig, identity: RunIdentity) -> Title {
    Title {
        identity,
        variant: config.variant(),
        profile: config.plan.profile,
        stages: config.plan.stages.clone(),
        arrivals: config.plan.arrivals,
        is_search: config.search.is_some(),
        duration: config.plan.duration,
        costs: None,
        reports: config.output.reports.iter().filter_map(|file| file_name(&file.path)).collect(),
    }
}

/// Returns the name of a file without its folder, which may be long.
fn file_name(path: &Path) -> Option<String> {
    path.file_name().map(|name| shown_file(Path::new(name)))
}

/// Chooses colours and characters. ASCII if the locale is not UTF-8 or ASCII was asked for.
pub(super) fn theme(name: ThemeName, ascii: bool) -> Theme {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default().to_lowercase();
    let utf8 = locale.contains("utf-8") || locale.contains("utf8");
    let terminal = TerminalColours {
        colorterm: set("COLORTERM"),
        colorfgbg: set("COLORFGBG"),
        no_color: set("NO_COLOR").is_some(),
    };
    Theme {
        palette: name.palette(&terminal),
        charset: if ascii || !utf8 { Charset::Ascii } else { Charset::Unicode },
    }
}

/// Returns the lines that announce a load.
pub(super) fn announcement(config: &RunConfig) -> Vec<String> {
    let profile = &config.plan.profile;
    let (stages, arrivals, search) = (config.plan.stages.as_ref(), config.plan.arrivals, config.search);
    let clients = match search {
        Some(SearchPlan { first, most, .. }) => {
            let [first, most] = [first, most].map(|clients| units::count(clients.into()));
            format!("{first} clients and more, to find how many it carries, at most {most}")
        }
        None => units::plural(profile.clients.into(), "client"),
    };
    let mut lines = vec![format!(
        "loading {} with {}{clients}, seed {}, run id {}",
        config.target(),
        if stages.is_some() || arrivals.is_some() { "up to " } else { "" },
        profile.seed,
        config.run_id
    )];
    lines.extend(stages.map(|stages| format!("stages: {stages}")));
    let cast = &config.clients.cast;
    let targets = cast.of_targets().zip(&cast.targets).filter(|_| cast.targets.len() > 1);
    lines.extend(targets.map(|(kind, weight)| format!("target: {weight} {}", kind.player.entry)));
    if !config.mix.is_empty() {
        lines.push(format!("mix: {}", config.mix.join(", ")));
    }
    let has_gaps = cast.kinds().any(|kind| !kind.player.entry.placeholders().is_empty());
    if has_gaps && cast.personal.is_none() {
        lines.push(
            "note: a URL has {placeholders}, which are sent as they are; --data gives each client its values"
                .to_owned(),
        );
    }
    lines.extend(
        arrivals.map(|arrivals| format!("arrivals: {arrivals}, sessions {}", config.session_length())),
    );
    let (name, ramp) = match stages {
        Some(stages) => ("the stages take", stages.length()),
        // A search and arrivals have no ramp to one target.
        None if search.is_some() || arrivals.is_some() => ("", Duration::ZERO),
        None => ("the ramp takes", profile.length(profile.clients)),
    };
    if let Some(length) = config.plan.duration.filter(|length| *length < ramp) {
        let [ramp, length] = [ramp, length].map(units::span);
        lines.push(format!("{name} {ramp}, but the run ends after {length}: the target will not be reached"));
    }
    lines
}

/// Prints one line per second until the sampler ends.
fn progress(config: &RunConfig, sampler: &SamplerHandle) -> std::io::Result<JoinHandle<()>> {
    announcement(config).iter().for_each(|line| stdio::show(&format!("hlswarm: {line}")));
    let (mut samples, is_search) = (sampler.samples(), config.search.is_some());
    let show = async move {
        let mut lines = ProgressLines { is_search, ..ProgressLines::default() };
        while samples.changed().await.is_ok() {
            let sample = samples.borrow_and_update().clone();
            lines.tell(&sample);
        }
    };
    threads::start("progress", Builder::new_current_thread(), move || Ok(show))
}

/// Prints what is news in one sample after another, and a line each second.
pub(super) struct ProgressLines {
    /// Time of the last line.
    said: Duration,
    /// Changes of the load that have been announced.
    changes: usize,
    /// Notes that have been read.
    notes: usize,
    trust: TrustVerdict,
    is_priced: bool,
    /// True if the run is a search, which takes what fits without `--clamp`.
    is_search: bool,
}

impl Default for ProgressLines {
    fn default() -> Self {
        // The first verdict is news only if it is not VALID.
        Self {
            said: Duration::ZERO,
            changes: 0,
            notes: 0,
            trust: TrustVerdict::Valid,
            is_priced: false,
            is_search: false,
        }
    }
}

impl ProgressLines {
    pub(super) fn tell(&mut self, sample: &RunSample) {
        let verdict = sample.trust.verdict;
        if verdict != TrustVerdict::Unassessed && std::mem::replace(&mut self.trust, verdict) != verdict {
            stdio::show(&format!("hlswarm: {}", report::trust_line(sample)));
        }
        if let Some(priced) = sample.priced.as_ref().filter(|_| !self.is_priced) {
            self.is_priced = true;
            price_lines(priced, self.is_search).iter().for_each(|line| stdio::show(line));
        }
        for change in sample.journal.changes().skip(self.changes) {
            self.changes += 1;
            change_line(change, sample).iter().for_each(|line| stdio::show(line));
        }
        for note in sample.journal.notes().skip(self.notes) {
            self.notes += 1;
            note_line(note).iter().for_each(|line| stdio::show(line));
        }
        if sample.at.saturating_sub(self.said) >= PROGRESS {
            self.said = sample.at;
            stdio::progress(&report::progress_line(sample));
        }
    }
}

/// Returns the lines that announce the price of a plan. A refusal has its own line at the end.
fn price_lines(priced: &Priced, is_search: bool) -> Vec<String> {
    let plan = format!("hlswarm: plan: {}", priced.summary());
    let shortage = priced.sentence().and_then(|sentence| match priced.consequence {
        PriceConsequence::Clamped if is_search => Some(format!("hlswarm: preflight: {sentence}")),
        PriceConsequence::Clamped => Some(format!("hlswarm: --clamp: {sentence}")),
        PriceConsequence::Ignored => Some(format!("hlswarm: preflight (skipped): {sentence}")),
        PriceConsequence::Fits | PriceConsequence::Refused => None,
    });
    let cpu = priced.is_near_cpu().then(|| {
        "hlswarm: plan: needs more than 60% of the CPU: latencies may include delays of this machine"
            .to_owned()
    });
    std::iter::once(plan).chain(cpu).chain(shortage).collect()
}

/// Returns a line about a change that the brake, the control socket, a hard stop or a threshold has made; `None` about any other. The sample
/// is the one that follows.
fn change_line(change: &LoadChange, sample: &RunSample) -> Option<String> {
    match change.by {
        ChangeSource::Brake => Some(brake_line(change, sample)),
        ChangeSource::Limit(stop) => {
            let limit = stop.amount(sample.spent(stop)?.limit);
            let at = units::clock(change.at);
            Some(format!("hlswarm: {}: {limit} reached at {at}; ending the run", stop.option()))
        }
        ChangeSource::Threshold => Some(format!(
            "hlswarm: --abort-on-fail: a threshold stayed crossed; ending the run at {}",
            units::clock(change.at)
        )),
        ChangeSource::Control => Some(control_line(change)),
        ChangeSource::Plan | ChangeSource::Preflight | ChangeSource::Operator | ChangeSource::Search => None,
    }
}

fn control_line(change: &LoadChange) -> String {
    let at = units::clock(change.at);
    let clients = |clients: u32| units::count(clients.into());
    match change.kind {
        ChangeKind::Target => {
            format!("hlswarm: ctl: target {} -> {} at {at}", clients(change.from), clients(change.to))
        }
        ChangeKind::Hold => format!("hlswarm: ctl: ramp held at {at}"),
        ChangeKind::Resume => format!("hlswarm: ctl: ramp resumed at {at}"),
        ChangeKind::Stop => format!("hlswarm: ctl: ending the run at {at}"),
    }
}

/// Returns a line about a level of a search, something that the plan lacks, an exporter, or an export; `None` about any other note.
fn note_line(note: &Note) -> Option<String> {
    match note.kind {
        NoteKind::Level { .. } => Some(format!("hlswarm: find: {}  {}", units::clock(note.at), note.text)),
        NoteKind::Limited => Some(format!("hlswarm: {}", note.text)),
        NoteKind::OriginMetrics | NoteKind::Export => {
            Some(format!("hlswarm: {}  {}", units::clock(note.at), note.text))
        }
        _ => None,
    }
}

fn brake_line(change: &LoadChange, sample: &RunSample) -> String {
    let (admitted, target) = (units::count(sample.admitted), units::plural(change.to.into(), "client"));
    if change.kind == ChangeKind::Hold {
        format!(
            "hlswarm: brake: ramp held at {admitted} of {target}: {}; {}; --no-brake turns this off",
            sample.storm(),
            RunSample::calm()
        )
    } else {
        format!("hlswarm: brake: the storm is over, the ramp resumes at {admitted} of {target}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Spent;
    use crate::vocabulary::HardStop;

    #[test]
    fn only_changes_by_the_program_or_from_elsewhere_have_lines() {
        let spent = Spent { stop: HardStop::Bytes, limit: 2_000_000, used: 2_000_007 };
        let reached = "hlswarm: --max-bytes: 2 MB reached at 00:00:00; ending the run";
        let line = |kind, by| {
            let change = LoadChange { at: Duration::ZERO, kind, from: 500, to: 500, by };
            let spendings = [Some(spent), None, None];
            change_line(&change, &RunSample { admitted: 120, spendings, ..RunSample::default() })
        };
        let held = "hlswarm: brake: ramp held at 120 of 500 clients: -- of requests over 30 s ended with 429 or 503; \
                    it resumes when at most 10% of requests over 10 s do; --no-brake turns this off";
        assert_eq!(line(ChangeKind::Hold, ChangeSource::Brake).as_deref(), Some(held));
        let resumed = "hlswarm: brake: the storm is over, the ramp resumes at 120 of 500 clients";
        assert_eq!(line(ChangeKind::Resume, ChangeSource::Brake).as_deref(), Some(resumed));
        assert_eq!(line(ChangeKind::Stop, ChangeSource::Limit(HardStop::Bytes)).as_deref(), Some(reached));
        let asked = "hlswarm: ctl: target 500 -> 500 at 00:00:00";
        assert_eq!(line(ChangeKind::Target, ChangeSource::Control).as_deref(), Some(asked));
        assert_eq!(line(ChangeKind::Hold, ChangeSource::Operator), None);
        assert_eq!(line(ChangeKind::Target, ChangeSource::Plan), None);
    }
}
