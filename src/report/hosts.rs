//! The hosts other than the target's, as lines of the text report.

use super::cells::{count, plural, shown};
use super::doc::Part;
use crate::vocabulary::units;

/// Maximum number of hosts that are listed.
const LISTED: usize = 6;

/// Returns a line for each host other than the target's, those that were refused most often first.
pub(super) fn lines(hosts: Part<'_>) -> Vec<String> {
    let mut hosts: Vec<(&str, Part<'_>)> = hosts.table().collect();
    if hosts.is_empty() {
        return Vec::new();
    }
    let weight = |host: Part<'_>| (host.at("/refused").count(), host.at("/requests").count());
    hosts.sort_by_key(|(_, host)| std::cmp::Reverse(weight(*host)));
    let mut lines =
        vec![format!("hosts   {} besides the target's", units::plural(hosts.len() as u64, "host"))];
    for (name, host) in hosts.iter().take(LISTED) {
        let refused = host.at("/refused");
        let refused = if refused.count() == 0 {
            String::new()
        } else {
            format!("  refused {}", plural(refused, "time"))
        };
        lines.push(format!("  {:>12}  {}{refused}", count(host.at("/requests")), shown(name)));
    }
    if hosts.len() > LISTED {
        lines.push(format!("  and {} more", units::plural((hosts.len() - LISTED) as u64, "host")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_refused_ones_come_first_and_the_rest_is_counted() {
        let lines = |hosts: &Value| super::lines(Part::new(hosts));
        let mut hosts = json!({});
        assert_eq!(lines(&hosts), [""; 0]);
        hosts["cdn.example"] = json!({ "requests": 1_200, "refused": 0 });
        hosts["ads.example"] = json!({ "requests": 0, "refused": 2 });
        let expected = [
            "hosts   2 hosts besides the target's",
            "             0  ads.example  refused 2 times",
            "         1,200  cdn.example",
        ];
        assert_eq!(lines(&hosts), expected);
        (0..9).for_each(|number| hosts[format!("{number}.example")] = json!({ "requests": 1, "refused": 0 }));
        assert_eq!(lines(&hosts).len(), 1 + LISTED + 1);
    }
}
