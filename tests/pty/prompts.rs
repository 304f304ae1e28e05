//! Prompts and keys: a typed target, a mark with its note, a held ramp, a read-only console, and a saved screen.

use crate::terminal::Terminal;

#[test]
fn a_typed_target_is_reached_and_every_change_and_mark_is_in_the_report() {
    let mut terminal = Terminal::demo(&[]);
    terminal.wait_for("RUNNING");
    terminal.press("c25\r");
    terminal.wait_for("25 of 25 clients");
    terminal.press("p");
    terminal.wait_for("HOLD");
    terminal.press("c40\r");
    terminal.wait_for("25 of 40 clients");
    terminal.press("p");
    terminal.wait_for("40 of 40 clients");
    terminal.press("mcache warmed\r");
    terminal.wait_for("marked 00:00:");
    let ended = terminal.quit();
    ended.assert_good_end(0);
    let changes: Vec<String> = ended.report["load_changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            let word = |name: &str| change[name].as_str().unwrap().to_owned();
            format!("{} {} -> {} by {}", word("change"), change["from"], change["to"], word("by"))
        })
        .collect();
    assert_eq!(
        changes,
        [
            "target 0 -> 5 by plan",
            "target 5 -> 25 by operator",
            "hold 25 -> 25 by operator",
            "target 25 -> 40 by operator",
            "resume 40 -> 40 by operator",
        ]
    );
    assert_eq!(ended.report["marks"][0]["note"], "cache warmed");
    assert!(ended.printed().contains("cache warmed"), "{}", ended.printed());
}

#[test]
fn a_console_that_only_reads_leaves_the_load_alone() {
    let mut terminal = Terminal::demo(&["--read-only", "-d", "5s"]);
    terminal.wait_for("RUNNING");
    terminal.press("+++qQ");
    terminal.wait_for("--read-only");
    let ended = terminal.end();
    ended.assert_good_end(0);
    assert_eq!(ended.report["run"]["clients_peak"], 5);
    assert!(ended.report["run"]["duration_s"].as_f64().unwrap() >= 5.0);
}

#[test]
fn a_picture_is_written_as_text_and_as_svg() {
    let mut terminal = Terminal::demo(&[]);
    terminal.wait_for("RUNNING");
    terminal.press("w");
    terminal.wait_for("written: hlswarm-");
    let [svg, text] = ["svg", "txt"].map(|ending| terminal.written(ending));
    assert!(svg.starts_with("<svg ") && svg.contains("RUNNING") && svg.trim_end().ends_with("</svg>"));
    assert!(text.lines().count() == 24 && text.contains("[1 Overview]"), "{text}");
    terminal.quit().assert_good_end(0);
}

/// Returns the pages in the folder of a program, by name.
fn pages(terminal: &Terminal) -> Vec<(String, String)> {
    let mut files = terminal.files();
    files.retain(|(name, _)| name.ends_with(".html"));
    files.sort();
    files
}

#[test]
fn e_writes_the_report_as_a_page_while_the_run_goes_on_and_after_it() {
    let mut terminal = Terminal::demo(&[]);
    terminal.wait_for("RUNNING");
    terminal.press("e");
    terminal.wait_for("written: hlswarm-");
    let so_far = pages(&terminal);
    let [(_, page)] = &so_far[..] else { panic!("one page: {}", so_far.len()) };
    assert!(page.contains("interim report: the run goes on") && page.trim_end().ends_with("</html>"));
    terminal.press("q");
    terminal.wait_for("the run has ended");
    terminal.press("e");
    terminal.wait_until("another page", |_| pages(&terminal).len() == 2);
    terminal.wait_for(".html");
    let pages = pages(&terminal);
    assert!(so_far.iter().all(|page| pages.contains(page)), "the first page is as it was");
    let ended = pages.iter().find(|page| !so_far.contains(page)).unwrap();
    assert!(!ended.1.contains("interim report") && ended.1.trim_end().ends_with("</html>"));
    // The clock of the run stands still, so this page has the same time in its name.
    terminal.press("e");
    terminal.wait_until("a third page", |_| self::pages(&terminal).len() == 3);
    let again = self::pages(&terminal);
    assert!(pages.iter().all(|page| again.contains(page)), "the pages before are as they were");
    terminal.press("w");
    terminal.wait_for("-card.svg");
    let files = terminal.files();
    let cards: Vec<_> = files.iter().filter(|(name, _)| name.ends_with("-card.svg")).collect();
    assert!(cards.len() == 1 && cards[0].1.contains("<svg "), "{}", cards.len());
    terminal.press("q");
    terminal.end().assert_good_end(0);
}
