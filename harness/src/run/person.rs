//! What a scenario asks of the person whose card it is played on. One that is told of an ordinary card says
//! little of the card of somebody who has no certificate for signatures, an expired one, or few tries left.

use super::plan::Plan;
use crate::language::{Bilingual, Language};
use crate::scenario::{Scenario, pin_in_words};
use jiff::Timestamp;
use vmyna_sim::card::Personalised;
use vmyna_sim::holder::Holder;
use vmyna_sim::pin::PinName;

/// Why `scenario`, of which `plan` is the plan, needs another card than this one; `None` where the card will
/// do, or where the scenario is about this very person.
pub(super) fn unmet_by(
    scenario: &Scenario,
    plan: &Plan,
    card: &Personalised,
    now: Timestamp,
) -> Option<Bilingual> {
    if is_about(scenario, card.holder()) {
        return None;
    }
    certificates(scenario, plan, card, now).or_else(|| counters(scenario, plan, card))
}

fn is_about(scenario: &Scenario, holder: &Holder) -> bool {
    Holder::built_in(&scenario.holder).is_some_and(|named| is_same(&named, holder))
}

fn signs(plan: &Plan) -> bool {
    plan.reliance.signature_certificate || plan.pins.contains_key(&PinName::DigitalSignature)
}

/// The same of the certificates alone: the counters of a card that is not built in are what it says they are.
pub(super) fn certificates_unmet_by(
    scenario: &Scenario,
    plan: &Plan,
    card: &Personalised,
    now: Timestamp,
) -> Option<Bilingual> {
    if is_about(scenario, card.holder()) { None } else { certificates(scenario, plan, card, now) }
}

fn certificates(scenario: &Scenario, plan: &Plan, card: &Personalised, now: Timestamp) -> Option<Bilingual> {
    let signs = signs(plan);
    if signs && card.issued().digital_signature.is_none() {
        return Some(Bilingual::new(
            "このカードには署名用電子証明書がない",
            "the card has no certificate for digital signature",
        ));
    }
    if scenario.flow.is_some() && card.holder().state.renewed {
        return Some(Bilingual::new(
            "このカードの電子証明書は更新されたばかりで、まだ使えない",
            "the certificates on this card have just been renewed, and are not known everywhere yet",
        ));
    }
    if plan.reliance.in_force { not_in_force(card, signs, now) } else { None }
}

fn counters(scenario: &Scenario, plan: &Plan, card: &Personalised) -> Option<Bilingual> {
    let of_flow = |pin| {
        scenario.flow.is_some()
            && (pin == PinName::UserAuthentication || signs(plan) && pin == PinName::DigitalSignature)
    };
    PinName::ALL.into_iter().filter(|pin| !scenario.given.contains_key(pin)).find_map(|pin| {
        let (left, full) = (card.tries_at_issue(pin), card.profile().tries.of(pin));
        let wanted = match plan.pins.get(&pin) {
            _ if of_flow(pin) => full,
            Some(usage) if usage.wrong > 0 || usage.asked || usage.counted => full,
            Some(_) => left.max(1),
            None => left,
        };
        (left != wanted).then(|| {
            Bilingual::new(
                format!("{}は残り {left} 回で、{wanted} 回が必要", pin_in_words(pin, Language::Ja)),
                format!("{pin} has {left} left, and {wanted} would be needed"),
            )
        })
    })
}

fn not_in_force(card: &Personalised, signs: bool, now: Timestamp) -> Option<Bilingual> {
    let holder = card.holder();
    let authentication =
        (&card.issued().user_authentication, Some(holder.state.certificates.user_authentication));
    let signature =
        card.issued().digital_signature.as_ref().map(|pair| (pair, holder.signature_certificate(now)));
    let mut relied_on = [Some(authentication), signature.filter(|_| signs)].into_iter().flatten();
    relied_on
        .any(|(pair, state)| {
            let validity = pair.record.validity;
            state.is_some_and(|state| state.revocation().is_some())
                || !(validity.not_before..=validity.not_after).contains(&now)
        })
        .then(|| {
            Bilingual::new(
                "このカードの電子証明書は有効でなく (期限切れ、失効、一時停止など)、有効なものが必要",
                "the certificate on this card is not in force (expired, revoked, on hold…), and one in force would be needed",
            )
        })
}

/// A file may have the name of somebody who is built in, and is another person all the same.
pub(super) fn is_same(named: &Holder, holder: &Holder) -> bool {
    named.id() == holder.id() && named.title == holder.title
}
