//! Where a flow is played: whoever implements [`Stage`] moves the browser, the terminal and the
//! holder's hand, and tells what is on the screen. Steps never know which stage it is.

use crate::language::Bilingual;
use crate::scenario::{
    Delivery, EnterStep, HoldStep, OperatorStep, Pressable, RowName, ScreenName, TerminalStep,
};
use std::time::Duration;
use thiserror::Error;
use vmyna_sim::pin::PinName;

/// What is on the screen in front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// which screen
    pub screen: ScreenName,
    /// the rows of a result
    pub rows: Vec<RowName>,
    /// the code of the outcome, once there is one
    pub outcome: Option<String>,
    /// what can be pressed
    pub buttons: Vec<Pressable>,
    /// everything that stands there, in Japanese
    pub text: String,
}

/// An application, by its applicant, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// issuer and serial number
    pub applicant: String,
    /// whether the third row is shown
    pub user_registration: bool,
    /// whether the registration is complete
    pub registered: bool,
    /// whether there is a signature certificate on file
    pub signature_on_file: bool,
}

/// Why a step could not be played.
#[derive(Debug, Error)]
pub enum Trouble {
    /// what the step wants is not there
    #[error("{0}")]
    NotThere(String),
    /// this stage cannot do it
    #[error("{0}")]
    NotHere(String),
    /// the stage itself broke
    #[error("{0}")]
    Broken(String),
}

/// Browser, terminal, holder and portal of a flow.
pub trait Stage {
    /// Opens the top page in `tab`, which comes to the front.
    ///
    /// # Errors
    /// [`Trouble`], as for every other step.
    fn open(&mut self, tab: &str) -> Result<(), Trouble>;

    /// Brings `tab` to the front.
    ///
    /// # Errors
    /// There is no such tab.
    fn show(&mut self, tab: &str) -> Result<(), Trouble>;

    /// Loses the session's cookie.
    ///
    /// # Errors
    /// [`Trouble`].
    fn forget_session(&mut self) -> Result<(), Trouble>;

    /// Presses a button.
    ///
    /// # Errors
    /// It is not on the screen.
    fn press(&mut self, button: Pressable) -> Result<(), Trouble>;

    /// Sets the box.
    ///
    /// # Errors
    /// It is not on the screen.
    fn tick(&mut self, ticked: bool) -> Result<(), Trouble>;

    /// Types into the PIN field; `right` and `wrong` are those of the card of `whose` holder.
    ///
    /// # Errors
    /// There is no PIN field on the screen.
    fn enter(&mut self, pin: EnterStep, whose: Option<&str>) -> Result<(), Trouble>;

    /// Holds a card to the phone.
    ///
    /// # Errors
    /// The card is not there.
    fn hold(&mut self, hold: &HoldStep) -> Result<(), Trouble>;

    /// Lifts it.
    ///
    /// # Errors
    /// None is held.
    fn lift(&mut self) -> Result<(), Trouble>;

    /// Lets time pass.
    ///
    /// # Errors
    /// The stage is not on a clock of its own.
    fn wait(&mut self, time: Duration) -> Result<(), Trouble>;

    /// What becomes of the reader.
    ///
    /// # Errors
    /// [`Trouble`].
    fn terminal(&mut self, step: TerminalStep) -> Result<(), Trouble>;

    /// An answer that should not count reaches the portal.
    ///
    /// # Errors
    /// There was no answer before.
    fn deliver(&mut self, delivery: Delivery) -> Result<(), Trouble>;

    /// What becomes of the portal.
    ///
    /// # Errors
    /// [`Trouble`].
    fn operate(&mut self, step: OperatorStep) -> Result<(), Trouble>;

    /// What is on the screen.
    ///
    /// # Errors
    /// No tab is open.
    fn seen(&mut self) -> Result<Seen, Trouble>;

    /// What the portal holds, in an order of its own.
    ///
    /// # Errors
    /// [`Trouble`].
    fn applications(&mut self) -> Result<Vec<Held>, Trouble>;

    /// The tries left in the holder's own card, of a PIN of JPKI.
    ///
    /// # Errors
    /// [`Trouble`].
    fn tries_left(&mut self, of: PinName) -> Result<u8, Trouble>;

    /// What the cards say that cannot be: tries that do not agree with the PINs that reached them.
    fn miscounted(&mut self) -> Option<Bilingual>;
}
