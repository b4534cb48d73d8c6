//! What an exchange is: whether a right card does it, refuses it, or may do either; and what is
//! special about it.

use super::{Flag, Verdict};
use crate::diff::is_random;
use crate::link::Selection;
use crate::requirement::{Level, Requirements};
use crate::scenario::{StatusExpectation, Verb};
use std::collections::BTreeSet;
use vmyna_sim::apdu::{CommandApdu, ResponseApdu, Status};
use vmyna_sim::holder::Holder;
use vmyna_sim::undocumented::Situation;

/// What the step that an exchange belongs to says of it.
pub(super) struct Step<'a> {
    pub verb: &'a Verb,
    /// the requirements that it proves
    pub covers: &'a [String],
}

/// The verdict on an exchange, its flags, and the statuses that would not surprise.
pub(super) struct Judged {
    pub result: Verdict,
    pub flags: BTreeSet<Flag>,
    pub accepted: Vec<String>,
}

/// Judges one exchange. `is_last` says that it is the one that the step's expectation is about;
/// `selection` is what was selected before it.
pub(super) fn judge(
    step: &Step<'_>,
    is_last: bool,
    command: &[u8],
    answer: &[u8],
    selection: &Selection,
    holder: &Holder,
    requirements: &Requirements,
) -> Judged {
    let status =
        ResponseApdu::try_from(answer).map_or(Status::NoPreciseDiagnosis, |response| response.status);
    let mut flags = BTreeSet::new();
    let mut accepted = Vec::new();
    let situation = if is_last { situation(step.verb) } else { None };
    if let Some(situation) = situation {
        flags.insert(Flag::Undocumented);
        let of = requirements.iter().find(|of| of.situation.as_deref() == Some(situation.name()));
        accepted = of.map(|of| of.accepted.clone()).unwrap_or_default();
    }
    let is_must = |id: &String| requirements.get(id).is_some_and(|of| of.level == Level::Must);
    if is_last && situation.is_none() && !step.covers.iter().any(is_must) {
        flags.insert(Flag::Observed);
    }
    let result = match status {
        _ if !flags.is_empty() => Verdict::Acceptable,
        Status::Success => Verdict::Valid,
        // The answer to a question, not a refusal.
        Status::TriesLeft(_) if is_question(command) => Verdict::Valid,
        _ => Verdict::Invalid,
    };
    if is_random(command) {
        flags.insert(Flag::Random);
    }
    if answer.len() > 2 && matches!(command.get(1), Some(0xB0 | 0xB2 | 0xCA | 0x2A | 0x88)) {
        flags.insert(Flag::Personal);
    }
    flags.extend(pin_flag(command, selection, holder));
    if matches!(
        status,
        Status::ReferencedIefBlocked | Status::AuthenticationMethodBlocked | Status::TriesLeft(0)
    ) {
        flags.insert(Flag::Blocked);
    }
    Judged { result, flags, accepted }
}

fn is_question(command: &[u8]) -> bool {
    CommandApdu::parse(command).is_ok_and(|apdu| apdu.ins() == 0x20 && apdu.data().is_empty())
}

fn pin_flag(command: &[u8], selection: &Selection, holder: &Holder) -> Option<Flag> {
    let apdu = CommandApdu::parse(command).ok().filter(|apdu| !apdu.data().is_empty())?;
    // What an encrypted command holds does not show.
    if apdu.cla() & 0x0C != 0 {
        return None;
    }
    match apdu.ins() {
        0x20 => {
            let right = selection.pin(apdu.p2()).map(|pin| crate::terminal::own_pin(holder, pin));
            let right = right.is_some_and(|right| right.matches(apdu.data()));
            Some(if right { Flag::PinRight } else { Flag::PinWrong })
        }
        0x24 | 0x32 => Some(Flag::PinChanged),
        _ => None,
    }
}

/// What the step's expectation leaves open because nobody outside knows.
fn situation(verb: &Verb) -> Option<Situation> {
    match verb.action().expects()?.status {
        StatusExpectation::Undocumented(situation) => Some(situation),
        _ => None,
    }
}
