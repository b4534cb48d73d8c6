//! 公的個人認証 (JPKI): two certificates with their CA certificates, keys and PINs, and the token
//! information.

use super::table::{file, filled, pin, private_key, transparent};
use crate::access::Access;
use crate::apdu::Status;
use crate::file::{Application, FileKind, Personalisation, PrivateKey, SessionKeyDelivery};
use crate::pin::PinName;
use crate::pki::PkiError;
use hex_literal::hex;

const USER_AUTHENTICATION_PIN: Access = Access::AnyOf(&[PinName::UserAuthentication]);
const DIGITAL_SIGNATURE_PIN: Access = Access::AnyOf(&[PinName::DigitalSignature]);

pub static JPKI: Application = Application {
    name: "jpki",
    aid: &hex!("D392F000260100000001"),
    files: &[
        transparent(0x0001, DIGITAL_SIGNATURE_PIN, |card| {
            certificate(card.issued.digital_signature.as_ref().map_or(&[][..], |leaf| &leaf.certificate))
        }),
        transparent(0x0002, Access::Free, |card| certificate(&card.issued.digital_signature_ca)),
        file(0x0005, FileKind::UndocumentedTransparent),
        transparent(0x0006, Access::Free, |card| Ok(token_information(card))),
        transparent(0x0008, Access::Free, |card| Ok(certificates_present(card))),
        file(0x0009, FileKind::UndocumentedTransparent),
        transparent(0x000A, Access::UserAuthenticationCertificate, |card| {
            certificate(&card.issued.user_authentication.certificate)
        }),
        transparent(0x000B, Access::Free, |card| certificate(&card.issued.user_authentication_ca)),
        file(0x0010, FileKind::UndocumentedInternal),
        file(0x0016, FileKind::UndocumentedInternal),
        private_key(0x0017, PrivateKey::UserAuthentication, USER_AUTHENTICATION_PIN),
        pin(0x0018, PinName::UserAuthentication),
        file(0x0019, FileKind::UndocumentedInternal),
        private_key(0x001A, PrivateKey::DigitalSignature, DIGITAL_SIGNATURE_PIN),
        pin(0x001B, PinName::DigitalSignature),
        file(0x001C, FileKind::UndocumentedInternal),
        file(0x001E, FileKind::UndocumentedInternal),
    ],
    default_key: None,
    objects: &[],
    session_key: SessionKeyDelivery::Refused(Status::SecurityStatusNotSatisfied),
};

/// EF 0008: `8F` for each certificate that exists, signature first; the third byte is not
/// understood. What stands for one that does not exist is not public: `00` here (TOK-08).
fn certificates_present(card: &Personalisation<'_>) -> Vec<u8> {
    const PRESENT: u8 = 0x8F;
    const ABSENT: u8 = 0x00;
    let signature = if card.issued.digital_signature.is_some() { PRESENT } else { ABSENT };
    vec![signature, PRESENT, 0x00]
}

/// Size of a certificate's EF. Real sizes are not published; what follows the certificate is
/// filler, as in the data EFs of the other applications.
const CERTIFICATE_EF_SIZE: usize = 2048;

fn certificate(der: &[u8]) -> Result<Vec<u8>, PkiError> {
    Ok(filled(der, CERTIFICATE_EF_SIZE))
}

/// EF 0006: a serialised PKCS#11 `CK_TOKEN_INFO` of 160 bytes with 32-bit numbers, big end first,
/// as read from one test card (myna-card).
fn token_information(card: &Personalisation<'_>) -> Vec<u8> {
    const FLAGS: u32 = 0x0000_040D;
    const UNAVAILABLE: u32 = 0xFFFF_FFFF;
    let padded = |text: &str, length: usize| format!("{text:<length$.length$}").into_bytes();
    let numbers = [
        FLAGS,
        /* sessions, and read-write ones: most and open */ 1,
        0,
        1,
        0,
        /* longest and shortest PIN */ 16,
        6,
        /* memory */ UNAVAILABLE,
        UNAVAILABLE,
        UNAVAILABLE,
        UNAVAILABLE,
    ];
    [
        padded(&card.profile.token_label, 32),
        padded("JPKI-VMYNA-TEST", 32),
        padded("E16R01NJ", 16),
        padded("", 16),
        numbers.into_iter().flat_map(u32::to_be_bytes).collect(),
        b"03".to_vec(),
        b"01".to_vec(),
        vec![b'9'; 16],
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::holder::Holder;
    use crate::issue::issue;
    use crate::profile::Profile;

    #[test]
    fn the_token_information_has_160_bytes_and_a_label_padded_with_spaces() {
        let holder = Holder::built_in("hanako").unwrap();
        let issued = issue(&holder, "2026-04-01T00:00:00Z".parse().unwrap()).unwrap();
        let profile = Profile::card();
        let images = crate::image::of(&holder);
        let card = Personalisation { holder: &holder, issued: &issued, images: &images, profile: &profile };
        let token = token_information(&card);
        assert_eq!(token.len(), 160);
        assert_eq!(&token[..32], b"JPKIAPICCTOKEN2                 ");
        assert_eq!(&token[96..100], hex!("0000040D"));
        assert_eq!(&token[140..], b"03019999999999999999");
    }
}
