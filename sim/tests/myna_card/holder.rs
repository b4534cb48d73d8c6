//! Every file that a holder's PINs open, as the client reads it, and every signature; over any transport.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use myna_card::ap::jpki::{JpkiAp, SignatureScheme};
use myna_card::ap::{common, juki, surface, text};
use myna_card::data::RsaPublicKey;
use myna_card::{Card, Pin, Retries, Transmit};
use vmyna_sim::card::Personalised;
use vmyna_sim::issue::issued_pin;
use vmyna_sim::key::RsaKey;
use vmyna_sim::pin::PinName;
use vmyna_sim::pki::public_key_objects;

/// The public key of an authority of ours, as this client reads keys.
fn authority(name: &str) -> RsaPublicKey {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/pki/TEST-KEYS");
    let pem = std::fs::read_to_string(format!("{folder}/{name}.TEST.pem")).unwrap();
    RsaPublicKey::parse(&public_key_objects(&RsaKey::from_pem(&pem).unwrap()).unwrap()).unwrap()
}

/// Reads whatever the PINs open of the card that was made so, and verifies it down to the authorities.
pub fn reads_and_verifies<T: Transmit>(personalised: &Personalised, card: &mut Card<T>) {
    let usable = |pin| personalised.tries_at_issue(pin) > 0;
    let [authentication, signature, text_input, code_a, code_b, birth_date] = [
        PinName::UserAuthentication,
        PinName::DigitalSignature,
        PinName::TextInput,
        PinName::TextCodeA,
        PinName::TextCodeB,
        PinName::BirthDate,
    ]
    .map(|pin| {
        let expiry = personalised.issued().body.expiry;
        let value = issued_pin(personalised.holder(), expiry, pin);
        usable(pin).then(|| Pin::new(value.as_bytes()).unwrap())
    });

    let mut manager = myna_card::mf::MasterFile::select(card).unwrap();
    let chain = manager.certificate_chain().unwrap();
    chain[0].verify_with(&authority("ca-cv-chain")).unwrap();
    chain[1].verify_with(&chain[0].public_key).unwrap();

    let mut jpki = JpkiAp::select(card).unwrap();
    assert!(jpki.read_token_type().unwrap().is_physical_card());
    assert_eq!(jpki.read_token_info().unwrap().min_pin_len, 6);
    let available = jpki.read_certificate_availability().unwrap();
    assert!(available.has_auth_certificate());
    let ca = jpki.read_auth_ca_certificate().unwrap();
    ca.verify_signature(&ca).unwrap();
    jpki.read_auth_certificate().unwrap().verify_signature(&ca).unwrap();
    let ca = jpki.read_sign_ca_certificate().unwrap();
    ca.verify_signature(&ca).unwrap();
    match &authentication {
        Some(pin) => {
            jpki.verify_auth_pin(pin).unwrap();
            jpki.sign_with_auth_key_checked(SignatureScheme::Sha256DigestInfo, b"challenge").unwrap();
        }
        None => assert_eq!(jpki.auth_pin_retries().unwrap(), Retries::Blocked),
    }
    match &signature {
        Some(pin) if available.has_sign_certificate() => {
            jpki.verify_sign_pin(pin).unwrap();
            jpki.read_sign_certificate().unwrap().verify_signature(&ca).unwrap();
            jpki.sign_with_sign_key_checked(SignatureScheme::Sha256Pss, b"document").unwrap();
        }
        _ => assert_eq!(jpki.sign_pin_retries().unwrap(), Retries::Blocked),
    }

    let mut text = text::TextAp::select(card).unwrap();
    let certificate = text.read_certificate().unwrap();
    certificate.verify_with(&authority("ca-cv-text")).unwrap();
    assert!(text.read_ap_basic_data().unwrap().digest().is_some());
    let name = &personalised.holder().person.name;
    match (&code_a, &code_b) {
        (Some(code_a), Some(code_b)) => {
            text.verify_code_b(code_b).unwrap();
            assert!(text.read_my_number_file().is_err());
            text.verify_code_a(code_a).unwrap();
            reads_the_forms(&mut text, &certificate.public_key, name);
        }
        _ => assert_eq!(text.retries(text::ef::CODE_A).unwrap(), Retries::Blocked),
    }
    // another application in between ends what the codes have opened
    JpkiAp::select(card).unwrap();
    let mut text = text::TextAp::select(card).unwrap();
    match &text_input {
        Some(pin) => {
            text.verify_pin(pin).unwrap();
            let raw = reads_the_forms(&mut text, &certificate.public_key, name);
            let mut session = text.open_secure_session(&[0x5A; 32]).unwrap();
            assert_eq!(session.read_ef(text::ef::ATTRIBUTES).unwrap(), raw);
        }
        None => assert_eq!(text.retries(text::ef::PIN).unwrap(), Retries::Blocked),
    }

    let mut surface = surface::SurfaceAp::select(card).unwrap();
    let certificate = surface.read_certificate().unwrap();
    certificate.verify_with(&authority("ca-cv-visual")).unwrap();
    let municipality = &personalised.holder().municipality.code;
    assert_eq!(surface.read_ap_basic_data().unwrap().municipality_code, *municipality);
    if let (Some(birth_date), Some(code_a)) = (&birth_date, &code_a) {
        surface.verify_birth_date(birth_date).unwrap();
        surface.read_age_record().unwrap().verify(&certificate.public_key).unwrap();
        surface.verify_code_a(code_a).unwrap();
        surface.read_card_face().unwrap().verify(&certificate.public_key).unwrap();
        surface.read_my_number_image().unwrap().verify(&certificate.public_key).unwrap();
    }

    let mut common = common::CommonAp::select(card).unwrap();
    let information = common.read_card_info().unwrap();
    assert_eq!(information.municipality_code, *municipality);
    let reference = common.read_record(common::ef::KEY_REFERENCE, 1).unwrap();
    let mut juki = juki::JukiAp::select(card).unwrap();
    assert_eq!(juki.read_record(juki::ef::KEY_REFERENCE, 1).unwrap(), reference);
}

/// Reads number, attributes, their digests and the card's own key, which are open by now, and verifies them;
/// gives the file of the attributes.
fn reads_the_forms<T: Transmit>(
    text: &mut text::TextAp<'_, T>,
    issuer: &RsaPublicKey,
    name: &str,
) -> Vec<u8> {
    assert_eq!(text.read_attributes().unwrap().name, name);
    let record = text.read_integrity_record().unwrap();
    record.verify(issuer).unwrap();
    assert!(record.matches_my_number_file(&text.read_my_number_file().unwrap()));
    let raw = text.read_ef(text::ef::ATTRIBUTES).unwrap();
    assert!(record.matches_attributes_file(&raw).unwrap());
    let signed = text.read_signed_public_key().unwrap();
    signed.verify(issuer).unwrap();
    let signature = text.sign(b"present").unwrap();
    signed.public_key.verify_pkcs1_sha256(b"present", &signature).unwrap();
    raw
}
