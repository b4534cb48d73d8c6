//! A terminal that shows its own screens, up to the one on which the card is wanted, and speaks the
//! API of a portal: it gets a challenge, brings what the card has signed, and shows what comes back.
//! `GET /api/v1/openapi.yaml` describes that API.

use super::screen::{named, no_button, of_portal};
use super::stage::{Absent, Seen, Trouble};
use super::visitor::Visitor;
use crate::language::Bilingual;
use crate::portal::flow::{Flow, Pressed, buttons_at_the_end};
use crate::portal::{
    Answer, Button, CardRequest, ChallengeId, Message, Outcome, Purpose, Registration, Row, Screen,
};
use base64ct::{Base64, Encoding};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// Longer than any portal takes that answers at all.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the terminal keeps of a challenge: the secret that came with it, and what it is for.
#[derive(Clone)]
struct Kept {
    session: String,
    purpose: Purpose,
}

/// How it ended.
struct Ended {
    screen: Screen,
    outcome: String,
    message: Message,
    rows: Vec<Row>,
}

/// What all tabs know: the session that they go on in, and their challenges.
#[derive(Default)]
struct Memory {
    session: Option<String>,
    challenges: BTreeMap<String, Kept>,
}

impl Memory {
    /// The session that was known as `before` is known as `renewed` now.
    fn renew(&mut self, before: &str, renewed: Option<String>) {
        let Some(renewed) = renewed else { return };
        let sessions = self.challenges.values_mut().map(|kept| &mut kept.session);
        for session in sessions.chain(&mut self.session).filter(|session| **session == before) {
            session.clone_from(&renewed);
        }
    }
}

/// One visit.
pub struct ApiVisitor {
    agent: ureq::Agent,
    origin: String,
    memory: Rc<RefCell<Memory>>,
    flow: Option<Flow>,
    request: Option<CardRequest>,
    ended: Option<Ended>,
    /// the end of the inquiry that the flow goes on from
    inquiry: Option<Ended>,
}

#[derive(Deserialize)]
struct Challenge {
    challenge_id: String,
    session: String,
    nonce: String,
    expires_at: Timestamp,
}

/// Accepted, or found.
#[derive(Deserialize)]
struct Found {
    outcome: String,
    rows: Vec<FoundRow>,
    session: Option<String>,
}

#[derive(Deserialize)]
struct FoundRow {
    row: String,
    value: String,
}

impl FoundRow {
    fn row(&self) -> Result<Row, Trouble> {
        match (&*self.row, &*self.value) {
            ("application", "accepted") => Ok(Row::Application),
            ("registration", "preparing") => Ok(Row::Registration(Registration::Preparing)),
            ("registration", "complete") => Ok(Row::Registration(Registration::Complete)),
            ("user_registration", "accepted") => Ok(Row::UserRegistration),
            (row, value) => Err(Trouble::broken(format!("the portal's API tells of a row {row}: {value}"))),
        }
    }
}

/// RFC 9457, with what the holder is to be told.
#[derive(Deserialize)]
struct Problem {
    code: String,
    message: Option<ProblemMessage>,
    session: Option<String>,
}

#[derive(Deserialize)]
struct ProblemMessage {
    title: Bilingual,
    advice: Bilingual,
}

impl ApiVisitor {
    /// Visits the portal at `origin`, such as `http://127.0.0.1:8480`.
    #[must_use]
    pub fn at(origin: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        Self::with(agent, origin.to_owned(), Rc::default())
    }

    fn with(agent: ureq::Agent, origin: String, memory: Rc<RefCell<Memory>>) -> Self {
        Self { agent, origin, memory, flow: None, request: None, ended: None, inquiry: None }
    }

    fn screen(&self) -> Screen {
        match (&self.ended, &self.flow) {
            (Some(ended), _) => ended.screen,
            (None, Some(flow)) => flow.screen(),
            (None, None) => Screen::Top,
        }
    }

    fn buttons(&self) -> &'static [Button] {
        let ended_as =
            |outcome: Outcome| self.ended.as_ref().is_some_and(|ended| ended.outcome == outcome.code());
        match (self.screen(), &self.flow) {
            (Screen::Failed, None) => &[Button::Finish],
            (Screen::Failed, _) if ended_as(Outcome::SignatureRevoked) => {
                buttons_at_the_end(Outcome::SignatureRevoked)
            }
            (screen, _) => screen.buttons(),
        }
    }

    fn post(&self, path: &str, body: &Value) -> Result<(u16, String), Trouble> {
        let url = format!("{}/api/v1{path}", self.origin);
        let request = self.agent.post(&url).header("content-type", "application/json");
        let failed = |error: ureq::Error| Trouble::broken(format!("{url}: {error}"));
        let mut reply = request.send(body.to_string()).map_err(failed)?;
        let text = reply.body_mut().read_to_string().map_err(failed)?;
        Ok((reply.status().as_u16(), text))
    }

    fn read<T: DeserializeOwned>(path: &str, status: u16, text: &str) -> Result<T, Trouble> {
        let unexpected = |error| {
            Trouble::broken(format!(
                "{path}: {status} with something that the API does not describe: {error}"
            ))
        };
        serde_json::from_str(text).map_err(unexpected)
    }

    fn ask(&mut self, purpose: Purpose) -> Result<(), Trouble> {
        let path = "/challenges";
        let mut wanted = json!({ "purpose": purpose });
        if let Some(session) = &self.memory.borrow().session {
            wanted["session"] = session.clone().into();
        }
        let (status, text) = self.post(path, &wanted)?;
        if status != 201 {
            return self.fail(path, "", status, &text);
        }
        let Challenge { challenge_id, session, nonce, expires_at } = Self::read(path, status, &text)?;
        let unusable = || Trouble::broken(format!("{path}: a challenge that cannot be used: {text}"));
        let id = ChallengeId::parse(&challenge_id).ok_or_else(unusable)?;
        let nonce = Base64::decode_vec(&nonce).ok().and_then(|nonce| nonce.try_into().ok());
        let nonce = nonce.ok_or_else(unusable)?;
        self.request = Some(CardRequest { challenge: id.clone(), nonce, purpose, expires: expires_at });
        {
            let mut memory = self.memory.borrow_mut();
            memory.session = Some(session.clone());
            memory.challenges.insert(challenge_id, Kept { session, purpose });
        }
        if let Some(flow) = &mut self.flow {
            flow.ask_for_card(id);
        }
        Ok(())
    }

    fn fail(&mut self, path: &str, session: &str, status: u16, text: &str) -> Result<(), Trouble> {
        let problem: Problem = Self::read(path, status, text)?;
        self.memory.borrow_mut().renew(session, problem.session);
        let message =
            problem.message.ok_or_else(|| Trouble::broken(format!("{path}: {status} {}", problem.code)))?;
        let message = Message { title: message.title, advice: message.advice };
        self.end(Screen::Failed, problem.code, message, Vec::new());
        Ok(())
    }

    fn end(&mut self, screen: Screen, outcome: String, message: Message, rows: Vec<Row>) {
        self.request = None;
        // from these the flow goes on
        let known = [Outcome::Shown, Outcome::SignatureRevoked].into_iter();
        if let (Some(flow), Some(known)) =
            (&mut self.flow, known.clone().find(|known| known.code() == outcome))
        {
            flow.end(known, None);
        }
        self.ended = Some(Ended { screen, outcome, message, rows });
    }

    /// Back at the top page; what comes next is in a new session.
    fn leave(&mut self) {
        self.flow = None;
        self.memory.borrow_mut().session = None;
    }
}

impl<'w> Visitor<'w> for ApiVisitor {
    fn new_tab(&self) -> Box<dyn Visitor<'w> + 'w> {
        Box::new(Self::with(self.agent.clone(), self.origin.clone(), self.memory.clone()))
    }

    fn seen(&self) -> Seen {
        let is_ticked = self.flow.as_ref().is_some_and(|flow| flow.register_user);
        let (outcome, rows) = match &self.ended {
            Some(ended) => (Some((&*ended.outcome, ended.message.clone())), &*ended.rows),
            None => (None, &[][..]),
        };
        of_portal(self.screen(), is_ticked, outcome, rows, self.buttons())
    }

    fn request(&self) -> Option<CardRequest> {
        self.request.clone()
    }

    fn press(&mut self, button: Button) -> Result<(), Trouble> {
        if !self.buttons().contains(&button) {
            return Err(Trouble::NotThere(no_button(button, self.screen())));
        }
        self.request = None;
        let start = |purpose| Some(Flow::start(String::new(), purpose, Timestamp::UNIX_EPOCH));
        let ended = self.ended.take();
        match button {
            Button::StartApplication => self.flow = start(Purpose::Application),
            Button::StartInquiry => self.flow = start(Purpose::Inquiry),
            Button::Finish => self.leave(),
            _ => {
                let Some(flow) = &mut self.flow else { return Ok(()) };
                // after a failure the card is still wanted, and 「もう一度試す」 is one step back from there
                let pressed = if button == Button::Retry { Button::Back } else { button };
                let purpose = flow.purpose;
                match flow.press(pressed) {
                    Pressed::Moved if button == Button::RegisterSignature => self.inquiry = ended,
                    Pressed::Moved if flow.outcome().is_some() => self.ended = self.inquiry.take(),
                    Pressed::Moved => {}
                    Pressed::NeedsChallenge => self.ask(purpose)?,
                    Pressed::Left => self.leave(),
                }
            }
        }
        Ok(())
    }

    fn tick(&mut self, ticked: bool) -> Result<(), Trouble> {
        match &mut self.flow {
            Some(flow) if flow.screen() == Screen::Confirm && self.ended.is_none() => {
                flow.tick(ticked);
                Ok(())
            }
            _ => Err(Trouble::NotThere(Absent::Tick(named(self.screen())))),
        }
    }

    fn deliver(&mut self, challenge: &ChallengeId, answer: &Answer) -> Result<(), Trouble> {
        let (certificate, signature) = match answer {
            // The API wants signatures; what else the terminal has to tell, it tells the holder.
            Answer::Failed(failure) => {
                let message = Outcome::from(*failure).message();
                self.end(Screen::Failed, failure.code().to_owned(), message, Vec::new());
                return Ok(());
            }
            Answer::Signed { certificate, signature } => (certificate, signature),
        };
        let kept = self.memory.borrow().challenges.get(challenge.as_str()).cloned();
        let Kept { session, purpose } =
            kept.unwrap_or(Kept { session: String::new(), purpose: Purpose::Application });
        let mut body = json!({
            "challenge_id": challenge.as_str(),
            "session": session,
            "certificate": Base64::encode_string(certificate),
            "signature": Base64::encode_string(signature),
        });
        let (path, screen) = match purpose {
            Purpose::Application => {
                body["register_user"] = self.flow.as_ref().is_some_and(|flow| flow.register_user).into();
                ("/applications", Screen::Done)
            }
            Purpose::Inquiry => ("/inquiries", Screen::Status),
            Purpose::Signature => ("/signatures", Screen::Registered),
        };
        let (status, text) = self.post(path, &body)?;
        if !(200..300).contains(&status) {
            return self.fail(path, &session, status, &text);
        }
        let found: Found = Self::read(path, status, &text)?;
        self.memory.borrow_mut().renew(&session, found.session);
        let rows = found.rows.iter().map(FoundRow::row).collect::<Result<_, _>>()?;
        let outcome = match purpose {
            Purpose::Application => Outcome::Accepted,
            Purpose::Inquiry => Outcome::Shown,
            Purpose::Signature => Outcome::SignatureRegistered,
        };
        self.end(screen, found.outcome, outcome.message(), rows);
        Ok(())
    }

    fn forget_session(&mut self) {
        self.memory = Rc::default();
    }
}
