//! Wrong in how long a verification lasts and what it opens.

use super::Mutant;
use super::pins::end_verification;
use super::wrong_card::{Right, Wrongness, commands, power};
use vmyna_sim::pin::PinName;
use vmyna_sim::smart_card::Power;

pub const ALL: &[Mutant] = &[
    Mutant::new("verification-survives-power-off", "STA-01", "power-off leaves the verification", || {
        power(|right, power| {
            if power == Power::WarmReset {
                right.power(power);
            }
        })
    }),
    Mutant::new("verification-ends-at-warm-reset", "STA-02", "a warm reset ends the verification", || {
        power(|right, power| {
            if power == Power::WarmReset {
                end_verification(right);
            }
            right.power(power);
        })
    }),
    Mutant::new("verification-survives-other-application", "STA-03", "another application leaves it", || {
        surviving(|aid| vmyna_sim::application::name(aid) != Some("card_manager"))
    }),
    Mutant::new("verification-survives-card-manager", "STA-04", "the card manager leaves it", || {
        surviving(|aid| vmyna_sim::application::name(aid) == Some("card_manager"))
    }),
    Mutant::new(
        "verification-ends-at-file-select",
        "STA-05",
        "selecting a file ends the verification",
        || {
            commands(|right, command, raw| {
                if (command.ins(), command.p1()) == (0xA4, 0x02) {
                    end_verification(right);
                }
                right.answer(raw)
            })
        },
    ),
    Mutant::new("second-verification-ends-first", "STA-06", "only one PIN stands verified", || {
        let mut last = None;
        commands(move |right, command, raw| {
            if command.ins() == 0x20 && !command.data().is_empty() {
                let pin = right.pin_of(command);
                if last.is_some() && last != pin {
                    end_verification(right);
                }
                last = pin;
            }
            right.answer(raw)
        })
    }),
    Mutant::new("reading-ends-verification", "STA-10", "READ BINARY ends the verification", || {
        commands(|right, command, raw| {
            let answer = right.answer(raw);
            if command.ins() == 0xB0 {
                end_verification(right);
            }
            answer
        })
    }),
    Mutant::new("signing-ends-verification", "SIG-04", "each signature wants the PIN again", || {
        commands(|right, command, raw| {
            let answer = right.answer(raw);
            if command.ins() == 0x2A {
                end_verification(right);
            }
            answer
        })
    }),
    Mutant::new("key-without-pin", "SIG-02", "the authentication key needs no PIN", || {
        opening(0x2A, 0x0017, PinName::UserAuthentication)
    }),
    Mutant::new("signature-key-without-pin", "SIG-02", "the signature key needs no PIN", || {
        opening(0x2A, 0x001A, PinName::DigitalSignature)
    }),
    Mutant::new("signature-certificate-free", "EF-04", "the signature certificate needs no PIN", || {
        opening(0xB0, 0x0001, PinName::DigitalSignature)
    }),
    Mutant::new("any-pin-opens-any-key", "SIG-03", "either PIN opens both keys", || after_either_pin(0x2A)),
    Mutant::new("any-pin-opens-certificate", "EF-06", "either PIN opens the signature certificate", || {
        after_either_pin(0xB0)
    }),
    Mutant::new("sfi-reads-past-the-pin", "READ-11", "a short identifier reads without the PIN", || {
        commands(|right, command, raw| {
            if command.ins() == 0xB0 && command.p1() == 0x81 && right.application == "jpki" {
                right.present(PinName::DigitalSignature);
            }
            right.answer(raw)
        })
    }),
    Mutant::new(
        "authentication-certificate-guarded",
        "EF-02",
        "the authentication certificate wants a PIN",
        || refusing(0x000A, [0x69, 0x82]),
    ),
    Mutant::new("ca-certificates-guarded", "EF-03", "a CA certificate wants a PIN", || {
        refusing(0x000B, [0x69, 0x82])
    }),
    Mutant::new("token-guarded", "TOK-01", "the token information wants a PIN", || {
        refusing(0x0006, [0x69, 0x82])
    }),
    Mutant::new("signature-certificate-says-6985", "EF-04", "without its PIN it is 6985, not 6982", || {
        commands(|right, command, raw| {
            let answer = right.answer(raw);
            match &answer[..] {
                [0x69, 0x82] if command.ins() == 0xB0 => vec![0x69, 0x85],
                _ => answer,
            }
        })
    }),
];

/// SELECT of such an application leaves the verifications of JPKI.
fn surviving(such: fn(&[u8]) -> bool) -> Wrongness {
    let mut verified: Vec<PinName> = Vec::new();
    let mut left_by_such = false;
    commands(move |right, command, raw| {
        let pin = right.pin_of(command);
        let answer = right.answer(raw);
        let succeeded = answer == [0x90, 0x00];
        match (command.ins(), command.p1()) {
            (0x20, _) if succeeded && !command.data().is_empty() => verified.extend(pin),
            (0xA4, 0x04) if succeeded && right.application != "jpki" => {
                left_by_such = such(command.data());
            }
            (0xA4, 0x04) if succeeded && left_by_such => {
                for pin in &verified {
                    right.present(*pin);
                }
            }
            _ => {}
        }
        answer
    })
}

/// `ins` on that EF of JPKI works without its PIN.
fn opening(ins: u8, file: u16, pin: PinName) -> Wrongness {
    commands(move |right, command, raw| {
        if command.ins() == ins && right.means(command, "jpki", file) {
            right.present(pin);
        }
        right.answer(raw)
    })
}

/// Once either PIN of JPKI is verified, `ins` works on what the other one guards.
fn after_either_pin(ins: u8) -> Wrongness {
    let mut any = false;
    commands(move |right, command, raw| {
        match (command.ins(), command.p1()) {
            (0xA4, 0x04) => any = false,
            (now, _) if now == ins && any => open_both(right),
            _ => {}
        }
        let answer = right.answer(raw);
        if command.ins() == 0x20 && answer == [0x90, 0x00] {
            any = true;
        }
        answer
    })
}

fn open_both(right: &mut Right) {
    for pin in PinName::JPKI {
        right.present(pin);
    }
}

/// READ BINARY of that EF of JPKI is refused.
fn refusing(file: u16, status: [u8; 2]) -> Wrongness {
    commands(move |right, command, raw| {
        let refused = command.ins() == 0xB0 && right.means(command, "jpki", file);
        let answer = right.answer(raw);
        if refused { status.to_vec() } else { answer }
    })
}
