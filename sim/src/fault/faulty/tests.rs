use super::*;
use crate::card::Personalised;
use crate::card::VirtualCard;
use crate::fault::Fault;
use crate::pin::PinName;
use hex_literal::hex;
use proptest::prelude::*;
use std::sync::{Arc, LazyLock, Mutex};

const SELECT_JPKI: [u8; 15] = hex!("00A4040C0AD392F000260100000001");
const SELECT_PIN: [u8; 7] = hex!("00A4020C020018");
const WRONG: [u8; 9] = hex!("00200080 04 30303030");
const RIGHT: [u8; 9] = hex!("00200080 04 31323334");
const CHALLENGE: [u8; 5] = hex!("0084000008");

struct Suffering {
    card: Faulty<VirtualCard>,
    faults: Faults,
    waited: Arc<Mutex<Vec<Duration>>>,
    told: Arc<Mutex<Vec<String>>>,
}

/// Issued once.
static HANAKO: LazyLock<Arc<Personalised>> =
    LazyLock::new(|| Arc::new(Personalised::built_in("hanako").unwrap()));

/// Hanako's card with these faults; other than hers, there is Taro's.
fn suffering(faults: &[&str]) -> Suffering {
    let (waited, told) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<Mutex<Vec<_>>>::default());
    let handle = Faults::new(7);
    let (waiting, telling) = (waited.clone(), told.clone());
    let card = Faulty::new(VirtualCard::new(HANAKO.clone()), &handle)
        .waiting(move |time| waiting.lock().unwrap().push(time))
        .telling(move |strike| telling.lock().unwrap().push(strike.to_string()))
        .swapping(|card| *card = VirtualCard::built_in("taro").unwrap());
    for fault in faults {
        handle.arm(fault.parse::<Fault>().unwrap()).unwrap();
    }
    Suffering { card, faults: handle, waited, told }
}

impl Suffering {
    fn send(&mut self, command: &[u8]) -> Reaction {
        self.card.transmit(command)
    }

    fn tries_left(&self) -> u8 {
        self.card.card.pins().get(PinName::UserAuthentication).tries_left
    }

    fn at_the_pin(mut self) -> Self {
        assert_eq!(self.send(&SELECT_JPKI), answer(&[0x90, 0x00]));
        assert_eq!(self.send(&SELECT_PIN), answer(&[0x90, 0x00]));
        self
    }
}

fn answer(bytes: &[u8]) -> Reaction {
    Reaction::Answer(bytes.to_vec())
}

#[test]
fn a_card_removed_before_the_command_has_spent_nothing_and_one_removed_during_it_has() {
    for (fault, left, leaving) in [
        ("remove@verify", 3, Leaving::Close),
        ("remove=before,reset@verify", 3, Leaving::Reset),
        ("remove=during@verify", 2, Leaving::Close),
        ("remove=during,reset@verify", 2, Leaving::Reset),
        ("remove=half@verify", 2, Leaving::HalfFrame),
    ] {
        let mut card = suffering(&[fault]).at_the_pin();
        assert_eq!(card.send(&WRONG), Reaction::Leave(leaving), "{fault}");
        assert_eq!(card.tries_left(), left, "{fault}");
        assert_eq!(card.send(&WRONG), answer(&hex!("6986")), "{fault}: what comes back has no selection");
    }
}

#[test]
fn a_card_removed_after_the_answer_has_given_it() {
    let mut card = suffering(&["remove=after,reset@verify"]).at_the_pin();
    assert_eq!(card.send(&RIGHT), answer(&[0x90, 0x00]));
    assert_eq!(card.card.atr(), Reaction::Leave(Leaving::Reset));
    assert!(matches!(card.card.atr(), Reaction::Answer(_)), "it comes back");
}

#[test]
fn a_mute_card_is_silent_for_a_bounded_time_whether_or_not_it_did_what_it_was_told() {
    for (fault, left) in [("mute=2s@verify", 3), ("mute=2s,during@verify", 2)] {
        let mut card = suffering(&[fault]).at_the_pin();
        assert_eq!(card.send(&WRONG), Reaction::Silence(Duration::from_secs(2)));
        assert_eq!(card.tries_left(), left, "{fault}");
    }
    let mut card = suffering(&["mute@atr#2"]);
    assert!(matches!(card.card.atr(), Reaction::Answer(_)));
    assert!(matches!(card.card.atr(), Reaction::Silence(_)));
    assert!(matches!(card.card.atr(), Reaction::Answer(_)));
}

#[test]
fn an_answer_that_is_late_is_still_the_answer() {
    let mut card = suffering(&["delay=300ms@2", "wtx=5@2", "jitter=10ms..20ms@always"]);
    assert!(matches!(card.send(&SELECT_JPKI), Reaction::Answer(_)));
    assert_eq!(card.send(&SELECT_PIN), answer(&[0x90, 0x00]));
    let waited = card.waited.lock().unwrap().clone();
    assert_eq!(waited.len(), 4);
    assert_eq!(waited[1..3], [Duration::from_millis(300), Duration::from_secs(8)]);
    assert!([waited[0], waited[3]].iter().all(|time| (10..=20).contains(&time.as_millis())));
}

#[test]
fn a_status_of_our_own_spends_no_try() {
    let mut card = suffering(&["status=63C1@verify"]).at_the_pin();
    assert_eq!(card.send(&WRONG), answer(&hex!("63C1")));
    assert_eq!(card.tries_left(), 3);
    assert_eq!(card.send(&WRONG), answer(&hex!("63C2")));
}

#[test]
fn without_status_and_without_data_nothing_is_left_but_silence() {
    let mut card = suffering(&["no-status@always"]);
    assert_eq!(card.send(&SELECT_JPKI), Reaction::Silence(NOTHING_TO_SAY));
    let Reaction::Answer(challenge) = card.send(&CHALLENGE) else { panic!("eight bytes remain") };
    assert_eq!(challenge.len(), 8);
}

#[test]
fn a_stale_answer_shifts_all_that_follow_until_the_power_goes() {
    let mut card = suffering(&["stale@3"]).at_the_pin();
    assert_eq!(card.send(&WRONG), answer(&[0x90, 0x00]), "the answer to SELECT once more");
    assert_eq!(card.card.atr(), answer(&hex!("63C2")), "the answer to VERIFY instead of an ATR");
    assert_eq!(card.send(&WRONG)[..2], hex!("3BE0"), "the ATR instead of the answer to VERIFY");
    assert_eq!(card.tries_left(), 1);
    card.card.power(Power::Off);
    card.card.power(Power::On);
    assert_eq!(card.send(&SELECT_JPKI), answer(&[0x90, 0x00]));
    assert_eq!(card.card.atr()[..2], hex!("3BE0"));
}

impl std::ops::Index<std::ops::RangeTo<usize>> for Reaction {
    type Output = [u8];

    fn index(&self, range: std::ops::RangeTo<usize>) -> &[u8] {
        match self {
            Self::Answer(answer) => &answer[range],
            other => panic!("an answer was expected, {other:?} came"),
        }
    }
}

#[test]
fn storms_take_the_security_status_and_no_try() {
    for (fault, then) in [("off-on-storm@verify#2", hex!("6986")), ("reset=20@verify#2", hex!("6986"))] {
        let mut card = suffering(&[fault]).at_the_pin();
        assert_eq!(card.send(&RIGHT), answer(&[0x90, 0x00]));
        assert_eq!(card.send(&WRONG), answer(&then), "{fault}");
        assert_eq!(card.tries_left(), 3);
    }
}

#[test]
fn a_swapped_card_has_the_same_atr_and_another_person_or_the_reverse() {
    let person = |card: &Suffering| card.card.card.personalised().holder().id().to_owned();
    let mut card = suffering(&["swap@sign", "swap=atr@sign#2"]);
    let Reaction::Answer(atr) = card.card.atr() else { panic!("an ATR") };
    let sign = hex!("802A0000015500");
    assert_eq!(card.send(&sign), Reaction::Leave(Leaving::Close));
    assert_eq!((card.card.atr(), person(&card)), (Reaction::Answer(atr.clone()), "taro".to_owned()));
    assert_eq!(card.send(&sign), Reaction::Leave(Leaving::Close));
    let Reaction::Answer(other) = card.card.atr() else { panic!("an ATR") };
    assert_ne!(other, atr);
    assert_eq!(person(&card), "taro");
}

#[test]
fn without_another_card_there_is_no_swap() {
    let faults = Faults::new(0);
    let _card = Faulty::new(VirtualCard::built_in("hanako").unwrap(), &faults);
    assert!(faults.arm("swap".parse().unwrap()).is_err());
    assert!(faults.arm("swap=atr".parse().unwrap()).is_ok());
}

#[test]
fn no_card_and_no_reader_last_until_the_card_is_inserted() {
    for (fault, leaving) in [("no-card@2", Leaving::Close), ("no-reader@2", Leaving::Reset)] {
        let mut card = suffering(&[fault]);
        assert_eq!(card.send(&SELECT_JPKI), answer(&[0x90, 0x00]));
        for _ in 0..3 {
            assert_eq!(card.send(&SELECT_JPKI), Reaction::Leave(leaving));
            assert_eq!(card.card.atr(), Reaction::Leave(leaving));
        }
        assert!(card.faults.is_absent());
        card.faults.insert();
        assert_eq!(card.send(&SELECT_JPKI), answer(&[0x90, 0x00]));
    }
}

#[test]
fn faults_of_one_command_act_together_and_each_is_told() {
    let mut card = suffering(&["delay=1s@challenge", "length=-1@challenge", "extra=2@challenge"]);
    let Reaction::Answer(answer) = card.send(&CHALLENGE) else { panic!("an answer") };
    assert_eq!(answer.len(), 8 - 1 + 2 + 2);
    assert_eq!(
        card.told.lock().unwrap()[..],
        [
            "delay=1000ms@challenge strikes at command 1",
            "length=-1@challenge strikes at command 1",
            "extra=2@challenge strikes at command 1"
        ]
    );
    assert_eq!(card.faults.armed(), []);
    assert!(card.faults.is_idle());
}

/// What a card answers to a hundred commands under these faults.
fn answers(seed: u64, faults: &[&str], atr_requests: usize) -> Vec<Reaction> {
    let handle = Faults::new(seed);
    let mut card = Faulty::new(VirtualCard::new(HANAKO.clone()), &handle);
    for fault in faults {
        handle.arm(fault.parse().unwrap()).unwrap();
    }
    let mut answer = |_| {
        for _ in 0..atr_requests {
            card.atr();
        }
        card.transmit(&CHALLENGE)
    };
    (0..100).map(&mut answer).collect()
}

#[test]
fn the_same_seed_replays_exactly_however_often_the_reader_looks() {
    let faults = ["flip=2@20%", "mute@5%"];
    assert_eq!(answers(1, &faults, 0), answers(1, &faults, 3));
    assert_ne!(answers(1, &faults, 0), answers(2, &faults, 0));
    let silences = |reactions: Vec<Reaction>| {
        reactions.iter().map(|r| matches!(r, Reaction::Silence(_))).collect::<Vec<_>>()
    };
    let alone = silences(answers(1, &["delay=0s@always", "mute@5%"], 0));
    assert_eq!(silences(answers(1, &faults, 0)), alone, "one fault does not change what another draws");
    assert!((1..20).contains(&alone.iter().filter(|silent| **silent).count()));
}

proptest! {
    #[test]
    fn whatever_strikes_no_answer_is_empty_or_too_long_and_no_try_comes_back(
        faults in prop::collection::vec(
            (
                prop::sample::select(vec![
                    "remove", "remove=during", "remove=half", "remove=after", "mute", "mute=during", "length=-300",
                    "length=+65535", "no-status", "half-status", "extra=65535", "flip=9", "status=6581", "stale",
                    "off-on-storm", "reset-storm", "swap=atr",
                ]),
                prop::sample::select(vec!["1", "3", "verify", "select#2", "30%", "always"]),
            ),
            0..5,
        ),
        commands in prop::collection::vec(
            prop::sample::select(vec![&SELECT_JPKI[..], &SELECT_PIN, &WRONG, &CHALLENGE, &[], &[0xFF; 300]]),
            0..30,
        ),
    ) {
        let faults: Vec<_> = faults.into_iter().map(|(what, when)| format!("{what}@{when}")).collect();
        let mut card = suffering(&faults.iter().map(String::as_str).collect::<Vec<_>>());
        let mut tries = card.tries_left();
        for command in commands {
            if let Reaction::Answer(answer) = card.send(command) {
                prop_assert!((1..=65_535).contains(&answer.len()));
            }
            prop_assert!(card.tries_left() <= tries);
            tries = card.tries_left();
        }
    }
}
