//! The holder's side in process: a browser with its tabs, as far as the portal can see it.

use super::answer::Answer;
use super::challenge::CardRequest;
use super::page::Page;
use super::screen::{Button, Purpose};
use super::service::Portal;
use super::store::StoreError;
use super::token::{ChallengeId, SessionToken};
use std::cell::RefCell;
use std::rc::Rc;
use thiserror::Error;

/// A tab of a browser at the portal. A [second tab](Self::new_tab) shares its session.
///
/// ```
/// use vmyna::portal::{Browser, Button, Portal, Screen};
///
/// let portal = Portal::built_in("2026-04-01T00:30:00Z".parse().unwrap())?;
/// let mut tab = Browser::open(&portal);
/// tab.press(Button::StartApplication)?;
/// tab.tick(true);
/// tab.press(Button::Agree)?;
/// tab.press(Button::Apply)?;
/// assert_eq!(tab.page().screen, Screen::Card);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Browser<'p> {
    portal: &'p Portal,
    /// the cookie, which all tabs share
    session: Rc<RefCell<Option<SessionToken>>>,
    page: Page,
    ticked: bool,
}

/// Why a press came to nothing.
#[derive(Debug, Error)]
pub enum NotOnThisScreen {
    /// there is no such button
    #[error("there is no {button:?} on the screen {screen:?}")]
    NoSuchButton {
        /// what was to be pressed
        button: Button,
        /// where
        screen: super::Screen,
    },
    /// the portal could not keep or find something
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<'p> Browser<'p> {
    /// A browser that opens the top page, with a session of its own.
    #[must_use]
    pub fn open(portal: &'p Portal) -> Self {
        let session = Rc::new(RefCell::new(Some(portal.new_session())));
        Self { portal, session, page: Page::top(), ticked: false }
    }

    /// Another tab of the same browser, at the top page.
    #[must_use]
    pub fn new_tab(&self) -> Self {
        Self { portal: self.portal, session: self.session.clone(), page: Page::top(), ticked: false }
    }

    /// What the tab shows.
    #[must_use]
    pub const fn page(&self) -> &Page {
        &self.page
    }

    /// What the terminal is asked for, where the screen asks for it.
    #[must_use]
    pub const fn request(&self) -> Option<&CardRequest> {
        self.page.request.as_ref()
    }

    /// Sets or clears the box of step 1; elsewhere there is none, and nothing happens.
    pub fn tick(&mut self, ticked: bool) {
        self.ticked = ticked;
    }

    /// Presses a button.
    ///
    /// # Errors
    /// [`NotOnThisScreen`] when the screen has no such button.
    pub fn press(&mut self, button: Button) -> Result<&Page, NotOnThisScreen> {
        if !self.page.buttons().contains(&button) {
            return Err(NotOnThisScreen::NoSuchButton { button, screen: self.page.screen });
        }
        let session = self.current_session()?;
        self.page = match (button, &self.page.flow) {
            (Button::StartApplication, _) => {
                self.ticked = false;
                self.portal.start(&session, Purpose::Application)?
            }
            (Button::StartInquiry, _) => self.portal.start(&session, Purpose::Inquiry)?,
            (_, None) => Page::top(),
            (_, Some(flow)) => self.portal.press(&session, flow, button, Some(self.ticked))?,
        };
        Ok(&self.page)
    }

    /// The session that the top page gives to who has none, or one that is over.
    fn current_session(&self) -> Result<SessionToken, StoreError> {
        let mut cookie = self.session.borrow_mut();
        let session = match cookie.take() {
            Some(session) if self.page.flow.is_some() || self.portal.is_current(&session)? => session,
            _ => self.portal.new_session(),
        };
        Ok(cookie.insert(session).clone())
    }

    /// The terminal's answer to the request on the screen comes back into this tab.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn deliver(&mut self, answer: &Answer) -> Result<&Page, StoreError> {
        match self.page.request.clone() {
            Some(request) => self.deliver_to(&request.challenge, answer),
            None => Ok(&self.page),
        }
    }

    /// An answer to any challenge comes back into this tab: delivered twice, late, or out of another
    /// tab or browser.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn deliver_to(&mut self, challenge: &ChallengeId, answer: &Answer) -> Result<&Page, StoreError> {
        let session = self.session.borrow().clone();
        self.page = self.portal.deliver(session.as_ref(), challenge, answer)?;
        if let Some(renewed) = &self.page.renewed {
            *self.session.borrow_mut() = Some(renewed.clone());
        }
        Ok(&self.page)
    }

    /// Loads the page anew.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn reload(&mut self) -> Result<&Page, StoreError> {
        if let Some(flow) = self.page.flow.clone() {
            let session = self.session.borrow().clone();
            self.page = match session {
                Some(session) => self.portal.page(&session, &flow)?,
                None => Page::failed(super::Outcome::SessionLost),
            };
        }
        Ok(&self.page)
    }

    /// What private browsing does: the session is gone, the pages still there.
    pub fn forget_session(&mut self) {
        *self.session.borrow_mut() = None;
    }
}
