//! Flaws that the parser found in a playlist and tolerated: each finding with its first line and a count.
//!
//! * [`PlaylistFindings`] contains each finding at most once: a hostile playlist cannot make it grow.

use crate::vocabulary::Finding;

/// One kind of finding in the text of a playlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaylistFinding {
    /// The finding.
    pub finding: Finding,
    /// First line with the finding, counted from 1; 0 stands for the playlist as a whole.
    pub line: u32,
    /// Number of occurrences.
    pub count: u32,
}

/// Flaws of a playlist in the order of first appearance, each finding once.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PlaylistFindings(Vec<PlaylistFinding>);

impl PlaylistFindings {
    /// Counts one more `finding` at `line`.
    pub(super) fn note(&mut self, finding: Finding, line: u32) {
        match self.0.iter_mut().find(|known| known.finding == finding) {
            Some(known) => known.count = known.count.saturating_add(1),
            None => self.0.push(PlaylistFinding { finding, line, count: 1 }),
        }
    }

    /// Iterates over all findings, in the order of first appearance.
    pub fn iter(&self) -> impl Iterator<Item = &PlaylistFinding> {
        self.0.iter()
    }

    /// Reports whether there are no findings.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the finding of this kind, if there is one.
    pub fn get(&self, finding: Finding) -> Option<&PlaylistFinding> {
        self.0.iter().find(|known| known.finding == finding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_stands_once_with_its_first_line_and_a_count() {
        let mut findings = PlaylistFindings::default();
        for line in 3..1000 {
            findings.note(Finding::BadUri, line);
        }
        findings.note(Finding::Truncated, 7);
        let expected = PlaylistFinding { finding: Finding::BadUri, line: 3, count: 997 };
        assert_eq!(findings.get(Finding::BadUri), Some(&expected));
        assert_eq!(findings.iter().count(), 2);
    }
}
