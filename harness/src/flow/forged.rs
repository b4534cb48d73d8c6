//! Answers to an open challenge that no portal may accept: well made, but of the wrong key or
//! certificate.

use super::stage::Trouble;
use super::world::{World, personalised};
use crate::portal::Answer;
use crate::scenario::{DEFAULT_HOLDER, Delivery};
use vmyna_sim::issue::superseded;

/// What `delivery` brings for a challenge with this `nonce`.
///
/// # Errors
/// The holder's card does not have what it takes.
pub fn forged(world: &World, delivery: Delivery, nonce: &[u8; 32]) -> Result<Answer, Trouble> {
    let here = |error: &dyn std::fmt::Display| Trouble::NotHere(error.to_string());
    let missing = |what: &str| Trouble::NotHere(format!("the holder has no {what}"));
    let own = world.wallet().card(None).map_err(|error| here(&error))?;
    let issued = own.personalised().issued();
    let (key, certificate) = match delivery {
        Delivery::SignatureCertificate => {
            let certified =
                issued.digital_signature.as_ref().ok_or_else(|| missing("signature certificate"))?;
            (certified.key.clone(), certified.certificate.clone())
        }
        Delivery::ReplacedCertificate => {
            let before = superseded(own.personalised().holder(), world.clock().now()).ok().flatten();
            let before = before.ok_or_else(|| missing("certificate from before a renewal"))?;
            world.registry().enrol(before.user_authentication.record.clone());
            (before.user_authentication.key, before.user_authentication.certificate)
        }
        _ => {
            let names = ["taro", DEFAULT_HOLDER];
            let holder = own.personalised().holder().id();
            let other = names.into_iter().find(|name| *name != holder).unwrap_or(DEFAULT_HOLDER);
            let other = personalised(other).map_err(|error| here(&error))?;
            let certificate = other.issued().user_authentication.certificate.clone();
            (issued.user_authentication.key.clone(), certificate)
        }
    };
    let signature = key.sign_message(nonce).map_err(|error| Trouble::Broken(error.to_string()))?;
    Ok(Answer::Signed { certificate, signature })
}
