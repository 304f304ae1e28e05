//! Quantities of an origin that exporters tell.

use crate::vocabulary::units;

/// Declares the closed list of quantities: variant, name in reports, words for people, meaning.
macro_rules! quantities {
    ($($variant:ident $name:literal $words:literal $meaning:literal,)+) => {
        /// A quantity of an origin.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum OriginQuantity { $(#[doc = $meaning] $variant,)+ }

        impl OriginQuantity {
            /// All quantities, in the order of every table.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$variant,)+];

            /// Number of quantities.
            pub const COUNT: usize = [$($name,)+].len();

            /// Returns the name in reports, which ends with the unit.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Returns the words on a screen and in a text.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$variant => $words,)+ }
            }
        }
    };
}

quantities! {
    Cpu "cpu_share" "CPU" "Busy share of all cores together.",
    BitsOut "network_out_bits_per_second" "out" "Bits per second that network cards sent.",
    BitsIn "network_in_bits_per_second" "in" "Bits per second that network cards received.",
    Memory "memory_available_bytes" "memory available" "Bytes that programs can still get.",
    Load "load_1m" "load" "Mean number of runnable tasks over a minute.",
    Connections "connections" "conns" "Open connections of the web server.",
    Reading "connections_reading" "reading" "Connections whose request is being read.",
    Writing "connections_writing" "writing" "Connections whose response is being written.",
    Waiting "connections_waiting" "waiting" "Idle connections.",
    Requests "requests_per_second" "req/s" "Requests per second of the web server.",
}

impl OriginQuantity {
    /// Returns the index in a table of [`OriginQuantity::COUNT`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Formats a value with its unit.
    pub fn shown(self, value: Option<f64>) -> String {
        let Some(value) = value else { return units::UNKNOWN.to_owned() };
        match self {
            Self::Cpu => units::percent(Some(value)),
            Self::BitsOut | Self::BitsIn => units::bit_rate(value),
            Self::Memory => units::bytes(value as u64),
            Self::Load => units::number(value),
            Self::Requests => units::rate(Some(value)),
            Self::Connections | Self::Reading | Self::Writing | Self::Waiting => units::count(value as u64),
        }
    }
}

/// A value of each quantity; `None` where it is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OriginValues([Option<f64>; OriginQuantity::COUNT]);

impl OriginValues {
    /// Creates values, each by its quantity.
    pub fn from_fn(value: impl Fn(OriginQuantity) -> Option<f64>) -> Self {
        Self(OriginQuantity::ALL.map(value))
    }

    /// Returns a value.
    pub fn get(&self, quantity: OriginQuantity) -> Option<f64> {
        self.0.get(quantity.index()).copied().flatten()
    }

    /// Returns the values of both by the same rule; one alone stands for both.
    pub fn both(&self, other: &Self, rule: fn(f64, f64) -> f64) -> Self {
        Self::from_fn(|quantity| match (self.get(quantity), other.get(quantity)) {
            (Some(mine), Some(theirs)) => Some(rule(mine, theirs)),
            (mine, theirs) => mine.or(theirs),
        })
    }

    /// Reports whether a value is known.
    pub fn is_known(&self) -> bool {
        self.0.iter().any(Option::is_some)
    }
}
