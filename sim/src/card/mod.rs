//! The virtual card: volatile state (selection, verified PINs), persistent state (counters and
//! changed PINs), and what each command does to them. It neither knows a socket nor a clock.

mod commands;
mod keys;
mod operator;
mod personalised;
mod reading;
mod secured;

pub use personalised::{PersonalisationError, Personalised};

use crate::apdu::{CommandApdu, Status};
use crate::application;
use crate::command::{Command, Refusal};
use crate::command::{SECURED, SECURED_WITH_INTEGRITY};
use crate::pin::{PinSet, PinState, PinStates};
use crate::secure_messaging::Session;
use crate::smart_card::{Power, Reaction, SmartCard};
use crate::store::{MemoryStore, Store};
use rand_core::Rng;
use std::sync::Arc;

/// A virtual My Number card.
///
/// ```
/// use vmyna_sim::{card::VirtualCard, smart_card::{Reaction, SmartCard}};
///
/// let mut card = VirtualCard::built_in("hanako")?;
/// let select_jpki = [0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01];
/// assert_eq!(card.transmit(&select_jpki), Reaction::Answer(vec![0x90, 0x00]));
/// # Ok::<(), vmyna_sim::card::PersonalisationError>(())
/// ```
pub struct VirtualCard {
    personalised: Arc<Personalised>,
    persistent: PinStates,
    store: Box<dyn Store>,
    randomness: Box<dyn Rng + Send>,
    volatile: Volatile,
    /// as drawn at the last activation
    atr: Vec<u8>,
}

/// What is gone with the power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Volatile {
    /// index in [`application::ALL`]
    application: usize,
    /// index in the application's files
    current_ef: Option<usize>,
    verified: PinSet,
    /// as long as the security status, or until it is misused
    session: Option<Session>,
}

impl Volatile {
    fn at_power_up() -> Self {
        Self {
            application: application::CARD_MANAGER,
            current_ef: None,
            verified: PinSet::default(),
            session: None,
        }
    }
}

impl Volatile {
    /// With no PIN verified and no session.
    fn without_security_status(self) -> Self {
        Self { verified: PinSet::default(), session: None, ..self }
    }
}

impl VirtualCard {
    /// The card of a built-in holder, of the built-in profile `card`: certificates as of now, in the
    /// state that the holder is in, which is kept in memory, challenges from a fixed seed.
    ///
    /// # Errors
    /// When there is no holder of that name.
    pub fn built_in(holder: &str) -> Result<Self, PersonalisationError> {
        Ok(Self::new(Arc::new(Personalised::built_in(holder)?)))
    }

    /// A fresh card with its state in memory and challenges from a fixed seed.
    #[must_use]
    pub fn new(personalised: Arc<Personalised>) -> Self {
        let fresh = personalised.fresh_state();
        Self::with(personalised, Box::new(MemoryStore), fresh, Box::new(seeded(0)))
    }

    /// A card in the state `persistent`, which `store` keeps; challenges come from `randomness`.
    #[must_use]
    pub fn with(
        personalised: Arc<Personalised>,
        store: Box<dyn Store>,
        persistent: PinStates,
        mut randomness: Box<dyn Rng + Send>,
    ) -> Self {
        let atr = personalised.profile().atr.draw(&mut *randomness);
        Self { personalised, persistent, store, randomness, volatile: Volatile::at_power_up(), atr }
    }

    /// What the card was personalised with.
    #[must_use]
    pub fn personalised(&self) -> &Personalised {
        &self.personalised
    }

    /// Counters and changed PINs, as they stand.
    #[must_use]
    pub const fn pins(&self) -> &PinStates {
        &self.persistent
    }

    /// The PINs that are verified, under every name that they have.
    fn verified(&self) -> PinSet {
        self.personalised.profile().shared_pins.all_verified(self.volatile.verified)
    }

    fn execute(&mut self, raw: &[u8]) -> Result<Vec<u8>, Refusal> {
        let apdu = CommandApdu::parse(raw)?;
        if apdu.is_extended() && !self.personalised.profile().extended_length {
            return Err(Status::WrongLength.into());
        }
        match apdu.cla() {
            SECURED => self.execute_secured(&apdu),
            SECURED_WITH_INTEGRITY => Err(self.refuse_integrity()),
            _ => self.execute_plain(apdu),
        }
    }

    fn execute_plain(&mut self, apdu: CommandApdu<'_>) -> Result<Vec<u8>, Refusal> {
        match Command::try_from(apdu)? {
            Command::Select(select) => self.select(select),
            Command::ReadBinary { file, offset, length } => self.read_binary(file, offset, length),
            Command::ReadRecord { file, number, length } => self.read_record(file, number, length),
            Command::AskTriesLeft(pin) => self.ask_tries_left(pin),
            Command::Verify { pin, value } => self.verify(pin, value.0),
            Command::ChangePin { command, pin, value } => self.change_pin(command, pin, value.0),
            Command::ComputeDigitalSignature { scheme, key, data } => {
                self.compute_digital_signature(scheme, key, data)
            }
            Command::InternalAuthenticate { key, challenge } => self.internal_authenticate(key, challenge),
            Command::GetChallenge(length) => Ok(self.get_challenge(length)),
            Command::GetData { tag, length } => self.get_data(tag, length),
            Command::SetSessionKey(ciphertext) => self.set_session_key(ciphertext),
            Command::LastCommand => match self.personalised.profile().last_command_status {
                Status::Success => Ok(Vec::with_capacity(2)),
                refused => Err(refused.into()),
            },
        }
    }
}

/// A reproducible source of challenges.
#[must_use]
pub fn seeded(seed: u64) -> impl Rng + Send {
    use rand_core::SeedableRng;
    chacha20::ChaCha20Rng::seed_from_u64(seed)
}

/// A source of challenges that nobody can foretell.
#[must_use]
pub fn unpredictable() -> impl Rng + Send {
    let mut seed = [0; 8];
    // Without the system's randomness the challenges can be foretold, and are still challenges.
    let _ = aws_lc_rs::rand::fill(&mut seed);
    seeded(u64::from_le_bytes(seed))
}

impl SmartCard for VirtualCard {
    fn atr(&mut self) -> Reaction {
        Reaction::Answer(self.atr.clone())
    }

    fn power(&mut self, power: Power) {
        use crate::profile::Fate;
        if power == Power::On {
            self.atr = self.personalised.profile().atr.draw(&mut *self.randomness);
        }
        self.volatile = match power {
            Power::Off | Power::On => Volatile::at_power_up(),
            Power::WarmReset => {
                let kept = match self.personalised.profile().security_status.on_warm_reset {
                    Fate::Kept => self.volatile,
                    Fate::Cleared => self.volatile.without_security_status(),
                };
                Volatile { current_ef: None, ..kept }
            }
        };
    }

    fn transmit(&mut self, command: &[u8]) -> Reaction {
        let (mut answer, status) = match self.execute(command) {
            Ok(data) => (data, Status::Success),
            Err(Refusal::Status(status)) => (Vec::with_capacity(2), status),
            Err(Refusal::Undocumented(situation)) => {
                (Vec::with_capacity(2), situation.answer().unwrap_or(Status::NoPreciseDiagnosis))
            }
        };
        answer.extend(status.to_bytes());
        Reaction::Answer(answer)
    }
}

impl Personalised {
    /// The state of a card that has just been handed over: every PIN as issued, every counter full
    /// unless the holder's state says otherwise.
    #[must_use]
    pub fn fresh_state(&self) -> PinStates {
        PinStates::new(|pin| PinState { tries_left: self.tries_at_issue(pin), changed_value: None })
    }
}
