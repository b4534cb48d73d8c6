//! Everything that a flow is played with besides its stage: the clock, the authority, the portal, and
//! the holders' cards.

use super::card::{Wallet, personalised};
use super::clock::{BEGINNING, FlowClock};
use super::status::Registry;
use crate::portal::status::StatusSource;
use crate::portal::{
    Checker, Lives, Portal, Randomness, SetUpError, Store, built_in_anchors, built_in_signature_anchors,
    seeded_randomness,
};
use crate::scenario::{FlowSetting, Scenario, Trusts};
use crate::terminal::Platform;
use crate::verify::Certificate;
use jiff::Timestamp;
use std::sync::Arc;
use thiserror::Error;
use vmyna_sim::card::{PersonalisationError, Personalised};
use vmyna_sim::pki::PkiError;
use vmyna_sim::profile::Profile;

/// Why there is no world.
#[derive(Debug, Error)]
pub enum WorldError {
    /// a card could not be made
    #[error(transparent)]
    Card(#[from] PersonalisationError),
    /// the portal could not be set up
    #[error(transparent)]
    Portal(#[from] SetUpError),
    /// the authorities' keys cannot be used
    #[error(transparent)]
    Pki(#[from] PkiError),
}

/// What a portal is made of.
pub struct Parts {
    /// the authorities that it trusts
    pub anchors: Vec<Certificate>,
    /// the same for signature certificates
    pub signature_anchors: Vec<Certificate>,
    /// whom it asks about certificates
    pub status: Box<dyn StatusSource>,
    /// the flow's clock
    pub clock: FlowClock,
    /// what its challenges are drawn from
    pub randomness: Randomness,
    /// how long its challenges are good
    pub lives: Lives,
}

impl Parts {
    /// The right portal, with its state in memory.
    ///
    /// # Errors
    /// None is known.
    pub fn portal(self) -> Result<Portal, SetUpError> {
        let Self { anchors, signature_anchors, status, clock, randomness, lives } = self;
        let store = Store::in_memory()?;
        Ok(Portal::new(
            store,
            Checker::new(anchors, status).with_signatures_of(signature_anchors),
            Box::new(move || clock.now()),
            randomness,
            lives,
        ))
    }
}

/// The world of one flow.
pub struct World {
    setting: FlowSetting,
    holder: String,
    clock: FlowClock,
    registry: Registry,
    portal: Arc<Portal>,
    wallet: Wallet,
}

impl World {
    /// The world of `scenario`, which must be a flow, with the built-in holders.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn of(scenario: &Scenario, setting: FlowSetting) -> Result<Self, WorldError> {
        Self::around(scenario, setting, personalised(&scenario.holder)?, BEGINNING)
    }

    /// The world of `scenario` with the card `personalised`. Built-in holders live at the flows' own
    /// time; anybody else's card is as of now.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn with_card(
        scenario: &Scenario,
        setting: FlowSetting,
        personalised: &Arc<Personalised>,
    ) -> Result<Self, WorldError> {
        if personalised.holder().id() == scenario.holder && *personalised.profile() == Profile::card() {
            Self::of(scenario, setting)
        } else {
            Self::around(scenario, setting, personalised.clone(), Timestamp::now())
        }
    }

    /// The same with another card in the holder's hand, at `now`.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn around(
        scenario: &Scenario,
        setting: FlowSetting,
        personalised: Arc<Personalised>,
        now: Timestamp,
    ) -> Result<Self, WorldError> {
        Self::before(scenario, setting, personalised, now, Parts::portal)
    }

    /// The same before another portal, which `make` puts together: a wrong one, to see who notices.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn before(
        scenario: &Scenario,
        setting: FlowSetting,
        personalised: Arc<Personalised>,
        now: Timestamp,
        make: impl FnOnce(Parts) -> Result<Portal, SetUpError>,
    ) -> Result<Self, WorldError> {
        let now = setting
            .after_expiry
            .map_or(now, |after| expiry(&personalised).saturating_add(after).unwrap_or(now));
        let (clock, registry) = (FlowClock::at(now), Registry::default());
        let parts = Parts {
            anchors: anchors(setting.trusts, now)?,
            signature_anchors: built_in_signature_anchors(now)?,
            status: Box::new(registry.clone()),
            clock: clock.clone(),
            randomness: seeded_randomness(1),
            lives: Lives::default(),
        };
        let portal = make(parts)?;
        let mut pins = personalised.fresh_state();
        for (pin, tries) in &scenario.given {
            pins.get_mut(*pin).tries_left = *tries;
        }
        let wallet = Wallet::with(&scenario.holder, personalised, pins, &clock, &registry);
        let holder = scenario.holder.clone();
        Ok(Self { setting, holder, clock, registry, portal: Arc::new(portal), wallet })
    }

    /// Whose flow it is.
    #[must_use]
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// What the holder has in hand.
    #[must_use]
    pub const fn platform(&self) -> Platform {
        self.setting.platform
    }

    /// The clock that everybody looks at.
    #[must_use]
    pub const fn clock(&self) -> &FlowClock {
        &self.clock
    }

    /// The authority's word on certificates.
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The relying party.
    #[must_use]
    pub const fn portal(&self) -> &Arc<Portal> {
        &self.portal
    }

    /// Everybody's cards.
    #[must_use]
    pub const fn wallet(&self) -> &Wallet {
        &self.wallet
    }
}

fn expiry(personalised: &Personalised) -> Timestamp {
    personalised.issued().user_authentication.record.validity.not_after
}

/// The certificates of the authorities that the portal trusts.
fn anchors(trusts: Trusts, now: Timestamp) -> Result<Vec<Certificate>, PkiError> {
    let mut anchors = match trusts {
        Trusts::Others => return built_in_signature_anchors(now),
        _ => built_in_anchors(now)?,
    };
    match trusts {
        Trusts::OldestFirst => anchors.reverse(),
        Trusts::Newest => anchors.truncate(1),
        Trusts::SignatureAuthority => anchors.extend(built_in_signature_anchors(now)?),
        Trusts::NewestFirst | Trusts::Others => {}
    }
    Ok(anchors)
}
