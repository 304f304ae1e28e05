//! The one table of limits and timeouts. Whatever comes from the network is bounded by a line of this file.

use std::time::Duration;

/// TCP connect must be accepted within this time.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A name must be resolved within this time.
pub const DNS_TIMEOUT: Duration = Duration::from_secs(5);
/// The TLS handshake must be finished within this time.
pub const TLS_TIMEOUT: Duration = Duration::from_secs(5);
/// Default of `--timeout`: first byte of a response, and idle (no byte) while a body comes.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(15);
/// A body must bring this much ...
pub const LEAST_PROGRESS_BYTES: u64 = 1024;
/// ... in this time, or be complete: 1.6 kbit/s plays nothing.
pub const LEAST_PROGRESS_TIME: Duration = Duration::from_secs(5);
/// A silence of this length within a body is a pause, which the idle limit ends.
pub const LEAST_PROGRESS_PAUSE: Duration = Duration::from_secs(2);
/// A whole response gets this many segment durations ...
pub const TOTAL_TIMEOUT_SEGMENTS: u32 = 6;
/// ... but never less than this.
pub const TOTAL_TIMEOUT_MIN: Duration = Duration::from_secs(60);
/// What is in flight when the run drains may finish within this time; then it is cut.
pub const DRAIN_GRACE: Duration = Duration::from_secs(5);

/// All that origins can make this process keep: see [`budget`](super::budget). Room for some hundred long windows.
pub const KEPT_BYTES: usize = 64 * 1024 * 1024;
/// Texts of playlists that a worker keeps for its other clients: one of the largest that are read.
pub const LIBRARY_BYTES: usize = PLAYLIST_BYTES;
/// The longest entity tag that is remembered. Those of servers have less than a hundred bytes.
pub const ETAG_BYTES: usize = 1024;
/// URLs of the keys that a client remembers, all together.
pub const KEY_URL_BYTES: usize = 64 * 1024;
/// A playlist body, on the wire and decoded.
pub const PLAYLIST_BYTES: usize = 8 * 1024 * 1024;
/// One line of a playlist.
pub const PLAYLIST_LINE_BYTES: usize = 64 * 1024;
/// Variants and renditions that are read of one multivariant playlist; the rest is left out.
pub const PLAYLIST_VARIANTS: usize = 10_000;
/// Segments that are kept of one media playlist: the newest of a live one, the first of a VOD.
pub const PLAYLIST_SEGMENTS: usize = 100_000;
/// A compressed playlist may expand by this factor once it has passed [`DECODE_RATIO_FROM_BYTES`].
pub const DECODE_RATIO: usize = 200;
/// Decoded size from which on [`DECODE_RATIO`] is watched.
pub const DECODE_RATIO_FROM_BYTES: usize = 64 * 1024;
/// Time of a processor that decoding one playlist may take: a hundred times what the largest good one needs.
pub const DECODE_TIME: Duration = Duration::from_millis(500);
/// A segment, part or initialization section.
pub const SEGMENT_BYTES: u64 = 512 * 1024 * 1024;
/// A decryption key: 16 octets are valid, the rest only tells that it is not a key.
pub const KEY_BYTES: usize = 64 * 1024;
/// The body of an error response; the connection is dropped when there is more.
pub const ERROR_BODY_BYTES: u64 = 64 * 1024;

/// The head of a response: status line and headers together.
pub const HEAD_BYTES: usize = 64 * 1024;
/// Header lines of a response.
pub const HEADER_LINES: usize = 100;
/// Interim (1xx) responses before the final one.
pub const INTERIM_RESPONSES: u32 = 100;
/// One line that frames a chunk: its size, extensions and all.
pub const CHUNK_LINE_BYTES: usize = 4 * 1024;
/// Redirects that are followed for one address.
pub const REDIRECTS: u32 = 5;
/// Multivariant playlists that may lead to one another before a media playlist must come.
pub const PLAYLIST_DEPTH: u32 = 3;
/// The longest address that is requested.
pub const URL_BYTES: usize = 16 * 1024;
/// Connections that one client keeps open at a time: one to each host that its stream names, sharded CDNs and the
/// servers of advertisements included. Browsers keep more (Chromium: 256), but a thousand clients are one process.
pub const CONNECTIONS_PER_CLIENT: usize = 32;
/// Hosts whose TLS sessions one client can resume.
pub const TLS_SESSION_HOSTS: usize = 4;
/// Cookies that one client keeps, as RFC 6265 section 6.1 asks for one domain.
pub const COOKIES_PER_CLIENT: usize = 50;
/// Bytes of all cookies of one client, names, values and scopes; one cookie may take half of it.
pub const COOKIE_JAR_BYTES: usize = 8 * 1024;

/// The shortest reload interval of a media playlist, whatever the target duration says.
pub const RELOAD_MIN: Duration = Duration::from_millis(500);
/// Playlists that one viewer loads again in a second, retries included.
pub const RELOADS_PER_SECOND: usize = 2;
/// The longest reload interval of a media playlist, whatever the target duration says.
pub const RELOAD_MAX: Duration = Duration::from_secs(60);

/// First wait after a failure; each further one is [`BACKOFF_FACTOR`] longer.
pub const BACKOFF_MIN: Duration = Duration::from_millis(250);
/// The longest wait after a failure.
pub const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// Growth of the wait from failure to failure.
pub const BACKOFF_FACTOR: f64 = 1.7;
/// Random share by which each wait is longer or shorter.
pub const BACKOFF_JITTER: f64 = 0.2;
/// After this time without a failure the waits begin again at [`BACKOFF_MIN`].
pub const BACKOFF_RESET: Duration = Duration::from_secs(30);

/// The widest text from outside that is shown, in terminal columns.
pub const SHOWN_COLUMNS: usize = 200;
/// The most clients that can be asked for.
pub const CLIENTS: u32 = 1_000_000;
/// The largest seed: every reader of JSON keeps its digits (2^53 - 1).
pub const SEED_MAX: u64 = (1 << 53) - 1;

/// Entries that are kept of each other list of a playlist: hints, reports, date ranges, session data.
pub const PLAYLIST_ENTRIES: usize = 10_000;
/// Attributes of other names that are kept of one date range.
pub const PLAYLIST_ATTRIBUTES: usize = 32;
/// Parts that are kept of one media playlist.
pub const PLAYLIST_PARTS: usize = 100_000;
/// Variables that one playlist may define.
pub const PLAYLIST_VARIABLES: usize = 1_000;
/// Their names and values together: each client keeps those of its multivariant playlist.
pub const PLAYLIST_VARIABLE_BYTES: usize = 64 * 1024;
/// Keys of different formats that may hold for one segment.
pub const PLAYLIST_KEYS: usize = 16;
/// The longest duration that a playlist can name; whatever is longer is cut to this.
pub const PLAYLIST_DURATION: Duration = Duration::from_hours(366 * 24);
