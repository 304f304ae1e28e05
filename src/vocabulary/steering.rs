//! Changes of the load that an operator asks for: requests from the control socket, and the words of the answer, which
//! are the same at the keyboard.

use super::units;

/// Reason that the load cannot be changed.
pub const ENDING: &str = "the run is ending: the load can no longer be changed";

/// Change of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steer {
    /// Sets the target to this many clients.
    Target(u32),
    /// Adds clients to the target or, if negative, removes them.
    Adjust(i64),
    /// Adds no client until [`Steer::Resume`].
    Hold,
    /// Resumes the ramp.
    Resume,
}

/// Request of the control socket for a change of the load. It is answered once the change is made; a run that makes
/// no such change any more drops it.
#[derive(Clone, Debug)]
pub struct SteerRequest {
    /// The change.
    pub steer: Steer,
    /// Channel for the answer.
    pub answer: flume::Sender<Steered>,
}

impl PartialEq for SteerRequest {
    fn eq(&self, other: &Self) -> bool {
        self.steer == other.steer && self.answer.same_channel(&other.answer)
    }
}

impl Eq for SteerRequest {}

/// Load after a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steered {
    /// Target before the change.
    pub from: u32,
    /// Target after it.
    pub to: u32,
    /// Reason why the target is lower than asked; `None` if it is not.
    pub limited: Option<String>,
    /// True while the ramp is held.
    pub is_held: bool,
    /// True if stages or arrivals set the target until then.
    pub was_planned: bool,
}

impl Steered {
    /// Describes a change of the target: `target 25, but the ramp is held (p resumes)`. `resumes` says what resumes it.
    pub fn target(&self, resumes: &str) -> String {
        let held = if self.is_held { format!(", but the ramp is held ({resumes})") } else { String::new() };
        let limited = self.limited.as_ref().map_or(String::new(), |why| format!(", {why}"));
        let steers = if self.was_planned { "; you steer now: the plan is off" } else { "" };
        format!("target {}{limited}{held}{steers}", units::count(self.to.into()))
    }

    /// Describes a hold.
    pub fn held(&self, resumes: &str) -> String {
        match self.was_planned {
            true => format!("plan held: its clock stops, no clients are added or removed; {resumes}"),
            false => format!("ramp held: no clients are added; {resumes}"),
        }
    }

    /// Describes the end of a hold.
    pub const fn resumed(&self) -> &'static str {
        if self.was_planned { "plan resumed where it stood" } else { "ramp resumed" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_what_was_done_and_what_stands_in_the_way() {
        let plain = Steered { to: 2_500, ..Steered::default() };
        assert_eq!(plain.target("p resumes"), "target 2,500");
        assert_eq!(plain.held("p resumes"), "ramp held: no clients are added; p resumes");
        let all = Steered {
            limited: Some("limited to 9 clients: why".to_owned()),
            is_held: true,
            was_planned: true,
            ..plain
        };
        assert_eq!(
            all.target("p resumes"),
            "target 2,500, limited to 9 clients: why, but the ramp is held (p resumes); you steer now: the plan is off"
        );
        assert_eq!(all.resumed(), "plan resumed where it stood");
    }
}
