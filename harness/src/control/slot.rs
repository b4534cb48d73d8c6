//! One card in one reader, and what an operator can do to it.

use super::log::Log;
use super::order::{Counter, Status};
use super::presence::Presence;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use vmyna_sim::card::VirtualCard;
use vmyna_sim::fault::{Fault, Faults, Faulty, Kind, NoOtherCard, Strike, for_another_persons};
use vmyna_sim::latency::Slow;
use vmyna_sim::pin::PinName;
use vmyna_sim::profile::Latency;
use vmyna_sim::smart_card::{Power, Reaction, SmartCard};
use vmyna_sim::trace::{Trace, Traced};
use vmyna_sim::vpcd::{self, Address, BindError, Event, Mode, STAY_AWAY};

/// A virtual card in a reader. A clone is the same slot.
#[derive(Clone)]
pub struct Slot {
    number: u16,
    reader: String,
    card: Shared,
    faults: Faults,
    presence: Arc<Presence>,
    log: Arc<Log>,
}

/// The card as the reader meets it: with its faults, in its own time, its exchanges in the log.
pub type SlotCard = Box<dyn SmartCard>;

/// A card that can be exchanged for another while it is served.
#[derive(Clone)]
struct Shared(Arc<Mutex<VirtualCard>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, VirtualCard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SmartCard for Shared {
    fn atr(&mut self) -> Reaction {
        self.lock().atr()
    }

    fn power(&mut self, power: Power) {
        self.lock().power(power);
    }

    fn transmit(&mut self, command: &[u8]) -> Reaction {
        self.lock().transmit(command)
    }
}

impl Slot {
    /// Slot `number` with `card` in it; `reader` is where that is, for people.
    #[must_use]
    pub fn new(number: u16, reader: impl Into<String>, card: VirtualCard, faults: Faults) -> Self {
        Self {
            number,
            reader: reader.into(),
            card: Shared(Arc::new(Mutex::new(card))),
            faults,
            presence: Arc::new(Presence::new()),
            log: Arc::default(),
        }
    }

    /// From 0.
    #[must_use]
    pub const fn number(&self) -> u16 {
        self.number
    }

    /// The card as the reader meets it. `told` hears of each fault that strikes.
    pub fn card(&self, latency: Latency, mut told: impl FnMut(&Strike) + Send + 'static) -> SlotCard {
        let (waiting, pausing, absent) =
            (self.presence.clone(), self.presence.clone(), self.presence.clone());
        let (log, striking) = (self.log.clone(), self.log.clone());
        let card = Slow::new(self.card.clone(), latency, move |time| waiting.pause_while_inserted(time));
        let (shared, mut swap) = (self.card.clone(), for_another_persons());
        let card = Faulty::new(card, &self.faults)
            .waiting(move |time| pausing.pause_while_inserted(time))
            .telling(move |strike| {
                striking.push(format!("! {strike}"));
                told(&strike);
                if matches!(strike.fault.kind, Kind::NoCard | Kind::NoReader) {
                    // Not from within the card's own answer: that is still to leave the reader in its way.
                    absent.set_seen(false);
                }
            })
            .swapping(move |_| swap(&mut shared.lock()));
        Box::new(Trace::new(card, move |traced| log.push(line(&traced))))
    }

    /// Serves `card` at the reader until [`end`](Self::end), whenever it is inserted. `events` hears
    /// what happens.
    ///
    /// # Errors
    /// A port to listen on that was given up with the card cannot be had again.
    pub fn serve(
        &self,
        card: &mut dyn SmartCard,
        mode: Mode,
        events: &mut dyn FnMut(Event),
    ) -> Result<(), BindError> {
        let mut mode = Some(mode);
        let again = match &mode {
            Some(Mode::Connect(to)) => Again::Connect(to.clone()),
            Some(Mode::Listen(listener)) => {
                Again::Listen(listener.local_addr().map_or_else(|_| Address::default(), Address::from))
            }
            None => return Ok(()),
        };
        while let Some(session) = self.presence.session() {
            let mode = match mode.take() {
                Some(mode) => mode,
                None => again.mode()?,
            };
            vpcd::serve(card, mode, &session, &mut |event| {
                match event {
                    Event::Ready => self.presence.set_seen(true),
                    Event::Disconnected(_) => self.presence.set_seen(false),
                    _ => {}
                }
                events(event);
                if self.faults.is_absent() {
                    self.presence.remove();
                }
            });
            // The reader must look into its slot while it is empty, or it never sees that a card has gone.
            if !self.presence.has_ended() {
                self.presence.pause(STAY_AWAY);
            }
        }
        Ok(())
    }

    /// Ends serving, for good.
    pub fn end(&self) {
        self.presence.end();
        self.log.end();
    }

    /// What there is.
    #[must_use]
    pub fn status(&self) -> Status {
        Status {
            slot: self.number,
            holder: self.card.lock().personalised().holder().id().to_owned(),
            reader: self.reader.clone(),
            inserted: self.presence.is_inserted(),
            seen: self.presence.is_seen(),
        }
    }

    /// Puts the card into the reader; `false` when it was in.
    #[must_use]
    pub fn insert(&self) -> bool {
        self.faults.insert();
        self.presence.insert()
    }

    /// Takes the card out of the reader, whatever it is doing; `false` when it was out.
    #[must_use]
    pub fn remove(&self) -> bool {
        self.presence.remove()
    }

    /// Takes the card out and puts `other` in.
    pub fn swap(&self, other: VirtualCard) {
        self.presence.remove();
        *self.card.lock() = other;
        let _ = self.insert();
    }

    /// The tries of each PIN.
    #[must_use]
    pub fn counters(&self) -> Vec<Counter> {
        let card = self.card.lock();
        PinName::ALL
            .map(|pin| Counter {
                pin,
                tries_left: card.pins().get(pin).tries_left,
                full: card.personalised().profile().tries.of(pin),
            })
            .into()
    }

    /// Fills the counter of a PIN, as at the municipal counter.
    ///
    /// # Errors
    /// It could not be stored, and is as it was.
    pub fn unblock(&self, pin: PinName) -> io::Result<()> {
        self.card.lock().unblock(pin)
    }

    /// Arms a fault.
    ///
    /// # Errors
    /// It needs another card.
    pub fn arm(&self, fault: Fault) -> Result<(), NoOtherCard> {
        self.faults.arm(fault)
    }

    /// The faults of this card.
    #[must_use]
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What the card is made from, to make another.
    pub(super) fn with_card<T>(&self, see: impl FnOnce(&VirtualCard) -> T) -> T {
        see(&self.card.lock())
    }

    pub(super) fn log(&self) -> &Log {
        &self.log
    }

    /// Waits until the reader sees the card; `false` when it does not within that time.
    #[must_use]
    pub fn wait_until_seen(&self, at_most: Duration) -> bool {
        Instant::now().checked_add(at_most).is_some_and(|deadline| self.presence.wait_until_seen(deadline))
    }

    pub(super) fn has_ended(&self) -> bool {
        self.presence.has_ended()
    }
}

/// How to reach the reader once more.
enum Again {
    Connect(Address),
    Listen(Address),
}

impl Again {
    fn mode(&self) -> Result<Mode, BindError> {
        match self {
            Self::Connect(to) => Ok(Mode::Connect(to.clone())),
            Self::Listen(on) => vpcd::bind(on).map(Mode::Listen),
        }
    }
}

/// A line of the log.
fn line(traced: &Traced) -> String {
    match traced {
        Traced::Power(Power::Off) => "- power off".to_owned(),
        Traced::Power(Power::On) => "- power on".to_owned(),
        Traced::Power(Power::WarmReset) => "- warm reset".to_owned(),
        Traced::Exchange(exchange) => exchange.to_string(),
    }
}
