//! Style rules as tests: comments and texts use plain words, and doc comments name their subject.
//!
//! - A doc comment opens with a verb ("Returns", "Counts") or a noun phrase, never with a question word.
//! - Some words make riddles of sentences, or are not the field's own: see [`BANNED`]. Only entries in [`EXCEPTIONS`]
//!   may use one. An entry that has become unnecessary fails: the list can only get shorter.

// Marks this file as test code, in which Clippy allows unwrap and panic.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

/// Words with which no doc comment opens.
const QUESTIONS: [&str; 9] = ["What", "How", "Who", "Whose", "Whether", "Why", "When", "Where", "Which"];

/// Words that neither a comment nor a text may contain.
const BANNED: [&str; 9] =
    ["whoever", "nobody", "somebody", "anew", "for ever", "gave up", "give up", "give_up", "gives up"];

/// Exceptions, as (file, word). Remove entries, never add any.
const EXCEPTIONS: [(&str, &str); 1] = [
    // The user that Unix calls so.
    ("tests/interop/origin.rs", "nobody"),
];

/// Texts that are not source code.
const PAGES: [&str; 13] = [
    "README.md",
    "CHANGELOG.md",
    ".github/CONTRIBUTING.md",
    ".ci/run",
    "Cargo.toml",
    "tests/busy.sh",
    "tests/exact.sh",
    "tests/fuzz.sh",
    "tests/loom.sh",
    "tests/price.sh",
    "tests/soak.sh",
    "tests/trust.sh",
    "tests/tsan.sh",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the paths of all Rust files below a folder, relative to the root.
fn rust_files(folder: &str) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![PathBuf::from(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|extension| extension == "rs") => files.push(path),
                false => {}
            }
        }
    }
    files.sort();
    files
}

/// Returns the sources, without this file, which names the words.
fn sources() -> Vec<(String, String)> {
    let files = rust_files("src").into_iter().chain(rust_files("tests"));
    let named = files.map(|path| path.to_str().unwrap().replace('\\', "/"));
    let named = named.filter(|name| name != "tests/words.rs");
    let read = |name: String| (fs::read_to_string(root().join(&name)).unwrap(), name);
    named.map(read).map(|(text, name)| (name, text)).collect()
}

/// Returns the first line of each doc comment, with its line number.
fn openings(text: &str) -> Vec<(usize, &str)> {
    let docs: Vec<_> = text
        .lines()
        .map(|line| line.trim().strip_prefix("//!").or(line.trim().strip_prefix("///")))
        .collect();
    let before = std::iter::once(None).chain(docs.iter().copied());
    let lines = (1..).zip(docs.iter().copied().zip(before));
    lines
        .filter_map(|(number, (doc, before))| Some((number, doc.filter(|_| before.is_none())?.trim())))
        .collect()
}

/// Reports whether `text` contains `word` as a whole word, ignoring case.
fn contains_word(text: &str, word: &str) -> bool {
    let text = text.to_lowercase();
    let is_part = |next: Option<char>| next.is_some_and(|next| next.is_alphanumeric() || next == '_');
    text.match_indices(word).any(|(at, found)| {
        !is_part(text[..at].chars().next_back()) && !is_part(text[at + found.len()..].chars().next())
    })
}

#[test]
fn doc_comments_open_with_a_verb_or_a_noun() {
    let mut faults = Vec::new();
    let mut checked = 0;
    for (name, text) in sources() {
        for (number, opening) in openings(&text) {
            let first = opening.split(|letter: char| !letter.is_alphabetic()).next().unwrap_or_default();
            if QUESTIONS.contains(&first) {
                faults.push(format!("{name}:{number}: {opening}"));
            }
            checked += 1;
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(checked > 4_000, "only {checked} doc comments were found");
}

#[test]
fn comments_and_texts_use_plain_words() {
    let pages = PAGES.map(|page| (page.to_owned(), fs::read_to_string(root().join(page)).unwrap()));
    let mut unused: Vec<_> = EXCEPTIONS.to_vec();
    let mut faults = Vec::new();
    for (name, text) in sources().into_iter().chain(pages) {
        for (number, line) in (1..).zip(text.lines()) {
            for word in BANNED.into_iter().filter(|word| contains_word(line, word)) {
                let exception = (name.as_str(), word);
                unused.retain(|entry| *entry != exception);
                if !EXCEPTIONS.contains(&exception) {
                    faults.push(format!("{name}:{number}: \"{word}\": {}", line.trim()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(unused.is_empty(), "remove these exceptions: {unused:?}");
}

#[test]
fn the_rules_find_what_they_look_for() {
    let text = "/// What it does.\n/// How it does.\nfn f() {}\n//! Counts.";
    assert_eq!(openings(text), [(1, "What it does."), (4, "Counts.")]);
    assert!(contains_word("Nobody reads", "nobody") && contains_word("for ever.", "for ever"));
    assert!(!contains_word("somebodyelse", "somebody") && !contains_word("gave_up_at", "gave"));
}

#[test]
fn every_file_that_the_page_for_contributors_names_exists() {
    let page = fs::read_to_string(root().join(".github/CONTRIBUTING.md")).unwrap();
    let named: Vec<_> = page.split('`').skip(1).step_by(2).filter(|name| is_path(name)).collect();
    assert!(named.len() > 50, "the page names only {} files", named.len());
    let exists = |name: &&&str| root().join(name).exists() || root().join("src").join(name).exists();
    let missing: Vec<_> = named.iter().filter(|name| !exists(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Reports whether a name in code style is that of a file of this project.
fn is_path(name: &str) -> bool {
    [".rs", ".sh", ".toml", ".md"].iter().any(|ending| name.ends_with(ending))
        && !name.contains([' ', '*', '<'])
}
