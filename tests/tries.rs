//! Cards that give their PINs other numbers of tries than those that were measured: a scenario that counts
//! in numbers says nothing of them, every other holds, and none fails a right card.

mod process;

use process::{Folder, run};
use std::collections::{BTreeMap, BTreeSet};
use vmyna::language::Bilingual;
use vmyna::report::Report;
use vmyna::run::Outcome;

/// All PINs of a card, and how many tries the measured card gives them.
const MEASURED: [(&str, u8); 10] = [
    ("user_authentication", 3),
    ("digital_signature", 5),
    ("text_input", 3),
    ("text_code_a", 10),
    ("text_code_b", 10),
    ("visual_code_a", 10),
    ("visual_code_b", 10),
    ("birth_date", 10),
    ("resident_register", 3),
    ("common_card", 3),
];

/// What becomes of the scenarios on PINs when the card gives `tries`.
fn played(tries: impl Fn(&str, u8) -> u8) -> BTreeMap<String, Outcome> {
    let tries = MEASURED.map(|(pin, measured)| format!("{pin}: {}", tries(pin, measured)));
    let profile = format!("extends: card\ntitle: {{ja: あ, en: a}}\ntries: {{{}}}\n", tries.join(", "));
    let folder = Folder::new();
    folder.write("profile.yaml", profile);
    let arguments = ["run", "--profile", "profile.yaml", "--tag", "pin", "--report", "json=r.json"];
    let ended = run(&mut folder.vmyna(arguments));
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    let report = std::fs::read_to_string(folder.path().join("r.json")).expect("a report");
    let mut report: Report = serde_json::from_str(&report).expect("a report in JSON");
    // whatever its tries: it is no card of the profile that those are about
    let other_kind = |reason: &Bilingual| reason.en.contains("about cards of the profile");
    report.scenarios.retain(|case| !case.reason.as_ref().is_some_and(other_kind));
    for case in &report.scenarios {
        let is_right = matches!(case.verdict, Outcome::Passed | Outcome::NotApplicable);
        assert!(is_right, "{}: {:?} {:?} {:?}", case.id, case.verdict, case.reason, case.failure);
        let counts = case.reason.as_ref().is_none_or(|reason| reason.en.contains("counts the tries of"));
        assert!(counts, "{}: {:?}", case.id, case.reason);
    }
    report.scenarios.into_iter().map(|case| (case.id, case.verdict)).collect()
}

/// The scenarios that say nothing of the card.
fn not_applicable(outcomes: &BTreeMap<String, Outcome>) -> BTreeSet<&str> {
    let silent = outcomes.iter().filter(|(_, outcome)| **outcome == Outcome::NotApplicable);
    silent.map(|(id, _)| id.as_str()).collect()
}

#[test]
fn on_the_measured_card_every_scenario_on_pins_says_something() {
    let outcomes = played(|_, measured| measured);
    assert_eq!(not_applicable(&outcomes), BTreeSet::new());
}

#[test]
fn no_scenario_fails_a_card_with_more_or_fewer_tries_or_with_one() {
    let others: [fn(u8) -> u8; 3] = [|measured| measured + 2, |measured| measured - 1, |_| 1];
    for tries in others {
        let outcomes = played(|_, measured| tries(measured));
        let silent = not_applicable(&outcomes);
        assert!(silent.contains("jpki.pin.lockout-authentication"), "{silent:?}");
        assert!(outcomes.len() - silent.len() > 100, "{} of {} hold", outcomes.len(), silent.len());
    }
}

#[test]
fn where_one_pin_alone_has_other_tries_the_others_are_still_counted() {
    let outcomes = played(|pin, measured| if pin == "digital_signature" { 7 } else { measured });
    assert_eq!(outcomes["jpki.pin.lockout-authentication"], Outcome::Passed);
    assert_eq!(outcomes["jpki.pin.lockout-signature"], Outcome::NotApplicable);
}
