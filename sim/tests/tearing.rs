//! A card that loses its power while it stores something: whichever write of whichever operation it
//! was, what is there afterwards is the old state or the new one, no counter is higher than before the
//! try, and what was blocked is blocked.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use proptest::prelude::*;
use std::io;
use std::sync::{Arc, LazyLock, Mutex};
use vmyna_sim::card::{Personalised, VirtualCard, seeded};
use vmyna_sim::issue::issued_pin;
use vmyna_sim::pin::{ChangeCommand, PinName, PinStates, PinValue};
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

/// The application and the EF of a PIN, and what it is changed to.
fn place(pin: PinName) -> (&'static [u8], u8, &'static [u8]) {
    const TEXT: &[u8] = b"\xD3\x92\x10\x00\x31\x00\x01\x01\x04\x08";
    const VISUAL: &[u8] = b"\xD3\x92\x10\x00\x31\x00\x01\x01\x04\x02";
    match pin {
        PinName::UserAuthentication => (b"\xD3\x92\xF0\x00\x26\x01\x00\x00\x00\x01", 0x18, b"7593"),
        PinName::DigitalSignature => (b"\xD3\x92\xF0\x00\x26\x01\x00\x00\x00\x01", 0x1B, b"ZK48QW"),
        PinName::TextInput => (TEXT, 0x11, b"7593"),
        PinName::TextCodeA => (TEXT, 0x14, b"000000000000"),
        PinName::TextCodeB => (TEXT, 0x15, b"00000000000000"),
        PinName::VisualCodeA => (VISUAL, 0x13, b"000000000000"),
        PinName::VisualCodeB => (VISUAL, 0x12, b"00000000000000"),
        PinName::BirthDate => (VISUAL, 0x11, b"000000"),
        PinName::ResidentRegister => (b"\xD3\x92\x10\x00\x31\x00\x01\x01\x04\x01", 0x1C, b"7593"),
        PinName::CommonCard => (b"\xD3\x92\x10\x00\x31\x00\x01\x01\x01\x00", 0x1C, b"7593"),
    }
}

/// Hanako's own values.
fn issued(pin: PinName) -> &'static [u8] {
    static ISSUED: LazyLock<Vec<PinValue>> = LazyLock::new(|| {
        let expiry = HANAKO.issued().body.expiry;
        PinName::ALL.map(|pin| issued_pin(HANAKO.holder(), expiry, pin)).into()
    });
    ISSUED[pin as usize].as_bytes()
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
        let card = VirtualCard::with(HANAKO.clone(), store, stored, Box::new(seeded(0)));
        Self { card, disk }
    }

    /// Presents a value to a PIN, whichever application was selected before.
    fn verify(&mut self, pin: PinName, value: &[u8]) -> u16 {
        let (application, file, _) = place(pin);
        self.card.transmit(&[b"\x00\xA4\x04\x0C\x0A", application].concat());
        self.card.transmit(&[0x00, 0xA4, 0x02, 0x0C, 0x02, 0x00, file]);
        self.send([0x00, 0x20, 0x00], value)
    }

    fn send(&mut self, header: [u8; 3], value: &[u8]) -> u16 {
        let command = [&header[..], &[0x80, value.len() as u8], value].concat();
        let Reaction::Answer(answer) = self.card.transmit(&command) else { panic!("a card answers") };
        u16::from_be_bytes([answer[0], answer[1]])
    }

    /// The value that is right now, and the one that is not.
    fn values(&self, pin: PinName) -> [&'static [u8]; 2] {
        let (issued, changed) = (issued(pin), place(pin).2);
        if self.stored().get(pin).changed_value.is_some() { [changed, issued] } else { [issued, changed] }
    }

    fn perform(&mut self, operation: Operation) {
        match operation {
            Operation::Wrong(pin) => drop(self.verify(pin, b"111111")),
            Operation::Right(pin) => drop(self.verify(pin, self.values(pin)[0])),
            Operation::Change(pin) => {
                self.verify(pin, self.values(pin)[0]);
                let header = match pin.changed_with() {
                    Some(ChangeCommand::ChangeKey) => [0x80, 0x32, 0x00],
                    // Where there is no command, this one is refused, and nothing is written.
                    Some(ChangeCommand::ChangeReferenceData) | None => [0x00, 0x24, 0x01],
                };
                self.send(header, place(pin).2);
            }
            Operation::Unblock(pin) => drop(self.card.unblock(pin)),
        }
    }

    fn stored(&self) -> PinStates {
        self.disk.lock().unwrap().stored.clone()
    }
}

fn operation() -> impl Strategy<Value = Operation> {
    (prop::sample::select(&PinName::ALL[..]), 0..7).prop_map(|(pin, which)| match which {
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
        pin in prop::sample::select(&PinName::ALL[..]),
        wrong in 0..12,
        last in operation(),
    ) {
        let mut before = Bench::start(HANAKO.fresh_state(), None);
        for operation in history {
            before.perform(operation);
        }
        // Spread over ten PINs, wrong tries alone would hardly ever block one.
        for _ in 0..wrong {
            before.perform(Operation::Wrong(pin));
        }
        let before = before.stored();
        every_tear(last, &before)?;
    }
}

/// Interrupts `operation` at each of its writes, before and after it; returns how often that was.
fn every_tear(operation: Operation, before: &PinStates) -> Result<usize, TestCaseError> {
    let mut whole = Bench::start(before.clone(), None);
    whole.perform(operation);
    let (after, writes) = (whole.stored(), whole.disk.lock().unwrap().writes);
    for write in 1..=writes {
        for stored in [false, true] {
            let mut torn = Bench::start(before.clone(), Some(Tear { write, stored }));
            torn.perform(operation);
            prop_assert!(torn.disk.lock().unwrap().without_power);
            judge(operation, before, &after, Bench::start(torn.stored(), None))?;
        }
    }
    Ok(2 * writes)
}

/// What must hold of the card that comes up after its power went during `torn`.
fn judge(
    torn: Operation,
    before: &PinStates,
    after: &PinStates,
    mut found: Bench,
) -> Result<(), TestCaseError> {
    let state = found.stored();
    for pin in PinName::ALL {
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
            prop_assert_eq!(found.verify(pin, found.values(pin)[0]), 0x6984, "blocked is blocked");
        } else if now.tries_left > 1 {
            let [right, other] = found.values(pin);
            prop_assert_eq!(found.verify(pin, other), 0x63C0 | u16::from(now.tries_left - 1));
            prop_assert_eq!(found.verify(pin, right), 0x9000, "one of the two is right");
        }
    }
    Ok(())
}

/// Every operation on every PIN, from each number of tries left: none is left to chance.
#[test]
fn every_write_of_every_operation_on_every_pin_is_torn_on_either_side() {
    let mut torn = 0;
    for pin in PinName::ALL {
        let operations = [Operation::Wrong, Operation::Right, Operation::Change, Operation::Unblock];
        for last in operations.map(|operation| operation(pin)) {
            for tries_left in 0..=HANAKO.profile().tries.of(pin) {
                let mut before = HANAKO.fresh_state();
                before.get_mut(pin).tries_left = tries_left;
                torn += every_tear(last, &before).unwrap();
            }
        }
    }
    println!("{torn} interrupted writes");
    assert!(torn > 500);
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
