//! Fingerprints of texts: two that are equal belong to equal texts.

use std::fmt::Write as _;

use ring::digest::{Context, SHA256};

/// Number of bytes of a fingerprint: enough that two different texts never share one by chance.
const BYTES: usize = 8;

/// Returns the beginning of the SHA-256 of these lines, in hexadecimal.
pub fn fingerprint<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let mut digest = Context::new(&SHA256);
    for line in lines {
        digest.update(line.as_bytes());
        digest.update(b"\n");
    }
    digest.finish().as_ref().iter().take(BYTES).fold(String::new(), |mut hex, byte| {
        // Writing into a string does not fail.
        _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_the_begin_of_the_sha_256_and_lines_have_ends() {
        // `printf 'one\ntwo\n' | sha256sum`
        assert_eq!(fingerprint(["one", "two"]), "c3f9c8c283a2b1f2");
        assert_ne!(fingerprint(["one", "two"]), fingerprint(["onetwo"]));
    }
}
