//! A card that loses its power while it stores something: whichever write of whichever operation it
//! was, what is there afterwards is the old state or the new one, no counter is higher than before the
//! try, and what was blocked is blocked.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use proptest::prelude::*;
use std::io;
use std::sync::{Arc, LazyLock, Mutex};
use vmyna_sim::card::{Personalised, VirtualCard, seeded};
use vmyna_sim::pin::{PinName, PinStates};
use vmyna_sim::smart_card::{Reaction, SmartCard};
use vmyna_sim::store::Store;

static HANAKO: LazyLock<Arc<Personalised>> =
    LazyLock::new(|| Arc::new(Personalised::built_in("hanako").expect("she is built in")));

/// Where the power goes: at which write, and on which side of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tear {
    write: usize,
    stored: bool,
}

struct Disk {
    stored: PinStates,
    writes: usize,
    tear: Option<Tear>,
    without_power: bool,
}

/// A store that a whole replacement reaches or does not, as the state file is one.
struct Torn(Arc<Mutex<Disk>>);

impl Store for Torn {
    fn save(&mut self, state: &PinStates) -> io::Result<()> {
        let mut disk = self.0.lock().unwrap();
        if disk.without_power {
            return Err(io::Error::other("there is no power"));
        }
        disk.writes += 1;
        let torn = disk.tear.filter(|tear| tear.write == disk.writes);
        if torn.is_none_or(|tear| tear.stored) {
            disk.stored = state.clone();
        }
        disk.without_power = torn.is_some();
        if disk.without_power { Err(io::Error::other("the power went")) } else { Ok(()) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Wrong(PinName),
    Right(PinName),
    /// the right value, then a new one
    Change(PinName),
    Unblock(PinName),
}

const PINS: [PinName; 2] = PinName::JPKI;
const VALUES: [[&[u8]; 2]; 2] = [[b"1234", b"7593"], [b"ABC123", b"ZK48QW"]];

fn reference(pin: PinName) -> usize {
    PINS.iter().position(|known| *known == pin).unwrap()
}

/// A card in the state that is stored, and its terminal, at the JPKI application.
struct Bench {
    card: VirtualCard,
    disk: Arc<Mutex<Disk>>,
}

impl Bench {
    fn start(stored: PinStates, tear: Option<Tear>) -> Self {
        let disk = Disk { stored: stored.clone(), writes: 0, tear, without_power: false };
        let disk = Arc::new(Mutex::new(disk));
        let store = Box::new(Torn(disk.clone()));
        let mut card = VirtualCard::with(HANAKO.clone(), store, stored, Box::new(seeded(0)));
        card.transmit(b"\x00\xA4\x04\x0C\x0A\xD3\x92\xF0\x00\x26\x01\x00\x00\x00\x01");
        Self { card, disk }
    }

    fn send(&mut self, pin: PinName, ins_p1: [u8; 2], value: &[u8]) -> u16 {
        self.card.transmit(&[0x00, 0xA4, 0x02, 0x0C, 0x02, 0x00, [0x18, 0x1B][reference(pin)]]);
        let command = [&[0x00, ins_p1[0], ins_p1[1], 0x80, value.len() as u8][..], value].concat();
        let Reaction::Answer(answer) = self.card.transmit(&command) else { panic!("a card answers") };
        u16::from_be_bytes([answer[0], answer[1]])
    }

    /// The value that is right now: the one of `VALUES` that the stored state says.
    fn right(&self, pin: PinName) -> &'static [u8] {
        let [issued, changed] = VALUES[reference(pin)];
        if self.stored().get(pin).changed_value.is_some() { changed } else { issued }
    }

    fn perform(&mut self, operation: Operation) {
        match operation {
            Operation::Wrong(pin) => drop(self.send(pin, [0x20, 0], b"000000")),
            Operation::Right(pin) => drop(self.send(pin, [0x20, 0], self.right(pin))),
            Operation::Change(pin) => {
                self.send(pin, [0x20, 0], self.right(pin));
                self.send(pin, [0x24, 1], VALUES[reference(pin)][1]);
            }
            Operation::Unblock(pin) => drop(self.card.unblock(pin)),
        }
    }

    fn stored(&self) -> PinStates {
        self.disk.lock().unwrap().stored.clone()
    }
}

fn operation() -> impl Strategy<Value = Operation> {
    (prop::sample::select(&PINS[..]), 0..7).prop_map(|(pin, which)| match which {
        0..=3 => Operation::Wrong(pin),
        4 => Operation::Right(pin),
        5 => Operation::Change(pin),
        _ => Operation::Unblock(pin),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_write_is_torn_no_try_is_won_and_nothing_is_opened(
        history in prop::collection::vec(operation(), 0..12),
        last in operation(),
    ) {
        let mut before = Bench::start(HANAKO.fresh_state(), None);
        for operation in history {
            before.perform(operation);
        }
        let before = before.stored();
        let mut whole = Bench::start(before.clone(), None);
        whole.perform(last);
        let (after, writes) = (whole.stored(), whole.disk.lock().unwrap().writes);
        for write in 1..=writes {
            for stored in [false, true] {
                let mut torn = Bench::start(before.clone(), Some(Tear { write, stored }));
                torn.perform(last);
                prop_assert!(torn.disk.lock().unwrap().without_power);
                judge(last, &before, &after, Bench::start(torn.stored(), None))?;
            }
        }
    }
}

/// What must hold of the card that comes up after its power went during `torn`.
fn judge(
    torn: Operation,
    before: &PinStates,
    after: &PinStates,
    mut found: Bench,
) -> Result<(), TestCaseError> {
    let state = found.stored();
    for pin in PINS {
        let (old, new, now) = (before.get(pin), after.get(pin), state.get(pin));
        let concerned = matches!(torn, Operation::Wrong(p) | Operation::Right(p) | Operation::Change(p)
            | Operation::Unblock(p) if p == pin);
        if !concerned {
            prop_assert_eq!(now, old, "another PIN is as it was");
            continue;
        }
        prop_assert!(
            now.changed_value == old.changed_value || now.changed_value == new.changed_value,
            "the value is the old or the new one"
        );
        let (spent, won) = (old.tries_left.saturating_sub(1), now.tries_left > old.tries_left);
        match torn {
            Operation::Wrong(_) => {
                prop_assert!(!won);
                prop_assert!([old.tries_left, spent].contains(&now.tries_left));
            }
            // The refilled counter is the new state: the value was right.
            Operation::Right(_) | Operation::Change(_) => {
                prop_assert!([old.tries_left, spent, new.tries_left].contains(&now.tries_left));
                prop_assert!(!won || (old.tries_left > 0 && now.tries_left == new.tries_left));
            }
            Operation::Unblock(_) => prop_assert!([old.tries_left, new.tries_left].contains(&now.tries_left)),
        }
        let opened = torn != Operation::Unblock(pin) && old.tries_left == 0;
        if opened {
            prop_assert_eq!(now.tries_left, 0);
            prop_assert_eq!(found.send(pin, [0x20, 0], found.right(pin)), 0x6984, "blocked is blocked");
        } else if now.tries_left > 1 {
            let [issued, changed] = VALUES[reference(pin)];
            let other = if found.right(pin) == issued { changed } else { issued };
            prop_assert_eq!(found.send(pin, [0x20, 0], other), 0x63C0 | u16::from(now.tries_left - 1));
            prop_assert_eq!(found.send(pin, [0x20, 0], found.right(pin)), 0x9000, "one of the two is right");
        }
    }
    Ok(())
}

#[test]
fn verifying_writes_twice_when_the_value_is_right_and_once_when_it_is_wrong() {
    let pin = PinName::UserAuthentication;
    for (operation, writes) in [
        (Operation::Wrong(pin), 1),
        (Operation::Right(pin), 2),
        (Operation::Change(pin), 3),
        (Operation::Unblock(pin), 1),
    ] {
        let mut card = Bench::start(HANAKO.fresh_state(), None);
        card.perform(operation);
        assert_eq!(card.disk.lock().unwrap().writes, writes, "{operation:?}");
    }
}
