//! Where a flow is played: whoever implements [`Stage`] moves the browser, the terminal and the
//! holder's hand, and tells what is on the screen. Steps never know which stage it is.

use crate::language::Bilingual;
use crate::scenario::{
    Delivery, EnterStep, HoldStep, OperatorStep, Pressable, RowName, ScreenName, TerminalStep,
};
use std::fmt;
use std::time::Duration;
use thiserror::Error;
use vmyna_sim::fault::Fault;
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
    #[error("{}", .0.in_words().en)]
    NotThere(Absent),
    /// this stage cannot do it
    #[error("{}", .0.en)]
    NotHere(Bilingual),
    /// the stage itself broke
    #[error("{}", .0.en)]
    Broken(Bilingual),
}

impl Trouble {
    /// The stage broke, with an `error` of a system.
    pub fn broken(error: impl fmt::Display) -> Self {
        let error = error.to_string();
        Self::Broken(Bilingual::new(format!("フローの場が壊れた: {error}"), error))
    }

    /// A card that a step wants cannot be had.
    pub fn no_such_card(error: impl fmt::Display) -> Self {
        let error = error.to_string();
        Self::NotHere(Bilingual::new(format!("求められたカードを用意できない: {error}"), error))
    }
}

/// What a step wants and does not find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absent {
    /// any tab
    Tab,
    /// the tab of that name
    TabNamed(String),
    /// a button
    Button {
        /// which
        button: Pressable,
        /// where it was looked for
        screen: ScreenName,
    },
    /// an element of a page, by its selector
    Element(String),
    /// the box
    Tick(ScreenName),
    /// the field of a PIN
    PinField(ScreenName),
    /// a terminal that waits for a PIN or a card
    Terminal(ScreenName),
    /// an answer to a challenge before this one
    FormerAnswer,
    /// a challenge that is open
    Challenge,
}

impl Absent {
    /// As a sentence.
    #[must_use]
    pub fn in_words(&self) -> Bilingual {
        match self {
            Self::Tab => Bilingual::new("タブが開いていない", "no tab is open"),
            Self::TabNamed(name) => {
                Bilingual::new(format!("タブ {name} はない"), format!("there is no tab {name}"))
            }
            Self::Button { button, screen } => Bilingual::new(
                format!("画面「{}」に「{}」ボタンがない", screen.title(), button.label()),
                format!("there is no button {} on the screen {screen}", button.name()),
            ),
            Self::Element(selector) => Bilingual::new(
                format!("ページに {selector} がない"),
                format!("there is no {selector} on the page"),
            ),
            Self::Tick(screen) => Bilingual::new(
                format!("画面「{}」にチェックボックスがない", screen.title()),
                format!("there is no box on the screen {screen}"),
            ),
            Self::PinField(screen) => Bilingual::new(
                format!("画面「{}」は暗証番号を求めていない", screen.title()),
                format!("no PIN is asked for on the screen {screen}"),
            ),
            Self::Terminal(screen) => Bilingual::new(
                format!("画面「{}」では暗証番号もカードも求められていない", screen.title()),
                format!("no PIN and no card is asked for on the screen {screen}"),
            ),
            Self::FormerAnswer => Bilingual::new("これより前に応答がない", "nothing was answered before"),
            Self::Challenge => Bilingual::new("開いているチャレンジがない", "no challenge is open"),
        }
    }
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

    /// What the cards were to suffer in this flow and never did.
    fn never_struck(&mut self) -> Vec<Fault>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_step_does_not_find_is_told_in_both_languages() {
        let screen = ScreenName::Done;
        for absent in [
            Absent::Tab,
            Absent::TabNamed("b".to_owned()),
            Absent::Button { button: Pressable::Apply, screen },
            Absent::Element("button".to_owned()),
            Absent::Tick(screen),
            Absent::PinField(screen),
            Absent::Terminal(screen),
            Absent::FormerAnswer,
            Absent::Challenge,
        ] {
            let Bilingual { ja, en } = absent.in_words();
            assert!(!ja.is_ascii() && en.is_ascii(), "{ja} / {en}");
            assert_eq!(Trouble::NotThere(absent).to_string(), en);
        }
        let button = Absent::Button { button: Pressable::Apply, screen };
        assert_eq!(button.in_words().ja, "画面「申込完了」に「申し込む」ボタンがない");
    }
}
