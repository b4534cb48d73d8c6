//! Of which profile a card is, as far as that can be seen from outside: by the label of its token and
//! the algorithm of its keys.

use crate::language::{Bilingual, Language};
use crate::scenario::Scenario;
use crate::verify::{Certificate, Curve, PublicKey};
use std::sync::LazyLock;
use vmyna_sim::key::Algorithm;
use vmyna_sim::profile::{CertificateAccess, Profile};

/// What can be seen of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kind {
    /// the first field of EF 0006, without padding
    pub label: String,
    /// of the key in the certificate for user authentication; `None` where that cannot be read freely
    pub algorithm: Option<Algorithm>,
}

impl Kind {
    /// Of the cards of `profile`.
    pub(super) fn of(profile: &Profile) -> Self {
        let is_free = profile.user_authentication_certificate == CertificateAccess::Free;
        let algorithm = is_free.then_some(profile.certificates.algorithm);
        Self { label: profile.token_label.clone(), algorithm }
    }

    /// The built-in profile whose cards are of this kind.
    pub(super) fn profile(&self) -> Option<&'static Profile> {
        static KINDS: LazyLock<Vec<(Kind, Profile)>> = LazyLock::new(|| {
            let profiles = Profile::built_in_names().filter_map(Profile::built_in);
            profiles.map(|profile| (Kind::of(&profile), profile)).collect()
        });
        KINDS.iter().find(|(kind, _)| kind == self).map(|(_, profile)| profile)
    }

    /// A card of no known kind is held to be the physical card, and a wrong one.
    pub(super) fn or_the_card(self) -> Self {
        if self.profile().is_some() { self } else { Self::of(&Profile::card()) }
    }

    /// Why a scenario is not about a card of this kind; `None` where it is.
    pub(super) fn is_not_meant_by(&self, scenario: &Scenario) -> Option<Bilingual> {
        let name = scenario.profile.as_ref()?;
        let meant = Self::of(&Profile::built_in(name)?);
        (meant != *self).then(|| {
            let (told, here) = (meant.in_words(Language::Ja), self.in_words(Language::Ja));
            Bilingual::new(
                format!("プロファイル {name} のカード ({told}) についてのシナリオで、このカードは {here}"),
                format!(
                    "it is about cards of the profile {name} ({}), not about {}",
                    meant.in_words(Language::En),
                    self.in_words(Language::En)
                ),
            )
        })
    }

    fn in_words(&self, language: Language) -> String {
        let (ja, en) = match self.algorithm {
            Some(Algorithm::Rsa2048) => ("RSA の鍵", "RSA keys"),
            Some(Algorithm::EcdsaP384) => ("P-384 の鍵", "keys on P-384"),
            Some(Algorithm::EcdsaP256) => ("P-256 の鍵", "keys on P-256"),
            None => ("暗証番号で守られた証明書", "its certificate behind a PIN"),
        };
        let label = match self.label.as_str() {
            "" => language.say("ラベルなし", "no label"),
            label => label,
        };
        match language {
            Language::Ja => format!("{label}、{ja}"),
            Language::En => format!("{label} with {en}"),
        }
    }
}

/// The algorithm of the key in `certificate`, if it is one that cards have.
pub(super) fn algorithm(certificate: &Certificate) -> Option<Algorithm> {
    Some(match certificate.key().ok()? {
        PublicKey::Rsa(_) => Algorithm::Rsa2048,
        PublicKey::Elliptic(key) => match key.curve() {
            Curve::P256 => Algorithm::EcdsaP256,
            Curve::P384 => Algorithm::EcdsaP384,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requirement::Requirements;
    use crate::scenario;

    fn scenario(profile: &str) -> Scenario {
        let text =
            format!("id: a\ntitle: {{ja: あ, en: a}}\ncovers: [PIN-01]\n{profile}steps:\n  - power: cycle\n");
        scenario::parse_for_test(&text, &Requirements::built_in())
    }

    #[test]
    fn a_scenario_without_a_profile_is_about_any_card() {
        for name in Profile::built_in_names() {
            let kind = Kind::of(&Profile::built_in(name).unwrap());
            assert_eq!(kind.is_not_meant_by(&scenario("")), None, "{name}");
            assert_eq!(kind.is_not_meant_by(&scenario(&format!("profile: {name}\n"))), None, "{name}");
        }
    }

    #[test]
    fn label_and_algorithm_tell_the_profiles_apart() {
        let kind = |name| Kind::of(&Profile::built_in(name).unwrap());
        for (card, meant) in
            [("card", "android"), ("iphone", "android"), ("card", "next-generation"), ("juki-card", "card")]
        {
            let why = kind(card).is_not_meant_by(&scenario(&format!("profile: {meant}\n")));
            assert!(why.is_some_and(|why| why.en.contains(meant)), "{card} {meant}");
        }
        assert_eq!(kind("contactless").is_not_meant_by(&scenario("profile: card\n")), None);
        let unheard_of = Kind { label: "JPKIAPICCTOKEN9".to_owned(), algorithm: Some(Algorithm::Rsa2048) };
        assert!(unheard_of.is_not_meant_by(&scenario("profile: card\n")).is_some());
        let a_wrong_card = unheard_of.or_the_card();
        assert_eq!(a_wrong_card.is_not_meant_by(&scenario("profile: card\n")), None);
        assert!(a_wrong_card.is_not_meant_by(&scenario("profile: android\n")).is_some());
        assert_eq!(kind("iphone").or_the_card(), kind("iphone"));
    }
}
