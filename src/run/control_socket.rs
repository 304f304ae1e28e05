//! The socket of `--control`: binds it before the load, serves it on a thread of its own, and removes it at the end.
//!
//! * A Unix socket is created with mode 0600: at no time can others connect. A socket that nothing serves any more is
//!   replaced, one that a run serves is not.
//! * A port has a random token, in a file of mode 0600 in the folder of this user's session.
//! * The files are removed by `main`, after the work is done or abandoned: so every way out removes them, but for a kill.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rand::TryRng as _;
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::{Failure, calibration_file, files, stdio, threads};
use crate::config::{ConfigError, RunConfig};
use crate::control_api::{Api, ApiParts, Guard};
use crate::local_http::{Address, Listener, serve};
use crate::sample::{SamplerHandle, Sources};
use crate::tui::DocRequest;
use crate::vocabulary::Command;

const LIVE: &str = "another process listens there; expected a path of its own for each run";
const TOO_LONG: &str = "expected a shorter path: a Unix socket has at most 107 bytes (macOS: 103)";
const NO_FOLDER: &str =
    "there is no folder for its token; set XDG_RUNTIME_DIR, or give a path for a Unix socket";

/// Files that the end of the process removes.
static CREATED: Mutex<Vec<Created>> = Mutex::new(Vec::new());

/// A file that this process has created. Its path may have another file by the end.
struct Created {
    path: PathBuf,
    identity: (u64, u64),
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let file = fs::symlink_metadata(path)?;
    Ok((file.dev(), file.ino()))
}

/// Removes the file at `path` when the process ends.
fn remove_at_end(path: PathBuf) -> io::Result<()> {
    let identity = identity(&path)?;
    CREATED.lock().unwrap_or_else(PoisonError::into_inner).push(Created { path, identity });
    Ok(())
}

/// Removes the files that this process has created.
pub(super) fn remove_files() {
    for Created { path, identity: created } in
        CREATED.lock().unwrap_or_else(PoisonError::into_inner).drain(..)
    {
        if identity(&path).is_ok_and(|found| found == created) {
            // If it is gone by now, nothing is left to do.
            _ = fs::remove_file(&path);
        }
    }
}

/// A socket that is bound and not served yet.
pub(super) struct BoundControl {
    socket: Socket,
    guard: Guard,
}

enum Socket {
    Unix(UnixListener),
    Tcp(TcpListener),
}

impl BoundControl {
    /// Binds the socket and says where it is.
    pub(super) fn bind(address: &Address) -> Result<Self, ConfigError> {
        let bound = match address {
            Address::Unix(path) => Self::bind_path(path),
            Address::Tcp(asked) => Self::bind_port(*asked),
        };
        let (bound, place) =
            bound.map_err(|reason| ConfigError::Control { address: address.to_string(), reason })?;
        stdio::say(&format!("hlswarm: control: {place}"));
        Ok(bound)
    }

    fn bind_path(path: &Path) -> Result<(Self, String), String> {
        let listener = unix_listener(path)?;
        let prepared = listener.set_nonblocking(true).and_then(|()| remove_at_end(path.to_owned()));
        prepared.map_err(|error| error.to_string())?;
        Ok((
            Self { socket: Socket::Unix(listener), guard: Guard::Owner },
            Address::Unix(path.into()).to_string(),
        ))
    }

    fn bind_port(asked: SocketAddr) -> Result<(Self, String), String> {
        let bind = || {
            let listener = TcpListener::bind(asked)?;
            listener.set_nonblocking(true)?;
            Ok((listener.local_addr()?, listener))
        };
        let (address, listener) = bind().map_err(|error: io::Error| error.to_string())?;
        let (token, file) = (random_token()?, token_file(address).ok_or(NO_FOLDER)?);
        // The address is ours, so a token of it that is there is of a run that was killed.
        let written = calibration_file::prepare(&file)
            .and_then(|()| files::replace_private(&file, format!("{token}\n").as_bytes()))
            .and_then(|()| remove_at_end(file.clone()));
        let shown = Address::Unix(file);
        written.map_err(|error| format!("the token cannot be written to {shown}: {error}"))?;
        let guard = Guard::Token { host: address.to_string(), token };
        Ok((
            Self { socket: Socket::Tcp(listener), guard },
            format!("http://{address}/v1/ (token in {shown})"),
        ))
    }

    /// Starts to serve. The channels lead to the controller of the run, and to its documents.
    pub(super) fn serve(
        self,
        config: &RunConfig,
        sources: &Sources,
        sampler: &SamplerHandle,
        (commands, documents): (flume::Sender<Command>, flume::Sender<DocRequest>),
    ) -> Result<Control, Failure> {
        let parts = ApiParts {
            guard: self.guard,
            run_id: config.run_id.clone(),
            target: config.target(),
            is_search: config.search.is_some(),
            clock: sources.clock,
            status: Arc::clone(&sources.status),
            samples: sampler.samples(),
            commands,
            documents,
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let mut runtime = Builder::new_current_thread();
        runtime.enable_all();
        let thread = threads::start("control-api", runtime, move || {
            let listener = match self.socket {
                Socket::Unix(listener) => Listener::Unix(tokio::net::UnixListener::from_std(listener)?),
                Socket::Tcp(listener) => Listener::Tcp(tokio::net::TcpListener::from_std(listener)?),
            };
            Ok(async move {
                tokio::select! {
                    () = serve(listener, Arc::new(Api::new(parts))) => {}
                    // Sent or dropped, both end it.
                    _ = stopped => {}
                }
            })
        });
        thread.map_err(|error| {
            Failure::no_thread("the control socket (without --control there is none)", &error)
        })?;
        Ok(Control { _stop: stop })
    }
}

/// A served socket; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Control {
    _stop: oneshot::Sender<()>,
}

/// Binds a socket for its owner alone. One that a dead process has left is replaced.
fn unix_listener(path: &Path) -> Result<UnixListener, String> {
    match bind_private(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            remove_stale(path)?;
            bind_private(path)
        }
        bound => bound,
    }
    .map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => LIVE.to_owned(),
        io::ErrorKind::InvalidInput => TOO_LONG.to_owned(),
        _ => format!("{error}; expected a free path in an existing directory"),
    })
}

fn bind_private(path: &Path) -> io::Result<UnixListener> {
    // The umask is that of the whole process. Of its threads only those of signals and streams run by now: they create
    // no files.
    let before = rustix::process::umask(Mode::XUSR | Mode::RWXG | Mode::RWXO);
    let bound = UnixListener::bind(path);
    rustix::process::umask(before);
    bound
}

/// Removes a socket that nothing serves.
fn remove_stale(path: &Path) -> Result<(), String> {
    let found = fs::symlink_metadata(path).map_err(|error| error.to_string())?;
    if !found.file_type().is_socket() {
        return Err("a file that is no socket is there; expected a free path".to_owned());
    }
    if !is_stale(path) {
        return Err(LIVE.to_owned());
    }
    // Another run may replace it at the same time. Take the name away first: only one of both gets the stale socket.
    let mut name = OsString::from(".hlswarm-");
    name.push(std::process::id().to_string());
    let taken = path.with_file_name(name);
    fs::rename(path, &taken).map_err(|error| error.to_string())?;
    if is_stale(&taken) {
        return fs::remove_file(&taken).map_err(|error| error.to_string());
    }
    _ = fs::rename(&taken, path);
    Err(LIVE.to_owned())
}

/// Reports whether nothing accepts connections at a socket. Does not wait for a process that is too busy to accept.
fn is_stale(path: &Path) -> bool {
    let connect = || {
        let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
        rustix::io::ioctl_fionbio(&socket, true)?;
        rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)
    };
    connect() == Err(Errno::CONNREFUSED)
}

/// Returns a token of 256 random bits.
fn random_token() -> Result<String, String> {
    let mut bytes = [0; 32];
    rand::rngs::SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|_| "the system provides no random numbers".to_owned())?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Returns the file of the token of an address: in the folder of the user's session, which ends with it, or else in that of
/// state. `None` if the environment names neither.
pub(super) fn token_file(address: SocketAddr) -> Option<PathBuf> {
    let session =
        std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let folder = session.or_else(|| Some(calibration_file::path()?.parent()?.to_owned()))?;
    Some(folder.join(token_name(address)))
}

/// Returns the name of that file. Runs can have the same port at different addresses.
fn token_name(address: SocketAddr) -> String {
    format!("hlswarm-control-{}-{}.token", address.ip(), address.port())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_socket_is_for_its_owner_alone_and_a_stale_one_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("c.sock");
        let first = unix_listener(&path).expect("bound");
        let mode = fs::metadata(&path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert_eq!(unix_listener(&path).expect_err("live"), LIVE);
        drop(first);
        let second = unix_listener(&path).expect("replaced");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
        drop(second);
        fs::remove_file(&path).expect("removed");
        fs::write(&path, "text").expect("written");
        assert!(unix_listener(&path).expect_err("a file").contains("no socket"));
        assert_eq!(fs::read_to_string(&path).expect("kept"), "text");
        assert_eq!(unix_listener(&folder.path().join("x".repeat(120))).expect_err("long"), TOO_LONG);
        let wrong = unix_listener(&folder.path().join("none/c.sock")).expect_err("no folder");
        assert!(wrong.ends_with("in an existing directory"), "{wrong}");
    }

    #[test]
    fn only_the_file_that_was_created_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let [ours, theirs] = ["a", "b"].map(|name| folder.path().join(name));
        for path in [&ours, &theirs] {
            fs::write(path, "").expect("written");
            remove_at_end(path.clone()).expect("there");
        }
        // A new file beside the old one, so that the two have different numbers.
        fs::write(folder.path().join("new"), "new").expect("written");
        fs::rename(folder.path().join("new"), &theirs).expect("replaced");
        remove_files();
        assert!(!ours.exists() && theirs.exists());
    }

    #[test]
    fn each_address_has_a_token_of_its_own() {
        let names = ["127.0.0.1:80", "127.0.0.2:80", "[::1]:80", "127.0.0.1:81"]
            .map(|text| token_name(text.parse().expect(text)));
        assert_eq!(
            names,
            ["127.0.0.1-80", "127.0.0.2-80", "::1-80", "127.0.0.1-81"]
                .map(|place| format!("hlswarm-control-{place}.token"))
        );
    }

    #[test]
    fn tokens_are_long_and_differ() {
        let [one, other] = [random_token(), random_token()].map(|token| token.expect("random"));
        assert!(one.len() == 64 && one != other);
    }
}
