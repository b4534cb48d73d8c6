//! The holder's cards: each counts at its own side what reaches it, suffers what it is told to, and
//! is in the holder's hand and at the phone by turns.

use super::clock::{BEGINNING, FlowClock};
use super::status::Registry;
use crate::language::{Bilingual, Language};
use crate::link::Selection;
use crate::scenario::pin_in_words;
use crate::terminal;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use vmyna_sim::apdu::CommandApdu;
use vmyna_sim::card::{PersonalisationError, Personalised, VirtualCard, seeded};
use vmyna_sim::fault::{Fault, Faults, Faulty, NoOtherCard};
use vmyna_sim::holder::Holder;
use vmyna_sim::issue::Issued;
use vmyna_sim::pin::{PinName, PinStates};
use vmyna_sim::profile::Profile;
use vmyna_sim::smart_card::{Power, Reaction, SmartCard};
use vmyna_sim::store::MemoryStore;

/// A built-in holder's card as it is at the beginning of flows, made once.
///
/// # Errors
/// When there is no holder of that name.
pub fn personalised(holder: &str) -> Result<Arc<Personalised>, PersonalisationError> {
    type Made = Mutex<BTreeMap<String, Arc<Personalised>>>;
    static MADE: LazyLock<Made> = LazyLock::new(Made::default);
    let made = || MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(personalised) = made().get(holder) {
        return Ok(personalised.clone());
    }
    let person = Holder::built_in(holder).ok_or_else(|| PersonalisationError::Unknown {
        kind: "holder",
        name: holder.to_owned(),
        known: Holder::built_in_names(),
    })?;
    let personalised = Arc::new(Personalised::new(person, Profile::card(), BEGINNING)?);
    Ok(made().entry(holder.to_owned()).or_insert(personalised).clone())
}

/// What chance decides in a flow follows from this.
const SEED: u64 = 1;

/// What has reached a card, counted behind everything that could lose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// of which PIN
    pub pin: PinName,
    /// wrong ones: by their value, not by what the card says of them
    pub wrong_pins: u32,
    /// right ones
    pub right_pins: u32,
    /// the tries that must be left after all of them
    pub tries_due: u8,
    /// the tries that are left
    pub tries_left: u8,
}

/// A card of ours in a flow. Clones are the same card.
#[derive(Clone)]
pub struct FlowCard {
    card: Arc<Mutex<Faulty<Counting>>>,
    faults: Faults,
    missed: Arc<Mutex<Vec<Fault>>>,
    reached: Arc<Mutex<[Reached; 2]>>,
    personalised: Arc<Personalised>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FlowCard {
    /// A card with what `personalised` says, in the state `pins`; what it takes its time for passes on
    /// `clock`.
    #[must_use]
    pub fn new(personalised: Arc<Personalised>, pins: PinStates, clock: &FlowClock) -> Self {
        let reached = Arc::new(Mutex::new(PinName::JPKI.map(|pin| {
            let tries = pins.get(pin).tries_left;
            Reached { pin, wrong_pins: 0, right_pins: 0, tries_due: tries, tries_left: tries }
        })));
        let counting = Counting {
            personalised: personalised.clone(),
            card: VirtualCard::with(
                personalised.clone(),
                Box::new(MemoryStore),
                pins,
                Box::new(seeded(SEED)),
            ),
            selection: Selection::default(),
            reached: reached.clone(),
        };
        let (faults, clock) = (Faults::new(SEED), clock.clone());
        let card = Faulty::new(counting, &faults).waiting(move |time| clock.pass(time));
        Self { card: Arc::new(Mutex::new(card)), faults, missed: Arc::default(), reached, personalised }
    }

    /// From now on it suffers `faults` and no others.
    ///
    /// # Errors
    /// One of them swaps the card; that is the holder's to do.
    pub fn suffer(&self, faults: &[Fault]) -> Result<(), NoOtherCard> {
        lock(&self.missed).extend(self.faults.due());
        self.faults.clear();
        self.faults.insert();
        lock(&self.card).settle();
        faults.iter().try_for_each(|fault| self.faults.arm(*fault))
    }

    /// What it was to suffer and never did.
    #[must_use]
    pub fn never_struck(&self) -> Vec<Fault> {
        [lock(&self.missed).clone(), self.faults.due()].concat()
    }

    /// What has reached it so far, of each PIN of JPKI.
    #[must_use]
    pub fn reached(&self) -> [Reached; 2] {
        *lock(&self.reached)
    }

    /// The tries that are left of `pin`, which is one of JPKI.
    #[must_use]
    pub fn tries_left(&self, pin: PinName) -> u8 {
        self.reached().iter().find(|reached| reached.pin == pin).map_or(0, |reached| reached.tries_left)
    }

    /// What is in it.
    #[must_use]
    pub fn personalised(&self) -> &Personalised {
        &self.personalised
    }
}

/// The cards of everybody in a flow, each made when it is first wanted, and counted from then on.
/// Clones are the same wallet.
#[derive(Clone)]
pub struct Wallet {
    own: String,
    made: Arc<Mutex<BTreeMap<String, FlowCard>>>,
    clock: FlowClock,
    registry: Registry,
}

impl Wallet {
    /// With the card of the holder `own`, in the state `pins`.
    #[must_use]
    pub fn with(
        own: &str,
        personalised: Arc<Personalised>,
        pins: PinStates,
        clock: &FlowClock,
        registry: &Registry,
    ) -> Self {
        let wallet = Self {
            own: own.to_owned(),
            made: Arc::default(),
            clock: clock.clone(),
            registry: registry.clone(),
        };
        let card = wallet.enrolled(personalised, pins);
        lock(&wallet.made).insert(own.to_owned(), card);
        wallet
    }

    /// A card whose certificates the authority knows.
    fn enrolled(&self, personalised: Arc<Personalised>, pins: PinStates) -> FlowCard {
        for certified in Issued::certified(personalised.issued()) {
            self.registry.enrol(certified.record.clone());
        }
        FlowCard::new(personalised, pins, &self.clock)
    }

    /// The card of `whose` holder; the own one without a name.
    ///
    /// # Errors
    /// There is no such holder.
    pub fn card(&self, whose: Option<&str>) -> Result<FlowCard, PersonalisationError> {
        let name = whose.unwrap_or(&self.own);
        if let Some(card) = lock(&self.made).get(name) {
            return Ok(card.clone());
        }
        let personalised = personalised(name)?;
        let pins = personalised.fresh_state();
        let card = self.enrolled(personalised, pins);
        Ok(lock(&self.made).entry(name.to_owned()).or_insert(card).clone())
    }

    /// What the cards were to suffer and never did.
    #[must_use]
    pub fn never_struck(&self) -> Vec<Fault> {
        lock(&self.made).values().flat_map(FlowCard::never_struck).collect()
    }

    /// What the cards say that cannot be: tries that do not agree with the PINs that reached them.
    #[must_use]
    pub fn miscounted(&self) -> Option<Bilingual> {
        lock(&self.made).iter().find_map(|(holder, card)| {
            let wrong = card.reached().into_iter().find(|reached| reached.tries_left != reached.tries_due)?;
            let Reached { pin, wrong_pins, right_pins, tries_left, .. } = wrong;
            let name = pin_in_words(pin, Language::Ja);
            Some(Bilingual::new(
                format!(
                    "{holder} のカードの{name}は残り {tries_left} 回。届いたのは誤った値 {wrong_pins} 回、\
                     正しい値 {right_pins} 回"
                ),
                format!(
                    "{tries_left} tries of {pin} left in the card of {holder}, which {wrong_pins} wrong and \
                     {right_pins} right ones have reached"
                ),
            ))
        })
    }
}

impl SmartCard for FlowCard {
    fn atr(&mut self) -> Reaction {
        lock(&self.card).atr()
    }

    fn power(&mut self, power: Power) {
        lock(&self.card).power(power);
    }

    fn transmit(&mut self, command: &[u8]) -> Reaction {
        lock(&self.card).transmit(command)
    }
}

/// A card that counts.
struct Counting {
    card: VirtualCard,
    selection: Selection,
    personalised: Arc<Personalised>,
    reached: Arc<Mutex<[Reached; 2]>>,
}

impl Counting {
    fn count(&self, command: &[u8]) {
        let Ok(apdu) = CommandApdu::parse(command) else { return };
        let is_verify = (apdu.cla(), apdu.ins(), apdu.p1()) == (0x00, 0x20, 0x00) && !apdu.data().is_empty();
        let pin = self.selection.pin(apdu.p2()).filter(|_| is_verify);
        let mut all = lock(&self.reached);
        let Some(reached) = all.iter_mut().find(|reached| Some(reached.pin) == pin) else { return };
        if apdu.data() == terminal::own_pin(self.personalised.holder(), reached.pin).as_bytes() {
            reached.right_pins += 1;
            if reached.tries_due > 0 {
                reached.tries_due = self.personalised.profile().tries.of(reached.pin);
            }
        } else {
            reached.wrong_pins += 1;
            reached.tries_due = reached.tries_due.saturating_sub(1);
        }
    }
}

impl SmartCard for Counting {
    fn atr(&mut self) -> Reaction {
        self.card.atr()
    }

    fn power(&mut self, power: Power) {
        self.selection.power(power);
        self.card.power(power);
    }

    fn transmit(&mut self, command: &[u8]) -> Reaction {
        self.count(command);
        let reaction = self.card.transmit(command);
        if let Reaction::Answer(answer) = &reaction {
            self.selection.exchange(command, answer);
        }
        for reached in &mut *lock(&self.reached) {
            reached.tries_left = self.card.pins().get(reached.pin).tries_left;
        }
        reaction
    }
}
