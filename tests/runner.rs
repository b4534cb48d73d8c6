//! `vmyna run` as a process against cards that are not built in: our own over the socket, in both
//! directions; one started anew for each scenario; one that may be real; one that leaves; and one written
//! by other hands.

#[path = "runner/guarded.rs"]
mod guarded;
#[path = "runner/played.rs"]
mod played;
mod process;

use played::{play, start};
use process::reader::{AUTHENTICATION_PIN, Terminal, connect};
use process::{Ended, Folder, ReservedPort, Running, assert_no_pin_in, run, vmyna};
use rustix::process::Signal;
use std::collections::{HashMap, HashSet};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use vmyna::requirement::Requirements;
use vmyna::run::{Cost, Plan};
use vmyna::scenario;
use vmyna_sim::card::VirtualCard;
use vmyna_sim::profile::Profile;
use vmyna_sim::smart_card::{Leaving, Power, Reaction, SmartCard};

fn counts(ended: &Ended) -> [usize; 3] {
    let words: Vec<_> = ended.closing_line().split([' ', ',']).filter_map(|word| word.parse().ok()).collect();
    words.try_into().unwrap_or_else(|_| panic!("no closing line:\n{}", ended.all()))
}

/// The ids of the report with their marks, in its order.
fn reported(ended: &Ended) -> Vec<(&str, &str)> {
    let marks = ["ok", "ok*", "skip", "n/a", "FAIL", "LOST"];
    ended
        .stdout
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (mark, id) = (words.next()?, words.next()?);
            (marks.contains(&mark) && id.contains('.')).then_some((mark, id))
        })
        .collect()
}

/// The scenarios about the card of somebody else than hanako, whose state her card may lack, those about
/// another kind of card, and flows and faults, which are played with built-in cards only.
fn not_for_this_card() -> HashSet<String> {
    let scenarios = scenario::built_in(&Requirements::built_in()).into_iter();
    let others = scenarios.filter(|scenario| {
        scenario.holder != "hanako"
            || scenario.profile.is_some()
            || scenario.flow.is_some()
            || scenario.has_faults()
    });
    others.map(|scenario| scenario.id).collect()
}

fn costs() -> HashMap<String, Cost> {
    let full = Profile::card().tries;
    let scenarios = scenario::built_in(&Requirements::built_in());
    scenarios.iter().map(|scenario| (scenario.id.clone(), Plan::of(scenario, full).cost())).collect()
}

#[test]
fn our_own_served_card_passes_without_a_guard_and_lockouts_come_last() {
    let mut running = Running::start(&mut vmyna(["run", "--card", "vpcd:0"]));
    let port = running.tells_port("waiting for a virtual card on");
    let card = Running::start(&mut vmyna(["serve", "--connect", &format!("127.0.0.1:{port}")]));
    let ended = running.ends();
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert!(
        ended.stdout.contains("issued by JPKI-VMYNA-TEST: a simulator; user_authentication has 3 tries left")
    );
    let (costs, others, reported) = (costs(), not_for_this_card(), reported(&ended));
    assert_eq!(reported.len(), costs.len());
    let order: Vec<Cost> = reported.iter().map(|(_, id)| costs[*id]).collect();
    assert!(order.is_sorted(), "{order:?}");
    for (mark, id) in reported {
        let may_be_skipped = costs[id] == Cost::LockingOut || others.contains(id);
        assert!(mark.starts_with("ok") || may_be_skipped, "{mark} {id}\n{}", ended.stdout);
    }
    card.signal(Signal::TERM);
    assert_eq!(card.ends().code, Some(0));
}

#[test]
fn a_card_that_listens_is_reached_and_found_again_by_the_next_run() {
    let mut card = Running::start(&mut vmyna(["serve", "--listen", "127.0.0.1:0"]));
    let port = card.tells_port("listening for a reader on 127.0.0.1:");
    let seat = format!("vicc:127.0.0.1:{port}");
    for _ in 0..2 {
        let ended = run(&mut vmyna(["run", "--card", &seat, "--tag", "jpki and not lockout and not pin"]));
        assert_eq!(ended.code, Some(0), "{}", ended.all());
        let [passed, failed, skipped] = counts(&ended);
        assert!(passed > 20 && failed + skipped == 0, "{}", ended.stdout);
    }
    assert_eq!(connect(port).atr().unwrap().first(), Some(&0x3B), "it still listens");
}

#[test]
fn a_card_started_anew_for_each_scenario_meets_every_precondition() {
    let reader = ReservedPort::new();
    let port = reader.number();
    let command = format!("exec '{}' serve --connect 127.0.0.1:{port}", env!("CARGO_BIN_EXE_vmyna"));
    let ended = run(&mut vmyna(["run", "--card", &format!("vpcd:{port}"), "--fresh", &command]));
    let [passed, failed, skipped] = counts(&ended);
    assert_eq!((failed, passed + skipped), (0, costs().len()), "{}", ended.all());
    let others = not_for_this_card();
    for (mark, id) in reported(&ended) {
        assert!(mark.starts_with("ok") || others.contains(id), "{mark} {id}\n{}", ended.all());
    }
    assert_eq!(ended.code, Some(0));
}

#[test]
fn several_cards_that_are_started_anew_are_played_at_once_and_told_in_one_order() {
    let folder = Folder::new();
    let vmyna = env!("CARGO_BIN_EXE_vmyna");
    let command = format!("echo $VMYNA_JOB >>jobs; exec '{vmyna}' serve --connect 127.0.0.1:$VMYNA_PORT");
    let selection = ["run", "--tag", "change or lockout", "--card", "vpcd:0", "--fresh", &command];
    let one = run(&mut folder.vmyna(selection));
    let two = run(&mut folder.vmyna(selection.into_iter().chain(["--jobs", "2"])));
    assert_eq!((one.code, two.code), (Some(0), Some(0)), "{}", two.all());
    assert_eq!(reported(&one), reported(&two));
    assert!(counts(&two)[0] > 10, "{}", two.all());
    let jobs = std::fs::read_to_string(folder.path().join("jobs")).expect("cards were started");
    assert!(jobs.lines().filter(|job| *job == "2").count() > 1, "{jobs}");
}

#[test]
fn several_cards_at_one_port_are_refused_with_the_way_out() {
    let folder = Folder::new();
    let told = |arguments: &[&str]| folder.refusal(["run"].iter().chain(arguments));
    let fresh = ["--jobs", "2", "--fresh", "my-card --connect 127.0.0.1:35963"];
    let at_one_port = told(&[&["--card", "vpcd"][..], &fresh].concat());
    assert!(at_one_port.contains("VMYNA_PORT: --fresh 'my-card --connect"), "{at_one_port}");
    let in_one_reader = told(&[&["--card", "pcsc"][..], &fresh].concat());
    assert!(in_one_reader.contains("that takes --card vpcd or vicc"), "{in_one_reader}");
    let built_in = told(&["--fresh", "my-card"]);
    assert!(built_in.contains("a fresh one for each scenario already"), "{built_in}");
}

#[test]
fn a_fresh_command_that_does_not_bring_a_card_is_no_card() {
    let ended = run(&mut vmyna(["run", "--card", "vpcd:0", "--wait", "0", "--fresh", "exit 7"]));
    assert_eq!(ended.code, Some(3), "{}", ended.all());
}

/// Leaves the reader at its first command `at`, and says so.
struct Leaves<C> {
    card: C,
    at: &'static [u8],
    left: Option<Sender<()>>,
}

impl<C: SmartCard> SmartCard for Leaves<C> {
    fn atr(&mut self) -> Reaction {
        self.card.atr()
    }

    fn power(&mut self, power: Power) {
        self.card.power(power);
    }

    fn transmit(&mut self, command: &[u8]) -> Reaction {
        if command == self.at {
            self.at = b"";
            let _ = self.left.take().map(|left| left.send(()));
            return Reaction::Leave(Leaving::Close);
        }
        self.card.transmit(command)
    }
}

const STEPS: [&str; 3] = [
    "atr: {expect: \"3B ...\"}",
    "verify: {pin: user_authentication, value: right}",
    "verify: {pin: digital_signature, value: right}",
];

/// Three scenarios, of which the second and the third present a right PIN.
fn three(folder: &Folder) -> String {
    for (index, (id, step)) in ["trial.one", "trial.two", "trial.three"].iter().zip(STEPS).enumerate() {
        let head = format!(
            "id: {id}\ntitle: {{ja: 試し, en: a trial}}\ncovers: [PIN-01]\nsteps:\n  - select: jpki\n"
        );
        folder.write(&format!("{index}.yaml"), format!("{head}  - {step}\n"));
    }
    folder.path().display().to_string()
}

#[test]
fn a_link_lost_in_mid_run_is_told_as_such_and_the_rest_goes_on_when_the_card_comes_back() {
    let folder = Folder::new();
    let at = b"\x00\x20\x00\x80\x041234";
    let (ended, _card) =
        play(Leaves { card: VirtualCard::built_in("hanako").unwrap(), at, left: None }, &[&three(&folder)]);
    assert_eq!(ended.code, Some(1));
    insta::assert_snapshot!(ended.stdout.replace(&folder.path().display().to_string(), "[folder]"), @"
    3 scenarios: 1 only read, 2 present PINs and refill the counters, 0 change a PIN and change it back, 0 leave tries spent or a PIN blocked
      user_authentication: the right value once, no wrong one
      digital_signature: the right value once, no wrong one
      unless its certificate names JPKI-VMYNA-TEST, the card may be real. Then counters are read first, and of these scenarios 2 are held back, which leaves:
      no PIN is presented, and none is changed
      wrong PINs: not without --spend-tries; PIN changes: not without --change-pins; right PINs: not without --holder or --ask-pins
    the card's certificates were issued by JPKI-VMYNA-TEST: a simulator; user_authentication has 3 tries left, digital_signature has 5 tries left
     ok   trial.one  a trial
    LOST  trial.two  a trial
           [folder]/1.yaml:6:5
           the card left the reader: it closed the connection
     ok   trial.three  a trial

    2 passed, 1 failed, 0 skipped
    ");
}

#[test]
fn a_card_that_does_not_come_back_is_waited_for_once() {
    let at = b"\x00\x20\x00\x80\x041234";
    let (left, has_left) = channel();
    let card = Leaves { card: VirtualCard::built_in("hanako").unwrap(), at, left: Some(left) };
    let (running, card) = start(card, &["--wait", "2"]);
    has_left.recv().unwrap();
    drop(card);
    let ended = running.ends();
    assert_eq!(ended.code, Some(1));
    let [passed, failed, skipped] = counts(&ended);
    assert!(passed > 10 && failed == 1 && skipped > 10, "{}", ended.stdout);
    assert!(ended.stdout.contains("the card did not come back"), "{}", ended.stdout);
}

#[test]
fn a_scenario_of_a_holder_that_nobody_knows_is_refused_before_anything_is_sent() {
    let folder = Folder::new();
    three(&folder);
    let head = "id: trial.four\ntitle: {ja: 試し, en: a trial}\ncovers: [PIN-01]\nholder: jiro\nsteps:\n";
    folder.write("3.yaml", format!("{head}  - select: jpki\n"));
    let told = folder.refusal(["run", ".", "--card", "vpcd:0", "--wait", "0"]);
    insta::assert_snapshot!(told, @r#"
    error: ./3.yaml:4:9: there is no built-in holder "jiro"; built in are: abroad, blocked, child, expired, face-authentication, generation-current, generation-oldest, generation-previous, hanako, last-try, moved, not-yet-valid, on-hold, renewed, revoked, substituted, taro. --holder FILE takes another for all scenarios
    exit code 2
    "#);
}

/// Taken from the folder of this repository; Python makes its keys with the `openssl` command.
const PLAIN_CARD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/peers/plain_card.py");

#[test]
fn a_card_by_other_hands_is_found_right() {
    let folder = Folder::new();
    let pins = "person: {name: 試験　太郎, birth: 2001-02-03}\n\
                pins: {user_authentication: \"9876\", digital_signature: XYZ789, resident_register: \"9876\"}\n";
    let holder = folder.write("theirs.yaml", pins).display().to_string();
    let mut command = Command::new("python3");
    command
        .args([PLAIN_CARD, "--listen", "127.0.0.1:0", "--keys"])
        .arg(folder.path().join("keys"))
        .stdin(Stdio::null());
    let python = Command::new("python3").arg("--version").output();
    assert!(
        python.is_ok_and(|python| python.status.success()),
        "python3 IS MISSING, and without it the independent card of tests/peers cannot be asked. Install python3."
    );
    let mut card = Running::start(&mut command);
    let port = card.says("listening ").replace("listening ", "");
    let seat = format!("vicc:127.0.0.1:{port}");
    let guarded = run(&mut vmyna(["run", "--card", &seat, "--holder", &holder]));
    assert_eq!(guarded.code, Some(0), "{}", guarded.all());
    let mine = run(&mut vmyna(["run", "--card", &seat, "--holder", &holder, "--mine"]));
    assert_eq!(mine.code, Some(0), "{}", mine.all());
    assert!(counts(&mine)[0] > counts(&guarded)[0], "{}", mine.all());
    assert_no_pin_in(&format!("{}{}", guarded.all(), mine.all()), &["9876", "XYZ789"]);
}

#[test]
fn a_fault_strikes_the_step_that_it_stands_beside_on_the_built_in_card_and_on_no_other() {
    let folder = Folder::new();
    folder.write(
        "torn.yaml",
        "id: trial.torn
title: {ja: 抜かれたカード, en: A card that is pulled out}
covers: [PIN-03]
steps:
  - select: jpki
  - verify: {pin: user_authentication, value: wrong, expect: {tries_left: 2}}
  - verify: {pin: user_authentication, value: right}
  - verify: {pin: user_authentication, value: wrong, expect: {tries_left: 2}}
    fault: remove=after@verify
  - select: jpki
  - tries_left: {of: user_authentication, expect: 2}
  - verify: {pin: user_authentication, value: wrong, expect: {sw: \"6581\"}}
    fault: [delay=2s, \"status=6581@verify\"]
  - tries_left: {of: user_authentication, expect: 2}
",
    );
    folder.write(
        "idle.yaml",
        "id: trial.idle
title: {ja: 起きない障害, en: A fault that has no command to strike}
covers: [PIN-03]
steps:
  - select: jpki
    fault: status=6F00@sign
",
    );
    let idle = run(&mut folder.vmyna(["run", "idle.yaml"]));
    assert_eq!(idle.closing_line(), "0 passed, 1 failed, 0 skipped", "{}", idle.all());
    assert!(idle.stdout.contains("idle.yaml:5:"), "{}", idle.stdout);
    assert!(idle.stdout.contains("it does not: the step sends no such command"), "{}", idle.stdout);
    let ended = run(&mut folder.vmyna(["run", "torn.yaml"]));
    assert_eq!(
        (ended.code, ended.closing_line()),
        (Some(0), "1 passed, 0 failed, 0 skipped"),
        "{}",
        ended.all()
    );

    let mut card = Running::start(&mut vmyna(["serve", "--listen", "127.0.0.1:0"]));
    let port = card.tells_port("listening for a reader on 127.0.0.1:");
    let ended =
        run(&mut folder.vmyna(["run", "torn.yaml", "--card", &format!("vicc:127.0.0.1:{port}"), "--mine"]));
    assert_eq!(ended.closing_line(), "0 passed, 0 failed, 1 skipped", "{}", ended.all());
    assert!(ended.stdout.contains("a fault is for the built-in card only"), "{}", ended.stdout);
    // Not even the step before the fault, which would have spent a try, is played.
    assert_eq!(Terminal::power_on(connect(port)).tries_left(AUTHENTICATION_PIN), 0x63C3);
}

#[test]
fn a_flow_whose_card_was_to_suffer_what_never_came_fails_at_its_end() {
    let folder = Folder::new();
    folder.write(
        "idle.yaml",
        "id: trial.idle
title: {ja: 起きない障害, en: A fault that has no command to strike}
covers: [FLOW-08]
platform: ios
steps:
  - open: top
  - press: start_inquiry
  - press: authenticate
  - present: {pin: right, suffering: [delay=1s@sign, status=6F00@change-pin]}
",
    );
    let idle = run(&mut folder.vmyna(["run", "idle.yaml", "--lang", "en"]));
    assert_eq!(idle.closing_line(), "0 passed, 1 failed, 0 skipped", "{}", idle.all());
    assert!(idle.stdout.contains("expected: status=6F00@change-pin strikes"), "{}", idle.stdout);
    assert!(idle.stdout.contains("the flow sends the card no such command"), "{}", idle.stdout);
}
