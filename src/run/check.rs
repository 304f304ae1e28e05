//! `check`: plays a stream with one client and reports its findings, or only reads a playlist file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::secrets::warn_of_shown;
use super::{ExitStatus, Failure, control_runtime, stdio};
use crate::cli::{CheckArgs, Subject};
use crate::config::{ConfigError, check_config, shown_file, target};
use crate::hls::Playlist;
use crate::report::check::{self, CheckReport, Hosts, Loaded, Understood};
use crate::vocabulary::{SecretUrl, Untrusted, exit_code, limits, secret_shape};

/// Playlists that one client can read before the check looks at them; a check lasts for seconds.
const PLAYLISTS: usize = 4_096;

/// Maximum time that the reader of standard output gets for the findings about a stream: a pager reads page by page.
const PRINT_LIMIT: Duration = Duration::from_secs(3);

/// Checks the given stream or file, and prints the findings.
pub(super) fn check(args: CheckArgs, command: String) -> Result<ExitStatus, Failure> {
    let json = args.json;
    // Signals end a check that only reads a file. A check that has loaded a stream has to end by itself.
    let mut limit = None;
    let check = match args.subject.clone() {
        Subject::Stream(given) => {
            limit = Some(PRINT_LIMIT);
            warn_of_shown(std::iter::once(&given));
            check_stream(target(given).map_err(ConfigError::from)?, args, command)?
        }
        Subject::File(path) => {
            let bytes = read_file(&path).map_err(|error| unreadable(&no_file(&path), &error))?;
            CheckReport::from_bytes(shown_file(&path), &bytes)
        }
        Subject::Stdin => {
            let bytes = read(io::stdin().lock()).map_err(|error| unreadable("-", &error))?;
            CheckReport::from_bytes("standard input".to_owned(), &bytes)
        }
    };
    let page = if json { check.json().unwrap_or_default() } else { check::text(&check) };
    let printed = stdio::print(&page, limit);
    Ok(ExitStatus::from(if printed.is_err() { exit_code::UNWRITTEN } else { check.exit_code }))
}

fn check_stream(url: SecretUrl, args: CheckArgs, command: String) -> Result<CheckReport, Failure> {
    let (playlist_tap, read) = flume::bounded(PLAYLISTS);
    let source = url.to_string();
    let mut hosts = Hosts::default();
    let (ended, scope) = control_runtime()?.block_on(async {
        let signals = super::signals()?;
        let config = check_config(url, args, command, playlist_tap)?;
        let scope = Arc::clone(&config.clients.cast.first.net.scope);
        Ok::<_, Failure>((super::load(config, signals).await?, scope))
    })?;
    let mut seen = Seen::default();
    for (url, playlist) in read.drain() {
        hosts.add(&scope, &url, &playlist);
        seen.add(url, playlist);
    }
    let (lists, report) = (seen.lists(), ended.report(None));
    let hosts = hosts.with_run(&report, &scope);
    Ok(CheckReport::from_run(source, seen.entry.unwrap_or_default(), lists, hosts, report))
}

/// Playlists that the client read.
#[derive(Default)]
struct Seen {
    /// The first playlist: the one at the given URL.
    entry: Option<Understood>,
    /// Media playlists in the order of their first load: the last version of each, and the number of versions.
    media: Vec<(SecretUrl, Arc<Playlist>, u64)>,
}

impl Seen {
    fn add(&mut self, url: SecretUrl, playlist: Arc<Playlist>) {
        self.entry.get_or_insert_with(|| Understood::from(&*playlist));
        if playlist.media().is_none() {
            return;
        }
        match self.media.iter_mut().find(|(known, ..)| *known == url) {
            Some((_, last, versions)) => (*last, *versions) = (playlist, *versions + 1),
            None => self.media.push((url, playlist, 1)),
        }
    }

    fn lists(&self) -> Vec<Loaded> {
        let lists = self.media.iter().map(|(url, last, versions)| Loaded {
            source: url.to_string(),
            versions: *versions,
            understood: Understood::from(&**last),
        });
        lists.collect()
    }
}

/// Returns the name to show for a file that does not exist. It may be a URL without its scheme, so parts that look
/// like a secret are left out.
fn no_file(path: &Path) -> String {
    Untrusted::new(&secret_shape::shown_path(&path.to_string_lossy())).shown()
}

fn unreadable(source: &str, error: &io::Error) -> Failure {
    Failure::Config(ConfigError::Playlist { path: source.to_owned(), reason: error.to_string() })
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::IsADirectory,
            "this is a directory; expected a playlist file",
        ));
    }
    read(file)
}

/// Reads a playlist and one byte more than the limit: that byte shows that it is too large.
fn read(source: impl io::Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(limits::PLAYLIST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
