//! What the commands on the selection and on PINs do. A handler reads like the paragraph of JICSAP 1.1 that it follows.

use super::VirtualCard;
use crate::apdu::Status;
use crate::application;
use crate::command::{FileReference, Refusal, Select};
use crate::file::{ElementaryFile, FileKind, MASTER_FILE};
use crate::pin::{ChangeCommand, PinName, PinValue};
use crate::profile::{EmptyVerifyAnswer, Fate};
use crate::undocumented::Situation;

pub(super) type Answer = Result<Vec<u8>, Refusal>;

/// Success without data; room for the status word is all that is allocated.
fn done() -> Vec<u8> {
    Vec::with_capacity(2)
}

impl VirtualCard {
    /// SELECT. An application is found by the beginning of its name; choosing another one ends
    /// the security status. A failed SELECT changes nothing.
    pub(super) fn select(&mut self, select: Select<'_>) -> Answer {
        match select {
            Select::MasterFile if self.volatile.application == application::CARD_MANAGER => {
                Err(Status::IncorrectP1P2.into())
            }
            Select::MasterFile => Ok(done()),
            Select::Application(name) => {
                let here = &self.personalised.profile().applications;
                let found = application::ALL
                    .iter()
                    .position(|application| application.is_named(name) && here.contains(application.name));
                let chosen = found.ok_or(Status::FileNotFound)?;
                let same = chosen == self.volatile.application && chosen != application::CARD_MANAGER;
                let fate = self.personalised.profile().security_status.on_selecting_the_same_application;
                if !(same && fate == Fate::Kept) {
                    self.volatile = self.volatile.without_security_status();
                }
                self.volatile.application = chosen;
                self.volatile.current_ef = None;
                Ok(done())
            }
            Select::File(MASTER_FILE) => Err(Status::FileNotFound.into()),
            Select::File(id) => {
                let found = self.files().iter().position(|file| file.id == id);
                self.volatile.current_ef = Some(found.ok_or(Status::FileNotFound)?);
                Ok(done())
            }
        }
    }

    /// VERIFY without data spends nothing.
    pub(super) fn ask_tries_left(&mut self, pin: FileReference) -> Answer {
        let pin = self.pin(pin)?;
        let tries_left = pin.map_or(0, |pin| self.persistent.get(pin).tries_left);
        let profile = self.personalised.profile();
        let answer = match tries_left {
            0 => profile.empty_verify.when_blocked,
            _ if pin.is_some_and(|pin| self.volatile.verified.contains(pin)) => {
                profile.empty_verify.when_verified
            }
            _ => EmptyVerifyAnswer::TriesLeft,
        };
        Err(match answer {
            EmptyVerifyAnswer::TriesLeft => Status::TriesLeft(tries_left),
            EmptyVerifyAnswer::BlockedStatus => profile.blocked_status,
            EmptyVerifyAnswer::Success => return Ok(done()),
        }
        .into())
    }

    /// VERIFY. The try is spent, and the spending has been stored, before the values are compared:
    /// whatever interrupts the card, it never gives a try back. The right value refills the
    /// counter.
    pub(super) fn verify(&mut self, pin: FileReference, value: &[u8]) -> Answer {
        let pin = self.pin(pin)?.ok_or(self.personalised.profile().blocked_status)?;
        let full = self.personalised.profile().tries.of(pin);
        let tries_left = self.persistent.get(pin).tries_left;
        let spent = tries_left.checked_sub(1).ok_or(self.personalised.profile().blocked_status)?;
        self.volatile.verified.remove(pin);
        self.store_tries(pin, spent)?;
        if !self.pin_value(pin).matches(value) {
            return Err(Status::TriesLeft(spent).into());
        }
        self.store_tries(pin, full)?;
        self.volatile.verified.insert(pin);
        Ok(done())
    }

    /// CHANGE REFERENCE DATA and CHANGE KEY, new value only: the old one has just been verified.
    pub(super) fn change_pin(&mut self, command: ChangeCommand, pin: FileReference, value: &[u8]) -> Answer {
        let pin = self.pin(pin)?.ok_or(self.personalised.profile().blocked_status)?;
        if pin.changed_with() != Some(command) {
            return Err(Situation::ChangeOtherCommand.into());
        }
        if !self.volatile.verified.contains(pin) {
            return Err(Situation::ChangeWithoutVerify.into());
        }
        if !pin.allows(value) {
            return Err(Situation::ChangePolicy.into());
        }
        let old = self.persistent.get_mut(pin).changed_value.replace(PinValue::new(value));
        if self.store.save(&self.persistent).is_err() {
            self.persistent.get_mut(pin).changed_value = old;
            return Err(Status::MemoryFailure.into());
        }
        Ok(done())
    }

    /// GET CHALLENGE, in any state.
    pub(super) fn get_challenge(&mut self, length: u16) -> Vec<u8> {
        let mut challenge = Vec::with_capacity(usize::from(length) + 2);
        challenge.resize(usize::from(length), 0);
        self.randomness.fill_bytes(&mut challenge);
        challenge
    }

    pub(super) fn files(&self) -> &'static [ElementaryFile] {
        application::ALL[self.volatile.application].files
    }

    /// The EF that a command means, which becomes current; `None` when it means the current EF
    /// and there is none.
    pub(super) fn refer_to(&mut self, file: FileReference) -> Result<Option<usize>, Refusal> {
        if let FileReference::Short(sfi) = file {
            let found = self.files().iter().position(|file| file.id.sfi() == Some(sfi));
            self.volatile.current_ef = Some(found.ok_or(Status::FileNotFound)?);
        }
        Ok(self.volatile.current_ef)
    }

    /// The PIN that a command means; `None` for one that has no value and is blocked for ever.
    fn pin(&mut self, reference: FileReference) -> Result<Option<PinName>, Refusal> {
        let Some(index) = self.refer_to(reference)? else {
            return Err(match self.volatile.application {
                application::CARD_MANAGER => Situation::VerifyNoApplication.into(),
                _ => Situation::VerifyNoCurrentEf.into(),
            });
        };
        match self.files()[index].kind {
            FileKind::Pin(pin) => Ok(Some(self.personalised.profile().shared_pins.behind(pin))),
            FileKind::BlockedPin => Ok(None),
            _ => Err(Situation::VerifyNotAPin.into()),
        }
    }

    fn pin_value(&self, pin: PinName) -> &PinValue {
        self.persistent.get(pin).changed_value.as_ref().unwrap_or_else(|| self.personalised.issued_pin(pin))
    }

    /// Sets the counter and stores it, or leaves it as it was and answers `6581`.
    fn store_tries(&mut self, pin: PinName, tries: u8) -> Result<(), Refusal> {
        let before = std::mem::replace(&mut self.persistent.get_mut(pin).tries_left, tries);
        if self.store.save(&self.persistent).is_err() {
            self.persistent.get_mut(pin).tries_left = before;
            return Err(Status::MemoryFailure.into());
        }
        Ok(())
    }
}
