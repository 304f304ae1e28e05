//! Reads a threshold as it is written: `segment_ttfb_p95<500ms over 30s after ramp`.

use std::fmt::{self, Write as _};
use std::time::Duration;

use super::catalogue::{Distribution, Extent, Quantity, RunNumber, Statistic, names, of_sessions};
use super::{After, Threshold};
use crate::verdict::Limit;
use crate::vocabulary::outcome::HttpFailure;
use crate::vocabulary::{Finding, Outcome, secret_shape, units};

/// Maximum length of an expression.
const LENGTH: usize = 200;
/// Maximum length of a word that an error repeats.
const WORD_LENGTH: usize = 40;
/// Shortest window: values are taken once a second.
const WINDOW_MIN: Duration = Duration::from_secs(1);
/// Longest window. Readings of it are kept, each of 50 KB and more.
const WINDOW_MAX: Duration = Duration::from_secs(300);
const SEE: &str = "see 'hlswarm --help thresholds'";

/// Makes the limit of a sign from its number.
type MakeLimit = fn(f64) -> Limit;

/// Signs of comparison, those of two characters first.
const SIGNS: [(&str, MakeLimit); 6] = [
    ("<=", Limit::AtMost),
    (">=", Limit::AtLeast),
    ("==", Limit::Equal),
    ("!=", Limit::Unequal),
    ("<", Limit::Below),
    (">", Limit::Above),
];

impl Threshold {
    /// Reads an expression.
    ///
    /// # Errors
    /// One line that says what was given and what is accepted.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LENGTH {
            return Err(format!("expected at most {LENGTH} characters; {SEE}"));
        }
        let (name, sign, limit, rest) = split(text)?;
        let quantity = quantity(name)?;
        let mut words = rest.split_whitespace().peekable();
        let mut value = String::new();
        while let Some(word) = words.next_if(|word| !["over", "after"].contains(word)) {
            value.push_str(word);
        }
        let measure = quantity.measure();
        let number = measure.parse(&value);
        let number = number.ok_or_else(|| {
            format!("{} {}: expected {}", written(quantity), shown(&value), measure.accepted())
        })?;
        let (over, after) = intervals(&mut words)?;
        if quantity.extent() == Extent::Whole && (over.is_some() || after != After::Start) {
            let name = quantity.name();
            return Err(format!("{name} exists only for the whole run: expected no 'over' and no 'after'"));
        }
        let mut text = written(quantity);
        _ = write!(text, "{sign}{value}");
        if let Some(over) = over {
            _ = write!(text, " over {}", seconds(over));
        }
        let threshold = Self { quantity, limit: limit(number), over, after: After::Start, text: text.into() };
        Ok(threshold.after_warmup(after))
    }

    /// Leaves out the warm-up, unless the expression says itself where it begins, or its quantity exists only for the
    /// whole run.
    pub fn after_warmup(mut self, warmup: After) -> Self {
        if self.after == After::Start && warmup != After::Start && self.quantity.extent() != Extent::Whole {
            self.text = format!("{} after {warmup}", self.text).into();
            self.after = warmup;
        }
        self
    }
}

impl Quantity {
    /// Returns the quantity without a label that has this name; `None` if there is none.
    pub fn named(name: &str) -> Option<Self> {
        number(name).or_else(|| duration(name))
    }
}

impl After {
    /// Reads `ramp` or a time.
    ///
    /// # Errors
    /// The forms that are accepted.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "ramp" {
            return Ok(Self::Ramp);
        }
        let given = time(text).filter(|time| !time.is_zero()).map(Self::Time);
        given.ok_or_else(|| "expected 'ramp' or a time such as 30s".to_owned())
    }
}

impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("start"),
            Self::Ramp => f.write_str("ramp"),
            Self::Time(time) => f.write_str(&seconds(*time)),
        }
    }
}

/// Divides an expression into its quantity, its sign and what follows.
fn split(text: &str) -> Result<(&str, &'static str, MakeLimit, &str), String> {
    let at = text.find(['<', '>', '=', '!']);
    let Some((name, rest)) = at.and_then(|at| text.split_at_checked(at)) else {
        return Err(format!("expected QUANTITY<VALUE, such as error_rate<1%; {SEE}"));
    };
    let sign = SIGNS.into_iter().find_map(|(sign, limit)| Some((sign, limit, rest.strip_prefix(sign)?)));
    let (sign, limit, rest) = sign.ok_or("expected one of < <= > >= == != after the quantity")?;
    Ok((name.trim(), sign, limit, rest))
}

/// Returns the quantity with its label, as an expression writes it.
fn written(quantity: Quantity) -> String {
    let label = quantity.label().map_or(String::new(), |label| format!("{{{label}}}"));
    format!("{}{label}", quantity.name())
}

/// Formats a time so that it reads back the same.
fn seconds(time: Duration) -> String {
    let (seconds, rest) = (time.as_secs(), time.subsec_nanos());
    match (seconds % 60, rest) {
        (0, 0) => format!("{}m", seconds / 60),
        (_, 0) => format!("{seconds}s"),
        _ => format!("{}ms", time.as_millis()),
    }
}

/// Reads `over TIME` and `after ramp` or `after TIME`, each at most once.
fn intervals<'a>(words: &mut impl Iterator<Item = &'a str>) -> Result<(Option<Duration>, After), String> {
    let (mut over, mut after) = (None, After::Start);
    while let Some(word) = words.next() {
        let next = words.next().unwrap_or_default();
        match word {
            "over" if over.is_none() => {
                let given = time(next).filter(|time| (WINDOW_MIN..=WINDOW_MAX).contains(time));
                let wrong = || format!("over {}: expected a time from 1s to 5m, such as 30s", shown(next));
                over = Some(given.ok_or_else(wrong)?);
            }
            "after" if after == After::Start => {
                after = After::parse(next).map_err(|why| format!("after {}: {why}", shown(next)))?;
            }
            _ => {
                return Err(format!("unexpected {}: expected 'over TIME' or 'after TIME' once", shown(word)));
            }
        }
    }
    Ok((over, after))
}

/// Reads a time to the millisecond.
fn time(text: &str) -> Option<Duration> {
    let time = units::parse_duration(text).ok()?;
    u64::try_from(time.as_millis()).ok().map(Duration::from_millis)
}

/// Reads a quantity with its label.
fn quantity(text: &str) -> Result<Quantity, String> {
    let (name, label) = match text.split_once('{') {
        Some((name, label)) => (name.trim(), Some(label)),
        None => (text, None),
    };
    let label = label.map(|label| label.strip_suffix('}').map(str::trim));
    let label = match label {
        Some(None) => return Err(format!("expected a label in braces, such as http_errors{{503}}; {SEE}")),
        Some(Some(label)) => Some(label),
        None => None,
    };
    if let Some(labelled) = labelled(name, label) {
        return labelled;
    }
    let of_sessions = || of_sessions().find(|quantity| quantity.name() == name);
    let found = number(name)
        .or_else(|| duration(name))
        .or_else(of_sessions)
        .ok_or_else(|| unknown("quantity", name, names()))?;
    match label {
        Some(_) => Err(format!("{name} takes no label; {SEE}")),
        None => Ok(found),
    }
}

fn number(name: &str) -> Option<Quantity> {
    RunNumber::ALL.iter().find(|number| number.name() == name).copied().map(Quantity::Number)
}

fn duration(name: &str) -> Option<Quantity> {
    let (of, statistic) = name.rsplit_once('_')?;
    let statistic = Statistic::ALL.into_iter().find(|known| known.name() == statistic)?;
    Distribution::all().find(|known| known.name() == of).map(|of| Quantity::Duration(of, statistic))
}

/// Reads a quantity that takes a label; `None` if the name is not one of those.
fn labelled(name: &str, label: Option<&str>) -> Option<Result<Quantity, String>> {
    Some(match (name, label) {
        ("http_errors", None) => Ok(Quantity::HttpErrors(None)),
        ("http_errors", Some(code)) => match Outcome::from_name(&format!("http.{code}")) {
            Some(Outcome::Http(code)) => Ok(Quantity::HttpErrors(Some(code))),
            _ => Err(format!("http_errors {}: expected a status from 400 to 599, or other", shown(code))),
        },
        ("outcomes", label) => {
            let label = label.unwrap_or_default();
            let known = || {
                let faults = crate::vocabulary::outcome::Fault::ALL.map(|fault| fault.name().to_owned());
                let http = [503, 404].map(|code| Outcome::Http(HttpFailure::new(code)).to_string());
                faults.into_iter().chain(http).chain(["ok".to_owned()])
            };
            Outcome::from_name(label)
                .map(Quantity::Outcomes)
                .ok_or_else(|| unknown("outcome", label, known()))
        }
        ("findings", None) => Ok(Quantity::Findings(None)),
        ("findings", Some(label)) => Finding::ALL
            .into_iter()
            .find(|finding| finding.name() == label)
            .map(|finding| Quantity::Findings(Some(finding)))
            .ok_or_else(|| unknown("finding", label, Finding::ALL.map(|it| it.name().to_owned()))),
        _ => return None,
    })
}

/// Describes a name that is not one of `known`, with the nearest one of these.
fn unknown(what: &str, given: &str, known: impl IntoIterator<Item = String>) -> String {
    let near = known.into_iter().map(|name| (strsim::damerau_levenshtein(given, &name), name));
    let near = near.filter(|(distance, name)| distance * 2 <= name.len());
    let near = near.min_by_key(|(distance, _)| *distance).filter(|_| given.len() <= WORD_LENGTH);
    let given = shown(given);
    near.map_or_else(
        || format!("unknown {what} {given}; {SEE}"),
        |(_, name)| format!("unknown {what} {given}; did you mean '{name}'? {SEE}"),
    )
}

/// Returns a word in quotes, or that it is one, unless it is short and made of names and numbers: it may be anything,
/// even a password.
fn shown(word: &str) -> String {
    let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "_.%/-".contains(c));
    let harmless = word.len() <= WORD_LENGTH && is_plain && secret_shape::shown_text(word) == word;
    match word {
        "" => "without a value".to_owned(),
        _ if harmless => format!("'{word}'"),
        _ => "of a form that is not shown".to_owned(),
    }
}
