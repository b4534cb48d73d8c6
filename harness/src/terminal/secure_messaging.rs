//! The terminal's end of secure messaging with 券面事項入力補助. It shares no code with the card: the key
//! is encrypted with big-integer arithmetic, and AES comes from another library.

use crate::language::Bilingual;
use aws_lc_rs::cipher::{
    AES_128, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use num_bigint::BigUint;
use sha2::{Digest, Sha256};
use std::fmt;
use thiserror::Error;
use vmyna_sim::apdu::CommandBuilder;

const BLOCK: usize = 16;
const HASH: usize = 32;

/// What a session is drawn from; another one for each session, for the same bytes give the same
/// ciphertexts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SessionSeed {
    /// what is handed over; its first half becomes the key
    pub key: [u8; 32],
    /// what makes the encryption of the key another one each time (the seed of OAEP)
    pub padding: [u8; 32],
}

impl fmt::Debug for SessionSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionSeed").finish_non_exhaustive()
    }
}

/// A session, as the terminal keeps it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecureSession {
    key: [u8; BLOCK],
    commands: u64,
}

impl fmt::Debug for SecureSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecureSession").field("commands", &self.commands).finish_non_exhaustive()
    }
}

/// Why a session does not work out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SecureMessagingError {
    /// EF 0006 does not hold a key.
    #[error("EF 0006 holds no RSA key of 2048 bits in the form A1 {{90 exponent, 91 modulus}}")]
    PublicKey,
    /// The answer is not one encrypted data object.
    #[error("the answer is no encrypted data object (86), of {length} bytes")]
    Object {
        /// how many bytes came
        length: usize,
    },
    /// The answer does not decrypt.
    #[error("the answer does not decrypt: the card counts the commands otherwise, or has another key")]
    Padding,
}

impl SecureMessagingError {
    /// In both languages.
    #[must_use]
    pub fn in_words(&self) -> Bilingual {
        let japanese = match self {
            Self::PublicKey => "EF 0006 に A1 {90 指数、91 法} の形の 2048 ビットの RSA 鍵がない".to_owned(),
            Self::Object { length } => {
                format!("応答は暗号化されたデータオブジェクト (86) ではない: {length} バイト")
            }
            Self::Padding => "応答を復号できない: カードのコマンドの数え方が違うか、鍵が違う".to_owned(),
        };
        Bilingual::new(japanese, self.to_string())
    }
}

impl SecureSession {
    /// A session with the card whose EF 0006 has the content `public_key`, and the SET SESSION KEY
    /// that opens it. The PIN must be verified before, in the clear.
    ///
    /// # Errors
    /// [`SecureMessagingError::PublicKey`] when that is no such file.
    pub fn open(public_key: &[u8], seed: &SessionSeed) -> Result<(Self, Vec<u8>), SecureMessagingError> {
        let message = [&[0xA0, 0x22, 0x80, 0x20][..], &seed.key].concat();
        let command = set_session_key(public_key, &message, &seed.padding)?;
        let key = *seed.key.first_chunk().ok_or(SecureMessagingError::PublicKey)?;
        Ok((Self { key, commands: 0 }, command))
    }

    /// How many commands of this session have been made.
    #[must_use]
    pub const fn commands(&self) -> u64 {
        self.commands
    }

    /// SELECT of an EF of the application.
    pub fn select_file(&mut self, id: u16) -> Vec<u8> {
        self.command([0xA4, 0x02, 0x0C], &id.to_be_bytes())
    }

    /// VERIFY of the PIN in an EF, by its short identifier.
    pub fn verify(&mut self, file: u16, value: &[u8]) -> Vec<u8> {
        self.command([0x20, 0x00, super::reference(Some(file))], value)
    }

    /// READ BINARY of the current EF, or of the EF with that short identifier: `length` bytes, 0 for
    /// all that there are.
    pub fn read_binary(&mut self, short: Option<u8>, offset: u16, length: u16) -> Vec<u8> {
        self.commands += 1;
        let [high, low] = offset.to_be_bytes();
        let p1 = short.map_or(high & 0x7F, |short| 0x80 | short & 0x1F);
        let [le_high, le_low] = length.to_be_bytes();
        CommandBuilder::new(0x08, 0xB0, p1, low)
            .data(&[0x96, 0x03, 0x00, le_high, le_low])
            .le(65_536)
            .to_bytes()
    }

    /// A command of class `08` with `plain` encrypted: `header` is INS, P1 and P2.
    pub fn command(&mut self, header: [u8; 3], plain: &[u8]) -> Vec<u8> {
        self.commands += 1;
        let [ins, p1, p2] = header;
        CommandBuilder::new(0x08, ins, p1, p2).data(&object(&self.encrypt(plain))).to_bytes()
    }

    /// What the data of the answer to the last command carried.
    ///
    /// # Errors
    /// [`SecureMessagingError`] when they are no encrypted object, or not of this session.
    pub fn plain(&self, data: &[u8]) -> Result<Vec<u8>, SecureMessagingError> {
        let malformed = SecureMessagingError::Object { length: data.len() };
        let (length, value) = match data {
            [0x86, 0x82, high, low, value @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), value),
            [0x86, 0x81, length, value @ ..] | [0x86, length @ 0..=0x7F, value @ ..] => {
                (usize::from(*length), value)
            }
            _ => return Err(malformed),
        };
        let [0x01, cryptogram @ ..] = value else { return Err(malformed) };
        if value.len() != length || cryptogram.is_empty() || cryptogram.len() % BLOCK != 0 {
            return Err(malformed);
        }
        let padded = self.decrypt(cryptogram);
        let end = padded.iter().rposition(|byte| *byte != 0).ok_or(SecureMessagingError::Padding)?;
        match padded[end] {
            0x80 if padded.len() - end <= BLOCK => Ok(padded[..end].to_vec()),
            _ => Err(SecureMessagingError::Padding),
        }
    }

    /// The number of the last command, encrypted with an initial value of zero.
    fn initial_value(&self) -> [u8; BLOCK] {
        let mut block = u128::from(self.commands).to_be_bytes();
        self.cbc(&mut block, [0; BLOCK]);
        block
    }

    fn encrypt(&self, plain: &[u8]) -> Vec<u8> {
        let mut padded = [plain, &[0x80]].concat();
        padded.resize(padded.len().next_multiple_of(BLOCK), 0);
        self.cbc(&mut padded, self.initial_value());
        padded
    }

    fn cbc(&self, blocks: &mut [u8], iv: [u8; BLOCK]) {
        let context = EncryptionContext::Iv128(FixedLength::from(iv));
        let key = UnboundCipherKey::new(&AES_128, &self.key).and_then(EncryptingKey::cbc);
        key.and_then(|key| key.less_safe_encrypt(blocks, context)).expect("AES-128 takes whole blocks");
    }

    fn decrypt(&self, cryptogram: &[u8]) -> Vec<u8> {
        let context = DecryptionContext::Iv128(FixedLength::from(self.initial_value()));
        let key = UnboundCipherKey::new(&AES_128, &self.key).and_then(DecryptingKey::cbc);
        let mut blocks = cryptogram.to_vec();
        key.and_then(|key| key.decrypt(&mut blocks, context).map(|_| ()))
            .expect("AES-128 takes whole blocks");
        blocks
    }
}

/// SET SESSION KEY that delivers `message` to the key in EF 0006, whatever the message says.
///
/// # Errors
/// [`SecureMessagingError::PublicKey`] when `public_key` is no such file, or the message does not fit.
pub fn set_session_key(
    public_key: &[u8],
    message: &[u8],
    padding: &[u8; HASH],
) -> Result<Vec<u8>, SecureMessagingError> {
    let (modulus, exponent) = key_in(public_key).ok_or(SecureMessagingError::PublicKey)?;
    let encoded = oaep(message, padding, modulus.len()).ok_or(SecureMessagingError::PublicKey)?;
    let power = BigUint::from_bytes_be(&encoded)
        .modpow(&BigUint::from_bytes_be(exponent), &BigUint::from_bytes_be(modulus))
        .to_bytes_be();
    let mut ciphertext = vec![0; modulus.len() - power.len()];
    ciphertext.extend(power);
    Ok(CommandBuilder::new(0x80, 0xAE, 0x00, 0x00).data(&ciphertext).to_bytes())
}

/// Modulus and exponent of EF 0006.
fn key_in(file: &[u8]) -> Option<(&[u8], &[u8])> {
    let objects = match file {
        [0xA1, 0x82, high, low, rest @ ..] => rest.get(..usize::from(u16::from_be_bytes([*high, *low])))?,
        _ => return None,
    };
    let [0x90, length @ 1..=0x7F, rest @ ..] = objects else { return None };
    let (exponent, rest) = rest.split_at_checked(usize::from(*length))?;
    match rest {
        [0x91, 0x82, 0x01, 0x00, modulus @ ..] if modulus.len() == 256 => Some((modulus, exponent)),
        _ => None,
    }
}

/// EME-OAEP encoding with SHA-256 and an empty label (RFC 8017, 7.1.1), of `size` bytes.
fn oaep(message: &[u8], seed: &[u8; HASH], size: usize) -> Option<Vec<u8>> {
    let zeros = size.checked_sub(message.len() + 2 * HASH + 2)?;
    let mut block = Sha256::digest(b"").to_vec();
    block.resize(HASH + zeros, 0);
    block.push(0x01);
    block.extend(message);
    let mask = |bytes: &mut [u8], from: &[u8]| {
        let stream = (0u32..).flat_map(|counter| {
            Sha256::new().chain_update(from).chain_update(counter.to_be_bytes()).finalize()
        });
        bytes.iter_mut().zip(stream).for_each(|(byte, mask)| *byte ^= mask);
    };
    mask(&mut block, seed);
    let mut seed = seed.to_vec();
    mask(&mut seed, &block);
    Some([vec![0], seed, block].concat())
}

fn object(cryptogram: &[u8]) -> Vec<u8> {
    let length = cryptogram.len() + 1;
    let header = match length {
        0..=0x7F => vec![0x86, length as u8],
        0x80..=0xFF => vec![0x86, 0x81, length as u8],
        _ => vec![0x86, 0x82, (length >> 8) as u8, length as u8],
    };
    [&header[..], &[0x01], cryptogram].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::{read_binary, select_application, select_file};
    use hex_literal::hex;
    use vmyna_sim::card::VirtualCard;
    use vmyna_sim::smart_card::{Power, Reaction, SmartCard};

    const TEXT: [u8; 10] = hex!("D3921000310001010408");
    const SEED: SessionSeed = SessionSeed { key: [0x4B; 32], padding: [0x50; 32] };

    fn sent(card: &mut VirtualCard, command: &[u8]) -> (Vec<u8>, u16) {
        let Reaction::Answer(mut answer) = card.transmit(command) else { panic!("the card answers") };
        let status = answer.split_off(answer.len() - 2);
        (answer, u16::from_be_bytes([status[0], status[1]]))
    }

    fn status(card: &mut VirtualCard, command: &[u8]) -> u16 {
        sent(card, command).1
    }

    const PIN: [u8; 9] = hex!("00200091 04 31323334");

    /// A card with the PIN verified, and the content of its EF 0006.
    fn card() -> (VirtualCard, Vec<u8>) {
        let mut card = VirtualCard::built_in("hanako").unwrap();
        assert_eq!(status(&mut card, &select_application(&TEXT)), 0x9000);
        assert_eq!(status(&mut card, &PIN), 0x9000);
        let (public_key, _) = sent(&mut card, &read_binary(Some(6), 0, 65_536, true));
        (card, public_key)
    }

    fn opened() -> (VirtualCard, SecureSession) {
        let (mut card, public_key) = card();
        let (session, command) = SecureSession::open(&public_key, &SEED).unwrap();
        assert_eq!(status(&mut card, &command), 0x9000);
        (card, session)
    }

    #[test]
    fn every_file_reads_the_same_inside_a_session_and_outside() {
        let (mut card, mut session) = opened();
        for id in 1..=8 {
            let short = id as u8;
            let (plain, _) = sent(&mut card, &read_binary(Some(short), 0, 65_536, true));
            assert_eq!(status(&mut card, &session.select_file(id)), 0x9000);
            let (answer, status) = sent(&mut card, &session.read_binary(None, 0, 0));
            assert_eq!((session.plain(&answer).unwrap(), status), (plain.clone(), 0x9000), "{id:04X}");
            let (answer, _) = sent(&mut card, &session.read_binary(Some(short), 1, 5));
            assert_eq!(session.plain(&answer).unwrap(), plain[1..6], "{id:04X}");
        }
        assert_eq!(session.commands(), 24);
    }

    #[test]
    fn a_refused_command_is_refused_in_the_clear_and_counts() {
        let (mut card, mut session) = opened();
        assert_eq!(status(&mut card, &session.verify(0x0014, b"000000000000")), 0x63C9);
        assert_eq!(status(&mut card, &session.verify(0x0012, b"0000")), 0x6984);
        assert_eq!(status(&mut card, &session.select_file(0x0099)), 0x6A82);
        assert_eq!(status(&mut card, &session.read_binary(Some(1), 0x40, 4)), 0x6B00);
        assert_eq!(status(&mut card, &session.verify(0x0014, b"123456789018")), 0x9000);
        assert_eq!(session.commands(), 5);
    }

    #[test]
    fn plain_commands_between_secured_ones_do_not_count() {
        let (mut card, mut session) = opened();
        assert_eq!(status(&mut card, &select_file(0x0001)), 0x9000);
        let (answer, _) = sent(&mut card, &session.read_binary(None, 0, 0));
        assert_eq!(session.plain(&answer).unwrap().len(), 17);
        assert_eq!(status(&mut card, &hex!("0084000008")), 0x9000);
        assert_eq!(status(&mut card, &session.select_file(0x0002)), 0x9000);
    }

    #[test]
    fn a_wrong_count_ends_the_session() {
        let (mut card, mut session) = opened();
        session.select_file(0x0001);
        assert_eq!(status(&mut card, &session.select_file(0x0001)), 0x6988);
        assert_eq!(status(&mut card, &session.select_file(0x0001)), 0x69FC);
        // the PIN stands verified, and another session can be opened
        let (public_key, _) = sent(&mut card, &read_binary(Some(6), 0, 65_536, true));
        let (mut session, command) = SecureSession::open(&public_key, &SEED).unwrap();
        assert_eq!(status(&mut card, &command), 0x9000);
        assert_eq!(status(&mut card, &session.select_file(0x0001)), 0x9000);
    }

    #[test]
    fn a_command_with_integrity_is_6987() {
        let (mut card, mut session) = opened();
        let mut command = session.select_file(0x0001);
        command[0] = 0x0C;
        assert_eq!(status(&mut card, &command), 0x6987);
    }

    #[test]
    fn a_session_lasts_as_long_as_the_security_status() {
        for (power, expected) in [(Power::WarmReset, 0x9000), (Power::Off, 0x69FC)] {
            let (mut card, mut session) = opened();
            card.power(power);
            if power == Power::Off {
                card.power(Power::On);
            }
            assert_eq!(status(&mut card, &session.select_file(0x0001)), expected, "{power:?}");
        }
        for (aid, expected) in
            [(&TEXT[..], 0x9000), (&hex!("D3921000310001010402"), 0x69FC), (&hex!("A0000001510000"), 0x69FC)]
        {
            let (mut card, mut session) = opened();
            assert_eq!(status(&mut card, &select_application(aid)), 0x9000);
            assert_eq!(status(&mut card, &session.select_file(0x0001)), expected, "{aid:02X?}");
        }
        let (mut card, mut session) = opened();
        assert_eq!(
            status(&mut card, &session.command([0xA4, 0x04, 0x0C], &crate::terminal::JPKI_AID)),
            0x9000
        );
        assert_eq!(status(&mut card, &session.select_file(0x000A)), 0x69FC);
    }

    #[test]
    fn the_key_is_taken_after_the_pin_alone_and_in_one_form() {
        let (mut card, public_key) = card();
        let delivery = |message: &[u8]| set_session_key(&public_key, message, &[1; 32]).unwrap();
        let [one, other] = [[7; 32], [8; 32]];
        for message in [
            [&hex!("A022 8120")[..], &one].concat(),
            [&hex!("A044 8020")[..], &one, &hex!("8120"), &other].concat(),
            b"hello".to_vec(),
        ] {
            assert_eq!(status(&mut card, &delivery(&message)), 0x6A80, "{message:02X?}");
        }
        let good = delivery(&[&hex!("A022 8020")[..], &one].concat());
        let with = |byte| [&good[..7], &[byte; 256]].concat();
        assert_eq!(status(&mut card, &with(0xFF)), 0x6F00);
        assert_eq!(status(&mut card, &with(0x11)), 0x6A80);
        assert_eq!(status(&mut card, &good), 0x9000);
        let code_a = [&hex!("00200094 0C")[..], b"123456789018"].concat();
        let mut card = VirtualCard::built_in("hanako").unwrap();
        status(&mut card, &select_application(&TEXT));
        assert_eq!(status(&mut card, &good), 0x6982);
        assert_eq!(status(&mut card, &code_a), 0x9000);
        assert_eq!((status(&mut card, &good), status(&mut card, &with(0xFF))), (0x6982, 0x6982));
    }

    #[test]
    fn answers_that_are_not_of_the_session_are_told_apart() {
        let (mut card, mut session) = opened();
        let (answer, _) = sent(&mut card, &session.read_binary(Some(1), 0, 5));
        session.select_file(0x0001);
        assert_eq!(session.plain(&answer), Err(SecureMessagingError::Padding));
        assert_eq!(
            session.plain(&answer[1..]),
            Err(SecureMessagingError::Object { length: answer.len() - 1 })
        );
        assert_eq!(SecureSession::open(b"", &SEED), Err(SecureMessagingError::PublicKey));
    }

    #[test]
    fn debug_shows_no_key() {
        let (_, session) = opened();
        assert_eq!(format!("{session:?} {SEED:?}"), "SecureSession { commands: 0, .. } SessionSeed { .. }");
    }
}
