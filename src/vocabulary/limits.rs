//! The one table of limits and timeouts. Every input from the network is bounded by a line of this file.

use std::time::Duration;

/// Maximum time for a TCP connection to be accepted.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum time to resolve a name.
pub const DNS_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum time for a TLS handshake.
pub const TLS_TIMEOUT: Duration = Duration::from_secs(5);
/// Minimum progress of a body: at least this many bytes ...
pub const LEAST_PROGRESS_BYTES: u64 = 1024;
/// ... in this time, unless it is complete. No stream plays at 1.6 kbit/s.
pub const LEAST_PROGRESS_TIME: Duration = Duration::from_secs(5);
/// Length of a silence within a body that counts as a pause, which the idle limit ends.
pub const LEAST_PROGRESS_PAUSE: Duration = Duration::from_secs(2);
/// Maximum time for a whole response, in segment durations ...
pub const TOTAL_TIMEOUT_SEGMENTS: u32 = 6;
/// ... but never less than this.
pub const TOTAL_TIMEOUT_MIN: Duration = Duration::from_secs(60);
/// Time that requests in flight may take to finish when the run drains; then they are cancelled.
pub const DRAIN_GRACE: Duration = Duration::from_secs(5);

/// Maximum number of clients against a public host that the operator has not confirmed: enough to try a stream, too
/// few to harm a site that belongs to another.
pub const CLIENTS_UNCONFIRMED: u32 = 50;

/// Maximum bytes that origins can make this process keep; see [`budget`](super::budget). Room for some hundred long
/// windows.
pub const KEPT_BYTES: usize = 64 * 1024 * 1024;
/// Maximum bytes of playlist text that a worker keeps for its other clients: one playlist of the largest accepted
/// size.
pub const LIBRARY_BYTES: usize = PLAYLIST_BYTES;
/// Longest entity tag that is kept. Those of servers have fewer than a hundred bytes.
pub const ETAG_BYTES: usize = 1024;
/// Maximum bytes of all key URLs that a client keeps.
pub const KEY_URL_BYTES: usize = 64 * 1024;
/// Maximum bytes of a playlist body, on the wire and decoded.
pub const PLAYLIST_BYTES: usize = 8 * 1024 * 1024;
/// Maximum bytes of one line of a playlist.
pub const PLAYLIST_LINE_BYTES: usize = 64 * 1024;
/// Maximum number of variants and of renditions read from one multivariant playlist; the rest is left out.
pub const PLAYLIST_VARIANTS: usize = 10_000;
/// Maximum number of segments kept of one media playlist: the newest of a live one, the first of a VOD.
pub const PLAYLIST_SEGMENTS: usize = 100_000;
/// Factor by which a compressed playlist may expand once it has passed [`DECODE_RATIO_FROM_BYTES`].
pub const DECODE_RATIO: usize = 200;
/// Decoded size from which on [`DECODE_RATIO`] is checked.
pub const DECODE_RATIO_FROM_BYTES: usize = 64 * 1024;
/// Maximum processor time for decoding one playlist: a hundred times that of the largest legitimate one.
pub const DECODE_TIME: Duration = Duration::from_millis(500);
/// Maximum bytes of a segment, part or initialization section.
pub const SEGMENT_BYTES: u64 = 512 * 1024 * 1024;
/// Maximum bytes read of a decryption key. A valid key has 16 or 32; more only shows that it is not a key.
pub const KEY_BYTES: usize = 64 * 1024;
/// Maximum bytes read of an error response's body; if there is more, the connection is dropped.
pub const ERROR_BODY_BYTES: u64 = 64 * 1024;
/// Bytes kept of an error response's body: its first line is shown.
pub const ERROR_WORDS_BYTES: usize = 512;
/// Maximum length of a header that identifies a response, in bytes; a longer one is not kept.
pub const ID_BYTES: usize = 128;

/// Maximum bytes of a response head: status line and headers together.
pub const HEAD_BYTES: usize = 64 * 1024;
/// Maximum number of header lines of a response.
pub const HEADER_LINES: usize = 100;
/// Maximum number of interim (1xx) responses before the final one.
pub const INTERIM_RESPONSES: u32 = 100;
/// Maximum bytes of one line that frames a chunk: its size, extensions and all.
pub const CHUNK_LINE_BYTES: usize = 4 * 1024;
/// Maximum number of redirects followed for one URL.
pub const REDIRECTS: u32 = 5;
/// Maximum bytes of a URL that is requested.
pub const URL_BYTES: usize = 16 * 1024;
/// Maximum number of connections that one client keeps open at a time: one to each host that its stream names,
/// including sharded CDNs and advertisement servers. Browsers keep more (Chromium: 256), but a thousand clients share
/// one process.
pub const CONNECTIONS_PER_CLIENT: usize = 32;
/// Maximum number of hosts whose TLS sessions one client can resume.
pub const TLS_SESSION_HOSTS: usize = 4;
/// Maximum number of cookies that one client keeps, as RFC 6265 section 6.1 asks for one domain.
pub const COOKIES_PER_CLIENT: usize = 50;
/// Maximum bytes of all cookies of one client: names, values and scopes. One cookie may take half of it.
pub const COOKIE_JAR_BYTES: usize = 8 * 1024;

/// Shortest reload interval of a media playlist, whatever the target duration says.
pub const RELOAD_MIN: Duration = Duration::from_millis(500);
/// Maximum number of playlists that one viewer reloads per second, retries included.
pub const RELOADS_PER_SECOND: usize = 2;
/// Longest reload interval of a media playlist, whatever the target duration says.
pub const RELOAD_MAX: Duration = Duration::from_secs(60);

/// First wait after a failure; each further one is longer by [`BACKOFF_FACTOR`].
pub const BACKOFF_MIN: Duration = Duration::from_millis(250);
/// Longest wait after a failure.
pub const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// Growth of the wait from failure to failure.
pub const BACKOFF_FACTOR: f64 = 1.7;
/// Random share by which each wait is longer or shorter.
pub const BACKOFF_JITTER: f64 = 0.2;
/// Time without a failure after which the waits start over at [`BACKOFF_MIN`].
pub const BACKOFF_RESET: Duration = Duration::from_secs(30);

/// Longest wait that a `Retry-After` can ask for: a longer one would hold clients, or the ramp, for most of a run.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);

/// Maximum width at which untrusted text is shown, in terminal columns.
pub const SHOWN_COLUMNS: usize = 200;
/// Maximum number of clients.
pub const CLIENTS: u32 = 1_000_000;
/// Largest number of clients that a request of the operator may name; the run clamps it to its own limit.
pub const ASKED_CLIENTS: u64 = 1_000_000_000;
/// Largest seed (2^53 - 1): every JSON reader keeps its digits.
pub const SEED_MAX: u64 = (1 << 53) - 1;

/// Maximum number of entries kept of each other list of a playlist: hints, reports, date ranges, session data.
pub const PLAYLIST_ENTRIES: usize = 10_000;
/// Maximum number of parts kept of one media playlist.
pub const PLAYLIST_PARTS: usize = 100_000;
/// Maximum number of variables that one playlist may define.
pub const PLAYLIST_VARIABLES: usize = 1_000;
/// Maximum bytes of their names and values together: each client keeps those of its multivariant playlist.
pub const PLAYLIST_VARIABLE_BYTES: usize = 64 * 1024;
/// Maximum number of keys, each of its own format, that apply to one segment.
pub const PLAYLIST_KEYS: usize = 16;
/// Longest duration that a playlist can name; a longer one is cut to this.
pub const PLAYLIST_DURATION: Duration = Duration::from_hours(366 * 24);

/// Delay of a client's start, against its place in the plan, from which on it is late: ten times the granularity of a
/// timer.
pub const START_LATE: Duration = Duration::from_millis(10);
/// The same, from which on it is very late.
pub const START_VERY_LATE: Duration = Duration::from_millis(50);

/// Number of clients whose requests are reported one by one: the one that is open on the screen and the worst ones.
pub const WATCHED_CLIENTS: usize = 16;

/// Number of the client that is the canary, in the order of admission: with fewer clients it would be a large part of
/// the load.
pub const CANARY_FROM: u32 = 20;

/// Maximum number of targets of a run: their clients are counted one by one.
pub const TARGETS: usize = 32;

/// Maximum number of addresses of this machine that connections come from: a report names each.
pub const SOURCES: usize = 16;

/// Maximum number of members of the mix of clients.
pub const MIX: usize = 8;

/// Maximum number of thresholds: each may keep histograms of the whole run and of its window.
pub const THRESHOLDS: usize = 50;
