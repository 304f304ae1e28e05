//! Threads that run one future.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::thread::{self, JoinHandle};

use tokio::runtime::Builder;

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// Starts a thread that runs the future of `begin` on `runtime`. The thread builds the runtime itself: if the thread
/// cannot be started, no runtime is left that would be dropped within another one. Each driver of `runtime` takes
/// files: four with everything enabled, none without.
///
/// # Errors
/// The thread or its runtime could not be started, or `begin` failed.
pub(super) fn start<F: Future<Output = ()> + 'static>(
    name: &str,
    runtime: Builder,
    begin: impl FnOnce() -> io::Result<F> + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    start_boxed(name, runtime, Box::new(move || begin().map(|work| Box::pin(work) as Work)))
}

/// Does the same for a future on the heap: the machine code that runs one exists once.
fn start_boxed(
    name: &str,
    mut runtime: Builder,
    begin: Box<dyn FnOnce() -> io::Result<Work> + Send>,
) -> io::Result<JoinHandle<()>> {
    let (begun, has_begun) = flume::bounded(1);
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
        let runtime = match runtime.build() {
            Ok(runtime) => runtime,
            Err(error) => {
                _ = begun.send(Err(error));
                return;
            }
        };
        runtime.block_on(async {
            let work = begin();
            // The caller waits for this result.
            _ = begun.send(work.as_ref().map(drop).map_err(|error| error.kind().into()));
            if let Ok(work) = work {
                work.await;
            }
        });
    })?;
    has_begun.recv().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))?;
    Ok(thread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_that_fails_is_an_error_and_work_that_began_is_done() {
        let plain = Builder::new_current_thread;
        let refused =
            start("refused", plain(), || Err::<std::future::Ready<()>, _>(io::ErrorKind::OutOfMemory.into()));
        assert_eq!(refused.expect_err("refused").kind(), io::ErrorKind::OutOfMemory);
        let (sender, receiver) = flume::bounded(1);
        let thread = start("works", plain(), move || Ok(async move { sender.send(7).expect("sent") }));
        thread.expect("started").join().expect("no panic");
        assert_eq!(receiver.recv(), Ok(7));
    }
}
