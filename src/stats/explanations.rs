//! Reasons why requests failed, taken from the first failure of each sort: a name and a count do not say that a
//! certificate has expired, or that a login page came instead of a playlist.
//!
//! * One writer for each worker, any number of readers, no lock. A failure that is not the first of its sort costs
//!   one load.
//! * A text is made safe to print before it is stored: see [`Detail`].

use std::sync::Arc;

use super::detail::Detail;
use crate::sync::atomics::OnceLock;
use crate::sync::image::Walk;
use crate::vocabulary::Untrusted;
use crate::vocabulary::outcome::Fault;

/// Maximum width of an explanation that is not about a host, in columns: two lines of a report.
const COLUMNS: usize = 120;

/// Explanations of one worker.
#[derive(Debug)]
pub(super) struct Explanations(Box<[OnceLock<Arc<str>>]>);

impl Default for Explanations {
    fn default() -> Self {
        Self((0..Fault::COUNT).map(|_| OnceLock::default()).collect())
    }
}

impl Explanations {
    /// Stores why a request failed; calls `detail` only for the first failure of its sort.
    pub(super) fn note<D: Into<Detail>>(&self, fault: Fault, detail: impl FnOnce() -> D) {
        if let Some(slot) = self.0.get(fault as usize) {
            slot.get_or_init(|| detail().into().shown_in(COLUMNS));
        }
    }

    /// Visits all texts.
    pub(super) fn walk(&self, walk: &mut Walk<'_>) {
        for slot in &self.0 {
            if let Some(text) = walk.text(slot.get().map(|text| &**text)) {
                slot.get_or_init(|| Untrusted::new(text).shown().into());
            }
        }
    }

    fn get(&self, fault: Fault) -> Option<Arc<str>> {
        self.0.get(fault as usize)?.get().map(Arc::clone)
    }
}

/// Returns the explanation of each fault that has one, in the order of the closed list. If several workers have one,
/// the first of them is taken.
pub(super) fn read<'a>(workers: impl Iterator<Item = &'a Explanations> + Clone) -> Vec<(Fault, Arc<str>)> {
    let explained = |fault: Fault| workers.clone().find_map(|worker| worker.get(fault));
    Fault::ALL.into_iter().filter_map(|fault| Some((fault, explained(fault)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_of_each_sort_is_explained_without_control_characters_and_tokens() {
        let workers = [Explanations::default(), Explanations::default()];
        assert_eq!(read(workers.iter()), []);
        workers[1].note(Fault::TlsCert, || "\x1b[2Jexpired token=hunter2".to_owned());
        workers[1].note(Fault::TlsCert, || -> String { panic!("only the first is asked for") });
        workers[0].note(Fault::PlaylistNotM3u8, || "text/html".to_owned());
        let explained = read(workers.iter());
        assert_eq!(explained[0], (Fault::TlsCert, "^[[2Jexpired token=***".into()));
        assert_eq!(explained[1], (Fault::PlaylistNotM3u8, "text/html".into()));
        assert_eq!(explained.len(), 2);
    }
}
