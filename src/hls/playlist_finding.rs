//! What was wrong in a playlist and yet tolerated: each finding with its first line and a count.
//!
//! * A finding stands at most once in [`PlaylistFindings`]: a hostile playlist cannot make the list grow.

use crate::vocabulary::Finding;

/// One kind of flaw in the text of a playlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaylistFinding {
    /// What is wrong.
    pub finding: Finding,
    /// The first line (from 1) where it stands; 0: the playlist as a whole.
    pub line: u32,
    /// How often it stands there.
    pub count: u32,
}

/// What was wrong in a playlist, in the order of first appearance, each finding once.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PlaylistFindings(Vec<PlaylistFinding>);

impl PlaylistFindings {
    /// Counts one more `finding` at `line`.
    pub(super) fn note(&mut self, finding: Finding, line: u32) {
        match self.0.iter_mut().find(|flaw| flaw.finding == finding) {
            Some(flaw) => flaw.count = flaw.count.saturating_add(1),
            None => self.0.push(PlaylistFinding { finding, line, count: 1 }),
        }
    }

    /// All of them, in the order of first appearance.
    pub fn iter(&self) -> impl Iterator<Item = &PlaylistFinding> {
        self.0.iter()
    }

    /// Whether nothing was wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The flaw of this kind, if there is one.
    pub fn get(&self, finding: Finding) -> Option<&PlaylistFinding> {
        self.0.iter().find(|flaw| flaw.finding == finding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_stands_once_with_its_first_line_and_a_count() {
        let mut flaws = PlaylistFindings::default();
        for line in 3..1000 {
            flaws.note(Finding::BadUri, line);
        }
        flaws.note(Finding::Truncated, 7);
        let expected = PlaylistFinding { finding: Finding::BadUri, line: 3, count: 997 };
        assert_eq!(flaws.get(Finding::BadUri), Some(&expected));
        assert_eq!(flaws.iter().count(), 2);
    }
}
