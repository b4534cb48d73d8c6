//! The phone, and the card that is held to it, lifted, or swapped for another holder's, at any
//! moment of a conversation.

use crate::link::{CardLink, InProcess, LinkError};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::broadcast;
use vmyna_sim::card::{PersonalisationError, VirtualCard};
use vmyna_sim::exchange::Exchange;
use vmyna_sim::smart_card::Power;

/// A card and the way to it.
pub type Card = Box<dyn CardLink + Send>;

/// Gives the card of a holder.
type MakeCard = dyn FnMut(&str) -> Result<Card, PersonalisationError> + Send;

/// Conversations that a slow page may be behind.
const BACKLOG: usize = 1024;

/// Which cards there are.
pub struct Cards {
    made: BTreeMap<String, Card>,
    make: Box<MakeCard>,
}

impl Cards {
    /// The cards of the built-in holders, each made when it is first held, and kept: its counters go
    /// on where they were.
    #[must_use]
    pub fn built_in() -> Self {
        Self::made_by(|holder| Ok(Box::new(InProcess(VirtualCard::built_in(holder)?)) as Card))
    }

    /// Cards that `make` gives for the name of a holder.
    #[must_use]
    pub fn made_by(make: impl FnMut(&str) -> Result<Card, PersonalisationError> + Send + 'static) -> Self {
        Self { made: BTreeMap::new(), make: Box::new(make) }
    }

    fn of(&mut self, holder: &str) -> Result<&mut Card, PersonalisationError> {
        if !self.made.contains_key(holder) {
            let card = (self.make)(holder)?;
            self.made.insert(holder.to_owned(), card);
        }
        Ok(self.made.get_mut(holder).expect("it was made just now"))
    }
}

/// What the page is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Told {
    /// how phone and card lie
    Table {
        /// whether the card is held to the phone
        held: bool,
        /// whose card it is
        holder: String,
    },
    /// one command and its answer, decoded, PINs masked
    Exchange {
        /// what was sent
        command: String,
        /// what came back
        answer: String,
    },
}

/// How phone and card lie.
struct Position {
    holder: String,
    held: bool,
    /// counts the times that the card was held to the phone
    contact: u64,
    /// counts the times that the phone was told to wait for a card; only the last one waits
    waiting: u64,
    ended: bool,
}

/// The desk.
pub struct Table {
    position: Mutex<Position>,
    moved: Condvar,
    cards: Mutex<Cards>,
    told: broadcast::Sender<Told>,
    /// from one command to the next, so that people can follow
    pace: Duration,
}

/// Why the phone does not have the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoContact {
    /// nobody held one to it in time
    TimedOut,
    /// the phone stopped waiting
    Cancelled,
}

impl Table {
    /// A desk with the card of `holder` beside the phone.
    #[must_use]
    pub fn new(holder: &str, cards: Cards, pace: Duration) -> Self {
        let position =
            Position { holder: holder.to_owned(), held: false, contact: 0, waiting: 0, ended: false };
        Self {
            position: Mutex::new(position),
            moved: Condvar::new(),
            cards: Mutex::new(cards),
            told: broadcast::channel(BACKLOG).0,
            pace,
        }
    }

    fn position(&self) -> MutexGuard<'_, Position> {
        self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Position)) {
        let mut position = self.position();
        change(&mut position);
        let told = Told::Table { held: position.held, holder: position.holder.clone() };
        // under the lock, so that the page hears of moves in their order
        let _ = self.told.send(told);
        drop(position);
        self.moved.notify_all();
    }

    /// The card is held to the phone.
    pub fn hold(&self) {
        self.change(|position| {
            if !position.held {
                position.held = true;
                position.contact += 1;
            }
        });
    }

    /// The card is lifted.
    pub fn lift(&self) {
        self.change(|position| position.held = false);
    }

    /// Another holder's card takes its place; it lies beside the phone.
    pub fn swap(&self, holder: &str) {
        self.change(|position| {
            position.held = false;
            holder.clone_into(&mut position.holder);
        });
    }

    /// Nobody waits for a card any more.
    pub fn cancel(&self) {
        self.change(|position| position.waiting += 1);
    }

    /// Everything ends.
    pub fn end(&self) {
        self.change(|position| position.ended = true);
    }

    /// How phone and card lie now, and what happens from now on.
    pub fn watch(&self) -> (Told, broadcast::Receiver<Told>) {
        let position = self.position();
        let now = Told::Table { held: position.held, holder: position.holder.clone() };
        (now, self.told.subscribe())
    }

    /// Waits until a card is held to the phone; which contact that is.
    ///
    /// # Errors
    /// `NoContact` when none comes.
    pub fn wait_for_contact(&self, at_most: Duration) -> Result<u64, NoContact> {
        let deadline = Instant::now() + at_most;
        let mut position = self.position();
        position.waiting += 1;
        let mine = position.waiting;
        loop {
            if position.ended || position.waiting != mine {
                return Err(NoContact::Cancelled);
            }
            if position.held {
                return Ok(position.contact);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(NoContact::TimedOut);
            }
            position = self.moved.wait_timeout(position, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Talks to the card as long as it stays. A contact that has just begun powers the card up;
    /// `None` when it is no longer that contact, or the card cannot be made.
    pub fn converse<T>(
        &self,
        contact: u64,
        begins: bool,
        talk: impl FnOnce(&mut dyn CardLink) -> T,
    ) -> Option<T> {
        let holder = {
            let position = self.position();
            (position.held && position.contact == contact).then(|| position.holder.clone())?
        };
        let mut cards = self.cards.lock().unwrap_or_else(PoisonError::into_inner);
        let card = cards.of(&holder).ok()?;
        if begins {
            card.power(Power::Off).ok()?;
            card.power(Power::On).ok()?;
        }
        Some(talk(&mut Held { table: self, contact, card }))
    }

    /// Lets the pace pass while the contact lasts; whether it does.
    fn stays(&self, contact: u64, pace: Duration) -> bool {
        let stays = |position: &Position| position.held && position.contact == contact && !position.ended;
        let position = self.position();
        let waited = self.moved.wait_timeout_while(position, pace, |position| stays(position));
        stays(&waited.unwrap_or_else(PoisonError::into_inner).0)
    }
}

/// The link to a card that may be lifted.
struct Held<'t> {
    table: &'t Table,
    contact: u64,
    card: &'t mut Card,
}

impl CardLink for Held<'_> {
    fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
        self.card.atr()
    }

    fn power(&mut self, power: Power) -> Result<(), LinkError> {
        self.card.power(power)
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
        let answer = if self.table.stays(self.contact, self.table.pace) {
            self.card.transmit(command)
        } else {
            Err(LinkError::Lost("the card was lifted".to_owned()))
        };
        let shown = Exchange::new(command, answer.as_ref().ok().map(Vec::as_slice));
        let answer_shown = shown.response.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string);
        let told = Told::Exchange { command: shown.command.to_string(), answer: answer_shown };
        let _ = self.table.told.send(told);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portal::phone::Phone;
    use crate::portal::{Answer, TerminalFailure};
    use std::sync::Arc;
    use std::thread;
    use vmyna_sim::holder::PinValue;

    fn table(pace: Duration) -> Arc<Table> {
        Arc::new(Table::new("hanako", Cards::built_in(), pace))
    }

    fn read(table: &Table, phone: &mut Phone, contact: u64) -> Result<Answer, TerminalFailure> {
        let pin = PinValue::four_digits("1234").unwrap();
        let talk = |link: &mut dyn CardLink| {
            phone.touch(link)?;
            phone.authenticate(link, &pin, b"nonce")
        };
        table.converse(contact, true, talk).unwrap_or(Err(TerminalFailure::LostContact))
    }

    #[test]
    fn a_card_that_is_held_is_read() {
        let table = table(Duration::ZERO);
        let waiting = table.clone();
        let waiter = thread::spawn(move || waiting.wait_for_contact(Duration::from_secs(60)));
        table.hold();
        let contact = waiter.join().unwrap().unwrap();
        let answer = read(&table, &mut Phone::new(), contact).unwrap();
        assert!(matches!(answer, Answer::Signed { .. }));
    }

    #[test]
    fn a_card_that_is_lifted_in_the_middle_is_lost_and_can_come_back() {
        // the pace is longer than any test lasts: only lifting ends the wait
        let table = table(Duration::from_secs(3600));
        let mut heard = table.watch().1;
        table.hold();
        let lifting = table.clone();
        let reader = thread::spawn(move || read(&lifting, &mut Phone::new(), 1));
        assert!(matches!(heard.blocking_recv(), Ok(Told::Table { held: true, .. })));
        table.lift();
        assert_eq!(reader.join().unwrap(), Err(TerminalFailure::LostContact));
        assert_eq!(table.wait_for_contact(Duration::ZERO), Err(NoContact::TimedOut));
        table.hold();
        assert_eq!(table.wait_for_contact(Duration::ZERO), Ok(2));
        assert!(table.converse(1, false, |_| ()).is_none(), "the first contact is over");
    }

    #[test]
    fn only_the_last_one_waits() {
        let table = table(Duration::ZERO);
        let first = table.clone();
        let first = thread::spawn(move || first.wait_for_contact(Duration::from_secs(60)));
        while table.position().waiting == 0 {
            thread::yield_now();
        }
        table.cancel();
        assert_eq!(first.join().unwrap(), Err(NoContact::Cancelled));
    }

    #[test]
    fn what_is_told_shows_no_pin() {
        let table = table(Duration::ZERO);
        let mut heard = table.watch().1;
        table.hold();
        read(&table, &mut Phone::new(), 1).unwrap();
        let mut commands = Vec::new();
        while let Ok(told) = heard.try_recv() {
            if let Told::Exchange { command, .. } = told {
                commands.push(command);
            }
        }
        assert!(commands.iter().any(|command| command.contains("** ** ** **")));
        assert!(commands.iter().all(|command| !command.contains("31 32 33 34")), "{commands:?}");
    }
}
