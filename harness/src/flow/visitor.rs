//! Who visits the portal for the holder, in one tab: the pages of a portal in this process, or a
//! terminal that shows its own screens and speaks a portal's API.

use super::screen::{named, no_button, of_page};
use super::stage::{Absent, Seen, Trouble};
use crate::portal::{Answer, Browser, Button, CardRequest, ChallengeId, NotOnThisScreen, Screen, StoreError};

/// A tab.
pub trait Visitor<'w> {
    /// Another tab, at the top page, of the same session.
    fn new_tab(&self) -> Box<dyn Visitor<'w> + 'w>;

    /// What the tab shows, but for the terminal.
    fn seen(&self) -> Seen;

    /// What the terminal is asked to have signed, where the screen asks for it.
    fn request(&self) -> Option<CardRequest>;

    /// Presses a button of the portal's.
    ///
    /// # Errors
    /// It is not on the screen.
    fn press(&mut self, button: Button) -> Result<(), Trouble>;

    /// Sets the box.
    ///
    /// # Errors
    /// It is not on the screen.
    fn tick(&mut self, ticked: bool) -> Result<(), Trouble>;

    /// An answer to a challenge comes back into this tab.
    ///
    /// # Errors
    /// [`Trouble::Broken`].
    fn deliver(&mut self, challenge: &ChallengeId, answer: &Answer) -> Result<(), Trouble>;

    /// The session is lost.
    fn forget_session(&mut self);
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::broken(error)
    }
}

impl From<NotOnThisScreen> for Trouble {
    fn from(error: NotOnThisScreen) -> Self {
        match error {
            NotOnThisScreen::NoSuchButton { button, screen } => Self::NotThere(no_button(button, screen)),
            NotOnThisScreen::Store(error) => error.into(),
        }
    }
}

impl<'w> Visitor<'w> for Browser<'w> {
    fn new_tab(&self) -> Box<dyn Visitor<'w> + 'w> {
        Box::new(Browser::new_tab(self))
    }

    fn seen(&self) -> Seen {
        of_page(self.page())
    }

    fn request(&self) -> Option<CardRequest> {
        Browser::request(self).cloned()
    }

    fn press(&mut self, button: Button) -> Result<(), Trouble> {
        Ok(Browser::press(self, button).map(drop)?)
    }

    fn tick(&mut self, ticked: bool) -> Result<(), Trouble> {
        let screen = self.page().screen;
        if screen != Screen::Confirm {
            return Err(Trouble::NotThere(Absent::Tick(named(screen))));
        }
        Browser::tick(self, ticked);
        Ok(())
    }

    fn deliver(&mut self, challenge: &ChallengeId, answer: &Answer) -> Result<(), Trouble> {
        Ok(self.deliver_to(challenge, answer).map(drop)?)
    }

    fn forget_session(&mut self) {
        Browser::forget_session(self);
    }
}
