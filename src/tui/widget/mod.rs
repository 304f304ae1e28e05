//! Charts and gauges from plain numbers: no sample, no time, no text but what the caller gives.
//!
//! * Each function draws within `area` and writes nothing outside of it, whatever the size; a part of an area beyond the
//!   buffer is left out.
//! * A value that is not known is a gap and never a zero.
//! * Nothing is allocated per cell.

mod axis;
mod bars;
mod cells;
mod curve;
mod digits;
mod heat;
mod line;
mod map;
mod moments;
mod ribbon;
mod ruler;
mod scale;
mod stack;
mod strip;
#[cfg(test)]
mod tests;
mod waterfall;

pub use axis::TimeAxis;
pub use bars::bars;
pub use curve::{VALUES_A_COLUMN, curve};
pub use digits::{DIGITS_HEIGHT, digits};
pub use heat::{HeatGrid, RAMP_LEGEND, heat, height_line, markers, ramp_legend};
pub use line::{bar, parts, spark};
pub use map::{TROUBLE_LEGEND, map, trouble_legend};
pub use moments::{Labelled, cursor, moments};
pub use ribbon::{ribbon, ticks};
pub use ruler::ruler;
pub use scale::{heights, round_up, round_up_closely, scale};
pub use stack::{Band, stack};
pub use strip::strip;
pub use waterfall::{RequestColumns, waterfall};
