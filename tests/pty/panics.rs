//! A panic that is caught, such as a client's, leaves the screen alone and is reported afterwards.
//!
//! The program has no key that makes it panic. So this test starts itself on a terminal as a second process, which
//! runs the real console beside a task that panics.

use std::sync::Arc;
use std::time::Duration;

use hlswarm::testing::sample::RunSample;
use hlswarm::testing::tui::{Access, Charset, Console, Palette, Setup, Theme, Title};
use hlswarm::testing::vocabulary::{OnHangup, RunIdentity};
use portable_pty::CommandBuilder;
use tokio::sync::watch;

use crate::terminal::Terminal;

const CHILD: &str = "HLSWARM_PTY_TEST_CHILD";
const SHOWN: &str = "a stream beside a panic";

#[test]
fn a_panic_of_a_client_task_leaves_the_screen_alone_and_is_told_afterwards() {
    if std::env::var_os(CHILD).is_some() {
        return console_beside_a_panic();
    }
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["--exact", "--nocapture"]);
    command.arg("panics::a_panic_of_a_client_task_leaves_the_screen_alone_and_is_told_afterwards");
    command.env(CHILD, "1");
    let ended = Terminal::start_plain(command).end();
    ended.assert_restored();
    assert_eq!(ended.exit_code, 0, "{}", ended.bytes);
    let (screen, told) = ended.bytes.split_once(ended.printed()).unwrap();
    assert!(screen.contains(SHOWN) && !screen.contains("panicked"), "{screen}");
    assert!(told.is_empty() && ended.printed().contains("kept: 1"), "{}", ended.printed());
}

fn console_beside_a_panic() {
    let (_frames, receiver) = watch::channel(Arc::new(RunSample::default()));
    let (commands, _taken) = flume::bounded(8);
    let (_reports, report) = watch::channel(None);
    let (documents, _requests) = flume::bounded(1);
    let setup = Setup {
        samples: receiver,
        report,
        commands,
        documents,
        title: Title {
            identity: RunIdentity { target: SHOWN.to_owned(), ..RunIdentity::default() },
            ..Title::default()
        },
        theme: Theme { palette: Palette::Ansi, charset: Charset::Unicode },
        access: Access::Full,
        on_hangup: OnHangup::Stop,
        selected: Arc::default(),
        replay: Arc::default(),
    };
    let console = Console::start(setup).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let panicked = runtime.block_on(async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let panicked = tokio::spawn(async { panic!("of a client") }).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        panicked
    });
    let messages = console.stop();
    assert!(panicked.is_err());
    // The screen has gone by now. The parent process reads this line.
    println!("kept: {}", messages.len());
}
