//! The plan ahead of now: the stage of the run, its time left, and the stage after it; or the rate of arrivals.

use crate::load::{LoadProfile as _, StageNow, StagesProfile};
use crate::tui::app::App;
use crate::tui::theme::Role;
use crate::tui::widget::{TimeAxis, VALUES_A_COLUMN};
use crate::vocabulary::{RunState, units};

use super::{Text, Weight};

/// Returns the place of a run in its stages: `stage 2 of 4: hold 10m, 8:12 left  then spike +300 for 30s`. `None` for a
/// run without stages and arrivals, and once it ends.
pub(super) fn words(app: &App) -> Option<Vec<Text>> {
    let (sample, stages, arrivals) = (&app.shown, app.title.stages.as_ref(), app.title.arrivals);
    if sample.state.is_ending() || (stages.is_none() && arrivals.is_none()) {
        return None;
    }
    let Some(at) = sample.plan_time else {
        return Some(vec![Text::new(Role::Warning, "you steer: the plan is off").or_short("plan off")]);
    };
    let count = stages.map_or(0, StagesProfile::count);
    let mut line = match (arrivals, stages.and_then(|stages| stages.stage(at))) {
        (Some(arrivals), _) => vec![Text::label(format!("{arrivals} arriving")).weighing(Weight::Subject)],
        (_, Some(now)) => stage(now, count),
        (_, None) => vec![Text::label(format!("after the last of {}", units::plural(count as u64, "stage")))],
    };
    if sample.state == RunState::Hold {
        line.push(Text::new(Role::Warning, "its clock is stopped").or_short("stopped"));
        line.push(Text::label("p resumes").weighing(Weight::Subject));
    }
    Some(line)
}

fn stage(now: StageNow, count: usize) -> Vec<Text> {
    let StageNow { number, stage, left, next, .. } = now;
    let left = units::short_clock(left);
    let next = next.map_or_else(|| "the end".to_owned(), |next| next.to_string());
    let place = Text::label(format!("stage {number} of {count}: {stage}, {left} left"));
    vec![
        place.or_short(format!("{number}/{count}, {left} left")).weighing(Weight::Subject),
        Text::label(format!("then {next}")).weighing(Weight::Decoration),
    ]
}

/// Returns the planned clients after the present, as many values a column of the axis as a curve has, and nothing for the
/// columns before. A plan whose clock is stopped is shown as if it went on now.
pub(super) fn ahead(app: &App, axis: &TimeAxis) -> Vec<Option<f64>> {
    let sample = &app.shown;
    let (Some(at), Some(stages)) = (sample.plan_time, app.title.stages.as_ref()) else { return Vec::new() };
    if sample.state.is_ending() {
        return Vec::new();
    }
    let parts = u32::from(VALUES_A_COLUMN);
    let length = axis.to.saturating_sub(axis.from);
    let values = (1..=u32::from(axis.columns) * parts).map(|part| {
        let time = axis.from + length * part / (u32::from(axis.columns) * parts);
        // The column of the present shows the clients that are there.
        let column = u16::try_from(part.div_ceil(parts) - 1).ok()?;
        let is_ahead = axis.column(axis.now).is_none_or(|now| column > now) && time > axis.now;
        let planned = at + time.checked_sub(axis.now)?;
        let clients = stages.target(planned).min(sample.limit.clients);
        (is_ahead && planned <= stages.length()).then(|| clients.into())
    });
    values.collect()
}

/// Returns the share of the plan that is over; `None` without stages.
pub(super) fn share(app: &App) -> Option<f64> {
    let (at, stages) = (app.shown.plan_time?, app.title.stages.as_ref()?);
    let whole = stages.length().as_secs_f64();
    (whole > 0.0).then(|| (at.as_secs_f64() / whole).min(1.0))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::load::Stage;

    #[test]
    fn a_stage_is_shown_with_its_place_what_is_left_and_what_follows() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let stages = [
            Stage::Ramp { to: 500, takes: minutes(2) },
            Stage::Hold(minutes(10)),
            Stage::Spike { more: 300, lasts: Duration::from_secs(30) },
        ];
        let profile = StagesProfile::new(&stages).expect("a plan");
        let shown = |at| stage(profile.stage(at).expect("a stage"), 3);
        let [place, next] = &shown(Duration::from_secs(228))[..] else { panic!("two texts") };
        assert_eq!(
            (&*place.text, &*next.text),
            ("stage 2 of 3: hold 10m, 8:12 left", "then spike +300 for 30s")
        );
        assert_eq!(place.short.as_deref(), Some("2/3, 8:12 left"));
        assert_eq!(shown(minutes(12))[1].text, "then the end");
    }
}
