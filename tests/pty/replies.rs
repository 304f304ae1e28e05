//! Replies that a terminal sends unasked are not keys: the load stays the same and the run continues.

use std::thread;
use std::time::Duration;

use crate::terminal::Terminal;

/// Replies that contain the bytes of keys: `+` adds clients, `q` ends the run, digits change the screen.
const REPLIES: [&str; 7] = [
    "\x1b]11;rgb:+q+q/2222/Q999\x1b\\",
    "\x1b]52;c;Kytxcw==+q\x07",
    "\x1bP>|terminal q+Q(390)\x1b\\",
    "\x1b_Gi=31;OK+q\x1b\\",
    "\x1b^+q\x1b\\",
    "\x1bX+q\x1b\\",
    "\x1b[?64;1;2;6;9;15;16;17;18;21;22;28c",
];

#[test]
fn what_a_terminal_sends_unasked_changes_nothing_in_whatever_pieces_it_comes() {
    let mut terminal = Terminal::demo(&[]);
    terminal.wait_for("RUNNING");
    for reply in REPLIES {
        terminal.press(reply);
        for piece in reply.as_bytes().chunks(3) {
            terminal.press(std::str::from_utf8(piece).unwrap());
            // Longer than the program waits for the rest after an Escape.
            thread::sleep(Duration::from_millis(40));
        }
    }
    terminal.press("\x1b[200~+++q\x1b[201~");
    let ended = terminal.quit();
    ended.assert_good_end(0);
    assert_eq!(ended.report["run"]["clients_target"], 5);
    assert_eq!(ended.report["load_changes"].as_array().unwrap().len(), 1, "the plan's");
}
