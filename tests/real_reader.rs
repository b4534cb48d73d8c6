//! `vmyna run --card pcsc` through pcscd, against a card in this process that writes down what arrives
//! at it: what the guard promises is proven by what a card behind a reader has seen. Needs the
//! feature `pcsc`, and pcscd's virtual reader as `pcsc.rs` does.

// The command line tests' view of a process, and the PC/SC tests' view of a reader.
#[path = "portal_support/mod.rs"]
mod portal;
mod process;
#[path = "real_reader/sharing.rs"]
mod sharing;
mod support;
#[path = "real_reader/t0_card.rs"]
mod t0_card;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use process::foreign_card::{ForeignCard, OFFICIAL_TEST};
use process::in_hand::{Held, InHand};
use process::{Ended, Folder, Running, assert_no_pin_in, run, vmyna};
use std::env;
use std::process::ExitCode;
use std::thread;
use support::reader::{Slot, VirtualReader};
use vmyna::terminal::own_pin;
use vmyna_sim::card::VirtualCard;
use vmyna_sim::holder::Holder;
use vmyna_sim::pin::PinName;
use vmyna_sim::smart_card::SmartCard;

type Test = fn(&Slot) -> Result<(), Failed>;

const TESTS: [(&str, Test); 17] = [
    ("without the holder no PIN reaches the card", without_the_holder_no_pin_arrives),
    ("with the holder only right PINs reach the card", with_the_holder_only_right_pins_arrive),
    ("consent without the holder lets no PIN through", consent_alone_lets_no_pin_through),
    ("a right PIN that is refused ends all presenting", a_refused_right_pin_ends_presenting),
    ("a PIN that the holder's file leaves to its default is not presented", a_default_is_no_pin),
    ("wrong values of the other applications' PINs do not arrive", other_applications_are_guarded),
    ("an official test card is guarded like a citizen's", an_official_test_card_is_guarded),
    ("a simulator of ours is not guarded", a_simulator_is_not_guarded),
    ("a card that comes within the wait is played", a_card_that_comes_is_played),
    ("an empty reader is no card, and an unknown one is told with the list", an_empty_reader_is_no_card),
    ("a card that another program has alone is told as such", a_card_held_alone_is_told),
    ("nobody speaks to the card within a scenario", sharing::nobody_comes_between),
    ("a card is had alone once nobody else has it", sharing::a_card_is_had_alone_once_it_is_free),
    ("answers over T=0 are fetched below the scenario", t0_card::answers_are_fetched),
    ("the portal's phone reads the card in a reader", the_portals_phone_reads_the_card),
    ("`vmyna wait --reader` ends when PC/SC shows the card", waiting_ends_when_the_card_is_shown),
    ("the plan comes before the first command, and the reader is named", the_plan_comes_first),
];

fn main() -> ExitCode {
    let reader = VirtualReader::find();
    let required = env::var_os("VMYNA_REQUIRE_PCSC").is_some_and(|value| value == "1");
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

/// Puts `card` into the slot and waits until the reader has powered it.
fn insert(slot: &Slot, card: impl SmartCard + 'static) -> InHand {
    InHand::connect(card, slot.port).until_ready()
}

/// The seat of the slot, and the scenarios: few enough to be quick, of every cost.
fn arguments<'a>(slot: &Slot, more: &[&'a str]) -> Vec<String> {
    let mut arguments = vec!["run".to_owned(), "--card".to_owned(), format!("pcsc:{}", slot.name)];
    arguments.extend(more.iter().map(|more: &&'a str| (*more).to_owned()));
    arguments
}

fn play(slot: &Slot, more: &[&str]) -> Ended {
    run(&mut vmyna(arguments(slot, more)))
}

const PINS_AND_CHANGES: [&str; 2] = ["--tag", "pin or change"];

fn without_the_holder_no_pin_arrives(slot: &Slot) -> Result<(), Failed> {
    let card = insert(slot, ForeignCard::of("hanako"));
    let ended = play(slot, &PINS_AND_CHANGES);
    assert_eq!(card.pin_commands(), Vec::<Vec<u8>>::new(), "{}", ended.all());
    assert!(card.count() > 20, "it was asked other things\n{}", ended.all());
    assert!(ended.stdout.contains("the card may be real: it is guarded"), "{}", ended.all());
    Ok(())
}

fn with_the_holder_only_right_pins_arrive(slot: &Slot) -> Result<(), Failed> {
    let card = insert(slot, ForeignCard::of("hanako"));
    let ended = play(slot, &[&PINS_AND_CHANGES[..], &["--holder", "hanako"]].concat());
    assert!(!card.pin_commands().is_empty(), "{}", ended.all());
    let hanako = Holder::built_in("hanako").ok_or("hanako is built in")?;
    let right = PinName::ALL.map(|pin| own_pin(&hanako, pin));
    for command in card.pin_commands() {
        let is_right = right.iter().any(|right| right.matches(&command[5..]));
        assert!(command[1] == 0x20 && is_right, "{command:02X?}\n{}", ended.all());
    }
    assert_no_pin_in(&ended.all(), &["ABC123", "ABC124"]);
    Ok(())
}

fn consent_alone_lets_no_pin_through(slot: &Slot) -> Result<(), Failed> {
    let card = insert(slot, ForeignCard::of("hanako"));
    let ended = play(slot, &[&PINS_AND_CHANGES[..], &["--spend-tries", "--change-pins"]].concat());
    assert_eq!(card.pin_commands(), Vec::<Vec<u8>>::new(), "{}", ended.all());
    Ok(())
}

fn a_refused_right_pin_ends_presenting(slot: &Slot) -> Result<(), Failed> {
    let folder = Folder::new();
    let holder = "person: {name: 試験　太郎, birth: 2001-02-03}\n\
                  pins: {user_authentication: \"8642\", digital_signature: QX7RT9}\n";
    let holder = folder.write("taro.yaml", holder).display().to_string();
    let card = insert(slot, ForeignCard::of("hanako"));
    for consent in [&[][..], &["--spend-tries", "--change-pins"]] {
        let before = card.pin_commands().len();
        let ended = play(slot, &[&PINS_AND_CHANGES[..], &["--holder", &holder], consent].concat());
        let sent = card.pin_commands().split_off(before);
        let is_right = |command: &&Vec<u8>| command[5..] == *b"8642" || command[5..] == *b"QX7RT9";
        let right: Vec<_> = sent.iter().filter(is_right).collect();
        assert_eq!(right.len(), 1, "{sent:02X?}\n{}", ended.all());
        assert_eq!(sent.last(), right.last().copied(), "and nothing came after it\n{}", ended.all());
        assert_no_pin_in(&ended.all(), &["8642", "QX7RT9"]);
    }
    Ok(())
}

fn a_default_is_no_pin(slot: &Slot) -> Result<(), Failed> {
    let folder = Folder::new();
    // Hanako's PINs are the defaults: presented as such they would be right, and still a guess.
    let holder = folder.write("me.yaml", "person: {name: 試験　太郎, birth: 2001-02-03}\n");
    let card = insert(slot, ForeignCard::of("hanako"));
    let ended = play(slot, &[&PINS_AND_CHANGES[..], &["--holder", &holder.display().to_string()]].concat());
    // The date of birth is told, and is the value of a PIN too.
    let only_what_is_told = card.pin_commands().iter().all(|command| command[5..] == *b"130203");
    assert!(only_what_is_told, "{}", ended.all());
    assert!(ended.stdout.contains("of birth_date"), "{}", ended.all());
    Ok(())
}

/// One scenario for each wrong value that must not arrive: by file, by short identifier, by bytes.
const OTHER_APPLICATIONS: [(&str, &str); 6] = [
    ("text", "  - verify: {pin: text_input, value: wrong, expect: {tries_left: 2}}\n"),
    ("text", "  - verify: {pin: text_code_a, value: wrong, by: sfi, expect: {tries_left: 9}}\n"),
    ("visual", "  - transmit: {apdu: \"00 20 00 91 06 30 30 30 30 30 30\", expect: {sw: \"63C?\"}}\n"),
    ("visual", "  - verify: {pin: visual_code_b, value: wrong, expect: {tries_left: 9}}\n"),
    ("juki", "  - transmit: {apdu: \"80 32 00 9C 04 30 30 30 30\", expect: {sw: \"6982\"}}\n"),
    ("text", "  - transmit: {apdu: \"08 20 00 91 06 86 04 01 30 30 30\", expect: {sw: \"69FC\"}}\n"),
];

fn other_applications_are_guarded(slot: &Slot) -> Result<(), Failed> {
    let folder = Folder::new();
    for (index, (application, step)) in OTHER_APPLICATIONS.iter().enumerate() {
        let head =
            format!("id: trial.t{index}\ntitle: {{ja: 試し, en: a trial}}\ncovers: [PIN-01]\nsteps:\n");
        folder.write(&format!("{index}.yaml"), format!("{head}  - select: {application}\n{step}"));
    }
    let path = folder.path().display().to_string();
    let card = insert(slot, ForeignCard::of("hanako"));
    let ended = play(slot, &[&path, "--holder", "hanako"]);
    assert_eq!(card.pin_commands(), Vec::<Vec<u8>>::new(), "{}", ended.all());
    assert_eq!(ended.closing_line(), "0 passed, 0 failed, 6 skipped", "{}", ended.all());
    assert_eq!(ended.code, Some(3));
    Ok(())
}

fn an_official_test_card_is_guarded(slot: &Slot) -> Result<(), Failed> {
    let card = insert(slot, ForeignCard::issued_by(OFFICIAL_TEST, "hanako"));
    let ended = play(slot, &PINS_AND_CHANGES);
    assert_eq!(card.pin_commands(), Vec::<Vec<u8>>::new(), "{}", ended.all());
    assert!(ended.stdout.contains("the card may be real: it is guarded"), "{}", ended.all());
    Ok(())
}

fn a_simulator_is_not_guarded(slot: &Slot) -> Result<(), Failed> {
    let card = insert(slot, VirtualCard::built_in("hanako")?);
    let ended = play(slot, &["--tag", "pin and not lockout"]);
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert!(card.pin_commands().iter().any(|command| command[5..] == *b"1235"), "wrong values as well");
    Ok(())
}

fn a_card_that_comes_is_played(slot: &Slot) -> Result<(), Failed> {
    slot.await_empty()?;
    let mut running = Running::start(&mut vmyna(arguments(slot, &["--tag", "challenge", "--wait", "60"])));
    running.says("scenarios: ");
    let _card = InHand::connect(VirtualCard::built_in("hanako")?, slot.port);
    let ended = running.ends();
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    Ok(())
}

fn waiting_ends_when_the_card_is_shown(slot: &Slot) -> Result<(), Failed> {
    slot.await_empty()?;
    let reader = format!("--reader={}", slot.name);
    let in_vain = run(&mut vmyna(["wait", &reader, "--wait", "0.1"]));
    assert_eq!(in_vain.code, Some(3), "{}", in_vain.all());
    assert!(in_vain.stderr.contains("no card in the reader"), "{}", in_vain.all());
    let waiting = Running::start(&mut vmyna(["wait", &reader, "--wait", "30"]));
    let _card = InHand::connect(VirtualCard::built_in("hanako")?, slot.port);
    let ended = waiting.ends();
    assert_eq!((ended.code, ended.all().as_str()), (Some(0), ""));
    let listed = slot.run("opensc-tool", ["--list-readers"])?.success()?;
    let line = listed.lines().find(|line| line.contains(slot.name)).unwrap_or_default();
    assert_eq!(line.split_whitespace().nth(1), Some("Yes"), "{listed}");
    Ok(())
}

fn an_empty_reader_is_no_card(slot: &Slot) -> Result<(), Failed> {
    slot.await_empty()?;
    let ended = play(slot, &["--wait", "0"]);
    assert_eq!(ended.code, Some(3), "{}", ended.all());
    assert!(
        ended.stderr.contains(&format!("no card in the reader {:?}; put one in", slot.name)),
        "{}",
        ended.all()
    );
    let unknown = run(&mut vmyna(["run", "--card", "pcsc:No Such Reader", "--wait", "0"]));
    assert_eq!(unknown.code, Some(3), "{}", unknown.all());
    assert!(
        unknown.stderr.contains("no reader's name has \"No Such Reader\" in it; there are:"),
        "{}",
        unknown.all()
    );
    assert!(unknown.stderr.contains(slot.name), "{}", unknown.all());
    Ok(())
}

fn a_card_held_alone_is_told(slot: &Slot) -> Result<(), Failed> {
    let (held, go) = Held::back(VirtualCard::built_in("hanako")?);
    let card = insert(slot, held);
    let mut alone = Running::start(&mut vmyna(arguments(slot, &["--exclusive", "--tag", "challenge"])));
    alone.says("scenarios: ");
    // It has the card once its first command has arrived.
    while card.count() == 0 {
        assert!(alone.is_running(), "it has ended early");
        thread::yield_now();
    }
    let other = play(slot, &["--tag", "challenge", "--wait", "0"]);
    go.send(())?;
    assert_eq!(other.code, Some(3), "{}", other.all());
    assert!(other.stderr.contains("another program uses the card alone"), "{}", other.all());
    let alone = alone.ends();
    assert_eq!(alone.code, Some(0), "{}", alone.all());
    Ok(())
}

fn the_plan_comes_first(slot: &Slot) -> Result<(), Failed> {
    let (held, go) = Held::back(VirtualCard::built_in("hanako")?);
    let card = insert(slot, held);
    let mut running = Running::start(&mut vmyna(arguments(slot, &["--tag", "challenge"])));
    running.says("scenarios: ");
    running.says("unless its certificate names JPKI-VMYNA-TEST, the card may be real");
    assert!(card.count() <= 1, "the first command is not answered yet");
    go.send(())?;
    let ended = running.ends();
    assert!(ended.stdout.contains(&format!("reader {:?}", slot.name)), "{}", ended.all());
    assert!(ended.stdout.contains("ATR 3B E0 00 FF 81 31 FE 45 14, T=1"), "{}", ended.all());
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    Ok(())
}

fn the_portals_phone_reads_the_card(slot: &Slot) -> Result<(), Failed> {
    let seat = format!("pcsc:{}", slot.name);
    let portal = portal::RunningPortal::start(&["--pace", "0", "--card", &seat]);
    let mut card = Running::start(&mut vmyna(["serve", "--connect", &format!("127.0.0.1:{}", slot.port)]));
    card.says("ready");
    portal::must_apply_with_the_card_in_the_seat(&portal);
    Ok(())
}
