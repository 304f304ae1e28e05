//! The catalogue: every metric that hlswarm exports.

use super::exposition::{Exposition, Format};
use super::families::{clients, generator, playback, requests, run};
use super::family::Family;
use super::scrape::Scrape;

/// The lines of the catalogue.
pub(super) fn families() -> impl Iterator<Item = &'static Family> {
    [run::TABLE, clients::TABLE, requests::TABLE, playback::TABLE, generator::TABLE].into_iter().flatten()
}

/// Writes the numbers of a scrape.
pub(super) fn render(scrape: &Scrape<'_>, format: Format) -> String {
    let mut exposition = Exposition::new(format);
    for family in families() {
        exposition.begin(family.name, family.sort, family.help);
        (family.write)(scrape, &mut exposition);
    }
    exposition.finish()
}
