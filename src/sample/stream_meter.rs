//! Measures the stream once a second: the ladder with the age of each playlist, the distances of its viewers from the
//! live edge, and the addresses that answer.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::stream::{Behind, EdgeSample, PLAYHEADS, RungSample, StreamSample};
use crate::stats::{Audience, ClientRow, EdgeTotals, Listing, PlacementIndex, Registry, RungRow, Snapshot};
use crate::vocabulary::{ClientState, Rung, share};

/// Number of addresses that have a line of their own.
const EDGES: usize = 16;
/// Lengths of the axis of playheads, in seconds: few, so that a picture rarely changes its scale.
const SPANS_S: [u64; 7] = [10, 20, 40, 60, 120, 300, 600];

/// Reader of the stream, with the memory that it reuses.
#[derive(Debug, Default)]
pub(super) struct StreamMeter {
    /// Shared with the samples, which the next reading must not change.
    index: Arc<PlacementIndex>,
    clients: Clients,
}

/// Clients of one reading.
#[derive(Debug, Default)]
struct Clients {
    /// Number of clients that are there.
    active: u64,
    /// Clients and stalled clients by rung.
    by_rung: [(u32, u32); Rung::PLACES],
    by_edge: HashMap<SocketAddr, u32>,
    /// Distances from the live edge in milliseconds, each with the place of the variant.
    behind: Vec<(u32, Option<usize>)>,
}

impl StreamMeter {
    /// Reads the edges and rungs that the placements of clients refer to.
    pub(super) fn read(&mut self, registry: &Registry) {
        registry.placements(Arc::make_mut(&mut self.index));
    }

    /// Returns what was read last.
    pub(super) fn index(&self) -> &PlacementIndex {
        &self.index
    }

    /// Measures the stream at the moment of a whole snapshot. `audience` needs no hosts.
    pub(super) fn measure(&mut self, snapshot: &Snapshot, audience: &Audience) -> StreamSample {
        let at_us = snapshot.clients_at_us;
        self.clients.read(at_us, &snapshot.clients, &self.index);
        let clients = &self.clients;
        let played = |row: &RungRow| clients.by_rung.get(row.place).map_or(0, |(clients, _)| *clients);
        // Of rungs that are played by as many, the first.
        let listed = self.index.rungs.iter().rev().filter(|row| row.listing.is_some());
        let reference = listed.max_by_key(|row| played(row)).and_then(|row| row.listing);
        let is_live = reference.map(|listing| !listing.progress.is_ended);
        let mut sample = StreamSample {
            is_live,
            target_duration: reference.map(|listing| Duration::from_micros(listing.target_us)),
            window_segments: reference.map(|listing| listing.segments),
            hold_back: reference
                .filter(|_| is_live == Some(true))
                .map(|listing| Duration::from_micros(listing.hold_back_us)),
            rungs: self.index.rungs.iter().map(|row| clients.rung(row, at_us)).collect(),
            placements: Arc::clone(&self.index),
            ..StreamSample::default()
        };
        sample.behind = self.clients.behind();
        sample.span = span(&sample);
        for (behind_ms, rung) in &self.clients.behind {
            sample.add_playhead(*behind_ms, *rung);
        }
        sample.read_audience(audience, &self.clients.by_edge);
        sample
    }
}

impl Clients {
    fn read(&mut self, at_us: u64, rows: &[ClientRow], index: &PlacementIndex) {
        (self.active, self.by_rung) = (0, [(0, 0); Rung::PLACES]);
        self.by_edge.clear();
        self.behind.clear();
        for row in rows.iter().filter(|row| row.state.is_active()) {
            self.active += 1;
            for place in row.placement.rungs() {
                let Some((clients, stalled)) = self.by_rung.get_mut(place) else { continue };
                *clients += 1;
                *stalled += u32::from(row.state == ClientState::Stalled);
            }
            if let Some(edge) = index.edge(row.placement) {
                *self.by_edge.entry(edge).or_default() += 1;
            }
            // Before playback begins, no frame is on the screen that could be late.
            let began = row.playback.dry_at_us > 0;
            if let Some(behind_us) = row.playback.live_latency_at(at_us).filter(|_| began) {
                let behind_ms = u32::try_from(behind_us / 1_000).unwrap_or(u32::MAX);
                self.behind.push((behind_ms, row.placement.rung()));
            }
        }
    }

    fn rung(&self, row: &RungRow, at_us: u64) -> RungSample {
        let (clients, stalled) = self.by_rung.get(row.place).copied().unwrap_or_default();
        // A rung that nothing plays is not loaded either: its age and its window say nothing.
        let live = row.listing.filter(|listing| clients > 0 && !listing.progress.is_ended);
        let age = |listing: Listing| Duration::from_micros(at_us.saturating_sub(listing.came_us));
        RungSample {
            place: row.place,
            name: row.name.clone(),
            clients,
            stalled,
            share: share(clients.into(), self.active),
            stalled_share: share(stalled.into(), clients.into()),
            age: live.map(age),
            newest: row.listing.map(|listing| listing.progress.newest),
            window: live.map(|listing| window(listing, at_us)),
            playheads: [0; PLAYHEADS],
        }
    }

    /// Returns the distances from the live edge, and sorts them on the way.
    fn behind(&mut self) -> Behind {
        self.behind.sort_unstable_by_key(|(behind_ms, _)| *behind_ms);
        let known = self.behind.len();
        // The nearest rank: the smallest distance that this many percent do not exceed.
        let percentile = |percent: usize| {
            let (behind_ms, _) = self.behind.get((known * percent).div_ceil(100).checked_sub(1)?)?;
            Some(Duration::from_millis(u64::from(*behind_ms)))
        };
        Behind {
            clients: u32::try_from(known).unwrap_or(u32::MAX),
            p50: percentile(50),
            p95: percentile(95),
            max: percentile(100),
        }
    }
}

/// Returns the distance of the end and of the begin of a live playlist from the live edge.
fn window(listing: Listing, at_us: u64) -> (Duration, Duration) {
    let at_us = i64::try_from(at_us).unwrap_or(i64::MAX);
    let ends = u64::try_from(at_us.saturating_sub(listing.ends_us)).unwrap_or(0);
    let begins = ends.saturating_add(listing.window_us);
    (Duration::from_micros(ends), Duration::from_micros(begins))
}

/// Returns the shortest axis that holds all windows and nearly all viewers, or the longest.
fn span(sample: &StreamSample) -> Duration {
    let windows = sample.rungs.iter().filter_map(|rung| rung.window).map(|(_, begins)| begins);
    let farthest = windows.chain(sample.behind.p95).max().unwrap_or_default();
    let [.., longest] = SPANS_S.map(Duration::from_secs);
    SPANS_S.into_iter().map(Duration::from_secs).find(|span| *span >= farthest).unwrap_or(longest)
}

impl StreamSample {
    /// Counts the playhead of a viewer of a variant. One beyond the axis is in its last bucket.
    fn add_playhead(&mut self, behind_ms: u32, rung: Option<usize>) {
        let span_ms = self.span.as_millis().max(1);
        let bucket = u128::from(behind_ms) * PLAYHEADS as u128 / span_ms;
        let bucket = usize::try_from(bucket).unwrap_or(PLAYHEADS).min(PLAYHEADS - 1);
        let rung = self.rungs.iter_mut().find(|sample| Some(sample.place) == rung);
        let count = rung.and_then(|sample| sample.playheads.get_mut(bucket));
        count.into_iter().for_each(|count| *count += 1);
    }

    fn read_audience(&mut self, audience: &Audience, clients: &HashMap<SocketAddr, u32>) {
        let mut all = audience.other_edges;
        audience.edges.values().for_each(|totals| all.add(*totals));
        let edge = |(address, totals): (&SocketAddr, &EdgeTotals)| EdgeSample {
            address: *address,
            requests: totals.requests,
            bytes: totals.bytes,
            clients: clients.get(address).copied().unwrap_or_default(),
            share: share(totals.requests, all.requests),
            failed_share: totals.failed_share(),
            hit_share: totals.hit_share(),
        };
        self.edges = audience.edges.iter().map(edge).collect();
        // Stable: of equals, the lower address.
        self.edges.sort_by_key(|edge| std::cmp::Reverse(edge.requests));
        // Those that did not fit into the tables are one at least.
        let beyond = u64::from(audience.other_edges.requests > 0);
        self.more_edges = self.edges.len().saturating_sub(EDGES) as u64 + beyond;
        self.edges.truncate(EDGES);
        self.http2_share = share(audience.http2, audience.http1 + audience.http2);
        self.resumed_share = share(audience.tls_resumed, audience.tls_handshakes);
        self.hit_share = all.hit_share();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Placement, Progress};
    use crate::vocabulary::Playback;
    use std::sync::Arc;

    const NOW_US: u64 = 100_000_000;

    fn edge(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 443))
    }

    /// Returns a live playlist that came and ended so many seconds ago, or one of a film.
    fn listing(newest: u64, age_s: u64, is_ended: bool) -> Listing {
        let came_us = NOW_US - age_s * 1_000_000;
        Listing {
            progress: Progress { newest, parts: 0, is_ended },
            came_us,
            ends_us: came_us.cast_signed(),
            target_us: 4_000_000,
            window_us: 24_000_000,
            hold_back_us: 12_000_000,
            segments: 6,
        }
    }

    fn row(id: u64, state: ClientState, behind_s: Option<u64>, placement: Placement) -> ClientRow {
        let behind_us = |behind_s: u64| (behind_s * 1_000_000).cast_signed();
        let playback = Playback {
            state,
            joined_us: 0,
            offset_us: 0,
            dry_at_us: 2 * NOW_US,
            max_drift_us: 0,
            bandwidth: 0,
            live_offset_us: behind_s.map(behind_us),
        };
        ClientRow { id, placement, state, playback, ..ClientRow::fresh() }
    }

    /// Measures these clients on two workers, each with a table of its own of the same two edges.
    fn measure(rows: Vec<ClientRow>, listings: &[Option<Listing>], audience: &Audience) -> StreamSample {
        let rungs = listings.iter().enumerate();
        let rungs = rungs.map(|(place, listing)| RungRow { place, name: None, listing: *listing }).collect();
        let edges = vec![vec![edge(1), edge(2)], vec![edge(2), edge(1)]];
        let mut meter =
            StreamMeter { index: Arc::new(PlacementIndex::of(edges, rungs)), ..StreamMeter::default() };
        let clients = Arc::new(rows);
        let snapshot = Snapshot { clients, clients_at_us: NOW_US, ..Snapshot::default() };
        meter.measure(&snapshot, audience);
        // The memory of the first reading does not show in the second.
        meter.measure(&snapshot, audience)
    }

    #[test]
    fn every_viewer_is_on_its_rung_and_at_its_distance() {
        let rows = (0..10_000_u64).map(|id| {
            let state = if id % 10 == 0 { ClientState::Stalled } else { ClientState::Playing };
            let rung = (id % 4 == 0).into();
            row(id, state, Some(id % 30), Placement::on_rung(rung).at(0, (id % 2) as usize))
        });
        let listings =
            [Some(listing(81, 2, false)), Some(listing(80, 9, false)), Some(listing(7, 50, false))];
        let sample = measure(rows.collect(), &listings, &Audience::default());
        let clients: Vec<_> = sample.rungs.iter().map(|rung| (rung.clients, rung.stalled)).collect();
        assert_eq!(clients, [(7_500, 500), (2_500, 500), (0, 0)]);
        assert_eq!((sample.rungs[1].share, sample.rungs[1].stalled_share), (Some(0.25), Some(0.2)));
        let seconds = |age: Option<Duration>| age.map(|age| age.as_secs());
        let ages: Vec<_> = sample.rungs.iter().map(|rung| seconds(rung.age)).collect();
        assert_eq!(ages, [Some(2), Some(9), None], "nothing plays the third, so nothing loads it");
        let windows = sample.rungs.iter().map(|rung| rung.window);
        let windows = windows.map(|window| window.map(|(ends, begins)| (ends.as_secs(), begins.as_secs())));
        assert_eq!(windows.collect::<Vec<_>>(), [Some((2, 26)), Some((9, 33)), None]);
        assert_eq!(sample.oldest().map(|rung| rung.place), Some(1));
        assert_eq!((sample.span.as_secs(), sample.playheads().iter().sum::<u32>()), (40, 10_000));
        for behind_s in 0..30 {
            let count: u32 = sample.rungs.iter().map(|rung| rung.playheads[behind_s * PLAYHEADS / 40]).sum();
            assert!(count >= 10_000 / 30, "{behind_s}");
        }
        assert_eq!(sample.playheads()[30 * PLAYHEADS / 40..].iter().sum::<u32>(), 0);
        let Behind { clients, p50, p95, max } = sample.behind;
        assert_eq!(
            (clients, seconds(p50), seconds(p95), seconds(max)),
            (10_000, Some(14), Some(28), Some(29))
        );
        assert_eq!((sample.is_live, sample.window_segments), (Some(true), Some(6)));
        assert_eq!((seconds(sample.target_duration), seconds(sample.hold_back)), (Some(4), Some(12)));
    }

    #[test]
    fn a_viewer_beyond_the_axis_is_in_its_last_bucket() {
        let viewers = (0..100).map(|id| {
            let behind_s = if id == 7 { 5_000 } else { 6 };
            row(id, ClientState::Playing, Some(behind_s), Placement::on_rung(0))
        });
        let sample = measure(viewers.collect(), &[Some(listing(1, 1, false))], &Audience::default());
        assert_eq!((sample.span.as_secs(), sample.behind.max), (40, Some(Duration::from_secs(5_000))));
        assert_eq!((sample.playheads()[6 * PLAYHEADS / 40], sample.playheads()[PLAYHEADS - 1]), (99, 1));
    }

    #[test]
    fn clients_that_show_no_picture_yet_or_any_more_have_no_distance() {
        let mut unborn = row(1, ClientState::Starting, Some(9), Placement::on_rung(0));
        unborn.playback.dry_at_us = 0;
        let gone = row(2, ClientState::Finished, Some(9), Placement::on_rung(0));
        let unknown = row(3, ClientState::Playing, None, Placement::default());
        let sample =
            measure(vec![unborn, gone, unknown], &[Some(listing(1, 1, false))], &Audience::default());
        assert_eq!((sample.behind.clients, sample.behind.p95), (0, None));
        assert_eq!((sample.rungs[0].clients, sample.rungs[0].share), (1, Some(0.5)));
    }

    #[test]
    fn a_film_has_no_age_and_a_run_that_loaded_nothing_has_nothing() {
        let viewer = row(1, ClientState::Playing, None, Placement::on_rung(0));
        let film = measure(vec![viewer], &[Some(listing(99, 50, true))], &Audience::default());
        assert_eq!((film.is_live, film.hold_back, film.rungs[0].newest), (Some(false), None, Some(99)));
        assert_eq!((film.rungs[0].age, film.rungs[0].window), (None, None));
        assert!(film.target_duration.is_some() && film.oldest().is_none());
        let nothing = measure(Vec::new(), &[], &Audience::default());
        assert_eq!((nothing.is_live, nothing.target_duration, nothing.http2_share), (None, None, None));
        assert!(nothing.rungs.is_empty() && nothing.edges.is_empty());
        let named_only = measure(Vec::new(), &[None], &Audience::default());
        assert_eq!((named_only.is_live, named_only.rungs[0].newest), (None, None));
    }

    #[test]
    fn one_edge_of_two_workers_is_one_line() {
        let clients = [(0, 0), (1, 1), (1, 0)].into_iter().zip(1..).map(|((edge, worker), id)| {
            row(id, ClientState::Playing, None, Placement::default().at(edge, worker))
        });
        let mut audience = Audience { http1: 30, http2: 10, ..Audience::default() };
        for last in 1..=18 {
            let requests = 100 - u64::from(last);
            let totals =
                EdgeTotals { requests, failed: requests / 2, hit: 3, miss: 1, ..EdgeTotals::default() };
            audience.edges.insert(edge(last), totals);
        }
        audience.other_edges.requests = 5;
        let sample = measure(clients.collect(), &[], &audience);
        let lines: Vec<_> = sample.edges.iter().map(|line| (line.address, line.clients)).collect();
        assert_eq!((lines.len(), &lines[..3]), (EDGES, &[(edge(1), 2), (edge(2), 1), (edge(3), 0)][..]));
        assert_eq!(sample.more_edges, 3, "two known ones, and at least one that did not fit");
        let all = (82..100).sum::<u64>() + 5;
        assert_eq!(sample.edges[1].share, share(98, all));
        assert_eq!((sample.edges[1].failed_share, sample.edges[1].hit_share), (Some(0.5), Some(0.75)));
        assert_eq!(
            (sample.http2_share, sample.hit_share, sample.resumed_share),
            (Some(0.25), Some(0.75), None)
        );
    }
}
