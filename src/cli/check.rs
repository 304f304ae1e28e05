//! Arguments of `hlswarm check`: a URL, a file, or standard input.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use super::{RequestArgs, Target};
use crate::hls::VariantChoice;
use crate::player::Profile;
use crate::vocabulary::SecretUrl;

/// Stream or playlist to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A stream: one client plays it.
    Stream(Target),
    /// A playlist file: it is only read.
    File(PathBuf),
    /// A playlist on standard input.
    Stdin,
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "" => {
                Err("expected an http:// or https:// URL, a playlist file, or - for standard input"
                    .to_owned())
            }
            "-" => Ok(Self::Stdin),
            // A text with `://` is meant as a URL: files are not named like that.
            file if file.starts_with('@') => file.parse().map(Self::Stream),
            url if url.contains("://") => match url.parse() {
                Ok(url) => Ok(Self::Stream(url)),
                Err(why) => Err(format!("{why}, or a playlist file")),
            },
            // `HTTPS:\\host` is a URL to browsers, and to the parser that this program uses.
            text => Ok(match SecretUrl::parse(text) {
                Ok(url) => Self::Stream(Target::Url(url)),
                Err(_) => Self::File(text.into()),
            }),
        }
    }
}

/// `hlswarm check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// URL of a stream, or @FILE with the URL in it; a playlist file, or - for standard input
    #[arg(value_name = "URL|FILE")]
    pub subject: Subject,
    /// Play a stream for this long, or to the end of a shorter VOD
    #[arg(short, long, value_name = "TIME", allow_hyphen_values = true, default_value = "10s", value_parser = super::values::run_length, help_heading = "Load")]
    pub duration: Duration,
    /// Variant to play: highest, lowest, first, a bandwidth such as 2500k, or all
    #[arg(long, value_name = "V", default_value = "highest", help_heading = "Load")]
    pub variant: VariantChoice,
    /// Player that the client imitates: web (hls.js), ffmpeg, native (Chromium's own), persistent (never stops
    /// retrying) or patient (the same, but waits as long as Retry-After asks)
    #[arg(long, value_name = "PLAYER", default_value = "web", value_parser = Profile::named, help_heading = "Load")]
    pub player: &'static Profile,
    /// Options for requests.
    #[command(flatten)]
    pub requests: RequestArgs,
    /// Print the result as JSON
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_scheme_and_everything_else_is_a_file() {
        assert_eq!("-".parse(), Ok(Subject::Stdin));
        assert_eq!("@url.txt".parse(), Ok(Subject::Stream(Target::File("url.txt".into()))));
        assert_eq!("./@a.m3u8".parse(), Ok(Subject::File("./@a.m3u8".into())));
        assert_eq!("a.m3u8".parse(), Ok(Subject::File("a.m3u8".into())));
        assert_eq!("a:b/c.m3u8".parse(), Ok(Subject::File("a:b/c.m3u8".into())));
        for url in ["http://h/a.m3u8", "HTTPS:\\\\u:hunter2@h\\a", "https:h/a"] {
            assert!(matches!(url.parse(), Ok(Subject::Stream(_))), "{url}");
        }
        for bad in ["ftp://h/a", "file:///etc/passwd", "http://", ""] {
            let error = bad.parse::<Subject>().expect_err(bad);
            assert!(error.contains("expected "), "{error}");
        }
    }
}
