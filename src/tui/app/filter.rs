//! Filters of lists: a pattern for lines of text, or a comparison of one number of a client.

use std::net::SocketAddr;
use std::time::Duration;

use crate::sample::{GroupKey, WhoGroup};
use crate::stats::{ClientRow, PlacementIndex};
use crate::vocabulary::{ClientState, units};

/// Filter of a list.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Filter {
    /// The filter as it was typed.
    pub(in crate::tui) text: String,
    test: Test,
    wanted: bool,
}

#[derive(Clone, Debug)]
enum Test {
    Pattern(regex_lite::Regex),
    /// A number of a client above or below a bound.
    Compare {
        field: Field,
        more: bool,
        bound: u64,
    },
    /// Clients that play the rung at this place.
    Rung(usize),
    /// Clients of a group.
    Group(GroupKey),
}

/// Number of a client that a filter compares; times are in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    /// Time of the run at which it joined.
    Joined,
    /// Media in its buffer.
    Buffer,
    /// Distance from the live edge.
    Behind,
    Stalls,
    Failed,
}

impl Field {
    const ALL: [(&str, Self); 5] = [
        ("joined", Self::Joined),
        ("buffer", Self::Buffer),
        ("behind", Self::Behind),
        ("stalls", Self::Stalls),
        ("failed", Self::Failed),
    ];

    /// Returns the number of a client; `None` if it is unknown.
    fn of(self, row: &ClientRow, now_us: u64) -> Option<u64> {
        match self {
            Self::Joined => Some(row.playback.joined_us),
            Self::Buffer => Some(row.playback.buffer_at(now_us)),
            Self::Behind => row.playback.live_latency_at(now_us),
            Self::Stalls => Some(row.stalls),
            Self::Failed => Some(row.failures()),
        }
    }

    /// Parses a bound: a time, or a count.
    ///
    /// # Errors
    /// Lists the accepted forms if `text` has none of them.
    fn parse(self, text: &str) -> Result<u64, String> {
        match self {
            Self::Stalls | Self::Failed => units::parse_count(text)
                .map_err(|_| format!("invalid count '{text}'; expected a number such as 3")),
            Self::Joined | Self::Buffer | Self::Behind => time(text)
                .and_then(|time| u64::try_from(time.as_micros()).ok())
                .ok_or_else(|| format!("invalid time '{text}'; expected 80, 1:20 or 1:01:20")),
        }
    }
}

/// Parses seconds, or minutes and seconds, or hours, minutes and seconds; `None` for any other text.
fn time(text: &str) -> Option<Duration> {
    let parts: Vec<&str> = text.trim().split(':').collect();
    let mut seconds = 0.0;
    for (place, part) in parts.iter().enumerate() {
        let is_plain = part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let value = part.parse::<f64>().ok().filter(|value| is_plain && (place == 0 || *value < 60.0))?;
        seconds = seconds * 60.0 + value;
    }
    Duration::try_from_secs_f64(seconds).ok().filter(|_| parts.len() <= 3)
}

impl Filter {
    /// Builds a filter from typed text; `None` if the text holds none.
    ///
    /// # Errors
    /// Fails if the text is neither a comparison nor a regular expression.
    pub(super) fn new(text: &str) -> Result<Option<Self>, String> {
        let text = text.trim();
        let (wanted, test) = text.strip_prefix('!').map_or((true, text), |rest| (false, rest));
        if test.is_empty() {
            return Ok(None);
        }
        let test = match comparison(test)? {
            Some(test) => test,
            None => {
                let pattern = regex_lite::RegexBuilder::new(test).case_insensitive(true).build();
                let wrong = |_| format!("invalid pattern '{text}'; expected a regular expression");
                Test::Pattern(pattern.map_err(wrong)?)
            }
        };
        Ok(Some(Self { text: text.to_owned(), test, wanted }))
    }

    /// Returns the filter for the clients that play the rung at a place.
    pub(super) fn of_rung(place: usize, label: &str) -> Self {
        Self { text: format!("variant:{label}"), test: Test::Rung(place), wanted: true }
    }

    /// Returns the filter for the clients of a group; `None` for one that is what the others leave.
    pub(super) fn of_group(group: &WhoGroup) -> Option<Self> {
        let text = format!("{}:{}", group.dimension.name(), group.name);
        (group.key != GroupKey::Others).then(|| Self { text, test: Test::Group(group.key), wanted: true })
    }

    /// Returns the filter for the clients that an address answered last.
    pub(super) fn of_edge(address: SocketAddr) -> Self {
        let key = GroupKey::Edge(address);
        Self { text: format!("edge:{address}"), test: Test::Group(key), wanted: true }
    }

    /// Returns the filter for the clients that joined from `first` to `last`.
    pub(super) fn of_joined(first: &ClientRow, last: &ClientRow) -> Self {
        let [from, to] = [first, last].map(|row| units::clock(Duration::from_micros(row.playback.joined_us)));
        let key = GroupKey::Joined(first.id, last.id);
        Self { text: format!("joined:{from}-{to}"), test: Test::Group(key), wanted: true }
    }

    /// Reports whether the filter compares clients, so that it says nothing about a line of text.
    pub(super) const fn is_for_clients(&self) -> bool {
        !matches!(self.test, Test::Pattern(_))
    }

    /// Reports whether the filter shows a line of text.
    pub(in crate::tui) fn takes(&self, line: &str) -> bool {
        match &self.test {
            Test::Pattern(pattern) => pattern.is_match(line) == self.wanted,
            _ => true,
        }
    }

    /// Reports whether the filter shows a client; a pattern is tried on its `words`. An unknown number is neither above
    /// nor below any bound.
    pub(super) fn takes_row(
        &self,
        row: &ClientRow,
        now_us: u64,
        placements: &PlacementIndex,
        words: impl FnOnce() -> String,
    ) -> bool {
        let is_met = match &self.test {
            Test::Pattern(pattern) => pattern.is_match(&words()),
            Test::Compare { field, more, bound } => {
                field.of(row, now_us).is_some_and(|value| if *more { value > *bound } else { value < *bound })
            }
            Test::Rung(place) => row.placement.rungs().any(|played| played == *place),
            Test::Group(key) => is_of(row, *key, placements),
        };
        is_met == self.wanted
    }
}

/// Reports whether a client is of a group. One that has finished is of none, as in the groups themselves.
fn is_of(row: &ClientRow, key: GroupKey, placements: &PlacementIndex) -> bool {
    row.state != ClientState::Finished
        && match key {
            GroupKey::Edge(edge) => placements.edge(row.placement) == Some(edge),
            GroupKey::Rung(place) => row.placement.rung() == Some(place),
            GroupKey::BitRate(bits) => row.playback.bandwidth == bits,
            GroupKey::Joined(first, last) => (first..=last).contains(&row.id),
            GroupKey::Worker(worker) => row.placement.worker() == Some(worker),
            GroupKey::Others => false,
        }
}

/// Parses a comparison such as `joined>1:20`; `None` for a text without one.
///
/// # Errors
/// Names the numbers that can be compared, or the accepted bounds.
fn comparison(text: &str) -> Result<Option<Test>, String> {
    let Some((name, bound)) = text.split_once(['<', '>']) else { return Ok(None) };
    let (name, bound) = (name.trim(), bound.trim());
    let field = Field::ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let Some((_, field)) = field else {
        let is_word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
        if is_word && bound.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(format!(
                "cannot compare '{name}'; expected joined, buffer, behind, stalls or failed"
            ));
        }
        return Ok(None);
    };
    let more = text.contains('>');
    Ok(Some(Test::Compare { field: *field, more, bound: field.parse(bound)? }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Placement;
    use crate::tui::fixtures;
    use crate::vocabulary::Playback;

    fn filter(text: &str) -> Filter {
        Filter::new(text).expect("a filter").expect("not empty")
    }

    /// Returns a client that joined at 1:20, has 2 s of buffer at 64 s, is 10 s behind live, stalled three times and has
    /// failed once.
    fn row() -> ClientRow {
        let playback = Playback {
            joined_us: 80_000_000,
            dry_at_us: 66_000_000,
            offset_us: 0,
            live_offset_us: Some(10_000_000),
            ..fixtures::row(7, ClientState::Playing).playback
        };
        ClientRow { playback, stalls: 3, http_errors: 1, ..fixtures::row(7, ClientState::Playing) }
    }

    fn takes(text: &str, row: &ClientRow) -> bool {
        filter(text)
            .takes_row(row, 64_000_000, &PlacementIndex::default(), || panic!("a comparison needs no words"))
    }

    #[test]
    fn a_filter_takes_lines_or_leaves_them_out() {
        assert!(Filter::new("  ").expect("none").is_none() && Filter::new("!").expect("none").is_none());
        assert!(filter("503|STALL").takes("17 stalled ok"));
        assert!(!filter("!stalled").takes("17 stalled ok"));
        assert!(filter("a<b").takes("a<b") && !filter("a<b").takes("a"), "no number, so no comparison");
        assert!(Filter::new("(").is_err());
    }

    #[test]
    fn each_number_of_a_client_is_compared_with_its_bound() {
        for (text, taken) in [
            ("joined>1:19", true),
            ("joined>1:20", false),
            ("joined<80.5", true),
            ("joined>0:01:19", true),
            ("buffer<2", false),
            ("BUFFER < 2.5", true),
            ("behind>9.9", true),
            ("behind>10", false),
            ("!behind>10", true),
            ("stalls>2", true),
            ("stalls>3", false),
            ("failed>0", true),
            ("failed<1", false),
        ] {
            assert_eq!(takes(text, &row()), taken, "{text}");
        }
        let unknown = ClientRow { playback: Playback { live_offset_us: None, ..row().playback }, ..row() };
        assert!(!takes("behind>0", &unknown) && !takes("behind<99", &unknown));
    }

    #[test]
    fn a_bound_that_is_none_is_refused_with_what_is_accepted() {
        for (text, expected) in [
            ("joined>1:2x", "invalid time '1:2x'; expected 80, 1:20 or 1:01:20"),
            ("joined>1:70", "invalid time '1:70'; expected 80, 1:20 or 1:01:20"),
            ("buffer<", "invalid time ''; expected 80, 1:20 or 1:01:20"),
            ("behind>1:2:3:4", "invalid time '1:2:3:4'; expected 80, 1:20 or 1:01:20"),
            ("stalls>some", "invalid count 'some'; expected a number such as 3"),
            ("age>5", "cannot compare 'age'; expected joined, buffer, behind, stalls or failed"),
        ] {
            assert_eq!(Filter::new(text).expect_err(text), expected);
        }
        assert!(Filter::new("buffer<99999999999999999999999").is_err(), "no time is that long");
    }

    #[test]
    fn the_clients_of_a_rung_are_told_by_its_place() {
        let on = |placement| ClientRow { placement, ..row() };
        let of_rung = Filter::of_rung(2, "1080p");
        let takes = |row: &ClientRow| {
            of_rung.takes_row(row, 0, &PlacementIndex::default(), || panic!("needs no words"))
        };
        assert!(takes(&on(Placement::on_rung(2))));
        assert!(!takes(&on(Placement::on_rung(1))) && !takes(&on(Placement::default())));
        assert_eq!((of_rung.text.as_str(), of_rung.is_for_clients()), ("variant:1080p", true));
    }
}
