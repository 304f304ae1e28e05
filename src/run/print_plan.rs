//! `--print-plan`: the options of a run as a plan file, and its load over time. Sends nothing.

use std::time::Duration;

use super::{ExitStatus, Failure, stdio};
use crate::config::RunConfig;
use crate::control::Plan;
use crate::load::LoadProfile as _;
use crate::vocabulary::{exit_code, units};

/// Size of the drawing, in columns and lines.
const WIDTH: u32 = 60;
const HEIGHT: u32 = 8;
/// Maximum time that the reader of standard output gets.
const PRINT_LIMIT: Duration = Duration::from_secs(3);

/// Prints the plan; `options` is its plan file.
pub(super) fn print(config: &RunConfig, options: &str) -> Result<ExitStatus, Failure> {
    let text = format!("{options}\n{}", drawing(&config.plan));
    let printed = stdio::print(&text, Some(PRINT_LIMIT));
    Ok(if printed.is_err() { exit_code::UNWRITTEN.into() } else { 0.into() })
}

/// Draws the load over time as comments of a plan file: the time runs to the right, with the clients that are there at
/// the end of each column.
fn drawing(plan: &Plan) -> String {
    let length = length(plan);
    let peak = plan.profile.clients.max(1);
    let columns: Vec<u32> = (1..=WIDTH).map(|column| clients(plan, length * column / WIDTH)).collect();
    let width = units::count(peak.into()).len();
    let mut text = String::new();
    for line in (1..=HEIGHT).rev() {
        // A column reaches this line if it has more clients than all lines below can show.
        let below = u64::from(peak) * u64::from(line - 1);
        let marks = columns.iter().map(|clients| u64::from(*clients) * u64::from(HEIGHT) > below);
        let marks: String = marks.map(|reaches| if reaches { '#' } else { ' ' }).collect();
        let label = if line == HEIGHT { units::count(peak.into()) } else { String::new() };
        text += &format!("# {}\n", format!("{label:>width$} |{marks}").trim_end());
    }
    text += &format!("# {:>width$} +{}\n", 0, "-".repeat(WIDTH as usize));
    let (begin, end) = (units::clock(Duration::ZERO), units::clock(length));
    let room = WIDTH as usize - begin.len();
    text + &format!("# {:>width$}  {begin}{end:>room$}\n", "")
}

/// Returns the time that is drawn: that of the run; without an end, that of the ramp and a half.
fn length(plan: &Plan) -> Duration {
    let fills = plan.arrivals.and_then(|arrivals| arrivals.stays);
    let ramp = fills.unwrap_or_else(|| plan.profile.length(plan.profile.clients));
    plan.duration.unwrap_or(ramp.saturating_mul(3) / 2).max(Duration::from_secs(1))
}

/// Returns the number of clients that the plan has just before this time.
fn clients(plan: &Plan, at: Duration) -> u32 {
    let at = at.saturating_sub(Duration::from_millis(1));
    if let Some(arrivals) = plan.arrivals {
        return plan.profile.clients.min(arrivals.mean(at).round() as u32);
    }
    match (&plan.stages, plan.profile.rate()) {
        (Some(stages), _) => stages.target(at),
        (None, Some(rate)) => plan.profile.clients.min((at.as_secs_f64() * rate) as u32 + 1),
        (None, None) => plan.profile.clients,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::{Ahead, OnShortage};
    use crate::load::{
        ArrivalProcess, ArrivalProfile, ClientLimit, Ramp, RampProfile, StageList, StagesProfile,
    };
    use crate::vocabulary::HardStops;

    fn plan(profile: RampProfile, stages: Option<StagesProfile>) -> Plan {
        Plan {
            profile,
            duration: stages.as_ref().map(StagesProfile::length),
            stages,
            arrivals: None,
            limit: ClientLimit::default(),
            ahead: Ahead::First,
            on_shortage: OnShortage::Refuse,
            brakes: true,
            has_default_end: false,
            hard_stops: HardStops::default(),
        }
    }

    #[test]
    fn stages_are_drawn_as_they_rise_and_fall() {
        let StageList(stages) = "30s:400, hold 30s, spike +400 for 30s, down in 30s".parse().expect("stages");
        let stages = StagesProfile::new(&stages).expect("a plan");
        let expected = "\
# 800 |                              ###############
#     |                              ###############
#     |                              ###############
#     |                              ###############
#     |           #####################################
#     |       #############################################
#     |   #####################################################
#     |############################################################
#   0 +------------------------------------------------------------
#      00:00:00                                            00:02:00
";
        let drawn = drawing(&plan(stages.pace(1), Some(stages)));
        assert_eq!(drawn, expected);
    }

    #[test]
    fn arrivals_are_drawn_as_the_clients_that_are_there_on_average() {
        let stays = Some(Duration::from_secs(60));
        let arrivals = ArrivalProfile { per_second: 10.0, process: ArrivalProcess::Poisson, stays };
        let profile = RampProfile { clients: 700, ..RampProfile::default() };
        let plan = Plan { arrivals: Some(arrivals), ..plan(profile, None) };
        let drawn = drawing(&plan);
        assert!(drawn.starts_with("# 700 |\n#     |     ") && drawn.ends_with("00:01:30\n"), "{drawn}");
        assert_eq!((clients(&plan, Duration::from_secs(30)), clients(&plan, Duration::MAX)), (300, 600));
    }

    #[test]
    fn a_ramp_without_an_end_is_drawn_with_what_follows() {
        let profile = RampProfile { clients: 100, ramp: Ramp::Rate(10.0), ..RampProfile::default() };
        let drawn = drawing(&plan(profile, None));
        let first = drawn.lines().next().expect("a line");
        // The last eighth of the clients takes 8.7 s of 15.
        assert_eq!(first.matches('#').count() - 1, 26, "{drawn}");
        assert!(drawn.ends_with("00:00:15\n"), "{drawn}");
        assert!(drawn.lines().all(|line| line.starts_with("# ") && line.len() <= 72), "{drawn}");
    }
}
