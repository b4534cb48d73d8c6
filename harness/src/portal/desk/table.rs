//! The phone, and the card that is held to it, lifted, or swapped for another holder's, at any
//! moment of a conversation.

use crate::link::{CardLink, InProcess, LinkError};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
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
    /// a clock of its own has moved, and who waits should look at it
    Time,
}

/// How phone and card lie.
struct Position {
    holder: String,
    held: bool,
    /// counts the times that the card was held to the phone
    contact: u64,
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

impl Table {
    /// A desk with the card of `holder` beside the phone.
    #[must_use]
    pub fn new(holder: &str, cards: Cards, pace: Duration) -> Self {
        let position = Position { holder: holder.to_owned(), held: false, contact: 0, ended: false };
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

    /// Everybody who waits should look at the clock, which is not the machine's.
    pub fn time_passes(&self) {
        let _ = self.told.send(Told::Time);
    }

    /// The link to the card that is held to the phone, as long as it stays; `None` while none is, or
    /// when it cannot be made.
    #[must_use]
    pub fn contact(self: &Arc<Self>) -> Option<Contact> {
        let (holder, contact) = {
            let position = self.position();
            position.held.then(|| (position.holder.clone(), position.contact))?
        };
        self.cards().of(&holder).ok()?;
        Some(Contact { table: self.clone(), contact, holder })
    }

    fn cards(&self) -> MutexGuard<'_, Cards> {
        self.cards.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the pace pass while the contact lasts; whether it does.
    fn stays(&self, contact: u64, pace: Duration) -> bool {
        let stays = |position: &Position| position.held && position.contact == contact && !position.ended;
        let position = self.position();
        let waited = self.moved.wait_timeout_while(position, pace, |position| stays(position));
        stays(&waited.unwrap_or_else(PoisonError::into_inner).0)
    }
}

/// The link to a card that may be lifted: then it is lost, and another contact another link.
pub struct Contact {
    table: Arc<Table>,
    contact: u64,
    holder: String,
}

impl Contact {
    fn with_card<T>(&self, ask: impl FnOnce(&mut Card) -> Result<T, LinkError>) -> Result<T, LinkError> {
        if !self.table.stays(self.contact, Duration::ZERO) {
            return Err(LinkError::lost("カードが離された", "the card was lifted"));
        }
        let mut cards = self.table.cards();
        let card = cards.of(&self.holder);
        ask(card.map_err(|error| LinkError::lost("このカードを用意できない", error.to_string()))?)
    }
}

impl CardLink for Contact {
    fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
        self.with_card(CardLink::atr)
    }

    /// A card that comes into the field has been without power.
    fn power(&mut self, power: Power) -> Result<(), LinkError> {
        self.with_card(|card| {
            if power == Power::On {
                card.power(Power::Off)?;
            }
            card.power(power)
        })
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
        self.table.stays(self.contact, self.table.pace);
        let answer = self.with_card(|card| card.transmit(command));
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
    use crate::terminal::Credential;
    use std::thread;
    use vmyna_sim::pin::PinValue;

    fn table(pace: Duration) -> Arc<Table> {
        Arc::new(Table::new("hanako", Cards::built_in(), pace))
    }

    fn read(contact: &mut Contact) -> Result<Answer, TerminalFailure> {
        let (mut phone, pin) =
            (Phone::new(Credential::UserAuthentication), PinValue::four_digits("1234").unwrap());
        contact.power(Power::On).map_err(|_| TerminalFailure::LostContact)?;
        phone.touch(contact)?;
        phone.authenticate(contact, &pin, b"nonce")
    }

    #[test]
    fn a_card_that_is_held_is_read() {
        let table = table(Duration::ZERO);
        assert!(table.contact().is_none());
        table.hold();
        assert!(matches!(read(&mut table.contact().unwrap()), Ok(Answer::Signed { .. })));
    }

    #[test]
    fn a_card_that_is_lifted_in_the_middle_is_lost_and_can_come_back() {
        // the pace is longer than any test lasts: only lifting ends the wait
        let table = table(Duration::from_secs(3600));
        let mut heard = table.watch().1;
        table.hold();
        let mut first = table.contact().unwrap();
        let reader = thread::spawn(move || read(&mut first));
        assert!(matches!(heard.blocking_recv(), Ok(Told::Table { held: true, .. })));
        table.lift();
        assert_eq!(reader.join().unwrap(), Err(TerminalFailure::LostContact));
        assert!(table.contact().is_none());
    }

    #[test]
    fn a_contact_that_is_over_stays_over() {
        let table = table(Duration::ZERO);
        table.hold();
        let mut first = table.contact().unwrap();
        table.lift();
        table.hold();
        assert_eq!(read(&mut first), Err(TerminalFailure::LostContact));
        assert!(read(&mut table.contact().unwrap()).is_ok());
    }

    #[test]
    fn what_is_told_shows_no_pin() {
        let table = table(Duration::ZERO);
        let mut heard = table.watch().1;
        table.hold();
        read(&mut table.contact().unwrap()).unwrap();
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
