//! The card that suffers the faults.

use super::armed::{Faults, Strike};
use super::damage::{damage, other_atr};
use super::kind::{BLOCK_WAITING_TIME, Kind, Moment, Swap};
use super::trigger::Request;
use crate::smart_card::{Leaving, Power, Reaction, SmartCard};
use std::time::Duration;

/// When nothing is left to send, how long the card is silent before it leaves.
const NOTHING_TO_SAY: Duration = Duration::from_secs(5);

type Callback<T> = Box<dyn FnMut(T) + Send>;
type Exchange<C> = Box<dyn FnMut(&mut C) + Send>;

/// A [`SmartCard`] around another that suffers the faults armed through a [`Faults`] handle.
///
/// A card that leaves loses its power. What comes back afterwards is the same card, unless the fault
/// was a swap.
///
/// ```
/// use vmyna_sim::{card::VirtualCard, fault::{Fault, Faults, Faulty}, smart_card::{Reaction, SmartCard}};
///
/// let faults = Faults::new(0);
/// let mut card = Faulty::new(VirtualCard::built_in("hanako")?, &faults);
/// faults.arm("status=6F00@challenge".parse().unwrap()).unwrap();
/// assert_eq!(card.transmit(&[0x00, 0x84, 0x00, 0x00, 0x08]), Reaction::Answer(vec![0x6F, 0x00]));
/// # Ok::<(), vmyna_sim::card::PersonalisationError>(())
/// ```
pub struct Faulty<C> {
    card: C,
    faults: Faults,
    wait: Callback<Duration>,
    told: Callback<Strike>,
    swap: Option<Exchange<C>>,
    /// the card goes at the next request
    leaving: Option<Leaving>,
    /// the answer before, where it may be needed
    before: Option<Vec<u8>>,
    /// each answer comes one request late
    late: bool,
    other_atr: bool,
}

impl<C: SmartCard> Faulty<C> {
    /// `card`, suffering what is armed through `faults`. Time does not pass: delays take none, unless
    /// [`waiting`](Self::waiting) says how to wait.
    #[must_use]
    pub fn new(card: C, faults: &Faults) -> Self {
        Self {
            card,
            faults: faults.clone(),
            wait: Box::new(|_| {}),
            told: Box::new(|_| {}),
            swap: None,
            leaving: None,
            before: None,
            late: false,
            other_atr: false,
        }
    }

    /// `wait` lets this much time pass.
    #[must_use]
    pub fn waiting(self, wait: impl FnMut(Duration) + Send + 'static) -> Self {
        Self { wait: Box::new(wait), ..self }
    }

    /// `told` hears of each fault when it strikes.
    #[must_use]
    pub fn telling(self, told: impl FnMut(Strike) + Send + 'static) -> Self {
        Self { told: Box::new(told), ..self }
    }

    /// `swap` puts another person's card of the same kind in the place of this one.
    #[must_use]
    pub fn swapping(self, swap: impl FnMut(&mut C) + Send + 'static) -> Self {
        self.faults.allow_swaps();
        Self { swap: Some(Box::new(swap)), ..self }
    }

    /// A card that was about to leave at its next request has left, and is without power.
    pub fn settle(&mut self) {
        if self.leaving.is_some() {
            self.lose_power();
        }
    }

    fn ask(&mut self, request: Request<'_>) -> Reaction {
        if self.faults.is_idle() {
            return self.answer(request);
        }
        if let Some(leaving) = self.faults.absent().or_else(|| self.leaving.take()) {
            return self.leave(leaving);
        }
        let keep = self.late || self.faults.awaits_stale();
        let strikes = self.faults.strike(request);
        for strike in &strikes {
            (self.told)(*strike);
        }
        let reaction = self.suffer(request, &strikes);
        let reaction = self.in_turn(reaction, keep);
        if self.leaving.is_none() && !self.late {
            self.faults.rest();
        }
        reaction
    }

    fn suffer(&mut self, request: Request<'_>, strikes: &[Strike]) -> Reaction {
        for strike in strikes {
            self.pass_time(strike.fault.kind, strike.random);
        }
        let mut instead = None;
        for strike in strikes {
            match strike.fault.kind {
                Kind::Status(status) => instead = Some(status.to_be_bytes().to_vec()),
                kind => {
                    if let Some(reaction) = self.happen_before(kind) {
                        return reaction;
                    }
                }
            }
        }
        let mut answer = match instead.map_or_else(|| self.answer(request), Reaction::Answer) {
            Reaction::Answer(answer) => answer,
            other => return other,
        };
        for strike in strikes {
            damage(&mut answer, strike.fault.kind, strike.random);
            match strike.fault.kind {
                Kind::Remove { moment: Moment::During, leaving } => return self.leave(leaving),
                Kind::Mute { moment: Moment::During, time } => return self.fall_silent(time),
                Kind::Remove { moment: Moment::After, leaving } => self.leaving = Some(leaving),
                Kind::Stale => {
                    self.late = true;
                    if self.before.is_none() {
                        self.before = match self.card.atr() {
                            Reaction::Answer(atr) => Some(atr),
                            Reaction::Silence(_) | Reaction::Leave(_) => None,
                        };
                    }
                }
                _ => {}
            }
        }
        // vpcd hangs on a frame of length zero.
        if answer.is_empty() { self.fall_silent(NOTHING_TO_SAY) } else { Reaction::Answer(answer) }
    }

    fn pass_time(&mut self, kind: Kind, random: u64) {
        let time = match kind {
            Kind::Delay(time) => time,
            Kind::Jitter(from, to) => {
                let span = (to - from).as_millis() as u64;
                from + Duration::from_millis(random % (span + 1))
            }
            Kind::WaitingTime(times) => BLOCK_WAITING_TIME * u32::from(times),
            _ => return,
        };
        if !time.is_zero() {
            (self.wait)(time);
        }
    }

    /// What comes before the command; a reaction where the card does not get to hear it.
    fn happen_before(&mut self, kind: Kind) -> Option<Reaction> {
        match kind {
            Kind::PowerCycle(times) => {
                for _ in 0..times {
                    self.card.power(Power::Off);
                    self.card.power(Power::On);
                }
                None
            }
            Kind::Reset(times) => {
                for _ in 0..times {
                    self.card.power(Power::WarmReset);
                }
                None
            }
            Kind::Remove { moment: Moment::Before, leaving } => Some(self.leave(leaving)),
            Kind::Mute { moment: Moment::Before, time } => Some(self.fall_silent(time)),
            Kind::Swap(swap) => {
                let gone = self.leave(Leaving::Close);
                match (swap, &mut self.swap) {
                    (Swap::Serial, Some(exchange)) => exchange(&mut self.card),
                    (Swap::Serial, None) => {}
                    (Swap::Atr, _) => self.other_atr = !self.other_atr,
                }
                Some(gone)
            }
            Kind::NoCard => {
                self.faults.take_away(Leaving::Close);
                Some(self.leave(Leaving::Close))
            }
            Kind::NoReader => {
                self.faults.take_away(Leaving::Reset);
                Some(self.leave(Leaving::Reset))
            }
            _ => None,
        }
    }

    fn answer(&mut self, request: Request<'_>) -> Reaction {
        match request {
            Request::Command(command) => self.card.transmit(command),
            Request::Atr => match self.card.atr() {
                Reaction::Answer(mut atr) if self.other_atr => {
                    other_atr(&mut atr);
                    Reaction::Answer(atr)
                }
                reaction => reaction,
            },
        }
    }

    /// The answer, or the one before it when answers come late.
    fn in_turn(&mut self, reaction: Reaction, keep: bool) -> Reaction {
        match reaction {
            Reaction::Answer(answer) if self.late => {
                Reaction::Answer(self.before.replace(answer).unwrap_or_else(|| vec![0x90, 0x00]))
            }
            Reaction::Answer(answer) => {
                self.before = keep.then(|| answer.clone());
                Reaction::Answer(answer)
            }
            gone => gone,
        }
    }

    fn leave(&mut self, leaving: Leaving) -> Reaction {
        self.lose_power();
        Reaction::Leave(leaving)
    }

    fn fall_silent(&mut self, time: Duration) -> Reaction {
        self.lose_power();
        Reaction::Silence(time)
    }

    fn lose_power(&mut self) {
        self.card.power(Power::Off);
        (self.leaving, self.before, self.late) = (None, None, false);
    }
}

impl<C: SmartCard> SmartCard for Faulty<C> {
    fn atr(&mut self) -> Reaction {
        self.ask(Request::Atr)
    }

    fn power(&mut self, power: Power) {
        if power == Power::Off {
            (self.before, self.late) = (None, false);
        }
        self.card.power(power);
    }

    fn transmit(&mut self, command: &[u8]) -> Reaction {
        self.ask(Request::Command(command))
    }
}

#[cfg(test)]
mod tests;
