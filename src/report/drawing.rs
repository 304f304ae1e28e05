//! Shapes of the charts in a report: paths, ribbons, axes and heat maps, from plain numbers to SVG attributes and PNG.

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::cells::short_clock;
use super::columns::{Band, HeatMap};
use crate::verdict::Verdict;
use crate::vocabulary::palette::{self, RAMP, Rgb, SHADES, Tone};

/// Distances between the ticks of a time axis, in seconds.
const TICKS_S: [u64; 17] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400];
/// Maximum number of ticks on a time axis.
const TICKS: u64 = 8;
/// Levels of a strip between a few and the most.
const LEVELS: f64 = 5.0;

/// Scale of a chart: seconds to the right, values upward.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    /// Seconds at the right end.
    pub(super) length_s: f64,
    /// Value at the upper end.
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Scale {
    /// Returns the distance from the left end.
    pub(super) fn x(&self, seconds: f64) -> f64 {
        (seconds / self.length_s.max(f64::EPSILON)).clamp(0.0, 1.0) * self.width
    }

    /// Returns the distance from the upper end.
    pub(super) fn y(&self, value: f64) -> f64 {
        self.height - (value / self.top.max(f64::EPSILON)).clamp(0.0, 1.0) * self.height
    }
}

/// Returns the round number 1, 2 or 5 times a power of ten that is not below `value`; 1 for 0.
pub(super) fn round_up(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0]
        .map(|digit| digit * power)
        .into_iter()
        .find(|round| *round >= value)
        .unwrap_or(10.0 * power)
}

/// Returns the largest sum of the bands at one point.
pub(super) fn highest(bands: &[Band]) -> f64 {
    let points = bands.iter().map(|band| band.values.len()).max().unwrap_or_default();
    let sum = |point: usize| bands.iter().filter_map(|band| band.values.get(point)).sum::<f64>();
    (0..points).map(sum).fold(0.0, f64::max)
}

/// Returns the outline of each band, the first one at the bottom, as the `d` of an SVG path.
pub(super) fn stack(bands: &[Band], times: &[(f64, f64)], scale: Scale) -> Vec<(Tone, String)> {
    let mut floor = vec![0.0; times.len()];
    let outline = |band: &Band| {
        let ceiling: Vec<f64> = floor.iter().zip(&band.values).map(|(low, value)| low + value).collect();
        let mut path = String::with_capacity(times.len() * 24);
        path.push('M');
        for (place, (from, to)) in times.iter().enumerate() {
            let high = scale.y(ceiling.get(place).copied().unwrap_or_default());
            points(place, times.len(), (*from, *to), high, scale, &mut path);
        }
        for (place, (from, to)) in times.iter().enumerate().rev() {
            let low = scale.y(floor.get(place).copied().unwrap_or_default());
            points(times.len() - 1 - place, times.len(), (*to, *from), low, scale, &mut path);
        }
        path.push('Z');
        floor = ceiling;
        (band.tone, path)
    };
    bands.iter().map(outline).collect()
}

/// Writes the points of one bin: its middle, and at the ends of the chart also its outer edge. `time` is given in the
/// direction of drawing.
fn points(place: usize, count: usize, time: (f64, f64), y: f64, scale: Scale, path: &mut String) {
    let mut point = |seconds: f64| _ = write!(path, "{:.1},{y:.1} ", scale.x(seconds));
    if place == 0 {
        point(time.0);
    }
    point((time.0 + time.1) / 2.0);
    if place + 1 == count {
        point(time.1);
    }
}

/// Returns stretches of the same verdict as (begin, end, tone).
pub(super) fn ribbon(verdicts: &[Verdict], times: &[(f64, f64)]) -> Vec<(f64, f64, Tone)> {
    let mut runs: Vec<(f64, f64, Tone)> = Vec::new();
    for (verdict, (from, to)) in verdicts.iter().zip(times) {
        let tone = match verdict {
            Verdict::Unknown => Tone::Idle,
            Verdict::Ok => Tone::Ok,
            Verdict::Degraded => Tone::Warn,
            Verdict::Failing | Verdict::NothingPlays => Tone::Fail,
        };
        match runs.last_mut().filter(|run| run.2 == tone) {
            Some(run) => run.1 = *to,
            None => runs.push((*from, *to, tone)),
        }
    }
    runs
}

/// Returns the ticks of a time axis as seconds and labels.
pub(super) fn ticks(length_s: f64) -> Vec<(f64, String)> {
    let length = length_s.max(0.0) as u64;
    let step = TICKS_S.into_iter().find(|step| length / step <= TICKS).unwrap_or(length / TICKS + 1);
    (0..=length / step).map(|tick| ((tick * step) as f64, short_clock(tick * step))).collect()
}

/// Returns stretches of a strip as (begin, end, opacity): of values above 0, on a logarithmic scale in few levels.
pub(super) fn strip(values: &[f64], times: &[(f64, f64)]) -> Vec<(f64, f64, f64)> {
    let most = values.iter().copied().fold(0.0, f64::max).ln_1p().max(f64::EPSILON);
    let mut runs: Vec<(f64, f64, f64)> = Vec::new();
    for (value, (from, to)) in values.iter().zip(times).filter(|(value, _)| **value > 0.0) {
        let level = (value.ln_1p() / most * LEVELS).ceil().clamp(1.0, LEVELS);
        let opacity = 0.25 + 0.75 * (level - 1.0) / (LEVELS - 1.0);
        match runs.last_mut().filter(|run| run.2 == opacity && (run.1 - from).abs() < 1e-6) {
            Some(run) => run.1 = *to,
            None => runs.push((*from, *to, opacity)),
        }
    }
    runs
}

/// Distributes buckets of a histogram over `bars` bars of equal width between its first and last value. Returns the two
/// ends and the counts.
pub(super) fn bars(buckets: &[(f64, f64)], bars: usize) -> Option<(f64, f64, Vec<f64>)> {
    let filled = || buckets.iter().filter(|(_, count)| *count > 0.0).map(|(end, _)| *end);
    let (low, high) = (filled().fold(f64::INFINITY, f64::min), filled().fold(f64::NEG_INFINITY, f64::max));
    if !low.is_finite() || !high.is_finite() || bars == 0 {
        return None;
    }
    let mut counts = vec![0.0; bars];
    for (end, count) in buckets {
        let share = (end - low) / (high - low).max(f64::EPSILON);
        let place = ((share * bars as f64) as usize).min(bars - 1);
        if let Some(into) = counts.get_mut(place) {
            *into += count;
        }
    }
    Some((low, high, counts))
}

/// Rows of a heat map that are drawn: the buckets between the fastest and the slowest value, and at least a decade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) first: usize,
    pub(super) count: usize,
}

/// Number of buckets in a decade: four to each power of two.
const DECADE: usize = 14;

impl Rows {
    /// Returns the rows that show all values of `heat`.
    pub(super) fn new(heat: &HeatMap) -> Self {
        let is_filled =
            |row: &usize| heat.columns.iter().any(|column| column.get(*row).is_some_and(|count| *count > 0));
        let all = heat.begins_us.len();
        let first = (0..all).find(is_filled).unwrap_or_default().saturating_sub(1);
        let last = (0..all).rfind(is_filled).map_or(first, |row| row + 1);
        let count = (last + 1).saturating_sub(first).max(DECADE);
        let first = first.min(all.saturating_sub(count));
        Self { first, count: count.min(all - first) }
    }

    /// Returns the place of a latency in the height of the rows, 0 at the bottom and 1 at the top; `None` if it is
    /// outside.
    pub(super) fn place(self, heat: &HeatMap, us: u64) -> Option<f64> {
        let bucket = heat.begins_us.iter().rposition(|begin| *begin <= us)?;
        let begin = heat.begins_us.get(bucket).copied()? as f64;
        let end = heat.begins_us.get(bucket + 1).map_or(begin * 2.0, |end| *end as f64);
        let within = (us as f64 - begin) / (end - begin).max(1.0);
        let place = (bucket as f64 + within - self.first as f64) / self.count.max(1) as f64;
        (0.0..=1.0).contains(&place).then_some(place)
    }
}

/// Returns a heat map as an indexed PNG, one pixel for each bucket of each column; empty ones are transparent.
///
/// # Errors
/// Never fails: the picture is written into memory.
pub(super) fn heat_png(heat: &HeatMap, rows: Rows, ramp: &[Rgb; RAMP]) -> std::io::Result<Vec<u8>> {
    let most = heat.most;
    let mut pixels = ZlibEncoder::new(Vec::new(), Compression::best());
    let mut line = Vec::with_capacity(heat.columns.len() + 1);
    for row in (rows.first..rows.first + rows.count).rev() {
        line.clear();
        // The filter of the line: none.
        line.push(0);
        line.extend(
            heat.columns.iter().map(|column| shade(column.get(row).copied().unwrap_or_default(), most)),
        );
        pixels.write_all(&line)?;
    }
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let [width, height] = [heat.columns.len() as u32, rows.count as u32].map(u32::to_be_bytes);
    // Eight bits of a palette, deflate, no interlacing.
    chunk(b"IHDR", &[&width[..], &height[..], &[8, 3, 0, 0, 0]].concat(), &mut png);
    let shades = (0..=SHADES)
        .map(|shade| palette::on_ramp(ramp, f64::from(shade.saturating_sub(1)) / f64::from(SHADES - 1)));
    let colours: Vec<u8> = shades.flat_map(|(red, green, blue)| [red, green, blue]).collect();
    chunk(b"PLTE", &colours, &mut png);
    chunk(b"tRNS", &[0], &mut png);
    chunk(b"IDAT", &pixels.finish()?, &mut png);
    chunk(b"IEND", &[], &mut png);
    Ok(png)
}

/// Returns the index in the palette: 0 for none.
fn shade(count: u32, most: u32) -> u8 {
    let amount = palette::amount(count, most);
    amount.map_or(0, |amount| 1 + (amount * f64::from(SHADES - 1)).round() as u8)
}

fn chunk(kind: &[u8; 4], data: &[u8], png: &mut Vec<u8>) {
    png.extend((data.len() as u32).to_be_bytes());
    let from = png.len();
    png.extend(kind);
    png.extend(data);
    let mut checksum = flate2::Crc::new();
    checksum.update(png.get(from..).unwrap_or_default());
    png.extend(checksum.sum().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_stand_on_each_other_and_stay_within_the_chart() {
        let band = |values: [f64; 2]| Band { name: String::new(), tone: Tone::Play, values: values.to_vec() };
        let scale = Scale { length_s: 4.0, top: 10.0, width: 40.0, height: 100.0 };
        let paths = stack(&[band([1.0, 2.0]), band([9.0, 90.0])], &[(0.0, 2.0), (2.0, 4.0)], scale);
        let expected = [
            "M0.0,90.0 10.0,90.0 30.0,80.0 40.0,80.0 40.0,100.0 30.0,100.0 10.0,100.0 0.0,100.0 Z",
            "M0.0,0.0 10.0,0.0 30.0,0.0 40.0,0.0 40.0,80.0 30.0,80.0 10.0,90.0 0.0,90.0 Z",
        ];
        assert_eq!(paths.iter().map(|(_, path)| path.as_str()).collect::<Vec<_>>(), expected);
        assert!(stack(&[band([0.0; 2])], &[], scale).iter().all(|(_, path)| path == "MZ"));
    }

    #[test]
    fn axes_are_round_and_have_few_ticks() {
        for (value, round) in
            [(0.0, 1.0), (0.03, 0.05), (1.0, 1.0), (1.1, 2.0), (4_180.0, 5_000.0), (5_001.0, 10_000.0)]
        {
            assert!((round_up(value) - round).abs() < 1e-9, "{value}: {}", round_up(value));
        }
        for length in [0.0, 3.0, 40.0, 161.0, 900.0, 86_400.0, 1e7] {
            let ticks = ticks(length);
            assert!((1..=9).contains(&ticks.len()), "{length}: {ticks:?}");
            assert!(ticks.iter().all(|(seconds, _)| *seconds <= length));
        }
        let labels: Vec<String> = ticks(161.0).into_iter().map(|(_, label)| label).collect();
        assert_eq!(labels, ["0:00", "0:30", "1:00", "1:30", "2:00", "2:30"]);
    }

    #[test]
    fn a_strip_has_a_gap_where_nothing_was_and_a_ribbon_none() {
        let times = [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 4.0)];
        assert_eq!(strip(&[5.0, 5.0, 0.0, 1.0], &times), [(0.0, 2.0, 1.0), (3.0, 4.0, 0.25 + 0.75 * 0.25)]);
        let verdicts = [Verdict::Ok, Verdict::Failing, Verdict::Failing, Verdict::Ok];
        let runs = ribbon(&verdicts, &times);
        assert_eq!(runs, [(0.0, 1.0, Tone::Ok), (1.0, 3.0, Tone::Fail), (3.0, 4.0, Tone::Ok)]);
    }

    #[test]
    fn a_heat_map_is_a_png_of_its_filled_rows() {
        let mut columns = vec![vec![0; 78]; 3];
        (columns[0][20], columns[2][40]) = (1, 500);
        let begins_us = (0..78).map(|bucket| bucket * 100).collect();
        let heat = HeatMap { begins_us, columns, most: 500 };
        let rows = Rows::new(&heat);
        assert_eq!(rows, Rows { first: 19, count: 23 });
        assert_eq!((rows.place(&heat, 1_900), rows.place(&heat, 7_000)), (Some(0.0), None));
        let png = heat_png(&heat, rows, &palette::RAMP_DARK).expect("a picture");
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!(png[16..24], [0, 0, 0, 3, 0, 0, 0, 23]);
        let data = png.windows(4).position(|name| name == b"IDAT").expect("data");
        let mut pixels = Vec::new();
        std::io::copy(&mut flate2::read::ZlibDecoder::new(&png[data + 4..]), &mut pixels).expect("deflated");
        assert_eq!(pixels.len(), 23 * 4);
        // The upper row is the slowest: bucket 41, then bucket 40 with the most.
        assert_eq!(pixels[4..8], [0, 0, 0, 24]);
        assert_eq!(pixels.iter().filter(|pixel| **pixel > 0).count(), 2);
    }
}
