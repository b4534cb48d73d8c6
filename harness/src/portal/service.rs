//! The portal itself, without a socket: flows, challenges, checks and applications. Clock and
//! randomness are handed in, so that a scenario can drive it in process.

mod delivery;
#[cfg(test)]
mod tests;

use super::applicant::{Applicant, Application};
use super::challenge::{CardRequest, Challenge};
use super::check::{Checker, built_in_anchors, built_in_signature_anchors};
use super::flow::{Flow, Pressed};
use super::outcome::Outcome;
use super::page::Page;
use super::screen::{Button, Purpose, Registration, Row};
use super::status::BuiltInRegister;
use super::store::{Changes, Keep, Record, Store, StoreError};
use super::token::{ChallengeId, FlowId, Randomness, SessionKey, SessionToken, drawn, seeded_randomness};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use thiserror::Error;
use vmyna_sim::pki::PkiError;

/// What the time is.
pub type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// How long things live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lives {
    /// from a challenge to the last moment for its answer
    pub challenge: SignedDuration,
    /// a flow in which nothing is pressed, and a session
    pub session: SignedDuration,
}

impl Default for Lives {
    fn default() -> Self {
        Self { challenge: SignedDuration::from_mins(5), session: SignedDuration::from_mins(30) }
    }
}

/// Why there is no portal.
#[derive(Debug, Error)]
pub enum SetUpError {
    /// the state cannot be kept
    #[error(transparent)]
    Store(#[from] StoreError),
    /// the authorities' keys cannot be used
    #[error(transparent)]
    Pki(#[from] PkiError),
}

/// The relying party.
pub struct Portal {
    store: Store,
    checker: Checker,
    clock: Clock,
    randomness: Mutex<Randomness>,
    session_key: SessionKey,
    lives: Lives,
    busy: AtomicBool,
    swept: Mutex<Timestamp>,
}

/// A session in which somebody was authenticated.
#[derive(Serialize, Deserialize)]
struct Session {
    /// the card that it began with, until 「終了」
    applicant: Option<Applicant>,
    since: Timestamp,
    /// the digest of its token: one that was known before the authentication is of no use any more
    #[serde(default)]
    token: Option<String>,
}

impl Session {
    fn is_known_by(&self, token: &SessionToken) -> bool {
        self.token.as_ref().is_none_or(|current| *current == token.digest())
    }

    fn was_renewed_as(&self, token: &SessionToken) -> bool {
        self.token.as_ref().is_some_and(|current| *current == token.digest())
    }
}

impl Record for Session {
    const TABLE: &'static str = "sessions";
}
impl Record for Flow {
    const TABLE: &'static str = "flows";
}
impl Record for Challenge {
    const TABLE: &'static str = "challenges";
}
impl Record for Application {
    const TABLE: &'static str = "applications";
}

impl Portal {
    /// A portal that keeps its state in `store` and lets `checker` look at answers.
    #[must_use]
    pub fn new(
        store: Store,
        checker: Checker,
        clock: Clock,
        mut randomness: Randomness,
        lives: Lives,
    ) -> Self {
        let swept = Mutex::new(clock());
        let key = store.session_key().unwrap_or_else(|| drawn(&mut randomness));
        let (randomness, session_key) = (Mutex::new(randomness), SessionKey::new(&key));
        Self { store, checker, clock, randomness, session_key, lives, busy: AtomicBool::new(false), swept }
    }

    /// A portal whose clock stands at `now`, with its state in memory, the TEST authorities and the
    /// register of the built-in holders, and reproducible randomness: for tests and scenarios.
    ///
    /// # Errors
    /// None is known with the keys in the pool.
    pub fn built_in(now: Timestamp) -> Result<Self, SetUpError> {
        let checker = Checker::new(built_in_anchors(now)?, Box::new(BuiltInRegister::default()))
            .with_signatures_of(built_in_signature_anchors(now)?);
        let store = Store::in_memory()?;
        Ok(Self::new(store, checker, Box::new(move || now), seeded_randomness(0), Lives::default()))
    }

    /// The portal's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// A session for a browser that has none.
    #[must_use]
    pub fn new_session(&self) -> SessionToken {
        self.draw(|randomness| self.session_key.issue(randomness))
    }

    /// The session that a browser or a terminal names, if this portal has issued it; whether it
    /// [is current](Self::is_current) is another question.
    #[must_use]
    pub fn session(&self, name: &str) -> Option<SessionToken> {
        SessionToken::parse(name).filter(|token| self.session_key.has_issued(token))
    }

    /// Whether a session is still known by this token: authentication gives it another one, so that
    /// nobody who knew it before shares it afterwards.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn is_current(&self, session: &SessionToken) -> Result<bool, StoreError> {
        let found = self.store.get::<Session>(&session.key())?;
        Ok(found.is_none_or(|found| found.is_known_by(session)))
    }

    fn draw<T>(&self, draw: impl FnOnce(&mut Randomness) -> T) -> T {
        draw(&mut self.randomness.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on every answer meets [`Outcome::ServerBusy`], or no longer does.
    pub fn set_busy(&self, busy: bool) {
        self.busy.store(busy, Ordering::Relaxed);
    }

    /// Whether the portal plays at being overloaded.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed)
    }

    /// A button of the top page: the beginning of a flow.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn start(&self, session: &SessionToken, purpose: Purpose) -> Result<Page, StoreError> {
        let now = self.now();
        self.sweep(now)?;
        if !self.is_current(session)? {
            return Ok(Page::failed(Outcome::SessionLost));
        }
        let id = self.draw(FlowId::draw);
        let flow = Flow::start(session.key(), purpose, now);
        self.store.change(Keep::ForNow, |changes| changes.put(id.as_str(), &flow))?;
        self.page_of(id, &flow)
    }

    /// What the tab in `flow` shows; [`Outcome::SessionLost`] when that is not a flow of this
    /// session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn page(&self, session: &SessionToken, flow: &FlowId) -> Result<Page, StoreError> {
        match self.store.get::<Flow>(flow.as_str())? {
            Some(found) if found.session == session.key() && self.is_current(session)? => {
                self.page_of(flow.clone(), &found)
            }
            _ => Ok(Page::failed(Outcome::SessionLost)),
        }
    }

    /// Presses a button, after setting the box of step 1 to `tick`. A button that is not on the
    /// screen changes nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn press(
        &self,
        session: &SessionToken,
        id: &FlowId,
        button: Button,
        tick: Option<bool>,
    ) -> Result<Page, StoreError> {
        let now = self.now();
        let flow = self.store.change(Keep::ForNow, |changes| {
            let Some(mut flow) = changes.get::<Flow>(id.as_str())? else { return Ok(None) };
            let known = changes.get::<Session>(&flow.session)?;
            let is_current = known.as_ref().is_none_or(|known| known.is_known_by(session));
            if flow.session != session.key() || !is_current {
                return Ok(None);
            }
            if let Some(tick) = tick {
                flow.tick(tick);
            }
            if let Some(replaced) = flow.challenge().cloned() {
                Self::withdraw(changes, &replaced)?;
            }
            flow.touched = now;
            match flow.press(button) {
                Pressed::Moved => {}
                Pressed::NeedsChallenge => {
                    let request = self.challenge(changes, session, id, flow.purpose, now)?;
                    flow.ask_for_card(request.challenge);
                }
                Pressed::Left => {
                    changes.remove::<Flow>(id.as_str())?;
                    if let Some(known) = known {
                        changes.put(&flow.session, &Session { applicant: None, ..known })?;
                    }
                    return Ok(Some(None));
                }
            }
            changes.put(id.as_str(), &flow)?;
            Ok(Some(Some(flow)))
        })?;
        match flow {
            None => Ok(Page::failed(Outcome::SessionLost)),
            Some(None) => Ok(Page::top()),
            Some(Some(flow)) => self.page_of(id.clone(), &flow),
        }
    }

    fn challenge(
        &self,
        changes: &Changes,
        session: &SessionToken,
        flow: &FlowId,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<CardRequest, StoreError> {
        let expires = now.saturating_add(self.lives.challenge).unwrap_or(Timestamp::MAX);
        let (id, challenge) = self.draw(|randomness| {
            let id = ChallengeId::draw(randomness);
            (id, Challenge::draw(session, flow.clone(), purpose, expires, randomness))
        });
        changes.put(id.as_str(), &challenge)?;
        Ok(challenge.request(id))
    }

    /// A challenge that was replaced is as if it had never been, unless it was answered.
    fn withdraw(changes: &Changes, id: &ChallengeId) -> Result<(), StoreError> {
        changes.remove::<Challenge>(id.as_str())
    }

    /// A challenge for a terminal that shows its own screens: in `session`, or a new one where that is
    /// over, and a flow that is already where the card is asked for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn challenge_for_terminal(
        &self,
        purpose: Purpose,
        session: Option<SessionToken>,
    ) -> Result<(SessionToken, CardRequest), StoreError> {
        let now = self.now();
        self.sweep(now)?;
        let session = match session {
            Some(session) if self.is_current(&session)? => session,
            _ => self.new_session(),
        };
        let id = self.draw(FlowId::draw);
        let request = self.store.change(Keep::ForNow, |changes| {
            let mut flow = Flow::start(session.key(), purpose, now);
            let request = self.challenge(changes, &session, &id, purpose, now)?;
            flow.ask_for_card(request.challenge.clone());
            changes.put(id.as_str(), &flow)?;
            Ok(request)
        })?;
        Ok((session, request))
    }

    fn page_of(&self, id: FlowId, flow: &Flow) -> Result<Page, StoreError> {
        let rows = match (flow.outcome(), flow.applicant()) {
            (Some(outcome), Some(applicant)) if outcome.is_success() => {
                let application = self.store.get::<Application>(&applicant.key())?;
                application.map(|found| Row::of(found.registration, found.register_user)).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        let request = match flow.challenge() {
            Some(challenge) => {
                let found = self.store.get::<Challenge>(challenge.as_str())?;
                found.map(|found| found.request(challenge.clone()))
            }
            None => None,
        };
        Ok(Page {
            flow: Some(id),
            purpose: Some(flow.purpose),
            screen: flow.screen(),
            register_user: flow.register_user,
            rows,
            outcome: flow.outcome(),
            request,
            renewed: None,
        })
    }

    /// All applications.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn applications(&self) -> Result<Vec<(Applicant, Application)>, StoreError> {
        let all = self.store.all::<Application>()?;
        Ok(all.into_iter().filter_map(|(key, found)| Some((Applicant::parse(&key)?, found))).collect())
    }

    /// The operator's action: 「システム準備中…」 becomes 「登録完了」. Whether there is such an
    /// application.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn complete_registration(&self, applicant: &Applicant) -> Result<bool, StoreError> {
        self.store.change(Keep::OnDisk, |changes| {
            let Some(found) = changes.get::<Application>(&applicant.key())? else { return Ok(false) };
            let complete = Application { registration: Registration::Complete, ..found };
            changes.put(&applicant.key(), &complete)?;
            Ok(true)
        })
    }

    /// Forgets what is too old, at most once a minute.
    fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        const EVERY: SignedDuration = SignedDuration::from_secs(60);
        {
            let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
            if now.duration_since(*swept) < EVERY {
                return Ok(());
            }
            *swept = now;
        }
        let is_old = |touched: Timestamp| now.duration_since(touched) > self.lives.session;
        self.store.change(Keep::OnDisk, |changes| {
            for (name, flow) in changes.all::<Flow>()? {
                if is_old(flow.touched) {
                    changes.remove::<Flow>(&name)?;
                }
            }
            for (name, session) in changes.all::<Session>()? {
                if is_old(session.since) {
                    changes.remove::<Session>(&name)?;
                }
            }
            for (name, challenge) in changes.all::<Challenge>()? {
                if challenge.is_forgotten(now) {
                    changes.remove::<Challenge>(&name)?;
                }
            }
            Ok(())
        })
    }
}
