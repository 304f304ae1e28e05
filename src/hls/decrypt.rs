//! AES-128 decryption for playlists: whole resources in CBC mode with PKCS #7 padding (RFC 8216bis section 5.2).
//!
//! * Ciphertext may come in pieces of any length; at most one decrypted and one partial block are kept.
//! * The last block is checked only at the end: it must have PKCS #7 padding, and the ciphertext must be whole
//!   blocks. With a wrong key or initialization vector this check fails in about 255 of 256 cases.

use aes::Aes128;
use cbc::cipher::{Block, BlockModeDecrypt as _, KeyIvInit as _};

/// Octets of a block, a key or an initialization vector.
pub const BLOCK: usize = 16;

/// Reason why ciphertext does not match the playlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecryptError {
    /// The ciphertext is empty, or not a whole number of blocks.
    Length,
    /// The last block has invalid padding: a wrong key, a wrong initialization vector, or a truncated resource.
    Padding,
}

/// Decryptor of one resource.
pub struct Decryptor {
    mode: cbc::Decryptor<Aes128>,
    /// The beginning of a block that is not complete yet.
    partial: [u8; BLOCK],
    filled: usize,
    /// The last complete block, decrypted. It may contain the padding.
    held: Option<[u8; BLOCK]>,
}

impl Decryptor {
    /// Starts with a key and an initialization vector.
    pub fn new(key: &[u8; BLOCK], iv: &[u8; BLOCK]) -> Self {
        Self {
            mode: cbc::Decryptor::new(&(*key).into(), &(*iv).into()),
            partial: [0; BLOCK],
            filled: 0,
            held: None,
        }
    }

    /// Decrypts the next piece of ciphertext and passes to `plain` all blocks that cannot be padding.
    pub fn take(&mut self, mut piece: &[u8], plain: &mut impl FnMut(&[u8])) {
        while !piece.is_empty() {
            let room = BLOCK - self.filled;
            let (now, later) = piece.split_at(room.min(piece.len()));
            if let Some(free) = self.partial.get_mut(self.filled..self.filled + now.len()) {
                free.copy_from_slice(now);
            }
            self.filled += now.len();
            piece = later;
            if self.filled == BLOCK {
                self.filled = 0;
                let mut block = Block::<cbc::Decryptor<Aes128>>::from(self.partial);
                self.mode.decrypt_block(&mut block);
                if let Some(before) = self.held.replace(block.into()) {
                    plain(&before);
                }
            }
        }
    }

    /// Ends the resource: checks the padding and passes the rest of the payload to `plain`.
    ///
    /// # Errors
    /// See [`DecryptError`].
    pub fn finish(self, plain: &mut impl FnMut(&[u8])) -> Result<(), DecryptError> {
        let last = self.held.filter(|_| self.filled == 0).ok_or(DecryptError::Length)?;
        let padding = last.last().copied().map_or(0, usize::from);
        let (payload, pad) = BLOCK
            .checked_sub(padding)
            .filter(|_| padding > 0)
            .and_then(|length| last.split_at_checked(length))
            .ok_or(DecryptError::Padding)?;
        if pad.iter().any(|octet| usize::from(*octet) != padding) {
            return Err(DecryptError::Padding);
        }
        plain(payload);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cbc::cipher::BlockModeEncrypt as _;

    const KEY: [u8; BLOCK] = [7; BLOCK];
    const IV: [u8; BLOCK] = [9; BLOCK];

    fn encrypt(plain: &[u8]) -> Vec<u8> {
        let padding = BLOCK - plain.len() % BLOCK;
        let padded = [plain, &vec![padding as u8; padding]].concat();
        let mut mode = cbc::Encryptor::<Aes128>::new(&KEY.into(), &IV.into());
        padded
            .chunks(BLOCK)
            .flat_map(|chunk| {
                let mut block = Block::<cbc::Encryptor<Aes128>>::try_from(chunk).expect("a block");
                mode.encrypt_block(&mut block);
                block.to_vec()
            })
            .collect()
    }

    fn decrypt(key: &[u8; BLOCK], iv: &[u8; BLOCK], pieces: &[&[u8]]) -> Result<Vec<u8>, DecryptError> {
        let mut plain = Vec::new();
        let mut decryptor = Decryptor::new(key, iv);
        for piece in pieces {
            decryptor.take(piece, &mut |payload| plain.extend_from_slice(payload));
        }
        decryptor.finish(&mut |payload| plain.extend_from_slice(payload)).map(|()| plain)
    }

    #[test]
    fn what_was_encrypted_comes_back_whatever_the_pieces() {
        for length in [0, 1, 15, 16, 17, 188, 4_096] {
            let plain: Vec<u8> = (0..length).map(|n| (n * 31) as u8).collect();
            let cipher = encrypt(&plain);
            for step in [1, 3, 16, 17, 5_000] {
                let pieces: Vec<_> = cipher.chunks(step).collect();
                assert_eq!(decrypt(&KEY, &IV, &pieces).as_ref(), Ok(&plain), "{length} by {step}");
            }
        }
    }

    #[test]
    fn a_published_vector_is_decrypted() {
        // NIST SP 800-38A, F.2.2: CBC-AES128, the first two blocks. The plaintext is not padded.
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex"))
                .collect()
        };
        let key: [u8; 16] = hex("2b7e151628aed2a6abf7158809cf4f3c").try_into().expect("16");
        let iv: [u8; 16] = hex("000102030405060708090a0b0c0d0e0f").try_into().expect("16");
        let cipher = hex("7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2");
        let mut plain = Vec::new();
        let mut decryptor = Decryptor::new(&key, &iv);
        decryptor.take(&cipher, &mut |payload| plain.extend_from_slice(payload));
        assert_eq!(plain, hex("6bc1bee22e409f96e93d7e117393172a"));
        assert_eq!(decryptor.finish(&mut |_| {}), Err(DecryptError::Padding));
    }

    #[test]
    fn a_wrong_key_or_a_cut_is_noticed() {
        let cipher = encrypt(&[0x47; 100]);
        assert_eq!(decrypt(&[8; BLOCK], &IV, &[&cipher]), Err(DecryptError::Padding));
        assert_eq!(decrypt(&KEY, &IV, &[&cipher[..96]]), Err(DecryptError::Padding));
        assert_eq!(decrypt(&KEY, &IV, &[&cipher[..90]]), Err(DecryptError::Length));
        assert_eq!(decrypt(&KEY, &IV, &[]), Err(DecryptError::Length));
    }
}
