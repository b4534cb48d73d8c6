//! A flow with the terminal and its cards in this process, and the portal too, unless the visitor goes
//! to it elsewhere.

use super::card::FlowCard;
use super::clock::FlowClock;
use super::forged::{forged, former_signature};
use super::screen::{button, of_terminal};
use super::stage::{Absent, Held, Seen, Stage, Trouble};
use super::typed::typed;
use super::visitor::Visitor;
use super::world::World;
use crate::language::Bilingual;
use crate::link::{CardLink, InProcess as Link};
use crate::portal::phone::{Handset, Phone, Reader, TerminalScreen};
use crate::portal::{Answer, Browser, ChallengeId, Registration};
use crate::scenario::{Delivery, EnterStep, HoldStep, OperatorStep, Pressable, ScreenName, TerminalStep};
use std::collections::BTreeMap;
use std::time::Duration;
use vmyna_sim::fault::Fault;
use vmyna_sim::pin::PinName;
use vmyna_sim::pki::Reason;

/// A terminal to which cards come by any link.
type AnyHandset = Handset<dyn CardLink>;

/// A tab of the browser, with the terminal that it has called.
struct Tab<'w> {
    browser: Box<dyn Visitor<'w> + 'w>,
    handset: Option<AnyHandset>,
}

/// How a card gets into the field of the terminal.
pub trait Hand {
    /// Holds `card` there.
    ///
    /// # Errors
    /// It cannot be brought there.
    fn hold(&mut self, card: &FlowCard) -> Result<Box<dyn CardLink>, Trouble>;

    /// The tries of a PIN left in the holder's own card, where that is not a [`FlowCard`] and has to be
    /// asked.
    fn tries_left(&mut self, _of: PinName) -> Option<Result<u8, Trouble>> {
        None
    }
}

/// The card is in this process, and so is the terminal.
#[derive(Debug, Clone, Copy, Default)]
pub struct DirectHand;

impl Hand for DirectHand {
    fn hold(&mut self, card: &FlowCard) -> Result<Box<dyn CardLink>, Trouble> {
        Ok(Box::new(Link(card.clone())))
    }
}

/// The name of a challenge that there never was.
pub const MADE_UP: &str = "00000000000000000000000000000000";

/// Opens the portal in a browser that has not been there.
type Open<'w> = dyn Fn() -> Box<dyn Visitor<'w> + 'w> + 'w;

/// Everybody in this process.
pub struct InProcess<'w> {
    world: &'w World,
    open: Box<Open<'w>>,
    hand: Box<dyn Hand + 'w>,
    tabs: BTreeMap<String, Tab<'w>>,
    front: String,
    reader: Reader,
    careful: bool,
    last: Option<(ChallengeId, Answer)>,
}

impl<'w> InProcess<'w> {
    /// The cast of `world`, with no tab open and no card held.
    #[must_use]
    pub fn new(world: &'w World, hand: Box<dyn Hand + 'w>) -> Self {
        let open = Box::new(|| Box::new(Browser::open(world.portal())) as Box<dyn Visitor<'w> + 'w>);
        Self {
            world,
            open,
            hand,
            tabs: BTreeMap::new(),
            front: String::new(),
            reader: Reader::Ready,
            careful: false,
            last: None,
        }
    }

    /// The same with visitors that `open` sends to the portal.
    #[must_use]
    pub fn visited_by(self, open: impl Fn() -> Box<dyn Visitor<'w> + 'w> + 'w) -> Self {
        Self { open: Box::new(open), ..self }
    }

    fn clock(&self) -> &'w FlowClock {
        self.world.clock()
    }

    fn tab(&mut self) -> Result<&mut Tab<'w>, Trouble> {
        let front = &self.front;
        self.tabs.get_mut(front).ok_or(Trouble::NotThere(Absent::Tab))
    }

    fn handset(&mut self) -> Result<&mut AnyHandset, Trouble> {
        let Tab { browser, handset } = self.tab()?;
        handset.as_mut().ok_or_else(|| Trouble::NotThere(Absent::Terminal(browser.seen().screen)))
    }

    fn card(&self, whose: Option<&str>) -> Result<FlowCard, Trouble> {
        self.world.wallet().card(whose).map_err(Trouble::no_such_card)
    }

    /// The terminal has brought something back, or not yet.
    fn bring(&mut self, answer: Option<Answer>) -> Result<(), Trouble> {
        let Some(answer) = answer else { return Ok(()) };
        let tab = self.tab()?;
        tab.handset = None;
        let Some(challenge) = tab.browser.request().map(|request| request.challenge) else {
            return Ok(());
        };
        tab.browser.deliver(&challenge, &answer)?;
        self.last = Some((challenge, answer));
        Ok(())
    }

    fn last(&self) -> Result<(ChallengeId, Answer), Trouble> {
        self.last.clone().ok_or(Trouble::NotThere(Absent::FormerAnswer))
    }

    /// Calls the terminal where the screen asks for it, and sends it away where it does not.
    fn call_the_terminal(&mut self) -> Result<(), Trouble> {
        let (platform, clock) = (self.world.platform(), self.clock().of_terminal());
        let phone = if self.careful { Phone::careful } else { Phone::new };
        let tab = self.tab()?;
        tab.handset = tab
            .browser
            .request()
            .map(|request| Handset::new(platform, phone(request.purpose.credential()), request.nonce, clock));
        Ok(())
    }
}

impl Stage for InProcess<'_> {
    fn open(&mut self, name: &str) -> Result<(), Trouble> {
        let browser = match self.tabs.values().next() {
            Some(tab) => self.tabs.get(&self.front).unwrap_or(tab).browser.new_tab(),
            None => (self.open)(),
        };
        self.tabs.insert(name.to_owned(), Tab { browser, handset: None });
        name.clone_into(&mut self.front);
        Ok(())
    }

    fn show(&mut self, name: &str) -> Result<(), Trouble> {
        if !self.tabs.contains_key(name) {
            return Err(Trouble::NotThere(Absent::TabNamed(name.to_owned())));
        }
        name.clone_into(&mut self.front);
        Ok(())
    }

    fn forget_session(&mut self) -> Result<(), Trouble> {
        self.tab()?.browser.forget_session();
        Ok(())
    }

    fn press(&mut self, pressed: Pressable) -> Result<(), Trouble> {
        match button(pressed) {
            Some(button) => {
                self.tab()?.browser.press(button)?;
                self.call_the_terminal()
            }
            None => {
                let handset = self.handset()?;
                let answer = match pressed {
                    Pressable::Confirm if handset.screen() != TerminalScreen::Pin => {
                        return Err(Trouble::NotThere(Absent::PinField(ScreenName::Touch)));
                    }
                    Pressable::Confirm => handset.confirm(),
                    _ => Some(AnyHandset::cancel()),
                };
                self.bring(answer)
            }
        }
    }

    fn tick(&mut self, ticked: bool) -> Result<(), Trouble> {
        self.tab()?.browser.tick(ticked)
    }

    fn enter(&mut self, pin: EnterStep, whose: Option<&str>) -> Result<(), Trouble> {
        let holder = self.card(whose)?.personalised().holder().clone();
        let handset = self.handset()?;
        if handset.screen() != TerminalScreen::Pin {
            return Err(Trouble::NotThere(Absent::PinField(ScreenName::Touch)));
        }
        let credential = handset.credential();
        handset.enter(&typed(&holder, credential, pin));
        Ok(())
    }

    fn hold(&mut self, hold: &HoldStep) -> Result<(), Trouble> {
        let card = self.card(hold.card.as_deref())?;
        card.suffer(&hold.suffering).map_err(Trouble::no_such_card)?;
        self.handset()?.lift();
        let (link, reader) = (self.hand.hold(&card)?, self.reader);
        let answer = self.handset()?.hold(link, reader);
        self.bring(answer)
    }

    fn lift(&mut self) -> Result<(), Trouble> {
        self.handset()?.lift();
        Ok(())
    }

    fn wait(&mut self, time: Duration) -> Result<(), Trouble> {
        self.clock().pass(time);
        let answer = match &mut self.tab()?.handset {
            Some(handset) => handset.look_at_the_clock(),
            None => None,
        };
        self.bring(answer)
    }

    fn terminal(&mut self, step: TerminalStep) -> Result<(), Trouble> {
        match step {
            TerminalStep::NoReader => self.reader = Reader::Missing,
            TerminalStep::ReaderBusy => self.reader = Reader::Busy,
            TerminalStep::ReaderReady => self.reader = Reader::Ready,
            TerminalStep::Careful => self.careful = true,
        }
        Ok(())
    }

    fn deliver(&mut self, delivery: Delivery) -> Result<(), Trouble> {
        match delivery {
            Delivery::Again => {
                let (challenge, answer) = self.last()?;
                self.tab()?.browser.deliver(&challenge, &answer)?;
            }
            Delivery::Elsewhere => {
                let (challenge, answer) = self.last()?;
                let mut elsewhere = (self.open)();
                elsewhere.deliver(&challenge, &answer)?;
                self.tab()?.browser = elsewhere;
            }
            Delivery::Altered => {
                let (challenge, answer) = self.last()?;
                let altered = match answer {
                    Answer::Signed { certificate, mut signature } => {
                        signature.reverse();
                        Answer::Signed { certificate, signature }
                    }
                    failed @ Answer::Failed(_) => failed,
                };
                self.tab()?.browser.deliver(&challenge, &altered)?;
            }
            Delivery::MadeUp => {
                let (_, answer) = self.last()?;
                let made_up = ChallengeId::parse(MADE_UP);
                let made_up = made_up.ok_or(Trouble::NotThere(Absent::Challenge))?;
                self.tab()?.browser.deliver(&made_up, &answer)?;
            }
            Delivery::Replayed => {
                let (_, answer) = self.last()?;
                return self.bring(Some(answer));
            }
            Delivery::OthersCertificate
            | Delivery::SignatureCertificate
            | Delivery::ReplacedCertificate
            | Delivery::FormerSignatureCertificate
            | Delivery::BrokenCertificate => {
                let request = self.tab()?.browser.request();
                let request = request.ok_or(Trouble::NotThere(Absent::Challenge))?;
                let answer = forged(self.world, delivery, &request.nonce)?;
                return self.bring(Some(answer));
            }
        }
        self.tab()?.handset = None;
        Ok(())
    }

    fn operate(&mut self, step: OperatorStep) -> Result<(), Trouble> {
        let portal = self.world.portal();
        match step {
            OperatorStep::CompleteRegistration => {
                for (applicant, _) in portal.applications()? {
                    portal.complete_registration(&applicant)?;
                }
            }
            OperatorStep::BecomeBusy => portal.set_busy(true),
            OperatorStep::BecomeReady => portal.set_busy(false),
            OperatorStep::LoseStatus => self.world.registry().set_unreachable(true),
            OperatorStep::RegainStatus => self.world.registry().set_unreachable(false),
            OperatorStep::ReleaseHold => self.world.registry().release_holds(),
            OperatorStep::RevokeFormerSignature => {
                let former = former_signature(self.world)?;
                let now = self.world.clock().now();
                self.world.registry().revoke(&former.record, Reason::AffiliationChanged, now);
            }
        }
        Ok(())
    }

    fn seen(&mut self) -> Result<Seen, Trouble> {
        let platform = self.world.platform();
        let tab = self.tab()?;
        Ok(match &tab.handset {
            Some(handset) => of_terminal(platform, handset.screen(), handset.credential()),
            None => tab.browser.seen(),
        })
    }

    fn applications(&mut self) -> Result<Vec<Held>, Trouble> {
        let mut held: Vec<Held> = self
            .world
            .portal()
            .applications()?
            .into_iter()
            .map(|(applicant, application)| Held {
                applicant: format!("{applicant:?}"),
                user_registration: application.register_user,
                registered: application.registration == Registration::Complete,
                signature_on_file: application.signature_certificate.is_some(),
            })
            .collect();
        held.sort();
        Ok(held)
    }

    fn tries_left(&mut self, of: PinName) -> Result<u8, Trouble> {
        match self.hand.tries_left(of) {
            Some(told) => told,
            None => Ok(self.card(None)?.tries_left(of)),
        }
    }

    fn miscounted(&mut self) -> Option<Bilingual> {
        self.world.wallet().miscounted()
    }

    fn never_struck(&mut self) -> Vec<Fault> {
        self.world.wallet().never_struck()
    }
}
