//! Helper threads for work that takes milliseconds, so that a large playlist of one client does not delay the others.
//!
//! * The whole process shares a few threads, half as many as there are processors, started with the first job. The
//!   kernel divides the processors between them and the workers. Yielding within a worker could not: a decoder cannot
//!   be interrupted.
//! * At most [`WAITING`] jobs wait in the queue; the clients of further ones wait for room. A job whose client has
//!   left is discarded before it begins.
//! * If no thread can be started, the job runs on the worker itself: slow, but never lost.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::thread;

use crate::vocabulary::outcome::Fault;

/// Maximum number of jobs that wait for a thread.
const WAITING: usize = 256;

/// A piece of work.
type Job = Box<dyn FnOnce() + Send>;

/// Runs `work` on a helper thread and waits for its result without blocking the worker.
///
/// # Errors
/// `local.internal` when `work` panicked on a helper thread.
pub async fn offload<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    static JOBS: OnceLock<Option<flume::Sender<Job>>> = OnceLock::new();
    let (result, done) = flume::bounded(1);
    let job = move || {
        if !result.is_disconnected() {
            _ = result.send(work());
        }
    };
    match JOBS.get_or_init(start) {
        Some(jobs) => _ = jobs.send_async(Box::new(job)).await,
        None => job(),
    }
    done.recv_async().await.map_err(|_| Fault::LocalInternal)
}

/// Starts the helper threads, which wait for jobs until the process ends; `None` if none could be started.
fn start() -> Option<flume::Sender<Job>> {
    let (jobs, waiting) = flume::bounded::<Job>(WAITING);
    let wanted = thread::available_parallelism().map_or(1, |processors| processors.get().div_ceil(2));
    let started = (0..wanted).filter(|index| {
        let waiting = waiting.clone();
        let helper = thread::Builder::new().name(format!("helper-{index}"));
        let work = move || waiting.iter().for_each(|job| _ = catch_unwind(AssertUnwindSafe(job)));
        helper.spawn(work).is_ok()
    });
    (started.count() > 0).then_some(jobs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_done_elsewhere_and_a_panic_in_it_is_a_fault_of_ours() {
        let here = thread::current().id();
        assert_ne!(offload(|| thread::current().id()).await, Ok(here));
        for _ in 0..20 {
            assert_eq!(
                offload(|| std::panic::resume_unwind(Box::new(7))).await,
                Err::<(), _>(Fault::LocalInternal)
            );
        }
        assert_eq!(offload(|| 7).await, Ok(7));
    }

    #[tokio::test]
    async fn work_whose_client_has_left_is_not_begun() {
        let (release, held) = flume::bounded::<()>(0);
        let busy: Vec<_> = std::iter::repeat_with(|| {
            let held = held.clone();
            Box::pin(offload(move || held.recv()))
        })
        .take(64)
        .collect();
        // These jobs keep every helper busy, so the job of the client that leaves still waits in the queue.
        let (begun, was_begun) = flume::bounded(1);
        let mut busy = futures_of(busy).await;
        let mut left = Box::pin(offload(move || begun.send(())));
        poll_once(&mut left).await;
        drop(left);
        drop(release);
        for one in &mut busy {
            one.await.expect("no panic").expect_err("released");
        }
        offload(|| ()).await.expect("no panic");
        assert_eq!(was_begun.try_recv(), Err(flume::TryRecvError::Disconnected));
    }

    async fn futures_of<F: Future + Unpin>(mut all: Vec<F>) -> Vec<F> {
        for one in &mut all {
            poll_once(one).await;
        }
        all
    }

    async fn poll_once<F: Future + Unpin>(future: &mut F) {
        std::future::poll_fn(|context| {
            _ = std::pin::Pin::new(&mut *future).poll(context);
            std::task::Poll::Ready(())
        })
        .await;
    }
}
