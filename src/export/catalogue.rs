//! The catalogue: every metric that hlswarm exports.

use super::exposition::{Exposition, Format};
use super::families::{clients, generator, playback, requests, run};
use super::family::Family;
use super::scrape::Scrape;
use super::series::Series;

/// The lines of the catalogue.
pub(super) fn families() -> impl Iterator<Item = &'static Family> {
    [run::TABLE, clients::TABLE, requests::TABLE, playback::TABLE, generator::TABLE].into_iter().flatten()
}

/// Gives the numbers of a scrape to `out`, one family after the other.
pub(super) fn give(scrape: &Scrape<'_>, out: &mut dyn Series) {
    for family in families() {
        out.begin(family.name, family.sort, family.help);
        (family.write)(scrape, out);
    }
}

/// Writes the numbers of a scrape as text.
pub(super) fn render(scrape: &Scrape<'_>, format: Format) -> String {
    let mut exposition = Exposition::new(format);
    give(scrape, &mut exposition);
    exposition.finish()
}
