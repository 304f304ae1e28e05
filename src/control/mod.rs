//! Control of the load: a controller follows the plan and the operator, and drives an [`Engine`].

#[cfg(test)]
mod arrivals_tests;
#[cfg(test)]
mod brake_tests;
mod capacity_search;
mod controller;
mod ending;
mod engine;
mod first_client;
mod hard_stops;
mod open_load;
mod plan;
mod plan_clock;
#[cfg(test)]
mod price_tests;
mod pricing;
#[cfg(test)]
pub(crate) mod scene;
#[cfg(test)]
mod stages_tests;
#[cfg(test)]
mod threshold_tests;

pub use capacity_search::{CapacitySearch, MeasuredLevel, Searched};
pub use controller::Controller;
pub use ending::{Ending, RefusedBy};
pub use engine::Engine;
pub use first_client::Ahead;
pub use plan::Plan;
pub use pricing::{OnShortage, Pricing};
