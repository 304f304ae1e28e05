//! Member of the mix of clients: `70 player=web variant=lowest session-length=exp:5m`.

use std::str::FromStr;

use crate::hls::VariantChoice;
use crate::player::{Profile, SessionLength};

const ACCEPTED: &str = "expected a share and what differs from the other options, such as \
                        '70 player=web variant=lowest session-length=5m'";

/// Part of the clients that watch in the same way; what is not set is as for all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MixMember {
    /// Share among all members.
    pub share: u32,
    /// Player that they imitate.
    pub player: Option<&'static Profile>,
    /// Variant that they play.
    pub variant: Option<VariantChoice>,
    /// Length of their sessions.
    pub session_length: Option<SessionLength>,
    /// The member as it was given.
    pub given: String,
}

impl FromStr for MixMember {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split_whitespace();
        let share = words.next().unwrap_or_default();
        let share = super::target::weight(share.strip_suffix('%').unwrap_or(share)).ok_or(ACCEPTED)?;
        let given = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut member = Self { share, given, ..Self::default() };
        for word in words {
            let (key, value) = word.split_once('=').ok_or(ACCEPTED)?;
            let wrong = |why: String| format!("{key}: {why}");
            match key {
                "player" => member.player = Some(Profile::named(value).map_err(wrong)?),
                "variant" => member.variant = Some(value.parse().map_err(|why| format!("variant: {why}"))?),
                "session-length" => {
                    member.session_length = Some(super::values::session(value).map_err(wrong)?);
                }
                _ => {
                    return Err("expected player=, variant= or session-length= after the share".to_owned());
                }
            }
        }
        Ok(member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_has_a_share_and_what_differs() {
        let member: MixMember =
            " 70%  player=ffmpeg   variant=lowest session-length=exp:5m ".parse().expect("valid");
        assert_eq!((member.share, member.player.map(|player| player.name)), (70, Some("ffmpeg")));
        assert_eq!(member.session_length.map(|length| length.to_string()).as_deref(), Some("exp:5 m 00 s"));
        assert_eq!(member.given, "70% player=ffmpeg variant=lowest session-length=exp:5m");
        assert!(member.variant.is_some());
        for (text, expected) in [
            ("", "expected a share"),
            ("web", "expected a share"),
            ("0 player=web", "expected a share"),
            ("70 web", "expected a share"),
            ("70 player=vlc", "player: expected"),
            ("70 variant=best", "variant: expected"),
            ("70 session-length=soon", "session-length: expected"),
            ("70 bandwidth=5M", "expected player=, variant= or session-length="),
        ] {
            let said = text.parse::<MixMember>().expect_err(text);
            assert!(said.starts_with(expected) && !said.contains('\n'), "{text}: {said}");
        }
    }
}
