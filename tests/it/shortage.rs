//! A machine that cannot carry its clients: the run reports this and does not blame the origin.

use std::process::{Command, Stdio};

use crate::scripted::{Answer, Scripted};

/// Files that the program may open: enough for one connection of each client, which preflight counts, but not for
/// two.
const FILES: u32 = 200;
const CLIENTS: u32 = 130;

#[test]
fn a_machine_without_files_limits_the_result_and_the_origin_is_not_blamed() {
    // The playlist is live, so that nothing ends. Its segments are on another host, so that each client needs a
    // second connection.
    let origin = Scripted::start_with(|asked| {
        if asked.path != "/live.m3u8" {
            return Answer::segment();
        }
        let port = asked.header("host").unwrap().rsplit(':').next().unwrap().to_owned();
        let segment = |name| format!("#EXTINF:2,\nhttp://other.example:{port}/{name}.ts\n");
        Answer::playlist(&format!(
            "#EXTM3U\n#EXT-X-TARGETDURATION:2\n{}{}{}",
            segment("a"),
            segment("b"),
            segment("c")
        ))
    });
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let [report, record] = ["report.json", "record.ndjson"].map(|name| folder.path().join(name));
    let status = Command::new("sh")
        .args([
            "-c",
            &format!("ulimit -n {FILES} && exec \"$0\" \"$@\""),
            env!("CARGO_BIN_EXE_hlswarm"),
            "run",
        ])
        .arg(origin.url("/live.m3u8"))
        .args(["--no-tui", "-c", &CLIENTS.to_string(), "--ramp-time", "1s", "-d", "6s"])
        // Preflight sees from the first client that each needs two connections, and would refuse the load.
        .arg("--skip-preflight")
        .args(["--resolve", &format!("other.example:{}:127.0.0.1", origin.port()), "--report"])
        .arg(&report)
        .arg("--record")
        .arg(&record)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    // Exit code 4 and all reasons blame this machine; the origin's verdict stays good.
    assert_eq!(status.code(), Some(4), "{}", report["exit"]);
    assert!(report["outcomes"]["local.fd"].as_u64() > Some(0), "{}", report["outcomes"]);
    let reasons = report["exit"]["reasons"].to_string();
    assert!(reasons.contains("this machine ran out of file descriptors"), "{reasons}");
    assert!(!reasons.contains("fewer than half"), "{reasons}");
    assert_eq!(report["trust"]["verdict"], "INVALID");
    let evidence = report["trust"]["reasons"].as_array().unwrap();
    let refused =
        evidence.iter().find(|reason| reason["gauge"] == "files_refused").expect("files were refused");
    assert!(refused["worst"].as_f64() >= Some(1.0), "{refused}");
    assert!(refused["advice"].as_str().unwrap().contains("ulimit -n) from 200 to "), "{refused}");
    assert_eq!(report["health"]["verdict"], "OK", "{}", report["health"]);
    assert_eq!(report["health"]["knee_errors"], serde_json::Value::Null);
    let record = std::fs::read_to_string(&record).unwrap();
    assert!(record.contains("\"outcome\":\"local.fd\""), "no event tells of it");
    assert_eq!(report["playback"]["gave_up"], 0, "no viewer leaves for what this machine lacks");
}
