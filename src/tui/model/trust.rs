//! Trust in the measurement: the word at the top, the reasons with their advice, and the gauges with their limits.

use crate::generator::DelaySummary;
use crate::tui::layout::Breadth;
use crate::tui::layout::generator::REASONS;
use crate::tui::theme::Role;
use crate::verdict::{
    Gauge, GaugeLimit, RULES, Reason, Rule, Trust, TrustVerdict, Unit, formatted, is_blurred,
};
use crate::vocabulary::Tone;
use crate::vocabulary::units::{self, UNKNOWN};

use super::{Column, Line, Table, Text, Weight};

pub(super) fn role(verdict: TrustVerdict) -> Role {
    match verdict {
        TrustVerdict::Unassessed | TrustVerdict::Suspect => Role::Untrusted,
        TrustVerdict::Valid => Role::Good,
        TrustVerdict::Invalid => Role::Failing,
    }
}

/// Returns the verdict in words, and the reason that weighs most. A recovery does not erase it.
pub(super) fn verdict(trust: &Trust) -> Vec<Text> {
    let title = Text::new(role(trust.verdict), "GENERATOR").weighing(Weight::Decoration);
    let word = Text::new(role(trust.verdict), trust.verdict.words()).weighing(Weight::Subject);
    let mut line = vec![title, word];
    let Some(reason) = trust.main_reason() else { return line };
    let is_valid = trust.verdict == TrustVerdict::Valid;
    let role = if is_valid { Role::Label } else { role(reason.level) };
    let weight = if is_valid { Weight::Context } else { Weight::OutOfBounds };
    let by = if reason.gauge.rule().unit == Unit::Count { ", for" } else { " for" };
    let text = Text::new(role, format!("{}{by} {}", reason.short(), units::span(reason.lasted)));
    line.push(text.or_short(reason.short()).weighing(weight));
    if trust.now == TrustVerdict::Valid {
        line.push(Text::label(format!("ok now, last at {}", units::clock(reason.last))));
    }
    line
}

/// Number of gauges in the line at the top.
const NEAREST: usize = 6;

/// Returns the gauges that are nearest to their limits, the nearest first. Only the verdict of the measurement gives
/// them a colour: a value beyond its limit for a moment proves nothing.
pub(super) fn nearest(trust: &Trust) -> Vec<Text> {
    let main = trust.main_reason().map(|reason| reason.gauge);
    let mut gauges: Vec<_> = RULES
        .iter()
        .filter(|rule| rule.convicts() && main != Some(rule.gauge))
        .filter_map(|rule| {
            let value = trust.values[rule.gauge]?;
            Some((rule.nearness(value, trust.first_byte_us)?, rule, value))
        })
        .collect();
    gauges.sort_by(|one, other| other.0.total_cmp(&one.0));
    let shown = gauges.into_iter().take(NEAREST).map(|(_, rule, value)| {
        let value = formatted(rule.unit, value);
        let text = Text::label(format!("{} ", rule.label));
        match reason(trust, rule).filter(|_| trust.verdict >= TrustVerdict::Suspect) {
            Some(reason) => text.then(role(reason.level), &value).weighing(Weight::Subject),
            None => text.then(Role::Plain, &value),
        }
    });
    shown.collect()
}

/// Formats the 99th percentile of a latency, with the sign `~` if it may be the load tester's own.
pub(super) fn p99(latency_us: u64, own_delay: Option<DelaySummary>) -> String {
    let blurred = own_delay.is_some_and(|own| is_blurred(latency_us, own.p99));
    format!("{}{}", if blurred { "~" } else { "" }, units::milliseconds(latency_us))
}

const GAUGES: &[Column] = &[
    Column::word("GAUGE", 22),
    Column::word("", 32),
    Column::number("NOW", 10),
    Column::number("WORST", 10),
    Column::number("SUSPECT", 10),
    Column::number("INVALID", 10),
    Column::word("", 60),
];

/// The same on a narrow screen: a shorter bar, no advice.
const NARROW: &[Column] = &[
    Column::word("GAUGE", 22),
    Column::word("", 8),
    Column::number("NOW", 10),
    Column::number("WORST", 10),
    Column::number("SUSPECT", 10),
    Column::number("INVALID", 10),
];
/// Place of the bar among the columns.
pub(in crate::tui) const BAR: usize = 1;

/// A bar of a gauge: its fill and the place of its limit, 0 to 1.
#[derive(Clone, Copy, Debug)]
pub(in crate::tui) struct GaugeBar {
    pub(in crate::tui) fill: f64,
    pub(in crate::tui) mark: f64,
    pub(in crate::tui) tone: Tone,
}

/// Returns the reasons, then the gauges: those beyond a limit first, then those that convict, of these those that have
/// been read. The order changes only with the verdict and with the first reading, so that no line jumps.
pub(super) fn gauges(trust: &Trust, breadth: Breadth) -> (Table, Vec<Option<GaugeBar>>) {
    let mut reasons: Vec<_> = trust.reasons.iter().collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse((reason.level, reason.lasted)));
    let told = reasons.into_iter().take(REASONS).flat_map(|reason| {
        let sentence = format!("{}: {}", reason.level.words(), reason.sentence());
        [Text::new(role(reason.level), sentence), Text::plain(format!("  {}", reason.advice))]
    });
    let mut rules: Vec<_> = RULES.iter().collect();
    rules.sort_by_key(|rule| {
        let place = (!rule.convicts(), trust.worst[rule.gauge].is_none(), rule.gauge);
        (std::cmp::Reverse(level(trust, rule)), place)
    });
    let told: Vec<Line> = told.map(Line::whole).collect();
    let bars =
        std::iter::repeat_n(None, told.len()).chain(rules.iter().map(|rule| bar(trust, rule))).collect();
    let is_narrow = breadth == Breadth::Narrow;
    let gauges = rules.into_iter().map(|rule| Line::new(gauge(trust, rule)));
    let table = Table {
        title: Text::title(format!("Trust: {}", trust.verdict.words())),
        aside: vec![Text::label(format!("in doubt {} of the time", units::percent(trust.doubtful_share())))],
        columns: if is_narrow { NARROW } else { GAUGES },
        lines: told.into_iter().chain(gauges).collect(),
        ..Table::default()
    };
    (table, bars)
}

fn bar(trust: &Trust, rule: &Rule) -> Option<GaugeBar> {
    let value = trust.values[rule.gauge]?;
    let (fill, mark) = rule.fill(value, trust.first_byte_us)?;
    let tone = match reason(trust, rule).map(|reason| reason.level) {
        Some(TrustVerdict::Invalid) => Tone::Fail,
        Some(TrustVerdict::Suspect) => Tone::Untrusted,
        _ => Tone::Data,
    };
    Some(GaugeBar { fill, mark, tone })
}

/// Returns the role of a value that a gauge judges: only the verdict of the measurement colours it.
pub(super) fn role_of(trust: &Trust, gauge: Gauge) -> Role {
    reason(trust, gauge.rule()).map_or(Role::Plain, |reason| role(reason.level))
}

/// Returns the worst level of a gauge that convicts.
fn level(trust: &Trust, rule: &Rule) -> Option<TrustVerdict> {
    reason(trust, rule).map(|reason| reason.level)
}

fn reason<'a>(trust: &'a Trust, rule: &Rule) -> Option<&'a Reason> {
    // The worse level comes first.
    trust.reasons.iter().find(|reason| reason.gauge == rule.gauge)
}

fn gauge(trust: &Trust, rule: &Rule) -> Vec<Text> {
    let value = |value: Option<f64>| value.map_or(UNKNOWN.to_owned(), |value| formatted(rule.unit, value));
    // A limit that grows with the latency is shown as it is now.
    let limit = |limit: Option<GaugeLimit>| {
        Text::label(value(limit.map(|limit| limit.in_force(trust.first_byte_us))))
    };
    let [now, worst] = [&trust.values, &trust.worst].map(|of| of[rule.gauge]);
    let found = reason(trust, rule);
    let role = found.map_or(Role::Plain, |reason| role(reason.level));
    let note = match found {
        Some(reason) => {
            let (level, lasted) = (reason.level.name(), units::span(reason.lasted));
            Text::new(role, format!("{level} for {lasted}: {}", reason.advice))
        }
        None if !rule.convicts() => Text::label("only shown"),
        // Otherwise a worst value beyond the limit would contradict the verdict.
        None if rule.seconds > 1 => Text::label(format!("{} s in a row", rule.seconds)),
        None => Text::label(""),
    };
    let limits = [limit(rule.suspect), limit(rule.invalid)];
    let [suspect, invalid] = limits;
    vec![
        Text::new(role, rule.label),
        Text::default(),
        Text::plain(value(now)),
        Text::new(role, value(worst)),
        suspect,
        invalid,
        note,
    ]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::verdict::{TrustJudge, TrustNumbers, Values};

    fn trust(cpu: &[f64]) -> Trust {
        let mut judge = TrustJudge::default();
        for (at, cpu) in (1..).zip(cpu) {
            let mut values = Values::default();
            values[Gauge::Cpu] = Some(*cpu);
            judge.judge(&TrustNumbers { at: Duration::from_secs(at), values, ..TrustNumbers::default() });
        }
        judge.trust().clone()
    }

    fn words(texts: Vec<Text>) -> Vec<String> {
        texts.into_iter().map(|text| text.text).collect()
    }

    #[test]
    fn a_p99_near_the_own_delay_is_marked_and_an_unknown_delay_marks_none() {
        let own = |p99| Some(DelaySummary { p99, ..DelaySummary::default() });
        let shown = [own(1_000), own(1_001), own(0), None].map(|own| p99(3_000, own));
        assert_eq!(shown, ["3.00", "~3.00", "3.00", "3.00"]);
    }

    #[test]
    fn the_line_says_the_verdict_in_words_and_what_is_over() {
        assert_eq!(words(verdict(&Trust::default())), ["GENERATOR", "UNASSESSED"]);
        assert_eq!(words(verdict(&trust(&[0.2; 3]))), ["GENERATOR", "VALID"]);
        assert_eq!(words(verdict(&trust(&[0.85; 22]))), ["GENERATOR", "SUSPECT", "cpu 85.0% for 22.0 s"]);
        let over = trust(&[vec![0.95; 12], vec![0.2; 10]].concat());
        assert_eq!(
            words(verdict(&over)),
            ["GENERATOR", "NOT TRUSTWORTHY", "cpu 95.0% for 12.0 s", "ok now, last at 00:00:12"]
        );
    }

    #[test]
    fn the_reasons_and_their_gauges_come_first_and_unknown_is_not_zero() {
        let (table, bars) = gauges(&trust(&[0.95; 12]), Breadth::Wide);
        assert_eq!(bars.len(), table.lines.len());
        assert!(bars[0].is_none() && bars[2].is_some_and(|bar| bar.tone == Tone::Fail));
        let lines: Vec<_> = table.lines.into_iter().map(|line| words(line.cells)).collect();
        assert_eq!(lines[0], ["NOT TRUSTWORTHY: cpu 95.0%, above 90.0% for 12.0 s from 00:00:00 on"]);
        assert_eq!(lines[1], ["  use fewer clients, or spread them over 2 machines"]);
        assert_eq!(lines[2][..6], ["cpu", "", "95.0%", "95.0%", "80.0%", "90.0%"]);
        assert_eq!(lines[3], ["loop lag", "", "--", "--", "10.0 ms", "50.0 ms", "3 s in a row"]);
        assert_eq!(lines.len(), 2 + RULES.len());
    }

    #[test]
    fn a_limit_that_grows_with_the_latency_is_shown_as_it_is_now() {
        let limits = |first_byte_us| {
            let trust = Trust { first_byte_us, ..Trust::default() };
            let lag = words(gauge(&trust, Gauge::LoopLag.rule()));
            [lag[4].clone(), lag[5].clone()]
        };
        assert_eq!(limits(None), ["10.0 ms", "50.0 ms"]);
        assert_eq!(limits(Some(400_000)), ["40.0 ms", "200 ms"]);
    }
}
