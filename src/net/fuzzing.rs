//! Entry points for fuzzing the responses of origins; see [`crate::fuzzing`].

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::cookies::{Jar, Received};
use super::decode::decode;
use super::head::Head;
use super::http1::{Progress, Reader};
use super::kept::Charged;
use crate::hls::decrypt::{BLOCK, DecryptError, Decryptor};
use crate::vocabulary::outcome::Fault;
use crate::vocabulary::{SecretUrl, limits};

pub use super::http2::fuzzing::http2;
pub use super::scope::fuzzing::scope;

/// Reads any bytes as the answer of an HTTP proxy to a request for a tunnel.
pub fn proxy(data: &[u8]) {
    super::proxy::fuzz(data);
}

/// Status, body and the count of bytes left over.
pub(super) type Seen = Result<(u16, Vec<u8>, usize), Fault>;

/// Reads any bytes as an HTTP/1.1 response. The result must not depend on how they are split, nor on whether the body
/// is looked at. The last byte is the length of the pieces.
pub fn http1(data: &[u8]) {
    let Some((piece, wire)) = data.split_last() else { return };
    let piece = usize::from(*piece).max(1);
    let whole = read(wire, wire.chunks(wire.len().max(1)));
    assert_eq!(read(wire, wire.chunks(piece)), whole, "in pieces of {piece}");
    if let Ok((status, body, left)) = &whole {
        assert!((200..=999).contains(status) && body.len() + left <= wire.len(), "{status}");
    }
    let counted = whole.map(|(status, body, left)| (status, body.len(), left));
    assert_eq!(skip(wire, piece), counted, "unseen, in pieces of {piece}");
}

/// Feeds the parts of `wire`, then closes the connection.
pub(super) fn read<'a>(wire: &[u8], parts: impl Iterator<Item = &'a [u8]>) -> Seen {
    let mut reader = Reader::default();
    let mut body = Vec::new();
    let mut fed = 0;
    for part in parts {
        match reader.feed(part, &mut |_, bytes| body.extend_from_slice(bytes))? {
            Progress::More => fed += part.len(),
            Progress::Done { used } => return Ok((status(&reader), body, wire.len() - fed - used)),
        }
    }
    reader.end()?;
    Ok((status(&reader), body, 0))
}

/// Skips each part of `wire` that is skippable, then closes the connection. Returns the status and the counts of body
/// bytes and of bytes left over.
pub(super) fn skip(wire: &[u8], piece: usize) -> Result<(u16, usize, usize), Fault> {
    let mut reader = Reader::default();
    let (mut in_body, mut fed) = (0_u64, 0);
    for part in wire.chunks(piece.max(1)) {
        let progress = match reader.skippable() {
            Some(_) => reader.skip(part.len(), &mut |_, bytes| in_body += bytes),
            None => reader.feed(part, &mut |_, bytes| in_body += bytes.len() as u64)?,
        };
        let in_body = usize::try_from(in_body).unwrap_or(usize::MAX);
        match progress {
            Progress::More => fed += part.len(),
            Progress::Done { used } => return Ok((status(&reader), in_body, wire.len() - fed - used)),
        }
    }
    reader.end()?;
    Ok((status(&reader), usize::try_from(in_body).unwrap_or(usize::MAX), 0))
}

/// Returns the status of a complete response; 0, which no response has, if there is no head.
fn status(reader: &Reader) -> u16 {
    reader.head().map_or(0, |head| head.status)
}

/// URL that the headers come from.
const TARGET: &str = "https://edge.cdn.example/live/a/main.m3u8?q";
/// URLs of the same site, then of others, to which its cookies must not go.
const OWN: [&str; 3] = [TARGET, "http://edge.cdn.example/", "https://cdn.example/live/b.ts"];
const OTHERS: [&str; 3] =
    ["https://other.example/", "https://edge.cdn.example.evil/live/a/", "https://10.0.0.1/"];

/// Reads the lines of any bytes as the header fields of a response, and does what clients do with them: keeps cookies,
/// follows the location, computes the lifetime. The time of the response is the one that its cookies compare with.
pub fn headers(data: &[u8]) {
    let mut head = Head { status: 200, ..Head::default() };
    for line in data.split(|byte| *byte == b'\n').take(limits::HEADER_LINES) {
        let (name, value) = line.split_at(line.iter().position(|byte| *byte == b':').unwrap_or(line.len()));
        head.field(name.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii());
    }
    assert!(!head.content_type.unwrap_or_default().contains(char::is_control));
    for now in [Timestamp::UNIX_EPOCH, Timestamp::MIN, Timestamp::MAX] {
        head.freshness.fresh_for(now, Duration::from_secs(1));
    }
    head.freshness.longest();
    head.content_range.map(|range| range.length());
    let Ok(target) = SecretUrl::parse(TARGET) else { return };
    if let Some(next) = head.location.and_then(|location| target.join(&location).ok()) {
        let line = [next.wire_path(), &next.endpoint().authority()].concat();
        assert!(line.bytes().all(|byte| byte.is_ascii_graphic()), "{line:?}");
    }
    let jar = Jar::default();
    jar.take(
        &target.endpoint(),
        target.wire_path(),
        &head.cookies,
        Received { at: Instant::now(), unix_s: 0 },
    );
    OWN.iter().for_each(|url| _ = sent(&jar, url));
    OTHERS.iter().for_each(|url| assert_eq!(sent(&jar, url), None, "{url}"));
}

/// Returns the `Cookie` line of a request for `url`, which must be one short line.
fn sent(jar: &Jar, url: &str) -> Option<Vec<u8>> {
    let (url, mut sent) = (SecretUrl::parse(url).ok()?, None);
    jar.line(&url.endpoint(), url.wire_path(), None, &mut |line| sent = Some(line.to_vec()));
    let is_plain = |byte: &u8| !byte.is_ascii_control() || *byte == b'\t';
    let most = limits::COOKIE_JAR_BYTES + 2 * limits::COOKIES_PER_CLIENT;
    assert!(sent.iter().all(|line| line.len() <= most && line.iter().all(is_plain)), "{sent:?}");
    sent
}

/// Content codings that a body may have, by the number of an input's last byte; the number after them is AES-128.
const CODINGS: [&str; 4] = ["gzip", "deflate", "br", "zstd"];

/// Decodes any bytes as a body, or decrypts them, as the last byte says.
pub fn body(data: &[u8]) {
    let Some((coding, body)) = data.split_last() else { return };
    match CODINGS.get(usize::from(*coding) % (CODINGS.len() + 1)) {
        Some(coding) => assert_decoded(coding, body),
        None => assert_decrypted(body),
    }
}

fn assert_decoded(coding: &str, body: &[u8]) {
    let mut head = Head::default();
    head.field(b"content-encoding", coding.as_bytes());
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return };
    match runtime.block_on(decode(head.codings, Charged::uncharged(body))) {
        Ok(decoded) => {
            let most = (body.len() * limits::DECODE_RATIO).max(limits::DECODE_RATIO_FROM_BYTES * 2);
            assert!(decoded.len() <= most.min(limits::PLAYLIST_BYTES), "{} bytes", decoded.len());
        }
        Err(fault) => {
            let is_expected = matches!(fault, Fault::BodyDecode | Fault::BodyRatio | Fault::PlaylistLimit);
            assert!(is_expected, "{coding}: {fault:?}");
        }
    }
}

/// Decrypts a key, an initialization vector and ciphertext. The result must not depend on how they are split.
fn assert_decrypted(body: &[u8]) {
    let Some((key, rest)) = body.split_first_chunk::<BLOCK>() else { return };
    let Some((iv, cipher)) = rest.split_first_chunk::<BLOCK>() else { return };
    let decrypted = |piece: usize| {
        let (mut plain, mut decryptor) = (Vec::new(), Decryptor::new(key, iv));
        for piece in cipher.chunks(piece.max(1)) {
            decryptor.take(piece, &mut |payload| plain.extend_from_slice(payload));
        }
        let ended = decryptor.finish(&mut |payload| plain.extend_from_slice(payload));
        (ended, plain)
    };
    let (ended, plain) = decrypted(cipher.len());
    for piece in [1, 3, BLOCK, BLOCK + 1] {
        assert_eq!(decrypted(piece), (ended, plain.clone()), "in pieces of {piece}");
    }
    let padding = cipher.len() - plain.len();
    match ended {
        Ok(()) => assert!((1..=BLOCK).contains(&padding), "{padding} bytes of padding"),
        Err(DecryptError::Length) => assert!(cipher.is_empty() || !cipher.len().is_multiple_of(BLOCK)),
        Err(DecryptError::Padding) => assert_eq!(padding, BLOCK),
    }
}
