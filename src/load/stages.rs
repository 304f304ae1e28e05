//! Stages: a number of clients that rises, stays and falls at planned times.
//!
//! * Times are those of the plan, whose clock may stop while the ramp is held.
//! * The number of clients is the line of the stage, rounded up: the first client of a rise starts when the rise
//!   begins, the last one of a fall leaves when the fall ends.
//! * A wave is a sine of straight pieces, which differ from it by less than half a percent of its height.

use std::f64::consts::TAU;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::{LoadProfile, Ramp, RampProfile, Stage};
use crate::vocabulary::{limits, units};

/// Maximum number of stages: more than anyone writes, and few enough to be walked for every client.
const STAGES: usize = 100;
/// Straight pieces of a wave.
const PIECES: u32 = 24;
/// Maximum length of a plan, as that of every other time.
const LENGTH: Duration = Duration::from_hours(24 * 366);

/// Stages of a run, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct StagesProfile {
    /// Never empty.
    steps: Arc<[Step]>,
}

/// A stage at its place in the plan.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    stage: Stage,
    /// Number of the stage, from 0, and its end: a wave has many steps.
    number: usize,
    stage_ends: Duration,
    begins: Duration,
    takes: Duration,
    /// Clients at its begin and at its end.
    from: u32,
    to: u32,
    /// Clients after it, from which the next stage goes on.
    after: u32,
}

impl Step {
    fn ends(&self) -> Duration {
        self.begins + self.takes
    }

    /// Returns the number of clients `elapsed` after the begin of the plan.
    fn at(&self, elapsed: Duration) -> u32 {
        if elapsed >= self.ends() {
            return self.after;
        }
        let moved = self.moved(elapsed);
        match self.to.checked_sub(self.from) {
            Some(0) => self.to,
            Some(rise) => self.from + rise.min(moved + 1),
            None => self.from - moved,
        }
    }

    /// Returns the difference between both ends of the line.
    fn height(&self) -> u32 {
        self.to.abs_diff(self.from)
    }

    /// Returns the whole clients by which the line has moved.
    fn moved(&self, elapsed: Duration) -> u32 {
        let moved = (elapsed.saturating_sub(self.begins).as_nanos() * u128::from(self.height()))
            .checked_div(self.takes.as_nanos());
        moved.and_then(|moved| u32::try_from(moved).ok()).unwrap_or_default().min(self.height())
    }

    /// Returns the time at which the line has moved by so many clients.
    fn moves(&self, by: u32) -> Duration {
        let nanos = (self.takes.as_nanos() * u128::from(by)).div_ceil(u128::from(self.height().max(1)));
        self.begins + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Returns the time of the next change after `elapsed` and before the end.
    fn next_change(&self, elapsed: Duration) -> Option<Duration> {
        let next = self.moved(elapsed) + 1;
        (next < self.height()).then(|| self.moves(next)).filter(|at| *at < self.ends())
    }
}

/// Place of a run in its stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageNow {
    /// Its number, from 1.
    pub number: usize,
    /// The stage itself.
    pub stage: Stage,
    /// Clients at its begin.
    pub from: u32,
    /// Time until its end.
    pub left: Duration,
    /// The stage after it.
    pub next: Option<Stage>,
}

impl StagesProfile {
    /// Creates the profile of stages in this order, which begin without a client.
    ///
    /// # Errors
    /// One line that says which stage does not fit.
    pub fn new(stages: &[Stage]) -> Result<Self, String> {
        if stages.len() > STAGES {
            return Err(format!("{} were given; expected at most {STAGES} stages", stages.len()));
        }
        let (mut steps, mut begins, mut from) = (Vec::with_capacity(stages.len()), Duration::ZERO, 0);
        for (number, stage) in stages.iter().enumerate() {
            let first = steps.len();
            match *stage {
                Stage::Wave { .. } => steps.extend(wave(*stage, number, begins)),
                _ => steps.push(Step { number, ..step(*stage, begins, from)? }),
            }
            (begins, from) = steps.last().map_or((begins, from), |last: &Step| (last.ends(), last.after));
            steps.iter_mut().skip(first).for_each(|step| step.stage_ends = begins);
        }
        if steps.iter().all(|step| step.from.max(step.to) == 0) {
            return Err(
                "no stage has a client; expected one that adds some, such as 'ramp to 500 in 2m'".to_owned()
            );
        }
        if begins > LENGTH {
            return Err("the stages together take longer than 366 days; expected a shorter plan".to_owned());
        }
        Ok(Self { steps: steps.into() })
    }

    /// Returns the stages in their order.
    pub fn stages(&self) -> impl Iterator<Item = Stage> {
        let is_first = |place: &usize| *place == 0 || self.number(*place) != self.number(*place - 1);
        (0..self.steps.len())
            .filter(is_first)
            .filter_map(|place| self.steps.get(place))
            .map(|step| step.stage)
    }

    /// Returns the number of stages.
    pub fn count(&self) -> usize {
        self.steps.last().map_or(0, |last| last.number + 1)
    }

    /// Returns the number of straight pieces of all stages.
    pub fn pieces(&self) -> usize {
        self.steps.len()
    }

    fn number(&self, place: usize) -> Option<usize> {
        self.steps.get(place).map(|step| step.number)
    }

    /// Returns the time that all stages take.
    pub fn length(&self) -> Duration {
        self.steps.last().map_or(Duration::ZERO, Step::ends)
    }

    /// Returns the largest number of clients.
    pub fn peak(&self) -> u32 {
        self.peak_until(Duration::MAX)
    }

    /// Returns the largest number of clients up to this time.
    pub fn peak_until(&self, elapsed: Duration) -> u32 {
        let begun = self.steps.iter().filter(|step| step.begins <= elapsed);
        let most = |step: &Step| if elapsed < step.ends() { step.at(elapsed) } else { step.to };
        begun.map(|step| step.from.max(most(step))).max().unwrap_or_default()
    }

    /// Returns the clients to reach, and the speed of starts that no stage plans: those that the operator adds, and
    /// reconnects after an outage. It is that of the fastest rise that takes some time; all at once without one.
    pub fn pace(&self, seed: u64) -> RampProfile {
        let rises = self.steps.iter().filter(|step| step.to > step.from && !step.takes.is_zero());
        let rates = rises.map(|step| f64::from(step.height()) / step.takes.as_secs_f64());
        let fastest = rates.max_by(f64::total_cmp);
        RampProfile {
            clients: self.peak(),
            ramp: fastest.map_or(Ramp::default(), Ramp::Rate),
            jitter: Duration::ZERO,
            seed,
        }
    }

    /// Returns the stage at this time; `None` after the last one.
    pub fn stage(&self, elapsed: Duration) -> Option<StageNow> {
        let place = self.place(elapsed);
        let step = self.steps.get(place).filter(|step| elapsed < step.ends())?;
        Some(StageNow {
            number: step.number + 1,
            stage: step.stage,
            from: step.from,
            left: step.stage_ends.saturating_sub(elapsed),
            next: self.steps.iter().find(|later| later.number > step.number).map(|later| later.stage),
        })
    }

    /// Returns the begin of every stage and the end of the last one.
    pub fn boundaries(&self) -> impl Iterator<Item = Duration> {
        self.steps.iter().map(|step| step.begins).chain([self.length()])
    }

    /// Returns the times in which the client with this number, from 0, is there. The newest clients leave first, so it
    /// is there whenever there are more clients than its number.
    pub fn lives(&self, number: u32) -> Vec<Range<Duration>> {
        let (mut lives, mut since) = (Vec::new(), None::<Duration>);
        for step in self.steps.iter() {
            if step.from > number {
                since.get_or_insert(step.begins);
            } else {
                lives.extend(since.take().map(|since| since..step.begins));
            }
            if (step.from..step.to).contains(&number) {
                since = Some(step.moves(number - step.from));
            } else if (step.to..step.from).contains(&number) {
                lives.extend(since.take().map(|since| since..step.moves(step.from - number)));
            }
        }
        let stays = self.steps.last().is_some_and(|step| step.after > number);
        let end = if stays { Duration::MAX } else { self.length() };
        lives.extend(since.map(|since| since..end));
        lives
    }

    /// Returns the index of the stage at this time, or of the last one after its end.
    fn place(&self, elapsed: Duration) -> usize {
        self.steps.iter().rposition(|step| step.begins <= elapsed).unwrap_or_default()
    }
}

impl LoadProfile for StagesProfile {
    fn target(&self, elapsed: Duration) -> u32 {
        self.steps.get(self.place(elapsed)).map_or(0, |step| step.at(elapsed))
    }

    fn next_change(&self, elapsed: Duration) -> Option<Duration> {
        let (place, now) = (self.place(elapsed), self.target(elapsed));
        for step in self.steps.iter().skip(place) {
            if step.begins > elapsed && self.target(step.begins) != now {
                return Some(step.begins);
            }
            if let Some(at) = step.next_change(elapsed.max(step.begins)) {
                return Some(at);
            }
        }
        Some(self.length()).filter(|end| *end > elapsed && self.target(*end) != now)
    }

    fn goal(&self, elapsed: Duration) -> u32 {
        let step = self.steps.get(self.place(elapsed));
        step.map_or(0, |step| match step.stage {
            _ if elapsed >= step.ends() => step.after,
            // A wave comes there again and again.
            Stage::Wave { high, .. } => high,
            _ => step.to,
        })
    }
}

impl fmt::Display for StagesProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, stage) in self.stages().enumerate() {
            write!(f, "{}{stage}", if number > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

/// Returns the steps of a wave: straight pieces of a sine that begins at its lowest.
fn wave(stage: Stage, number: usize, begins: Duration) -> Vec<Step> {
    let Stage::Wave { low, high, every, lasts } = stage else { return Vec::new() };
    let piece = every / PIECES;
    let count = lasts.as_nanos().div_ceil(piece.as_nanos().max(1));
    let level = |at: Duration| {
        let share = at.as_secs_f64() / every.as_secs_f64();
        let height = f64::from(high - low) * (1.0 - (share * TAU).cos()) / 2.0;
        low + height.round() as u32
    };
    let step = |index: u32| {
        let (from, to) = (piece * index, (piece * (index + 1)).min(lasts));
        let to = if u128::from(index) + 1 == count { lasts } else { to };
        Step {
            stage,
            number,
            stage_ends: begins,
            begins: begins + from,
            takes: to.saturating_sub(from),
            from: level(from),
            to: level(to),
            after: level(to),
        }
    };
    (0..u32::try_from(count).unwrap_or(u32::MAX)).map(step).collect()
}

/// Places a stage in the plan.
fn step(stage: Stage, begins: Duration, before: u32) -> Result<Step, String> {
    let level = |clients: u32| Step {
        stage,
        number: 0,
        stage_ends: begins,
        begins,
        takes: Duration::ZERO,
        from: clients,
        to: clients,
        after: clients,
    };
    Ok(match stage {
        Stage::Ramp { to, takes } => Step { takes, from: before, ..level(to) },
        Stage::Down { to, .. } if to >= before => {
            let there = units::plural(before.into(), "client");
            return Err(format!("'{stage}': it begins with {there}; expected fewer at its end"));
        }
        Stage::Down { to, takes } => Step { takes, from: before, ..level(to) },
        Stage::Hold(takes) => Step { takes, ..level(before) },
        Stage::Spike { more, lasts } => {
            let most = before.checked_add(more).filter(|most| *most <= limits::CLIENTS);
            let most = most.ok_or_else(|| {
                format!(
                    "'{stage}': expected at most {} clients together",
                    units::count(limits::CLIENTS.into())
                )
            })?;
            Step { takes: lasts, after: before, ..level(most) }
        }
        // It has steps of its own.
        Stage::Wave { low, .. } => level(low),
    })
}

#[cfg(test)]
mod tests;
