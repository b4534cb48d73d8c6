//! The terminal's calls: what each request of the portal's has come to, one for each tab.

use super::table::{Contact, Table};
use crate::portal::answer::Answer;
use crate::portal::phone::{Handset, Phone, Reader, TerminalClock, TerminalScreen};
use crate::portal::token::ChallengeId;
use crate::terminal::{Credential, PinForm, Platform};
use jiff::SignedDuration;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Calls that are kept; more tabs than that are not open at once.
const KEPT: usize = 64;

/// What becomes of a terminal, besides the card.
#[derive(Debug, Clone, Copy, Default)]
pub struct Circumstances {
    /// its reader
    pub reader: Reader,
    /// whether it takes every card for one that may be real, and never presents a PIN with one try
    /// left
    pub careful: bool,
}

/// What a call shows.
pub(super) enum Shown {
    /// a screen, and how long it will still wait for a card
    Screen { name: &'static str, tries_left: Option<u8>, patience: Option<SignedDuration> },
    /// what came of it
    Answer(Answer),
}

/// One request of the portal's.
pub(super) struct Call {
    handset: Handset<Contact>,
    answer: Option<Answer>,
}

/// Those that are known.
#[derive(Default)]
pub(super) struct Calls(Mutex<VecDeque<(ChallengeId, Arc<Mutex<Call>>)>>);

impl Calls {
    /// The call of this request.
    pub(super) fn of(&self, challenge: &ChallengeId) -> Option<Arc<Mutex<Call>>> {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().find(|(known, _)| known == challenge).map(|(_, call)| call.clone())
    }

    /// The call of this request, new where there was none.
    pub(super) fn call(
        &self,
        challenge: ChallengeId,
        nonce: [u8; 32],
        key: Credential,
        circumstances: Circumstances,
        clock: TerminalClock,
    ) -> Arc<Mutex<Call>> {
        if let Some(known) = self.of(&challenge) {
            return known;
        }
        let phone = if circumstances.careful { Phone::careful(key) } else { Phone::new(key) };
        let handset = Handset::new(Platform::default(), phone, nonce, clock);
        let call = Arc::new(Mutex::new(Call { handset, answer: None }));
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push_back((challenge, call.clone()));
        if calls.len() > KEPT {
            calls.pop_front();
        }
        call
    }
}

impl Call {
    /// From the beginning, with the card that lies on the phone.
    pub(super) fn begin(&mut self, platform: Platform, table: &Arc<Table>, reader: Reader) -> Shown {
        self.handset.begin(platform);
        self.answer = None;
        self.hold(table, reader)
    }

    /// The card that lies on the phone, if one does.
    pub(super) fn hold(&mut self, table: &Arc<Table>, reader: Reader) -> Shown {
        self.unless_answered(|handset| {
            table.contact().and_then(|contact| handset.hold(Box::new(contact), reader))
        })
    }

    /// The card is gone.
    pub(super) fn lift(&mut self) -> Shown {
        self.unless_answered(|handset| {
            handset.lift();
            None
        })
    }

    /// The PIN was entered.
    pub(super) fn confirm(&mut self, pin: &str) -> Shown {
        self.unless_answered(|handset| {
            handset.enter(pin);
            handset.confirm()
        })
    }

    /// 「キャンセル」
    pub(super) fn cancel(&mut self) -> Shown {
        self.unless_answered(|_| Some(Handset::<Contact>::cancel()))
    }

    /// Time has passed.
    pub(super) fn look(&mut self) -> Shown {
        self.unless_answered(Handset::look_at_the_clock)
    }

    fn unless_answered(&mut self, act: impl FnOnce(&mut Handset<Contact>) -> Option<Answer>) -> Shown {
        if self.answer.is_none() {
            self.answer = act(&mut self.handset);
        }
        match &self.answer {
            Some(answer) => Shown::Answer(answer.clone()),
            None => self.screen(),
        }
    }

    fn screen(&self) -> Shown {
        let name = match (self.handset.screen(), self.handset.platform().pin_form()) {
            (TerminalScreen::Touch, _) => "touch",
            (TerminalScreen::Pin, PinForm::Page) => "pin",
            (TerminalScreen::Pin, PinForm::Dialog) => "dialog",
        };
        Shown::Screen { name, tries_left: self.handset.tries_left(), patience: self.handset.patience() }
    }
}
