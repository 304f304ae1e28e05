//! A resource that a plan needs more of than there is.

use std::fmt;

use crate::vocabulary::units;

/// Resource that a plan needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supplied {
    /// Open files.
    OpenFiles,
    /// Local ports towards one address.
    Ports,
    /// Memory.
    Memory,
    /// CPU.
    Cpu,
    /// Bits per second, with a hard stop.
    Bandwidth,
    /// Body bytes, with a hard stop.
    Bytes,
    /// Requests, with a hard stop.
    Requests,
}

impl Supplied {
    /// Returns the name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenFiles => "open_files",
            Self::Ports => "ports",
            Self::Memory => "memory_bytes",
            Self::Cpu => "cpu_share",
            Self::Bandwidth => "max_bandwidth",
            Self::Bytes => "max_bytes",
            Self::Requests => "max_requests",
        }
    }

    /// Formats an amount of this resource.
    pub fn amount(self, amount: f64) -> String {
        let whole = amount.round().max(0.0) as u64;
        match self {
            Self::OpenFiles => format!("{} open files", units::count(whole)),
            Self::Ports => format!("{} local ports to one address", units::count(whole)),
            Self::Memory => format!("{} of memory", units::bytes(whole)),
            Self::Cpu => format!("{} of the CPU", units::percent(Some(amount))),
            Self::Bandwidth => units::bit_rate(amount),
            Self::Bytes => units::bytes(whole),
            Self::Requests => units::plural(whole, "request"),
        }
    }
}

/// A resource that a plan needs more of than there is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shortage {
    /// The resource.
    pub what: Supplied,
    /// Amount that the plan needs.
    pub needed: f64,
    /// Amount available.
    pub available: f64,
}

impl fmt::Display for Shortage {
    /// Formats the arithmetic: `12.00 Gb/s and --max-bandwidth is 2.00 Gb/s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [needed, available] = [self.needed, self.available].map(|amount| self.what.amount(amount));
        match self.what {
            Supplied::OpenFiles => {
                let available = units::count(self.available as u64);
                write!(f, "{needed} and this process may open {available}; raise the limit (ulimit -Hn)")
            }
            Supplied::Ports => {
                let available = units::count(self.available as u64);
                write!(f, "{needed} and there are {available} (net.ipv4.ip_local_port_range)")
            }
            Supplied::Memory => write!(f, "{needed} and {} may be used", units::bytes(self.available as u64)),
            Supplied::Cpu => {
                write!(f, "{needed}, and above {} no result is trusted", units::percent(Some(self.available)))
            }
            Supplied::Bandwidth => write!(f, "{needed} and --max-bandwidth is {available}"),
            Supplied::Bytes => write!(f, "{needed} and --max-bytes is {available}"),
            Supplied::Requests => {
                write!(f, "{needed} and --max-requests is {}", units::count(self.available as u64))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortage_shows_its_arithmetic() {
        let said = |what, needed, available| Shortage { what, needed, available }.to_string();
        let files = "541 open files and this process may open 256; raise the limit (ulimit -Hn)";
        assert_eq!(said(Supplied::OpenFiles, 541.0, 256.0), files);
        assert_eq!(said(Supplied::Bandwidth, 12e9, 2e9), "12 Gb/s and --max-bandwidth is 2 Gb/s");
        assert_eq!(said(Supplied::Cpu, 1.5, 0.9), "150.0% of the CPU, and above 90.0% no result is trusted");
    }
}
