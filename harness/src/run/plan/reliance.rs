//! What a scenario takes for granted of the card as it is issued today. A card of a profile in which that
//! is otherwise is no wrong card: the scenario does not apply to it.

use crate::language::{Bilingual, Language};
use crate::scenario::pin_in_words;
use std::collections::BTreeSet;
use std::sync::LazyLock;
use vmyna_sim::apdu::Status;
use vmyna_sim::key::Algorithm;
use vmyna_sim::pin::PinName;
use vmyna_sim::profile::{CertificateAccess, Profile};

/// The tag under which a card tells the answer to reset of its contacts.
pub(super) const STORED_ANSWER_TO_RESET: u16 = 0x5F51;

/// What a scenario relies on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reliance {
    /// applications that it selects, and expects to be there
    pub applications: BTreeSet<&'static str>,
    /// PINs whose values or counters it is about
    pub pins: BTreeSet<PinName>,
    /// it reads the certificate for user authentication before the PIN of that is verified
    pub free_certificate: bool,
    /// the certificates of the card must be in force
    pub in_force: bool,
    /// there must be a certificate for digital signature
    pub signature_certificate: bool,
    /// it has JPKI sign with RSA, or expects such a key
    pub rsa: bool,
    /// it says what the label of the token is
    pub token_label: bool,
    /// it says with which of the two published statuses a blocked PIN answers
    pub blocked_status: Option<Status>,
    /// it says what the answer to reset is
    pub answer_to_reset: bool,
    /// it says what the card tells of the answer to reset of its contacts
    pub stored_answer_to_reset: bool,
}

static CARD: LazyLock<Profile> = LazyLock::new(Profile::card);

impl Reliance {
    /// Why cards of `profile` are otherwise, in the first thing in which they are.
    #[must_use]
    pub fn unmet_by(&self, profile: &Profile) -> Option<Bilingual> {
        let lacking = |name: &&&'static str| !profile.applications.contains(name);
        if let Some(name) = self.applications.iter().find(lacking) {
            return Some(no_application(name));
        }
        if self.free_certificate && profile.user_authentication_certificate != CertificateAccess::Free {
            return Some(Bilingual::new(
                "利用者証明用電子証明書を暗証番号なしで読むが、このカードでは暗証番号が必要",
                "it reads the certificate for user authentication without its PIN, which this card asks for",
            ));
        }
        if self.rsa && profile.certificates.algorithm != Algorithm::Rsa2048 {
            return Some(Bilingual::new(
                "RSA の鍵についてのシナリオで、このカードの鍵は RSA ではない",
                "it is about RSA keys, and this card has others",
            ));
        }
        if let Some(reason) = self.pins.iter().find_map(|pin| no_such_pin(*pin, profile)) {
            return Some(reason);
        }
        if let Some(told) = self.blocked_status.filter(|told| *told != profile.blocked_status) {
            let [told, here] = [told, profile.blocked_status].map(u16::from);
            return Some(Bilingual::new(
                format!(
                    "ロックされた暗証番号の応答は {told:04X} とするシナリオで、このプロファイルでは {here:04X}"
                ),
                format!(
                    "it says that a blocked PIN answers {told:04X}, and in this profile it is {here:04X}"
                ),
            ));
        }
        if self.token_label && profile.token_label != CARD.token_label {
            return Some(Bilingual::new(
                format!(
                    "トークンのラベルについてのシナリオで、このプロファイルのラベルは {}",
                    profile.token_label
                ),
                format!(
                    "it is about the label of the token, and in this profile that is {}",
                    profile.token_label
                ),
            ));
        }
        let another_answer = self.answer_to_reset && profile.atr != CARD.atr;
        let another_stored = self.stored_answer_to_reset && profile.stored_atr != CARD.stored_atr;
        (another_answer || another_stored).then(|| {
            Bilingual::new(
                "接触型カードのリセット応答についてのシナリオで、このプロファイルのものは異なる",
                "it is about the answer to reset of the card on its contacts, and this profile has another",
            )
        })
    }
}

/// Why a scenario about an application that a card does not have does not apply to it.
pub(in crate::run) fn no_application(name: &str) -> Bilingual {
    Bilingual::new(
        format!("このカードにはアプリケーション {name} がない"),
        format!("the card has no application {name}"),
    )
}

/// Why cards of `profile` do not have `pin` as the card has it: its right value is another there.
pub(in crate::run) fn no_such_pin(pin: PinName, profile: &Profile) -> Option<Bilingual> {
    let is_code = matches!(pin, PinName::TextCodeA | PinName::TextCodeB);
    let other = profile.shared_pins.behind(pin);
    let name = pin_in_words(pin, Language::Ja);
    if other != CARD.shared_pins.behind(pin) {
        let other_name = pin_in_words(other, Language::Ja);
        Some(Bilingual::new(
            format!("このカードでは{name}は独立した番号ではなく、{other_name}と同じもの"),
            format!("on this card {pin} is no PIN of its own: it is {other}"),
        ))
    } else if is_code && profile.verification_codes != CARD.verification_codes {
        Some(Bilingual::new(
            format!("このカードでは{name}の作り方が異なる"),
            format!("on this card {pin} is made otherwise"),
        ))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requirement::Requirements;
    use crate::run::plan::Plan;
    use crate::scenario;

    fn unmet(steps: &str, profile: &str) -> Option<String> {
        let text = format!("id: a\ntitle: {{ja: あ, en: a}}\ncovers: [PIN-01]\nsteps:\n{steps}");
        let scenario = scenario::parse_for_test(&text, &Requirements::built_in());
        let profile = Profile::built_in(profile).unwrap();
        Plan::of(&scenario, profile.tries).reliance.unmet_by(&profile).map(|why| why.en)
    }

    #[test]
    fn every_scenario_applies_to_the_card() {
        let requirements = Requirements::built_in();
        let card = Profile::card();
        for scenario in scenario::built_in(&requirements) {
            if scenario.profile.is_none() {
                let reliance = Plan::of(&scenario, card.tries).reliance;
                assert_eq!(reliance.unmet_by(&card), None, "{}", scenario.id);
            }
        }
    }

    #[test]
    fn a_certificate_that_is_read_freely_is_not_that_of_a_phone() {
        let jpki = "  - select: jpki\n";
        let pin = "  - verify: {pin: user_authentication, value: right}\n";
        for read in [
            "  - certificate: {of: user_authentication}\n",
            "  - read_binary: {sfi: 0x0A, offset: 0, le: 4}\n",
            "  - select: {file: \"000A\"}\n  - read_binary: {offset: 0, le: 4}\n",
            "  - read_file: {file: \"000A\"}\n",
            "  - transmit: {apdu: \"00 B0 8A 00 04\", expect: {sw: \"9000\"}}\n",
        ] {
            let free = unmet(&format!("{jpki}{read}"), "android");
            assert!(free.is_some_and(|why| why.contains("without its PIN")), "{read}");
            assert_eq!(unmet(&format!("{jpki}{pin}{read}"), "android"), None, "{read}");
            let again = unmet(&format!("{jpki}{pin}  - power: cycle\n{jpki}{read}"), "android");
            assert!(again.is_some(), "power forgets the PIN: {read}");
        }
        let refused = "  - read_binary: {sfi: 0x0A, offset: 0, le: 4, expect: {sw: \"6982\"}}\n";
        assert_eq!(unmet(&format!("{jpki}{refused}"), "android"), None);
        assert_eq!(
            unmet(&format!("{jpki}  - certificate: {{of: user_authentication_ca}}\n"), "android"),
            None
        );
    }

    #[test]
    fn what_the_next_generation_does_otherwise_is_told() {
        for (steps, expected) in [
            (
                "  - select: jpki\n  - verify: {pin: user_authentication, value: right}\n  \
                 - sign: {key: user_authentication, data: {hex: \"00\"}, expect: {length: 256}}\n",
                "RSA",
            ),
            ("  - select: text\n  - tries_left: {of: text_input, expect: full}\n", "digital_signature"),
            ("  - select: text\n  - verify: {pin: text_code_a, value: right}\n", "made otherwise"),
            ("  - select: visual\n", "no application visual"),
        ] {
            let why = unmet(steps, "next-generation").unwrap_or_default();
            assert!(why.contains(expected), "{steps}: {why}");
        }
        assert_eq!(
            unmet(
                "  - select: jpki\n  - tries_left: {of: digital_signature, expect: full}\n",
                "next-generation"
            ),
            None
        );
    }

    #[test]
    fn a_profile_may_answer_a_blocked_pin_with_the_other_published_status() {
        let mine = "extends: card\ntitle: {ja: あ, en: a}\nblocked_status: \"6983\"\n";
        let mine = Profile::parse("mine.yaml", mine).unwrap();
        for (told, applies) in [("{sw: \"6984\"}", false), ("{sw: \"6983\"}", true), ("blocked", true)] {
            let text = format!(
                "id: a\ntitle: {{ja: あ, en: a}}\ncovers: [PIN-01]\ngiven: {{user_authentication: 0}}\nsteps:\n  \
                 - select: jpki\n  - verify: {{pin: user_authentication, value: right, expect: {told}}}\n"
            );
            let scenario = scenario::parse_for_test(&text, &Requirements::built_in());
            assert_eq!(Plan::of(&scenario, mine.tries).reliance.unmet_by(&mine).is_none(), applies, "{told}");
        }
    }

    #[test]
    fn a_label_that_is_told_is_that_of_the_card() {
        let label = "  - select: jpki\n  - select: {file: \"0006\"}\n  \
                     - read_binary: {offset: 0, le: 16, expect: {text: \"JPKIAPICCTOKEN2 \"}}\n";
        assert!(unmet(label, "juki-card").is_some_and(|why| why.ends_with("JPKIAPICCTOKEN")));
        assert_eq!(unmet(label, "next-generation"), None, "which has the same");
    }

    #[test]
    fn an_answer_to_reset_that_is_told_is_that_of_the_contacts() {
        let told = "  - atr: {expect: \"3B E0 00 FF 81 31 FE 45 14\"}\n";
        assert!(unmet(told, "contactless").is_some());
        let stored = "  - select: jpki\n  - get_data: {tag: \"5F51\", expect: {data: \"E0\"}}\n";
        assert!(unmet(stored, "contact-2").is_some());
    }
}
