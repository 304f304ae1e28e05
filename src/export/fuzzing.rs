//! Entry point for fuzzing the head of a scrape's request; see [`crate::fuzzing`].

use super::exposition::Format;
use crate::local_http::{HEAD_BYTES, Request, is_whole};

/// Reads bytes as the head of a request. A path holds neither spaces nor a query, and the last line stays unread
/// without an empty line after it.
pub fn scrape(data: &[u8]) {
    let data = data.get(..HEAD_BYTES).unwrap_or(data);
    let Some(request) = Request::parse(data) else { return };
    assert!(request.path.starts_with('/') && !request.path.contains([' ', '?', '\n']), "{request:?}");
    let accepted = request.header("accept").unwrap_or_default();
    assert!(accepted.len() <= data.len(), "{request:?}");
    _ = (Format::accepted(&accepted), is_whole(data));
}
