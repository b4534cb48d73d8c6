//! The guard of real cards. Whatever a scenario says, no wrong PIN leaves the terminal and no PIN
//! is changed unless the user has said so; a right PIN that is refused stops every further one; and
//! of the other commands only those known to be harmless pass.

use super::{CardLink, LinkError, Selection};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use thiserror::Error;
use vmyna_sim::apdu::{CommandApdu, ResponseApdu, Status};
use vmyna_sim::holder::PinValue;
use vmyna_sim::pin::PinName;
use vmyna_sim::smart_card::Power;

/// What the user allows on a card that may be real.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Consent {
    /// wrong PINs may be presented
    pub spend_tries: bool,
    /// PINs may be changed
    pub change_pins: bool,
}

/// Why a command was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// it would spend a try
    #[error("a wrong PIN would spend a try of a card that may be real; --spend-tries allows it")]
    WrongPin,
    /// it would change a PIN
    #[error("the PIN of a card that may be real would be changed; --change-pins allows it")]
    PinChange,
    /// nobody said what the PINs are
    #[error("the PINs of this card are not known; --holder FILE tells them")]
    UnknownPin,
    /// it is not certain which PIN would be reached
    #[error("it is not certain which PIN this command would reach")]
    UncertainPin,
    /// the right PIN was refused before
    #[error("a right PIN was refused before, or its answer was lost; no further PIN is presented or changed")]
    RightPinWasRefused,
    /// it may do anything
    #[error(
        "this command is not known to be harmless, and the card may be real; --mine says that it is a simulator"
    )]
    NotKnownHarmless,
}

/// Whether presenting has ended. It outlives a connection, and all connections of a run share it,
/// because the card that comes back may be the same.
#[derive(Debug, Clone, Default)]
pub struct Stopped(Rc<Cell<bool>>);

/// A link that protects the card behind it.
pub struct Guard<L> {
    link: L,
    consent: Consent,
    right: BTreeMap<PinName, PinValue>,
    tries_left: BTreeMap<PinName, u8>,
    selection: Selection,
    stopped: Stopped,
}

impl<L: CardLink> Guard<L> {
    /// Guards `link`. `right` are the values that the user gave for this card; none if they gave
    /// none.
    pub fn new(link: L, consent: Consent, right: BTreeMap<PinName, PinValue>, stopped: Stopped) -> Self {
        Self { link, consent, right, tries_left: BTreeMap::new(), selection: Selection::default(), stopped }
    }

    fn admit(&self, apdu: &CommandApdu<'_>) -> Result<(), Refused> {
        match (apdu.cla(), apdu.ins()) {
            (_, 0x20) if apdu.data().is_empty() => Ok(()),
            (0x00, 0x20) => self.admit_pin(apdu),
            (0x00, 0x24) if !self.consent.change_pins => Err(Refused::PinChange),
            (0x00, 0x24) if self.stopped.0.get() => Err(Refused::RightPinWasRefused),
            (0x00, 0x24) => self.selection.pin(apdu.p2()).map(|_| ()).ok_or(Refused::UncertainPin),
            (0x00, 0xA4 | 0xB0 | 0xB2 | 0x84 | 0x88 | 0xC0 | 0xCA | 0xCB) | (0x80, 0x2A) => Ok(()),
            _ => Err(Refused::NotKnownHarmless),
        }
    }

    fn admit_pin(&self, apdu: &CommandApdu<'_>) -> Result<(), Refused> {
        let pin = self.selection.pin(apdu.p2()).ok_or(Refused::UncertainPin)?;
        let right = self.right.get(&pin).ok_or(Refused::UnknownPin)?;
        match right.matches(apdu.data()) {
            _ if self.stopped.0.get() => Err(Refused::RightPinWasRefused),
            true => Ok(()),
            false if self.consent.spend_tries => Ok(()),
            false => Err(Refused::WrongPin),
        }
    }

    /// Learns from an answer: counters, a changed PIN, a right PIN refused.
    fn learn(&mut self, apdu: &CommandApdu<'_>, answer: &[u8]) {
        let Some(pin) = self.selection.pin(apdu.p2()) else { return };
        let status = ResponseApdu::try_from(answer).map(|response| response.status);
        match (apdu.ins(), status) {
            (0x20, status) if !apdu.data().is_empty() => {
                let right = self.right.get(&pin).is_some_and(|right| right.matches(apdu.data()));
                let known_blocked = self.tries_left.get(&pin) == Some(&0);
                if right && status != Ok(Status::Success) && !known_blocked {
                    self.stopped.0.set(true);
                }
                if status == Ok(Status::Success) {
                    self.tries_left.remove(&pin);
                }
                if let Ok(Status::TriesLeft(tries)) = status {
                    self.tries_left.insert(pin, tries);
                }
            }
            (0x20, Ok(Status::TriesLeft(tries))) => {
                self.tries_left.insert(pin, tries);
            }
            (0x24, Ok(Status::Success)) => {
                self.right.insert(pin, PinValue::new(apdu.data()));
            }
            _ => {}
        }
    }
}

impl<L: CardLink> CardLink for Guard<L> {
    fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
        self.link.atr()
    }

    fn power(&mut self, power: Power) -> Result<(), LinkError> {
        self.selection.power(power);
        self.link.power(power)
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
        let apdu = CommandApdu::parse(command).map_err(|_| Refused::NotKnownHarmless)?;
        self.admit(&apdu)?;
        let answer = self.link.transmit(command).inspect_err(|_| {
            // The answer to a PIN was lost: whether it was accepted, or is the PIN now, is not known.
            if matches!(apdu.ins(), 0x20 | 0x24) && !apdu.data().is_empty() {
                self.stopped.0.set(true);
            }
        })?;
        self.learn(&apdu, &answer);
        self.selection.exchange(command, &answer);
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;
    use std::sync::{Arc, Mutex};

    /// Answers VERIFY with data with `verify`, everything else with success; remembers what came.
    struct Recorder {
        sent: Arc<Mutex<Vec<Vec<u8>>>>,
        verify: [u8; 2],
    }

    impl CardLink for Recorder {
        fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
            Ok(vec![0x3B])
        }

        fn power(&mut self, _: Power) -> Result<(), LinkError> {
            Ok(())
        }

        fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
            self.sent.lock().unwrap().push(command.to_vec());
            Ok(if command[1] == 0x20 && command.len() > 5 { self.verify.to_vec() } else { vec![0x90, 0x00] })
        }
    }

    type Sent = Arc<Mutex<Vec<Vec<u8>>>>;

    fn guarded(consent: Consent, verify: [u8; 2]) -> (Guard<Recorder>, Sent) {
        let sent = Sent::default();
        let right = BTreeMap::from([(PinName::UserAuthentication, PinValue::new("1234"))]);
        let mut guard =
            Guard::new(Recorder { sent: sent.clone(), verify }, consent, right, Stopped::default());
        guard.transmit(&hex!("00A4040C0AD392F000260100000001")).unwrap();
        sent.lock().unwrap().clear();
        (guard, sent)
    }

    fn refused(guard: &mut Guard<Recorder>, command: &[u8]) -> Refused {
        match guard.transmit(command) {
            Err(LinkError::Refused(refused)) => refused,
            other => panic!("a refusal was expected, {other:?} came"),
        }
    }

    const RIGHT: [u8; 9] = hex!("002000980431323334");
    const WRONG: [u8; 9] = hex!("002000980431323335");
    const RIGHT_FOR_THE_OTHER_PIN: [u8; 9] = hex!("0020009B0431323334");

    #[test]
    fn without_consent_nothing_but_the_right_pin_leaves_the_terminal() {
        let (mut guard, sent) = guarded(Consent::default(), [0x90, 0x00]);
        assert_eq!(refused(&mut guard, &WRONG), Refused::WrongPin);
        assert_eq!(refused(&mut guard, &RIGHT_FOR_THE_OTHER_PIN), Refused::UnknownPin);
        assert_eq!(refused(&mut guard, &hex!("0024019804 39393939")), Refused::PinChange);
        assert_eq!(refused(&mut guard, &hex!("8032008004 39393939")), Refused::NotKnownHarmless);
        assert_eq!(refused(&mut guard, &hex!("0020008004 31323334")), Refused::UncertainPin);
        assert_eq!(refused(&mut guard, &hex!("00E40000")), Refused::NotKnownHarmless);
        assert_eq!(sent.lock().unwrap().len(), 0);
        guard.transmit(&RIGHT).unwrap();
        assert_eq!(sent.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_right_pin_that_is_refused_stops_every_further_one() {
        let (mut guard, sent) = guarded(Consent { spend_tries: true, change_pins: true }, [0x63, 0xC2]);
        guard.transmit(&RIGHT).unwrap();
        assert_eq!(refused(&mut guard, &RIGHT), Refused::RightPinWasRefused);
        assert_eq!(refused(&mut guard, &WRONG), Refused::RightPinWasRefused);
        assert_eq!(refused(&mut guard, &hex!("0024019804 39393939")), Refused::RightPinWasRefused);
        assert_eq!(sent.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_refused_right_pin_is_remembered_when_the_card_comes_back() {
        let (mut guard, _) = guarded(Consent::default(), [0x63, 0xC2]);
        guard.transmit(&RIGHT).unwrap();
        let (mut again, sent) = guarded(Consent::default(), [0x63, 0xC2]);
        again.stopped = guard.stopped.clone();
        assert_eq!(refused(&mut again, &RIGHT), Refused::RightPinWasRefused);
        assert_eq!(sent.lock().unwrap().len(), 0);
    }

    #[test]
    fn with_consent_wrong_pins_pass() {
        let (mut guard, sent) = guarded(Consent { spend_tries: true, change_pins: false }, [0x63, 0xC2]);
        guard.transmit(&WRONG).unwrap();
        guard.transmit(&WRONG).unwrap();
        assert_eq!(sent.lock().unwrap().len(), 2);
        assert_eq!(refused(&mut guard, &hex!("0024019804 39393939")), Refused::PinChange);
    }
}
