use super::*;
use crate::record::{Recording, to_yaml};
use crate::requirement::Requirements;
use crate::run::{Judge, Passed, Verdict, converse, play_on_simulator};
use crate::scenario;
use crate::verify::Trust;
use hex_literal::hex;
use std::sync::Arc;
use std::time::SystemTime;
use vmyna_sim::card::Personalised;

const SELECT_JPKI: [u8; 15] = hex!("00A4040C0AD392F000260100000001");
const SELECT_PIN: [u8; 7] = hex!("00A4020C020018");
const OK: [u8; 2] = hex!("9000");

fn heard(exchanges: &[(&[u8], &[u8])]) -> Vec<Heard> {
    exchanges.iter().map(|(command, answer)| Heard::Exchange(command.to_vec(), answer.to_vec())).collect()
}

fn lines(heard: &[Heard], holder: Option<&Holder>, mask: bool) -> Vec<String> {
    let line = |step: &Step| match step {
        Step::Verb { yaml, .. } => yaml.clone(),
        Step::Note(note) => format!("# {note}"),
    };
    lift(heard, holder, mask).steps.iter().map(line).collect()
}

#[test]
fn selecting_and_verifying_become_one_step_and_the_value_its_role() {
    let hanako = Holder::built_in("hanako").unwrap();
    let said = heard(&[
        (&SELECT_JPKI, &OK),
        (&SELECT_PIN, &OK),
        (&hex!("00200080"), &hex!("63C2")),
        (&hex!("0020008004 31323335"), &hex!("63C1")),
        (&hex!("0020009804 31323334"), &OK),
    ]);
    let expected = [
        "select: jpki",
        "tries_left: {of: user_authentication, expect: 2}",
        "verify: {pin: user_authentication, value: wrong, by: current, expect: {tries_left: 1}}",
        "verify: {pin: user_authentication, value: right, by: sfi}",
    ];
    assert_eq!(lines(&said, Some(&hanako), false), expected);
    assert_eq!(lines(&said, None, false), expected, "what the card said tells as much");
    assert_eq!(lift(&said, None, false).given, Given::from([(PinName::UserAuthentication, 2)]));
}

#[test]
fn a_value_for_a_pin_that_cannot_be_told_is_left_out() {
    for command in [
        &hex!("0020008004 31323334")[..],
        &hex!("0020019804 31323334"),
        &hex!("0021009804 31323334"),
        &hex!("002C029804 31323334"),
        &hex!("1020009804 31323334"),
        &hex!("00200098000004 31323334"),
    ] {
        let written = lines(&heard(&[(&SELECT_JPKI, &OK), (command, &OK)]), None, false).join("\n");
        assert!(written.contains("left out"), "{written}");
        assert!(!written.contains("31 32 33 34"), "{written}");
    }
}

#[test]
fn a_changed_pin_is_new_and_changed_back_right() {
    let hanako = Holder::built_in("hanako").unwrap();
    let said = heard(&[
        (&SELECT_JPKI, &OK),
        (&SELECT_PIN, &OK),
        (&hex!("0020008004 31323334"), &OK),
        (&hex!("0024018004 39393939"), &OK),
        (&hex!("0020008004 39393939"), &OK),
        (&hex!("0024018004 31323334"), &OK),
    ]);
    assert_eq!(
        lines(&said, Some(&hanako), false)[1..],
        [
            "verify: {pin: user_authentication, value: right}",
            "change_pin: {pin: user_authentication, to: new, by: current}",
            "verify: {pin: user_authentication, value: new, by: current}",
            "change_pin: {pin: user_authentication, to: right, by: current}",
        ]
    );
}

#[test]
fn with_the_mask_only_lengths_are_left_of_what_files_hold() {
    let said = heard(&[
        (&hex!("00A4040C0AD3921000310001010408"), &OK),
        (&hex!("00A4020C020001"), &OK),
        (&hex!("00B0000003"), &hex!("FF100C9000")),
    ]);
    assert_eq!(lines(&said, None, false)[2], "read_binary: {offset: 0, le: 3, expect: {data: \"FF 10 0C\"}}");
    assert_eq!(lines(&said, None, true)[2], "read_binary: {offset: 0, le: 3, expect: {length: 3}}");
}

#[test]
fn records_and_data_objects_are_read_by_their_verbs() {
    let said = heard(&[
        (&hex!("00CA5F5100"), &hex!("E0009000")),
        (&hex!("00CA00F8000000"), &hex!("01029000")),
        (&hex!("00A4040C0AD3921000310001010100"), &OK),
        (&hex!("00B2010C00"), &hex!("01019000")),
        (&hex!("00B2020410"), &hex!("6A83")),
        (&hex!("00B2000C00"), &hex!("6A86")),
    ]);
    assert_eq!(
        lines(&said, None, false),
        [
            "get_data: {tag: \"5F51\", expect: {data: \"E0 00\"}}",
            "get_data: {tag: \"00F8\", extended: true, expect: {data: \"01 02\"}}",
            "select: common",
            "read_record: {record: 1, sfi: 1, expect: {data: \"01 01\"}}",
            "read_record: {record: 2, le: 16, expect: {sw: \"6A83\"}}",
            "transmit: {apdu: \"00 B2 00 0C 00\", expect: {sw: \"6A86\"}}",
        ]
    );
    assert_eq!(lines(&said, None, true)[3], "read_record: {record: 1, sfi: 1, expect: {length: 2}}");
}

#[test]
fn what_keys_do_is_told_with_the_key_and_the_mode() {
    let said = heard(&[
        (&SELECT_JPKI, &OK),
        (&hex!("00A4020C020017"), &OK),
        (&hex!("802A0180 01AA 00"), &hex!("6982")),
        (&hex!("802A049A 01AA 00"), &hex!("0102 9000")),
        (&hex!("802A069A 01AA 00"), &hex!("6A86")),
        (&hex!("00A4040C0AD3921000310001010408"), &OK),
        (&hex!("802A0000 01AA 00"), &hex!("0102 9000")),
        (&hex!("00A4040C0AD3921000310001010100"), &OK),
        (&hex!("00880099 01AA 00"), &hex!("0102 9000")),
        (&hex!("00880099 00"), &hex!("6700")),
    ]);
    assert_eq!(
        lines(&said, None, false),
        [
            "select: jpki",
            "sign: {key: user_authentication, data: {hex: \"AA\"}, mode: sha256, expect: {sw: \"6982\"}}",
            "sign: {key: digital_signature, data: {hex: \"AA\"}, mode: pss, by: sfi, expect: {length: 2}}",
            "transmit: {apdu: \"80 2A 06 9A 01 AA 00\", expect: {sw: \"6A86\"}}",
            "select: text",
            "sign: {key: text, data: {hex: \"AA\"}, by: default_key, expect: {length: 2}}",
            "select: common",
            "authenticate: {key: common, challenge: {hex: \"AA\"}, by: sfi, expect: {length: 2}}",
            "transmit: {apdu: \"00 88 00 99 00\", expect: {sw: \"6700\"}}",
        ]
    );
}

#[test]
fn power_between_commands_is_a_step_and_at_the_edges_it_is_not() {
    let mut said = vec![Heard::Power(Power::On)];
    said.extend(heard(&[(&SELECT_JPKI, &OK)]));
    said.extend([Power::Off, Power::On].map(Heard::Power));
    said.extend(heard(&[(&SELECT_JPKI, &OK)]));
    said.push(Heard::Power(Power::WarmReset));
    said.extend(heard(&[(&SELECT_JPKI, &OK)]));
    said.push(Heard::Power(Power::Off));
    let expected = ["select: jpki", "power: cycle", "select: jpki", "power: warm_reset", "select: jpki"];
    assert_eq!(lines(&said, None, false), expected);
}

/// Whatever the built-in scenarios say to a card can be recorded, and what is recorded passes.
#[test]
fn every_built_in_conversation_is_recorded_and_replays() {
    let requirements = Requirements::built_in();
    let personalised = Arc::new(Personalised::built_in("hanako").unwrap());
    let mut replayed = 0;
    for scenario in scenario::built_in(&requirements) {
        if scenario.holder != "hanako" || scenario.profile.is_some() {
            continue;
        }
        let said =
            converse(&scenario, personalised.clone(), &requirements, Judge::BuiltIn, SystemTime::now());
        let heard: Vec<Heard> = said
            .passed
            .into_iter()
            .map(|passed| match passed {
                Passed::Power(power) => Heard::Power(power),
                Passed::Exchange(command, answer) => Heard::Exchange(command, answer),
            })
            .collect();
        for mask in [false, true] {
            let lifted = lift(&heard, Some(personalised.holder()), mask);
            // What was left out would be missed.
            if lifted.steps.iter().any(|step| matches!(step, Step::Note(_))) {
                continue;
            }
            let recording = Recording {
                id: "recorded.trial",
                seat: "sim",
                holder: Some("hanako"),
                day: "2026-04-01",
                replay: "vmyna run trial.yaml",
                masked: mask,
            };
            let Some(yaml) = to_yaml(&recording, &lifted.given, &lifted.steps) else { continue };
            let again = scenario::parse_for_test(&yaml, &requirements);
            let verdict = play_on_simulator(&again, personalised.clone(), &requirements, &Trust::CardItself);
            assert!(
                matches!(&verdict, Verdict::Passed { observations } if observations.is_empty()),
                "{}:\n{yaml}\n{verdict:?}",
                scenario.id
            );
            replayed += 1;
        }
    }
    assert!(replayed > 250, "only {replayed}");
}
