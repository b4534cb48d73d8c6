//! AES-128 in CBC mode, with an initial value that follows from the number of the command.

use aes::Aes128;
use aes::cipher::block_padding::Iso7816;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};

const BLOCK: usize = 16;

/// The key of a session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key([u8; BLOCK]);

impl Key {
    pub(super) const fn new(key: [u8; BLOCK]) -> Self {
        Self(key)
    }

    /// The initial value for both directions of the command `number`, from 1: the number in sixteen
    /// bytes, encrypted.
    fn initial_value(self, number: u64) -> [u8; BLOCK] {
        let mut block = u128::from(number).to_be_bytes();
        cbc::Encryptor::<Aes128>::new(&self.0.into(), &[0; BLOCK].into()).encrypt_block((&mut block).into());
        block
    }

    /// `plain`, padded with `80 00 … 00` and encrypted.
    pub(super) fn encrypt(self, number: u64, plain: &[u8]) -> Vec<u8> {
        let cipher = cbc::Encryptor::<Aes128>::new(&self.0.into(), &self.initial_value(number).into());
        cipher.encrypt_padded_vec::<Iso7816>(plain)
    }

    /// What was encrypted to `cryptogram`; `None` where the padding is not there.
    pub(super) fn decrypt(self, number: u64, cryptogram: &[u8]) -> Option<Vec<u8>> {
        let cipher = cbc::Decryptor::<Aes128>::new(&self.0.into(), &self.initial_value(number).into());
        cipher.decrypt_padded_vec::<Iso7816>(cryptogram).ok()
    }
}
