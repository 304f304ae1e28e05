//! Price of a plan: the sum over its clients, each of which has its own age at the end of the run.
//!
//! A client of a live stream loads the segments that are listed when it joins, and then one for each that appears; one
//! of a film fills its buffer first. So clients x bit rate x time is up to a third short, and halving the ramp is true
//! only on average: the sum is made client by client.

use std::time::Duration;

use serde::Serialize;

use super::curve::{Curve, Traffic};
use super::stream::{BitRate, Destination};
use crate::capacity::{CPU_SHARE, MEMORY_SHARE, Shortage, Supplied, Supply, Work};
use crate::load::{ArrivalProfile, RampProfile, StagesProfile};
use crate::vocabulary::HardStop;

/// Clients that are summed one by one. Beyond, one stands for its neighbours.
const SUMMED: u32 = 10_000;
/// Begins of the seconds around the end of a stage in which the traffic may be largest.
const SECONDS_AROUND: [f64; 5] = [-1.0, 0.0, 1.0, 2.0, 3.0];
/// Time for which the port of a closed connection cannot be used again, in seconds (TIME_WAIT in Linux).
const PORT_WAIT_S: f64 = 60.0;
/// Resident bytes of a client without TLS, measured with 1,000 clients of a live stream, rounded up. A calibration
/// replaces it.
const CLIENT_BYTES_PLAIN: f64 = 16e3;
/// The same with TLS.
const CLIENT_BYTES_TLS: f64 = 128e3;
/// Length that is priced for a run without an end.
const HOUR: Duration = Duration::from_secs(3_600);
/// Longest time after which a hard stop is announced.
const FORESEEN: Duration = Duration::from_secs(7 * 86_400);
/// Steps of a search by halves: enough for a million clients, and for a second in a week.
const HALVES: u32 = 20;

/// Resources of this process before its first client.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Base {
    /// Open files.
    pub open_files: Option<u64>,
    /// Resident memory.
    pub resident_bytes: Option<u64>,
    /// CPU time used so far.
    pub cpu: Duration,
}

/// Terms of a forecast, apart from the stream.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Clients, and the schedule of their starts.
    pub profile: RampProfile,
    /// Stages of the load; `None`: a ramp.
    pub stages: Option<StagesProfile>,
    /// Arrivals of an open load; `None`: a ramp or stages.
    pub arrivals: Option<ArrivalProfile>,
    /// Time at which the others may start.
    pub begun: Duration,
    /// Length of the run that was asked for.
    pub duration: Option<Duration>,
    /// Resources used without clients.
    pub base: Base,
    /// Resources that may be used.
    pub supply: Supply,
}

/// Amounts that a run uses; `null`: unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Use {
    /// Requests.
    pub requests: f64,
    /// Body bytes.
    pub bytes: f64,
    /// Mean body bits per second; unknown if the player loads as fast as the network allows.
    pub bits_per_second: Option<f64>,
    /// Most body bits within a second; used: of the seconds since the first sample, which may leave out the joins.
    pub bits_per_second_peak: Option<f64>,
    /// CPU seconds; planned only with a calibration of this machine.
    pub cpu_s: Option<f64>,
    /// Mean share of the allowed CPU.
    pub cpu_share: Option<f64>,
    /// Most open files.
    pub open_files: Option<f64>,
    /// Most local ports towards one address; not measured.
    pub ports: Option<f64>,
    /// Most resident memory of the process; memory of the kernel for sockets comes on top.
    pub memory_bytes: Option<f64>,
}

/// Forecast of a run.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// Terms that it was made for.
    pub terms: Terms,
    /// Bit rate of the played variant.
    pub bit_rate: Option<BitRate>,
    pub(super) curve: Curve,
}

impl Forecast {
    /// Creates the forecast of a run on these terms.
    pub fn new(curve: Curve, bit_rate: Option<BitRate>, terms: Terms) -> Self {
        Self { terms, bit_rate, curve }
    }

    /// Returns the forecast of the same run with another number of clients.
    #[must_use]
    pub fn with_clients(&self, clients: u32) -> Self {
        let mut other = self.clone();
        other.terms.profile.clients = clients;
        other
    }

    /// Reports whether the player loads at the pace of the stream, and not as fast as the network allows.
    pub fn is_paced(&self) -> bool {
        self.curve.paced
    }

    /// Returns the hosts that clients will connect to.
    pub fn destinations(&self) -> &[Destination] {
        &self.curve.destinations
    }

    /// Returns the length that is priced: that of the run, or an hour.
    pub fn length(&self) -> Duration {
        self.terms.duration.unwrap_or(HOUR)
    }

    /// Returns what the plan uses in a run that lasts so long.
    pub fn planned(&self, lasts: Duration) -> Use {
        self.totals(self.terms.profile.clients, lasts)
    }

    fn totals(&self, clients: u32, lasts: Duration) -> Use {
        let Traffic { requests, bytes, opened } = self.traffic(clients, lasts.as_secs_f64());
        let seconds = lasts.as_secs_f64();
        let started = self.started(clients, seconds);
        let paced = self.curve.paced && seconds > 0.0;
        let Supply { calibration, speed_ns, .. } = &self.terms.supply;
        let secure = self.is_secure();
        let work = Work { seconds, requests, bytes, connections: opened, secure };
        let cpu_s = calibration.as_ref().zip(*speed_ns).and_then(|(costs, speed)| costs.cpu_s(&work, speed));
        let measured = calibration.as_ref().map(|costs| costs.costs(secure).client_bytes);
        let client_bytes = measured.unwrap_or(if secure { CLIENT_BYTES_TLS } else { CLIENT_BYTES_PLAIN });
        let base = &self.terms.base;
        let is_shared = self.terms.supply.ports_are_shared;
        let towards_one = if is_shared { self.curve.connections } else { self.connections_to_one() };
        Use {
            requests,
            bytes,
            bits_per_second: paced.then(|| bytes * 8.0 / seconds),
            bits_per_second_peak: paced.then(|| self.peak(clients, seconds)),
            cpu_s,
            cpu_share: cpu_s.zip(self.terms.supply.cpus).map(|(used, cpus)| used / seconds / cpus),
            open_files: base.open_files.map(|files| files as f64 + started * self.curve.connections),
            ports: Some(
                started * (towards_one + PORT_WAIT_S * self.curve.closes_per_s)
                    + self.leaves_per_s(clients) * towards_one * PORT_WAIT_S,
            ),
            memory_bytes: base.resident_bytes.map(|bytes| bytes as f64 + started * client_bytes),
        }
    }

    /// Returns the time at which the client with this number, from 0, starts. The first one goes ahead.
    fn start(&self, number: u32) -> f64 {
        let interval = self.terms.profile.interval().as_secs_f64();
        match number {
            0 => 0.0,
            later => self.terms.begun.as_secs_f64().max(interval) + f64::from(later - 1) * interval,
        }
    }

    /// Returns the most clients that have been there at once by then.
    pub(super) fn started(&self, clients: u32, seconds: f64) -> f64 {
        if let Some(stages) = &self.terms.stages {
            let until = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
            return stages.peak_until(until).min(clients).into();
        }
        if let Some(arrivals) = &self.terms.arrivals {
            let until = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
            return arrivals.peak(until).min(clients).into();
        }
        let interval = self.terms.profile.interval().as_secs_f64();
        let first = self.start(1);
        let others = match seconds - first {
            left if left < 0.0 => 0.0,
            _ if interval <= 0.0 => f64::INFINITY,
            left => (left / interval).floor() + 1.0,
        };
        (1.0 + others).min(f64::from(clients))
    }

    /// Returns the sum over the clients of a run that lasts so long.
    fn traffic(&self, clients: u32, seconds: f64) -> Traffic {
        if self.terms.arrivals.is_some() {
            return self.traffic_of_arrivals(clients, seconds);
        }
        let started = self.started(clients, seconds) as u32;
        let stride = started.div_ceil(SUMMED).max(1);
        let mut sum = Traffic::default();
        for first in (0..started).step_by(stride as usize) {
            let group = stride.min(started - first);
            self.add_client(first + group / 2, seconds, group.into(), &mut sum);
        }
        sum
    }

    /// Adds the traffic of the client with this number up to a time, so many times.
    fn add_client(&self, number: u32, seconds: f64, times: f64, sum: &mut Traffic) {
        let Some(stages) = &self.terms.stages else {
            *sum = sum.plus(self.curve.at(seconds - self.start(number)), times);
            return;
        };
        for life in stages.lives(number) {
            let [start, end] = [life.start, life.end].map(|at| at.as_secs_f64());
            // A client that comes back after it has left joins again.
            *sum = sum.plus(self.curve.at(seconds.min(end) - start), times);
        }
    }

    /// Returns the traffic of a steady client in a second.
    pub(super) fn steady(&self) -> Traffic {
        let horizon = self.curve.horizon();
        let half = self.curve.at(horizon / 2.0);
        Traffic::default().plus(self.curve.at(horizon), 2.0 / horizon).plus(half, -2.0 / horizon)
    }

    /// Returns the most bits within a second: seconds of starts, each with the traffic of its age.
    fn peak(&self, clients: u32, seconds: f64) -> f64 {
        if let Some(stages) = &self.terms.stages {
            return self.peak_of_stages(stages, clients, seconds);
        }
        if self.terms.arrivals.is_some() {
            return self.flow(clients, seconds).bytes * 8.0;
        }
        let bins = seconds.min(self.curve.horizon()).ceil() as usize;
        let grown: Vec<f64> = (0..bins)
            .map(|age| self.curve.at(age as f64 + 1.0).bytes - self.curve.at(age as f64).bytes)
            .collect();
        let by = |second: usize| self.started(clients, second as f64 + 1.0);
        let mut starts = vec![by(0)];
        starts.extend((1..bins).map(|second| by(second) - by(second - 1)));
        let in_second = |second: usize| -> f64 {
            let ages = starts.iter().take(second + 1).enumerate();
            ages.map(|(start, count)| count * grown.get(second - start).copied().unwrap_or_default()).sum()
        };
        let early = (0..bins).map(in_second).fold(0.0, f64::max);
        // A ramp that is longer than what was simulated: all who are steady, and those who are joining.
        let horizon = self.curve.horizon();
        let burst = (self.curve.at(horizon).bytes - self.steady().bytes * horizon).max(0.0);
        let rate = self.terms.profile.rate().unwrap_or_default();
        let late = self.started(clients, seconds) * self.steady().bytes + rate * burst;
        8.0 * if seconds > horizon { early.max(late) } else { early }
    }

    /// Returns the most bits within a second: of those around the ends of stages, where clients join.
    fn peak_of_stages(&self, stages: &StagesProfile, clients: u32, seconds: f64) -> f64 {
        let peak = stages.peak().min(clients);
        // A client of many stages comes and goes many times, and each of its ends has some seconds to look at.
        let most = SUMMED / u32::try_from(stages.pieces()).unwrap_or(SUMMED).clamp(1, SUMMED);
        let stride = peak.div_ceil(most).max(1);
        let numbers: Vec<u32> = (0..peak).step_by(stride as usize).collect();
        let lives: Vec<_> = numbers
            .iter()
            .flat_map(|first| {
                let group = stride.min(peak - first);
                let lives = stages.lives(first + group / 2).into_iter();
                lives.map(move |life| (life.start.as_secs_f64(), life.end.as_secs_f64(), f64::from(group)))
            })
            .collect();
        let in_second = |from: f64| -> f64 {
            let until = (from + 1.0).min(seconds);
            let used = |(start, end, times): &(f64, f64, f64)| {
                let at = |time: f64| self.curve.at(time.min(*end) - start).bytes;
                if from >= *end || until <= *start { 0.0 } else { (at(until) - at(from)) * times }
            };
            lives.iter().map(used).sum()
        };
        let around =
            stages.boundaries().flat_map(|at| SECONDS_AROUND.map(|second| at.as_secs_f64() + second));
        8.0 * around.filter(|from| (0.0..seconds).contains(from)).map(in_second).fold(0.0, f64::max)
    }

    /// Returns the share of the allowed CPU that is used once all clients are there.
    pub fn steady_cpu_share(&self) -> Option<f64> {
        self.cpu_share(self.terms.profile.clients)
    }

    fn cpu_share(&self, clients: u32) -> Option<f64> {
        let Supply { calibration, speed_ns, cpus, .. } = &self.terms.supply;
        let seconds = self.length().as_secs_f64();
        let second = match self.terms.arrivals {
            Some(_) => self.flow(clients, seconds),
            None => Traffic::default().plus(self.steady(), self.started(clients, seconds)),
        };
        let Traffic { requests, bytes, opened } = second;
        let work = Work { seconds: 1.0, requests, bytes, connections: opened, secure: self.is_secure() };
        Some(calibration.as_ref()?.cpu_s(&work, (*speed_ns)?)? / (*cpus)?)
    }

    fn is_secure(&self) -> bool {
        self.curve.destinations.iter().any(|destination| destination.endpoint.tls)
    }

    /// Returns the most connections of a client to one endpoint. In a mix no mean client has more there than to all of them.
    fn connections_to_one(&self) -> f64 {
        let to_one = self.curve.destinations.iter().map(|to| f64::from(to.connections_per_client));
        to_one.fold(0.0, f64::max).min(self.curve.connections)
    }

    /// Returns the resources that the plan needs more of than there is.
    pub fn shortages(&self) -> Vec<Shortage> {
        self.shortages_of(self.terms.profile.clients)
    }

    fn shortages_of(&self, clients: u32) -> Vec<Shortage> {
        let Supply { open_files, files_reserved, ports, memory_bytes, hard_stops, .. } = &self.terms.supply;
        let needs = self.totals(clients, self.length());
        let exact = |amount: Option<u64>| amount.map(|amount| amount as f64);
        // The length of a run without an end is its operator's: hard stops end it as they wish.
        let total = |needed: f64| self.terms.duration.map(|_| needed);
        // Other files may yet be opened: reports, name servers.
        let files = needs.open_files.map(|files| {
            let base = self.terms.base.open_files.unwrap_or_default();
            files + files_reserved.saturating_sub(base) as f64
        });
        let rows = [
            (Supplied::OpenFiles, files, exact(*open_files)),
            (Supplied::Ports, needs.ports, exact(*ports)),
            (Supplied::Memory, needs.memory_bytes, exact(*memory_bytes).map(|bytes| bytes * MEMORY_SHARE)),
            (Supplied::Cpu, self.cpu_share(clients), Some(CPU_SHARE)),
            (Supplied::Bandwidth, needs.bits_per_second_peak, exact(hard_stops.bits_per_second)),
            (Supplied::Bytes, total(needs.bytes), exact(hard_stops.bytes)),
            (Supplied::Requests, total(needs.requests), exact(hard_stops.requests)),
        ];
        rows.into_iter()
            .filter_map(|(what, needed, available)| {
                Some(Shortage { what, needed: needed?, available: available? })
            })
            .filter(|shortage| shortage.needed > shortage.available)
            .collect()
    }

    /// Returns the largest number of clients that fits: all needs grow with it.
    pub fn largest(&self) -> u32 {
        let (mut fits, mut too_many) = (0, self.terms.profile.clients.saturating_add(1));
        for _ in 0..HALVES {
            let middle = fits + (too_many - fits) / 2;
            if middle == fits {
                break;
            }
            if self.shortages_of(middle).is_empty() {
                fits = middle;
            } else {
                too_many = middle;
            }
        }
        fits
    }

    /// Returns the time after which a run without an end reaches this stop; `None` if not within a week.
    pub fn reaches(&self, stop: HardStop) -> Option<Duration> {
        let limit = self.terms.supply.hard_stops.limit(stop)? as f64;
        let used = |lasts: Duration| {
            let total = self.traffic(self.terms.profile.clients, lasts.as_secs_f64());
            match stop {
                HardStop::Bytes => total.bytes,
                HardStop::Requests => total.requests,
                HardStop::Bandwidth => 0.0,
            }
        };
        let (mut before, mut after) = (Duration::ZERO, FORESEEN);
        if used(after) < limit {
            return None;
        }
        for _ in 0..HALVES {
            let middle = before + (after - before) / 2;
            if used(middle) < limit { before = middle } else { after = middle }
        }
        Some(after)
    }
}

#[cfg(test)]
pub(super) mod tests;
