//! Race between alternatives, as RFC 8305 section 5 does for addresses. The next attempt begins when the previous one
//! has failed or has been silent for a while; the first that succeeds wins, and the others are dropped.
//!
//! Both the addresses of a host and the name servers are such alternatives: a dead one must cost a quarter of a
//! second, not the whole time limit.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Time for which an attempt may be silent before the next one begins beside it (RFC 8305 section 8).
pub(super) const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Source of alternatives.
pub(super) trait Alternatives {
    /// One alternative.
    type Item: Clone;

    /// Takes the next known alternative that has not been taken.
    fn take_next(&mut self) -> Option<Self::Item>;

    /// Reports whether [`take_next`](Self::take_next) would return one.
    fn has_next(&self) -> bool;

    /// Waits until more alternatives are known. Returns false if none will follow. Cancel-safe.
    fn more(&mut self) -> impl Future<Output = bool>;
}

/// Alternatives that are all known from the start.
impl<T: Clone> Alternatives for std::vec::IntoIter<T> {
    type Item = T;

    fn take_next(&mut self) -> Option<T> {
        self.next()
    }

    fn has_next(&self) -> bool {
        !self.as_slice().is_empty()
    }

    async fn more(&mut self) -> bool {
        false
    }
}

/// Returns the first alternative whose `attempt` succeeds, with its result.
///
/// # Errors
/// The errors of all attempts when each has failed, in the order of their failures.
pub(super) async fn race<A, T, E, F>(
    alternatives: &mut A,
    attempt: impl Fn(A::Item) -> F,
) -> Result<(A::Item, T), Vec<E>>
where
    A: Alternatives,
    F: Future<Output = Result<T, E>>,
{
    let (mut running, mut errors) = (Running(Vec::new()), Vec::new());
    let mut due = Instant::now();
    let mut is_open = true;
    loop {
        if due <= Instant::now()
            && let Some(next) = alternatives.take_next()
        {
            running.0.push((next.clone(), Box::pin(attempt(next))));
            // A failure below brings this forward: the next attempt then begins at once.
            due = Instant::now() + ATTEMPT_DELAY;
        }
        let has_next = alternatives.has_next();
        if running.0.is_empty() && !has_next && !is_open {
            return Err(errors);
        }
        tokio::select! {
            biased;
            (item, ended) = running.first(), if !running.0.is_empty() => match ended {
                Ok(value) => return Ok((item, value)),
                Err(error) => {
                    errors.push(error);
                    due = Instant::now();
                }
            },
            () = sleep_until(due), if has_next => {}
            more = alternatives.more(), if !has_next && is_open => is_open = more,
        }
    }
}

/// Attempts in progress.
struct Running<I, F>(Vec<(I, Pin<Box<F>>)>);

impl<I: Clone, T, F: Future<Output = T>> Running<I, F> {
    /// Waits for the first attempt that ends, and removes it.
    async fn first(&mut self) -> (I, T) {
        poll_fn(|context| {
            for at in 0..self.0.len() {
                let Some((item, attempt)) = self.0.get_mut(at) else { break };
                if let Poll::Ready(ended) = attempt.as_mut().poll(context) {
                    let item = item.clone();
                    drop(self.0.remove(at));
                    return Poll::Ready((item, ended));
                }
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// Result of an attempt, and its duration in milliseconds; `None`: the attempt never ends.
    type Script = (Option<u64>, Result<(), &'static str>);

    const SILENT: Script = (None, Err("never"));

    /// Returns the winner with the time of its success, and the start of each attempt, in milliseconds.
    async fn run(scripts: &[Script]) -> (Result<(usize, u64), Vec<&'static str>>, Vec<u64>) {
        let (begun, starts) = (Instant::now(), RefCell::new(Vec::new()));
        let passed = || begun.elapsed().as_millis() as u64;
        let attempt = |index: usize| {
            starts.borrow_mut().push(passed());
            let (after, ended) = scripts[index];
            async move {
                match after {
                    Some(after) => tokio::time::sleep(Duration::from_millis(after)).await,
                    None => std::future::pending().await,
                }
                ended
            }
        };
        let mut all = (0..scripts.len()).collect::<Vec<_>>().into_iter();
        let ended = race(&mut all, attempt).await;
        let ended = ended.map(|(index, ())| (index, passed()));
        (ended, starts.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_alternative_costs_a_quarter_of_a_second() {
        assert_eq!(run(&[SILENT, (Some(10), Ok(()))]).await, (Ok((1, 260)), vec![0, 250]));
        let silent = [SILENT, SILENT, SILENT, (Some(10), Ok(()))];
        assert_eq!(run(&silent).await, (Ok((3, 760)), vec![0, 250, 500, 750]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_begins_the_next_at_once() {
        let scripts = [(Some(10), Err("refused")), (Some(10), Ok(()))];
        assert_eq!(run(&scripts).await, (Ok((1, 20)), vec![0, 10]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_one_wins_if_it_is_still_the_first() {
        assert_eq!(run(&[(Some(300), Ok(())), (Some(500), Ok(()))]).await, (Ok((0, 300)), vec![0, 250]));
        assert_eq!(run(&[(Some(200), Ok(())), (Some(1), Ok(()))]).await, (Ok((0, 200)), vec![0]));
    }

    #[tokio::test(start_paused = true)]
    async fn all_that_fail_say_why() {
        let scripts = [(Some(400), Err("first")), (Some(10), Err("second"))];
        assert_eq!(run(&scripts).await, (Err(vec!["second", "first"]), vec![0, 250]));
        assert_eq!(run(&[]).await, (Err(vec![]), vec![]));
    }
}
