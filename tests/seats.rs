//! Card seats on the command line: two cards side by side, a client's conversation written down, PINs
//! from a prompt, readers that this program was built without.

mod process;

use process::foreign_card::ForeignCard;
use process::reader::{AUTHENTICATION_PIN, Terminal, connect};
use process::{Folder, Running, assert_no_pin_in, run, vmyna};
use rustix::process::Signal;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use vmyna_sim::smart_card::{Power, Reaction, SmartCard};
use vmyna_sim::vpcd::{self, Address, Event, Mode, Shutdown};

#[test]
fn two_equal_cards_do_not_differ() {
    let ended = run(&mut vmyna(["diff", "sim", "sim"]));
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert!(ended.closing_line().ends_with(" same, 0 different, 0 not compared"), "{}", ended.all());
}

#[test]
fn a_served_card_does_not_differ_from_the_built_in_one() {
    let mut card = Running::start(&mut vmyna(["serve", "--listen", "127.0.0.1:0"]));
    let seat = format!("vicc:127.0.0.1:{}", card.tells_port("listening for a reader on 127.0.0.1:"));
    let ended =
        run(&mut vmyna(["diff", "sim@hanako", &seat, "--tag", "pin and not (lockout or sign) or challenge"]));
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert!(!ended.closing_line().starts_with("0 same"), "{}", ended.all());
}

#[test]
fn where_two_kinds_of_card_differ_is_shown_with_both_answers() {
    let folder = Folder::new();
    folder.write(
        "token.yaml",
        "id: trial.token\ntitle: {ja: 試し, en: a trial}\ncovers: [TOK-01]\nsteps:\n  - select: jpki\n  \
         - challenge: {length: 8}\n  - select: {file: \"0006\"}\n  - read_binary: {le: 10}\n",
    );
    let ended = run(&mut folder.vmyna(["diff", "sim", "sim:android", "token.yaml"]));
    assert_eq!(ended.code, Some(1));
    insta::assert_snapshot!(ended.stdout, @"
    DIFF trial.token  a trial
       4   > 00 B0 00 00 0A  READ BINARY offset 0, up to 10 bytes
         A < 4A 50 4B 49 41 50 49 43 43 54 90 00  (success)
         B < 4A 50 4B 49 41 50 47 50 53 45 90 00  (success)

    0 same, 1 different, 0 not compared
    ");
    let shape = run(&mut folder.vmyna(["diff", "sim", "sim:android", "token.yaml", "--shape"]));
    assert_eq!(shape.code, Some(0), "{}", shape.all());
}

#[test]
fn a_card_that_is_not_there_is_no_difference() {
    let ended = run(&mut vmyna(["diff", "sim", "vpcd:0", "--wait", "0"]));
    assert_eq!(ended.code, Some(3), "{}", ended.all());
    assert!(ended.stderr.contains("no card connected to"), "{}", ended.all());
    for (seat, why) in [
        ("vpcd:0", "に接続したカードがない。接続するカードを起動するか、--wait 秒 で長く待つ"),
        ("vicc:127.0.0.1:1", "127.0.0.1:1 にカードがない: 待ち受けているものがない。"),
    ] {
        let told = run(&mut vmyna(["run", "--card", seat, "--wait", "0", "--lang", "ja"]));
        assert_eq!(told.code, Some(3), "{}", told.all());
        assert!(told.stderr.contains(why), "{}", told.all());
    }
}

#[test]
fn a_card_that_goes_and_a_screen_that_lacks_what_a_step_wants_are_told_in_japanese() {
    let folder = Folder::new();
    let head = |id: &str| format!("id: trial.{id}\ntitle: {{ja: 試し, en: a trial}}\ncovers: [PIN-01]\n");
    folder.write(
        "screen.yaml",
        head("screen") + "platform: android\nsteps:\n  - open: top\n  - press: apply\n",
    );
    let ended = run(&mut folder.vmyna(["run", "screen.yaml", "--lang", "ja"]));
    insta::assert_snapshot!(ended.stdout, @"
    FAIL  trial.screen  試し
           screen.yaml:7:5  「申し込む」を押す
             |
           7 |   - press: apply
             |     ^
           PIN-01 正しい利用者証明用暗証番号の照合には 9000 を返す
           期待: 手順を行える画面
           実際: 画面「トップ」に「申し込む」ボタンがない
           画面: トップ
           │ ［利用を申し込む］
           │ ［申込状況を確認］

    0 passed, 1 failed, 0 skipped
    ");
    folder.write("gone.yaml", head("gone") + "steps:\n  - select: jpki\n  - challenge: {length: 8}\n");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--fault", "remove=half@challenge"];
    let mut card = Running::start(&mut vmyna(serve));
    let seat = format!("vicc:127.0.0.1:{}", card.tells_port("listening for a reader on 127.0.0.1:"));
    let ended = run(&mut folder.vmyna(["run", "gone.yaml", "--card", &seat, "--lang", "ja"]));
    insta::assert_snapshot!(ended.stdout, @"
    シナリオ 1 件: 読むだけ 1 件、暗証番号を照合して回数を戻す 0 件、暗証番号を変更して元に戻す 0 件、回数が減ったままか閉塞する 0 件
      証明書に JPKI-VMYNA-TEST とない限り、実カードかもしれない。そのときは先に残り回数を読む。シナリオのうち、差し控えるものはない
      誤った暗証番号: --spend-tries がなければ行わない、暗証番号の変更: --change-pins がなければ行わない、正しい暗証番号: --holder か --ask-pins がなければ照合しない
    証明書の発行者が JPKI-VMYNA-TEST なので、シミュレータである。利用者証明用電子証明書の暗証番号は残り 3 回、署名用電子証明書の暗証番号は残り 5 回
    LOST  trial.gone  試し
           gone.yaml:6:5
           カードとの通信が途絶えた: 応答の途中でカードがリーダーから離れた（12 バイト中 7 バイトまで届いた）

    0 passed, 1 failed, 0 skipped
    ");
}

/// `vmyna record` with the built-in card, and where its client may connect.
fn recording(folder: &Folder, arguments: &[&str]) -> (Running, u16) {
    let arguments = [&["record"], arguments, &["--listen", "127.0.0.1:0"]].concat();
    let mut recording = Running::start(&mut folder.vmyna(arguments));
    let port = recording.tells_port("listening for a reader on 127.0.0.1:");
    (recording, port)
}

#[test]
fn what_a_client_says_is_written_down_and_replays() {
    let folder = Folder::new();
    let (recording, port) = recording(&folder, &["client.yaml"]);
    let mut client = Terminal::power_on(connect(port));
    assert_eq!(client.tries_left(AUTHENTICATION_PIN), 0x63C3);
    assert_eq!(client.verify(AUTHENTICATION_PIN, "9999"), 0x63C2);
    assert_eq!(client.verify(AUTHENTICATION_PIN, "1234"), 0x9000);
    assert_eq!(client.change(AUTHENTICATION_PIN, "8642"), 0x9000);
    assert_eq!(client.verify(AUTHENTICATION_PIN, "8642"), 0x9000);
    recording.signal(Signal::INT);
    let ended = recording.ends();
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert!(
        ended.stderr.contains("client.yaml: 6 steps; `vmyna run client.yaml` replays them"),
        "{}",
        ended.all()
    );
    let written = fs::read_to_string(folder.path().join("client.yaml")).unwrap();
    assert_no_pin_in(&format!("{written}{}", ended.all()), &["1234", "9999", "8642"]);
    let (_, from_id) = written.split_once('\n').unwrap();
    let day = written.split_whitespace().nth(3).unwrap();
    insta::assert_snapshot!(from_id.replace(day, "[day]"), @"
    id: recorded.client
    title: {ja: [day] に記録したやりとり, en: a conversation recorded on [day]}
    covers: [SEL-01, PIN-04, PIN-03, PIN-01, CHG-01]
    tags: [recorded]
    holder: hanako
    steps:
      - select: jpki
      - tries_left: {of: user_authentication, expect: 3}
      - verify: {pin: user_authentication, value: wrong, expect: {tries_left: 2}}
      - verify: {pin: user_authentication, value: right}
      - change_pin: {pin: user_authentication, to: new}
      - verify: {pin: user_authentication, value: new}
    ");
    let replayed = run(&mut folder.vmyna(["run", "client.yaml"]));
    assert_eq!(replayed.closing_line(), "1 passed, 0 failed, 0 skipped", "{}", replayed.all());
    // Once more would overwrite it.
    let refused = folder.refusal(["record", "client.yaml"]);
    assert!(
        refused.contains("client.yaml: is there already") && refused.ends_with("exit code 2"),
        "{refused}"
    );
}

#[test]
fn where_nothing_was_said_nothing_is_written() {
    let folder = Folder::new();
    let (recording, _) = recording(&folder, &["client.yaml"]);
    recording.signal(Signal::TERM);
    let ended = recording.ends();
    assert_eq!(ended.code, Some(3), "{}", ended.all());
    assert!(folder.contents().is_empty());
    assert!(folder.refusal(["record", "client.txt"]).contains("a scenario's file ends in .yaml"));
}

struct Counting {
    card: ForeignCard,
    pins: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl SmartCard for Counting {
    fn atr(&mut self) -> Reaction {
        self.card.atr()
    }

    fn power(&mut self, power: Power) {
        self.card.power(power);
    }

    fn transmit(&mut self, command: &[u8]) -> Reaction {
        if command[1] == 0x20 && command.len() > 5 {
            self.pins.lock().expect("no thread has failed").push(command.to_vec());
        }
        self.card.transmit(command)
    }
}

#[test]
fn a_clients_wrong_pin_does_not_reach_a_card_that_may_be_real() {
    let folder = Folder::new();
    let pins: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let (tell, port) = std::sync::mpsc::channel();
    let shutdown = Shutdown::new();
    let mut card = Counting { card: ForeignCard::of("hanako"), pins: Arc::clone(&pins) };
    let listener = vpcd::bind(&Address::loopback(0)).unwrap();
    let end = shutdown.clone();
    let thread = std::thread::spawn(move || {
        vpcd::serve(&mut card, Mode::Listen(listener), &end, &mut |event| {
            if let Event::Listening { on } = event {
                let _ = tell.send(on.port());
            }
        });
    });
    let seat = format!("vicc:127.0.0.1:{}", port.recv().unwrap());
    let (mut recording, port) = recording(&folder, &["client.yaml", "--card", &seat, "--holder", "hanako"]);
    let mut client = Terminal::power_on(connect(port));
    assert_eq!(client.verify(AUTHENTICATION_PIN, "1234"), 0x9000);
    let wrong = b"\x00\x20\x00\x98\x049999";
    assert!(client.0.transmit(wrong).is_err(), "the card leaves the reader");
    recording.tells("not sent, and the card leaves the reader: a wrong PIN would spend a try");
    recording.signal(Signal::INT);
    assert_eq!(recording.ends().code, Some(0));
    let written = fs::read_to_string(folder.path().join("client.yaml")).unwrap();
    assert_no_pin_in(&written, &["1234", "9999"]);
    assert_eq!(*pins.lock().unwrap(), [b"\x00\x20\x00\x80\x041234".to_vec()]);
    shutdown.now();
    thread.join().unwrap();
}

#[test]
fn pins_are_asked_for_on_a_terminal_only() {
    let told = Folder::new().refusal(["run", "--ask-pins"]);
    insta::assert_snapshot!(told, @"
    error: --ask-pins needs a terminal to ask on; in a script, --holder FILE tells the PINs
    exit code 2
    ");
    let told = Folder::new().refusal(["run", "--exclusive", "--card", "vicc:127.0.0.1:1"]);
    insta::assert_snapshot!(told, @"
    error: --exclusive is about readers of PC/SC: --card pcsc
    exit code 2
    ");
}

#[cfg(not(feature = "pcsc"))]
#[test]
fn without_the_feature_it_is_told_how_to_get_it() {
    let told = Folder::new().refusal(["run", "--card", "pcsc"]);
    insta::assert_snapshot!(told, @"
    error: this vmyna was built without PC/SC. Build it with the feature `pcsc`:
      apt-get install libpcsclite-dev pkg-config pcscd     (Fedora: dnf install pcsc-lite-devel pcsc-lite)
      cargo install vmyna --features pcsc                  (in a checkout: cargo run --features pcsc -- …)
    exit code 3
    ");
}

#[test]
fn the_doctor_says_what_is_here_and_ends_honestly() {
    let ended = run(&mut vmyna(["doctor"]));
    let broken = ended.stdout.lines().filter(|line| line.starts_with("FIX ")).count();
    assert_eq!(ended.code, Some(if broken == 0 { 0 } else { 3 }), "{}", ended.all());
    assert!(ended.stdout.contains("pcscd"), "{}", ended.all());
}

#[test]
fn a_port_that_is_taken_is_told_at_once_and_nothing_is_written() {
    // The port is taken: told at once, and nothing is written.
    let folder = Folder::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let told = folder.refusal(["record", "client.yaml", "--listen", &address]);
    assert!(told.contains(&address) && told.ends_with("exit code 2"), "{told}");
    assert!(!Path::new(&folder.path().join("client.yaml")).exists());
}
