//! The columns of a document as values over the time of its run, for charts. Counts become means and rates here and
//! nowhere else in the reports.

use std::ops::Range;
use std::time::Duration;

use super::doc::{Doc, Part};
use super::failures::listed;
use crate::sample::{TIMELINE_BINS as BINS, missing_bits};
use crate::verdict::Verdict;
use crate::vocabulary::palette::Tone;
use crate::vocabulary::{ClientState, per_second};

/// Maximum number of points in a chart: more than it has pixels.
const POINTS: usize = 600;
/// Share of its width from which on a bin is as good as whole.
const WHOLE: f64 = 0.98;
/// Maximum number of buckets of a heat map.
const BUCKETS: usize = 256;

/// A band of a stacked chart: one value for each point.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Band {
    pub(super) name: String,
    pub(super) tone: Tone,
    pub(super) values: Vec<f64>,
}

/// Counts over time and latency.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct HeatMap {
    /// Lower end of each bucket in microseconds, ascending.
    pub(super) begins_us: Vec<u64>,
    /// For each point of time the counts of the buckets, fastest first.
    pub(super) columns: Vec<Vec<u32>>,
    /// Largest count.
    pub(super) most: u32,
}

/// Everything that the charts of a report show.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Columns {
    /// Length of the run in seconds: the length of every chart's axis.
    pub(super) length_s: f64,
    /// Begin and end of each point, in seconds since the start of the run.
    pub(super) times: Vec<(f64, f64)>,
    /// Clients by state, from the bottom up: trouble first.
    pub(super) clients: Vec<Band>,
    /// Failed requests per second by outcome, or by class in a report without outcomes over time.
    pub(super) failures: Vec<Band>,
    /// Bits per second that arrived, and those that the clients needed besides.
    pub(super) bits: Vec<Band>,
    /// Worst verdict of each point.
    pub(super) verdicts: Vec<Verdict>,
    /// Latency of segments; `None` if the report has none over time.
    pub(super) heat: Option<HeatMap>,
}

/// Bins on the time axis of a run: those of the block whose bins are wider.
struct Bins<'a> {
    doc: &'a Doc,
    width_s: f64,
    begins_unix_s: f64,
    count: usize,
    /// Bins that each point shows, together.
    points: Vec<Range<usize>>,
    times: Vec<(f64, f64)>,
}

impl<'a> Bins<'a> {
    /// Reads the times of the bins of `block`. A bin at an end of the run that is not wholly within it is shown together
    /// with its neighbour: a rate over some milliseconds would be noise. So are bins without a reading and the next one
    /// that has some: it has the counts of them all.
    fn new(doc: &'a Doc, block: &str, length_s: f64) -> Option<Self> {
        let part = doc.at(block);
        let width_s = part.at("/bin_s").number().filter(|width| *width >= 1.0)?;
        let begins_unix_s = part.at("/begins_unix_s").number()?;
        let count =
            ["/bytes", "/verdict"].map(|path| part.at(path).list().len()).into_iter().max()?.min(BINS);
        let (points, times) = (Vec::new(), Vec::new());
        let has_readings = doc.at("/series/readings").is_known();
        let mut bins = Self { doc, width_s, begins_unix_s, count, points, times };
        let began = doc.at("/run/started_unix_ms").number()? / 1e3;
        let readings = bins.column("/series", &["readings"]);
        let mut is_read = true;
        for (bin, readings) in readings.into_iter().enumerate() {
            let from = begins_unix_s - began + bin as f64 * width_s;
            bins.add(bin, (from.max(0.0), (from + width_s).min(length_s)), is_read);
            // The counts of a bin without a reading are in the next one that has some.
            is_read = readings > 0.0 || !has_readings;
        }
        bins.thin_out();
        Some(bins).filter(|bins| !bins.times.is_empty())
    }

    /// Adds a bin that covers some time of the run, together with the one before unless that `is_read`.
    fn add(&mut self, bin: usize, (from, to): (f64, f64), is_read: bool) {
        let is_whole = |from: f64, to: f64| to - from >= self.width_s * WHOLE;
        match (self.points.last_mut(), self.times.last_mut()) {
            (Some(point), Some(time)) if !is_read || !is_whole(from, to) || !is_whole(time.0, time.1) => {
                point.end = bin + 1;
                // A bin after the end has the last moments of the run, which were counted a little later.
                time.1 = time.1.max(to);
            }
            _ if to > from => {
                self.points.push(bin..bin + 1);
                self.times.push((from, to));
            }
            _ => {}
        }
    }

    /// Leaves at most [`POINTS`] points: of several in a row, the one with the most trouble, so that none is lost.
    fn thin_out(&mut self) {
        let together = self.points.len().div_ceil(POINTS);
        if together <= 1 {
            return;
        }
        let mut trouble = vec![0.0; self.points.len()];
        let classes = ["http_4xx", "http_5xx", "timeout", "conn"].map(|class| ["ended", class]);
        for names in classes.into_iter().chain([["client_ms", ClientState::Stalled.name()]]) {
            for (sum, value) in trouble.iter_mut().zip(self.values("/series", &names)) {
                *sum += value;
            }
        }
        let groups = self.times.chunks(together).zip(self.points.chunks(together));
        let worst = groups.zip(trouble.chunks(together)).filter_map(|((times, points), trouble)| {
            let worst = trouble.iter().enumerate().max_by(|one, other| one.1.total_cmp(other.1))?.0;
            let (first, last) = (times.first()?, times.last()?);
            Some((points.get(worst)?.clone(), (first.0, last.1)))
        });
        (self.points, self.times) = worst.unzip();
    }

    /// Returns the sum of a column of `block` for each point.
    fn values(&self, block: &str, names: &[&str]) -> Vec<f64> {
        let bins = self.column(block, names);
        self.points.iter().map(|point| bins.get(point.clone()).unwrap_or_default().iter().sum()).collect()
    }

    /// Returns a column of `block` for each bin. Bins of the block that are narrower are added up.
    fn column(&self, block: &str, names: &[&str]) -> Vec<f64> {
        let block = self.doc.at(block);
        let width_s = block.at("/bin_s").number().unwrap_or(1.0).max(1.0);
        let begins = block.at("/begins_unix_s").number().unwrap_or_default() - self.begins_unix_s;
        let mut bins = vec![0.0; self.count];
        let column = names.iter().fold(block, |part, name| part.member(name));
        for (number, value) in column.list().take(BINS).enumerate() {
            let place = ((begins + number as f64 * width_s) / self.width_s).floor();
            // A bin that is narrower may begin before the first of the wider ones; none is lost.
            let place = (place.max(0.0) as usize).min(self.count.saturating_sub(1));
            if let Some(into) = bins.get_mut(place) {
                *into += value.number().unwrap_or_default().max(0.0);
            }
        }
        bins
    }

    /// Returns the sums of a column divided by the time that they cover, and by `unit`.
    fn per_second(&self, block: &str, names: &[&str], unit: f64) -> Vec<f64> {
        let covered = self.points.iter().zip(&self.times).map(|(point, (from, to))| {
            // Of several points in a row only one is shown: its time is that of its bins.
            (to - from).min(point.len() as f64 * self.width_s).max(f64::EPSILON)
        });
        self.values(block, names)
            .into_iter()
            .zip(covered)
            .map(|(value, seconds)| {
                let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
                per_second(value, time).unwrap_or_default() / unit
            })
            .collect()
    }
}

/// Returns the largest value of each of `parts` parts of a run, for a chart of so many columns.
pub(super) fn most_of_parts(values: &[f64], parts: usize) -> impl Iterator<Item = f64> {
    (0..parts).map(move |part| {
        let from = part * values.len() / parts;
        let to = ((part + 1) * values.len() / parts).max(from + 1);
        values.get(from..to.min(values.len())).unwrap_or_default().iter().copied().fold(0.0, f64::max)
    })
}

impl Columns {
    /// Reads the columns of a document. What it does not have is empty.
    pub(super) fn new(doc: &Doc) -> Self {
        let length_s = doc.at("/run/duration_s").seconds().as_secs_f64();
        let bins = Bins::new(doc, "/history", length_s).or_else(|| Bins::new(doc, "/series", length_s));
        let Some(bins) = bins else { return Self { length_s, ..Self::default() } };
        Self {
            length_s,
            times: bins.times.clone(),
            clients: clients(&bins),
            failures: failures(&bins),
            bits: bits(&bins),
            verdicts: verdicts(&bins),
            heat: heat(&bins),
        }
    }
}

fn clients(bins: &Bins<'_>) -> Vec<Band> {
    let states = [
        (ClientState::Stalled, Tone::Fail),
        (ClientState::Waiting, Tone::Warn),
        (ClientState::Starting, Tone::Start),
        (ClientState::Playing, Tone::Play),
    ];
    let band = |(state, tone): (ClientState, Tone)| Band {
        name: state.name().to_owned(),
        tone,
        values: bins.per_second("/series", &["client_ms", state.name()], 1e3),
    };
    states.map(band).into_iter().filter(is_seen).collect()
}

/// Reports whether a band has a value.
fn is_seen(band: &Band) -> bool {
    band.values.iter().any(|value| *value > 0.0)
}

fn failures(bins: &Bins<'_>) -> Vec<Band> {
    if !bins.doc.at("/history/outcomes").is_known() {
        let classes = [
            ("http_5xx", "5xx", Tone::Fail),
            ("http_4xx", "4xx", Tone::Warn),
            ("timeout", "timeout", Tone::Other),
        ];
        let band = |(class, name, tone): (&str, &str, Tone)| Band {
            name: name.to_owned(),
            tone,
            values: bins.per_second("/series", &["ended", class], 1.0),
        };
        return classes.map(band).into_iter().filter(is_seen).collect();
    }
    let known = listed(bins.doc).into_iter().map(|(_, outcome, tone)| (outcome.to_string(), tone));
    let bands = known.chain([("other".to_owned(), Tone::Other2)]).map(|(name, tone)| Band {
        values: bins.per_second("/history", &["outcomes", &name], 1.0),
        name: name.strip_prefix("http.").unwrap_or(&name).to_owned(),
        tone,
    });
    bands.filter(is_seen).collect()
}

fn bits(bins: &Bins<'_>) -> Vec<Band> {
    let got = bins.per_second("/series", &["bytes"], 1.0 / 8.0);
    let need = bins.per_second("/history", &["need_bits"], 1.0);
    let clients = |state: ClientState| bins.per_second("/series", &["client_ms", state.name()], 1e3);
    let suffering = clients(ClientState::Stalled).into_iter().zip(clients(ClientState::Waiting));
    let numbers = got.iter().zip(need).zip(suffering);
    let missing =
        numbers.map(|((got, need), (stalled, waiting))| missing_bits(need, *got, stalled + waiting > 0.0));
    let missing: Vec<f64> = missing.collect();
    let bands = [("got", Tone::Play, got), ("missing of what they need", Tone::Missing, missing)];
    let bands = bands.map(|(name, tone, values)| Band { name: name.to_owned(), tone, values });
    bands.into_iter().filter(is_seen).collect()
}

fn verdicts(bins: &Bins<'_>) -> Vec<Verdict> {
    let column: Vec<Verdict> = bins.doc.at("/history/verdict").list().take(BINS).map(Part::verdict).collect();
    let worst = |point: &Range<usize>| column.get(point.clone()).unwrap_or_default().iter().max().copied();
    bins.points.iter().filter_map(worst).collect()
}

fn heat(bins: &Bins<'_>) -> Option<HeatMap> {
    let history = bins.doc.at("/history");
    let begins_us: Vec<u64> = history.at("/heat_begins_us").list().take(BUCKETS).map(Part::count).collect();
    let seconds: Vec<Part<'_>> = history.at("/heat/segment").list().take(BINS).collect();
    if begins_us.is_empty() || seconds.is_empty() || !begins_us.is_sorted() {
        return None;
    }
    let column = |point: &Range<usize>| {
        let mut counts = vec![0_u32; begins_us.len()];
        for pair in
            seconds.get(point.clone()).unwrap_or_default().iter().flat_map(|bin| bin.list().take(BUCKETS))
        {
            let [bucket, count] = ["/0", "/1"].map(|place| pair.at(place).count());
            if let Some(into) = usize::try_from(bucket).ok().and_then(|bucket| counts.get_mut(bucket)) {
                *into = into.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
            }
        }
        counts
    };
    let columns: Vec<Vec<u32>> = bins.points.iter().map(column).collect();
    let most = columns.iter().flatten().copied().max().unwrap_or_default();
    Some(HeatMap { begins_us, columns, most }).filter(|heat| heat.most > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bins_without_a_reading_are_shown_with_the_next_one_that_has_the_counts_of_their_time() {
        let doc = Doc::from_value(json!({
            "run": { "started_unix_ms": 50_000, "duration_s": 5.0 },
            "series": {
                "bin_s": 1,
                "begins_unix_s": 50,
                "client_ms": { "playing": [3_000, 3_000, 3_000, 3_000, 3_000] },
                "bytes": [500, 0, 0, 1_500, 500],
                "readings": [4, 0, 0, 1, 4],
            },
        }));
        let columns = Columns::new(&doc);
        assert_eq!(columns.times, [(0.0, 1.0), (1.0, 4.0), (4.0, 5.0)]);
        assert_eq!(columns.clients.iter().map(|band| &*band.values).collect::<Vec<_>>(), [[3.0; 3]]);
        assert_eq!(columns.bits.iter().map(|band| &*band.values).collect::<Vec<_>>(), [[4_000.0; 3]]);
    }
}
