//! The lines of the catalogue, by topic.

pub(super) mod clients;
pub(super) mod generator;
pub(super) mod playback;
pub(super) mod requests;
pub(super) mod run;
