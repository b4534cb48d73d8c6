//! What always holds of the card, whatever is sent to it, and what its profile changes.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use hex_literal::hex;
use proptest::prelude::*;
use rand_core::{TryCryptoRng, TryRng};
use rsa::pkcs8::DecodePublicKey;
use rsa::{Oaep, RsaPublicKey};
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, LazyLock, Mutex};
use vmyna_sim::apdu::{CommandApdu, CommandBuilder, ResponseApdu, Status};
use vmyna_sim::application;
use vmyna_sim::card::{Personalised, VirtualCard, seeded};
use vmyna_sim::file::FileKind;
use vmyna_sim::holder::Holder;
use vmyna_sim::key::Signer;
use vmyna_sim::pin::{PinName, PinStates};
use vmyna_sim::profile::{EmptyVerifyAnswer, Fate, Profile};
use vmyna_sim::secure_messaging::Session;
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
    let long_bytes = proptest::collection::vec(any::<u8>(), 40..700);
    let extended =
        (sample(&[0x00, 0x80, 0x08]), sample(&[0x20, 0x2A, 0xA2, 0xAE, 0xB0]), 0usize..700, any::<u8>())
            .prop_map(|(cla, ins, length, byte)| {
                CommandBuilder::new(cla, ins, 0x00, 0x97)
                    .data(&vec![byte; length])
                    .le(65_536)
                    .extended()
                    .to_bytes()
            });
    // As long as Lc can say (65,535 and header, Lc and Le around them are 65,544 bytes), and as bytes one more.
    // Grown from a byte and a length, since so many drawn ones would make the test slow.
    let longest = (
        (sample(&[0x00, 0x80, 0x08]), sample(&[0xA4, 0xB0, 0x20, 0x24, 0x2A, 0x32, 0x84, 0xAE, 0xCA])),
        sample(&[0x00, 0x80, 0x97, 0x98, 0x9B]),
        60_000usize..=65_535,
        any::<u8>(),
    )
        .prop_map(|((cla, ins), p2, length, byte)| {
            CommandBuilder::new(cla, ins, 0x00, p2).data(&vec![byte; length]).le(65_536).to_bytes()
        });
    let no_command = (any::<[u8; 7]>(), 700usize..=65_545, any::<u8>())
        .prop_map(|(header, length, byte)| [&header[..], &vec![byte; length - header.len()]].concat());
    prop_oneof![
        60 => near,
        10 => Just(SELECT_JPKI.to_vec()),
        10 => other_application,
        10 => any_bytes,
        10 => long_bytes,
        10 => extended,
        1 => longest,
        1 => no_command,
    ]
}

/// What a terminal sends: bytes, or a command of its session with `plain` inside.
#[derive(Debug, Clone)]
enum Sent {
    Bytes(Vec<u8>),
    Secured { header: [u8; 3], plain: Vec<u8> },
}

fn sent() -> impl Strategy<Value = Sent> {
    let reference = proptest::sample::select(&[0x80, 0x91, 0x92, 0x94, 0x95, 0x9F][..]);
    let value = prop_oneof![
        Just(vec![]),
        Just(b"1234".to_vec()),
        Just(b"0000".to_vec()),
        Just(b"123456789018".to_vec()),
        Just(vec![0x00, 0x14]),
        Just(hex!("D3921000310001010408").to_vec()),
        proptest::collection::vec(any::<u8>(), 0..40),
    ];
    let header = prop_oneof![
        3 => reference.prop_map(|reference| [0x20, 0x00, reference]),
        1 => Just([0xA4, 0x02, 0x0C]),
        1 => Just([0xA4, 0x04, 0x0C]),
        1 => any::<[u8; 3]>(),
    ];
    let secured = (header, value).prop_map(|(header, plain)| Sent::Secured { header, plain });
    prop_oneof![1 => command().prop_map(Sent::Bytes), 2 => secured]
}

/// Makes the same ciphertext each time, which is good enough for a test.
struct Padding;

impl TryRng for Padding {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0x5A5A_5A5A)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0x5A5A_5A5A_5A5A_5A5A)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(0x5A);
        Ok(())
    }
}

impl TryCryptoRng for Padding {}

/// A card with a session, and the session as its terminal keeps it.
fn in_a_session() -> (VirtualCard, Session) {
    let message = [&hex!("A0228020")[..], &[0x5A; 32]].concat();
    let key = RsaPublicKey::from_public_key_der(HANAKO.issued().body.session_key.public_key()).unwrap();
    let encrypted = key.encrypt(&mut Padding, Oaep::<sha2::Sha256>::new(), &message).unwrap();
    let mut card = VirtualCard::new(HANAKO.clone());
    for command in [
        hex!("00A4040C0AD3921000310001010408").to_vec(),
        hex!("002000910431323334").to_vec(),
        CommandBuilder::new(0x80, 0xAE, 0x00, 0x00).data(&encrypted).to_bytes(),
    ] {
        assert_eq!(status(&mut card, &command), Status::Success);
    }
    (card, Session::delivered_by(&message).unwrap())
}

/// The PINs whose counter stands otherwise than before.
fn touched(before: &PinStates, after: &PinStates) -> Vec<PinName> {
    let tries = |states: &PinStates, pin| states.get(pin).tries_left;
    PinName::ALL.into_iter().filter(|pin| tries(before, *pin) != tries(after, *pin)).collect()
}

/// Whether the EF with that short identifier holds `pin` in some application.
fn lies_in(pin: PinName, sfi: u8) -> bool {
    let mut files = application::ALL.iter().flat_map(|application| application.files);
    files.any(|file| {
        matches!(file.kind, FileKind::Pin(there) if there == pin)
            && file.id.sfi().is_some_and(|there| there.value() == sfi)
    })
}

/// Whether `ins p1 p2` with data may spend a try of each of `pins`.
fn may_touch(pins: &[PinName], ins: u8, p2: u8, has_data: bool) -> bool {
    pins.is_empty()
        || pins.len() == 1
            && ins == 0x20
            && has_data
            && (p2 == 0x80 || pins.iter().all(|pin| lies_in(*pin, p2 & 0x1F)))
}

#[test]
fn a_command_of_any_length_is_answered() {
    let mut card = VirtualCard::new(HANAKO.clone());
    for length in (0..=600).chain([32_767, 65_535, 65_544, 65_545, 100_000]) {
        for beginning in
            [&[][..], &[0x00], &hex!("00B00000"), &hex!("802A0097"), &hex!("80AE0000"), &hex!("08200094")]
        {
            let mut command = beginning.to_vec();
            command.resize(length, 0x00);
            let Reaction::Answer(answer) = card.transmit(&command) else { panic!("the card answers") };
            assert!(ResponseApdu::try_from(&answer[..]).is_ok(), "{length} bytes after {beginning:02X?}");
        }
    }
    assert_eq!(card.pins(), &HANAKO.fresh_state());
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
            let touched = touched(&before, card.pins());
            let allowed = CommandApdu::parse(command).map_or(touched.is_empty(), |apdu| {
                may_touch(&touched, apdu.ins(), apdu.p2(), !apdu.data().is_empty())
            });
            prop_assert!(allowed, "{command:02X?} touched {touched:?}");
            let is_change = CommandApdu::parse(command).is_ok_and(|apdu| matches!(apdu.ins(), 0x24 | 0x32));
            if touched.is_empty() && !is_change {
                prop_assert_eq!(&before, card.pins());
            }
        }
    }

    #[test]
    fn nothing_in_a_session_panics_and_only_verify_touches_a_counter(
        commands in proptest::collection::vec(sent(), 1..20)
    ) {
        let (mut card, mut session) = in_a_session();
        for command in &commands {
            let before = card.pins().clone();
            let (raw, ins, p2, has_data) = match command {
                Sent::Bytes(raw) => {
                    if raw.first() == Some(&0x08) {
                        let _ = CommandApdu::parse(raw).map(|apdu| session.unwrap(&apdu).is_ok());
                    }
                    let apdu = CommandApdu::parse(raw);
                    let (ins, p2) = apdu.map_or((0, 0), |apdu| (apdu.ins(), apdu.p2()));
                    (raw.clone(), ins, p2, apdu.is_ok_and(|apdu| !apdu.data().is_empty()))
                }
                Sent::Secured { header: [ins, p1, p2], plain } => {
                    let _ = session.unwrap(&CommandApdu::parse(&hex!("08000000")).unwrap());
                    let secured = CommandBuilder::new(0x08, *ins, *p1, *p2).data(&session.wrap(plain));
                    (secured.to_bytes(), *ins, *p2, !plain.is_empty())
                }
            };
            let Reaction::Answer(answer) = card.transmit(&raw) else { panic!("the card answers") };
            prop_assert!(ResponseApdu::try_from(&answer[..]).is_ok());
            let touched = touched(&before, card.pins());
            prop_assert!(may_touch(&touched, ins, p2, has_data), "{command:02X?} touched {touched:?}");
        }
    }

    #[test]
    fn every_file_reads_the_same_in_any_blocks(blocks in proptest::collection::vec(1u32..=700, 1..60)) {
        for (aid, pins) in READABLE {
            let mut card = VirtualCard::new(HANAKO.clone());
            let select = CommandBuilder::new(0x00, 0xA4, 0x04, 0x0C).data(aid).to_bytes();
            for command in std::iter::once(&select[..]).chain(pins.iter().copied()) {
                prop_assert_eq!(status(&mut card, command), Status::Success);
            }
            for sfi in 1..=30 {
                let Reaction::Answer(mut whole) = card.transmit(&[0x00, 0xB0, 0x80 | sfi, 0, 0, 0, 0]) else {
                    panic!("the card answers")
                };
                if whole.split_off(whole.len() - 2) != [0x90, 0x00] {
                    continue;
                }
                let mut read: Vec<u8> = Vec::new();
                for le in blocks.iter().cycle() {
                    let [high, low] = (read.len() as u16).to_be_bytes();
                    let [le_high, le_low] = (*le as u16).to_be_bytes();
                    let command = [0x00, 0xB0, high, low, 0, le_high, le_low];
                    let Reaction::Answer(answer) = card.transmit(&command) else { panic!("the card answers") };
                    let response = ResponseApdu::try_from(&answer[..]).unwrap();
                    if response.status != Status::Success {
                        prop_assert_eq!(response.status, Status::OffsetOutsideEf);
                        break;
                    }
                    prop_assert!((1..=*le as usize).contains(&response.data.len()));
                    read.extend(response.data);
                }
                prop_assert_eq!(&read, &whole, "SFI {:02X}", sfi);
            }
        }
    }
}

/// Each application with files that are read, and what opens them all.
const READABLE: &[(&[u8], &[&[u8]])] = &[
    (&hex!("D392F000260100000001"), &[&RIGHT, &hex!("0020009B 06 414243313233")]),
    (&hex!("D3921000310001010408"), &[&hex!("00200091 04 31323334")]),
    (
        &hex!("D3921000310001010402"),
        &[&hex!("00200091 06 353530363135"), &hex!("00200093 0C 313233343536373839303138")],
    ),
];
