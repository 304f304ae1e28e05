//! Percent-encoding and -decoding (RFC 3986 section 2.1).

/// Decodes percent-encoded text. Invalid UTF-8 becomes the replacement character.
pub(crate) fn percent_decoded(text: &str) -> String {
    String::from_utf8_lossy(&percent_decoded_bytes(text)).into_owned()
}

/// Decodes percent-encoded text to bytes. A `%` without two hexadecimal digits stays as it is.
pub(super) fn percent_decoded_bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    bytes
}

/// Encodes what is neither a letter, a digit nor one of `kept`. What is encoded already stays as it is.
pub(super) fn percent_encoded(text: &str, kept: &[u8]) -> String {
    let bytes = text.as_bytes();
    let is_code = |at: usize| {
        let hex = bytes.get(at + 1..at + 3);
        bytes.get(at) == Some(&b'%') && hex.is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    };
    let mut encoded = String::with_capacity(text.len());
    for (at, byte) in bytes.iter().enumerate() {
        if byte.is_ascii_alphanumeric() || kept.contains(byte) || is_code(at) {
            encoded.push(char::from(*byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
