//! A whole plan file, through the controller, in virtual time: stages, targets, a mix, data and thresholds.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::time::Duration;

use crate::cli::{self, Command};
use crate::config::{self, RunConfig};
use crate::control::{Ahead, Ending, Engine, Plan, scene};
use crate::load::LoadProfile as _;
use crate::swarm::{Admission, Dealer};

/// A plan of three minutes.
const PLAN: &str = r#"
targets = [
  { url = "http://127.0.0.1:1/{id}/a.m3u8?token={token}", weight = 7 },
  { url = "http://127.0.0.1:2/b.m3u8?token={token}", weight = 3 },
]
mix = [{ share = 60, player = "web" }, { share = 40, player = "ffmpeg", variant = "lowest" }]
stages = ["ramp to 60 in 30s", "hold 30s", "spike +40 for 20s", "down to 20 in 40s", "30s:90", "jump to 15", "hold 30s"]
threshold = ["error_rate<1%", "segment_ttfb_p95<500ms"]
seed = 7
headers = { X-Token = "{token}" }
"#;

/// Engine that only remembers who is there, the newest last.
struct Parts<'a> {
    dealer: Dealer,
    there: &'a RefCell<Vec<Admission>>,
    count: &'a Cell<u32>,
    /// Called with those who are there, after each change.
    check: &'a dyn Fn(&[Admission]),
}

impl Parts<'_> {
    fn changed(&self) {
        let there = self.there.borrow();
        self.count.set(there.len() as u32);
        (self.check)(&there);
    }
}

impl Engine for Parts<'_> {
    type Clients = ();

    fn admitted(&self) -> u32 {
        self.count.get()
    }

    fn running(&self) -> u64 {
        self.count.get().into()
    }

    async fn admit(&mut self) {
        let place = self.there.borrow().len();
        let admission = self.dealer.admit_at(place);
        self.there.borrow_mut().push(admission);
        self.changed();
    }

    async fn remove_newest(&mut self) {
        self.there.borrow_mut().pop();
        self.changed();
    }

    async fn drain(&self) {
        self.count.set(0);
    }

    async fn cut(&self) {
        self.count.set(0);
    }

    fn join(self) -> ((), usize) {
        ((), 0)
    }
}

/// Reads the plan file as the command line does, with a hundred rows of data.
fn config() -> RunConfig {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("tokens.csv");
    let rows = (0..100).map(|row| format!("{row},token-{row}\n"));
    std::fs::write(&data, "id,token\n".to_owned() + &rows.collect::<String>()).expect("writable");
    let plan = format!("{PLAN}\n").replacen(
        "seed = 7",
        &format!("seed = 7\ndata = {:?}", data.display().to_string()),
        1,
    );
    let args = ["hlswarm", "run", "plan.toml"].map(OsString::from).to_vec();
    let combined =
        cli::combine(args, Some((2, "plan.toml", plan.as_str())), std::iter::empty()).expect("a plan file");
    let Ok(Command::Run(args)) = cli::parse(combined.args).map(|cli| cli.command) else { panic!("a run") };
    let targets = config::targets(args.stream.all()).expect("URLs");
    config::run_config(targets, args.load, String::new()).expect("a configuration")
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_three_minutes_runs_as_written_in_every_second() {
    let config = config();
    assert_eq!(config.criteria.thresholds.len(), 2);
    assert_eq!(config.lack_of_data(), None);
    let personal = config.clients.cast.personal.as_ref().expect("data");
    let (members, seen) = (config.clients.cast.mix.len(), RefCell::new(0_usize));
    let check = |there: &[Admission]| {
        let all = there.len() as f64;
        let of_first: Vec<_> = there.iter().filter(|client| client.kind < members).collect();
        assert!((of_first.len() as f64 - all * 0.7).abs() < 1.0, "{} of {all}", of_first.len());
        let web = of_first.iter().filter(|client| client.kind == 0).count() as f64;
        assert!((web - of_first.len() as f64 * 0.6).abs() < 1.0, "{web} of {}", of_first.len());
        let tokens = there.iter().map(|client| personal.data.of_client(client.place).value("token"));
        assert_eq!(tokens.collect::<BTreeSet<_>>().len(), there.len(), "each has a token of its own");
        *seen.borrow_mut() += 1;
    };
    let (there, count) = (RefCell::default(), Cell::new(0));
    let dealer = Dealer::new(&config.clients.cast, config.clients.seed);
    let engine = Parts { dealer, there: &there, count: &count, check: &check };
    let stages = config.plan.stages.clone().expect("stages");
    let plan = Plan { ahead: Ahead::Together, ..config.plan.clone() };
    let played = scene::play(plan, engine, &count, &[]).await;
    assert_eq!((played.ending, played.lasted), (Ending::default(), Duration::from_secs(180)));
    assert_eq!(played.seconds.len(), 180);
    for (second, clients) in played.seconds.iter().enumerate() {
        let planned = stages.target(Duration::from_millis(1_000 * second as u64 + 500));
        assert!(clients.abs_diff(planned) <= 1, "{clients} instead of {planned} in second {second}");
    }
    // The last client of the fall stays as the first one of the rise after it.
    assert_eq!(seen.into_inner(), 60 + 40 + 79 + 69 + 75, "joins and departures");
}
