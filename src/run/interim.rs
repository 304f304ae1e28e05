//! Reports during a run: SIGUSR1 writes the reports that were asked for, with the numbers so far.

use std::sync::Arc;
use std::thread;

use super::report_files::ReportFiles;
use crate::report::{self, Calibrated, Exit, Facts, RunOptions};
use crate::sample::WholeSamples;
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
}

impl Interim {
    /// Writes the reports for each message in `asked`, as long as the runtime lives.
    pub(super) fn listen(self, asked: flume::Receiver<()>) {
        let interim = Arc::new(self);
        tokio::spawn(async move {
            while asked.recv_async().await.is_ok() {
                let interim = Arc::clone(&interim);
                let (written, is_written) = flume::bounded(1);
                let write = move || {
                    interim.write();
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

    fn write(&self) {
        // Without a sample the run has ended meanwhile: its last reports say more.
        let Some(sample) = self.samples.next() else { return };
        let facts = Facts {
            identity: self.identity.clone(),
            options: self.options.clone(),
            lost_workers: 0,
            end: None,
            allow_untrusted: self.allow_untrusted,
            calibration: self.calibration.clone(),
            origin: None,
        };
        let mut report = report::build(facts, &sample);
        report.exit = Exit { code: 0, reasons: vec!["interim report: the run goes on".to_owned()] };
        self.reports.write_interim(&report);
    }
}
