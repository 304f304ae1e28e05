//! Number of clients over time: pure arithmetic.

mod arrivals;
mod brake;
mod client_limit;
mod pacer;
mod profile;
mod ramp;
mod reconnects;
mod search;
mod shares;
mod stage;
mod stages;

pub use arrivals::{ArrivalProcess, ArrivalProfile, Arrivals};
pub use brake::{Brake, BrakeAction, CALM_SHARE, STORM_WINDOW, StormNumbers, TurnedAway};
pub use client_limit::{Bound, ClientLimit};
pub use pacer::{Pacer, StartCounts};
pub use profile::LoadProfile;
pub use ramp::{Ramp, RampProfile};
pub use reconnects::Reconnects;
pub use search::{Decision, Judgement, Level, Search, SearchEnd, SearchPlan};
pub use shares::Shares;
pub use stage::{Stage, StageList};
pub use stages::{StageNow, StagesProfile};
