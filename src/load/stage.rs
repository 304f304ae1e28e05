//! Stage of a plan as people write it: `ramp to 500 in 2m`, `hold 10m`, `spike +300 for 30s`, `down in 1m`, `jump to 300`,
//! `wave 100..500 every 2m for 10m`, or `2m:500` as in k6.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::vocabulary::{limits, units};

/// Examples of all stages, for errors.
const ACCEPTED: &str = "expected stages such as 'ramp to 500 in 2m', 'hold 10m', 'spike +300 for 30s', 'down in 1m', \
                        'down to 100 in 1m', 'jump to 300', 'wave 100..500 every 2m for 10m' or 2m:500";

/// Most waves of a stage.
const WAVES: u32 = 50;

/// One stage of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// So many clients, reached along a line in this time; zero: at once.
    Ramp {
        /// Clients at its end.
        to: u32,
        /// Time that it takes.
        takes: Duration,
    },
    /// The same with fewer clients than before.
    Down {
        /// Clients at its end.
        to: u32,
        /// Time that it takes.
        takes: Duration,
    },
    /// The same number of clients for this time.
    Hold(Duration),
    /// So many more clients, all at once, for this time.
    Spike {
        /// Clients in addition to those before.
        more: u32,
        /// Time that they stay.
        lasts: Duration,
    },
    /// A sine between two numbers of clients, from the lower one on.
    Wave {
        /// Fewest clients.
        low: u32,
        /// Most clients.
        high: u32,
        /// Time from one low to the next.
        every: Duration,
        /// Time that all waves take.
        lasts: Duration,
    },
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Ramp { to, takes: Duration::ZERO } => write!(f, "jump to {to}"),
            Self::Ramp { to, takes } => write!(f, "ramp to {to} in {}", units::duration(takes)),
            Self::Down { to: 0, takes } => write!(f, "down in {}", units::duration(takes)),
            Self::Down { to, takes } => write!(f, "down to {to} in {}", units::duration(takes)),
            Self::Hold(length) => write!(f, "hold {}", units::duration(length)),
            Self::Spike { more, lasts } => write!(f, "spike +{more} for {}", units::duration(lasts)),
            Self::Wave { low, high, every, lasts } => {
                let [every, lasts] = [every, lasts].map(units::duration);
                write!(f, "wave {low}..{high} every {every} for {lasts}")
            }
        }
    }
}

impl FromStr for Stage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if let Some((takes, to)) = text.split_once(':') {
            return Ok(Self::Ramp { to: clients(to)?, takes: time(takes)? });
        }
        let (verb, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim_start();
        let verb = &*verb.to_ascii_lowercase();
        match verb {
            "ramp" => {
                let (to, takes) = pair(to(rest, verb)?, " in ", "ramp to 500 in 2m")?;
                Ok(Self::Ramp { to, takes })
            }
            "down" => match rest.strip_prefix("in ") {
                Some(takes) => Ok(Self::Down { to: 0, takes: time(takes)? }),
                None => {
                    let (to, takes) = pair(to(rest, verb)?, " in ", "down to 100 in 1m")?;
                    Ok(Self::Down { to, takes })
                }
            },
            "jump" => Ok(Self::Ramp { to: clients(to(rest, verb)?)?, takes: Duration::ZERO }),
            "hold" => Ok(Self::Hold(above_zero(rest.strip_prefix("for ").unwrap_or(rest))?)),
            "spike" => {
                let rest = rest.strip_prefix('+').ok_or("a spike: expected 'spike +300 for 30s'")?;
                let (more, lasts) = pair(rest, " for ", "spike +300 for 30s")?;
                if more == 0 || lasts.is_zero() {
                    return Err("a spike: expected more than no clients for some time".to_owned());
                }
                Ok(Self::Spike { more, lasts })
            }
            "wave" => wave(rest),
            _ => Err(ACCEPTED.to_owned()),
        }
    }
}

/// Parses what follows the word `wave`.
fn wave(rest: &str) -> Result<Stage, String> {
    let wrong = || "a wave: expected 'wave 100..500 every 2m for 10m'".to_owned();
    let (levels, times) = rest.split_once(" every ").ok_or_else(wrong)?;
    let (low, high) = levels.split_once("..").ok_or_else(wrong)?;
    let (every, lasts) = times.split_once(" for ").ok_or_else(wrong)?;
    let (low, high, every, lasts) = (clients(low)?, clients(high)?, time(every)?, time(lasts)?);
    if low >= high || every.is_zero() {
        return Err("a wave: expected fewer clients before '..' than after it, and a time above 0".to_owned());
    }
    if lasts < every || lasts > every * WAVES {
        return Err(format!(
            "a wave: expected to last for 1 to {WAVES} times its period, as in 'every 2m for 10m'"
        ));
    }
    Ok(Stage::Wave { low, high, every, lasts })
}

/// Returns what follows the word `to`.
fn to<'a>(rest: &'a str, verb: &str) -> Result<&'a str, String> {
    let found = rest.strip_prefix("to ");
    found.ok_or_else(|| format!("a stage that begins with {verb}: expected '{verb} to CLIENTS'; {ACCEPTED}"))
}

/// Splits a number of clients and a time at this word.
fn pair(text: &str, word: &str, example: &str) -> Result<(u32, Duration), String> {
    let (count, length) =
        text.split_once(word).ok_or_else(|| format!("a stage without a time: expected '{example}'"))?;
    Ok((clients(count)?, time(length)?))
}

fn clients(text: &str) -> Result<u32, String> {
    let count = units::parse_count(text).ok().and_then(|count| u32::try_from(count).ok());
    let most = limits::CLIENTS;
    count.filter(|count| *count <= most).ok_or_else(|| {
        format!(
            "the clients of a stage: expected a whole number up to {}; {ACCEPTED}",
            units::count(most.into())
        )
    })
}

/// Parses a time in whole milliseconds: a finer plan could not be followed.
fn time(text: &str) -> Result<Duration, String> {
    let length = units::parse_duration(text).map_err(|why| format!("the time of a stage: {why}"))?;
    Ok(Duration::from_millis(u64::try_from(length.as_millis()).unwrap_or(u64::MAX)))
}

fn above_zero(text: &str) -> Result<Duration, String> {
    let length = time(text)?;
    if length.is_zero() {
        Err("the time of a hold: expected more than 0, such as 10m".to_owned())
    } else {
        Ok(length)
    }
}

/// Stages in one text, separated by commas. A comma before three digits is one of a number: `ramp to 1,000 in 2m`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageList(pub Vec<Stage>);

impl FromStr for StageList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        split(text).into_iter().map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut rest, mut from) = (text, 0);
    while let Some(comma) = rest.get(from..).and_then(|tail| tail.find(',')).map(|at| from + at) {
        let (before, after) = rest.split_at(comma);
        let after = &after[1..];
        if separates_thousands(before, after) {
            from = comma + 1;
        } else {
            parts.push(before);
            (rest, from) = (after, 0);
        }
    }
    parts.push(rest);
    parts
}

fn separates_thousands(before: &str, after: &str) -> bool {
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    let next = after.as_bytes().get(digits);
    digits == 3
        && before.ends_with(|c: char| c.is_ascii_digit())
        && next.is_none_or(|byte| byte.is_ascii_whitespace() || *byte == b',')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn stages_are_read_as_people_write_them() {
        for (text, expected) in [
            ("ramp to 500 in 2m", Stage::Ramp { to: 500, takes: seconds(120) }),
            ("  Ramp to 2.5k in 1m30s ", Stage::Ramp { to: 2_500, takes: seconds(90) }),
            ("2m:500", Stage::Ramp { to: 500, takes: seconds(120) }),
            ("30s: 0", Stage::Ramp { to: 0, takes: seconds(30) }),
            ("jump to 300", Stage::Ramp { to: 300, takes: seconds(0) }),
            ("hold 10m", Stage::Hold(seconds(600))),
            ("hold for 10m", Stage::Hold(seconds(600))),
            ("spike +300 for 30s", Stage::Spike { more: 300, lasts: seconds(30) }),
            (
                "wave 100..500 every 2m for 10m",
                Stage::Wave { low: 100, high: 500, every: seconds(120), lasts: seconds(600) },
            ),
            ("down in 1m", Stage::Down { to: 0, takes: seconds(60) }),
            ("down to 1,000 in 1m", Stage::Down { to: 1_000, takes: seconds(60) }),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn commas_separate_stages_and_thousands() {
        let parts = |text: &'static str| split(text).into_iter().map(str::trim).collect::<Vec<_>>();
        assert_eq!(parts("ramp to 1,000 in 2m, hold 10m"), ["ramp to 1,000 in 2m", "hold 10m"]);
        assert_eq!(parts("30s:100,1m:1,000,100s:5"), ["30s:100", "1m:1,000", "100s:5"]);
        assert_eq!(parts("jump to 1,000,000"), ["jump to 1,000,000"]);
        assert_eq!(parts(","), ["", ""]);
    }

    #[test]
    fn a_wrong_stage_is_refused_with_what_is_accepted() {
        for (text, expected) in [
            ("", "expected stages such as"),
            ("hold", "the time of a stage: expected a duration"),
            ("hold 0", "expected more than 0"),
            ("ramp 500 in 2m", "expected 'ramp to CLIENTS'"),
            ("ramp to 500", "expected 'ramp to 500 in 2m'"),
            ("ramp to 2M in 2m", "expected a whole number up to 1,000,000"),
            ("ramp to 500 in soon", "the time of a stage: expected a duration"),
            ("spike 300 for 30s", "expected 'spike +300 for 30s'"),
            ("spike +0 for 30s", "more than no clients"),
            ("wave 5..5 every 2m for 10m", "expected fewer clients"),
            ("wave 5..9 every 2m for 1m", "expected to last for 1 to 50 times"),
            ("wave 5..9 every 1s for 51s", "expected to last for 1 to 50 times"),
            ("wave 5..9 every 0 for 0", "a time above 0"),
            ("wave 5 every 2m", "expected 'wave 100..500 every 2m for 10m'"),
            ("30s:many", "expected a whole number"),
            ("hold 1m,,hold 1m", "expected stages such as"),
        ] {
            let said = text.parse::<StageList>().expect_err(text);
            assert!(said.contains(expected), "{text}: {said}");
        }
    }

    fn stage() -> impl Strategy<Value = Stage> {
        let length = || (1_u64..400_000_000).prop_map(Duration::from_millis);
        prop_oneof![
            (0..=limits::CLIENTS, 0_u64..400_000_000)
                .prop_map(|(to, ms)| Stage::Ramp { to, takes: Duration::from_millis(ms) }),
            (0..=limits::CLIENTS, length()).prop_map(|(to, takes)| Stage::Down { to, takes }),
            length().prop_map(Stage::Hold),
            (1..=limits::CLIENTS, length()).prop_map(|(more, lasts)| Stage::Spike { more, lasts }),
            (0..9_u32, 10..=limits::CLIENTS, 1_u64..7_000_000, 1_u32..=50).prop_map(
                |(low, high, every, times)| {
                    let every = Duration::from_millis(every);
                    Stage::Wave { low, high, every, lasts: every * times }
                }
            ),
        ]
    }

    proptest! {
        #[test]
        fn a_stage_is_read_as_it_was_written(stages in prop::collection::vec(stage(), 1..5)) {
            let text = stages.iter().map(Stage::to_string).collect::<Vec<_>>().join(", ");
            prop_assert_eq!(text.parse(), Ok(StageList(stages)));
        }

        #[test]
        fn any_text_is_a_list_or_one_line(text in "\\PC{0,40}|(ramp|down|hold|spike|jump|wave) [+0-9a-z,:. ]{0,30}") {
            if let Err(said) = text.parse::<StageList>() {
                prop_assert!(!said.contains('\n') && said.contains("expected"), "{said}");
            }
        }
    }
}
