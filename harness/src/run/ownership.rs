//! Whose card it is, and what may be presented to it.

use super::peer_source::PeerOptions;
use super::plan::Plan;
use crate::link::{CardLink, KnownPin, LinkError, Refused};
use crate::terminal;
use crate::terminal::{PinChoice, ReadStyle};
use crate::verify::Certificate;
use std::collections::BTreeMap;
use vmyna_sim::apdu::ResponseApdu;
use vmyna_sim::holder::Holder;
use vmyna_sim::pin::PinName;

/// What the guard would refuse of a scenario.
pub(super) fn refusal(plan: &Plan, options: &PeerOptions) -> Option<Refused> {
    let known = |pin: &PinName| options.holder.as_ref().is_some_and(|holder| holder.states(*pin));
    let presented = plan.pins.iter().filter(|(_, usage)| usage.right + usage.wrong > 0 || usage.changed);
    let all_known = presented.map(|(pin, _)| pin).all(known);
    plan.refusal(options.consent, all_known)
}

/// What the guard may present: only what the user wrote down. A value that a holder's file leaves to
/// its default would be a guess at somebody's card.
#[must_use]
pub fn known_pins(holder: &Holder) -> BTreeMap<PinName, KnownPin> {
    let known = |pin| KnownPin {
        right: terminal::pin_value(holder, pin, PinChoice::Right),
        new: terminal::pin_value(holder, pin, PinChoice::New),
    };
    PinName::ALL.into_iter().filter(|pin| holder.states(*pin)).map(|pin| (pin, known(pin))).collect()
}

/// Whether the card's authentication certificate was issued by `JPKI-VMYNA-TEST`. A card that does not
/// let it be read is somebody else's.
///
/// # Errors
/// [`LinkError`] when the card cannot be reached.
pub fn is_ours(link: &mut dyn CardLink) -> Result<bool, LinkError> {
    Ok(read_user_authentication_certificate(link)?.is_some_and(|certificate| certificate.is_ours()))
}

/// EF 000A, which everybody may read; `None` where it does not hold a certificate.
pub(super) fn read_user_authentication_certificate(
    link: &mut dyn CardLink,
) -> Result<Option<Certificate>, LinkError> {
    const EF: u16 = 0x000A;
    let style = ReadStyle::Header4;
    link.transmit(&terminal::select_application(&terminal::JPKI_AID))?;
    link.transmit(&terminal::select_file(EF))?;
    let mut read =
        |read: terminal::Read| link.transmit(&terminal::read_binary(None, read.offset, read.le, false));
    let header = read(style.header())?;
    let Some(length) = terminal::der_length(&header) else { return Ok(None) };
    let mut der = Vec::new();
    for block in style.body(length) {
        let answer = read(block)?;
        der.extend(ResponseApdu::try_from(&answer[..]).map_or(&[][..], |response| response.data));
    }
    Ok(Certificate::parse(&der).ok())
}
