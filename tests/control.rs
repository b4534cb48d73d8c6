//! `vmyna card` and `vmyna wait`: what is done to a card while a program uses it.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod process;

use process::reader::{AUTHENTICATION_PIN, Terminal, connect, listen};
use process::{Ended, Folder, Running, assert_no_pin_in, run, soon, vmyna};
use rustix::process::Signal;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::PathBuf;
use std::process::Command;
use vmyna_sim::vpcd::Reader;

/// A user's session: one runtime folder.
struct Session(Folder);

impl Session {
    fn new() -> Self {
        Self(Folder::new())
    }

    fn vmyna(&self, arguments: &[&str]) -> Command {
        let mut command = vmyna(arguments);
        command.env("XDG_RUNTIME_DIR", self.0.path());
        command
    }

    fn card(&self, arguments: &[&str]) -> Ended {
        run(&mut self.vmyna(&[&["card"], arguments].concat()))
    }

    /// What `vmyna card` says when it works.
    fn done(&self, arguments: &[&str]) -> String {
        let ended = self.card(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.stderr);
        assert_eq!(ended.stderr, "");
        ended.stdout
    }

    /// A card that connects to `reader`, and what lies before the reader.
    fn serve(&self, reader: &Reader, arguments: &[&str]) -> (Running, Terminal) {
        let to = reader.local_addr().to_string();
        let mut card = Running::start(&mut self.vmyna(&[&["serve", "--connect", &to], arguments].concat()));
        let terminal = Terminal::accept(reader);
        card.says("ready");
        (card, terminal)
    }

    fn sockets(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.0.path().join("vmyna")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

#[test]
fn a_card_is_lifted_off_its_reader_and_put_back_with_its_counters() {
    let (session, reader) = (Session::new(), listen(0));
    let (_card, mut terminal) = session.serve(&reader, &[]);
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "0000"), 0x63C2);
    assert_eq!(session.done(&["remove"]), "removed\n");
    assert!(terminal.0.atr().is_err(), "the reader sees that it has gone");
    assert_eq!(session.done(&["remove"]), "the card was out of the reader already\n");
    let missing = run(&mut session.vmyna(&["wait", "--wait", "0"]));
    assert_eq!(missing.code, Some(3), "{}", missing.stderr);
    assert_eq!(session.done(&["insert"]), "inserted\n");
    let mut terminal = Terminal::accept(&reader);
    assert_eq!(terminal.tries_left(AUTHENTICATION_PIN), 0x63C2);
    assert_eq!(session.done(&["insert"]), "the card was in the reader already\n");
    let seen = run(&mut session.vmyna(&["wait"]));
    assert_eq!((seen.code, seen.all()), (Some(0), String::new()));
}

#[test]
fn a_card_that_listens_gives_its_port_up_and_takes_it_again() {
    let session = Session::new();
    let mut card = Running::start(&mut session.vmyna(&["serve", "--listen", "0"]));
    let port = card.tells_port("listening for a reader on 127.0.0.1:");
    let mut terminal = Terminal::power_on(connect(port));
    session.done(&["remove"]);
    assert!(terminal.0.atr().is_err());
    session.done(&["insert"]);
    assert_eq!(Terminal::power_on(connect(port)).tries_left(AUTHENTICATION_PIN), 0x63C3);
}

#[test]
fn only_an_operator_unblocks() {
    let (session, reader) = (Session::new(), listen(0));
    let (_card, mut terminal) = session.serve(&reader, &["--holder", "blocked"]);
    insta::assert_snapshot!(session.done(&["counters"]), @"
    user_authentication   0 of 3  blocked
    digital_signature     0 of 5  blocked
    text_input            0 of 3  blocked
    text_code_a           0 of 10  blocked
    text_code_b           0 of 10  blocked
    visual_code_a         0 of 10  blocked
    visual_code_b         0 of 10  blocked
    birth_date            0 of 10  blocked
    resident_register     0 of 3  blocked
    common_card           0 of 3  blocked
    ");
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "1234"), 0x6984);
    assert_eq!(
        session.done(&["unblock", "user_authentication"]),
        "user_authentication has all its tries again\n"
    );
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "1234"), 0x9000);
    let json = session.done(&["counters", "--json"]);
    assert!(
        json.contains("\"pin\": \"user_authentication\",\n    \"tries_left\": 3,\n    \"full\": 3"),
        "{json}"
    );
}

#[test]
fn an_unblocked_counter_outlives_the_process_and_one_that_cannot_be_kept_stays() {
    let (session, reader) = (Session::new(), listen(0));
    let state = session.0.write("state/hanako.json", "");
    std::fs::remove_file(&state).unwrap();
    let arguments = ["--state", state.to_str().unwrap()];
    let (card, mut terminal) = session.serve(&reader, &arguments);
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "0000"), 0x63C2);
    session.done(&["unblock", "user_authentication"]);
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "0000"), 0x63C2);
    session.done(&["unblock", "user_authentication"]);
    card.kill();
    drop(terminal);
    let (_card, mut terminal) = session.serve(&reader, &arguments);
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "0000"), 0x63C2);
    std::fs::remove_dir_all(session.0.path().join("state")).unwrap();
    let refused = session.card(&["unblock", "user_authentication"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.starts_with("error: the state could not be kept, and is as it was: "),
        "{}",
        refused.stderr
    );
    assert_eq!(terminal.tries_left(AUTHENTICATION_PIN), 0x63C2);
}

#[test]
fn another_persons_card_takes_its_place() {
    let (session, reader) = (Session::new(), listen(0));
    let (_card, mut terminal) = session.serve(&reader, &[]);
    assert_eq!(session.done(&["swap", "taro"]), "the card of taro is in its place\n");
    assert!(terminal.0.atr().is_err());
    let mut terminal = Terminal::accept(&reader);
    assert!(session.done(&[]).contains("taro"));
    assert_eq!(terminal.tries_left(AUTHENTICATION_PIN), 0x63C3);
    let refused = session.card(&["swap", "nobody"]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.starts_with("error: there is no built-in holder \"nobody\""),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_fault_is_armed_while_the_card_is_in_use() {
    let (session, reader) = (Session::new(), listen(0));
    let (mut card, mut terminal) = session.serve(&reader, &[]);
    let armed = session.done(&["fault", "remove=during,half@verify"]);
    assert_eq!(armed, "armed remove=during,half@verify\n");
    assert_eq!(session.done(&["fault"]), "remove=during,half@verify\n");
    assert_eq!(terminal.tries_left(AUTHENTICATION_PIN), 0x63C3, "asking is not presenting");
    let lost = terminal.0.transmit(b"\x00\x20\x00\x80\x040000").unwrap_err().to_string();
    assert_eq!(lost, "the card left the reader within an answer: 7 of 12 bytes came");
    card.tells("fault: remove=during,half@verify strikes at command 3");
    let mut terminal = Terminal::accept(&reader);
    assert_eq!(terminal.tries_left(AUTHENTICATION_PIN), 0x63C2, "the try was spent");

    session.done(&["fault", "status=6581@always"]);
    assert_eq!(terminal.tries_left_or_status(AUTHENTICATION_PIN), 0x6581);
    assert_eq!(session.done(&["fault", "--clear"]), "no fault is armed\n");
    assert_eq!(terminal.tries_left(AUTHENTICATION_PIN), 0x63C2);

    let refused = session.card(&["fault", "remove@sgin"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("there is no moment \"sgin\""), "{}", refused.stderr);
}

#[test]
fn a_card_that_a_fault_took_away_comes_back_when_it_is_inserted() {
    let (session, reader) = (Session::new(), listen(0));
    let (mut card, mut terminal) = session.serve(&reader, &["--fault", "no-card@verify"]);
    terminal.tries_left(AUTHENTICATION_PIN);
    assert!(terminal.0.transmit(b"\x00\x20\x00\x80\x040000").is_err());
    card.tells("disconnected: the card left the reader");
    assert!(session.done(&["status"]).ends_with("not in the reader\n"));
    session.done(&["insert"]);
    assert_eq!(Terminal::accept(&reader).tries_left(AUTHENTICATION_PIN), 0x63C3);
}

#[test]
fn the_seed_of_faults_by_chance_is_told_and_replays_them() {
    let (session, reader) = (Session::new(), listen(0));
    let conversation = |arguments: &[&str]| -> (String, Vec<u16>) {
        let to = reader.local_addr().to_string();
        let mut card =
            Running::start(&mut session.vmyna(&[&["serve", "--connect", &to], arguments].concat()));
        let told = card.tells("faults by chance");
        // Chance strikes any command; a SELECT that must succeed would be one of them.
        let mut terminal = Terminal::powered(reader.accept(soon()).expect("the card connects"));
        let statuses = (0..40).map(|_| terminal.status(&[0x00, 0x84, 0x00, 0x00, 0x08])).collect();
        card.kill();
        (told, statuses)
    };
    let (told, first) = conversation(&["--fault", "status=6F00@30%"]);
    let seed = told.split_whitespace().find(|word| word.parse::<u64>().is_ok()).expect("a seed");
    let (_, second) = conversation(&["--fault", "status=6F00@30%", "--fault-seed", seed]);
    assert_eq!(first, second);
    assert!(first.contains(&0x6F00) && first.contains(&0x9000));
}

#[test]
fn the_log_tells_what_was_said_and_no_pin() {
    let (session, reader) = (Session::new(), listen(0));
    let (_card, mut terminal) = session.serve(&reader, &[]);
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "1234"), 0x9000);
    let log = session.done(&["log"]);
    assert!(log.ends_with("> 00 20 00 80 04 ** ** ** **  VERIFY current EF\n< 90 00  (success)\n"), "{log}");
    assert_no_pin_in(&log, &["1234"]);
    let mut following = Running::start(&mut session.vmyna(&["card", "log", "--follow"]));
    following.says("VERIFY current EF");
    terminal.status(&[0x00, 0x84, 0x00, 0x00, 0x08]);
    following.says("GET CHALLENGE");
}

#[test]
fn several_at_once_are_told_apart_and_what_was_killed_is_forgotten() {
    let session = Session::new();
    let nobody = session.card(&["counters"]);
    assert_eq!(
        (nobody.code, nobody.stderr.as_str()),
        (Some(3), "error: no `vmyna serve` of yours is running\n")
    );
    let readers = [listen(0), listen(0)];
    let (first, _one) = session.serve(&readers[0], &[]);
    let (_second, _other) = session.serve(&readers[1], &["--holder", "taro"]);
    let several = session.card(&["remove"]);
    assert_eq!(several.code, Some(2));
    assert!(several.stderr.starts_with("error: several are running; say which with --control PATH:\n"));
    assert!(several.stderr.contains(&format!("taro at {}", readers[1].local_addr())), "{}", several.stderr);
    first.kill();
    assert_eq!(session.sockets().len(), 2);
    assert_eq!(session.done(&["remove"]), "removed\n");
    assert_eq!(session.sockets().len(), 1, "the one that was left behind is gone");
}

#[test]
fn nobody_else_reaches_the_socket_and_it_is_gone_in_the_end() {
    let (session, reader) = (Session::new(), listen(0));
    let (card, _terminal) = session.serve(&reader, &[]);
    let folder = session.0.path().join("vmyna");
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let [socket] = &session.sockets()[..] else { panic!("one socket") };
    let there = std::fs::symlink_metadata(socket).unwrap();
    assert!(there.file_type().is_socket());
    assert_eq!(there.permissions().mode() & 0o777, 0o600);
    card.signal(Signal::TERM);
    assert_eq!(card.ends().code, Some(0));
    assert_eq!(session.sockets(), Vec::<PathBuf>::new());

    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let open = session.card(&["remove"]);
    assert_eq!(open.code, Some(2));
    assert!(open.stderr.contains("its permissions are 755, not 700"), "{}", open.stderr);
}

#[test]
fn somebody_else_is_told_that_the_socket_is_not_theirs() {
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65_534;
    let (session, reader) = (Session::new(), listen(0));
    let (_card, _terminal) = session.serve(&reader, &[]);
    let socket = session.sockets().remove(0);
    // Build folders may be their owner's only.
    let program = session.0.path().join("program");
    std::fs::copy(env!("CARGO_BIN_EXE_vmyna"), &program).unwrap();
    std::fs::set_permissions(session.0.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(&program);
    command
        .args(["card", "counters", "--control"])
        .arg(&socket)
        .env("LC_ALL", "C.UTF-8")
        .env("NO_COLOR", "1");
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    } else {
        std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o000)).unwrap();
    }
    let refused = run(&mut command);
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
    assert!(
        refused.stderr.contains(".sock: this socket is its owner's only; the user who runs `vmyna serve`"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_socket_of_ones_own_is_taken_over_from_the_dead_and_from_nobody_else() {
    let (session, reader) = (Session::new(), listen(0));
    let path = session.0.path().join("my.sock");
    let control = ["--control", path.to_str().unwrap()];
    let (card, terminal) = session.serve(&reader, &control);
    let refused = run(&mut session.vmyna(&[&["serve"], &control[..]].concat()));
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("a running vmyna is controlled here"), "{}", refused.stderr);
    card.kill();
    drop(terminal);
    let (_card, _terminal) = session.serve(&reader, &control);
    assert!(session.done(&[&control[..], &["status"]].concat()).starts_with("slot 0  hanako"));
    let file = session.0.write("file", "not a socket");
    let refused = run(&mut session.vmyna(&["serve", "--control", file.to_str().unwrap()]));
    assert!(refused.stderr.contains("this is no socket"), "{}", refused.stderr);
    assert_eq!(std::fs::read(file).unwrap(), b"not a socket");
}

#[test]
fn waiting_begins_before_there_is_anything_to_wait_for() {
    let (session, reader) = (Session::new(), listen(0));
    let waiting = Running::start(&mut session.vmyna(&["wait", "--wait", "60"]));
    let to = reader.local_addr().to_string();
    let _card = Running::start(&mut session.vmyna(&["serve", "--connect", &to]));
    let _terminal = Terminal::accept(&reader);
    assert_eq!(waiting.ends().code, Some(0));
    let session = Session::new();
    let missing = run(&mut session.vmyna(&["wait", "--wait", "0.01"]));
    assert_eq!(
        (missing.code, missing.stderr.as_str()),
        (Some(3), "error: no `vmyna serve` of yours is running\n")
    );
}

#[test]
fn several_cards_lie_in_several_readers() {
    let session = Session::new();
    let arguments = ["serve", "--listen", "0", "--holder", "hanako", "--holder", "taro", "--slots", "3"];
    let mut cards = Running::start(&mut session.vmyna(&arguments));
    let mut ports: Vec<_> = (0..3)
        .map(|_| {
            let line = cards.tells("listening for a reader on 127.0.0.1:");
            let (speaker, port) =
                line.split_once(": listening for a reader on 127.0.0.1:").expect("who speaks");
            (speaker.to_owned(), port.parse::<u16>().unwrap())
        })
        .collect();
    ports.sort();
    let mut terminals: Vec<_> = ports.iter().map(|(_, port)| Terminal::power_on(connect(*port))).collect();
    assert_eq!(terminals[1].verify(AUTHENTICATION_PIN, "0000"), 0x63C2);
    for (slot, tries) in [(0, 0x63C3), (1, 0x63C2), (2, 0x63C3)] {
        assert_eq!(terminals[slot].tries_left(AUTHENTICATION_PIN), tries);
    }
    let told = session.done(&[]);
    let holders: Vec<_> = told.lines().filter_map(|line| line.split("  ").nth(1)).collect();
    assert_eq!(holders, ["hanako", "taro", "hanako"]);
    session.done(&["--slot", "1", "remove"]);
    assert!(terminals[1].0.atr().is_err() && terminals[0].0.atr().is_ok());
    let refused = session.card(&["--slot", "3", "remove"]);
    assert_eq!(refused.stderr, "error: there is no slot 3; the last one is 2\n");
    cards.signal(Signal::TERM);
    assert_eq!(cards.ends().code, Some(0));
}

#[test]
fn nothing_that_a_client_says_upsets_the_card() {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    let (session, reader) = (Session::new(), listen(0));
    let (_card, mut terminal) = session.serve(&reader, &[]);
    let socket = session.sockets().remove(0);
    for nonsense in [&b"\n"[..], b"{}\n", b"\xFF\xFE\n", b"{\"slot\":0,\"order\":\"explode\"}\n", b"no end"] {
        let mut client = UnixStream::connect(&socket).unwrap();
        client.write_all(nonsense).unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let mut reply = String::new();
        client.read_to_string(&mut reply).unwrap();
        assert!(reply.starts_with("{\"refused\":"), "{reply}");
    }
    let long = vec![b'['; 100_000];
    let mut client = UnixStream::connect(&socket).unwrap();
    let _ = client.write_all(&long);
    drop(client);
    assert_eq!(terminal.tries_left(AUTHENTICATION_PIN), 0x63C3);
}
