//! The brake, and players that honour `Retry-After`, with the real program.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hlswarm::testing::origin::{Origin, Settings};
use serde_json::Value;

use crate::program::{Ended, Program};
use crate::scripted::{Answer, Scripted};

const LIMIT: Duration = Duration::from_secs(150);

/// Serves a live stream that turns every request away for its first 36 seconds, until the returned runtime is dropped.
fn serve() -> (tokio::runtime::Runtime, String) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let settings = Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        bitrate: 300_000,
        faults: vec!["any:503@0s+36s".parse().unwrap()],
        ..Settings::default()
    };
    let origin = runtime.block_on(Origin::bind(settings)).unwrap();
    let url = format!("http://{}/live/ts/master.m3u8", origin.addresses().plain);
    runtime.spawn(origin.run(std::future::pending()));
    (runtime, url)
}

/// Returns what was changed, by whom and when, without the target of the plan.
fn changes(run: &Ended) -> Vec<(String, String, f64)> {
    let changes = run.report.value()["load_changes"].as_array().unwrap().iter().skip(1);
    let text = |change: &Value, field: &str| change[field].as_str().unwrap().to_owned();
    changes.map(|at| (text(at, "change"), text(at, "by"), at["at_s"].as_f64().unwrap())).collect()
}

#[test]
fn a_storm_holds_the_ramp_until_it_is_over_and_every_output_says_so() {
    let (_runtime, url) = serve();
    // Persistent clients never leave, so that all that were started are those of the ramp.
    let options = ["-c", "300", "--ramp-rate", "2", "--player", "persistent", "--seed", "1"];
    let start = |more: &[&str]| Program::start(&url, &[&options, more].concat());
    let [braked, free] = [start(&["-d", "60s"]), start(&["-d", "45s", "--no-brake"])];
    let [braked, free] = [braked, free].map(|run| run.end_within(LIMIT));

    let said = changes(&braked);
    let [(hold, by, held_at), (resume, resumed_by, resumed_at)] = &said[..] else { panic!("{said:?}") };
    assert_eq!([hold, by, resume, resumed_by], ["hold", "brake", "resume", "brake"]);
    let held_for = resumed_at - held_at;
    assert!(held_for > 0.0, "{said:?}");
    // The ramp never starts more than its rate, and nothing while it is held.
    let started = braked.report.number("/run/clients_started");
    let most = 2.0 * (braked.report.number("/run/duration_s") - held_for) + 2.0;
    assert!((2.0..=most).contains(&started), "{started} clients, at most {most}: {said:?}");
    let text = braked.stdout();
    assert!(text.contains("brake   held the ramp during a storm of 429 and 503: 00:00:"), "{text}");
    let reasons = braked.report.text("/exit/reasons");
    assert!(reasons.contains("; the brake held the ramp"), "{reasons}");
    let progress = braked.stderr();
    for expected in [
        "hlswarm: brake: ramp held at ",
        " of requests over 30 s ended with 429 or 503; it resumes when at most 10% of requests over 10 s do; --no-brake turns this off",
        "HELD by the brake clients ",
        "hlswarm: brake: the storm is over, the ramp resumes at ",
    ] {
        assert!(progress.contains(expected), "{expected}: {progress}");
    }

    assert_eq!(changes(&free), []);
    let outputs: String = free.outputs().map(|(_, text)| text).collect();
    assert!(!outputs.contains("held the ramp") && !outputs.contains("HOLD"), "{outputs}");
}

#[test]
fn a_patient_player_waits_as_long_as_it_is_asked_and_others_do_not() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let origin = Scripted::start(move |path| {
        log.lock().unwrap().push((path.to_owned(), Instant::now()));
        // The name of the playlist is the wait that its failure asks for.
        let wait = path.trim_start_matches('/').split('.').next().unwrap();
        Answer::whole("503 X", "text/plain", b"no").with(&format!("Retry-After: {wait}"))
    });
    let start = |player: &str, wait: &str| {
        let options = ["-c", "1", "-d", "7s", "--skip-preflight", "--player", player];
        Program::start(&origin.url(&format!("/{wait}.{player}.m3u8")), &options)
    };
    let runs = [("patient", "3"), ("patient", "3600"), ("patient", "abc"), ("web", "3")];
    let ended = runs.map(|(player, wait)| start(player, wait)).map(|run| run.end_within(LIMIT));
    let honoured: Vec<_> =
        ended.iter().map(|run| run.report.count("/playback/retry_after_honoured")).collect();
    let asked = asked.lock().unwrap();
    let times = |name: &str| -> Vec<_> {
        asked.iter().filter(|(path, _)| *path == format!("/{name}.m3u8")).map(|(_, at)| *at).collect()
    };
    let patient = times("3.patient");
    assert!(patient.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_secs(3)), "{patient:?}");
    assert!((2..=3).contains(&patient.len()), "{patient:?}");
    assert_eq!(times("3600.patient").len(), 1, "a minute is longer than the run");
    assert!(times("abc.patient").len() > 3, "its own waits apply");
    assert_eq!(honoured, [patient.len() as u64, 1, 0, 0]);
    assert!(times("3.web").len() > 2, "{:?}", times("3.web"));
    let text = ended[0].stdout();
    assert!(text.contains(&format!("honoured Retry-After {} times", patient.len())), "{text}");
}
