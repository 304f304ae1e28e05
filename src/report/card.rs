//! The report as an SVG card of 1000 by 420, for an incident channel: the headline, five numbers, clients and latency
//! over the run, and how to make it again.
//!
//! * It is dark everywhere, because a viewer of pictures knows no scheme.
//! * It names no font that would have to be loaded. Texts are cut by the widths of DejaVu Sans, one of the widest.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::columns::{Columns, HeatMap};
use super::doc::Doc;
use super::drawing::{self, Rows, Scale};
use super::escape::xml;
use super::{answer, failures};
use crate::vocabulary::palette::{DARK, RAMP_DARK, Rgb, Tone, VERDICTS, hex};
use crate::vocabulary::units;

const PAPER: &str = "#15181e";
/// Left edge and width of the charts.
const LEFT: f64 = 86.0;
const WIDTH: f64 = 890.0;
/// Right edge of all texts.
const RIGHT: f64 = 976.0;
/// Left edge of all texts.
const MARGIN: f64 = 24.0;
/// Upper edges of the two charts, and their height.
const CLIENTS_Y: f64 = 150.0;
const HEAT_Y: f64 = 250.0;
const HEIGHT: f64 = 92.0;
/// Columns and rows of the heat map at most: more would not fit a message.
const HEAT_COLUMNS: usize = 160;
/// Points of the stack of clients at most.
const STACK_POINTS: usize = 160;

/// Latencies that are named at the heat map, in microseconds.
const DECADES: [(u64, &str); 5] =
    [(1_000, "1 ms"), (10_000, "10 ms"), (100_000, "100 ms"), (1_000_000, "1 s"), (10_000_000, "10 s")];

/// Returns the report as a card, with a newline at its end.
pub(super) fn page(doc: &Doc) -> String {
    let columns = thinned(&Columns::new(doc));
    let mut page = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1000\" height=\"420\" viewBox=\"0 0 1000 420\" \
         font-family=\"DejaVu Sans, Verdana, Helvetica, Arial, sans-serif\" role=\"img\">\n\
         <rect width=\"1000\" height=\"420\" rx=\"10\" fill=\"{PAPER}\"/>\n"
    );
    head(doc, &mut page);
    for (place, tile) in answer::card_tiles(doc).into_iter().enumerate() {
        let x = MARGIN + place as f64 * 196.0;
        text(
            &Text { x, y: 94.0, size: 13.0, room: 186.0, fill: colour(Tone::Label), ..Text::default() },
            tile.label,
            &mut page,
        );
        // A long word, such as that of a verdict, gets smaller letters instead of a cut.
        let size = if width(&tile.value, 28.0, true) > 170.0 { 18.0 } else { 28.0 };
        let style =
            Text { x, y: 126.0, size, room: 186.0, fill: colour(tile.tone), bold: true, ..Text::default() };
        text(&style, &tile.value, &mut page);
    }
    clients(&columns, &mut page);
    if let Some(heat) = &columns.heat {
        latency(heat, &columns, &mut page);
    }
    axis(doc, &columns, &mut page);
    let x = thresholds(doc, &mut page);
    let fill = colour(Tone::Label);
    let style = Text { x, y: 404.0, size: 12.0, room: RIGHT - x, fill, ..Text::default() };
    text(&style, &last_line(doc), &mut page);
    page.push_str("</svg>\n");
    page
}

/// Writes how many thresholds were kept at the begin of the last line, if there are any. Returns where the rest begins.
fn thresholds(doc: &Doc, page: &mut String) -> f64 {
    let Some(kept) = answer::thresholds_sentence(doc) else { return MARGIN };
    let all_kept = doc.at("/thresholds").list().all(|row| row.at("/ok").is_true());
    let fill = colour(if all_kept { Tone::Ok } else { Tone::Fail });
    let style =
        Text { x: MARGIN, y: 404.0, size: 12.0, room: RIGHT - MARGIN, fill, bold: true, ..Text::default() };
    text(&style, &kept, page);
    MARGIN + width(&kept, 12.0, true) + 14.0
}

/// Writes the verdict and the headline on their ground, and when the run began.
fn head(doc: &Doc, page: &mut String) {
    let headline = answer::headline(doc);
    _ = writeln!(page, "<title>{}</title>", xml(&headline.text()));
    let ground =
        VERDICTS.into_iter().find(|(tone, _)| *tone == headline.tone).map_or(DARK[0], |(_, ground)| ground);
    let ground = hex(ground);
    _ = writeln!(
        page,
        "<path d=\"M0,64 V10 A10,10 0 0 1 10,0 H990 A10,10 0 0 1 1000,10 V64 Z\" fill=\"{ground}\"/>"
    );
    let white = "#ffffff".to_owned();
    let word = format!("{} {}", headline.sign, headline.word);
    let style = Text {
        x: MARGIN,
        y: 41.0,
        size: 22.0,
        room: 330.0,
        fill: white.clone(),
        bold: true,
        ..Text::default()
    };
    text(&style, &word, page);
    let began = doc.at("/run/started_at").word();
    let began = began.get(..16).unwrap_or(&began).replacen('T', " ", 1);
    let style = Text {
        x: RIGHT,
        y: 41.0,
        size: 13.0,
        room: 170.0,
        fill: white.clone(),
        at_end: true,
        ..Text::default()
    };
    text(&style, &format!("{began} UTC"), page);
    let x = MARGIN + width(&word, 22.0, true).min(330.0) + 14.0;
    let room = RIGHT - 170.0 - x;
    // The headline is the answer: before it is cut, its letters get smaller.
    let size = [19.0, 16.0, 13.0, 11.0].into_iter().find(|size| width(&headline.rest, *size, false) <= room);
    text(
        &Text { x, y: 41.0, size: size.unwrap_or(11.0), room, fill: white, ..Text::default() },
        &headline.rest,
        page,
    );
}

fn clients(columns: &Columns, page: &mut String) {
    let top = drawing::round_up(drawing::highest(&columns.clients));
    let scale = Scale { length_s: columns.length_s, top, width: WIDTH, height: HEIGHT };
    _ = writeln!(page, "<g transform=\"translate({LEFT} {CLIENTS_Y})\">");
    for (tone, path) in drawing::stack(&columns.clients, &columns.times, scale) {
        _ = writeln!(page, "<path fill=\"{}\" d=\"{path}\"/>", colour(tone));
    }
    page.push_str("</g>\n");
    label(CLIENTS_Y + 10.0, &units::count(top as u64), page);
    label(CLIENTS_Y + HEIGHT, "clients", page);
}

fn latency(heat: &HeatMap, columns: &Columns, page: &mut String) {
    let rows = Rows::new(heat);
    let Ok(png) = drawing::heat_png(heat, rows, &RAMP_DARK) else { return };
    let scale = Scale { length_s: columns.length_s, top: 1.0, width: WIDTH, height: HEIGHT };
    let ends = [columns.times.first(), columns.times.last()].map(|time| time.copied().unwrap_or_default());
    let (from, to) = (scale.x(ends[0].0), scale.x(ends[1].1));
    _ = writeln!(
        page,
        "<rect x=\"{LEFT}\" y=\"{HEAT_Y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#20242e\"/>\n\
         <image x=\"{:.1}\" y=\"{HEAT_Y}\" width=\"{:.1}\" height=\"{HEIGHT}\" preserveAspectRatio=\"none\" \
         image-rendering=\"pixelated\" href=\"data:image/png;base64,{}\"/>",
        LEFT + from,
        to - from,
        STANDARD.encode(png)
    );
    label(HEAT_Y + HEIGHT, "segment", page);
    // Names need a line of their own: those that would touch another one are left out.
    let mut free = HEAT_Y + HEIGHT - 14.0;
    for (us, name) in DECADES {
        let Some(y) = rows.place(heat, us).map(|place| HEAT_Y + HEIGHT - place * HEIGHT + 4.0) else {
            continue;
        };
        if y <= free {
            label(y.max(HEAT_Y + 9.0), name, page);
            free = y - 14.0;
        }
    }
}

/// Writes the ribbon of the verdict, the ticks and the knees.
fn axis(doc: &Doc, columns: &Columns, page: &mut String) {
    let scale = Scale { length_s: columns.length_s, top: 1.0, width: WIDTH, height: HEIGHT };
    for (from, to, tone) in drawing::ribbon(&columns.verdicts, &columns.times) {
        let (from, to) = (LEFT + scale.x(from), LEFT + scale.x(to));
        _ = writeln!(
            page,
            "<rect x=\"{from:.1}\" y=\"350\" width=\"{:.1}\" height=\"8\" fill=\"{}\"/>",
            to - from,
            colour(tone)
        );
    }
    for (seconds, name) in drawing::ticks(columns.length_s) {
        let x = LEFT + scale.x(seconds);
        let style =
            Text { x, y: 374.0, size: 12.0, room: 60.0, fill: colour(Tone::Label), ..Text::default() };
        // A tick at the right edge would be cut.
        if x + width(&name, 12.0, false) <= RIGHT {
            text(&style, &name, page);
        }
    }
    for (place, knee) in answer::knees(doc).into_iter().enumerate() {
        let x = LEFT + scale.x(knee.at.at("/at_s").seconds().as_secs_f64());
        _ = writeln!(
            page,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{CLIENTS_Y}\" y2=\"352\" stroke=\"#ffffff\" stroke-dasharray=\"3 3\" \
             stroke-opacity=\".7\"/>"
        );
        // The first name stands before its line and the second one after it, where there is room.
        let long = width(&knee.label, 12.0, true);
        let is_before = (place == 0 && x - long - 6.0 > LEFT) || x + long + 6.0 > RIGHT;
        let x = if is_before { x - 6.0 } else { x + 6.0 };
        let y = CLIENTS_Y + 14.0 + if place == 0 { 0.0 } else { 16.0 };
        let fill = "#ffffff".to_owned();
        let style = Text { x, y, size: 12.0, room: long + 1.0, fill, bold: true, at_end: is_before };
        text(&style, &knee.label, page);
    }
}

/// Returns the last line: codes, findings, the audience, and how to make the run again.
fn last_line(doc: &Doc) -> String {
    let mut parts: Vec<String> = failures::failures(doc)
        .into_iter()
        .take(4)
        .map(|row| format!("{} {}", row.short, units::count(row.count)))
        .collect();
    let findings = doc.at("/findings").list().take(2);
    parts.extend(
        findings.map(|row| format!("{} {}x", row.at("/kind").word(), units::count(row.at("/count").count()))),
    );
    let run = doc.at("/run");
    let sources = doc.at("/audience/source_addresses").list().len() as u64;
    let edges = doc.at("/audience/edges").table().count() as u64;
    // "1 address", "2 addresses".
    let addresses = if sources == 1 { "1 address".to_owned() } else { format!("{sources} addresses") };
    parts.push(format!("{addresses}, {}", units::plural(edges, "edge")));
    parts.push(format!(
        "hlswarm {}, run {}, seed {}",
        run.at("/version").word(),
        run.at("/run_id").word(),
        run.at("/seed").count()
    ));
    parts.join(" · ")
}

/// Returns the columns with fewer points: of several in a row the one with the most stalled and waiting clients, and
/// all of their latencies.
fn thinned(columns: &Columns) -> Columns {
    let together = columns.times.len().div_ceil(STACK_POINTS.min(HEAT_COLUMNS)).max(1);
    let trouble = |point: &usize| {
        let bands = columns.clients.iter().filter(|band| matches!(band.tone, Tone::Fail | Tone::Warn));
        bands.filter_map(|band| band.values.get(*point)).sum::<f64>()
    };
    let points: Vec<usize> = (0..columns.times.len()).collect();
    let groups = || points.chunks(together);
    let worst =
        |group: &[usize]| group.iter().copied().max_by(|one, other| trouble(one).total_cmp(&trouble(other)));
    let mut thin = columns.clone();
    let picked: Vec<usize> = groups().filter_map(worst).collect();
    for band in &mut thin.clients {
        band.values = picked.iter().filter_map(|point| band.values.get(*point).copied()).collect();
    }
    let ends = groups().filter_map(|group| Some((*group.first()?, *group.last()?)));
    thin.times = ends
        .filter_map(|(first, last)| Some((columns.times.get(first)?.0, columns.times.get(last)?.1)))
        .collect();
    let verdicts =
        groups().map(|group| group.iter().filter_map(|point| columns.verdicts.get(*point).copied()).max());
    thin.verdicts = verdicts.flatten().collect();
    if let Some(heat) = &mut thin.heat {
        let sum = |group: &[Vec<u32>]| {
            let mut sum = vec![0_u32; heat.begins_us.len()];
            for column in group {
                sum.iter_mut().zip(column).for_each(|(sum, count)| *sum = sum.saturating_add(*count));
            }
            sum
        };
        let summed: Vec<Vec<u32>> = heat.columns.chunks(together).map(sum).collect();
        heat.most = summed.iter().flatten().copied().max().unwrap_or_default();
        heat.columns = summed;
    }
    thin
}

fn colour(tone: Tone) -> String {
    let table: &[Rgb; Tone::COUNT] = &DARK;
    hex(table.get(tone.index()).copied().unwrap_or_default())
}

/// Place and look of a text.
#[derive(Clone, Debug, Default)]
struct Text {
    x: f64,
    y: f64,
    size: f64,
    /// Width that it may take.
    room: f64,
    fill: String,
    bold: bool,
    /// True if `x` is its right end.
    at_end: bool,
}

/// Writes a text; one that is too long for its room is cut and ends in an ellipsis.
fn text(style: &Text, text: &str, page: &mut String) {
    let fits = |text: &str| width(text, style.size, style.bold) <= style.room;
    let mut shown = text.to_owned();
    while !fits(&shown) && !shown.is_empty() {
        let kept = shown.chars().count().saturating_sub(2);
        shown = shown.chars().take(kept).chain(std::iter::once('…')).collect();
        if kept == 0 {
            shown.clear();
        }
    }
    let anchor = if style.at_end { " text-anchor=\"end\"" } else { "" };
    let weight = if style.bold { " font-weight=\"700\"" } else { "" };
    _ = writeln!(
        page,
        "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"{}\" fill=\"{}\"{anchor}{weight}>{}</text>",
        style.x,
        style.y,
        style.size,
        style.fill,
        xml(&shown)
    );
}

/// Writes a label at the left of a chart.
fn label(y: f64, name: &str, page: &mut String) {
    let style = Text {
        x: LEFT - 8.0,
        y,
        size: 12.0,
        room: LEFT - 12.0,
        at_end: true,
        fill: colour(Tone::Label),
        bold: false,
    };
    text(&style, name, page);
}

/// Widths of the characters from space to `~` in DejaVu Sans, in thousandths of its size.
const WIDTHS: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636,
    636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295,
    295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838,
    500, 500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521,
    392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
];
/// Width of any other character: that of the widest ones that a report shows.
const OTHER_WIDTH: f64 = 1_000.0;
/// Factor by which bold letters are wider.
const BOLD: f64 = 1.16;

/// Returns the width of a text.
fn width(text: &str, size: f64, bold: bool) -> f64 {
    let of = |character: char| {
        let place = (character as usize).checked_sub(' ' as usize);
        place.and_then(|place| WIDTHS.get(place)).map_or(OTHER_WIDTH, |width| f64::from(*width))
    };
    let factor = if bold { BOLD } else { 1.0 };
    text.chars().map(of).sum::<f64>() * size * factor / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_never_wider_than_its_room() {
        let style = Text { size: 12.0, room: 90.0, ..Text::default() };
        for words in
            ["", "short", "a much longer text than its room", "日本語日本語日本語日本語", "WWWWWWWWWWWWWWWW"]
        {
            let mut page = String::new();
            text(&style, words, &mut page);
            let shown = page
                .split_once('>')
                .and_then(|(_, rest)| rest.split_once("</text>"))
                .expect("a text")
                .0
                .to_owned();
            assert!(width(&shown, 12.0, false) <= 90.0, "{shown}");
            assert!(words.starts_with(shown.trim_end_matches('…')), "{shown}");
        }
        assert!((width("FAILED", 10.0, false) - 35.13).abs() < 0.1, "{}", width("FAILED", 10.0, false));
    }
}
