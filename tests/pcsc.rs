//! Programs that know nothing of us, OpenSC and OpenSSL, use the card through pcscd's virtual reader. Each test has
//! a slot and a fresh card of its own. Where pcscd, vpcd, OpenSC or OpenSSL are missing, the tests are ignored and
//! say so; with `VMYNA_REQUIRE_PCSC=1` (tests/run sets it) they fail.

mod support;

use std::env;
use std::fs;
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use support::card::Card;
use support::credential::{AUTHENTICATION, SIGNATURE, locked, tries_left};
use support::reader::{Slot, VirtualReader};

type Test = fn(&Slot) -> Result<(), Failed>;

const TESTS: [(&str, Test); 17] = [
    ("OpenSC takes the card for a JPKI card", opensc_takes_the_card_for_a_jpki_card),
    ("OpenSC reads the ATR of a My Number card", opensc_reads_the_atr),
    ("OpenSC finds four certificates, two keys and two PINs", opensc_finds_what_is_on_the_card),
    ("all four certificates are read", all_four_certificates_are_read),
    ("the signature certificate is not read without its password", signature_certificate_needs_its_password),
    ("each certificate verifies against its own authority only", each_certificate_has_its_authority),
    ("OpenSSL verifies what the authentication key signs", authentication_key_signs),
    ("OpenSSL verifies what the signature key signs", signature_key_signs),
    ("a wrong PIN costs one try, and the right one gives it back", a_wrong_pin_costs_one_try),
    ("three wrong PINs lock the authentication PIN and nothing else", three_wrong_pins_lock),
    ("five wrong passwords lock the signature password and nothing else", five_wrong_passwords_lock),
    (
        "a connection that is dropped without a reset leaves a PIN verified",
        a_dropped_connection_keeps_the_pin,
    ),
    ("a spent try stays spent when the card is killed", a_spent_try_survives_a_kill),
    ("a locked PIN stays locked when the card is killed", a_lock_survives_a_kill),
    ("without a state file every card is fresh", without_a_state_file_every_card_is_fresh),
    ("a card ends cleanly on a signal and leaves the reader empty", a_card_leaves_cleanly),
    ("OpenSC's way with the card is recorded, without a PIN, and replays", opensc_is_recorded_and_replays),
];

fn main() -> ExitCode {
    let reader = VirtualReader::find();
    let required = env::var_os("VMYNA_REQUIRE_PCSC").is_some_and(|value| value == "1");
    // A test that decides while running not to run has passed in the eyes of nextest: let it know before.
    let known_before = env::var_os("NEXTEST").is_some() && reader.is_err() && !required;
    let trial = |(name, test): (&str, Test)| {
        let reader = reader.clone();
        let run = move || match reader {
            Ok(reader) => test(&reader.take_slot()?).map(|()| Completion::Completed),
            Err(missing) if required => Err(missing.into()),
            Err(missing) => Ok(Completion::ignored_with(format!("not run: {missing}"))),
        };
        Trial::ignorable_test(name, run).with_ignored_flag(known_before)
    };
    libtest_mimic::run(&Arguments::from_args(), TESTS.map(trial).into()).exit_code()
}

fn opensc_takes_the_card_for_a_jpki_card(slot: &Slot) -> Result<(), Failed> {
    let _card = Card::insert(slot)?;
    let name = slot.run("opensc-tool", ["--reader", "0", "--name"])?.success()?;
    assert_eq!(name.trim(), "jpki");
    Ok(())
}

fn opensc_reads_the_atr(slot: &Slot) -> Result<(), Failed> {
    let _card = Card::insert(slot)?;
    let atr = slot.run("opensc-tool", ["--reader", "0", "--atr"])?.success()?;
    assert_eq!(atr.trim(), "3b:e0:00:ff:81:31:fe:45:14");
    Ok(())
}

fn opensc_finds_what_is_on_the_card(slot: &Slot) -> Result<(), Failed> {
    let _card = Card::insert(slot)?;
    let dump = slot.run("pkcs15-tool", ["--dump"])?.success()?;
    let count = |kind: &str| dump.lines().filter(|line| line.starts_with(kind)).count();
    assert_eq!(count("X.509 Certificate ["), 4, "{dump}");
    assert_eq!(count("Private RSA Key ["), 2, "{dump}");
    assert_eq!(count("PIN ["), 2, "{dump}");
    assert_eq!(dump.matches("ModLength      : 2048").count(), 2, "{dump}");
    Ok(())
}

fn all_four_certificates_are_read(slot: &Slot) -> Result<(), Failed> {
    let _card = Card::insert(slot)?;
    let mut subjects = Vec::new();
    for credential in [AUTHENTICATION, SIGNATURE] {
        for file in [credential.read_certificate(slot)?, credential.read_ca_certificate(slot)?] {
            let subject = ["x509", "-in", &file, "-noout", "-subject"];
            subjects.push(slot.run("openssl", subject)?.success()?);
        }
    }
    subjects.sort();
    subjects.dedup();
    assert_eq!(subjects.len(), 4, "each of the four is somebody else's: {subjects:?}");
    Ok(())
}

fn signature_certificate_needs_its_password(slot: &Slot) -> Result<(), Failed> {
    let _card = Card::insert(slot)?;
    let read = ["--read-certificate", SIGNATURE.id];
    let said = slot.run("pkcs15-tool", read)?.refusal()?;
    assert!(!said.contains("BEGIN CERTIFICATE"), "{said}");
    let with_the_other_pin =
        ["--verify-pin", "--auth-id", AUTHENTICATION.id, "--pin", AUTHENTICATION.pin].into_iter().chain(read);
    let said = slot.run("pkcs15-tool", with_the_other_pin)?.refusal()?;
    assert!(!said.contains("BEGIN CERTIFICATE"), "{said}");
    SIGNATURE.read_certificate(slot)?; // last: a password once verified stays so while the card has power
    Ok(())
}

fn each_certificate_has_its_authority(slot: &Slot) -> Result<(), Failed> {
    let _card = Card::insert(slot)?;
    let verify = |certificate: &str, authority: &str| {
        slot.run("openssl", ["verify", "-no-CApath", "-no-CAstore", "-CAfile", authority, certificate])
    };
    let [auth, sign] = [AUTHENTICATION.read_certificate(slot)?, SIGNATURE.read_certificate(slot)?];
    let [auth_ca, sign_ca] =
        [AUTHENTICATION.read_ca_certificate(slot)?, SIGNATURE.read_ca_certificate(slot)?];
    verify(&auth, &auth_ca)?.success()?;
    verify(&sign, &sign_ca)?.success()?;
    verify(&auth, &sign_ca)?.refusal()?;
    verify(&sign, &auth_ca)?.refusal()?;
    Ok(())
}

fn authentication_key_signs(slot: &Slot) -> Result<(), Failed> {
    let _card = Card::insert(slot)?;
    AUTHENTICATION.sign_and_verify(slot)
}

fn signature_key_signs(slot: &Slot) -> Result<(), Failed> {
    let _card = Card::insert(slot)?;
    SIGNATURE.sign_and_verify(slot)
}

fn a_wrong_pin_costs_one_try(slot: &Slot) -> Result<(), Failed> {
    let _card = Card::insert(slot)?;
    assert_eq!(tries_left(slot)?, [3, 5]);
    AUTHENTICATION.log_in_wrongly(slot)?;
    assert_eq!(tries_left(slot)?, [2, 5]);
    SIGNATURE.log_in_wrongly(slot)?;
    assert_eq!(tries_left(slot)?, [2, 4]);
    AUTHENTICATION.log_in(slot, AUTHENTICATION.pin)?.success()?;
    assert_eq!(tries_left(slot)?, [3, 4]);
    SIGNATURE.log_in(slot, SIGNATURE.pin)?.success()?;
    assert_eq!(tries_left(slot)?, [3, 5]);
    Ok(())
}

fn three_wrong_pins_lock(slot: &Slot) -> Result<(), Failed> {
    let _card = Card::insert(slot)?;
    for left in [2, 1, 0] {
        AUTHENTICATION.log_in_wrongly(slot)?;
        assert_eq!(tries_left(slot)?, [left, 5]);
    }
    assert_eq!(locked(slot)?, [true, false]);
    AUTHENTICATION.log_in(slot, AUTHENTICATION.pin)?.refusal()?;
    assert_eq!(tries_left(slot)?, [0, 5]);
    SIGNATURE.sign_and_verify(slot)
}

fn five_wrong_passwords_lock(slot: &Slot) -> Result<(), Failed> {
    let _card = Card::insert(slot)?;
    for left in [4, 3, 2, 1, 0] {
        SIGNATURE.log_in_wrongly(slot)?;
        assert_eq!(tries_left(slot)?, [3, left]);
    }
    assert_eq!(locked(slot)?, [false, true]);
    SIGNATURE.log_in(slot, SIGNATURE.pin)?.refusal()?;
    assert_eq!(tries_left(slot)?, [3, 0]);
    AUTHENTICATION.sign_and_verify(slot)
}

/// Two programs, one after the other: what the first has opened is open for the second, unless the card was
/// without power in between.
fn a_dropped_connection_keeps_the_pin(slot: &Slot) -> Result<(), Failed> {
    const SELECT_JPKI: &str = "00A4040C0AD392F000260100000001";
    const SELECT_PIN: &str = "00A4020C020018";
    const RIGHT_PIN: &str = "002000800431323334";
    const SELECT_KEY: &str = "00A4020C020017";
    let sign = format!("802A008033{}{}00", "3031300D060960864801650304020105000420", "00".repeat(32));
    let _card = Card::insert(slot)?;
    let say = |commands: &[&str]| {
        let start = ["--reader", "0", "--card-driver", "default"];
        let commands = commands.iter().flat_map(|command| ["--send-apdu", command]);
        slot.run("opensc-tool", start.into_iter().chain(commands))?.success()
    };
    for (when_done, signs) in [("leave", true), ("unpower", false)] {
        slot.configure(&format!("reader_driver pcsc {{ disconnect_action = {when_done}; }}"))?;
        let said = say(&[SELECT_JPKI, SELECT_PIN, RIGHT_PIN])?;
        assert_eq!(said.matches("SW1=0x90, SW2=0x00").count(), 3, "{said}");
        let said = say(&[SELECT_KEY, &sign])?;
        assert_eq!(said.matches("SW1=0x90, SW2=0x00").count() == 2, signs, "{when_done}: {said}");
    }
    Ok(())
}

fn a_spent_try_survives_a_kill(slot: &Slot) -> Result<(), Failed> {
    let card = Card::insert_with_state(slot)?;
    AUTHENTICATION.log_in_wrongly(slot)?;
    card.kill()?;
    let _card = Card::insert_with_state(slot)?;
    assert_eq!(tries_left(slot)?, [2, 5]);
    Ok(())
}

fn a_lock_survives_a_kill(slot: &Slot) -> Result<(), Failed> {
    let card = Card::insert_with_state(slot)?;
    for _ in 0..3 {
        AUTHENTICATION.log_in_wrongly(slot)?;
    }
    card.kill()?;
    let _card = Card::insert_with_state(slot)?;
    assert_eq!(tries_left(slot)?, [0, 5]);
    AUTHENTICATION.log_in(slot, AUTHENTICATION.pin)?.refusal()?;
    SIGNATURE.sign_and_verify(slot)
}

fn without_a_state_file_every_card_is_fresh(slot: &Slot) -> Result<(), Failed> {
    let card = Card::insert(slot)?;
    AUTHENTICATION.log_in_wrongly(slot)?;
    card.kill()?;
    let _card = Card::insert(slot)?;
    assert_eq!(tries_left(slot)?, [3, 5]);
    Ok(())
}

fn a_card_leaves_cleanly(slot: &Slot) -> Result<(), Failed> {
    for signal in ["TERM", "INT"] {
        let card = Card::insert(slot)?;
        let status = card.end_by(signal)?;
        assert!(status.success(), "vmyna serve ended on SIG{signal} with {status}");
        slot.await_empty()?;
    }
    Ok(())
}

fn opensc_is_recorded_and_replays(slot: &Slot) -> Result<(), Failed> {
    let file = slot.path("opensc.yaml").display().to_string();
    for masked in [&[][..], &["--mask"]] {
        let card = Card::record(slot, &file, masked)?;
        slot.run("pkcs15-tool", ["--dump"])?.success()?;
        AUTHENTICATION.log_in_wrongly(slot)?;
        AUTHENTICATION.sign_and_verify(slot)?;
        SIGNATURE.sign_and_verify(slot)?;
        SIGNATURE.read_certificate(slot)?;
        let status = card.end_by("INT")?;
        assert!(status.success(), "vmyna record ended with {status}");

        let recorded = fs::read_to_string(&file)?;
        let unspaced: String = recorded.chars().filter(|c| !c.is_whitespace()).collect();
        for pin in [AUTHENTICATION.pin, SIGNATURE.pin, "4321", "CBA321"] {
            let bytes: String = pin.bytes().map(|byte| format!("{byte:02X}")).collect();
            assert!(!recorded.contains(pin) && !unspaced.contains(&bytes), "{pin} is in it:\n{recorded}");
        }
        for lifted in [
            "- select: jpki",
            "- certificate: {of: user_authentication}",
            "- verify: {pin: user_authentication, value: wrong",
            "- verify: {pin: user_authentication, value: right",
            "- verify: {pin: digital_signature, value: right",
            "- sign: {key: user_authentication, data: {hex:",
        ] {
            assert!(recorded.contains(lifted), "{lifted} is not in it:\n{recorded}");
        }
        let replayed = Command::new(env!("CARGO_BIN_EXE_vmyna")).args(["run", &file]).output()?;
        let told = String::from_utf8_lossy(&replayed.stdout);
        assert!(
            replayed.status.success() && told.trim_end().ends_with("1 passed, 0 failed, 0 skipped"),
            "{told}"
        );
        fs::remove_file(&file)?;
        slot.await_empty()?;
    }
    Ok(())
}
