//! A client that was written elsewhere, for real cards, reads this one: every file it knows, with
//! every credential it knows, and its own checks of what it has read.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use myna_card::ap::{common, juki, surface, text};
use myna_card::{Card, Error, Pin, Retries, Transmit};
use std::sync::{Arc, LazyLock};
use vmyna_sim::card::{Personalised, VirtualCard};
use vmyna_sim::holder::Holder;
use vmyna_sim::profile::Profile;
use vmyna_sim::smart_card::{Reaction, SmartCard};

static HANAKO: LazyLock<Arc<Personalised>> = LazyLock::new(|| {
    let holder = Holder::built_in("hanako").unwrap();
    let now = "2026-04-01T00:00:00Z".parse().unwrap();
    Arc::new(Personalised::new(holder, Profile::card(), now).unwrap())
});

struct InProcess(VirtualCard);

impl Transmit for InProcess {
    fn transmit(&mut self, command: &[u8]) -> myna_card::Result<Vec<u8>> {
        match self.0.transmit(command) {
            Reaction::Answer(answer) => Ok(answer),
            other => panic!("the card answers, and does not {other:?}"),
        }
    }
}

fn card() -> Card<InProcess> {
    Card::new(InProcess(VirtualCard::new(HANAKO.clone())))
}

fn digits(value: &str) -> Pin {
    Pin::numeric(value).unwrap()
}

const CODE_A: &str = "123456789018";
const CODE_B: &str = "55061520352285";

#[test]
fn it_reads_and_verifies_the_text_application() {
    let mut card = card();
    let mut text = text::TextAp::select(&mut card).unwrap();
    text.verify_pin(&digits("1234")).unwrap();
    let attributes = text.read_attributes().unwrap();
    assert_eq!((&*attributes.name, attributes.split_name()), ("番号　花子", Some(("番号", "花子"))));
    let issuer = text.read_certificate().unwrap().public_key;
    let record = text.read_integrity_record().unwrap();
    record.verify(&issuer).unwrap();
    assert!(record.matches_my_number_file(&text.read_my_number_file().unwrap()));
    let raw = text.read_ef(text::ef::ATTRIBUTES).unwrap();
    assert!(record.matches_attributes_file(&raw).unwrap());
    let signed = text.read_signed_public_key().unwrap();
    signed.verify(&issuer).unwrap();
    let signature = text.sign(b"present").unwrap();
    signed.public_key.verify_pkcs1_sha256(b"present", &signature).unwrap();
    assert!(text.read_ap_basic_data().unwrap().digest().is_some());
    assert_eq!(text.read_session_key_public_key().unwrap().public_key.bits(), 2048);
    text.change_pin(&digits("1234"), &digits("5678")).unwrap();
    assert_eq!(text.retries(text::ef::BLOCKED_0012).unwrap(), Retries::Blocked);
    assert_eq!(text.retries(text::ef::CODE_A).unwrap(), Retries::Remaining(10));
}

#[test]
fn it_opens_the_text_application_with_what_is_printed_on_the_card() {
    let mut card = card();
    let mut text = text::TextAp::select(&mut card).unwrap();
    text.verify_code_b(&digits(CODE_B)).unwrap();
    assert!(text.read_attributes().is_ok() && text.read_my_number().is_err());
    text.verify_code_a(&digits(CODE_A)).unwrap();
    assert!(text.read_my_number().is_ok());
}

#[test]
fn it_reads_and_verifies_the_visual_application() {
    let mut card = card();
    let mut surface = surface::SurfaceAp::select(&mut card).unwrap();
    let issuer = surface.read_certificate().unwrap().public_key;
    assert_eq!(surface.read_ap_basic_data().unwrap().municipality_code, "13101");
    surface.verify_birth_date(&digits("550615")).unwrap();
    let age = surface.read_age_record().unwrap();
    age.verify(&issuer).unwrap();
    surface.verify_code_b(&digits(CODE_B)).unwrap();
    let face = surface.read_card_face().unwrap();
    face.verify(&issuer).unwrap();
    assert_eq!((face.expiry.year, face.expiry.month, face.expiry.day), (2035, 6, 15));
    surface.verify_code_a(&digits(CODE_A)).unwrap();
    let number = surface.read_my_number_image().unwrap();
    number.verify(&issuer).unwrap();
    assert_eq!((&age.public_key, &face.public_key), (&number.public_key, &number.public_key));
    let signature = surface.sign(b"present").unwrap();
    number.public_key.verify_pkcs1_sha256(b"present", &signature).unwrap();
}

#[test]
fn it_reads_the_records_and_changes_both_pins_of_the_resident_register() {
    let mut card = card();
    let mut common = common::CommonAp::select(&mut card).unwrap();
    let info = common.read_card_info().unwrap();
    assert_eq!((&*info.municipality_code, info.expiry.year), ("13101", 2035));
    assert_eq!(common.internal_authenticate(b"challenge").unwrap().len(), 256);
    let reference = common.read_record(common::ef::KEY_REFERENCE, 1).unwrap();
    common.change_pin(&digits("1234"), &digits("5678")).unwrap();
    assert_eq!(common.pin_retries().unwrap(), Retries::Remaining(3));
    let mut juki = juki::JukiAp::select(&mut card).unwrap();
    assert_eq!(juki.read_record(juki::ef::KEY_REFERENCE, 1).unwrap(), reference);
    juki.change_pin(&digits("1234"), &digits("5678")).unwrap();
    assert!(matches!(juki.verify_pin(&digits("1234")), Err(Error::PinIncorrect { retries: Some(2) })));
    assert_eq!(juki.pin_retries().unwrap(), Retries::Remaining(2));
}

#[test]
fn it_follows_the_chain_of_the_card_manager_and_knows_no_authority_of_ours() {
    let mut card = card();
    let mut manager = myna_card::mf::MasterFile::select(&mut card).unwrap();
    let chain = manager.certificate_chain().unwrap();
    let [upper, lower] = &chain[..] else { panic!("two certificates") };
    assert_eq!(lower.issuer_key_id, upper.subject_key_id);
    lower.verify_with(&upper.public_key).unwrap();
    assert!(matches!(upper.verify(), Err(Error::UnknownCertificateAuthority(_))));
}
