//! `myna-card`, a client library written elsewhere for real cards, reads the card through pcscd's virtual
//! reader as it would read one on a desk: every application, every signature, and a secure session.
//! Needs the feature `pcsc`, and pcscd's virtual reader as `pcsc.rs` does.

#[path = "../sim/tests/myna_card/holder.rs"]
mod holder;
mod support;

use holder::reads_and_verifies;
use jiff::Timestamp;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use myna_card::ap::jpki::{JpkiAp, SignatureScheme};
use myna_card::ap::{common, juki, surface, text};
use myna_card::transport::pcsc::{PcscTransport, Sharing, connect};
use myna_card::{Error, Pin, Retries};
use pcsc::{Context, ReaderState, Scope, State};
use std::env;
use std::ffi::CString;
use std::process::ExitCode;
use std::time::Duration;
use support::card::Card;
use support::reader::{Slot, VirtualReader};
use vmyna_sim::card::Personalised;
use vmyna_sim::holder::Holder;
use vmyna_sim::profile::Profile;

type Test = fn(&Slot) -> Result<(), Failed>;

const TESTS: [(&str, Test); 4] = [
    ("myna-card reads and verifies JPKI", jpki_is_read_and_verified),
    (
        "myna-card opens a secure session that agrees with the plain read",
        a_session_agrees_with_the_plain_read,
    ),
    ("myna-card reads every file of every holder, and verifies every signature", every_holder_is_read),
    ("myna-card reads the other applications, and a wrong PIN costs one try", the_others_are_read),
];

fn main() -> ExitCode {
    let reader = VirtualReader::find();
    let required = env::var_os("VMYNA_REQUIRE_PCSC").is_some_and(|value| value == "1");
    let known_before = env::var_os("NEXTEST").is_some() && reader.is_err() && !required;
    let trial = |(name, test): (&str, Test)| {
        let reader = reader.clone();
        let run = move || match reader {
            Ok(reader) => test(&reader.take_slot()?).map(|()| Completion::Completed),
            Err(missing) if required => Err(missing.into()),
            Err(missing) => Ok(Completion::ignored_with(format!("not run: {missing}"))),
        };
        Trial::ignorable_test(name, run).with_ignored_flag(known_before)
    };
    libtest_mimic::run(&Arguments::from_args(), TESTS.map(trial).into()).exit_code()
}

/// How long pcscd may take to tell its clients of a card that it has powered.
const PATIENCE: Duration = Duration::from_secs(20);

/// The card in the slot, alone, as soon as pcscd lets its clients have it.
fn connected(slot: &Slot) -> Result<myna_card::Card<PcscTransport>, Failed> {
    let context = Context::establish(Scope::User)?;
    let mut reader = [ReaderState::new(CString::new(slot.name)?, State::UNAWARE)];
    while !reader[0].event_state().contains(State::PRESENT) {
        context.get_status_change(PATIENCE, &mut reader)?;
        reader[0].sync_current_state();
    }
    Ok(connect(slot.name, Sharing::Exclusive)?)
}

fn digits(value: &str) -> Result<Pin, Error> {
    Pin::numeric(value)
}

fn jpki_is_read_and_verified(slot: &Slot) -> Result<(), Failed> {
    let _card = Card::insert(slot)?;
    let mut card = connected(slot)?;
    let mut jpki = JpkiAp::select(&mut card)?;
    assert!(jpki.read_token_type()?.is_physical_card());
    jpki.verify_auth_pin(&digits("1234")?)?;
    jpki.verify_sign_pin(&Pin::new("ABC123")?)?;
    let ca = jpki.read_auth_ca_certificate()?;
    jpki.read_auth_certificate()?.verify_signature(&ca)?;
    let ca = jpki.read_sign_ca_certificate()?;
    jpki.read_sign_certificate()?.verify_signature(&ca)?;
    for scheme in [SignatureScheme::Sha256Bare, SignatureScheme::Sha256DigestInfo, SignatureScheme::Sha256Pss]
    {
        jpki.sign_with_auth_key_checked(scheme, b"challenge")?;
        jpki.sign_with_sign_key_checked(scheme, b"document")?;
    }
    for scheme in
        [SignatureScheme::Verbatim, SignatureScheme::PreHashedDigestInfo, SignatureScheme::PreHashedPss]
    {
        jpki.sign_with_auth_key_checked(scheme, &[0x5A; 32])?;
        jpki.sign_with_sign_key_checked(scheme, &[0x5A; 32])?;
    }
    Ok(())
}

fn a_session_agrees_with_the_plain_read(slot: &Slot) -> Result<(), Failed> {
    let _card = Card::insert(slot)?;
    let mut card = connected(slot)?;
    let mut text = text::TextAp::select(&mut card)?;
    text.verify_pin(&digits("1234")?)?;
    let (number, attributes) = (text.read_my_number_file()?, text.read_ef(text::ef::ATTRIBUTES)?);
    let issuer = text.read_certificate()?.public_key;
    let record = text.read_integrity_record()?;
    record.verify(&issuer)?;
    assert!(record.matches_my_number_file(&number) && record.matches_attributes_file(&attributes)?);
    assert!(text.read_ap_basic_data()?.digest().is_some());
    let mut session = text.open_secure_session(&[0x5A; 32])?;
    session.verify(text::ef::CODE_A, &digits("123456789018")?)?;
    assert_eq!(session.read_ef_physical(text::ef::MY_NUMBER)?, number);
    assert_eq!(session.read_ef(text::ef::ATTRIBUTES)?, attributes);
    assert!(matches!(session.verify(text::ef::BLOCKED_0012, &digits("0000")?), Err(Error::PinBlocked)));
    assert_eq!(session.read_ef_physical(text::ef::MY_NUMBER)?, number);
    Ok(())
}

fn every_holder_is_read(slot: &Slot) -> Result<(), Failed> {
    for name in Holder::built_in_names() {
        let served = Card::insert_of(slot, name)?;
        let holder = Holder::built_in(name).ok_or(name)?;
        let personalised = Personalised::new(holder, Profile::card(), Timestamp::now())?;
        reads_and_verifies(&personalised, &mut connected(slot)?);
        drop(served);
        slot.await_empty()?;
    }
    Ok(())
}

fn the_others_are_read(slot: &Slot) -> Result<(), Failed> {
    let _card = Card::insert(slot)?;
    let mut card = connected(slot)?;
    let chain = myna_card::mf::MasterFile::select(&mut card)?.certificate_chain()?;
    chain[1].verify_with(&chain[0].public_key)?;
    let mut surface = surface::SurfaceAp::select(&mut card)?;
    let issuer = surface.read_certificate()?.public_key;
    assert_eq!(surface.read_ap_basic_data()?.municipality_code, "13101");
    surface.verify_birth_date(&digits("550615")?)?;
    surface.read_age_record()?.verify(&issuer)?;
    surface.verify_code_a(&digits("123456789018")?)?;
    surface.read_card_face()?.verify(&issuer)?;
    surface.read_my_number_image()?.verify(&issuer)?;
    let mut common = common::CommonAp::select(&mut card)?;
    assert_eq!(common.read_card_info()?.municipality_code, "13101");
    assert_eq!(common.internal_authenticate(b"challenge")?.len(), 256);
    let mut juki = juki::JukiAp::select(&mut card)?;
    assert!(matches!(juki.verify_pin(&digits("0000")?), Err(Error::PinIncorrect { retries: Some(2) })));
    assert_eq!(juki.pin_retries()?, Retries::Remaining(2));
    Ok(())
}
