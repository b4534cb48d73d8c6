//! Answers to an open challenge that no portal may accept: well made, but of the wrong key or
//! certificate.

use super::card::personalised;
use super::stage::Trouble;
use super::world::World;
use crate::language::Bilingual;
use crate::portal::Answer;
use crate::scenario::{DEFAULT_HOLDER, Delivery};
use jiff::ToSpan;
use vmyna_sim::issue::{CertifiedKey, issue, superseded};

/// What `delivery` brings for a challenge with this `nonce`.
///
/// # Errors
/// The holder's card does not have what it takes.
pub fn forged(world: &World, delivery: Delivery, nonce: &[u8; 32]) -> Result<Answer, Trouble> {
    let missing = |ja: &str, en: &str| Trouble::NotHere(Bilingual::new(ja, en));
    let own = world.wallet().card(None).map_err(Trouble::no_such_card)?;
    let issued = own.personalised().issued();
    let (key, certificate) = match delivery {
        Delivery::SignatureCertificate => {
            let certified = issued.digital_signature.as_ref().ok_or_else(|| {
                missing("名義人に署名用電子証明書がない", "the holder has no signature certificate")
            })?;
            (certified.key.clone(), certified.certificate.clone())
        }
        Delivery::ReplacedCertificate => {
            let before = superseded(own.personalised().holder(), world.clock().now()).ok().flatten();
            let before = before.ok_or_else(|| {
                missing(
                    "名義人に更新前の電子証明書がない",
                    "the holder has no certificate from before a renewal",
                )
            })?;
            world.registry().enrol(before.user_authentication.record.clone());
            (before.user_authentication.key, before.user_authentication.certificate)
        }
        Delivery::FormerSignatureCertificate => {
            let former = former_signature(world)?;
            world.registry().enrol(former.record);
            (former.key, former.certificate)
        }
        Delivery::BrokenCertificate => {
            let mut certificate = issued.user_authentication.certificate.clone();
            certificate.truncate(certificate.len() / 2);
            (issued.user_authentication.key.clone(), certificate)
        }
        _ => {
            let names = ["taro", DEFAULT_HOLDER];
            let holder = own.personalised().holder().id();
            let other = names.into_iter().find(|name| *name != holder).unwrap_or(DEFAULT_HOLDER);
            let other = personalised(other).map_err(Trouble::no_such_card)?;
            let certificate = other.issued().user_authentication.certificate.clone();
            (issued.user_authentication.key.clone(), certificate)
        }
    };
    let signature = key.sign_message(nonce).map_err(Trouble::broken)?;
    Ok(Answer::Signed { certificate, signature })
}

/// The signature certificate that the holder had before the last birthday, with its key.
///
/// # Errors
/// The holder had none.
pub(super) fn former_signature(world: &World) -> Result<CertifiedKey, Trouble> {
    let own = world.wallet().card(None).map_err(Trouble::no_such_card)?;
    let then = world.clock().now().checked_sub((366 * 24).hours());
    let issued = then.ok().and_then(|then| issue(own.personalised().holder(), then).ok());
    let current = own.personalised().issued().digital_signature.as_ref();
    let is_another = |former: &CertifiedKey| {
        current.is_none_or(|current| current.record.serial_number != former.record.serial_number)
    };
    let former = issued.and_then(|issued| issued.digital_signature).filter(is_another);
    former.ok_or_else(|| {
        Trouble::NotHere(Bilingual::new(
            "名義人に以前の署名用電子証明書がない",
            "the holder had no signature certificate before",
        ))
    })
}
