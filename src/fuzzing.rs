//! Entry points for fuzzing: one for each place where hlswarm reads bytes from outside.
//!
//! * An entry point takes any bytes and panics if the code that reads them breaks a promise of its module.
//! * This module exists only in builds for fuzzing (`tests/fuzz.sh`) and for tests. The tests below pass all seeds to
//!   all entry points: so a target cannot stop compiling unnoticed, and an input that fuzzing has found stays tested
//!   once it is a seed.

pub use crate::control_api::fuzzing::control;
pub use crate::export::fuzzing::scrape;
pub use crate::hls::fuzzing::reloads;
pub use crate::net::fuzzing::{body, headers, http1, http2, proxy, scope};
pub use crate::origin::fuzzing::origin;
pub use crate::origin_metrics::fuzzing::metrics;
pub use crate::report::check::fuzzing::playlist;
pub use crate::sample::fuzzing::record;
pub use crate::swarm::fuzzing::answer;
pub use crate::tui::fuzzing::keys;
pub use crate::vocabulary::fuzzing::secrets;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    /// Parts into which a seed is cut: its beginnings are inputs too.
    const CUTS: usize = 16;

    type Target = fn(&[u8]);

    /// All entry points, by the name of their fuzz target.
    const TARGETS: [(&str, Target); 16] = [
        ("answer", answer),
        ("body", body),
        ("control", control),
        ("headers", headers),
        ("http1", http1),
        ("http2", http2),
        ("keys", keys),
        ("metrics", metrics),
        ("origin", origin),
        ("playlist", playlist),
        ("proxy", proxy),
        ("record", record),
        ("reloads", reloads),
        ("scope", scope),
        ("scrape", scrape),
        ("secrets", secrets),
    ];

    fn folder(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
        let mut files: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
        files.sort();
        files
    }

    #[test]
    fn every_entry_point_is_a_fuzz_target_and_every_target_has_an_entry_point() {
        let manifest = std::fs::read_to_string(folder("fuzz/Cargo.toml")).expect("readable");
        let stems = |path: &str| -> BTreeSet<_> {
            files(&folder(path)).iter().map(|file| file.file_stem().expect("a name").to_owned()).collect()
        };
        let names: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).into()).collect();
        assert_eq!(stems("fuzz/fuzz_targets"), names);
        assert_eq!(stems("fuzz/seeds"), names);
        for (name, _) in TARGETS {
            let source =
                std::fs::read_to_string(folder(&format!("fuzz/fuzz_targets/{name}.rs"))).expect(name);
            assert!(source.contains(&format!("hlswarm::fuzzing::{name}(data)")), "{name}");
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        }
    }

    #[test]
    fn every_seed_and_its_beginnings_keep_the_promises() {
        let playlists = files(&folder("data"));
        for (name, target) in TARGETS {
            let mut seeds = files(&folder(&format!("fuzz/seeds/{name}")));
            assert!(!seeds.is_empty(), "{name} has no seed");
            seeds.extend(playlists.iter().filter(|_| matches!(name, "playlist" | "reloads")).cloned());
            for seed in seeds {
                let bytes = std::fs::read(&seed).expect("readable");
                (0..=CUTS).for_each(|part| target(&bytes[..bytes.len() * part / CUTS]));
            }
        }
    }
}
