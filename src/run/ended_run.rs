//! A run that has ended: its report, the files and the screen that show it, and its exit status.

use std::sync::Arc;
use std::thread::JoinHandle;

use super::control_socket::Control;
use super::display::Display;
use super::exit::{self, ExitStatus};
use super::metrics::Metrics;
use super::report_files::ReportFiles;
use super::story::Level;
use super::{PRINT_LIMIT, deadline, log_file, options, stdio};
use crate::config::RunConfig;
use crate::control::{Ending, RefusedBy};
use crate::generator::HostWatch;
use crate::net::unused_resolve_entries;
use crate::report::{self, Calibrated, Doc, Facts, Report, RunOptions, SearchReport};
use crate::sample::RunSample;
use crate::verdict::RunEnd;
use crate::vocabulary::outcome::Class;
use crate::vocabulary::{Command, RunIdentity, exit_code};

/// A run whose clients have all left.
pub(super) struct EndedRun {
    pub(super) config: RunConfig,
    pub(super) identity: RunIdentity,
    pub(super) ending: Ending,
    pub(super) sample: Arc<RunSample>,
    /// Threads lost to a panic.
    pub(super) lost: u64,
    /// Joined last: a file of the kernel that hangs must not delay a report.
    pub(super) host: HostWatch,
    pub(super) display: Display,
    /// Serves the last sample until the end.
    pub(super) metrics: Option<Metrics>,
    /// Sends the last sample.
    #[cfg(feature = "otlp")]
    pub(super) otlp: Option<super::otlp::Otlp>,
    /// Answers until the end, so that a stop also ends the wait for the operator or a scrape.
    pub(super) _control: Option<Control>,
    pub(super) orders: flume::Receiver<Command>,
    pub(super) reports: Arc<ReportFiles>,
    pub(super) calibration: Calibrated,
    /// Thread that adds the story of the run to the log; it ends with the samples.
    pub(super) story: Option<JoinHandle<()>>,
    /// Result of the search, if the run was one.
    pub(super) search: Option<SearchReport>,
}

impl EndedRun {
    /// Concludes the run in this order: writes the reports, shows the report until the operator leaves it, restores
    /// the screen, prints the summary, waits until the last sample was sent and scraped, returns the exit status.
    pub(super) async fn conclude(mut self, origin: Option<serde_json::Value>) -> ExitStatus {
        self.lost += self.story.take().map_or(0, |story| u64::from(story.join().is_err()));
        // The console also counts panics of clients, which the sample has counted already, and those of threads that
        // are known to be lost.
        self.lost = self.lost.max(self.display.panics().saturating_sub(self.sample.panics));
        let mut report = self.report(origin);
        let mut unwritten: Vec<String> = self.sample.pipeline.incomplete().into_iter().collect();
        // One document serves the files, the screen and the summary: making it is most of the work.
        let mut doc = Doc::new(&report);
        unwritten.extend(self.reports.write_last(&doc));
        if !unwritten.is_empty() {
            report.exit = exit::with_unwritten(report.exit, &unwritten);
            doc = Doc::new(&report);
            // The reports that can be written name those that cannot.
            self.reports.write_last(&doc);
        }
        let code = report.exit.code.unwrap_or_default();
        let status = ExitStatus::from(code);
        let doc = doc.ok().map(Arc::new);
        let refused = self.ending.refused.is_some();
        // The operator may read the report without a time limit; after that the process has to end soon.
        if !refused {
            deadline::unhurried();
            if let Some(doc) = &doc {
                self.display.show(doc, &self.orders).await;
            }
            deadline::within(deadline::LIMIT, status);
        }
        let more_panics = self.display.end() > self.lost + self.sample.panics;
        // Wait until the screen is restored: it owns the terminal.
        unwritten.iter().for_each(|line| stdio::say(&format!("hlswarm: {line}")));
        let unprinted = if refused {
            // Without a load one sentence is enough; reports that were asked for are written all the same.
            let why = report.exit.reasons.first().map_or("", String::as_str);
            // Nothing loads a stream that is out of scope, except the option that the reason names.
            let hint = match self.ending.refused {
                Some(RefusedBy::Price) if self.config.search.is_some() => "",
                Some(RefusedBy::Price) => " (--clamp starts as many as fit; --skip-preflight starts all)",
                Some(RefusedBy::Stream(outcome)) if outcome.class() == Class::Policy => "",
                _ => "; use --skip-preflight to load it anyway",
            };
            stdio::say(&format!("hlswarm: preflight: {why}{hint}"));
            false
        } else {
            let summary = doc.map_or(String::new(), |doc| report::text(&doc));
            let printed = stdio::print(&summary, Some(PRINT_LIMIT));
            printed.is_err() && self.reports.is_empty()
        };
        #[cfg(feature = "otlp")]
        if let Some(otlp) = self.otlp {
            otlp.end().await;
        }
        if let Some(metrics) = self.metrics.filter(|_| !refused) {
            metrics.end(&self.orders, status).await;
        }
        drop(self.host);
        report
            .exit
            .reasons
            .iter()
            .for_each(|reason| log_file::add(Level::Warn, &format!("reason: {reason}")));
        ExitStatus::from(match code {
            exit_code::INTERNAL => exit_code::INTERNAL,
            _ if more_panics => exit_code::INTERNAL,
            _ if unprinted => exit_code::UNWRITTEN,
            code => code,
        })
    }

    /// Builds the report, without regard to reports that cannot be written.
    pub(super) fn report(&self, origin: Option<serde_json::Value>) -> Report {
        let resolve_unused = unused_resolve_entries(&self.config.clients.cast.first.net.resolve);
        let facts = Facts {
            identity: self.identity.clone(),
            options: RunOptions { resolve_unused, ..options(&self.config) },
            lost_workers: self.lost,
            end: Some(RunEnd {
                search: self.search.as_ref().map(SearchReport::verdict),
                ..exit::run_end(self.ending, &self.config.plan, &self.sample)
            }),
            search: self.search.clone(),
            allow_untrusted: self.config.output.allow_untrusted,
            calibration: self.calibration.clone(),
            origin,
        };
        let mut report = report::build(facts, &self.sample);
        report.exit = exit::from_checks(&report.checks);
        report
    }
}
