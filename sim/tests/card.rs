//! What always holds of the card, whatever is sent to it, and what its profile changes.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use hex_literal::hex;
use proptest::prelude::*;
use std::io;
use std::sync::{Arc, LazyLock, Mutex};
use vmyna_sim::apdu::{CommandApdu, ResponseApdu, Status};
use vmyna_sim::card::{Personalised, VirtualCard, seeded};
use vmyna_sim::holder::Holder;
use vmyna_sim::pin::{PinName, PinStates};
use vmyna_sim::profile::{EmptyVerifyAnswer, Fate, Profile};
use vmyna_sim::smart_card::{Power, Reaction, SmartCard};
use vmyna_sim::store::{MemoryStore, Store};

static HANAKO: LazyLock<Arc<Personalised>> = LazyLock::new(|| personalised(|_| {}));

fn personalised(change: impl FnOnce(&mut Profile)) -> Arc<Personalised> {
    let mut profile = Profile::card();
    change(&mut profile);
    let holder = Holder::built_in("hanako").unwrap();
    Arc::new(Personalised::new(holder, profile, "2026-04-01T00:00:00Z".parse().unwrap()).unwrap())
}

fn status(card: &mut VirtualCard, command: &[u8]) -> Status {
    let Reaction::Answer(answer) = card.transmit(command) else { panic!("the card answers") };
    ResponseApdu::try_from(&answer[..]).unwrap().status
}

const SELECT_JPKI: [u8; 15] = hex!("00A4040C0AD392F000260100000001");
const RIGHT: [u8; 9] = hex!("002000980431323334");
const WRONG: [u8; 9] = hex!("002000980430303030");
const ASK: [u8; 4] = hex!("00200098");
const SIGN: [u8; 7] = hex!("802A0097015500");

/// A fresh card with the JPKI application selected.
fn selected(change: impl FnOnce(&mut Profile)) -> VirtualCard {
    let mut card = VirtualCard::new(personalised(change));
    assert_eq!(status(&mut card, &SELECT_JPKI), Status::Success);
    card
}

#[test]
fn an_empty_verify_of_a_verified_pin_answers_as_the_profile_says() {
    for (answer, expected) in
        [(EmptyVerifyAnswer::TriesLeft, Status::TriesLeft(3)), (EmptyVerifyAnswer::Success, Status::Success)]
    {
        let mut card = selected(|profile| profile.empty_verify.when_verified = answer);
        assert_eq!(status(&mut card, &ASK), Status::TriesLeft(3));
        assert_eq!(status(&mut card, &RIGHT), Status::Success);
        assert_eq!(status(&mut card, &ASK), expected);
    }
}

#[test]
fn a_blocked_pin_answers_as_the_profile_says() {
    for (blocked, when_asked, expected) in [
        (Status::ReferencedIefBlocked, EmptyVerifyAnswer::TriesLeft, Status::TriesLeft(0)),
        (
            Status::AuthenticationMethodBlocked,
            EmptyVerifyAnswer::BlockedStatus,
            Status::AuthenticationMethodBlocked,
        ),
    ] {
        let mut card = selected(|profile| {
            profile.blocked_status = blocked;
            profile.empty_verify.when_blocked = when_asked;
        });
        for left in [2, 1, 0] {
            assert_eq!(status(&mut card, &WRONG), Status::TriesLeft(left));
        }
        assert_eq!(status(&mut card, &RIGHT), blocked);
        assert_eq!(status(&mut card, &ASK), expected);
    }
}

#[test]
fn a_warm_reset_keeps_the_application_and_drops_the_current_ef() {
    for (fate, expected) in
        [(Fate::Kept, Status::Success), (Fate::Cleared, Status::SecurityStatusNotSatisfied)]
    {
        let mut card = selected(|profile| profile.security_status.on_warm_reset = fate);
        assert_eq!(status(&mut card, &RIGHT), Status::Success);
        assert_eq!(status(&mut card, &hex!("00A4020C020006")), Status::Success);
        card.power(Power::WarmReset);
        assert_eq!(status(&mut card, &hex!("00B0000004")), Status::NoCurrentEf);
        assert_eq!(status(&mut card, &SIGN), expected);
    }
}

#[test]
fn selecting_the_same_application_does_as_the_profile_says() {
    for (fate, expected) in
        [(Fate::Kept, Status::Success), (Fate::Cleared, Status::SecurityStatusNotSatisfied)]
    {
        let mut card = selected(|profile| profile.security_status.on_selecting_the_same_application = fate);
        assert_eq!(status(&mut card, &RIGHT), Status::Success);
        assert_eq!(status(&mut card, &SELECT_JPKI), Status::Success);
        assert_eq!(status(&mut card, &SIGN), expected);
    }
}

/// Remembers what was saved, and fails from the nth time on.
#[derive(Clone, Default)]
struct Recorder {
    saved: Arc<Mutex<Vec<(u8, u8)>>>,
    fails_from: usize,
}

impl Store for Recorder {
    fn save(&mut self, state: &PinStates) -> io::Result<()> {
        let mut saved = self.saved.lock().unwrap();
        if saved.len() >= self.fails_from {
            return Err(io::Error::other("the disk is full"));
        }
        let tries = |pin| state.get(pin).tries_left;
        saved.push((tries(PinName::UserAuthentication), tries(PinName::DigitalSignature)));
        Ok(())
    }
}

fn recorded(fails_from: usize) -> (VirtualCard, Recorder) {
    let store = Recorder { fails_from, ..Recorder::default() };
    let fresh = HANAKO.fresh_state();
    let mut card = VirtualCard::with(HANAKO.clone(), Box::new(store.clone()), fresh, Box::new(seeded(0)));
    assert_eq!(status(&mut card, &SELECT_JPKI), Status::Success);
    (card, store)
}

#[test]
fn the_try_is_stored_as_spent_before_the_values_are_compared() {
    let (mut card, store) = recorded(usize::MAX);
    assert_eq!(status(&mut card, &WRONG), Status::TriesLeft(2));
    assert_eq!(status(&mut card, &RIGHT), Status::Success);
    assert_eq!(*store.saved.lock().unwrap(), [(2, 5), (1, 5), (3, 5)]);
}

#[test]
fn what_cannot_be_stored_has_not_happened() {
    // The try of the right PIN cannot be stored: it is neither spent nor compared.
    let (mut card, _) = recorded(0);
    assert_eq!(status(&mut card, &RIGHT), Status::MemoryFailure);
    assert_eq!(card.pins().get(PinName::UserAuthentication).tries_left, 3);
    assert_eq!(status(&mut card, &SIGN), Status::SecurityStatusNotSatisfied);
    // The refill cannot be stored: the try stays spent, and nothing is verified.
    let (mut card, _) = recorded(1);
    assert_eq!(status(&mut card, &RIGHT), Status::MemoryFailure);
    assert_eq!(card.pins().get(PinName::UserAuthentication).tries_left, 2);
    assert_eq!(status(&mut card, &SIGN), Status::SecurityStatusNotSatisfied);
    // The changed PIN cannot be stored: the old one stays.
    let (mut card, _) = recorded(2);
    assert_eq!(status(&mut card, &RIGHT), Status::Success);
    assert_eq!(status(&mut card, &hex!("002401980439393939")), Status::MemoryFailure);
    assert_eq!(card.pins().get(PinName::UserAuthentication).changed_value, None);
}

#[test]
fn the_same_seed_gives_the_same_challenges() {
    let challenge = |seed| {
        let fresh = HANAKO.fresh_state();
        VirtualCard::with(HANAKO.clone(), Box::new(MemoryStore), fresh, Box::new(seeded(seed)))
            .transmit(&hex!("0084000008"))
    };
    assert_eq!(challenge(7), challenge(7));
    assert_ne!(challenge(7), challenge(8));
}

/// Commands near the real ones, so that they get far, and any bytes at all.
fn command() -> impl Strategy<Value = Vec<u8>> {
    let any_bytes = proptest::collection::vec(any::<u8>(), 0..40);
    let sample = |choices: &'static [u8]| proptest::sample::select(choices);
    let near = (
        sample(&[0x00, 0x80, 0x01, 0x08, 0x0C, 0x10]),
        sample(&[0xA4, 0xB0, 0xB2, 0x20, 0x24, 0x2A, 0x32, 0x84, 0x88, 0xCA, 0xC0]),
        sample(&[0x00, 0x01, 0x02, 0x04, 0x7F, 0x80, 0x8A, 0x97, 0xFF]),
        sample(&[0x00, 0x0C, 0x80, 0x97, 0x98, 0x9A, 0x9B, 0x9F, 0xFF]),
        prop_oneof![
            Just(vec![]),
            Just(vec![0]),
            Just(hex!("020018").to_vec()),
            Just(hex!("02001B").to_vec()),
            Just(hex!("02000A").to_vec()),
            Just(hex!("0431323334").to_vec()),
            Just(hex!("0430303030").to_vec()),
            Just(hex!("06414243313233").to_vec()),
            Just(hex!("015500").to_vec()),
            proptest::collection::vec(any::<u8>(), 0..12),
        ],
    )
        .prop_map(|(cla, ins, p1, p2, body)| [vec![cla, ins, p1, p2], body].concat());
    let other_application = sample(&[0x00, 0x01, 0x02, 0x08]).prop_map(|last| {
        let third = if last == 0x00 { 0x01 } else { 0x04 };
        [&hex!("00A4040C0AD392100031000101")[..], &[third, last]].concat()
    });
    prop_oneof![6 => near, 1 => Just(SELECT_JPKI.to_vec()), 1 => other_application, 1 => any_bytes]
}

proptest! {
    #[test]
    fn no_command_panics_and_only_verify_touches_a_counter(
        commands in proptest::collection::vec(command(), 1..40)
    ) {
        let mut card = VirtualCard::new(HANAKO.clone());
        for command in &commands {
            let before = card.pins().clone();
            let Reaction::Answer(answer) = card.transmit(command) else { panic!("the card answers") };
            prop_assert!(ResponseApdu::try_from(&answer[..]).is_ok());
            let is_verify = CommandApdu::parse(command).is_ok_and(|apdu| apdu.ins() == 0x20 && !apdu.data().is_empty());
            let is_change = CommandApdu::parse(command).is_ok_and(|apdu| matches!(apdu.ins(), 0x24 | 0x32));
            if !is_verify && !is_change {
                prop_assert_eq!(&before, card.pins());
            }
            let touched = PinName::ALL.into_iter().filter(|pin| before.get(*pin) != card.pins().get(*pin));
            prop_assert!(touched.count() <= 1);
        }
    }

    #[test]
    fn a_file_reads_the_same_in_any_blocks(blocks in proptest::collection::vec(1u32..=700, 1..60)) {
        let mut card = VirtualCard::new(HANAKO.clone());
        card.transmit(&SELECT_JPKI);
        card.transmit(&hex!("00A4020C02000A"));
        let certificate = &HANAKO.issued().user_authentication.certificate;
        let mut read: Vec<u8> = Vec::new();
        for le in blocks.into_iter().cycle() {
            let [high, low] = (read.len() as u16).to_be_bytes();
            let [le_high, le_low] = (le as u16).to_be_bytes();
            let Reaction::Answer(answer) = card.transmit(&[0x00, 0xB0, high, low, 0, le_high, le_low]) else {
                panic!("the card answers")
            };
            let response = ResponseApdu::try_from(&answer[..]).unwrap();
            if response.status != Status::Success {
                prop_assert_eq!(response.status, Status::OffsetOutsideEf);
                break;
            }
            read.extend(response.data);
        }
        prop_assert_eq!(&read[..certificate.len()], &certificate[..]);
        prop_assert!(read[certificate.len()..].iter().all(|byte| *byte == 0xFF));
    }
}
