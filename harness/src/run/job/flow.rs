//! A flow with a card that is not built in: it lies on the phone, and the portal is ours.

use super::{Job, no_card};
use crate::flow::{self, PeerHand, World};
use crate::language::Bilingual;
use crate::link::{CardLink, LinkError};
use crate::run::judge::Judge;
use crate::run::plan::Plan;
use crate::run::session::{Session, Surroundings};
use crate::run::suite::other_counts;
use crate::run::verdict::{Finding, Verdict};
use crate::scenario::{DEFAULT_HOLDER, FlowSetting, Scenario};
use jiff::Timestamp;
use std::cell::RefCell;
use std::fmt::Display;
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;
use vmyna_sim::card::Personalised;
use vmyna_sim::holder::Holder;
use vmyna_sim::profile::Profile;
use vmyna_sim::smart_card::Power;

/// Why a flow is not played with a card that may be real.
const TEST_CARDS_ONLY: (&str, &str) = (
    "フローのサイトは JPKI-VMYNA-TEST の証明書しか受け付けない",
    "the portal of a flow accepts certificates of JPKI-VMYNA-TEST only",
);

impl Job<'_> {
    /// Plays a flow with the card on the phone: one whose certificates the portal accepts.
    pub(super) fn play_flow(
        &mut self,
        scenario: &Scenario,
        setting: FlowSetting,
        left_undone: &mut Vec<Finding>,
    ) -> Verdict {
        let holder = self.setting.options.holder.clone().or_else(|| Holder::built_in(DEFAULT_HOLDER));
        let Some(holder) = holder else {
            return Verdict::RequirementMissing(no_holder());
        };
        let entered = match flow::on_a_peer(scenario, &holder, self.full) {
            Ok(entered) => entered,
            Err((ja, en)) => return Verdict::NotApplicable(Bilingual::new(ja, en)),
        };
        let Some(mut seat) = self.seat.take() else {
            return Verdict::RequirementMissing(no_card());
        };
        if seat.guarded || seat.judge != Judge::OurIssuer {
            self.seat = Some(seat);
            return Verdict::NotApplicable(Bilingual::new(TEST_CARDS_ONLY.0, TEST_CARDS_ONLY.1));
        }
        if let Some(reason) = other_counts(scenario, self.full) {
            self.seat = Some(seat);
            return Verdict::NotApplicable(reason);
        }
        let plan = Plan::of_entering(&entered);
        let now = Timestamp::now();
        let personalised = Personalised::new(holder, Profile::card(), now);
        let world = personalised.map_err(|error| no_world(&error)).and_then(|personalised| {
            let world = World::around(scenario, setting, Arc::new(personalised), now);
            world.map_err(|error| no_world(&error))
        });
        let world = match world {
            Ok(world) => world,
            Err(reason) => {
                self.seat = Some(seat);
                return Verdict::RequirementMissing(reason);
            }
        };
        let Ok(own) = world.wallet().card(None) else {
            return Verdict::RequirementMissing(no_holder());
        };
        let holder = own.personalised().holder();
        match seat.prepare(scenario, &plan, holder, self.full, true) {
            Ok(None) => {}
            Ok(Some(missing)) => {
                self.seat = Some(seat);
                return Verdict::RequirementMissing(missing);
            }
            Err(error) => return Verdict::LinkLost { position: None, reason: error.in_words() },
        }
        let link = Rc::new(RefCell::new(seat.link));
        let verdict = {
            let surroundings = Surroundings {
                requirements: self.setting.conduct.requirements,
                holder,
                trust: self.setting.conduct.trust,
                judge: seat.judge,
                now: SystemTime::now(),
            };
            let mut stage = flow::InProcess::new(&world, Box::new(PeerHand::of(link.clone())));
            // Steps of flows have the card by the stage.
            let mut nowhere = Nowhere;
            let session = Session::new(&mut nowhere, surroundings)
                .with_tries(self.full)
                .recording(self.recorder.clone());
            let mut session = session.on(&mut stage);
            let verdict = session.play(scenario);
            *left_undone = session.left_undone();
            verdict
        };
        let Some(link) = Rc::into_inner(link).map(RefCell::into_inner) else {
            return verdict;
        };
        seat.link = link;
        let accounted = seat.account(scenario, &plan, self.full);
        self.seat = Some(seat);
        match (verdict, accounted) {
            (Verdict::Passed { observations }, Ok(Some(finding))) => {
                Verdict::Failed { finding: Box::new(finding), observations }
            }
            (verdict, Err(_)) => {
                self.seat = None;
                verdict
            }
            (verdict, _) => verdict,
        }
    }
}

fn no_holder() -> Bilingual {
    Bilingual::new("名義人がない", "there is no holder")
}

/// What a flow is played with cannot be made.
fn no_world(error: &dyn Display) -> Bilingual {
    Bilingual::new(format!("フローの場を用意できない: {error}"), error.to_string())
}

/// No card at all.
struct Nowhere;

impl CardLink for Nowhere {
    fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
        Ok(Vec::new())
    }

    fn power(&mut self, _: Power) -> Result<(), LinkError> {
        Ok(())
    }

    fn transmit(&mut self, _: &[u8]) -> Result<Vec<u8>, LinkError> {
        Err(LinkError::Lost(no_card()))
    }
}
