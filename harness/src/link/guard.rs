//! The guard of real cards. Whatever a scenario says, no wrong PIN leaves the terminal and no PIN
//! is changed unless the user has said so; a right PIN that is refused stops every further one; and
//! of the other commands only those known to be harmless pass.

use super::{CardLink, LinkError, ReaderIdentity, Selection};
use crate::language::Bilingual;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use thiserror::Error;
use vmyna_sim::apdu::{CommandApdu, ResponseApdu, Status};
use vmyna_sim::pin::{ChangeCommand, PinName, PinValue};
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
    /// it is not our card that would suffer
    #[error("a fault is for the built-in card only; another's card is not damaged on purpose")]
    FaultOnAnothersCard,
    /// it would change a PIN
    #[error("the PIN of a card that may be real would be changed; --change-pins allows it")]
    PinChange,
    /// it would change a PIN to something that nobody could change back
    #[error(
        "a PIN of a card that may be real would get a value that is not the holder's and cannot be changed back"
    )]
    StrangeNewValue,
    /// nobody said what the PINs are
    #[error("the PINs of this card are not known; --holder FILE tells them, --ask-pins asks for them")]
    UnknownPin,
    /// it is not certain which PIN would be reached
    #[error("it is not certain which PIN this command would reach")]
    UncertainPin,
    /// an encrypted PIN cannot be judged
    #[error(
        "an encrypted command may hold any PIN, and the card may be real; --mine says that it is a simulator"
    )]
    EncryptedPin,
    /// one mistake in the holder's file would block the PIN
    #[error("this PIN has one try left on a card that may be real; not even the right value is presented")]
    LastTry,
    /// how many tries are left has not been asked
    #[error("how many tries this PIN has left is not known; it is not presented to a card that may be real")]
    UnknownCounter,
    /// the right PIN was refused before
    #[error("a right PIN was refused before, or its answer was lost; no further PIN is presented or changed")]
    RightPinWasRefused,
    /// it may do anything
    #[error(
        "this command is not known to be harmless, and the card may be real; --mine says that it is a simulator"
    )]
    NotKnownHarmless,
    /// the protocol cannot carry it
    #[error("this card and its reader speak T=0, which has no extended length fields")]
    ExtendedOverT0,
}

impl Refused {
    /// As a sentence.
    #[must_use]
    pub fn in_words(self) -> Bilingual {
        let ja = match self {
            Self::WrongPin => {
                "誤った暗証番号は、実カードかもしれないカードの残り回数を減らす。--spend-tries で許可できる"
            }
            Self::FaultOnAnothersCard => {
                "障害の注入は内蔵カードだけに行う。他人のカードをわざと壊すことはしない"
            }
            Self::PinChange => {
                "実カードかもしれないカードの暗証番号が変わることになる。--change-pins で許可できる"
            }
            Self::StrangeNewValue => {
                "実カードかもしれないカードの暗証番号が、元に戻せない値に変わることになる"
            }
            Self::UnknownPin => {
                "このカードの暗証番号が分からない。--holder FILE で渡すか、--ask-pins で入力する"
            }
            Self::UncertainPin => "このコマンドがどの暗証番号に届くか確かでない",
            Self::EncryptedPin => {
                "暗号化されたコマンドはどの暗証番号も含みうる。シミュレータなら --mine を付ける"
            }
            Self::LastTry => {
                "実カードかもしれないカードで、この暗証番号の残りは 1 回である。正しい値でも照合しない"
            }
            Self::UnknownCounter => {
                "この暗証番号の残り回数が分からない。実カードかもしれないカードでは照合しない"
            }
            Self::RightPinWasRefused => {
                "正しいはずの暗証番号が拒否されたか、その応答が失われた。以後は照合も変更もしない"
            }
            Self::NotKnownHarmless => {
                "無害と分かっていないコマンドで、実カードかもしれない。シミュレータなら --mine を付ける"
            }
            Self::ExtendedOverT0 => "このカードとリーダーは T=0 で通信しており、拡張長フィールドがない",
        };
        Bilingual::new(ja, self.to_string())
    }
}

/// Whether presenting has ended. It outlives a connection, and all connections of a run share it,
/// because the card that comes back may be the same.
#[derive(Debug, Clone, Default)]
pub struct Stopped(Arc<AtomicBool>);

/// What the user has said of a PIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPin {
    /// its value
    pub right: PinValue,
    /// the value that it may be changed to, for a scenario that changes it back
    pub new: PinValue,
}

/// What the answers so far say of a PIN's counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counter {
    TriesLeft(u8),
    /// the right value has filled it
    Full,
}

/// A link that protects the card behind it.
pub struct Guard<L> {
    link: L,
    consent: Consent,
    known: BTreeMap<PinName, KnownPin>,
    /// what the PINs are now, where they have been changed
    changed: BTreeMap<PinName, PinValue>,
    counters: BTreeMap<PinName, Counter>,
    selection: Selection,
    stopped: Stopped,
}

impl<L: CardLink> Guard<L> {
    /// Guards `link`. `known` are the PINs that the user told for this card; none if they told none.
    pub fn new(link: L, consent: Consent, known: BTreeMap<PinName, KnownPin>, stopped: Stopped) -> Self {
        let (changed, counters) = (BTreeMap::new(), BTreeMap::new());
        Self { link, consent, known, changed, counters, selection: Selection::default(), stopped }
    }

    fn right(&self, pin: PinName) -> Option<&PinValue> {
        self.changed.get(&pin).or_else(|| self.known.get(&pin).map(|known| &known.right))
    }

    fn admit(&self, apdu: &CommandApdu<'_>) -> Result<(), Refused> {
        match (apdu.cla(), apdu.ins()) {
            (0x00..=0x03, 0x20) if apdu.data().is_empty() => Ok(()),
            (0x00, 0x20) => self.admit_pin(apdu),
            (0x00, 0x24) => self.admit_change(apdu, ChangeCommand::ChangeReferenceData),
            (0x80, 0x32) => self.admit_change(apdu, ChangeCommand::ChangeKey),
            (cla, 0x20 | 0x21 | 0x24 | 0x25 | 0x2C | 0x2D | 0x32) if cla & 0x0C != 0 => {
                Err(Refused::EncryptedPin)
            }
            // Reading, asking and signing; a session key and what is read with it last no longer than
            // the power.
            (0x00, 0xA4 | 0xB0 | 0xB2 | 0x84 | 0x88 | 0xC0 | 0xCA | 0xCB)
            | (0x80, 0x2A | 0xAE | 0xFC)
            | (0x08, 0xA4 | 0xB0) => Ok(()),
            _ => Err(Refused::NotKnownHarmless),
        }
    }

    fn admit_pin(&self, apdu: &CommandApdu<'_>) -> Result<(), Refused> {
        let pin = self.selection.pin(apdu.p2()).filter(|_| apdu.p1() == 0).ok_or(Refused::UncertainPin)?;
        let right = self.right(pin).ok_or(Refused::UnknownPin)?.matches(apdu.data());
        if self.stopped.0.load(Ordering::Relaxed) {
            return Err(Refused::RightPinWasRefused);
        }
        match (right, self.consent.spend_tries, self.counters.get(&pin)) {
            (false, false, _) => Err(Refused::WrongPin),
            (true, false, Some(Counter::TriesLeft(1))) => Err(Refused::LastTry),
            (_, _, None) => Err(Refused::UnknownCounter),
            _ => Ok(()),
        }
    }

    /// A PIN is changed with the command that is known to change it, to a value that can be changed
    /// back, and only where its own value is known.
    fn admit_change(&self, apdu: &CommandApdu<'_>, command: ChangeCommand) -> Result<(), Refused> {
        if !self.consent.change_pins {
            return Err(Refused::PinChange);
        }
        if self.stopped.0.load(Ordering::Relaxed) {
            return Err(Refused::RightPinWasRefused);
        }
        let pin = self.selection.pin(apdu.p2()).ok_or(Refused::UncertainPin)?;
        if pin.changed_with() != Some(command) {
            return Err(Refused::NotKnownHarmless);
        }
        let known = self.known.get(&pin).ok_or(Refused::UnknownPin)?;
        if known.right.matches(apdu.data()) || known.new.matches(apdu.data()) {
            Ok(())
        } else {
            Err(Refused::StrangeNewValue)
        }
    }

    /// Learns from an answer: counters, a changed PIN, a right PIN refused.
    fn learn(&mut self, apdu: &CommandApdu<'_>, answer: &[u8]) {
        let Some(pin) = self.selection.pin(apdu.p2()) else { return };
        let status = ResponseApdu::try_from(answer).map(|response| response.status);
        if apdu.ins() == 0x20 && !apdu.data().is_empty() {
            let right = self.right(pin).is_some_and(|right| right.matches(apdu.data()));
            let accepted = status == Ok(Status::Success);
            let known_blocked = self.counters.get(&pin) == Some(&Counter::TriesLeft(0));
            // A right value refused, or a wrong one accepted: what we were told is not so.
            if right != accepted && !known_blocked {
                self.stopped.0.store(true, Ordering::Relaxed);
            }
            if accepted {
                self.counters.insert(pin, Counter::Full);
            }
        }
        match (apdu.ins(), status) {
            (0x20, Ok(Status::TriesLeft(tries))) => {
                self.counters.insert(pin, Counter::TriesLeft(tries));
            }
            (0x20, Ok(Status::ReferencedIefBlocked | Status::AuthenticationMethodBlocked)) => {
                self.counters.insert(pin, Counter::TriesLeft(0));
            }
            (0x24 | 0x32, Ok(Status::Success)) => {
                self.changed.insert(pin, PinValue::new(apdu.data()));
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
        let answer = self.link.transmit(command).inspect_err(|error| {
            // The answer to a PIN was lost: whether it was accepted, or is the PIN now, is not known.
            let is_lost = matches!(error, LinkError::Lost(_));
            if is_lost && matches!(apdu.ins(), 0x20 | 0x24 | 0x32) && !apdu.data().is_empty() {
                self.stopped.0.store(true, Ordering::Relaxed);
            }
        })?;
        // A short identifier in the command decides which PIN it was; the answer comes after.
        self.learn(&apdu, &answer);
        self.selection.exchange(command, &answer);
        Ok(answer)
    }

    fn reader(&self) -> Option<&ReaderIdentity> {
        self.link.reader()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;
    use std::sync::{Arc, Mutex};

    /// Answers VERIFY with data with `verify`, without with three tries left, everything else with
    /// success; remembers what came.
    struct Recorder {
        sent: Arc<Mutex<Vec<Vec<u8>>>>,
        verify: [u8; 2],
        tries: u8,
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
            Ok(match (command[1], command.len()) {
                (0x20, ..=5) => vec![0x63, 0xC0 | self.tries],
                (0x20, _) => self.verify.to_vec(),
                _ => vec![0x90, 0x00],
            })
        }
    }

    type Sent = Arc<Mutex<Vec<Vec<u8>>>>;

    const SELECT_JPKI: [u8; 15] = hex!("00A4040C0AD392F000260100000001");
    const SELECT_TEXT: [u8; 15] = hex!("00A4040C0AD3921000310001010408");
    const SELECT_COMMON: [u8; 15] = hex!("00A4040C0AD3921000310001010100");
    const SELECT_VISUAL: [u8; 15] = hex!("00A4040C0AD3921000310001010402");

    fn with_tries(consent: Consent, verify: [u8; 2], tries: u8) -> (Guard<Recorder>, Sent) {
        let sent = Sent::default();
        let known =
            |right: &str, new: &str| KnownPin { right: PinValue::new(right), new: PinValue::new(new) };
        let pins = BTreeMap::from([
            (PinName::UserAuthentication, known("1234", "1236")),
            (PinName::TextInput, known("2222", "2224")),
            (PinName::CommonCard, known("3333", "3335")),
        ]);
        let mut guard =
            Guard::new(Recorder { sent: sent.clone(), verify, tries }, consent, pins, Stopped::default());
        guard.transmit(&SELECT_JPKI).unwrap();
        guard.transmit(&ASK).unwrap();
        sent.lock().unwrap().clear();
        (guard, sent)
    }

    fn guarded(consent: Consent, verify: [u8; 2]) -> (Guard<Recorder>, Sent) {
        with_tries(consent, verify, 3)
    }

    fn refused(guard: &mut Guard<Recorder>, command: &[u8]) -> Refused {
        match guard.transmit(command) {
            Err(LinkError::Refused(refused)) => refused,
            other => panic!("a refusal was expected, {other:?} came"),
        }
    }

    const ASK: [u8; 4] = hex!("00200098");
    const RIGHT: [u8; 9] = hex!("002000980431323334");
    const WRONG: [u8; 9] = hex!("002000980431323335");
    const RIGHT_FOR_THE_OTHER_PIN: [u8; 9] = hex!("0020009B0431323334");
    const ALL: Consent = Consent { spend_tries: true, change_pins: true };

    #[test]
    fn without_consent_nothing_but_the_right_pin_leaves_the_terminal() {
        let (mut guard, sent) = guarded(Consent::default(), [0x90, 0x00]);
        assert_eq!(refused(&mut guard, &WRONG), Refused::WrongPin);
        assert_eq!(refused(&mut guard, &RIGHT_FOR_THE_OTHER_PIN), Refused::UnknownPin);
        assert_eq!(refused(&mut guard, &hex!("0024019804 39393939")), Refused::PinChange);
        assert_eq!(refused(&mut guard, &hex!("8032008004 39393939")), Refused::PinChange);
        assert_eq!(refused(&mut guard, &hex!("0020008004 31323334")), Refused::UncertainPin);
        assert_eq!(refused(&mut guard, &hex!("0020019804 31323334")), Refused::UncertainPin);
        assert_eq!(refused(&mut guard, &hex!("0820009806 860401020304")), Refused::EncryptedPin);
        assert_eq!(refused(&mut guard, &hex!("1020009804 31323334")), Refused::NotKnownHarmless);
        assert_eq!(refused(&mut guard, &hex!("002C029804 31323334")), Refused::NotKnownHarmless);
        assert_eq!(refused(&mut guard, &hex!("00E40000")), Refused::NotKnownHarmless);
        assert_eq!(sent.lock().unwrap().len(), 0);
        guard.transmit(&RIGHT).unwrap();
        assert_eq!(sent.lock().unwrap().len(), 1);
    }

    #[test]
    fn the_pins_of_every_application_are_told_apart() {
        let (mut guard, sent) = guarded(Consent::default(), [0x90, 0x00]);
        guard.transmit(&SELECT_TEXT).unwrap();
        guard.transmit(&hex!("00200091")).unwrap();
        assert_eq!(refused(&mut guard, &hex!("0020009104 31323334")), Refused::WrongPin);
        assert_eq!(refused(&mut guard, &hex!("0020009404 32323232")), Refused::UnknownPin);
        assert_eq!(refused(&mut guard, &hex!("0020009204 32323232")), Refused::UncertainPin);
        guard.transmit(&hex!("0020009104 32323232")).unwrap();
        guard.transmit(&SELECT_VISUAL).unwrap();
        assert_eq!(refused(&mut guard, &hex!("0020009104 32323232")), Refused::UnknownPin, "a date of birth");
        let presented = sent.lock().unwrap().iter().filter(|sent| sent[1] == 0x20 && sent.len() > 5).count();
        assert_eq!(presented, 1);
    }

    #[test]
    fn a_pin_is_changed_only_with_its_own_command_and_to_what_can_be_changed_back() {
        let (mut guard, sent) = guarded(ALL, [0x90, 0x00]);
        assert_eq!(refused(&mut guard, &hex!("0024019804 39393939")), Refused::StrangeNewValue);
        assert_eq!(refused(&mut guard, &hex!("8032009804 31323336")), Refused::NotKnownHarmless);
        guard.transmit(&SELECT_COMMON).unwrap();
        assert_eq!(refused(&mut guard, &hex!("0024019C04 33333335")), Refused::NotKnownHarmless);
        guard.transmit(&hex!("0020009C")).unwrap();
        guard.transmit(&hex!("8032009C04 33333335")).unwrap();
        guard.transmit(&hex!("0020009C04 33333335")).unwrap();
        guard.transmit(&hex!("8032009C04 33333333")).unwrap();
        assert_eq!(sent.lock().unwrap().len(), 5);
    }

    #[test]
    fn a_right_pin_that_is_refused_stops_every_further_one() {
        let (mut guard, sent) = guarded(ALL, [0x63, 0xC2]);
        guard.transmit(&RIGHT).unwrap();
        assert_eq!(refused(&mut guard, &RIGHT), Refused::RightPinWasRefused);
        assert_eq!(refused(&mut guard, &WRONG), Refused::RightPinWasRefused);
        assert_eq!(refused(&mut guard, &hex!("0024019804 31323336")), Refused::RightPinWasRefused);
        guard.transmit(&SELECT_TEXT).unwrap();
        guard.transmit(&hex!("00200091")).unwrap();
        assert_eq!(refused(&mut guard, &hex!("0020009104 32323232")), Refused::RightPinWasRefused);
        assert_eq!(sent.lock().unwrap().iter().filter(|sent| sent.len() == 9).count(), 1);
    }

    #[test]
    fn a_wrong_pin_that_is_accepted_shows_that_the_holder_is_another() {
        let (mut guard, _) = guarded(ALL, [0x90, 0x00]);
        guard.transmit(&WRONG).unwrap();
        assert_eq!(refused(&mut guard, &RIGHT), Refused::RightPinWasRefused);
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
    fn the_last_try_is_never_risked_and_an_unknown_one_neither() {
        let (mut guard, sent) = with_tries(Consent::default(), [0x90, 0x00], 1);
        assert_eq!(refused(&mut guard, &RIGHT), Refused::LastTry);
        guard.transmit(&SELECT_TEXT).unwrap();
        assert_eq!(refused(&mut guard, &hex!("0020009104 32323232")), Refused::UnknownCounter);
        assert_eq!(sent.lock().unwrap().len(), 1);
    }

    #[test]
    fn with_consent_wrong_pins_pass() {
        let (mut guard, sent) = guarded(Consent { spend_tries: true, change_pins: false }, [0x63, 0xC2]);
        guard.transmit(&WRONG).unwrap();
        guard.transmit(&WRONG).unwrap();
        assert_eq!(sent.lock().unwrap().len(), 2);
        assert_eq!(refused(&mut guard, &hex!("0024019804 31323336")), Refused::PinChange);
    }
}
