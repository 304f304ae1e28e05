//! Stages, with the real program.

use std::time::Duration;

use hlswarm::testing::origin::{Origin, Settings};
use serde_json::json;

use crate::program::{Ended, Program};

const LIMIT: Duration = Duration::from_secs(60);

/// Serves a live stream until the returned runtime is dropped.
fn serve() -> (tokio::runtime::Runtime, String) {
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
