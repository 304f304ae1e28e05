//! The hosts other than the target's in the text report.

use super::audience::Audience;
use super::text::Page;
use crate::vocabulary::units;

/// Maximum number of hosts that are listed.
const LISTED: usize = 6;

/// Writes the hosts other than the target's, those with refused requests first.
pub(super) fn hosts(audience: &Audience, page: &mut Page) {
    if audience.hosts.is_empty() {
        return;
    }
    page.line(format!("hosts   {} beside the target's", units::plural(audience.hosts.len() as u64, "host")));
    let mut hosts: Vec<_> = audience.hosts.iter().collect();
    hosts.sort_by_key(|(_, host)| std::cmp::Reverse((host.refused, host.requests)));
    for (name, host) in hosts.iter().take(LISTED) {
        let refused = match host.refused {
            0 => String::new(),
            refused => format!("  refused {}", units::count(refused)),
        };
        page.line(format!("  {:>12}  {name}{refused}", units::count(host.requests)));
    }
    if hosts.len() > LISTED {
        page.line(format!("  and {} more", units::plural((hosts.len() - LISTED) as u64, "host")));
    }
}
