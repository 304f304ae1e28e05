//! Targets with weights, a mix of players and data of each client, with the real program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::scripted::{Answer, Asked, Scripted};

const LIST: &str = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\ns1.ts\n#EXTINF:1,\ns2.ts\n#EXT-X-ENDLIST\n";

/// Runs a plan file beside these data. Returns the exit code, the JSON report, and what was printed.
fn run(plan: &str, data: &str, arguments: &[&str]) -> (Option<i32>, Value, String, String) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    fs::write(folder.path().join("plan.toml"), plan).unwrap();
    fs::write(folder.path().join("clients.csv"), data).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_hlswarm"))
        .args(["run", "plan.toml"])
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let report = fs::read_to_string(folder.path().join("report.json")).unwrap_or_default();
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    (output.status.code(), serde_json::from_str(&report).unwrap_or_default(), stdout, stderr)
}

/// Requests of a client, by its token: paths and headers.
type Seen = Arc<Mutex<BTreeMap<String, BTreeSet<(String, String)>>>>;

/// Serves the stream under any path, and records each request for a playlist or a segment.
fn origin(seen: &Seen) -> Scripted {
    let seen = Arc::clone(seen);
    Scripted::start_with(move |asked: &Asked| {
        let token = asked.header("x-token").unwrap_or_default();
        let player = asked.header("user-agent").unwrap_or_default();
        seen.lock().unwrap().entry(token).or_default().insert((asked.path.clone(), player));
        if asked.path.contains(".m3u8") { Answer::playlist(LIST) } else { Answer::segment() }
    })
}

#[test]
fn a_plan_runs_as_written_each_client_with_its_own_token_and_targets_and_players_by_their_shares() {
    let seen = Seen::default();
    let origin = origin(&seen);
    let plan = format!(
        "stages = [\"ramp to 16 in 1s\", \"hold 4s\"]\nthreshold = \"error_rate<1%\"\nno-tui = true\nallow-untrusted = true\n\
         report = \"report.json\"\ndata = \"clients.csv\"\nseed = 3\nheaders = {{ X-Token = \"{{token}}\" }}\n\
         targets = [{{ url = \"{}\", weight = 3 }}, {{ url = \"{}\" }}]\n\
         mix = [{{ share = 50, player = \"web\" }}, {{ share = 50, player = \"ffmpeg\" }}]\n",
        origin.url("/{id}/a.m3u8?t={token}"),
        origin.url("/b.m3u8?t={token}"),
    );
    let data = (1..=16).map(|row| format!("id-{row},\"token, {row}\"\r\n")).collect::<String>();
    let (code, report, stdout, stderr) = run(&plan, &format!("id,token\r\n{data}"), &[]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 16, "{:?}", seen.keys());
    let mut of_first = 0;
    for (token, requests) in seen.iter() {
        let row = token.strip_prefix("token, ").expect(token);
        let lists = requests.iter().filter(|(path, _)| path.contains(".m3u8"));
        let lists: BTreeSet<_> = lists.map(|(path, _)| path.as_str()).collect();
        let [first, second] =
            [format!("/id-{row}/a.m3u8?t=token,%20{row}"), format!("/b.m3u8?t=token,%20{row}")];
        let expected = [BTreeSet::from([&*first]), BTreeSet::from([&*second])];
        assert!(expected.contains(&lists), "{token}: {lists:?}");
        of_first += u32::from(lists == expected[0]);
        // Segments carry the token too, and the path of the client.
        assert!(requests.iter().any(|(path, _)| path.ends_with("s1.ts")), "{requests:?}");
    }
    assert_eq!(of_first, 12);
    assert_eq!(report["run"]["stages"], "ramp to 16 in 1s, hold 4s");
    assert!(stdout.contains("PASS    error_rate<1%"), "{stdout}");
    let audience = &report["audience"];
    assert_eq!(audience["players"], json!({ "ffmpeg": 8, "web": 8 }));
    let counts: Vec<_> = audience["targets"].as_object().unwrap().values().cloned().collect();
    assert_eq!(counts, [json!(4), json!(12)], "{}", audience["targets"]);
    let weights = report["run"]["targets"].as_array().unwrap().iter().map(|target| target["weight"].clone());
    assert_eq!(weights.collect::<Vec<_>>(), [3, 1]);
    assert_eq!((&report["run"]["data_rows"], &report["run"]["player"]), (&json!(16), &json!("mixed")));
    assert!(
        report["run"]["target"].as_str().unwrap().ends_with(" and 1 more"),
        "{}",
        report["run"]["target"]
    );
    assert!(stderr.contains("hlswarm: mix: 50 player=web, 50 player=ffmpeg"), "{stderr}");
    for text in [stdout, stderr, report.to_string()] {
        assert!(!text.contains("token, 1") && !text.contains("id-1"), "{text}");
    }
}

#[test]
fn fewer_rows_than_clients_are_used_again_and_said() {
    let seen = Seen::default();
    let origin = origin(&seen);
    let plan = format!(
        "url = \"{}\"\nclients = 4\nramp-time = 0\nduration = \"3s\"\nno-tui = true\nallow-untrusted = true\n\
         data = \"clients.csv\"\ndata-order = \"random\"\nheaders = {{ X-Token = \"{{token}}\" }}\n",
        origin.url("/a.m3u8"),
    );
    let (code, _, stdout, stderr) = run(&plan, "token\none\ntwo\n", &[]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stderr.contains("hlswarm: --data: 2 rows for up to 4 clients: rows are used again"), "{stderr}");
    assert_eq!(seen.lock().unwrap().keys().collect::<Vec<_>>(), ["one", "two"]);
}

#[test]
fn a_plan_of_targets_and_data_is_printed_and_read_again_and_mistakes_are_one_line() {
    let plan = "targets = [{ url = \"http://127.0.0.1:1/{id}/a.m3u8\", weight = 3 }, { url = \"http://127.0.0.1:1/b.m3u8\" }]\n\
                mix = [{ share = 70, player = \"web\" }, { share = 30, session-length = \"5m\" }]\n\
                data = \"clients.csv\"\narrival = \"20/s\"\nsession-length = \"exp:5m\"\n";
    let (code, _, printed, stderr) = run(plan, "id\n1\n", &["--print-plan"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(printed.contains("# 6,314 |"), "{printed}");
    let (_, _, again, stderr) = run(&printed, "id\n1\n", &["--print-plan"]);
    assert_eq!(again, printed, "{stderr}");
    for (data, arguments, expected) in [
        (
            "id\n1\n2,3\n",
            &["--print-plan"][..],
            "--data clients.csv: line 3: it has 2 columns; expected 1 column",
        ),
        ("token\n1\n", &["--print-plan"], "--data clients.csv: line 1: no column is named id"),
        (
            "id\n1\n",
            &["--arrival", "5", "--stage", "hold 5s"],
            "--arrival cannot be used together with --stage",
        ),
        ("id\n1\n", &["--data", "none.csv"], "--data none.csv: No such file"),
        ("id\n1\n", &["--mix", "70 player=vlc"], "player: expected"),
        ("id\n1\n", &["--target", "0 http://h/a"], "expected a weight from 1 to 10000"),
    ] {
        let (code, _, _, stderr) = run(plan, data, arguments);
        assert!(stderr.contains(expected) && stderr.lines().count() == 1, "{stderr}");
        assert_eq!(code, Some(2), "{stderr}");
    }
}

#[test]
fn a_value_stays_in_its_part_of_the_url_whatever_it_has() {
    let seen = Seen::default();
    let origin = origin(&seen);
    let plan = format!(
        "clients = 1\nduration = \"2s\"\nno-tui = true\nallow-untrusted = true\nreport = \"report.json\"\n\
         data = \"clients.csv\"\nheaders = {{ X-Token = \"{{token}}\" }}\nurl = \"{}\"\n",
        origin.url("/live/{token}/a.m3u8?t={token}&u=1")
    );
    let (code, report, stdout, stderr) = run(&plan, "token\n\"hunter2/../x?y#z&v=2\"\n", &[]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    let seen = seen.lock().unwrap();
    let requests = seen.get("hunter2/../x?y#z&v=2").expect("the header has the value as it is");
    let paths: BTreeSet<_> = requests.iter().map(|(path, _)| path.as_str()).collect();
    let folder = "/live/hunter2%2F..%2Fx%3Fy%23z&v=2";
    let list = format!("{folder}/a.m3u8?t=hunter2/../x?y%23z%26v=2&u=1");
    assert_eq!(paths, [&*list, &format!("{folder}/s1.ts"), &format!("{folder}/s2.ts")].into());
    assert!(!format!("{report}{stdout}{stderr}").contains("hunter2"), "{stdout}{stderr}");
    for (data, expected) in [
        ("token\n..\n", "line 2: a path segment of the URL becomes . or ..; expected another text"),
        ("token,token\na,b\n", "line 1: columns 1 and 2 have the same name token; each"),
        ("token\n\"a\r\nX: 1\"\n", "line 2: the value of token is empty or has a control character"),
    ] {
        let (code, _, _, stderr) = run(&plan, data, &[]);
        assert_eq!((code, stderr.lines().count()), (Some(2), 1), "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
    }
}

#[test]
fn a_plan_of_several_targets_says_whose_stream_it_prices_and_counts_each_member_of_the_mix() {
    let origin = origin(&Seen::default());
    let [a, b] = ["/a.m3u8", "/b.m3u8"].map(|path| format!("--target={}", origin.url(path)));
    let plan = |options: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_hlswarm"));
        let output = program.args(["plan", "-c", "4", "-d", "5s"]).args(options).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let page = plan(&[&a, &b]);
    assert!(page.contains("targets all are priced as the stream of the first client"), "{page}");
    assert!(!plan(&[&a]).contains("targets "));
    let connections = |options: &[&str]| {
        let page = plan(&[&[&*a, "--json"], options].concat());
        let plan: Value = serde_json::from_str(&page).unwrap();
        plan["plan"]["planned"]["ports"].as_f64().unwrap()
    };
    let [web, ffmpeg] = ["web", "ffmpeg"].map(|player| connections(&["--player", player]));
    let mixed = connections(&["--mix", "50 player=web", "--mix", "50 player=ffmpeg", "--seed", "1"]);
    assert!(web < mixed && mixed < ffmpeg, "{web} {mixed} {ffmpeg}");
}
