//! Architecture rules as tests: imports go only downward, the pure layers stay pure, files and functions stay small.
//!
//! - A module without a layer fails: add a new module to [`LAYERS`].
//! - Only entries in [`TOO_LONG`] and [`CIRCLES`] may break a rule. An entry that has become unnecessary fails: these
//!   lists can only get shorter.

// Marks both files as test code, in which Clippy allows unwrap and panic.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

#[path = "layers/scanner.rs"]
mod scanner;

/// Layers from the bottom up. Modules of one layer do not import each other, except as [`GRANTS`] says.
const LAYERS: [&[&str]; 7] = [
    &["vocabulary", "sync"],
    &["hls", "player", "load", "verdict", "capacity"],
    &["forecast", "local_http", "net", "stats", "pipeline", "generator", "origin_metrics", "run_state"],
    &["sample"],
    &["control"],
    &["swarm", "origin", "tui", "report", "export", "control_api"],
    &["cli", "config", "run", "fuzzing"],
];

/// Imports within a layer that are part of the plan, as (importer, imported).
const GRANTS: [(&str, &str); 6] = [
    ("player", "hls"),
    ("tui", "report"),
    ("control_api", "report"),
    ("config", "cli"),
    ("run", "config"),
    ("run", "cli"),
];

/// Files that wire everything together.
const ROOTS: [&str; 3] = ["lib", "main", "testing"];

/// Index of the highest pure layer. Up to it nothing waits, reads a clock or knows a socket.
const HIGHEST_PURE_LAYER: usize = 1;
/// Paths that the pure layers must not name. Time is an argument there, so that a test plays a day in a millisecond.
const IMPURE: [&[&str]; 4] = [&["tokio"], &["std", "net"], &["Instant", "now"], &["SystemTime", "now"]];

/// The one file of the pure layers that may read clocks: it ties the two clocks of a run together for all others.
const CLOCK: &str = "src/vocabulary/clock.rs";

/// File names that do not describe the content.
const EMPTY_NAMES: [&str; 6] = ["utils", "util", "common", "helpers", "imp", "misc"];

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 70;
/// Exceptions from the limits of length: `src/file.rs` or `src/file.rs: function`. Remove entries, never add any.
const TOO_LONG: [&str; 0] = [];

/// One file of `src`.
#[derive(Clone)]
struct Source {
    /// Path of the file, such as `src/hls/reload.rs`.
    name: String,
    /// Module path, such as `["hls", "reload"]`; `["lib"]` and `["main"]` for the two roots.
    module: Vec<String>,
    text: String,
}

impl Source {
    fn read(path: &Path) -> Self {
        let name = path.to_str().unwrap().replace('\\', "/");
        let text = fs::read_to_string(root().join(path)).unwrap();
        Self { module: module_of(&name), name, text }
    }

    fn top(&self) -> &str {
        &self.module[0]
    }

    /// Returns a line for each fault: the file is in no layer, or imports a path that it must not.
    fn layer_faults(&self) -> Vec<String> {
        if ROOTS.contains(&self.top()) {
            return Vec::new();
        }
        if layer_of(self.top()).is_none() {
            return vec![format!("{}: {}", self.name, unplaced(self.top()))];
        }
        let paths = scanner::paths(&self.text, &self.module);
        paths.iter().filter_map(|path| self.fault_of(path)).collect()
    }

    fn fault_of(&self, path: &scanner::NamedPath) -> Option<String> {
        let impure = || if self.name == CLOCK { None } else { impure_name(self.top(), path) };
        let why = forbidden_import(self.top(), path).or_else(impure)?;
        Some(format!("{}:{}: `{}`: {why}", self.name, path.line, path.segments.join("::")))
    }

    /// Returns the source without the tests at its end.
    fn without_tests(mut self) -> Self {
        let tests = self.text.find("\n#[cfg(test)]\nmod tests {").unwrap_or(self.text.len());
        self.text.truncate(tests);
        self
    }

    fn is_test(&self) -> bool {
        let name = self.module.last().map_or("", String::as_str);
        self.module.iter().any(|part| part == "tests") || name.ends_with("_tests") || name == "fixtures"
    }

    fn too_long(&self) -> Vec<String> {
        let functions = scanner::functions(&self.text).into_iter();
        let long_functions = functions
            .filter(|function| function.lines > FUNCTION_LINES)
            .map(|function| format!("{}: {}", self.name, function.name));
        let long_file = self.text.lines().count() > FILE_LINES;
        long_functions.chain(long_file.then(|| self.name.clone())).collect()
    }
}

/// Returns the reason for which `from` must not import this path, or `None` if it may.
fn forbidden_import(from: &str, path: &scanner::NamedPath) -> Option<String> {
    let [root, to, ..] = path.segments.as_slice() else { return None };
    if root != "crate" || to == from || GRANTS.contains(&(from, to)) {
        return None;
    }
    if to == "*" || to == "self" {
        return Some("hides which modules are meant: name them".to_owned());
    }
    let own = layer_of(from)?;
    let Some(other) = layer_of(to) else { return Some(unplaced(to)) };
    let [own_number, other_number] = [own, other].map(|layer| layer + 1);
    match other.cmp(&own) {
        std::cmp::Ordering::Less => None,
        std::cmp::Ordering::Equal => Some(format!(
            "`{from}` and `{to}` are both in layer {own_number}: modules of one layer do not know each other"
        )),
        std::cmp::Ordering::Greater => Some(format!(
            "`{from}` is in layer {own_number}, `{to}` above it in layer {other_number}: imports go only downward"
        )),
    }
}

/// Returns the reason for which a module of a pure layer must not name this path, or `None` if it may.
fn impure_name(from: &str, path: &scanner::NamedPath) -> Option<String> {
    if layer_of(from)? > HIGHEST_PURE_LAYER {
        return None;
    }
    let segments: Vec<&str> = path.segments.iter().map(String::as_str).collect();
    let impure = IMPURE.iter().any(|name| segments.windows(name.len()).any(|part| part == *name));
    impure.then(|| {
        format!("`{from}` is pure: time is an argument there, sockets and waiting are for the layers above")
    })
}

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

fn unplaced(module: &str) -> String {
    format!("module `{module}` is in no layer: give it its place in LAYERS of tests/layers.rs")
}

/// Returns the module path: `["hls", "reload"]` for `src/hls/reload.rs`, `["hls"]` for `src/hls/mod.rs`.
fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(str::to_owned).collect()
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    collect_sources(Path::new("src"), &mut files);
    files.sort();
    assert!(!files.is_empty(), "there is no source");
    files.iter().map(|file| Source::read(file)).collect()
}

/// Collects the source files below `folder`, relative to the package.
fn collect_sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = folder.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            collect_sources(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn assert_none(faults: &[String], rule: &str) {
    assert!(faults.is_empty(), "{rule}\n{}\n", faults.join("\n"));
}

#[test]
fn imports_go_only_downward_and_the_pure_layers_stay_pure() {
    let faults: Vec<String> = sources().iter().flat_map(Source::layer_faults).collect();
    assert_none(&faults, "layers, see the crate's documentation:");
}

/// Modules above `sample` that must not name the registry. An engine writes it, so `swarm` is not among them.
const WITHOUT_REGISTRY: [&str; 5] = ["control", "tui", "report", "export", "run"];

/// Returns the lines of a module above `sample` that name the registry of the counters.
fn namings_of_the_registry(source: &Source) -> Vec<String> {
    if !WITHOUT_REGISTRY.contains(&source.top()) || source.is_test() {
        return Vec::new();
    }
    let paths = scanner::paths(&source.text, &source.module).into_iter();
    let naming = paths.filter(|path| path.segments.last().is_some_and(|name| name == "Registry"));
    naming.map(|path| format!("{}:{}", source.name, path.line)).collect()
}

#[test]
fn only_sources_read_the_registry_above_stats() {
    let faults: Vec<String> = sources().iter().flat_map(namings_of_the_registry).collect();
    assert_none(&faults, "a reader takes samples, or asks `sample::Sources`:");
}

#[test]
fn every_file_says_first_what_it_is_for() {
    let silent = |source: &Source| !source.text.trim_start().starts_with("//! ");
    let faults: Vec<String> = sources().into_iter().filter(silent).map(|source| source.name).collect();
    assert_none(&faults, "a file begins with `//!` and its duty in one sentence:");
}

#[test]
fn no_file_has_a_name_that_says_nothing() {
    let says_nothing =
        |source: &Source| source.module.iter().any(|name| EMPTY_NAMES.contains(&name.as_str()));
    let faults: Vec<String> = sources().into_iter().filter(says_nothing).map(|source| source.name).collect();
    assert_none(&faults, "a file is named after its duty:");
}

/// Modules that show numbers and derive none.
const READERS: [&str; 3] = ["tui", "report", "export"];

/// Names of counters and sums: a reader that calculates with one derives a number of its own.
const COUNTERS: [&str; 9] =
    ["failed", "finished", "started", "dropped", "offered", "delivered", "ok", "errors", "requests"];

/// Files of readers that still calculate. Remove entries, never add any.
const CALCULATING: [&str; 0] = [];

/// Reports whether a line of code divides one number by another or by a time, or calculates with a counter. A division by a literal
/// only changes the unit.
fn calculates(line: &str) -> bool {
    let by = line.split_once("as f64").and_then(|(_, after)| after.trim_start().strip_prefix("/ "));
    let divides = by.is_some_and(|by| by.starts_with(|c: char| c.is_alphabetic() || c == '(' || c == '*'));
    divides
        || line.contains(" / seconds")
        || COUNTERS.iter().any(|counter| follows_operator(line, counter) || precedes_operator(line, counter))
}

/// Reports whether an arithmetic operator follows a field or a call of this name.
fn follows_operator(line: &str, counter: &str) -> bool {
    line.match_indices(counter).any(|(at, _)| {
        let is_field = line[..at].ends_with('.');
        let after = &line[at + counter.len()..];
        let after = after.strip_prefix("()").unwrap_or(after);
        // ` as f64` changes the type only.
        let after = after.strip_prefix(" as f64").unwrap_or(after);
        let operator = [" + ", " - ", " * ", " / "].iter().any(|operator| after.starts_with(operator));
        is_field && operator
    })
}

/// Reports whether a field or a call of this name stands at the right of an arithmetic operator.
fn precedes_operator(line: &str, counter: &str) -> bool {
    let is_of_a_path = |c: char| c.is_alphanumeric() || "._()[]*".contains(c);
    line.match_indices(counter).any(|(at, _)| {
        let after = &line[at + counter.len()..];
        let is_field =
            line[..at].ends_with('.') && !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        let before = line[..at].trim_end_matches(is_of_a_path);
        // A literal only changes the unit.
        let is_name = !line[before.len()..].starts_with(|c: char| c.is_ascii_digit());
        is_field && is_name && [" + ", " - ", " * ", " / "].iter().any(|operator| before.ends_with(operator))
    })
}

/// Function that divides counters, for the modules that own them.
const SHARE: [&str; 3] = ["crate", "vocabulary", "share"];

/// Returns the lines of a reader that calculate, or import the function that does.
fn calculations(source: &Source) -> Vec<String> {
    // An attribute of one item at the top of a file ends nothing: only the module of the tests at its end does.
    let code = source.clone().without_tests().text;
    let is_code = |line: &str| !line.trim_start().starts_with("//");
    let lines = code.lines().enumerate().filter(|(_, line)| is_code(line) && calculates(line));
    let lines = lines.map(|(number, line)| format!("{}:{}: {}", source.name, number + 1, line.trim()));
    let paths = scanner::paths(&source.text, &source.module).into_iter();
    let shares = paths.filter(|path| path.segments == SHARE);
    lines.chain(shares.map(|path| format!("{}:{}: {}", source.name, path.line, SHARE.join("::")))).collect()
}

#[test]
fn readers_format_numbers_and_derive_none_but_for_a_list_that_only_shrinks() {
    let readers = sources().into_iter().filter(|source| READERS.contains(&source.top()) && !source.is_test());
    let mut unneeded = CALCULATING.to_vec();
    let mut faults = Vec::new();
    for source in readers {
        let found = calculations(&source);
        let is_known = CALCULATING.contains(&source.name.as_str());
        unneeded.retain(|name| *name != source.name || found.is_empty());
        faults.extend(found.into_iter().filter(|_| !is_known));
    }
    assert_none(&faults, "a share, mean or rate has one function, next to its counters:");
    let unneeded: Vec<String> = unneeded.into_iter().map(str::to_owned).collect();
    assert_none(&unneeded, "no longer calculates, take out of CALCULATING:");
}

#[test]
fn functions_and_files_are_short_but_for_a_list_that_only_shrinks() {
    let long: Vec<String> = sources().iter().flat_map(Source::too_long).collect();
    let unexcused: Vec<String> =
        long.iter().filter(|name| !TOO_LONG.contains(&name.as_str())).cloned().collect();
    let rule = format!("longer than {FUNCTION_LINES} lines (function) or {FILE_LINES} lines (file):");
    assert_none(&unexcused, &rule);
    let idle: Vec<String> = TOO_LONG
        .iter()
        .filter(|name| !long.contains(&(**name).to_owned()))
        .map(|name| (*name).to_owned())
        .collect();
    assert_none(&idle, "short by now, take out of TOO_LONG:");
}

/// Import cycles among the files of one top-level module: none of these files can be read alone. Each entry lists its
/// files in the order of their names. Remove entries, never add any.
const CIRCLES: [&str; 0] = [];

/// Returns the files of the same top-level module that each file imports, as indices. The file of an enclosing folder
/// does not count as an import.
fn imports(sources: &[Source]) -> Vec<Vec<usize>> {
    let of = |source: &Source| {
        let paths = scanner::paths(&source.text, &source.module);
        let files = paths.iter().filter_map(|path| {
            let segments = absolute(&path.segments, &source.module)?;
            let is_named = |other: &Source| segments.starts_with(&other.module);
            let named = (0..sources.len()).filter(|place| is_named(&sources[*place]));
            named.max_by_key(|place| sources[*place].module.len())
        });
        let is_beside = |place: &usize| {
            let other = &sources[*place];
            other.top() == source.top()
                && other.name != source.name
                && !source.module.starts_with(&other.module)
        };
        files.filter(is_beside).collect()
    };
    sources.iter().map(of).collect()
}

/// Returns the path below the crate's root, or `None` unless it begins with `crate` or `super`.
fn absolute(segments: &[String], module: &[String]) -> Option<Vec<String>> {
    if let Some(below) = segments.strip_prefix(&["crate".to_owned()]) {
        return Some(below.to_vec());
    }
    let climbs = segments.iter().take_while(|segment| *segment == "super").count();
    let from = module.len().checked_sub(climbs).filter(|_| climbs > 0)?;
    Some([&module[..from], &segments[climbs..]].concat())
}

/// Returns the sets of files that reach each other, each as its names in order.
fn circles(sources: &[Source]) -> Vec<String> {
    let imports = imports(sources);
    let reached = |from: usize| {
        let (mut seen, mut next) = (std::collections::BTreeSet::new(), imports[from].clone());
        while let Some(place) = next.pop() {
            if seen.insert(place) {
                next.extend(&imports[place]);
            }
        }
        seen
    };
    let reached: Vec<_> = (0..sources.len()).map(reached).collect();
    let circle = |place: usize| -> Option<String> {
        let together = reached[place].iter().filter(|other| reached[**other].contains(&place));
        let names: Vec<&str> = together.map(|other| sources[*other].name.as_str()).collect();
        (names.first() == Some(&sources[place].name.as_str())).then(|| names.join(" "))
    };
    (0..sources.len()).filter_map(circle).collect()
}

#[test]
fn no_files_of_a_room_need_each_other_but_for_a_list_that_only_shrinks() {
    // Leave out tests, in files of their own and at the end of others: they import the files that they test.
    let sources = sources().into_iter().filter(|source| !source.is_test());
    let sources: Vec<Source> = sources.map(Source::without_tests).collect();
    let circles = circles(&sources);
    let new: Vec<String> =
        circles.iter().filter(|circle| !CIRCLES.contains(&circle.as_str())).cloned().collect();
    assert_none(&new, "files that need each other:");
    let undone = CIRCLES.iter().filter(|circle| !circles.iter().any(|found| found == *circle));
    let undone: Vec<String> = undone.map(|circle| (*circle).to_owned()).collect();
    assert_none(&undone, "no circle any more, take out of CIRCLES:");
}

/// Types of one name that a top-level module imports from several others, or from others and defines itself, as
/// `module: Name from these`. Remove entries, never add any.
const SHARED_NAMES: [&str; 0] = [];

/// Returns the names of the types that a file defines for others.
fn defined_types(source: &Source) -> Vec<String> {
    let keywords = ["struct ", "enum ", "trait ", "type "];
    let name = |line: &str| {
        let (visibility, rest) = line.split_once(' ')?;
        let is_visible = visibility == "pub" || visibility.starts_with("pub(");
        // `pub(in crate::tui) struct` has a space of its own.
        let rest = rest.split_once(") ").map_or(rest, |(_, rest)| rest);
        let rest = keywords.iter().find_map(|keyword| rest.strip_prefix(keyword)).filter(|_| is_visible)?;
        Some(rest.split(|letter: char| !letter.is_alphanumeric()).next()?.to_owned())
    };
    // Items of a file stand at its left edge; associated types do not.
    source.text.lines().filter_map(name).collect()
}

/// Returns the types of one name that each top-level module imports from several other modules of the crate, or also
/// defines.
fn shared_names(sources: &[Source]) -> Vec<String> {
    let mut origins = std::collections::BTreeMap::<_, std::collections::BTreeSet<String>>::new();
    for source in sources.iter().filter(|source| !ROOTS.contains(&source.top())) {
        for path in scanner::paths(&source.text, &source.module) {
            let Some(below) = absolute(&path.segments, &source.module) else { continue };
            // A type is the first capitalised segment: what follows is a variant or an associated item.
            let of_type = below.iter().position(|segment| segment.starts_with(char::is_uppercase));
            let (Some(place), Some(from)) = (of_type, below.first()) else { continue };
            let is_constant = below[place].chars().all(|letter| !letter.is_lowercase());
            if layer_of(from).is_some() && place > 0 && !is_constant {
                origins.entry((source.top(), below[place].clone())).or_default().insert(from.clone());
            }
        }
    }
    for source in sources {
        for name in defined_types(source) {
            if let Some(from) = origins.get_mut(&(source.top(), name)) {
                from.insert(source.top().to_owned());
            }
        }
    }
    let shared = origins.into_iter().filter(|(_, from)| from.len() > 1);
    let line = |from: std::collections::BTreeSet<String>| from.into_iter().collect::<Vec<_>>().join(", ");
    shared.map(|((top, name), from)| format!("{top}: {name} from {}", line(from))).collect()
}

#[test]
fn a_module_imports_each_name_from_one_place_but_for_a_list_that_only_shrinks() {
    let sources: Vec<Source> = sources().into_iter().filter(|source| !source.is_test()).collect();
    let shared = shared_names(&sources);
    let is_known = |name: &String| SHARED_NAMES.contains(&name.as_str());
    let new: Vec<String> = shared.iter().filter(|name| !is_known(name)).cloned().collect();
    assert_none(&new, "one name, one meaning:");
    let gone = SHARED_NAMES.iter().filter(|name| !shared.iter().any(|found| found == *name));
    let gone: Vec<String> = gone.map(|name| (*name).to_owned()).collect();
    assert_none(&gone, "no longer shared, take out of SHARED_NAMES:");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_two_modules_is_found_and_a_second_path_to_it_is_none() {
        let source = |text: &str| Source {
            name: "src/tui/x.rs".to_owned(),
            module: vec!["tui".to_owned(), "x".to_owned()],
            text: text.to_owned(),
        };
        let twins = [source("use crate::stats::Pipeline;"), source("use crate::pipeline::Pipeline;")];
        assert_eq!(shared_names(&twins), ["tui: Pipeline from pipeline, stats"]);
        let one =
            [source("use crate::stats::Rates; use crate::stats::window::Rates; fn f() { crate::net::MAX; }")];
        assert!(shared_names(&one).is_empty());
        let own = [source("use crate::stats::Pipeline;"), source("pub(crate) struct Pipeline<'a> {\n}")];
        assert_eq!(shared_names(&own), ["tui: Pipeline from stats, tui"]);
        let hidden =
            [source("use crate::stats::Pipeline;"), source("struct Pipeline;\n    pub type Pipeline;")];
        assert!(shared_names(&hidden).is_empty(), "a type of one file, and an associated type");
    }

    #[test]
    fn a_calculation_with_counters_is_found_and_another_unit_is_none() {
        let found = |text: &str| {
            let source = Source {
                name: "src/tui/x.rs".to_owned(),
                module: vec!["tui".to_owned()],
                text: text.to_owned(),
            };
            calculations(&source).len()
        };
        assert_eq!(found("let judged = requests.failed + ended(\"ok\");"), 1);
        assert_eq!(found("let rate = totals.started() as f64 / length;"), 1);
        assert_eq!(found("use crate::vocabulary::{share, units};"), 1);
        assert_eq!(found("let row = (totals.failed, -offset); // failed + ok"), 0);
        assert_eq!(found("let share = errors as f64 / finished as f64;"), 1);
        assert_eq!(found("let seconds = us as f64 / 1e6;"), 0);
        assert_eq!(found("let rate = (seconds > 0.0).then(|| bits / seconds);"), 1);
        assert_eq!(found("let judged = begun + requests.failed;"), 1);
        assert_eq!(found("let rate = a as f64 / (b as f64);"), 1);
        assert_eq!(found("#[cfg(test)]\nuse a;\nfn f() { a as f64 / b; }"), 1);
        assert_eq!(found("let x = 1;\n#[cfg(test)]\nmod tests { let y = a as f64 / b; }"), 0);
    }

    #[test]
    fn a_reader_that_names_the_registry_is_found_and_an_engine_is_none() {
        let found = |name: &str, text: &str| {
            let source = Source { name: name.to_owned(), module: module_of(name), text: text.to_owned() };
            namings_of_the_registry(&source)
        };
        let named =
            found("src/control/x.rs", "use std::time::Duration;\nuse crate::stats::{Meter, Registry};");
        assert_eq!(named, ["src/control/x.rs:2"]);
        assert!(found("src/swarm/x.rs", "use crate::stats::Registry;").is_empty());
        assert!(found("src/tui/fixtures.rs", "use crate::stats::Registry;").is_empty());
    }

    #[test]
    fn a_circle_is_found_and_a_folder_with_its_files_is_none() {
        let source = |name: &str, text: &str| Source {
            name: name.to_owned(),
            module: module_of(name),
            text: text.to_owned(),
        };
        let sources = [
            source("src/net/mod.rs", "mod a; mod b; mod c; pub use a::A;"),
            source("src/net/a.rs", "use super::b::B; pub struct A;"),
            source("src/net/b.rs", "use crate::net::c::C; pub struct B;"),
            source("src/net/c.rs", "use super::a::A; use super::Settings;"),
            source("src/net/d.rs", "use super::a::A; use crate::stats::Meter;"),
        ];
        assert_eq!(circles(&sources), ["src/net/a.rs src/net/b.rs src/net/c.rs"]);
        assert!(circles(&sources[..3]).is_empty());
        let tested =
            source("src/net/c.rs", "struct C;\n\n#[cfg(test)]\nmod tests { use super::super::a::A; }");
        assert_eq!(tested.without_tests().text, "struct C;\n");
    }

    fn faults(name: &str, text: &str) -> Vec<String> {
        Source { name: name.to_owned(), module: module_of(name), text: text.to_owned() }.layer_faults()
    }

    #[test]
    fn an_upward_import_is_found_with_its_file_line_and_reason() {
        let found =
            faults("src/stats/summary.rs", "//! Sums.\n\nuse crate::{vocabulary::units, tui::theme};\n");
        assert_eq!(
            found,
            [
                "src/stats/summary.rs:3: `crate::tui::theme`: `stats` is in layer 3, `tui` above it in layer 6: \
              imports go only downward"
            ]
        );
    }

    #[test]
    fn a_sideways_import_is_found_unless_it_is_granted() {
        assert_eq!(faults("src/net/fetch.rs", "use crate::stats::Meter;").len(), 1);
        assert!(faults("src/player/mod.rs", "use crate::hls::Playlist;").is_empty());
        assert_eq!(faults("src/hls/mod.rs", "use crate::player::Player;").len(), 1);
        assert!(faults("src/run.rs", "use crate::{config::Config, swarm::Swarm, net};").is_empty());
        assert_eq!(faults("src/cli.rs", "use crate::config::Config;").len(), 1);
    }

    #[test]
    fn an_import_over_the_root_is_found_too() {
        assert_eq!(faults("src/vocabulary/kind.rs", "use super::super::net::Fetch;").len(), 1);
        assert_eq!(faults("src/vocabulary/kind.rs", "use crate::*;").len(), 1);
    }

    #[test]
    fn a_word_in_a_comment_or_a_string_is_no_import() {
        assert!(
            faults("src/hls/mod.rs", "//! See crate::tui.\nconst A: &str = \"crate::tui\"; // tokio")
                .is_empty()
        );
    }

    #[test]
    fn a_module_without_a_layer_is_told_to_find_its_place() {
        let found = faults("src/extras/mod.rs", "//! More.");
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("give it its place in LAYERS"), "{found:?}");
        assert_eq!(faults("src/run.rs", "use crate::extras::More;").len(), 1);
    }

    #[test]
    fn a_pure_module_that_reads_a_clock_or_knows_a_socket_is_found() {
        for text in [
            "fn f() { tokio::time::sleep(d); }",
            "use std::{net::TcpStream, time::Duration};",
            "fn f() { let now = std::time::Instant::now(); }",
            "fn f() { SystemTime::now() }",
        ] {
            assert_eq!(faults("src/player/buffer.rs", text).len(), 1, "{text}");
            assert!(faults("src/swarm/client.rs", text).is_empty(), "{text}");
        }
        assert!(faults("src/player/buffer.rs", "use std::time::{Duration, Instant};").is_empty());
    }
}
