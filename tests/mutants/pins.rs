//! Wrong in PINs: their counters, their lock, their statuses, their change.

use super::Mutant;
use super::wrong_card::{Right, Rules, Wrongness, answers, commands, counting, power, tries};
use std::collections::BTreeMap;
use vmyna_sim::apdu::CommandBuilder;
use vmyna_sim::pin::PinName;
use vmyna_sim::smart_card::Power;

pub const ALL: &[Mutant] = &[
    Mutant::new("counter-not-spent", "PIN-03", "a wrong PIN spends no try", || {
        counting(Rules { spend: |left| left, ..Rules::default() })
    }),
    Mutant::new("counter-only-announced", "PIN-04", "the tries left are announced, not spent", || {
        counting(Rules { spend: |left| left, wrong: |left| tries(left - 1), ..Rules::default() })
    }),
    Mutant::new("counter-spends-two", "PIN-06", "a wrong PIN spends two tries", || {
        counting(Rules { spend: |left| left.saturating_sub(2), ..Rules::default() })
    }),
    Mutant::new("counter-announced-late", "PIN-03", "the answer says what was left before", || {
        counting(Rules { wrong: |left| tries(left + 1), ..Rules::default() })
    }),
    Mutant::new("counter-not-refilled", "PIN-10", "the right PIN gives no try back", || {
        counting(Rules { refill: |left, _| left, ..Rules::default() })
    }),
    Mutant::new("counter-refilled-by-one", "PIN-10", "the right PIN gives one try back", || {
        counting(Rules { refill: |left, full| full.min(left + 1), ..Rules::default() })
    }),
    Mutant::new("last-try-refused", "PIN-20", "at the last try even the right PIN is refused", || {
        commands(|right, command, raw| {
            let last = right.pin_of(command).is_some_and(|pin| right.card.pins().get(pin).tries_left == 1);
            match command.ins() {
                0x20 if last && !command.data().is_empty() => tries(0).to_vec(),
                _ => right.answer(raw),
            }
        })
    }),
    Mutant::new("authentication-has-five-tries", "PIN-06", "the authentication PIN has five tries", || {
        counting(Rules { full: |pin| override_of(pin, PinName::UserAuthentication, 5), ..Rules::default() })
    }),
    Mutant::new("signature-has-three-tries", "PIN-09", "the signature PIN has three tries", || {
        counting(Rules { full: |pin| override_of(pin, PinName::DigitalSignature, 3), ..Rules::default() })
    }),
    Mutant::new(
        "both-counters-spent",
        "PIN-11",
        "a wrong authentication PIN spends a try of the other",
        || {
            counting(Rules {
                spends_also: |pin| (pin == PinName::UserAuthentication).then_some(PinName::DigitalSignature),
                ..Rules::default()
            })
        },
    ),
    Mutant::new("asking-spends", "PIN-04", "VERIFY without data spends a try", || {
        counting(Rules { asking_spends: true, ..Rules::default() })
    }),
    Mutant::new("blocked-opens", "PIN-07", "the right PIN opens although it is blocked", || {
        counting(Rules { blocked_opens: true, ..Rules::default() })
    }),
    Mutant::new("blocked-says-63c0", "PIN-07", "a blocked PIN answers 63C0 for ever", || {
        counting(Rules { blocked: [0x63, 0xC0], ..Rules::default() })
    }),
    Mutant::new("blocked-says-6983", "PIN-08", "a blocked PIN answers 6983", || {
        counting(Rules { blocked: [0x69, 0x83], ..Rules::default() })
    }),
    Mutant::new("exhausting-says-6984", "PIN-05", "the wrong try that exhausts answers 6984", || {
        counting(Rules {
            wrong: |left| if left == 0 { [0x69, 0x84] } else { tries(left) },
            ..Rules::default()
        })
    }),
    Mutant::new("wrong-says-6300", "PIN-03", "a wrong PIN answers 6300", || {
        counting(Rules { wrong: |_| [0x63, 0x00], ..Rules::default() })
    }),
    Mutant::new("asked-when-blocked-says-6984", "PIN-14", "a blocked PIN answers 6984 when asked", || {
        counting(Rules {
            empty: |left| if left == 0 { [0x69, 0x84] } else { tries(left) },
            ..Rules::default()
        })
    }),
    Mutant::new("any-pin-opens", "PIN-03", "any value is taken for the right one", || {
        counting(Rules { is_right: |_, _| true, ..Rules::default() })
    }),
    Mutant::new("prefix-opens", "PIN-03", "only the first three characters are compared", || {
        counting(Rules {
            is_right: |right, presented| presented.len() >= 3 && right[..3] == presented[..3],
            ..Rules::default()
        })
    }),
    Mutant::new("case-folded", "PIN-23", "the signature PIN is taken in lower case", || {
        counting(Rules {
            is_right: |right, presented| right.eq_ignore_ascii_case(presented),
            ..Rules::default()
        })
    }),
    Mutant::new("power-off-refills", "PIN-12", "power-off gives all tries back", || {
        power(|right, power| {
            if power == Power::Off {
                refill_both(right);
            }
            right.power(power);
        })
    }),
    Mutant::new("warm-reset-refills", "PIN-13", "a warm reset gives all tries back", || {
        power(|right, power| {
            if power == Power::WarmReset {
                let application = right.application;
                refill_both(right);
                right.power(Power::Off);
                right.power(Power::On);
                if application == "jpki" {
                    right.answer(&vmyna::terminal::select_application(&vmyna::terminal::JPKI_AID));
                }
            }
            right.power(power);
        })
    }),
    Mutant::new("select-refills", "PIN-21", "selecting the application gives all tries back", || {
        commands(|right, command, raw| {
            let answer = right.answer(raw);
            if (command.ins(), command.p1()) == (0xA4, 0x04) && right.application == "jpki" {
                refill_both(right);
                right.answer(&vmyna::terminal::select_application(&[0xA0, 0, 0, 1, 0x51, 0, 0]));
                right.answer(raw);
            }
            answer
        })
    }),
    Mutant::new("sfi-refused-by-verify", "PIN-17", "VERIFY knows no short identifier", || {
        commands(|right, command, raw| match (command.ins(), command.p2()) {
            (0x20, 0x81..=0x9E) => vec![0x6A, 0x86],
            _ => right.answer(raw),
        })
    }),
    Mutant::new("sfi-has-its-own-counter", "PIN-18", "PINs by short identifier are counted apart", || {
        let mut apart: BTreeMap<u8, u8> = BTreeMap::new();
        commands(move |right, command, raw| match (command.ins(), command.p2()) {
            (0x20, p2 @ (0x98 | 0x9B)) if !command.data().is_empty() => {
                let pin = right.pin_of(command).expect("a PIN of JPKI");
                let right_value = vmyna::terminal::own_pin(right.card.personalised().holder(), pin);
                if right_value.matches(command.data()) {
                    return right.answer(raw);
                }
                let left = apart.entry(p2).or_insert(if p2 == 0x98 { 3 } else { 5 });
                *left = left.saturating_sub(1);
                tries(*left).to_vec()
            }
            _ => right.answer(raw),
        })
    }),
    Mutant::new("asking-verifies", "PIN-22", "VERIFY without data verifies", || {
        commands(|right, command, raw| {
            let answer = right.answer(raw);
            if command.ins() == 0x20
                && command.data().is_empty()
                && let Some(pin) = right.pin_of(command)
                && right.card.pins().get(pin).tries_left == super::wrong_card::full_tries(pin)
            {
                right.present(pin);
            }
            answer
        })
    }),
    Mutant::new("asked-when-verified-says-9000", "PIN-15", "a verified PIN answers 9000 when asked", || {
        let mut verified = None;
        commands(move |right, command, raw| {
            let answer = right.answer(raw);
            let pin = right.pin_of(command);
            match (command.ins(), command.data().is_empty()) {
                (0x20, false) if answer == [0x90, 0x00] => verified = pin,
                (0x20, true) if pin.is_some() && pin == verified => return vec![0x90, 0x00],
                _ => {}
            }
            answer
        })
    }),
    Mutant::new("asking-ends-verification", "STA-07", "VERIFY without data ends the verification", || {
        commands(|right, command, raw| {
            if command.ins() == 0x20 && command.data().is_empty() {
                end_verification(right);
            }
            right.answer(raw)
        })
    }),
    Mutant::new("lock-forgotten-at-power-off", "PIN-16", "power-off opens a blocked PIN", || {
        let mut since_power_up = BTreeMap::new();
        let mut forgotten = false;
        Wrongness {
            on_power: None,
            ..commands(move |right, command, raw| {
                if command.ins() == 0xA4 && command.p1() == 0x04 && since_power_up.contains_key(&()) {
                    forgotten = right.application == "card_manager";
                }
                let answer = right.answer(raw);
                match (command.ins(), &answer[..]) {
                    (0x20, [0x63, 0xC0]) => {
                        if forgotten {
                            return vec![0x63, 0xC3];
                        }
                        since_power_up.insert((), ());
                    }
                    (0x20, [0x69, 0x84]) if forgotten => return vec![0x90, 0x00],
                    _ => {}
                }
                answer
            })
        }
    }),
    Mutant::new("one-lock-for-both", "PIN-19", "where one PIN of JPKI is blocked the other is too", || {
        commands(|right, command, raw| {
            let blocked = |pin| right.card.pins().get(pin).tries_left == 0;
            if command.ins() == 0x20 && !command.data().is_empty() && PinName::JPKI.into_iter().any(blocked) {
                return vec![0x69, 0x84];
            }
            right.answer(raw)
        })
    }),
    Mutant::new(
        "change-forgotten",
        "CHG-02",
        "CHANGE REFERENCE DATA answers 9000 and changes nothing",
        || {
            commands(|right, command, raw| match command.ins() {
                0x24 => vec![0x90, 0x00],
                _ => right.answer(raw),
            })
        },
    ),
    Mutant::new("no-pin-with-a-leading-zero", "PIN-25", "a PIN of digits may not begin with 0", || {
        refused_change(|value| value.len() == 4 && value[0] == b'0')
    }),
    Mutant::new("no-pin-of-sixteen", "PIN-26", "a signature PIN of sixteen characters is too long", || {
        refused_change(|value| value.len() == 16)
    }),
    Mutant::new("change-keeps-the-old", "CHG-03", "after a change the old PIN opens as well", || {
        let mut old: Option<(PinName, Vec<u8>)> = None;
        commands(move |right, command, raw| {
            let pin = right.pin_of(command);
            if let (0x20, Some((changed, new))) = (command.ins(), &old)
                && pin == Some(*changed)
                && vmyna::terminal::own_pin(right.card.personalised().holder(), *changed)
                    .matches(command.data())
            {
                return right
                    .answer(&CommandBuilder::new(0x00, 0x20, 0x00, command.p2()).data(new).to_bytes());
            }
            let answer = right.answer(raw);
            if command.ins() == 0x24 && answer == [0x90, 0x00] {
                old = pin.map(|pin| (pin, command.data().to_vec()));
            }
            answer
        })
    }),
    Mutant::new("change-without-verify", "CHG-05", "a PIN is changed without being verified", || {
        commands(|right, command, raw| {
            if let (0x24, Some(pin)) = (command.ins(), right.pin_of(command)) {
                right.present(pin);
            }
            right.answer(raw)
        })
    }),
    Mutant::new("change-by-the-other-pin", "CHG-06", "the other PIN, verified, allows the change", || {
        let mut other = false;
        commands(move |right, command, raw| {
            let pin = right.pin_of(command);
            match command.ins() {
                0xA4 if command.p1() == 0x04 => other = false,
                0x24 if other => right.present(pin.expect("a PIN")),
                _ => {}
            }
            let answer = right.answer(raw);
            if command.ins() == 0x20 && answer == [0x90, 0x00] && right.application == "jpki" {
                other = true;
            }
            answer
        })
    }),
    Mutant::new(
        "change-opens-nothing-after-power-off",
        "CHG-04",
        "power-off brings the old PIN back",
        || {
            let mut changed: Option<(PinName, Vec<u8>)> = None;
            let mut cycled = false;
            commands(move |right, command, raw| {
                if (command.ins(), command.p1()) == (0xA4, 0x04)
                    && right.application == "card_manager"
                    && changed.is_some()
                {
                    cycled = true;
                }
                let pin = right.pin_of(command);
                if let (0x20, true, Some((of, new))) = (command.ins(), cycled, &changed)
                    && pin == Some(*of)
                    && command.data() == new
                {
                    return vec![0x63, 0xC2];
                }
                let answer = right.answer(raw);
                if command.ins() == 0x24 && answer == [0x90, 0x00] {
                    changed = pin.map(|pin| (pin, command.data().to_vec()));
                }
                answer
            })
        },
    ),
    Mutant::new("change-answers-with-data", "CHG-01", "a change is answered with data", || {
        answers(|command, answer| {
            if command.ins() == 0x24 && answer == &[0x90, 0x00] {
                answer.splice(0..0, [0x00]);
            }
        })
    }),
];

/// CHANGE REFERENCE DATA to such values answers `6A80`.
fn refused_change(such: fn(&[u8]) -> bool) -> Wrongness {
    commands(move |right, command, raw| match command.ins() {
        0x24 if such(command.data()) => vec![0x6A, 0x80],
        _ => right.answer(raw),
    })
}

fn override_of(pin: PinName, of: PinName, full: u8) -> u8 {
    if pin == of { full } else { super::wrong_card::full_tries(pin) }
}

/// Presents the right values of both PINs of JPKI, as far as they are not blocked.
fn refill_both(right: &mut Right) {
    right.answer(&vmyna::terminal::select_application(&vmyna::terminal::JPKI_AID));
    for pin in PinName::JPKI {
        right.present(pin);
    }
}

/// Ends every verification, and stands where it stood.
pub fn end_verification(right: &mut Right) {
    let (application, file) = (right.application, right.file);
    let aid = vmyna_sim::application::ALL.iter().find(|known| known.name == application);
    right.answer(&vmyna::terminal::select_application(&[0xA0, 0, 0, 1, 0x51, 0, 0]));
    if let Some(known) = aid {
        right.answer(&vmyna::terminal::select_application(known.aid));
    }
    right.select_again(file);
}
