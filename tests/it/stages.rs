//! Stages and plan files, with the real program.

use std::process::{Command, Output};
use std::time::Duration;

use hlswarm::testing::origin::{Origin, Settings};
use serde_json::{Value, json};

use crate::program::{Ended, Program};

const LIMIT: Duration = Duration::from_secs(60);

/// Serves a live stream until the returned runtime is dropped.
pub(crate) fn serve() -> (tokio::runtime::Runtime, String) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let settings = Settings { listen: ([127, 0, 0, 1], 0).into(), bitrate: 300_000, ..Settings::default() };
    let origin = runtime.block_on(Origin::bind(settings)).unwrap();
    let url = format!("http://{}/live/ts/master.m3u8", origin.addresses().plain);
    runtime.spawn(origin.run(std::future::pending()));
    (runtime, url)
}

/// Returns the mean number of active clients in each second.
fn clients(run: &Ended) -> Vec<f64> {
    let series = &run.report.value()["series"];
    assert_eq!(series["bin_s"], 1);
    let columns = series["client_ms"].as_object().unwrap().iter();
    let active = columns.filter(|(state, _)| !["finished", "dead"].contains(&state.as_str()));
    let active: Vec<_> = active.map(|(_, column)| column.as_array().unwrap()).collect();
    let seconds = active.first().map_or(0, |column| column.len());
    (0..seconds)
        .map(|at| active.iter().map(|column| column[at].as_f64().unwrap()).sum::<f64>() / 1_000.0)
        .collect()
}

#[test]
fn a_run_follows_its_stages_and_every_report_says_what_was_asked() {
    let (_runtime, url) = serve();
    let stages = ["--stage", "ramp to 20 in 4s, hold 4s", "--stage", "spike +10 for 3s, 4s:0"];
    let run = Program::start(&url, &stages).end_within(LIMIT);
    run.assert_exit_code(0);
    let report = run.report.value();
    assert_eq!(report["run"]["stages"], "ramp to 20 in 4s, hold 4s, spike +10 for 3s, ramp to 0 in 4s");
    assert_eq!([&report["run"]["clients_peak"], &report["run"]["clients_started"]], [30, 30]);
    assert_eq!(report["run"]["duration_asked_s"], 15.0);
    assert!(run.report.number("/run/duration_s") >= 15.0);
    let changes = report["load_changes"].as_array().unwrap();
    let changes: Vec<_> =
        changes.iter().map(|change| json!([change["from"], change["to"], change["by"]])).collect();
    let expected = [[0, 20], [20, 30], [30, 20], [20, 0]].map(|[from, to]| json!([from, to, "plan"]));
    assert_eq!(changes, expected);
    // A machine that is busy may be late for a second; it has whole seconds of each level.
    let clients = clients(&run);
    let place = |level: f64| clients.iter().position(|there| (there - level).abs() <= 0.2);
    let (hold, spike) = (place(20.0).expect("a hold"), place(30.0).expect("a spike"));
    assert!(hold < spike, "{clients:?}");
    assert!(clients[..hold].is_sorted() && clients[spike + 3..].iter().rev().is_sorted(), "{clients:?}");
    let text = run.stdout();
    assert!(text.contains("stages  ramp to 20 in 4s, hold 4s, spike +10 for 3s, ramp to 0 in 4s"), "{text}");
    assert!(run.stderr().contains("hlswarm: plan: up to 30 clients for 15.0 s: "), "{}", run.stderr());
}

fn hlswarm(arguments: &[&str], plan: &str, variables: &[(&str, &str)]) -> (Output, String, String) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    std::fs::write(folder.path().join("plan.toml"), plan).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_hlswarm"))
        .args(arguments)
        .current_dir(folder.path())
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    (output, stdout, stderr)
}

#[test]
fn a_plan_file_is_run_with_the_options_of_the_command_line_on_top() {
    let (_runtime, url) = serve();
    let plan = format!(
        "url = \"{url}\"\nstages = [\"jump to 3\", \"hold 2s\"]\nno-tui = true\nallow-untrusted = true\n\
         report = \"plan.json\"\nseed = 5\n"
    );
    let (output, stdout, stderr) = hlswarm(&["run", "plan.toml", "--report", "-", "--seed", "6"], &plan, &[]);
    // `-` selects no format: the option of the command line has replaced that of the file.
    assert!(stderr.contains("--report -: the extension"), "{stderr}");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stdout, "");
    let (output, stdout, stderr) =
        hlswarm(&["plan.toml", "--seed", "6"], &plan, &[("HLSWARM_PLAYER", "patient")]);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stdout.contains("load    3 clients (target 3, 3 started), peak of 3 planned"), "{stdout}");
    assert!(
        stdout.contains("seed 6") && stderr.contains("hlswarm: stages: jump to 3, hold 2s"),
        "{stdout}{stderr}"
    );
}

#[test]
fn a_printed_plan_is_a_plan_file_and_sends_nothing() {
    let plan = "url = \"http://127.0.0.1:1/a.m3u8\"\nstages = \"30s:400, spike +400 for 30s\"\n";
    let (output, printed, stderr) = hlswarm(&["run", "plan.toml", "--print-plan"], plan, &[]);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(printed.contains("# 800 |                              ####"), "{printed}");
    let (_, again, stderr) = hlswarm(&["run", "plan.toml", "--print-plan"], &printed, &[]);
    assert_eq!(again, printed, "{stderr}");
}

#[test]
fn a_wrong_plan_file_is_one_line() {
    for (plan, arguments, expected) in [
        (
            "clinets = 5",
            &["plan.toml"][..],
            "hlswarm: plan.toml: unknown key clinets; did you mean clients?\n",
        ),
        ("clients = 5", &["run", "none.toml"], "hlswarm: none.toml: No such file"),
        (
            "url = \"http://h/a\"\nstages = [\"down in 5s\"]",
            &["plan.toml", "--no-tui"],
            "hlswarm: --stage: 'down in 5s': it begins with 0 clients; expected fewer at its end\n",
        ),
        ("url = \"http://h/a\"\nstages = [\"rise\"]", &["plan", "plan.toml"], "or 2m:500 (from plan.toml)\n"),
    ] {
        let (output, _, stderr) = hlswarm(arguments, plan, &[]);
        assert!(stderr.contains(expected) && stderr.lines().count() == 1, "{stderr}");
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn the_price_of_stages_is_that_of_their_peak() {
    let (_runtime, url) = serve();
    let plan = format!("url = \"{url}\"\nstages = [\"jump to 40\", \"hold 20s\", \"down in 20s\"]\n");
    let (output, stdout, stderr) = hlswarm(&["plan", "plan.toml", "--json"], &plan, &[]);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let page: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&page["plan"]["clients"], &page["plan"]["length_s"]), (&json!(40), &json!(40.0)));
    assert_eq!(page["run"]["clients_started"], 1);
    let (_, text, stderr) = hlswarm(&["plan", "plan.toml"], &plan, &[]);
    assert!(text.contains("stages  jump to 40, hold 20s, down in 20s"), "{text}{stderr}");
}
