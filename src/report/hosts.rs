//! The hosts other than the target's, as lines of the text report.

use super::audience::AudienceReport;
use crate::vocabulary::units;

/// Maximum number of hosts that are listed.
const LISTED: usize = 6;

/// Returns a line for each host other than the target's, those that were refused most often first.
pub(super) fn lines(audience: &AudienceReport) -> Vec<String> {
    if audience.hosts.is_empty() {
        return Vec::new();
    }
    let mut hosts: Vec<_> = audience.hosts.iter().collect();
    hosts.sort_by_key(|(_, host)| std::cmp::Reverse((host.refused, host.requests)));
    let mut lines =
        vec![format!("hosts   {} besides the target's", units::plural(hosts.len() as u64, "host"))];
    for (name, host) in hosts.iter().take(LISTED) {
        let refused = match host.refused {
            0 => String::new(),
            refused => format!("  refused {}", units::plural(refused, "time")),
        };
        lines.push(format!("  {:>12}  {name}{refused}", units::count(host.requests)));
    }
    if hosts.len() > LISTED {
        lines.push(format!("  and {} more", units::plural((hosts.len() - LISTED) as u64, "host")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::HostReport;
    use super::*;

    #[test]
    fn refused_hosts_come_first_and_the_rest_is_counted() {
        let mut audience = AudienceReport {
            source_addresses: Vec::new(),
            edges: Default::default(),
            hosts: Default::default(),
            protocols: Default::default(),
            tls_handshakes: 0,
            tls_resumed: 0,
            players: Default::default(),
        };
        assert_eq!(lines(&audience), [""; 0]);
        let host = |requests, refused| HostReport { requests, refused };
        audience.hosts.insert("cdn.example".to_owned(), host(1_200, 0));
        audience.hosts.insert("ads.example".to_owned(), host(0, 2));
        let expected = [
            "hosts   2 hosts besides the target's",
            "             0  ads.example  refused 2 times",
            "         1,200  cdn.example",
        ];
        assert_eq!(lines(&audience), expected);
        (0..9).for_each(|number| _ = audience.hosts.insert(format!("{number}.example"), host(1, 0)));
        assert_eq!(lines(&audience).len(), 1 + LISTED + 1);
    }
}
