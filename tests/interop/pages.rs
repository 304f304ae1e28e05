//! Manual pages and completions: the programs that read them find nothing wrong with them.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::requirements;

/// Returns what `hlswarm` prints.
fn printed(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_hlswarm")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns what `program` prints on both streams when it reads `text`; `None` if it is not installed.
fn read_by(program: &str, arguments: &[&str], text: &str) -> Option<(String, String)> {
    let Some(path) = requirements::optional(program) else {
        requirements::skip(program);
        return None;
    };
    let mut command = Command::new(path);
    command.args(arguments).env("MANWIDTH", "80").env("LC_ALL", "C.UTF-8");
    let streams = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = streams.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success(), "{program} {arguments:?}: {stderr}");
    Some((stdout, stderr))
}

/// Returns the program's own page and those of its commands, which it lists.
fn pages() -> Vec<String> {
    let own = printed(&["man"]);
    let named = own.lines().filter_map(|line| line.strip_prefix("hlswarm\\-")?.strip_suffix("(1)"));
    let pages: Vec<_> = named.map(|command| printed(&["man", command])).collect();
    assert!(pages.len() >= 13, "{}", pages.len());
    [vec![own], pages].concat()
}

#[test]
fn manual_pages_are_set_without_a_warning() {
    for page in pages() {
        if let Some((_, warnings)) = read_by("groff", &["-man", "-ww", "-z", "-Tutf8"], &page) {
            assert_eq!(warnings, "", "{page}");
        }
        if let Some((text, warnings)) = read_by("man", &["--warnings", "-l", "-"], &page) {
            assert_eq!(warnings, "");
            assert!(text.contains("SYNOPSIS") && text.contains("SEE ALSO"), "{text}");
            let wide =
                text.lines().filter(|line| !line.contains("://")).find(|line| line.chars().count() > 80);
            assert_eq!(wide, None);
        }
        if let Some((problems, _)) = read_by("mandoc", &["-Tlint", "-Werror"], &page) {
            assert_eq!(problems, "", "{page}");
        }
    }
}

#[test]
fn shells_read_the_completions() {
    for (shell, arguments) in [("bash", ["-n"]), ("zsh", ["-n"]), ("fish", ["--no-execute"])] {
        let script = printed(&["completions", shell]);
        if let Some((_, errors)) = read_by(shell, &arguments, &script) {
            assert_eq!(errors, "", "{shell}");
        }
    }
    // The words that bash offers where an option of `run` begins.
    let complete = "\nCOMP_WORDS=(hlswarm run --ramp) COMP_CWORD=2\n_hlswarm hlswarm --ramp run\necho \"${COMPREPLY[*]}\"\n";
    let script = printed(&["completions", "bash"]) + complete;
    if let Some((offered, _)) = read_by("bash", &["-s"], &script) {
        assert_eq!(offered.trim(), "--ramp-rate --ramp-time --ramp-jitter");
    }
}
