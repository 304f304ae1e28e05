//! Places of the view of failures and findings.

use ratatui::layout::{Rect, Size};

use super::{RULE, body, take, take_bottom};

/// Four lines of fifty statuses.
const STRIP: u16 = 4 + RULE;
/// Minimum height of the findings that is worth their rule.
const FINDINGS: u16 = 5;

/// Panels that can have the focus: the outcomes and the findings.
pub(in crate::tui) const PANELS: usize = 2;

/// Areas of the panels.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tui) struct Places {
    pub(in crate::tui) strip: Rect,
    pub(in crate::tui) codes: Rect,
    pub(in crate::tui) findings: Rect,
}

impl Places {
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<Rect> {
        vec![self.strip, self.codes, self.findings]
    }

    pub(in crate::tui) fn finding_lines(&self) -> usize {
        super::lines(self.findings, 1)
    }
}

/// Returns the places in a body of this size.
pub(in crate::tui) fn places(room: Size) -> Places {
    let mut codes = body(room);
    let strip = take(&mut codes, STRIP);
    let for_findings = (codes.height * 2 / 5).max(FINDINGS.min(codes.height / 2));
    let findings = take_bottom(&mut codes, for_findings);
    Places { strip, codes, findings }
}

/// Returns the number of outcomes that the list has room for.
pub(in crate::tui) fn lines(room: Size) -> usize {
    super::lines(places(room).codes, 1)
}
