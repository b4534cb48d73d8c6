//! A client that was written elsewhere, for real cards, reads this one: every file it knows, with
//! every credential it knows, and its own checks of what it has read.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

#[path = "myna_card/holder.rs"]
mod holder;

use holder::reads_and_verifies;
use myna_card::ap::jpki::{JpkiAp, SignatureScheme};
use myna_card::ap::{common, juki, surface, text};
use myna_card::data::sha256;
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

const SCHEMES: [SignatureScheme; 6] = [
    SignatureScheme::Verbatim,
    SignatureScheme::Sha256Bare,
    SignatureScheme::PreHashedDigestInfo,
    SignatureScheme::Sha256DigestInfo,
    SignatureScheme::PreHashedPss,
    SignatureScheme::Sha256Pss,
];

#[test]
fn it_verifies_every_way_to_sign_with_both_keys() {
    let mut card = card();
    let mut jpki = JpkiAp::select(&mut card).unwrap();
    jpki.verify_auth_pin(&digits("1234")).unwrap();
    jpki.verify_sign_pin(&Pin::new("ABC123").unwrap()).unwrap();
    for scheme in SCHEMES {
        let data = match scheme {
            SignatureScheme::PreHashedDigestInfo | SignatureScheme::PreHashedPss => {
                sha256(b"message").to_vec()
            }
            SignatureScheme::Verbatim => vec![0x5A; 245],
            _ => vec![0x5A; 255],
        };
        let sign = |jpki: &mut JpkiAp<'_, _>| {
            (
                jpki.sign_with_auth_key_checked(scheme, &data).unwrap(),
                jpki.sign_with_sign_key_checked(scheme, &data).unwrap(),
            )
        };
        let (first, second) = (sign(&mut jpki), sign(&mut jpki));
        let salted = matches!(scheme, SignatureScheme::PreHashedPss | SignatureScheme::Sha256Pss);
        assert_eq!(first == second, !salted, "{scheme:?}");
    }
}

#[test]
fn it_opens_a_session_that_agrees_with_the_plain_read() {
    let mut card = card();
    let mut text = text::TextAp::select(&mut card).unwrap();
    text.verify_pin(&digits("1234")).unwrap();
    let files = [
        text::ef::MY_NUMBER,
        text::ef::ATTRIBUTES,
        text::ef::INTEGRITY,
        text::ef::CERTIFICATE,
        text::ef::AP_BASIC_DATA,
        text::ef::SESSION_KEY_PUBLIC_KEY,
        text::ef::SIGNED_PUBLIC_KEY,
    ];
    let plain: Vec<_> = files.iter().map(|id| text.read_ef(*id).unwrap()).collect();
    let physical = text.read_my_number_file().unwrap();
    let mut session = text.open_secure_session(&[0x5A; 32]).unwrap();
    session.verify(text::ef::CODE_A, &digits(CODE_A)).unwrap();
    for (id, plain) in files.iter().zip(&plain) {
        assert_eq!(session.read_ef(*id).unwrap(), *plain, "{id:04X}");
    }
    assert_eq!(session.read_ef_physical(text::ef::MY_NUMBER).unwrap(), physical);
    // what the application refuses counts, and plain commands do not
    assert!(matches!(session.verify(text::ef::BLOCKED_0012, &digits("0000")), Err(Error::PinBlocked)));
    let wrong = session.verify(text::ef::CODE_A, &digits("000000000000"));
    assert!(matches!(wrong, Err(Error::PinIncorrect { retries: Some(9) })), "{wrong:?}");
    session.card().select_ef(text::ef::MY_NUMBER).unwrap();
    assert_eq!(session.read_binary(3, 12).unwrap(), CODE_A.as_bytes());
    assert!(!session.is_broken());
}

#[test]
fn its_session_needs_the_pin_and_ends_with_the_application() {
    let mut card = card();
    let mut text = text::TextAp::select(&mut card).unwrap();
    text.verify_code_a(&digits(CODE_A)).unwrap();
    let refused = text.open_secure_session(&[1; 32]).err().unwrap();
    assert!(matches!(refused, Error::Status(status) if status.value() == 0x6982), "{refused:?}");
    text.verify_pin(&digits("1234")).unwrap();
    let mut session = text.open_secure_session(&[1; 32]).unwrap();
    session.card().select_df(&surface::DF).unwrap();
    let ended = session.select_ef(0x0001).unwrap_err();
    assert!(matches!(ended, Error::Status(status) if status.value() == 0x69FC), "{ended:?}");
    assert!(session.is_broken());
}

#[test]
fn it_reads_every_file_of_every_holder_and_verifies_every_signature() {
    let holders = Holder::built_in_names();
    assert!(holders.len() >= 17);
    let now = "2026-04-01T00:00:00Z".parse().unwrap();
    for name in holders {
        let holder = Holder::built_in(name).unwrap();
        let personalised = Arc::new(Personalised::new(holder, Profile::card(), now).unwrap());
        let mut card = Card::new(InProcess(VirtualCard::new(personalised.clone())));
        reads_and_verifies(&personalised, &mut card);
    }
}
