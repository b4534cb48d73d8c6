//! The JPKI operations that clients are made of, as bytes.

mod credential;
mod digest;
mod name;
mod pin;
mod platform;
mod reading;
pub mod secure_messaging;

pub use credential::Credential;
pub use digest::Digest;
pub use name::{CertificateName, KeyName};
pub use pin::{PinChoice, own_pin, pin_value};
pub use platform::{PinForm, Platform};
pub use reading::{Read, ReadStyle, der_length};

use vmyna_sim::apdu::CommandBuilder;
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
