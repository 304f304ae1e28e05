//! `--decrypt`: the keys that a client has loaded, and the decryption of its media with them.
//!
//! The payload is discarded: decryption only proves that the payload is available and padded correctly.

use std::cell::RefCell;

use crate::hls::decrypt::{BLOCK, Decryptor};
use crate::player::Decryption;
use crate::vocabulary::SecretUrl;
use crate::vocabulary::outcome::Fault;

/// Maximum number of keys that are kept for one client.
const KEYS: usize = 64;

/// Keys of one client.
#[derive(Default)]
pub(super) struct KeyRing(RefCell<Vec<(SecretUrl, [u8; BLOCK])>>);

impl KeyRing {
    /// Keeps a key that came from `url`, in place of the oldest one if there are too many.
    ///
    /// # Errors
    /// `body.decode` if the key is not 16 octets long.
    pub(super) fn add(&self, url: &SecretUrl, body: &[u8]) -> Result<(), Fault> {
        let key = body.try_into().map_err(|_| Fault::BodyDecode)?;
        let mut keys = self.0.borrow_mut();
        if keys.len() >= KEYS {
            keys.remove(0);
        }
        keys.push((url.clone(), key));
        Ok(())
    }

    /// Returns the decryptor for this media, `None` if its key is not kept.
    fn decryptor(&self, decryption: &Decryption) -> Option<Decryptor> {
        let keys = self.0.borrow();
        let (_, key) = keys.iter().rev().find(|(url, _)| *url == decryption.key)?;
        Some(Decryptor::new(key, &decryption.iv))
    }
}

/// Decryptor of one response.
pub(super) struct BodyDecryptor(Option<Box<Decryptor>>);

impl BodyDecryptor {
    /// Creates the decryptor, which does nothing for media that is clear or whose key is not kept.
    pub(super) fn new(keys: Option<&KeyRing>, decryption: Option<&Decryption>) -> Self {
        Self(keys.zip(decryption).and_then(|(keys, decryption)| keys.decryptor(decryption)).map(Box::new))
    }

    /// Reports whether there is anything to decrypt.
    pub(super) fn looks(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn take(&mut self, piece: &[u8]) {
        if let Some(decryptor) = &mut self.0 {
            decryptor.take(piece, &mut |_| {});
        }
    }

    /// Ends the decryption of a complete response.
    ///
    /// # Errors
    /// `body.decode` if the response could not be decrypted.
    pub(super) fn finish(self) -> Result<(), Fault> {
        self.0.map_or(Ok(()), |decryptor| decryptor.finish(&mut |_| {})).map_err(|_| Fault::BodyDecode)
    }
}
