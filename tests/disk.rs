//! A disk that is full (`full_disk` has a real one), that nothing may be written to, and that the power goes from in the middle of a write: what
//! `vmyna serve` says at its start, what the card answers later, and what is there after a restart.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

#[path = "disk/failing.rs"]
mod failing;
mod process;

use failing::{keeps_everything_as_it_was, listening, serve_with_state, while_the_disk_fails};
use process::reader::{AUTHENTICATION_PIN, Terminal};
use process::{Folder, Running, run, vmyna};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use vmyna_sim::holder::Holder;
use vmyna_sim::issue::issued_pin;
use vmyna_sim::pin::PinName;

/// `vmyna` whose files may grow to so many bytes, and which hears of it (EFBIG) instead of being killed when they would
/// grow further: to a program, the same as a full disk.
fn with_files_of_at_most(bytes: u64, arguments: &[&str]) -> Command {
    let program = vmyna(arguments);
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec prlimit --fsize=$0: \"$@\""]);
    command.arg(bytes.to_string()).arg(program.get_program()).args(program.get_args());
    command.env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// From now on the files of this process may grow to so many bytes.
fn limit_files(pid: Pid, bytes: Option<u64>) {
    prlimit(Some(pid), Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

#[test]
fn a_full_disk_is_told_at_the_start() {
    let folder = Folder::new();
    let state = folder.path().join("hanako.json");
    let arguments = serve_with_state(&state);
    let arguments = arguments.each_ref().map(String::as_str);
    let ended = run(&mut with_files_of_at_most(0, &arguments));
    assert_eq!(ended.code, Some(2), "{}", ended.all());
    let told = ended.stderr.replace(folder.path().to_str().unwrap(), "[folder]");
    insta::assert_snapshot!(told, @"error: [folder]/hanako.json: creating it failed: file too large");
    assert_eq!(folder.contents().len(), 0, "nothing is left");
}

#[test]
fn on_a_disk_that_becomes_full_no_try_is_spent_and_none_is_won() {
    let folder = Folder::new();
    let path = folder.path().join("hanako.json");
    let arguments = serve_with_state(&path);
    while_the_disk_fails(
        || with_files_of_at_most(1 << 20, &arguments.each_ref().map(String::as_str)),
        // enough for a part of the state
        |pid| limit_files(pid, Some(100)),
        |pid| limit_files(pid, None),
        || std::fs::read(&path).unwrap(),
    );
    assert_eq!(folder.contents().len(), 1, "nothing else lies beside the state");
}

/// A user without rights: `nobody` where the tests run as root, whom permissions do not stop, otherwise whoever runs
/// them.
fn as_nobody(command: &mut Command) -> &mut Command {
    const NOBODY: u32 = 65_534;
    if rustix::process::geteuid().is_root() { command.uid(NOBODY).gid(NOBODY) } else { command }
}

/// The program where anybody can start it: build folders may be their owner's only.
fn for_anybody(folder: &Folder) -> Command {
    let program = folder.path().join("vmyna");
    if !program.exists() {
        std::fs::copy(env!("CARGO_BIN_EXE_vmyna"), &program).unwrap();
        allow(folder.path(), 0o755);
    }
    let mut command = Command::new(program);
    command.env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1").env("XDG_RUNTIME_DIR", folder.path().join("run"));
    command.stdin(Stdio::null());
    command
}

fn allow(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn permissions_that_are_missing_or_lost_are_told_and_spend_nothing() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path().join("state")).unwrap();
    std::fs::create_dir_all(folder.path().join("run")).unwrap();
    allow(&folder.path().join("run"), 0o777);
    let state = folder.path().join("state");
    let path = state.join("hanako.json");
    let command = || {
        let mut command = for_anybody(&folder);
        as_nobody(command.args(serve_with_state(&path)));
        command
    };
    let refused = || {
        let ended = run(&mut command());
        assert_eq!(ended.code, Some(2), "{}", ended.all());
        ended.stderr.replace(folder.path().to_str().unwrap(), "[folder]")
    };
    allow(&state, 0o555);
    insta::assert_snapshot!(refused(), @"error: [folder]/state/hanako.json: creating it failed: permission denied");
    allow(&state, 0o000);
    insta::assert_snapshot!(refused(), @"error: [folder]/state/hanako.json: opening it failed: Permission denied (os error 13)");
    assert_eq!(std::fs::read_dir(&state).map_or(0, Iterator::count), 0);

    allow(&state, 0o777);
    let (card, mut terminal) = listening(&mut command());
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "0000"), 0x63C2);
    allow(&state, 0o555);
    keeps_everything_as_it_was(&mut terminal);
    allow(&state, 0o777);
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "0000"), 0x63C1, "it goes on when it can");
    card.kill();
    drop(terminal);
    allow(&state, 0o555);
    // What is there can be read; what happens then cannot be kept.
    let (card, mut terminal) = listening(&mut command());
    assert_eq!(terminal.tries_left(AUTHENTICATION_PIN), 0x63C1);
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "1234"), 0x6581);
    assert_eq!(terminal.tries_left(AUTHENTICATION_PIN), 0x63C1);
    card.kill();
    allow(&path, 0o000);
    insta::assert_snapshot!(refused(), @"error: [folder]/state/hanako.json: opening it failed: Permission denied (os error 13)");
    allow(&state, 0o777);
}

/// Starts a card over `state` that is killed by its next write that goes beyond so many bytes.
fn torn_beyond(bytes: u64, folder: &Folder, path: &Path) -> (Running, Terminal) {
    let mut command = vmyna(serve_with_state(path));
    let (card, terminal) = listening(command.env("XDG_RUNTIME_DIR", folder.path().join("run")));
    limit_files(card.pid(), Some(bytes));
    (card, terminal)
}

/// The power goes in the middle of a write, at any of its bytes: of every operation that writes, from every state file
/// that there is. Killed by SIGXFSZ, the process has written so many bytes and not one more.
#[test]
fn a_write_that_is_torn_within_leaves_the_state_as_it_was() {
    let folder = Folder::new();
    let path = folder.path().join("state/hanako.json");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sim/tests/state_files");
    let blocked = "{\"vmyna_state\": 1, \"holder\": \"hanako\", \"pins\": \
                   {\"user_authentication\": {\"tries_left\": 0}, \"digital_signature\": {\"tries_left\": 5}}}";
    type Operation = fn(&mut Terminal, &Folder);
    let verify: Operation = |terminal, _| {
        let _ = terminal.0.transmit(b"\x00\x20\x00\x80\x040000");
    };
    let unblock: Operation = |_, folder| {
        let mut command = vmyna(["card", "unblock", "user_authentication"]);
        run(command.env("XDG_RUNTIME_DIR", folder.path().join("run")));
    };
    let change: Operation = |terminal, _| {
        assert_eq!(
            terminal.status(b"\x00\x20\x00\x80\x041234"),
            0x9000,
            "that was no longer than the old state"
        );
        let _ = terminal.0.transmit(b"\x00\x24\x01\x80\x047593");
    };
    std::fs::create_dir_all(folder.path().join("run")).unwrap();
    folder.write("state/hanako.json", "");
    let written = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let (card, mut terminal) = listening(&mut vmyna(serve_with_state(&path)));
        terminal.verify(AUTHENTICATION_PIN, "1234");
        card.kill();
        std::fs::read(&path).unwrap()
    };
    let today = written(blocked.replace("\"tries_left\": 0", "\"tries_left\": 3").as_str());
    let whole = today.len() as u64;
    let old = std::fs::read(fixtures.join("1-jpki-only.json")).unwrap();
    let mut torn = 0;
    for (name, state, operation, places) in [
        ("VERIFY, wrong", &today, verify, &[0, 1, whole / 2, whole - 1][..]),
        ("CHANGE REFERENCE DATA", &today, change, &[whole, whole + 1, whole + 20]),
        ("unblocking", &blocked.as_bytes().to_vec(), unblock, &[0, 1, whole / 2, whole - 1]),
        ("VERIFY over an old file", &old, verify, &[0, 1, old.len() as u64, whole - 1]),
    ] {
        for bytes in places {
            std::fs::write(&path, state).unwrap();
            let (card, mut terminal) = torn_beyond(*bytes, &folder, &path);
            let before = terminal.tries_left(AUTHENTICATION_PIN);
            operation(&mut terminal, &folder);
            assert_eq!(card.ends().code, None, "{name}: killed after {bytes} bytes");
            drop(terminal);
            let found = std::fs::read(&path).unwrap();
            if name == "CHANGE REFERENCE DATA" {
                assert_eq!(
                    found, today,
                    "{name}: the right value refilled the counter, and nothing was changed"
                );
            } else {
                assert_eq!(&found, state, "{name}, {bytes} bytes");
            }
            let (card, mut terminal) = listening(&mut vmyna(serve_with_state(&path)));
            assert_eq!(terminal.tries_left(AUTHENTICATION_PIN), before, "{name}, {bytes} bytes");
            card.kill();
            let left = std::fs::read_dir(path.parent().unwrap()).unwrap().count();
            assert_eq!(left, 1, "{name}: what was not finished is gone");
            torn += 1;
        }
    }
    assert_eq!(torn, 15);

    // The refill alone: ten tries take a digit more than nine.
    let text = String::from_utf8(today).unwrap().replace("\"tries_left\": 2", "\"tries_left\": 3");
    std::fs::write(&path, &text).unwrap();
    let (card, mut terminal) = torn_beyond(text.len() as u64 - 1, &folder, &path);
    let holder = Holder::built_in("hanako").unwrap();
    let code = issued_pin(&holder, jiff::civil::date(2035, 1, 1), PinName::TextCodeA);
    assert_eq!(terminal.status(b"\x00\xA4\x04\x0C\x0A\xD3\x92\x10\x00\x31\x00\x01\x01\x04\x08"), 0x9000);
    assert_eq!(terminal.status(b"\x00\xA4\x02\x0C\x02\x00\x14"), 0x9000);
    let command = [&b"\x00\x20\x00\x80\x0C"[..], code.as_bytes()].concat();
    assert!(terminal.0.transmit(&command).is_err(), "killed before it could answer");
    assert_eq!(card.ends().code, None);
    let expected = text.replacen(
        "\"text_code_a\": {\n      \"tries_left\": 10",
        "\"text_code_a\": {\n      \"tries_left\": 9",
        1,
    );
    assert_ne!(expected, text);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), expected, "spent, and not given back");

    // The first start.
    for bytes in [0, 1, whole / 2, whole - 1] {
        std::fs::remove_file(&path).unwrap();
        let program = vmyna(serve_with_state(&path));
        let mut command = Command::new("prlimit");
        command.arg(format!("--fsize={bytes}:")).arg(program.get_program()).args(program.get_args());
        assert_eq!(run(&mut command).code, None, "killed after {bytes} bytes");
        assert!(!path.exists());
        let (card, mut terminal) = listening(&mut vmyna(serve_with_state(&path)));
        assert_eq!(terminal.tries_left(AUTHENTICATION_PIN), 0x63C3);
        card.kill();
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
