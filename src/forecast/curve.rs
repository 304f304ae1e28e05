//! Traffic of a mean viewer as a function of its age.
//!
//! Viewers join at any moment between two segments and make some choices by chance, so the curve is the mean of
//! several. Up to the horizon it is what they did; beyond it goes on as in the last half.

use std::sync::Arc;
use std::time::Duration;

use super::stream::{Destination, StreamModel};
use super::viewer::{Lived, Viewer};
use crate::player::Settings;

/// Viewers whose mean is taken.
const VIEWERS: u64 = 8;
/// Longest simulated life: a viewer of a live stream is steady long before, and a film goes on as it began.
const HORIZON: Duration = Duration::from_secs(600);
/// Shortest simulated life: the steady traffic must be seen even if the run is shorter.
const SHORTEST: Duration = Duration::from_secs(60);
/// Steps of the curve for each second of age.
const STEPS_PER_SECOND: f64 = 10.0;

/// Amounts that a viewer has used up to an age.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Traffic {
    pub(super) requests: f64,
    pub(super) bytes: f64,
    /// Connections opened.
    pub(super) opened: f64,
}

impl Traffic {
    pub(super) fn plus(self, other: Self, factor: f64) -> Self {
        Self {
            requests: self.requests + other.requests * factor,
            bytes: self.bytes + other.bytes * factor,
            opened: self.opened + other.opened * factor,
        }
    }
}

/// Traffic of a mean viewer.
#[derive(Clone, Debug)]
pub struct Curve {
    /// Amounts used up to each step of age.
    sums: Vec<Traffic>,
    /// Age from which on a viewer requests nothing more; `None` for a live stream.
    ends: Option<f64>,
    /// Most connections of a viewer at once.
    pub(super) connections: f64,
    /// Connections that a viewer closes in a second.
    pub(super) closes_per_s: f64,
    /// False if the player loads as fast as the network allows.
    pub(super) paced: bool,
    pub(super) destinations: Vec<Destination>,
}

impl Curve {
    /// Simulates viewers of a run of this length. Returns `None` if the model does not know what they request.
    pub fn new(
        model: &StreamModel,
        settings: &Arc<Settings>,
        lasts: Option<Duration>,
        seed: u64,
    ) -> Option<Self> {
        let longest = if model.has_long_window() { SHORTEST } else { HORIZON };
        let horizon = lasts.unwrap_or(HORIZON).clamp(SHORTEST, longest);
        let lives: Option<Vec<Lived>> = (0..VIEWERS)
            .map(|number| {
                let phase = number as f64 / VIEWERS as f64;
                let seed = seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                Viewer { model, settings: Arc::clone(settings), seed, phase }.play(horizon)
            })
            .collect();
        let lives = lives?;
        // Viewers that have all ended request nothing more; a film that is longer ends with its length.
        let ended = lives.iter().all(|lived| lived.ended.is_some()).then_some(horizon);
        let ends = ended.or_else(|| model.films().max()).map(|length| length.max(horizon).as_secs_f64());
        Some(Self::mean(&lives, horizon, ends, model))
    }

    fn mean(lives: &[Lived], horizon: Duration, ends: Option<f64>, model: &StreamModel) -> Self {
        let count = lives.len().max(1) as f64;
        let steps = (horizon.as_secs_f64() * STEPS_PER_SECOND).ceil() as usize;
        let mut sums = vec![Traffic::default(); steps + 1];
        for moment in lives.iter().flat_map(|lived| &lived.moments) {
            let step = (moment.at.as_secs_f64() * STEPS_PER_SECOND) as usize + 1;
            if let Some(sum) = sums.get_mut(step.min(steps)) {
                let traffic =
                    Traffic { requests: moment.requests, bytes: moment.bytes, opened: moment.opened };
                *sum = sum.plus(traffic, 1.0 / count);
            }
        }
        let mut so_far = Traffic::default();
        for sum in &mut sums {
            so_far = so_far.plus(*sum, 1.0);
            *sum = so_far;
        }
        let connections = lives.iter().map(|lived| lived.connections.most).max().unwrap_or_default();
        let closed: u64 = lives.iter().map(|lived| lived.connections.closed).sum();
        Self {
            sums,
            ends,
            connections: connections.into(),
            closes_per_s: closed as f64 / count / horizon.as_secs_f64(),
            paced: lives.iter().all(|lived| lived.paced),
            destinations: destinations(lives, model),
        }
    }

    /// Returns the mean of curves that were simulated for the same length, by their shares; `None` without one.
    pub fn mixed(mut curves: Vec<(f64, Self)>) -> Option<Self> {
        let all: f64 = curves.iter().map(|(share, _)| share).sum();
        let (share, mut mixed) = curves.pop()?;
        if curves.is_empty() || all <= 0.0 {
            return Some(mixed);
        }
        let part = share / all;
        mixed.sums.iter_mut().for_each(|sum| *sum = Traffic::default().plus(*sum, part));
        mixed.connections *= part;
        mixed.closes_per_s *= part;
        for (share, other) in curves {
            let part = share / all;
            for (place, sum) in mixed.sums.iter_mut().enumerate() {
                *sum = sum.plus(other.sums.get(place).copied().unwrap_or_default(), part);
            }
            mixed.connections += other.connections * part;
            mixed.closes_per_s += other.closes_per_s * part;
            mixed.paced &= other.paced;
            // The viewer that plays longest sets the end.
            mixed.ends = mixed.ends.zip(other.ends).map(|(one, other)| one.max(other));
            other.destinations.into_iter().for_each(|destination| add(&mut mixed.destinations, destination));
        }
        Some(mixed)
    }

    /// Returns the amounts that a viewer of this age, in seconds, has used.
    pub(super) fn at(&self, age: f64) -> Traffic {
        let age = self.ends.map_or(age, |ends| age.min(ends)).max(0.0);
        let (last, place) = (self.sums.len() - 1, age * STEPS_PER_SECOND);
        let step = place.floor() as usize;
        let sum = |step: usize| self.sums.get(step.min(last)).copied().unwrap_or_default();
        if step < last {
            // Between two steps the curve is a line.
            let share = place - step as f64;
            return sum(step).plus(sum(step), -share).plus(sum(step + 1), share);
        }
        let beyond = place - last as f64;
        let half = last / 2;
        let steps = (last - half).max(1) as f64;
        sum(last).plus(sum(last), beyond / steps).plus(sum(half), -beyond / steps)
    }

    /// Returns the age up to which viewers were simulated, in seconds.
    pub(super) fn horizon(&self) -> f64 {
        (self.sums.len() - 1) as f64 / STEPS_PER_SECOND
    }
}

fn destinations(lives: &[Lived], model: &StreamModel) -> Vec<Destination> {
    let mut destinations = Vec::new();
    for (endpoint, most) in lives.iter().flat_map(|lived| &lived.connections.most_at) {
        let (endpoint, http2) = (endpoint.clone(), model.is_http2(endpoint));
        add(&mut destinations, Destination { endpoint, http2, connections_per_client: *most });
    }
    destinations
}

/// Adds a destination; of one that is known already the most connections count.
fn add(destinations: &mut Vec<Destination>, other: Destination) {
    match destinations.iter_mut().find(|known| known.endpoint == other.endpoint) {
        Some(known) => {
            known.connections_per_client = known.connections_per_client.max(other.connections_per_client)
        }
        None => destinations.push(other),
    }
}
