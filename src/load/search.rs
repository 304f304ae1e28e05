//! Search for the capacity of an origin: the largest number of clients at which it holds every threshold.
//!
//! * The load doubles until a threshold breaks. Then the middle between the largest level that held and
//!   the smallest that broke is tried, until both are as near as asked for.
//! * A level counts by what was measured while it stood still: after its clients have joined and settled. One that is
//!   clearly broken ends early; the origin is not kept under a load that it cannot carry.
//! * After a broken level the load is halved, again and again, until the origin keeps its thresholds: what it still owes
//!   to the last level must not break the next one.
//! * The largest level must hold again, each time after the load was halved in between. If it breaks, it was luck, and
//!   the search goes on below it.
//! * The search also ends at the largest number allowed, and where the generator itself limits the result: what
//!   the origin carries beyond that cannot be told.
//!
//! The search only decides. Its caller makes the load, and judges intervals of the run.

use std::ops::Range;
use std::time::Duration;

/// Factor by which the load grows before anything broke.
const GROWTH: u32 = 2;
/// Divisor of the time of a level: after that part of it a broken threshold ends it.
const EARLIEST: u32 = 2;
/// Multiple of the holding time that a level may take without a judgement, or without a client that joins.
const PATIENCE: u32 = 6;
/// Most levels: enough for a million clients and every repeat, and an end to a search that goes in circles.
const LEVELS: usize = 100;

/// Terms of a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchPlan {
    /// First level.
    pub first: u32,
    /// Largest level.
    pub most: u32,
    /// Time between the last join of a level and its measurement.
    pub settle: Duration,
    /// Time for which a level is measured.
    pub hold: Duration,
    /// Largest distance between what held and what broke, as a share of what held.
    pub precision: f64,
    /// Number of times that the result must hold.
    pub repeats: u32,
}

/// Judgement of an interval of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Every threshold held.
    Held,
    /// A threshold was crossed.
    Broken,
    /// Too little was measured.
    Unknown,
    /// The generator limited the result.
    Untrusted,
}

impl Judgement {
    /// Returns whether the level held; `None` if that is not known.
    pub const fn held(self) -> Option<bool> {
        match self {
            Self::Held => Some(true),
            Self::Broken => Some(false),
            Self::Unknown | Self::Untrusted => None,
        }
    }
}

/// A level that was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// Clients.
    pub clients: u32,
    /// Interval that was judged.
    pub measured: Range<Duration>,
    /// Its judgement.
    pub judgement: Judgement,
}

/// Reason why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchEnd {
    /// The capacity lies between what held and what broke.
    Found,
    /// Not even one client held the thresholds.
    NothingHeld,
    /// The largest number allowed held.
    Most,
    /// The generator limited the result.
    Generator,
    /// The levels contradicted each other too often.
    Undecided,
    /// The clients of a level did not come, or left.
    Unreached,
    /// Nothing was measured that a threshold could judge.
    Unmeasured,
    /// The origin did not recover from a broken level.
    Unrecovered,
}

/// Order to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Keep this number of clients.
    Load(u32),
    /// End the run.
    End(SearchEnd),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The clients join; `grew` is when their number last grew, to `active`.
    Joining {
        since: Duration,
        grew: Duration,
        active: u32,
    },
    /// The level stands still and is not yet measured.
    Settling {
        since: Duration,
    },
    /// The level is measured.
    Holding {
        since: Duration,
    },
    /// The origin has this lower load until it keeps its thresholds.
    Recovering {
        since: Duration,
        load: u32,
    },
    Ended(SearchEnd),
}

impl Phase {
    const fn joining(since: Duration) -> Self {
        Self::Joining { since, grew: since, active: 0 }
    }
}

/// A search under way.
#[derive(Clone, Debug)]
pub struct Search {
    plan: SearchPlan,
    phase: Phase,
    /// Level that is measured now or next.
    level: u32,
    levels: Vec<Level>,
}

impl Search {
    /// Creates a search that begins now.
    pub fn new(plan: SearchPlan) -> Self {
        let level = plan.first.clamp(1, plan.most.max(1));
        Self { plan, phase: Phase::joining(Duration::ZERO), level, levels: Vec::new() }
    }

    /// Lowers the largest level: the price of the plan has shown what can be carried, at this time of the run.
    pub fn limit_to(&mut self, most: u32, now: Duration) {
        self.plan.most = self.plan.most.min(most.max(1));
        if self.level > self.plan.most {
            self.level = self.plan.most;
            self.phase = Phase::joining(now);
        }
    }

    /// Returns the levels measured so far, in their order.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// Returns the largest level that held each time it was measured; `None` if none did.
    pub fn held(&self) -> Option<u32> {
        let held = self.levels.iter().filter(|level| level.judgement == Judgement::Held);
        let below = self.broken().unwrap_or(u32::MAX);
        let counts = |clients: &u32| *clients < below && *clients <= self.plan.most;
        held.map(|level| level.clients).filter(counts).max()
    }

    /// Returns the smallest level that broke; `None` if none did.
    pub fn broken(&self) -> Option<u32> {
        let broken = self.levels.iter().filter(|level| level.judgement == Judgement::Broken);
        broken.map(|level| level.clients).min()
    }

    /// Returns the number of clients to have now.
    fn load(&self) -> u32 {
        match self.phase {
            Phase::Recovering { load, .. } => load,
            _ => self.level,
        }
    }

    /// Decides what to do now, with so many clients active. `judge` judges an interval of the run.
    pub fn look(
        &mut self,
        now: Duration,
        active: u32,
        judge: impl Fn(Range<Duration>) -> Judgement,
    ) -> Decision {
        let SearchPlan { settle, hold, .. } = self.plan;
        let waited = |since: Duration| now.saturating_sub(since);
        let last = |time: Duration| now.saturating_sub(time)..now;
        match self.phase {
            Phase::Joining { since, .. } if active >= self.level && waited(since) > Duration::ZERO => {
                self.phase = Phase::Settling { since: now };
            }
            Phase::Joining { since, active: before, .. } if active > before => {
                self.phase = Phase::Joining { since, grew: now, active };
            }
            // Clients that do not come are the origin's doing if it breaks a threshold meanwhile.
            Phase::Joining { grew, .. } if waited(grew) > hold && judge(last(hold)) == Judgement::Broken => {
                self.conclude(last(hold), Judgement::Broken);
            }
            Phase::Joining { grew, .. } if waited(grew) > hold * PATIENCE => self.end(SearchEnd::Unreached),
            Phase::Settling { since } if waited(since) >= settle => {
                self.phase = Phase::Holding { since: now }
            }
            Phase::Holding { since } if waited(since) >= hold / EARLIEST => {
                let judgement = judge(since..now);
                let is_long = waited(since) >= hold * PATIENCE;
                match judgement {
                    // Fewer clients than the level has say nothing about it.
                    Judgement::Held if active < self.level && is_long => self.end(SearchEnd::Unreached),
                    Judgement::Held if active < self.level || waited(since) < hold => {}
                    Judgement::Unknown if !is_long => {}
                    _ => self.conclude(since..now, judgement),
                }
            }
            Phase::Recovering { since, load } if waited(since) >= settle => {
                let is_long = waited(since) > hold * PATIENCE;
                match judge(last(settle)) {
                    Judgement::Held => self.phase = Phase::joining(now),
                    Judgement::Untrusted => self.end(SearchEnd::Generator),
                    _ if load > 1 && waited(since) > hold => {
                        self.phase = Phase::Recovering { since: now, load: load / 2 };
                    }
                    Judgement::Unknown if is_long => self.end(SearchEnd::Unmeasured),
                    _ if is_long => self.end(SearchEnd::Unrecovered),
                    _ => {}
                }
            }
            _ => {}
        }
        match self.phase {
            Phase::Ended(end) => Decision::End(end),
            _ => Decision::Load(self.load()),
        }
    }

    /// Ends the search, because the generator itself was the limit since it makes the load of the level. A level that was
    /// never loaded is not named.
    pub fn distrust(&mut self, interval: Range<Duration>) {
        match self.phase {
            Phase::Joining { .. } | Phase::Settling { .. } | Phase::Holding { .. } => {
                self.conclude(interval, Judgement::Untrusted);
            }
            Phase::Recovering { .. } | Phase::Ended(_) => {}
        }
    }

    fn end(&mut self, end: SearchEnd) {
        self.phase = Phase::Ended(end);
    }

    /// Takes the judgement of the level, and chooses the next one.
    fn conclude(&mut self, measured: Range<Duration>, judgement: Judgement) {
        let (since, load) = (measured.end, (self.level / 2).max(1));
        self.levels.push(Level { clients: self.level, measured, judgement });
        let level = match judgement {
            Judgement::Unknown => return self.end(SearchEnd::Unmeasured),
            Judgement::Untrusted => return self.end(SearchEnd::Generator),
            Judgement::Held | Judgement::Broken => match self.next() {
                Ok(level) => level,
                Err(end) => return self.end(end),
            },
        };
        // A higher level than the one that just held needs no rest before it.
        let rests = judgement == Judgement::Broken || level <= self.level;
        self.phase = if rests { Phase::Recovering { since, load } } else { Phase::joining(since) };
        self.level = level;
    }

    /// Returns the next level, or the end.
    fn next(&self) -> Result<u32, SearchEnd> {
        if self.levels.len() >= LEVELS {
            return Err(SearchEnd::Undecided);
        }
        let (held, broken) = (self.held(), self.broken());
        match (held, broken) {
            (None, None) => Ok(self.plan.first),
            (Some(held), None) if held >= self.plan.most => self.repeated(held, SearchEnd::Most),
            (Some(held), None) => Ok(held.saturating_mul(GROWTH).min(self.plan.most)),
            (None, Some(1)) => Err(SearchEnd::NothingHeld),
            (None, Some(broken)) => Ok(broken / 2),
            (Some(held), Some(broken)) if self.is_near(held, broken) => self.repeated(held, SearchEnd::Found),
            (Some(held), Some(broken)) => Ok(held + (broken - held) / 2),
        }
    }

    /// Reports whether what held and what broke are as near as asked for.
    fn is_near(&self, held: u32, broken: u32) -> bool {
        let distance = f64::from(broken - held);
        distance <= 1.0 || distance <= f64::from(held) * self.plan.precision
    }

    /// Returns the level that must hold again, or the end if it has held often enough.
    fn repeated(&self, held: u32, end: SearchEnd) -> Result<u32, SearchEnd> {
        let times = self.levels.iter().filter(|level| level.clients == held).count();
        if times >= self.plan.repeats as usize { Err(end) } else { Ok(held) }
    }
}

#[cfg(test)]
mod tests;
