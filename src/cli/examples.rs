//! The end of each command's help: two examples, and before them the exit codes where they are not those of a run.

/// Sources of options, variables and exit codes of `hlswarm` itself.
pub(super) const PROGRAM: &str = "\
Options of run and plan can come from a plan file ('hlswarm run plan.toml':
long names as keys, and url, stages, headers). The command line replaces the
environment, which replaces the file; 'hlswarm run ... --print-plan' shows the
result.

'hlswarm --help definitions' explains each playback metric, 'hlswarm --help
thresholds' each quantity that --threshold can judge.

Environment:
  HLSWARM_CLIENTS, ...       each option of run, demo, plan and find, and
                             HLSWARM_URL
  NO_COLOR, COLORTERM, COLORFGBG, LC_ALL, LC_CTYPE, LANG
                             colours and characters of the live screen
  XDG_STATE_HOME             where selftest keeps its result
                             [default: ~/.local/state]

Exit codes: the first of these that applies
  70     internal fault of hlswarm
  2      bad arguments
  5      preflight refused the load, or the URL has an HTTP error or an
         unknown host
  6      a report or record was not written
  128+n  ended early by signal n (130: Ctrl-C)
  4      this machine limited the result (trust: INVALID; see
         --allow-untrusted)
  3      nothing ever played, fewer than half of the requests succeeded, a
         --threshold was not kept, or a hard stop (--max-...) ended the run
         early; check: a finding is an error
  0      otherwise; q, or one Ctrl-C in a run without --duration, is a
         normal end

Examples:
  hlswarm demo
  hlswarm https://origin.example/live/master.m3u8 -c 50 --report run.html";

/// Examples of `hlswarm run`.
pub(super) const RUN: &str = "\
Examples:
  hlswarm run https://cdn.example/live.m3u8 -c 2k --authorised-for cdn.example --report event.html
  hlswarm run https://cdn.example/vod.m3u8 --header @token.txt --session-length exp:5m --no-tui";

/// Examples of `hlswarm demo`.
pub(super) const DEMO: &str = "\
Examples:
  hlswarm demo
  hlswarm demo -c 200 -d 1m --fault segment:503:10%@20s+15s --report demo.txt";

/// Examples of `hlswarm check`.
pub(super) const CHECK: &str = "\
Examples:
  hlswarm check https://cdn.example/live.m3u8
  hlswarm check playlist.m3u8";

/// Examples of `hlswarm plan`.
pub(super) const PLAN: &str = "\
The options of run for its screen, reports, record and thresholds are accepted and ignored.

Examples:
  hlswarm plan https://cdn.example/live.m3u8 -c 2k --authorised-for cdn.example -d 10m
  hlswarm plan https://cdn.example/live.m3u8 -c 50 --max-bandwidth 2G --json";

/// Exit codes and examples of `hlswarm find`.
pub(super) const FIND: &str = "\
Exit codes: those of run; 3 if no number of clients held the thresholds, or the
search did not end; 4 if this machine was the limit.

Examples:
  hlswarm find https://cdn.example/live.m3u8 --max-clients 50 --threshold 'segment_p95<1s'
  hlswarm find http://127.0.0.1:17180/live/ts/master.m3u8 --max-clients 2k --max-duration 10m";

/// Exit codes and examples of `hlswarm ctl`.
pub(super) const CTL: &str = "\
Without --control the variable HLSWARM_CONTROL names the run.

Exit codes: 0 done; 1 the run refuses, or does not answer; 2 bad arguments, or no
run listens there.

Examples:
  hlswarm ctl --control /run/user/1000/event.sock status
  hlswarm ctl --control /run/user/1000/event.sock target +50";

/// Exit codes and examples of `hlswarm report`.
pub(super) const REPORT: &str = "\
Exit codes: 2 no report, or bad arguments; 6 not written; 0 otherwise,
however the run itself ended.

Examples:
  hlswarm report run.json -o run.html
  hlswarm report run.json -o card.svg -o run.md";

/// Exit codes and examples of `hlswarm compare`.
pub(super) const COMPARE: &str = "\
Exit codes: 2 no report, or bad arguments; 6 not written; with
--fail-on-regression also 4 (a measurement cannot be trusted) and 3 (worse);
0 otherwise.

Examples:
  hlswarm compare before.json after.json
  hlswarm compare main.json branch.json --fail-on-regression";

/// Exit codes and examples of `hlswarm merge`.
pub(super) const MERGE: &str = "\
Exit codes: 2 no reports of one load, or bad arguments; 6 not written; 0
otherwise, however the runs themselves ended.

Examples:
  hlswarm merge machine1.json machine2.json -o all.json -o all.html
  hlswarm merge machine-*.json > all.json";

/// Exit codes and examples of `hlswarm replay`.
pub(super) const REPLAY: &str = "\
Exit codes: 2 no record, a damaged one, or bad arguments; 6 a report not written;
0 otherwise, however the run itself ended.

Space pauses; the arrow keys look back; q leaves.

Examples:
  hlswarm replay run.ndjson --speed 10 --at 2m
  hlswarm replay run.ndjson --no-tui --report run.html";

/// Examples of `hlswarm origin`.
pub(super) const ORIGIN: &str = "\
Examples:
  hlswarm origin --bitrate 6M --segment-duration 4s
  hlswarm origin --tls --certificate ca.pem --fault playlist:delay=2s@30s+10s";

/// Examples of `hlswarm selftest`.
pub(super) const SELFTEST: &str = "\
Examples:
  hlswarm selftest
  hlswarm selftest --json > machine.json";

/// Examples of `hlswarm completions`.
pub(super) const COMPLETIONS: &str = "\
Examples:
  hlswarm completions bash > ~/.local/share/bash-completion/completions/hlswarm
  hlswarm completions fish > ~/.config/fish/completions/hlswarm.fish";

/// Examples of `hlswarm man`.
pub(super) const MAN: &str = "\
Examples:
  hlswarm man | man -l -
  hlswarm man run > hlswarm-run.1";
