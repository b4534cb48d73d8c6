//! Secure messaging of 券面事項入力補助, as measured on real cards (myna-card 3.3.4): the terminal hands
//! over a key, and what certain commands and their answers carry travels under AES-128 from then on.
//! It keeps secrets and proves nothing: there is no key for checksums. What the card does with what
//! it has unwrapped is in `card`.

mod cipher;
mod object;

use crate::apdu::{CommandApdu, Status};
use crate::command::Refusal;
use crate::undocumented::Situation;
use cipher::Key;
use object::Object;
use std::fmt;

const SELECT: u8 = 0xA4;
const READ_BINARY: u8 = 0xB0;
const VERIFY: u8 = 0x20;

/// A session, as the card keeps it: the key, and how many secured commands have come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Session {
    key: Key,
    commands: u64,
}

/// What a secured command carried. `Debug` shows how much, for it may be a PIN.
#[derive(Clone, PartialEq, Eq)]
pub struct Unwrapped {
    /// the data field
    pub data: Vec<u8>,
    /// Ne, 1 to 65,536
    pub le: Option<u32>,
}

impl fmt::Debug for Unwrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { data, le } = self;
        f.debug_struct("Unwrapped")
            .field("data", &format_args!("{} bytes", data.len()))
            .field("le", le)
            .finish()
    }
}

impl Session {
    /// The session whose key `message` delivers, which SET SESSION KEY carried encrypted:
    ///
    /// ```text
    /// A0 22 { 80 20 seed of 32 bytes }
    /// ```
    ///
    /// The first half of the seed is the key; the second half is not used.
    ///
    /// # Errors
    /// `6A80` for anything else, also where a key for checksums is delivered (tag `81`).
    pub fn delivered_by(message: &[u8]) -> Result<Self, Status> {
        match message {
            [0xA0, 0x22, 0x80, 0x20, seed @ ..] if seed.len() == 32 => {
                let key = seed.first_chunk().ok_or(Status::IncorrectData)?;
                Ok(Self { key: Key::new(*key), commands: 0 })
            }
            _ => Err(Status::IncorrectData),
        }
    }

    /// Counts the secured command `apdu` and decrypts what it carries: exactly one data object, for
    /// READ BINARY the length wanted, for SELECT and VERIFY the encrypted data.
    ///
    /// # Errors
    /// A refusal that ends the session: `6988` where the object is another one or does not decrypt. What
    /// nobody has tried (another command, none of the objects, another form of the length) is
    /// undocumented; the table says what ISO/IEC 7816-4 suggests.
    pub fn unwrap(&mut self, apdu: &CommandApdu<'_>) -> Result<Unwrapped, Refusal> {
        self.commands += 1;
        let incorrect = Refusal::from(Status::SecureMessagingObjectsIncorrect);
        if !matches!(apdu.ins(), SELECT | READ_BINARY | VERIFY) {
            return Err(Situation::SecuredOtherCommand.into());
        }
        if apdu.data().is_empty() {
            return Err(Situation::SecuredWithoutObject.into());
        }
        match (apdu.ins(), Object::only_one_in(apdu.data()).ok_or(incorrect)?) {
            (READ_BINARY, Object::ExpectedLength(length)) => {
                let [0x00, high, low] = *length else {
                    return Err(Situation::SecuredOtherLengthForm.into());
                };
                let le = match u16::from_be_bytes([high, low]) {
                    0 => 65_536,
                    le => u32::from(le),
                };
                Ok(Unwrapped { data: Vec::new(), le: Some(le) })
            }
            (SELECT | VERIFY, Object::Cryptogram(cryptogram)) => {
                let data = self.key.decrypt(self.commands, cryptogram).ok_or(incorrect)?;
                Ok(Unwrapped { data, le: None })
            }
            _ => Err(incorrect),
        }
    }

    /// The data object that carries `plain` in the answer to the command that came last.
    #[must_use]
    pub fn wrap(&self, plain: &[u8]) -> Vec<u8> {
        object::cryptogram(&self.key.encrypt(self.commands, plain))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("commands", &self.commands).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;

    const DELIVERY: [u8; 36] =
        hex!("A0 22 80 20 000102030405060708090A0B0C0D0E0F 101112131415161718191A1B1C1D1E1F");

    fn session() -> Session {
        Session::delivered_by(&DELIVERY).unwrap()
    }

    fn unwrapped(session: &mut Session, raw: &[u8]) -> Result<Unwrapped, Refusal> {
        session.unwrap(&CommandApdu::parse(raw).unwrap())
    }

    fn verify(data: &[u8]) -> Vec<u8> {
        [&hex!("0820 0091")[..], &[data.len() as u8], data].concat()
    }

    #[test]
    fn only_the_key_for_encryption_is_taken() {
        let seed = [7; 32];
        for message in [
            [&hex!("A022 8120")[..], &seed].concat(),
            [&hex!("A044 8020")[..], &seed, &hex!("8120"), &seed].concat(),
            [&hex!("A022 8020")[..], &seed[..31]].concat(),
            [&hex!("A022 8020")[..], &seed, &[0]].concat(),
            vec![],
        ] {
            assert_eq!(Session::delivered_by(&message), Err(Status::IncorrectData), "{message:02X?}");
        }
    }

    #[test]
    fn exactly_the_right_object_is_taken_and_only_once() {
        let cryptogram = session().key.encrypt(1, b"1234");
        let object = [&hex!("86 11 01")[..], &cryptogram].concat();
        let long = [&hex!("86 81 11 01")[..], &cryptogram].concat();
        for right in [&object, &long] {
            let data = unwrapped(&mut session(), &verify(right)).unwrap();
            assert_eq!(data, Unwrapped { data: b"1234".to_vec(), le: None });
        }
        let other_indicator = [&hex!("86 11 02")[..], &cryptogram].concat();
        let cut = [&hex!("86 10 01")[..], &cryptogram[..15]].concat();
        let twice = [&object[..], &object].concat();
        let beside = [&object[..], &hex!("96 03 000010")].concat();
        let wrong: [&[u8]; 8] = [
            &other_indicator,
            &cut,
            &twice,
            &beside,
            &hex!("96 03 000010"),
            &hex!("86 01 01"),
            &hex!("86 11 01"),
            &hex!("87 01 01"),
        ];
        for wrong in wrong {
            let refusal = unwrapped(&mut session(), &verify(wrong));
            assert_eq!(refusal, Err(Status::SecureMessagingObjectsIncorrect.into()), "{wrong:02X?}");
        }
        let read = [&hex!("08B00000 13")[..], &object, &[0]].concat();
        assert_eq!(unwrapped(&mut session(), &read), Err(Status::SecureMessagingObjectsIncorrect.into()));
    }

    #[test]
    fn the_length_wanted_has_two_bytes_and_0000_is_all() {
        let read = |session: &mut Session, le: [u8; 2]| {
            unwrapped(session, &[&hex!("08B00000 05 96 03 00")[..], &le, &[0]].concat()).unwrap().le
        };
        let mut session = session();
        assert_eq!(read(&mut session, [0x01, 0x02]), Some(0x0102));
        assert_eq!(read(&mut session, [0, 0]), Some(65_536));
        assert_eq!(session.commands, 2);
    }

    #[test]
    fn a_cryptogram_of_another_turn_does_not_decrypt() {
        let mut session = session();
        let object = [&hex!("86 11 01")[..], &session.key.encrypt(2, b"1234")].concat();
        assert_eq!(
            unwrapped(&mut session, &verify(&object)),
            Err(Status::SecureMessagingObjectsIncorrect.into())
        );
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", session()), "Session { commands: 0, .. }");
    }
}
