//! The open client over the last minute: its state, its buffer, and its requests as bars on the same time axis.

use std::time::Duration;

use ratatui::layout::Size;

use super::charts::{Stack, StackBand};
use super::client_words::{second_tone, seconds, state_tone};
use super::{Column, Text, Weight, errors};
use crate::pipeline::WatchedRequest;
use crate::sample::{ClientDetail, WatchedClient};
use crate::stats::{ClientRow, SecondState};
use crate::tui::app::App;
use crate::tui::layout::clients as places;
use crate::tui::theme::Role;
use crate::tui::widget::{RequestColumns, TimeAxis};
use crate::vocabulary::palette::tones_of;
use crate::vocabulary::playback::FULL_BUFFER_US;
use crate::vocabulary::{ClientState, Kind, Outcome, Tone, units};

/// Length of the time axis.
const LENGTH: Duration = Duration::from_secs(64);
/// Age from which a reading of the client says nothing any more: two readings have been missed.
const STALE_US: u64 = 2_000_000;

/// Columns of the times and outcomes beside the requests.
pub(in crate::tui) const OUTCOMES: &[Column] =
    &[Column::number("BYTE 1 ms", 11), Column::number("TOTAL ms", 10), Column::word("OUTCOME", 24)];

/// A request on the time axis.
#[derive(Clone, Debug)]
pub(in crate::tui) struct RequestBar {
    /// Kind and media sequence number; where no outcomes stand beside the bars, also the outcome.
    pub(in crate::tui) label: Text,
    pub(in crate::tui) columns: RequestColumns,
    /// Tone of its outcome; `None` without one.
    pub(in crate::tui) tone: Option<Tone>,
    /// Cells of [`OUTCOMES`].
    pub(in crate::tui) cells: [Text; 3],
}

/// The open client.
#[derive(Clone, Debug, Default)]
pub(in crate::tui) struct ClientTimeline {
    pub(in crate::tui) title: Text,
    /// Texts at the right end of the rule.
    pub(in crate::tui) aside: Vec<Text>,
    /// Text in place of everything below, for a client of which nothing is known.
    pub(in crate::tui) none: String,
    /// The axis and what is on it; `None` for such a client.
    pub(in crate::tui) axis: Option<TimeAxis>,
    /// The present, below the axis.
    pub(in crate::tui) now: String,
    pub(in crate::tui) states: Vec<Option<Tone>>,
    pub(in crate::tui) buffer: Option<Stack>,
    /// Requests, oldest first.
    pub(in crate::tui) requests: Vec<RequestBar>,
    /// Text in place of the requests.
    pub(in crate::tui) no_requests: Text,
    /// Further numbers.
    pub(in crate::tui) facts: Vec<Text>,
}

/// Sources of a timeline.
struct Sources<'a> {
    row: Option<&'a ClientRow>,
    watched: Option<&'a WatchedClient>,
    now_us: u64,
    axis: TimeAxis,
}

impl ClientTimeline {
    pub(super) fn new(app: &App, room: Size) -> Self {
        let snapshot = &app.steady.snapshot;
        let id = app.clients.selected.unwrap_or_default();
        let title = Text::title(format!("Client {}", units::count(id)));
        // These are of the client that was open when the sample was made: unknown in a sample of before.
        let detail = app.shown.detail.as_deref().filter(|detail| detail.id == id);
        let watched = app.shown.watched.as_deref().filter(|watched| watched.id == id);
        let row = snapshot.clients.iter().find(|row| row.id == id);
        if row.is_none() && watched.is_none() {
            return Self { title, none: "this client has left".to_owned(), ..Self::default() };
        }
        // Playback is shown for the time at which the counters were read.
        let now_us = snapshot.clients_at_us;
        let now = Duration::from_micros(now_us);
        let detail_place = places::layout(room, app.detail_lines()).detail;
        let places = places::timeline(room, detail_place);
        let axis = TimeAxis::last(LENGTH, now, places.states.width);
        let sources = Sources { row, watched, now_us, axis };
        let lines = usize::from(places.requests.height);
        let (requests, of_all) = sources.requests(lines, places.outcomes.is_empty());
        Self {
            title,
            aside: aside(row, detail, now_us),
            none: String::new(),
            axis: Some(axis),
            now: format!("now {}", units::short_clock(now)),
            states: (0..axis.columns).map(|column| sources.state(column)).collect(),
            buffer: Some(sources.buffer()),
            no_requests: sources.no_requests(),
            requests,
            facts: facts(row, detail, of_all, now_us),
        }
    }
}

impl Sources<'_> {
    /// Returns the end of a column, in microseconds since the start of the run; `None` after the present.
    fn end_of(&self, column: u16) -> Option<u64> {
        let is_past = self.axis.column(self.axis.now).is_some_and(|now| column <= now);
        let end = u64::try_from(self.axis.ends(column).as_micros()).unwrap_or(u64::MAX);
        is_past.then(|| end.min(self.now_us))
    }

    fn state(&self, column: u16) -> Option<Tone> {
        let at_us = self.end_of(column)?;
        let read = self.watched.and_then(|watched| reading(watched, at_us));
        if let Some((state, _)) = read {
            return Some(state_tone(state));
        }
        // From before it was watched, the last states of all clients are known coarsely.
        second_tone(SecondState::before(self.row?.last_states, self.now_us - at_us))
    }

    fn buffer(&self) -> Stack {
        let top = FULL_BUFFER_US as f64;
        let value = |column| {
            let read = self.watched.zip(self.end_of(column));
            read.and_then(|(watched, at_us)| reading(watched, at_us)).map(|(_, buffer_us)| buffer_us as f64)
        };
        let values = (0..self.axis.columns).map(value).collect();
        let bands = vec![StackBand { values, tone: Tone::Play, trouble: false }];
        let full = units::whole_span(Duration::from_micros(FULL_BUFFER_US));
        Stack { bands, ahead: Vec::new(), top, scale: [format!("of {full}"), String::new(), String::new()] }
    }

    /// Returns the bars of the requests that fit in `lines`, oldest first, and how many of how many they are.
    fn requests(&self, lines: usize, is_labelled: bool) -> (Vec<RequestBar>, (usize, usize)) {
        let all = self.watched.map(|watched| &*watched.requests).unwrap_or_default();
        let from_us = u64::try_from(self.axis.from.as_micros()).unwrap_or(u64::MAX);
        let is_shown = |request: &&WatchedRequest| self.end_us(request) > from_us;
        let mut shown: Vec<&WatchedRequest> = all.iter().filter(is_shown).collect();
        let count = shown.len();
        if count > lines {
            // Playlists that came well are the ones that matter least.
            shown.retain(|request| request.kind == Kind::Segment || !is_ok(request));
        }
        let bars: Vec<RequestBar> = shown
            .get(shown.len().saturating_sub(lines)..)
            .unwrap_or_default()
            .iter()
            .filter_map(|request| self.bar(request, is_labelled))
            .collect();
        let of_all = (bars.len(), count);
        (bars, of_all)
    }

    fn bar(&self, request: &WatchedRequest, is_labelled: bool) -> Option<RequestBar> {
        let axis = &self.axis;
        let column = |after_us: u32| {
            let at = Duration::from_micros(request.asked_us + u64::from(after_us));
            axis.column(at.clamp(axis.from, axis.to))
        };
        let begin = column(0)?;
        let end = axis.column(Duration::from_micros(self.end_us(request)).min(axis.now))?;
        let first_byte = request.first_byte_us.and_then(column);
        let outcome = request.end.map(|end| end.outcome);
        let is_lost = request.end.is_none() && !self.is_open();
        let word = match outcome {
            Some(outcome) => Text::new(role(outcome), errors::short(outcome)),
            None if is_lost => Text::label(units::UNKNOWN),
            None => {
                let since = Duration::from_micros(self.now_us.saturating_sub(request.asked_us));
                Text::new(Role::Warning, format!("open {}", units::span(since)))
            }
        };
        let mut label = Text::label(request.kind.name());
        if let Some(sequence) = request.sequence {
            label.text.push_str(&format!(" {sequence}"));
        }
        if is_labelled && outcome != Some(Outcome::Ok) {
            label = label.then(word.role, &format!(" {}", word.text));
        }
        let time =
            |us: Option<u32>| us.map_or(units::UNKNOWN.to_owned(), |us| units::milliseconds(us.into()));
        let times = [request.first_byte_us, request.end.map(|end| end.took_us)];
        let [first, total] = times.map(|us| Text::plain(time(us)));
        Some(RequestBar {
            label,
            columns: RequestColumns { begin, first_byte, end: end.max(begin) },
            tone: outcome.map(tone),
            cells: [first, total, word],
        })
    }

    /// Returns the end of a request; of an open one, the present; of one whose end is not known, its beginning.
    fn end_us(&self, request: &WatchedRequest) -> u64 {
        match request.end {
            Some(end) => request.asked_us + u64::from(end.took_us),
            None if self.is_open() => self.now_us,
            None => request.asked_us,
        }
    }

    /// Reports whether the client has an open request at all: an end that was dropped on its way leaves its request
    /// without one.
    fn is_open(&self) -> bool {
        self.row.is_some_and(|row| row.open_since_us.is_some())
    }

    fn no_requests(&self) -> Text {
        Text::label(match self.watched {
            Some(watched) => {
                let since = units::short_clock(Duration::from_micros(watched.since_us));
                format!("no request since {since}, when this client was first watched")
            }
            None => "its requests and its buffer are recorded from now on".to_owned(),
        })
    }
}

/// Returns the state and the buffer of a client at a moment; `None` if they were not read.
fn reading(watched: &WatchedClient, at_us: u64) -> Option<(ClientState, u64)> {
    let second = watched.seconds.iter().rev().find(|second| second.at_us <= at_us)?;
    (at_us - second.at_us < STALE_US).then_some((second.state, second.buffer_us))
}

fn is_ok(request: &WatchedRequest) -> bool {
    request.end.is_some_and(|end| end.outcome.is_ok())
}

fn role(outcome: Outcome) -> Role {
    if outcome.is_ok() { Role::Label } else { Role::In(tone(outcome)) }
}

fn tone(outcome: Outcome) -> Tone {
    if outcome.is_ok() { Tone::Data } else { tones_of(&[outcome]).first().copied().unwrap_or(Tone::Other) }
}

/// Returns the numbers that say at once how the client fares.
fn aside(row: Option<&ClientRow>, detail: Option<&ClientDetail>, now_us: u64) -> Vec<Text> {
    let Some(row) = row else { return vec![Text::new(Role::Warning, "has left")] };
    let joined = units::short_clock(Duration::from_micros(row.playback.joined_us));
    let mut aside = vec![Text::label(format!("joined {joined}"))];
    if row.playback.bandwidth > 0 {
        aside.push(Text::label(units::bit_rate(row.playback.bandwidth as f64)));
    }
    if let Some(edge) = detail.and_then(|detail| detail.edge) {
        aside.push(Text::label(edge.ip().to_string()));
    }
    if let Some(latency) = row.playback.live_latency_at(now_us) {
        aside.push(Text::label(format!("{} behind live", seconds(latency))));
    }
    if row.stalls > 0 {
        let stalls = format!("stalled {}", times(row.stalls));
        aside.push(Text::new(Role::Failing, stalls).weighing(Weight::Subject));
    }
    let failed =
        format!("{} of {} failed", units::count(row.failures()), units::plural(row.requests, "request"));
    let role = if row.failures() > 0 { Role::Warning } else { Role::Label };
    let short = format!("{} failed", units::count(row.failures()));
    aside.push(Text::new(role, failed).or_short(short).weighing(Weight::Subject));
    aside.push(Text::label("Esc closes").weighing(Weight::Decoration));
    aside
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{} times", units::count(count)) }
}

/// Returns what the bars mean, and the numbers that neither the list nor the rule shows.
fn facts(
    row: Option<&ClientRow>,
    detail: Option<&ClientDetail>,
    (shown, count): (usize, usize),
    now_us: u64,
) -> Vec<Text> {
    let mut facts = vec![
        Text::label("─ to first byte  ━ body").or_short("─ to 1st byte ━ body").weighing(Weight::OutOfBounds),
    ];
    if shown < count {
        facts.push(Text::label(format!("{shown} of {count} requests")));
    }
    if let Some(failures) = detail.map(|detail| &detail.failures).filter(|failures| !failures.is_empty()) {
        let each = failures.iter().map(|(outcome, count)| format!("{} x {outcome}", units::count(*count)));
        let failed = format!("failed {}", each.collect::<Vec<_>>().join(", "));
        facts.push(Text::plain(failed).weighing(Weight::Subject));
    }
    if let Some([least, median, most]) = detail.and_then(|detail| detail.segments) {
        let [least, median, most] = [least, median, most].map(|size| units::bytes(size.into()));
        let all = format!("segments {least} to {most}, median {median}");
        facts.push(Text::label(all).or_short(format!("segments {median}")));
    }
    if let Some(size) = detail.and_then(|detail| detail.last_segment) {
        facts.push(Text::label(format!("last {}", units::bytes(size.into()))).weighing(Weight::Decoration));
    }
    let Some(row) = row else { return facts };
    let span = |us: u64| units::span(Duration::from_micros(us));
    let drift = row.playback.drift_at(now_us);
    // The largest is kept when the playhead settles; a client that is stalled drifts on.
    let largest = row.playback.max_drift_us.max(drift);
    facts.push(Text::label(format!("played {}", span(row.playback.position_at(now_us)))));
    facts.push(Text::label(format!("drift {}, at most {}", span(drift), span(largest))));
    if row.reconnections > 0 {
        facts.push(Text::label(format!("reconnected {}", times(row.reconnections))));
    }
    facts
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::pipeline::RequestEnd;
    use crate::sample::RunSample;
    use crate::tui::app::{Access, Msg};
    use crate::tui::fixtures;
    use crate::tui::input::{Input, Key};

    const SIZE: Size = Size::new(160, 48);

    /// Returns the timeline of client 2 of a sample that `change` changes.
    fn timeline(change: impl FnOnce(&mut RunSample)) -> ClientTimeline {
        let mut app = App::new(fixtures::title(), Access::Full);
        app.update(Msg::Screen(SIZE));
        app.update(Msg::Sample(fixtures::sample("storm")));
        for key in [Key::Char('2'), Key::Char('j'), Key::Char('j'), Key::Enter] {
            app.update(Msg::Input(Input::Key(key)));
        }
        let mut sample = RunSample::clone(&fixtures::sample("storm"));
        sample.at += Duration::from_secs(1);
        change(&mut sample);
        app.update(Msg::Sample(Arc::new(sample)));
        assert_eq!(app.clients.opened(), Some(2));
        ClientTimeline::new(&app, app.room)
    }

    fn row(sample: &mut RunSample) -> &mut ClientRow {
        let rows = Arc::make_mut(&mut sample.snapshot.clients);
        rows.iter_mut().find(|row| row.id == 2).expect("client 2")
    }

    fn watched(sample: &mut RunSample) -> &mut WatchedClient {
        Arc::make_mut(sample.watched.as_mut().expect("watched"))
    }

    fn column(timeline: &ClientTimeline, second: u64) -> usize {
        let axis = timeline.axis.expect("an axis");
        axis.column(Duration::from_secs(second)).expect("on the axis").into()
    }

    #[test]
    fn what_was_not_read_is_a_gap_and_an_empty_buffer_is_none() {
        let timeline = timeline(|_| {});
        let buffer = &timeline.buffer.as_ref().expect("a buffer").bands[0].values;
        let at = |second| (timeline.states[column(&timeline, second)], buffer[column(&timeline, second)]);
        assert_eq!(at(5), (None, None), "before it was watched");
        assert_eq!(at(11), (Some(Tone::Start), Some(0.0)));
        assert_eq!(at(40), (Some(Tone::Play), Some(6e6)));
        assert_eq!(at(52), (Some(Tone::Fail), Some(0.0)));
    }

    #[test]
    fn before_it_was_watched_a_client_has_its_coarse_states_and_no_buffer() {
        let timeline = timeline(|sample| {
            // It played for long, then waited for a second and has stalled for two.
            row(sample).last_states = 0x5555_5555_5555_556f;
            let watched = watched(sample);
            (watched.since_us, watched.seconds, watched.requests) = (64_000_000, Vec::new(), Arc::default());
        });
        let tones = [40, 62, 63, 64].map(|second| timeline.states[column(&timeline, second)]);
        assert_eq!(tones, [Some(Tone::Play), Some(Tone::Warn), Some(Tone::Fail), Some(Tone::Fail)]);
        let buffer = timeline.buffer.expect("a buffer");
        assert!(buffer.bands[0].values.iter().all(Option::is_none));
        assert!(timeline.requests.is_empty() && timeline.no_requests.text.contains("since 1:04"));
    }

    #[test]
    fn a_request_without_an_end_is_open_only_while_the_client_has_an_open_request() {
        let last = |timeline: &ClientTimeline| timeline.requests.last().cloned().expect("a request");
        let open = last(&timeline(|_| {}));
        assert_eq!((open.cells[2].text.as_str(), open.tone), ("open 2.9 s", None));
        assert!(open.columns.end > open.columns.begin);
        let body = last(&timeline(|sample| {
            let mut requests = watched(sample).requests.to_vec();
            requests.last_mut().expect("a request").first_byte_us = Some(1_000_000);
            watched(sample).requests = requests.into();
        }));
        assert!(open.columns.first_byte.is_none() && body.columns.first_byte < Some(body.columns.end));
        assert!(body.columns.first_byte.is_some() && body.cells[0].text == "1,000", "{body:?}");
        let lost = last(&timeline(|sample| row(sample).open_since_us = None));
        assert_eq!((lost.cells[2].text.as_str(), lost.tone), (units::UNKNOWN, None));
        assert_eq!(lost.columns.end, lost.columns.begin);
    }

    #[test]
    fn playlists_that_came_well_make_room_for_segments_and_failures() {
        let timeline = timeline(|sample| {
            let end = |outcome| RequestEnd { took_us: 9, bytes: 1, outcome };
            let playlist = |second: u64, outcome| WatchedRequest {
                asked_us: 1_000_000 * second,
                kind: Kind::Playlist,
                sequence: None,
                first_byte_us: Some(5),
                end: Some(end(outcome)),
            };
            let mut requests = vec![playlist(20, Outcome::from_status(404, false))];
            requests.push(WatchedRequest {
                kind: Kind::Segment,
                sequence: Some(7),
                ..playlist(21, Outcome::Ok)
            });
            requests.extend((22..62).map(|second| playlist(second, Outcome::Ok)));
            watched(sample).requests = requests.into();
        });
        let labels: Vec<&str> = timeline.requests.iter().map(|bar| bar.label.text.as_str()).collect();
        assert_eq!(labels, ["playlist", "segment 7"]);
        assert_eq!(timeline.facts[1].text, "2 of 42 requests");
    }

    #[test]
    fn a_client_that_has_left_keeps_its_last_minute() {
        let leave =
            |sample: &mut RunSample| Arc::make_mut(&mut sample.snapshot.clients).retain(|row| row.id != 2);
        let left = timeline(leave);
        assert_eq!((left.aside[0].text.as_str(), left.none.as_str()), ("has left", ""));
        assert!(!left.requests.is_empty());
        let unknown = timeline(|sample| {
            leave(sample);
            sample.watched = None;
        });
        assert_eq!((unknown.none.as_str(), unknown.axis), ("this client has left", None));
    }

    #[test]
    fn an_outcome_has_the_tone_of_its_class() {
        assert_eq!(tone(Outcome::Ok), Tone::Data);
        assert_eq!(tone(Outcome::from_status(404, false)), Tone::Warn);
        assert_eq!(tone(Outcome::from_status(500, false)), Tone::Fail);
    }
}
