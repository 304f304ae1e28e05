//! Effect of NO_COLOR: it removes colours and keeps attributes.

use portable_pty::CommandBuilder;

use crate::terminal::Terminal;

const LOAD: [&str; 6] = ["demo", "--healthy", "-c", "3", "--ramp-time", "0"];

/// Returns the parameters of every "select graphic rendition" sequence in the output.
fn renditions(bytes: &str) -> Vec<u16> {
    let sequences = bytes.split("\x1b[").skip(1);
    let parameters = sequences.filter_map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
        rest[end..].starts_with('m').then(|| &rest[..end])
    });
    parameters.flat_map(|list| list.split(';')).filter_map(|number| number.parse().ok()).collect()
}

fn run(no_color: bool) -> Vec<u16> {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_hlswarm"));
    command.env_remove("NO_COLOR");
    if no_color {
        command.env("NO_COLOR", "1");
    }
    let terminal = Terminal::start(command, &LOAD);
    // In a healthy run only the verdict has a colour.
    terminal.wait_for("OK");
    let ended = terminal.quit();
    ended.assert_good_end(0);
    renditions(&ended.bytes)
}

#[test]
fn no_color_leaves_attributes_and_takes_every_colour() {
    let is_colour = |number: &u16| matches!(number, 30..=38 | 40..=48 | 90..=97 | 100..=107);
    let (with, without) = (run(false), run(true));
    assert!(with.iter().any(is_colour), "no colour to take away: {with:?}");
    assert!(!without.iter().any(is_colour), "{without:?}");
    assert!(without.contains(&1) || without.contains(&2), "bold and dim are no colours: {without:?}");
}
