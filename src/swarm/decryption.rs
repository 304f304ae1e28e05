//! `--decrypt`: the keys that a client has loaded, and the media that it decrypts with them.
//!
//! Nothing is done with the payload; that it can be had, and is padded as it must be, is what is proved.

use std::cell::RefCell;

use crate::hls::decrypt::{BLOCK, Decryptor};
use crate::player::Decryption;
use crate::vocabulary::SecretUrl;
use crate::vocabulary::outcome::Fault;

/// Keys that are kept of one client.
const KEYS: usize = 64;

/// The keys of one client.
#[derive(Default)]
pub(super) struct KeyRing(RefCell<Vec<(SecretUrl, [u8; BLOCK])>>);

impl KeyRing {
    /// Keeps a key that came from `url`.
    ///
    /// # Errors
    /// `body.decode` when it is not 16 octets.
    pub(super) fn add(&self, url: &SecretUrl, body: &[u8]) -> Result<(), Fault> {
        let key = body.try_into().map_err(|_| Fault::BodyDecode)?;
        let mut keys = self.0.borrow_mut();
        if keys.len() >= KEYS {
            keys.remove(0);
        }
        keys.push((url.clone(), key));
        Ok(())
    }

    /// What decrypts this.
    fn decryptor(&self, decryption: &Decryption) -> Option<Decryptor> {
        let keys = self.0.borrow();
        let (_, key) = keys.iter().rev().find(|(url, _)| *url == decryption.key)?;
        Some(Decryptor::new(key, &decryption.iv))
    }
}

/// Undoes the encryption of one response.
pub(super) struct BodyDecryptor(Option<Box<Decryptor>>);

impl BodyDecryptor {
    /// Nothing to do for what is clear, or where no keys are kept.
    pub(super) fn new(keys: Option<&KeyRing>, decryption: Option<&Decryption>) -> Self {
        Self(keys.zip(decryption).and_then(|(keys, decryption)| keys.decryptor(decryption)).map(Box::new))
    }

    /// Whether there is anything to do.
    pub(super) fn looks(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn take(&mut self, piece: &[u8]) {
        if let Some(decryptor) = &mut self.0 {
            decryptor.take(piece, &mut |_| {});
        }
    }

    /// The response is complete.
    ///
    /// # Errors
    /// `body.decode` when it could not be decrypted.
    pub(super) fn finish(self) -> Result<(), Fault> {
        self.0.map_or(Ok(()), |decryptor| decryptor.finish(&mut |_| {})).map_err(|_| Fault::BodyDecode)
    }
}
