//! Reports while the run goes on: SIGUSR1 writes those that were asked for as they are so far.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::reports;
use crate::config::ReportFile;
use crate::frame::Frame;
use crate::report::{self, Exit, Facts};
use crate::stats::Registry;

/// What reports of a run that goes on are made from.
#[derive(Debug)]
pub(super) struct Interim {
    pub(super) registry: Arc<Registry>,
    pub(super) frames: watch::Receiver<Arc<Frame>>,
    pub(super) run: report::Run,
    pub(super) files: Vec<ReportFile>,
}

impl Interim {
    /// Writes the reports at each SIGUSR1, for as long as the runtime lives.
    ///
    /// # Errors
    /// The handler could not be installed.
    pub(super) fn listen(self) -> std::io::Result<()> {
        let mut signals = signal(SignalKind::user_defined1())?;
        let interim = Arc::new(self);
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                let interim = Arc::clone(&interim);
                // A slow disk must not hold up the controller. What cannot be written now is told at the end.
                _ = tokio::task::spawn_blocking(move || interim.write()).await;
            }
        });
        Ok(())
    }

    fn write(&self) {
        let frame = Arc::clone(&self.frames.borrow());
        let facts = Facts { run: self.run.clone(), lost_workers: 0, origin: None };
        let mut report = report::build(facts, &frame, &self.registry);
        report.exit = Exit { code: 0, reasons: vec!["the run goes on: numbers so far".to_owned()] };
        _ = reports::write(&self.files, &report);
    }
}
