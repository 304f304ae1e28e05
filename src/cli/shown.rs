//! The command line as a report may show it.

use std::ffi::OsString;

use crate::net::Proxy;
use crate::verdict::Threshold;
use crate::vocabulary::secret_shape::{self, HIDDEN};
use crate::vocabulary::{SecretUrl, Untrusted};

/// Options whose values are never shown.
const SECRET: [&str; 3] = ["--header", "--header-env", "--user-agent"];
/// Options whose values are file names. They are shown, because the operator chose them and wants to find the files.
const FILES: [&str; 9] = [
    "--report",
    "--record",
    "--log-file",
    "--cacert",
    "--client-cert",
    "--client-key",
    "--cookie-jar",
    "--control",
    "--data",
];

/// Returns the command line as a report may show it: URLs redacted, values of headers left out.
pub fn shown_command(args: impl IntoIterator<Item = OsString>) -> String {
    let mut shown = vec!["hlswarm".to_owned()];
    let mut before = String::new();
    for arg in args.into_iter().skip(1) {
        let arg = arg.to_string_lossy().into_owned();
        shown.push(match arg.split_once('=').filter(|(name, _)| name.starts_with("--")) {
            Some((name, given)) => format!("{}={}", value("", name), value(name, given)),
            None => value(&before, &arg),
        });
        before = arg;
    }
    shown.join(" ")
}

/// Returns `given` as a report may show it; `option` is its option, or just the argument before it.
pub(super) fn value(option: &str, given: &str) -> String {
    if SECRET.contains(&option) {
        return format!("'{HIDDEN}'");
    }
    if option == "--proxy" {
        // Without its password; a text that is not a URL may be one.
        let shown = given.parse::<Proxy>().map(|proxy| proxy.to_string());
        return if given == "env" { given.to_owned() } else { shown.unwrap_or_else(|_| HIDDEN.to_owned()) };
    }
    if FILES.contains(&option) {
        return Untrusted::new(given).shown();
    }
    match SecretUrl::parse(given) {
        Ok(url) => url.to_string(),
        Err(_) if given.contains("://") => HIDDEN.to_owned(),
        Err(_) if option == "--fault" => Untrusted::new(given).shown(),
        // An expression that can be read has no room for a secret.
        Err(_) if option == "--threshold" && Threshold::parse(given).is_ok() => Untrusted::new(given).shown(),
        Err(_) => Untrusted::new(&secret_shape::shown_text(given)).shown(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(args: &[&str]) -> String {
        shown_command(["hlswarm"].iter().chain(args).map(OsString::from))
    }

    #[test]
    fn the_shown_command_holds_no_secret() {
        let line = shown(&[
            "run",
            "http://u:hunter2@h/a.m3u8?t=hunter2",
            "-c",
            "5",
            "--header=X:hunter2",
            "--user-agent=hunter2",
            "--header",
            "Cookie: hunter2",
            "--header-env=X=HUNTER2",
            "--proxy",
            "http://u:hunter2@proxy:3128",
            "--proxy=hunter2 hunter2",
            "--proxy=u:hunter2@proxy:3128",
            "--proxy=env",
            "--report",
            "out=1.json",
            "--threshold",
            "http_errors{503}==0",
            "--threshold=token=hunter2",
        ]);
        assert_eq!(
            line,
            "hlswarm run http://h/a.m3u8?*** -c 5 --header='***' --user-agent='***' --header '***' \
             --header-env='***' --proxy http://proxy:3128 --proxy=*** --proxy=http://proxy:3128 --proxy=env --report out=1.json --threshold http_errors{503}==0 \
             --threshold=token=***"
        );
    }

    #[test]
    fn odd_spellings_of_a_url_are_redacted_too() {
        for url in [
            "HTTPS:\\\\u:hunter2@h\\a?hunter2#hunter2",
            " https://u:hunter2@h/a?hunter2",
            "https:u:hunter2@h/a?hunter2",
            "hTTps:///u:hunter2@h/a?hunter2",
            "https://u:hunter2@h/a;hunter2",
            "https://h/eyJhbGciOiJIUzI1NiJ9.hunter2hunter2hunter2.c2ln/a",
        ] {
            let line = shown(&["run", url]);
            assert!(line.starts_with("hlswarm run https://h/") && !line.contains("hunter2"), "{line}");
        }
    }
}
