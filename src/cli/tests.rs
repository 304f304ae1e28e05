//! Tests of valid and invalid command lines.

use serde_json::json;

use super::options::Options;
use super::*;

fn args(line: &str) -> Vec<OsString> {
    std::iter::once("hlswarm").chain(line.split_whitespace()).map(OsString::from).collect()
}

fn wrong(line: &str) -> String {
    match parse(args(line)) {
        Err(Usage::Wrong(text)) => text,
        other => panic!("{line}: {other:?}"),
    }
}

/// Options that the schema of plan files has in a form of its own, or that the default build lacks.
const LEFT_OUT: [&str; 3] = ["mix", "otlp", "otlp-interval"];

fn is_in_schema(option: &&clap::Arg) -> bool {
    !LEFT_OUT.contains(&option.get_long().unwrap_or_default())
}

/// Returns the JSON Schema of plan files: the options of `run` with their help.
fn schema_of_plan_files() -> serde_json::Value {
    let one = json!({ "type": ["string", "number"] });
    let one_or_flag = json!({ "type": ["string", "number", "boolean"] });
    let many = json!({ "type": ["string", "number", "array"], "items": { "type": ["string", "number"] } });
    let mut properties = serde_json::Map::new();
    let mut add = |name: &str, mut schema: serde_json::Value, help: String| {
        schema["description"] = help.into();
        properties.insert(name.to_owned(), schema);
    };
    add("url", json!({ "type": "string" }), "URL of a playlist, or @FILE, a file that holds it.".to_owned());
    let from_env = json!({ "type": "object", "properties": { "env": { "type": "string" } }, "additionalProperties": false });
    let header = json!({ "anyOf": [{ "type": ["string", "number"] }, from_env] });
    let headers = json!({ "type": "object", "additionalProperties": header });
    add(
        "headers",
        headers,
        "Headers with their values, or the environment variables that hold them.".to_owned(),
    );
    add(
        "stages",
        many.clone(),
        "Stages of the load, such as \"ramp to 500 in 2m\"; the same as stage.".to_owned(),
    );
    let target = json!({
        "type": "object",
        "properties": { "url": { "type": "string" }, "weight": { "type": "integer", "minimum": 1, "maximum": 10_000 } },
        "required": ["url"],
        "additionalProperties": false,
    });
    let member = json!({
        "type": "object",
        "properties": {
            "share": { "type": "integer", "minimum": 1, "maximum": 10_000 },
            "player": { "type": "string" },
            "variant": one,
            "session-length": one,
        },
        "required": ["share"],
        "additionalProperties": false,
    });
    add(
        "targets",
        json!({ "type": "array", "items": target }),
        "Streams with their weights, instead of url; the same as target.".to_owned(),
    );
    add(
        "mix",
        json!({ "type": "array", "items": member }),
        "Members of the mix of clients with their shares; what a member does not say is as for all."
            .to_owned(),
    );
    let options = Options::of("run");
    for option in options.of_files().filter(is_in_schema) {
        let schema = match option.get_action() {
            clap::ArgAction::SetTrue => json!({ "type": "boolean" }),
            clap::ArgAction::Append => many.clone(),
            _ if options::without_value(option).is_some() => one_or_flag.clone(),
            _ => one.clone(),
        };
        let help = option.get_help().map(ToString::to_string).unwrap_or_default();
        add(option.get_long().expect("a name"), schema, help);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Plan file of hlswarm",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

#[test]
fn the_published_schema_of_plan_files_has_every_option() {
    crate::report::tests::assert_published("plan-file.schema.json", &schema_of_plan_files());
}

#[test]
fn clap_finds_no_contradiction_in_the_definition() {
    use clap::CommandFactory as _;
    Cli::command().debug_assert();
}

#[test]
fn the_definitions_can_be_asked_for_and_fit_the_page() {
    for line in ["help definitions", "--help definitions", "run --help definitions", "--help defs"] {
        let Err(Usage::Asked(text)) = parse(args(line)) else { panic!("{line}") };
        assert!(DEFINITIONS.iter().all(|(name, _)| text.contains(&format!("\n{name}\n"))), "{text}");
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    }
}

#[test]
fn a_shell_offers_the_values_that_an_option_has_and_all_of_them_are_accepted() {
    let script = completions(&CompletionsArgs { shell: clap_complete::Shell::Bash });
    let mut offering = 0;
    for option in Options::of("run").all().filter_map(clap::Arg::get_long) {
        let values = pages::fixed_values(option);
        if values.is_empty() {
            continue;
        }
        offering += 1;
        assert!(script.contains(&format!("compgen -W \"{}\"", values.join(" "))), "{option}");
        for value in values {
            let line = format!("run http://h/a --{option}={value} --data=d.csv");
            assert!(parse(args(&line)).is_ok(), "{line}");
        }
    }
    assert!(offering >= 10, "{offering}");
}

#[test]
fn a_word_after_help_that_names_nothing_is_an_error() {
    for (line, expected) in [
        ("--help plann", "did you mean 'hlswarm --help plan'?"),
        ("help glossary", "there is no help of this name; expected run, demo,"),
    ] {
        let args = std::iter::once("hlswarm").chain(line.split(' ')).map(OsString::from);
        let Err(Usage::Wrong(said)) = parse(args) else { panic!("{line}") };
        assert!(said.contains(expected) && !said.contains("glossary"), "{said}");
    }
}

#[test]
fn the_page_about_thresholds_names_every_quantity_and_its_examples_are_accepted() {
    for line in ["help thresholds", "--help thresholds", "demo --help thresholds"] {
        let Err(Usage::Asked(text)) = parse(args(line)) else { panic!("{line}") };
        for number in crate::verdict::RunNumber::ALL {
            assert!(text.contains(&format!("\n  {}", number.name())), "{}: {text}", number.name());
        }
        for distribution in crate::verdict::Distribution::all() {
            assert!(text.contains(&distribution.name()), "{text}");
        }
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        let examples: Vec<_> = text.split('\'').filter(|part| part.contains(['<', '='])).collect();
        assert!(examples.len() >= 3, "{text}");
        for example in examples.into_iter().filter(|example| !example.contains("OP")) {
            assert!(crate::verdict::Threshold::parse(example).is_ok(), "{example}");
        }
    }
}

#[test]
fn a_threshold_is_checked_before_the_run_and_its_mistake_is_named() {
    let given = |line: &str| match parse(args(line)).expect(line).command {
        Command::Run(run) => run.load.criteria,
        other => panic!("{other:?}"),
    };
    let run = "run http://h/a --threshold error_rate<1% --threshold stalls==0";
    let criteria = given(run);
    assert_eq!((criteria.thresholds.len(), criteria.abort_on_fail), (2, None));
    assert_eq!(given(&format!("{run} --abort-on-fail")).abort_on_fail, Some(Duration::from_secs(10)));
    assert_eq!(given(&format!("{run} --abort-on-fail=30s")).abort_on_fail, Some(Duration::from_secs(30)));
    let said = wrong("run http://h/a --threshold eror_rate<1%");
    assert!(said.starts_with("--threshold") && said.contains("did you mean 'error_rate'?"), "{said}");
    assert!(wrong("run http://h/a --abort-on-fail").contains("--threshold"));
}

#[test]
fn every_command_ends_its_help_with_two_examples_that_are_accepted() {
    for command in COMMANDS.iter().filter(|command| **command != "help").chain(&[""]) {
        let Err(Usage::Asked(help)) = parse(args(&format!("{command} --help"))) else { panic!("{command}") };
        let (_, examples) = help.split_once("\nExamples:\n").expect(command);
        let lines: Vec<_> = examples.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(lines.len(), 2, "{help}");
        for line in lines {
            let line =
                line.split(['|', '>']).next().unwrap_or_default().replace("hlswarm", "").replace('\'', "");
            assert!(parse(args(&line)).is_ok(), "{line}");
        }
    }
}

#[test]
fn the_help_of_a_command_follows_its_name_in_either_order_and_fits_100_columns() {
    use clap::CommandFactory as _;
    for command in COMMANDS.iter().filter(|command| **command != "help") {
        let asked = |line: String| match parse(args(&line)) {
            Err(Usage::Asked(text)) => text,
            other => panic!("{line}: {other:?}"),
        };
        let help = asked(format!("{command} --help"));
        assert_eq!(asked(format!("--help {command}")), help);
        assert_eq!(asked(format!("help {command}")), help);
        assert_eq!(asked(format!("-h {command}")), asked(format!("{command} -h")));
        let mut all = Cli::command().term_width(100);
        all.build();
        let command = all.find_subcommand_mut(command).expect(command);
        for help in [command.render_help(), command.render_long_help()].map(|help| help.to_string()) {
            let wide = help.lines().find(|line| line.chars().count() > 100);
            assert_eq!(wide, None);
        }
    }
    let help = Cli::command().term_width(100).render_long_help().to_string();
    assert_eq!(help.lines().find(|line| line.chars().count() > 100), None);
    assert!(help.contains("HLSWARM_CLIENTS") && help.contains("NO_COLOR"), "{help}");
}

#[test]
fn every_option_in_an_example_of_a_service_exists() {
    let options = Options::of("run");
    for (file, least) in [
        (include_str!("../../assets/systemd/hlswarm@.service"), 4),
        (include_str!("../../assets/kubernetes/job.yaml"), 11),
        (include_str!("../../assets/container/Containerfile"), 1),
    ] {
        // Options of other programs are in lines that name these.
        let lines = file.lines().filter(|line| {
            !["apt-get", "cargo build", "COPY", "podman build"].iter().any(|other| line.contains(other))
        });
        let lines = lines.map(|line| line.split_once(" hlswarm ").map_or(line, |(_, after)| after));
        let words = lines.flat_map(|line| line.split([' ', '"', '=', ',', '[', ']']));
        let named: Vec<_> = words.filter_map(|word| word.strip_prefix("--")).collect();
        assert!(named.len() >= least, "{named:?}");
        for name in named {
            assert!(name == "help" || options.named(name).is_some(), "--{name}");
        }
    }
}

#[test]
fn completions_and_manual_pages_name_every_option_of_a_command() {
    let script = completions(&CompletionsArgs { shell: clap_complete::Shell::Bash });
    let page = manual(&ManArgs { command: Some("run".to_owned()) });
    for option in ["clients", "session-length", "max-requests", "header-env", "on-hangup"] {
        assert!(script.contains(&format!("--{option}")), "{option}");
        assert!(page.contains(&option.replace('-', "\\-")), "{option}: {page}");
    }
    assert!(page.starts_with(".ie") || page.contains(".TH"), "{page}");
    assert!(manual(&ManArgs { command: None }).contains("origin"));
}

#[test]
fn the_help_of_plan_lists_no_option_that_it_ignores() {
    let help = |command: &str| match parse(args(&format!("{command} --help"))) {
        Err(Usage::Asked(text)) => text,
        other => panic!("{command}: {other:?}"),
    };
    let (run, plan) = (help("run"), help("plan"));
    let options =
        ["--report", "--record", "--metrics", "--theme", "--no-tui", "--allow-untrusted", "--threshold"];
    for option in options {
        assert!(run.contains(option) && !plan.contains(option), "{option}");
        assert!(
            parse(args(&format!(
                "plan http://h/a.m3u8 -c 5 {option}{}",
                match option {
                    "--report" => " a.json",
                    "--record" => " a.ndjson",
                    "--theme" => " dark",
                    "--threshold" => " error_rate<1%",
                    _ => "",
                }
            )))
            .is_ok(),
            "{option}"
        );
    }
    assert!(plan.contains("accepted and ignored"), "{plan}");
}

#[test]
fn a_negative_time_is_a_wrong_time_and_no_option() {
    for (line, option) in [
        ("run http://h/a -d -5s", "--duration '-5s': "),
        ("run http://h/a --duration=-5s", "--duration '-5s': "),
        ("run http://h/a --ramp-time -5", "--ramp-time '-5': "),
        ("run http://h/a --ramp-jitter -1ms", "--ramp-jitter '-1ms': "),
        ("run http://h/a --session-length -5m", "--session-length '-5m': "),
        ("run http://h/a --timeout -1s", "--timeout '-1s': "),
        ("check http://h/a -d -5s", "--duration '-5s': "),
        ("origin --segment-duration -2s", "--segment-duration '-2s': "),
    ] {
        let said = wrong(line);
        assert!(said.starts_with(option) && said.contains("expected "), "{line}: {said}");
    }
}

#[test]
fn an_address_alone_is_a_run() {
    for line in ["http://h/a.m3u8 -c 7", "-c 7 http://h/a.m3u8", "run http://h/a.m3u8 --clients 7"] {
        match parse(args(line)).expect(line).command {
            Command::Run(run) => {
                assert_eq!((run.load.clients, run.stream.url), (7, "http://h/a.m3u8".parse().ok()), "{line}")
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Command lines with a mistake, and the error for each.
const WRONG: [(&str, &str); 57] = [
    (
        "run http://h/a --clients ten",
        "--clients 'ten': expected 1 to 1,000,000, such as 250 or 2.5k; 0 only with --duration",
    ),
    (
        "run http://h/a -c -1",
        "--clients '-1': expected 1 to 1,000,000, such as 250 or 2.5k; 0 only with --duration",
    ),
    ("demo -c 0", "--clients '0': expected 1 to 1,000,000, such as 250 or 2.5k; 0 only with --duration"),
    (
        "demo -c 1001k",
        "--clients '1001k': expected 1 to 1,000,000, such as 250 or 2.5k; 0 only with --duration",
    ),
    (
        "run http://h/a --ramp-rate fast",
        "--ramp-rate 'fast': expected a rate from 0.000001 to 1,000,000 per second, such as 5, 50/s or 3000/m",
    ),
    ("demo --seed abc", "--seed 'abc': expected a whole number from 0 to 9,007,199,254,740,991"),
    (
        "demo --seed 9007199254740992",
        "--seed '9007199254740992': expected a whole number from 0 to 9,007,199,254,740,991",
    ),
    ("demo --bitrate 100M", "--bitrate '100M': expected a bandwidth from 200k to 20M"),
    ("origin --bitrate 1k", "--bitrate '1k': expected a bandwidth from 200k to 20M"),
    ("find http://h/a --hold 1s", "--hold '1s': expected a time from 2s to 60s"),
    ("find http://h/a --max-clients 0", "--max-clients '0': expected 1 to 1,000,000, such as 250 or 2.5k"),
    ("find http://h/a --precision 60%", "--precision '60%': expected a share from 0% to 50%, such as 3%"),
    ("find http://h/a --repeats 0", "--repeats '0': expected 1 to 10"),
    (
        "demo --threshold error_rate<1",
        "--threshold: error_rate '1': expected a share from 0% to 100%, such as 1% or 0.01",
    ),
    (
        "demo --threshold stalls==0 --abort-on-fail=abc",
        "--abort-on-fail 'abc': expected a duration such as 250ms, 30s, 1m30s or 2h",
    ),
    ("origin --capacity 1k", "--capacity '1k': expected a rate from 200k to 100G"),
    ("origin --connections 0", "--connections '0': expected 1 to 1,000,000"),
    ("origin --window 2", "--window '2': expected a whole number from 3 to 1,000"),
    ("origin --vod-segments x", "--vod-segments 'x': expected a whole number from 1 to 10,000"),
    ("origin --segment-duration 0", "--segment-duration '0': expected a duration from 500ms to 60s"),
    (
        "origin --listen 17180",
        "--listen '17180': expected an address and a port, such as 127.0.0.1:17180 or [::1]:0",
    ),
    (
        "origin --fault segment:999",
        "--fault 'segment:999': expected a status from 400 to 599, delay=300ms, bandwidth=500k, cut, reset, stall or stale",
    ),
    ("rnu http://h/a", "unknown command 'rnu'; did you mean 'run'? See 'hlswarm --help'"),
    ("orign", "unknown command 'orign'; did you mean 'origin'? See 'hlswarm --help'"),
    ("demo --clinets 5", "unknown option --clinets; did you mean --clients? See 'hlswarm --help'"),
    (
        "run cdn.example/live.m3u8?token=hunter2",
        "<URL>: the scheme is missing; did you mean https://cdn.example/live.m3u8?***?",
    ),
    ("localhost:8080/a.m3u8", "<URL>: the scheme is missing; did you mean http://localhost:8080/a.m3u8?"),
    (
        "run http://h/a.m3u8 hunter2",
        "unexpected argument; quote a value that contains spaces; see 'hlswarm --help'",
    ),
    ("demo --no-tui=hunter2", "--no-tui takes no value"),
    (
        "demo --clients http://u:hunter2@h/",
        "--clients: expected 1 to 1,000,000, such as 250 or 2.5k; 0 only with --duration",
    ),
    (
        "run http://h/a -d 0",
        "--duration '0': expected a duration above 0, such as 45s or 10m, up to 366 days",
    ),
    (
        "run http://h/a --variant abr",
        "--variant 'abr': abr is not supported yet; expected highest, lowest, first, all, or a bandwidth, such as 2500k",
    ),
    (
        "run http://h/a --resolve x",
        "--resolve 'x': expected HOST:PORT:ADDR[,ADDR] such as cdn.example:443:127.0.0.1, *:443:[::1] for any host, or -HOST:PORT",
    ),
    (
        "run ftp://h/a?token=hunter2",
        "<URL>: only http:// and https:// are accepted; expected http://host/path or https://host/path",
    ),
    ("run", "<URL> is missing; see 'hlswarm --help'"),
    ("demo --ramp-time 1s --ramp-rate 5", "--ramp-time cannot be used together with --ramp-rate"),
    (
        "demo --max-bytes 5furlongs",
        "--max-bytes '5furlongs': expected a size from 1 byte to 1000T, such as 500M, 20GiB or 1500000",
    ),
    (
        "demo --max-requests 0",
        "--max-requests '0': expected a whole number of at least 1, such as 2500 or 2M",
    ),
    (
        "demo --max-bandwidth wide",
        "--max-bandwidth 'wide': expected a bandwidth such as 2500k, 6M, 1.5Mbps or 800000",
    ),
    ("demo --stage 5s:5 -c 5", "--stage cannot be used together with --clients"),
    ("demo --ramp-rate 5 --stage 5s:5", "--ramp-rate cannot be used together with --stage"),
    (
        "demo --stage rise",
        "--stage 'rise': expected stages such as 'ramp to 500 in 2m', 'hold 10m', 'spike +300 for 30s', 'down in 1m', \
         'down to 100 in 1m', 'jump to 300', 'wave 100..500 every 2m for 10m' or 2m:500",
    ),
    (
        "demo --stage 5s:5,hold",
        "--stage '5s:5,hold': the time of a stage: expected a duration such as 250ms, 30s, 1m30s or 2h",
    ),
    (
        "demo --stage 5s:http://u:hunter2@h/",
        "--stage: the clients of a stage: expected a whole number up to 1,000,000; expected stages such as 'ramp to 500 in 2m', 'hold 10m', 'spike +300 for 30s', 'down in 1m', 'down to 100 in 1m', 'jump to 300', 'wave 100..500 every 2m for 10m' or 2m:500",
    ),
    (
        "run --metrics http://u:hunter2@h/",
        "--metrics: expected an address and a port, such as 127.0.0.1:17091; give the URL before --metrics",
    ),
    ("demo --metrics-per-client", "--metrics-per-client needs --metrics; see 'hlswarm --help'"),
    ("demo --abort-on-fail", "--abort-on-fail needs --threshold; see 'hlswarm --help'"),
    ("origin --certificate a.pem", "--certificate needs --tls; see 'hlswarm --help'"),
    (
        "run --abort-on-fail 5s http://h/a --threshold stalls==0",
        "--abort-on-fail takes its time after an equals sign: --abort-on-fail=5s",
    ),
    (
        "http://h/a --threshold stalls==0 --abort-on-fail 5s",
        "--abort-on-fail takes its time after an equals sign: --abort-on-fail=5s",
    ),
    ("http://h/a --no-cache query", "--no-cache takes its mode after an equals sign: --no-cache=query"),
    ("demo --format dash", "--format 'dash': expected one of: ts, fmp4"),
    ("demo --on-hangup wait", "--on-hangup 'wait': expected stop or continue"),
    ("demo --theme pink", "--theme 'pink': expected auto, ansi, dark, light, cb or mono"),
    ("demo --clients", "--clients needs a value"),
    ("demo --zzzzzz", "unknown option --zzzzzz; see 'hlswarm --help'"),
    ("", "nothing to do; give a URL to load, or see 'hlswarm --help'"),
];

#[cfg(not(feature = "otlp"))]
#[test]
fn an_option_of_another_build_is_named_with_its_feature() {
    let expected = "this build has no OTLP export: build with --features otlp";
    for line in ["demo --otlp http://hunter2", "demo --otlp=http://hunter2", "run --otlp-interval 5s"] {
        let said = wrong(line);
        assert!(said.starts_with("unknown option --otlp") && said.ends_with(expected), "{said}");
    }
    let line = args("p.toml");
    let said = combine(line, Some((1, "p.toml", "otlp = \"http://hunter2\"")), std::iter::empty());
    assert_eq!(said, Err(Usage::Wrong(format!("p.toml: unknown key otlp; {expected}"))));
    let variable = ("HLSWARM_OTLP".into(), "http://hunter2".into());
    let notes = combine(args("http://h/a"), None, std::iter::once(variable)).expect("a run").notes;
    assert_eq!(notes, [format!("warning: the variable HLSWARM_OTLP is no option; {expected}")]);
}

#[test]
fn every_bad_value_is_one_line_with_option_value_and_what_is_accepted() {
    for (line, expected) in WRONG {
        let text = wrong(line);
        assert_eq!(text, expected, "{line}");
        assert!(!text.contains('\n') && !text.contains("hunter2"));
    }
}
