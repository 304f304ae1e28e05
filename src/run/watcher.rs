//! Who shows a run while it lasts: plain progress lines on standard error.

use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use color_eyre::eyre::WrapErr as _;

use super::{Failure, voice};
use crate::base::Command;
use crate::config::RunConfig;
use crate::frame::SamplerHandle;
use crate::report;

/// Time between two progress lines, a tick short of a second: the frames decide.
const PROGRESS: Duration = Duration::from_millis(990);

/// The thread that shows the run.
pub(super) struct Watcher {
    thread: JoinHandle<()>,
}

impl Watcher {
    /// Begins to show the frames of `sampler`.
    pub(super) fn begin(
        config: &RunConfig,
        sampler: &SamplerHandle,
        _commands: flume::Sender<Command>,
    ) -> Result<Self, Failure> {
        let plan = &config.plan;
        voice::say(&format!(
            "hlswarm: loading {} with {} clients, seed {}, run id {}",
            config.clients.entry, plan.clients, plan.seed, config.run_id
        ));
        // A runtime of its own: a standard error that is blocked must block nothing else.
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.wrap_err("the progress lines could not be started")?;
        let mut frames = sampler.frames();
        let show = async move {
            let mut said = Duration::ZERO;
            // The sampler's end is the end of the run.
            while frames.changed().await.is_ok() {
                let frame = frames.borrow_and_update().clone();
                if frame.at.saturating_sub(said) >= PROGRESS {
                    said = frame.at;
                    voice::say(&report::progress_line(&frame));
                }
            }
        };
        let thread = Builder::new().name("progress".to_owned()).spawn(move || runtime.block_on(show));
        Ok(Self { thread: thread.wrap_err("the progress lines could not be started")? })
    }

    /// Waits for the last line. The sampler must have been stopped.
    pub(super) fn end(self) {
        // It can fail by a panic only, and the panic has told what happened.
        _ = self.thread.join();
    }
}
