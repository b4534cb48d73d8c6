//! The JPKI operations that clients are made of, as bytes.

pub mod secure_messaging;

use crate::scenario::{CertificateName, KeyName, PinChoice, ReadStyle};
use jiff::Timestamp;
use jiff::civil::Date;
use vmyna_sim::apdu::CommandBuilder;
use vmyna_sim::holder::{Holder, PinValue};
use vmyna_sim::issue::{card_expiry, issued_pin};
use vmyna_sim::pin::PinName;

/// AID of the JPKI application.
pub const JPKI_AID: [u8; 10] = [0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01];

/// The EF of a PIN.
#[must_use]
pub const fn pin_file(pin: PinName) -> u16 {
    match pin {
        PinName::UserAuthentication => 0x0018,
        PinName::DigitalSignature => 0x001B,
        PinName::TextInput | PinName::BirthDate => 0x0011,
        PinName::TextCodeA => 0x0014,
        PinName::TextCodeB => 0x0015,
        PinName::VisualCodeA => 0x0013,
        PinName::VisualCodeB => 0x0012,
        PinName::ResidentRegister | PinName::CommonCard => 0x001C,
    }
}

/// The EF of a private key.
#[must_use]
pub const fn key_file(key: KeyName) -> u16 {
    match key {
        KeyName::UserAuthentication => 0x0017,
        KeyName::DigitalSignature | KeyName::Visual => 0x001A,
        KeyName::Text => 0x0013,
        KeyName::Common => 0x0019,
    }
}

/// The EF of a certificate.
#[must_use]
pub const fn certificate_file(certificate: CertificateName) -> u16 {
    match certificate {
        CertificateName::UserAuthentication => 0x000A,
        CertificateName::UserAuthenticationCa => 0x000B,
        CertificateName::DigitalSignature => 0x0001,
        CertificateName::DigitalSignatureCa => 0x0002,
    }
}

/// The holder's own value of a PIN, on a card that is valid as long as one issued now.
#[must_use]
pub fn own_pin(holder: &Holder, pin: PinName) -> PinValue {
    let now = Timestamp::now();
    let expiry = card_expiry(holder, now).unwrap_or(Date::MAX);
    issued_pin(&holder.clone().as_of(now), expiry, pin)
}

/// A value of `pin`: the holder's own, or one that differs from it in the last characters and has
/// the same form.
#[must_use]
pub fn pin_value(holder: &Holder, pin: PinName, choice: PinChoice) -> PinValue {
    let own = own_pin(holder, pin);
    let shift = match choice {
        PinChoice::Right => return own,
        PinChoice::LowerCase => return PinValue::new(own.as_bytes().to_ascii_lowercase()),
        PinChoice::Wrong => 1,
        PinChoice::New => 2,
    };
    let mut other = own.as_bytes().to_vec();
    if let Some(last) = other.last_mut() {
        *last = match *last {
            digit @ b'0'..=b'9' => b'0' + (digit - b'0' + shift) % 10,
            letter => b'A' + (letter.wrapping_sub(b'A') + shift) % 26,
        };
    }
    PinValue::new(other)
}

/// SELECT an application by name.
#[must_use]
pub fn select_application(aid: &[u8]) -> Vec<u8> {
    CommandBuilder::new(0x00, 0xA4, 0x04, 0x0C).data(aid).to_bytes()
}

/// SELECT an EF of the current application.
#[must_use]
pub fn select_file(id: u16) -> Vec<u8> {
    CommandBuilder::new(0x00, 0xA4, 0x02, 0x0C).data(&id.to_be_bytes()).to_bytes()
}

/// P2 of a command on `file` by its short identifier, or on the current EF.
#[must_use]
pub const fn reference(short: Option<u16>) -> u8 {
    match short {
        Some(file) => 0x80 | (file & 0x1F) as u8,
        None => 0x80,
    }
}

/// READ BINARY of the current EF, or of the EF with that short identifier.
#[must_use]
pub fn read_binary(short: Option<u8>, offset: u16, le: u32, extended: bool) -> Vec<u8> {
    let [high, low] = offset.to_be_bytes();
    let p1 = short.map_or(high & 0x7F, |short| 0x80 | short & 0x1F);
    let command = CommandBuilder::new(0x00, 0xB0, p1, low).le(le);
    if extended { command.extended().to_bytes() } else { command.to_bytes() }
}

/// READ RECORD of one record of the current EF, or of the EF with that short identifier.
#[must_use]
pub fn read_record(short: Option<u8>, record: u8, le: u32) -> Vec<u8> {
    const ONE_RECORD: u8 = 0x04;
    let p2 = short.map_or(ONE_RECORD, |short| short << 3 | ONE_RECORD);
    CommandBuilder::new(0x00, 0xB2, record, p2).le(le).to_bytes()
}

/// GET DATA.
#[must_use]
pub fn get_data(tag: u16, le: u32, extended: bool) -> Vec<u8> {
    let [p1, p2] = tag.to_be_bytes();
    let command = CommandBuilder::new(0x00, 0xCA, p1, p2).le(le);
    if extended { command.extended().to_bytes() } else { command.to_bytes() }
}

/// INTERNAL AUTHENTICATE: `challenge` for the key that P2 means.
#[must_use]
pub fn internal_authenticate(p2: u8, challenge: &[u8]) -> Vec<u8> {
    CommandBuilder::new(0x00, 0x88, 0x00, p2).data(challenge).le(256).to_bytes()
}

/// COMPUTE DIGITAL SIGNATURE over `data` with the key that P2 means; P1 says how.
#[must_use]
pub fn compute_digital_signature(p1: u8, p2: u8, data: &[u8]) -> Vec<u8> {
    CommandBuilder::new(0x80, 0x2A, p1, p2).data(data).le(256).to_bytes()
}

/// One READ BINARY of a reading style: from where, how many bytes, and whether with extended Le.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// first byte
    pub offset: u16,
    /// Ne
    pub le: u32,
    /// extended length fields
    pub extended: bool,
}

impl ReadStyle {
    /// The first READ BINARY, from which the certificate's length is learnt.
    #[must_use]
    pub const fn header(self) -> Read {
        let le = match self {
            Self::Header7 | Self::Header7Continue => 7,
            Self::Header8Ff => 8,
            _ => 4,
        };
        Read { offset: 0, le, extended: false }
    }

    /// The reads that follow when the whole certificate has `length` bytes.
    #[must_use]
    pub fn body(self, length: u16) -> Vec<Read> {
        let blocks = |from: u16, block: u16| -> Vec<Read> {
            (from..length)
                .step_by(usize::from(block))
                .map(|offset| Read { offset, le: u32::from(block.min(length - offset)), extended: false })
                .collect()
        };
        let extended = |from: u16| vec![Read { offset: from, le: u32::from(length - from), extended: true }];
        match self {
            Self::Header4 | Self::Header7 => blocks(0, 256),
            Self::Header4Continue => blocks(4, 256),
            Self::Header7Continue => blocks(7, 256),
            Self::Header8Ff => blocks(0, 255),
            Self::Blocks => blocks(0, 256).into_iter().map(|read| Read { le: 256, ..read }).collect(),
            Self::Extended | Self::Sfi => extended(4),
            Self::ExtendedFromStart => extended(0),
        }
    }
}

/// The length of a DER object by the beginning of its encoding, header included.
#[must_use]
pub fn der_length(header: &[u8]) -> Option<u16> {
    match *header {
        [0x30, 0x82, high, low, ..] => u16::from_be_bytes([high, low]).checked_add(4),
        [0x30, 0x81, length, ..] => Some(u16::from(length) + 3),
        [0x30, length @ 0..=0x7F, ..] => Some(u16::from(length) + 2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_pin_differ_and_have_its_form() {
        let holder = Holder::built_in("hanako").unwrap();
        for pin in PinName::ALL {
            let values = [PinChoice::Right, PinChoice::Wrong, PinChoice::New]
                .map(|choice| pin_value(&holder, pin, choice));
            assert!(values.iter().all(|value| pin.allows(value.as_bytes())));
            assert!(values[0] != values[1] && values[1] != values[2] && values[0] != values[2]);
        }
    }

    #[test]
    fn every_style_reads_the_whole_certificate() {
        for style in
            [ReadStyle::Header4, ReadStyle::Header7, ReadStyle::Header8Ff, ReadStyle::ExtendedFromStart]
        {
            let total: u32 = style.body(1590).iter().map(|read| read.le).sum();
            assert_eq!(total, 1590, "{style:?}");
        }
        assert_eq!(ReadStyle::Header7Continue.body(1590)[0], Read { offset: 7, le: 256, extended: false });
        assert_eq!(ReadStyle::Extended.body(1590), [Read { offset: 4, le: 1586, extended: true }]);
        assert_eq!(
            ReadStyle::Header4.body(512).last(),
            Some(&Read { offset: 256, le: 256, extended: false })
        );
    }

    #[test]
    fn a_der_header_tells_the_length() {
        assert_eq!(der_length(&[0x30, 0x82, 0x06, 0x32]), Some(0x636));
        assert_eq!(der_length(&[0x30, 0x81, 0x90]), Some(0x93));
        assert_eq!(der_length(&[0x04, 0x03]), None);
    }
}
