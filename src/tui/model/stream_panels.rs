//! Lines of the view of the stream: rungs of the ladder, addresses that answer, findings, and the windows of the
//! playlists with the playheads of their viewers.

use std::net::SocketAddr;
use std::time::Duration;

use crate::sample::{EdgeSample, PLAYHEADS, RungSample, StreamSample};
use crate::stats::{FindingRow, RungKind};
use crate::tui::app::{App, rung_label};
use crate::tui::layout::stream::{Layout, StreamPanel};
use crate::tui::theme::Role;
use crate::tui::widget::HeatGrid;
use crate::vocabulary::{Tone, units};

use super::errors_view::{severity_words, worst_first};
use super::{Text, Weight, share_role};

/// Time after which a finding no longer counts as one of now.
const NOW: Duration = Duration::from_secs(10);

/// One rung of the ladder.
#[derive(Clone, Debug)]
pub(in crate::tui) struct RungLine {
    pub(in crate::tui) is_chosen: bool,
    pub(in crate::tui) is_late: bool,
    pub(in crate::tui) label: Text,
    /// Width, height and frame rate.
    pub(in crate::tui) size: Text,
    pub(in crate::tui) bit_rate: Text,
    pub(in crate::tui) codecs: Text,
    /// Share of all clients, 0 to 1.
    pub(in crate::tui) bar: f64,
    pub(in crate::tui) clients: Text,
    pub(in crate::tui) share: Text,
    pub(in crate::tui) stalled: Text,
    /// Age of the playlist as a share of twice that of a late one; `None` if it is unknown.
    pub(in crate::tui) age_bar: Option<f64>,
    pub(in crate::tui) age: Text,
    pub(in crate::tui) newest: Text,
}

/// Returns the rungs that have room, the one at the cursor among them.
pub(super) fn ladder(app: &App, room: usize) -> Vec<RungLine> {
    let stream = &app.steady.stream;
    let at = app.rung_index();
    let from = (at + 1).saturating_sub(room);
    let shown = stream.rungs.iter().enumerate().skip(from).take(room);
    shown.map(|(index, rung)| rung_line(stream, rung, index == at)).collect()
}

fn rung_line(stream: &StreamSample, rung: &RungSample, is_chosen: bool) -> RungLine {
    let is_late = stream.is_late(rung);
    let name = rung.name.as_deref();
    let alarming = |plain: Role| if is_late { Role::Failing } else { plain };
    let named = match rung.clients {
        _ if is_chosen => Role::Title,
        // Few clients play all rungs: those that none plays must not look as if they counted.
        0 => Role::Label,
        _ => Role::Plain,
    };
    let unknown = || units::UNKNOWN.to_owned();
    let size = name.and_then(|name| name.size).map(|(width, height)| format!("{width}x{height}"));
    let rate = name.and_then(|name| name.frame_rate).filter(|rate| *rate > 0.0);
    let rate = rate.map(|rate| format!("{} fps", (rate * 100.0).round() / 100.0));
    let full = stream.late_from().map(|limit| 2 * limit);
    RungLine {
        is_chosen,
        is_late,
        label: Text::new(alarming(named), rung_label(rung)),
        size: Text::label([size, rate].into_iter().flatten().collect::<Vec<_>>().join(" ")),
        bit_rate: Text::plain(
            name.and_then(|name| name.bandwidth).map_or_else(unknown, |bits| units::bit_rate(bits as f64)),
        ),
        codecs: Text::label(name.map_or("", |name| &name.codecs)),
        bar: rung.share.unwrap_or_default(),
        clients: Text::plain(units::count(rung.clients.into())),
        share: Text::label(units::percent(rung.share)),
        stalled: Text::new(share_role(rung.stalled_share), units::percent(rung.stalled_share)),
        age_bar: rung.age.zip(full).map(|(age, full)| age.div_duration_f64(full)),
        age: Text::new(alarming(Role::Plain), rung.age.map_or_else(unknown, units::span)),
        newest: Text::new(alarming(Role::Label), rung.newest.map_or_else(unknown, units::count)),
    }
}

/// One address.
#[derive(Clone, Debug)]
pub(in crate::tui) struct EdgeLine {
    pub(in crate::tui) is_chosen: bool,
    pub(in crate::tui) address: Text,
    /// Share of all responses, 0 to 1.
    pub(in crate::tui) bar: f64,
    pub(in crate::tui) tone: Tone,
    /// Responses, hits, failures, clients, share.
    pub(in crate::tui) cells: [Text; 5],
}

/// Returns the addresses that have room: those that fail first, and else in the order of the sample.
pub(super) fn edges(app: &App, places: &Layout) -> Vec<EdgeLine> {
    let all = &app.steady.stream.edges;
    let room = places.lines(StreamPanel::Edges);
    let chosen = (app.stream_panel() == StreamPanel::Edges).then(|| app.edge_index());
    let from = (chosen.unwrap_or_default() + 1).saturating_sub(room);
    let edges = app.steady.stream.edges_in_trouble_first();
    let shown = edges.into_iter().enumerate().skip(from).take(room);
    shown.map(|(place, edge)| edge_line(all, edge, chosen == Some(place))).collect()
}

fn edge_line(all: &[EdgeSample], edge: &EdgeSample, is_chosen: bool) -> EdgeLine {
    let role = share_role(edge.failed_share);
    EdgeLine {
        is_chosen,
        address: Text::new(if role == Role::Plain { Role::Title } else { role }, address(all, edge.address)),
        bar: edge.share.unwrap_or_default(),
        tone: match role {
            Role::Failing => Tone::Fail,
            Role::Warning => Tone::Warn,
            _ => Tone::Data,
        },
        cells: [
            Text::plain(units::count(edge.requests)),
            Text::plain(units::percent(edge.hit_share)),
            Text::new(role, units::percent(edge.failed_share)),
            Text::plain(units::count(edge.clients.into())),
            Text::label(units::percent(edge.share)),
        ],
    }
}

/// Returns an address with its port only if another one differs in nothing else.
fn address(all: &[EdgeSample], address: SocketAddr) -> String {
    let same = all.iter().filter(|edge| edge.address.ip() == address.ip()).count();
    if same > 1 { address.to_string() } else { address.ip().to_string() }
}

/// Returns facts about all edges together.
pub(super) fn edge_facts(app: &App) -> Vec<Text> {
    let stream = &app.steady.stream;
    let mut facts: Vec<Text> = [
        ("protocol h2", stream.http2_share),
        ("TLS resumed", stream.resumed_share),
        ("cache hits", stream.hit_share),
    ]
    .into_iter()
    .map(|(name, share)| Text::label(format!("{name} ")).then(Role::Plain, &units::percent(share)))
    .collect();
    let shown = stream.edges.len() as u64;
    let all = shown + stream.more_edges;
    if stream.more_edges > 0 {
        let text = format!("{} of {} addresses", units::count(shown), units::count(all));
        facts.insert(0, Text::plain(text).weighing(Weight::Subject));
    }
    facts
}

/// One finding.
#[derive(Clone, Debug)]
pub(in crate::tui) struct StreamFinding {
    pub(in crate::tui) severity: Text,
    pub(in crate::tui) name: Text,
    pub(in crate::tui) count: Text,
    /// First and last time.
    pub(in crate::tui) time: Text,
    pub(in crate::tui) detail: Text,
}

/// Returns the findings that have room, the worst first.
pub(super) fn findings(app: &App, places: &Layout) -> Vec<StreamFinding> {
    let scroll = if app.stream_panel() == StreamPanel::Findings { app.scroll } else { 0 };
    let rows = worst_first(&app.steady.findings).into_iter();
    let shown = rows.skip(scroll).take(places.lines(StreamPanel::Findings));
    shown.map(|row| finding(row, app.steady.at)).collect()
}

fn finding(row: &FindingRow, now: Duration) -> StreamFinding {
    let (word, tone) = severity_words(row.finding.severity());
    let is_now = now.saturating_sub(row.last) <= NOW;
    let last = if is_now { "now".to_owned() } else { units::short_clock(row.last) };
    StreamFinding {
        severity: Text::new(Role::In(tone), word),
        name: Text::title(row.finding.name()),
        count: Text::plain(format!("{}x", units::count(row.count))),
        time: Text::new(
            if is_now { Role::Plain } else { Role::Label },
            format!("{} to {last}", units::short_clock(row.first)),
        ),
        detail: Text::label(&*row.detail),
    }
}

/// The window of a playlist and the playheads of its viewers, on an axis whose right end is the live edge.
#[derive(Clone, Debug)]
pub(in crate::tui) struct WindowLine {
    pub(in crate::tui) label: Text,
    /// Begin and end of the window, as shares of the axis; `None` if it is unknown.
    pub(in crate::tui) window: Option<(f64, f64)>,
    /// Segments in the window.
    pub(in crate::tui) parts: u16,
    pub(in crate::tui) tone: Tone,
    /// Words beside the window.
    pub(in crate::tui) note: Text,
    pub(in crate::tui) playheads: HeatGrid,
}

/// Returns the windows that have room, that of the rung at the cursor among them, in `columns` columns.
pub(super) fn windows(app: &App, room: usize, columns: u16) -> Vec<WindowLine> {
    let stream = &app.steady.stream;
    let chosen = app.chosen_rung().map(|rung| rung.place);
    // Viewers are where their video is: a rendition has no playheads, so its window matters only when it is late.
    let has_playheads = |rung: &RungSample| {
        rung.name.as_ref().is_none_or(|name| name.kind == RungKind::Variant) || stream.is_late(rung)
    };
    let known = stream.rungs.iter().filter(|rung| rung.window.is_some() && has_playheads(rung));
    let known: Vec<&RungSample> = known.collect();
    let at = known.iter().position(|rung| Some(rung.place) == chosen).unwrap_or_default();
    let shown = || known.iter().skip((at + 1).saturating_sub(room)).take(room);
    let grids: Vec<HeatGrid> = shown().map(|rung| grid(&rung.playheads, columns)).collect();
    // One scale for all of them: a rung with few clients must look like one.
    let most = grids.iter().map(|grid| grid.most).max().unwrap_or_default();
    let line = |(rung, grid): (&&RungSample, HeatGrid)| window_line(stream, rung, HeatGrid { most, ..grid });
    shown().zip(grids).map(line).collect()
}

fn window_line(stream: &StreamSample, rung: &RungSample, playheads: HeatGrid) -> WindowLine {
    let is_late = stream.is_late(rung);
    let span = stream.span.max(Duration::from_millis(1));
    let place = |behind: Duration| 1.0 - behind.div_duration_f64(span);
    let age = rung.age.map(units::span).filter(|_| is_late);
    WindowLine {
        label: Text::new(if is_late { Role::Failing } else { Role::Title }, rung_label(rung)),
        window: rung.window.map(|(end, begin)| (place(begin), place(end))),
        parts: stream.window_segments.and_then(|segments| u16::try_from(segments).ok()).unwrap_or(1),
        tone: if is_late { Tone::Fail } else { Tone::Bright },
        note: Text::new(Role::Failing, age.map_or(String::new(), |age| format!("{age} old"))),
        playheads,
    }
}

/// Puts the playheads on columns, the live edge at the right, in the two rows of one line. A column with several buckets
/// sums them; a bucket that is wider than a column fills all of its columns.
fn grid(playheads: &[u32; PLAYHEADS], columns: u16) -> HeatGrid {
    let columns = usize::from(columns);
    let mut counts = Vec::with_capacity(2 * columns);
    for column in 0..columns {
        let from_live = columns - 1 - column;
        let from = from_live * PLAYHEADS / columns;
        let to = ((from_live + 1) * PLAYHEADS / columns).max(from + 1);
        let sum =
            playheads.get(from..to).unwrap_or_default().iter().fold(0_u32, |sum, n| sum.saturating_add(*n));
        counts.extend([sum; 2]);
    }
    let most = counts.iter().copied().max().unwrap_or_default();
    HeatGrid { columns, rows: 2, counts, most }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Size;

    use super::*;
    use crate::tui::app::{Access, Msg};
    use crate::tui::fixtures;
    use crate::tui::input::{Input, Key};
    use crate::tui::layout::stream::layout;

    #[test]
    fn playheads_keep_their_distance_from_the_live_edge_in_any_width() {
        let mut playheads = [0; PLAYHEADS];
        (playheads[0], playheads[95], playheads[40]) = (3, 2, 7);
        for columns in [12_u16, 48, 96, 136, 200] {
            let grid = grid(&playheads, columns);
            let filled: Vec<usize> = (0..grid.columns).filter(|column| grid.counts[column * 2] > 0).collect();
            let last = usize::from(columns) - 1;
            assert_eq!((filled.first(), filled.last()), (Some(&0), Some(&last)), "{columns}");
            assert_eq!((grid.most, grid.counts[2 * last]), (7, 3));
        }
        assert_eq!(grid(&playheads, 0).columns, 0);
    }

    #[test]
    fn an_address_that_fails_comes_first_and_the_list_scrolls_where_it_has_the_focus() {
        let mut app = App::new(fixtures::title(), Access::Full);
        app.update(Msg::Screen(Size::new(120, 30)));
        app.update(Msg::Sample(fixtures::sample("storm")));
        let keys = [Key::Char('8'), Key::Tab];
        keys.iter().for_each(|key| _ = app.update(Msg::Input(Input::Key(*key))));
        let mut sample = (*fixtures::hostile("storm", "")).clone();
        sample.at += Duration::from_secs(1);
        let mut stream = (*sample.stream).clone();
        (stream.edges[11].failed_share, stream.edges[14].failed_share) = (Some(0.02), Some(0.6));
        sample.stream = stream.into();
        app.update(Msg::Sample(sample.into()));
        let shown = |app: &App| {
            let lines = edges(app, &layout(app.room)).into_iter();
            lines.map(|line| (line.address.text, line.tone)).collect::<Vec<_>>()
        };
        let line = |number: &str, tone| (format!("2001:db8:7:7:7:7:7:{number}"), tone);
        assert_eq!(shown(&app), [line("f", Tone::Fail), line("c", Tone::Warn), line("1", Tone::Data)]);
        (0..3).for_each(|_| _ = app.update(Msg::Input(Input::Key(Key::Char('j')))));
        assert_eq!(shown(&app)[0], line("c", Tone::Warn), "the cursor is below");
        app.update(Msg::Input(Input::Key(Key::Char('G'))));
        assert_eq!(shown(&app)[2], line("10", Tone::Data), "the last one");
    }

    #[test]
    fn an_address_has_its_port_only_beside_another_one() {
        let edge = |text: &str| EdgeSample {
            address: text.parse().expect("an address"),
            requests: 1,
            bytes: 0,
            clients: 0,
            share: None,
            failed_share: None,
            hit_share: None,
        };
        let all = [edge("10.0.0.1:80"), edge("10.0.0.1:443"), edge("[2001:db8::1]:443")];
        let words = all.map(|edge| address(&all, edge.address));
        assert_eq!(words, ["10.0.0.1:80", "10.0.0.1:443", "2001:db8::1"]);
    }
}
