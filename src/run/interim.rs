//! Reports during a run: SIGUSR1 writes the reports that were asked for, with the numbers so far, and the console asks for
//! the document of its page.

use std::sync::Arc;
use std::thread;

use super::report_files::ReportFiles;
use crate::report::{self, Calibrated, Doc, Exit, Facts, Report, RunOptions};
use crate::sample::WholeSamples;
use crate::tui::DocRequest;
use crate::vocabulary::RunIdentity;

/// Data for the reports of a run that is still going on.
#[derive(Debug)]
pub(super) struct Interim {
    pub(super) samples: WholeSamples,
    pub(super) identity: RunIdentity,
    pub(super) options: RunOptions,
    pub(super) reports: Arc<ReportFiles>,
    pub(super) allow_untrusted: bool,
    pub(super) calibration: Calibrated,
    /// Requests of the console.
    pub(super) documents: flume::Receiver<DocRequest>,
}

/// A report of the run so far that was asked for.
enum Asked {
    /// The files of `--report`.
    Files,
    /// A document for the console.
    Document(DocRequest),
}

impl Interim {
    /// Answers each message in `files` and each request of the console, as long as the runtime lives.
    pub(super) fn listen(self, files: flume::Receiver<()>) {
        let interim = Arc::new(self);
        tokio::spawn(async move {
            loop {
                let asked = tokio::select! {
                    Ok(()) = files.recv_async() => Asked::Files,
                    Ok(request) = interim.documents.recv_async() => Asked::Document(request),
                    else => return,
                };
                let interim = Arc::clone(&interim);
                let (written, is_written) = flume::bounded(1);
                let write = move || {
                    interim.answer(asked);
                    // The receiver is gone if the run has ended meanwhile.
                    _ = written.send(());
                };
                // A slow disk must not hold up the controller. If the thread cannot start, skip this report.
                if thread::Builder::new().name("interim".to_owned()).spawn(write).is_ok() {
                    _ = is_written.recv_async().await;
                }
            }
        });
    }

    fn answer(&self, asked: Asked) {
        // Without a report the request is dropped, which tells the console.
        let Some(report) = self.report() else { return };
        match asked {
            Asked::Files => self.reports.write_interim(&report),
            Asked::Document(request) => {
                // The console may have left meanwhile.
                _ = Doc::new(&report).map(|doc| request.send(Arc::new(doc)));
            }
        }
    }

    /// Builds the report of the run so far; `None` if the run has ended.
    fn report(&self) -> Option<Report> {
        // Without a sample the run has ended meanwhile: its last reports say more.
        let sample = self.samples.next()?;
        let facts = Facts {
            identity: self.identity.clone(),
            options: self.options.clone(),
            lost_workers: 0,
            end: None,
            allow_untrusted: self.allow_untrusted,
            calibration: self.calibration.clone(),
            search: None,
            origin: None,
        };
        let mut report = report::build(facts, &sample);
        report.exit = Exit { code: None, reasons: vec!["interim report: the run goes on".to_owned()] };
        Some(report)
    }
}
