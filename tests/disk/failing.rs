//! What a card does over a state that cannot be kept.

use super::process::Running;
use super::process::reader::{AUTHENTICATION_PIN, SIGNATURE_PIN, Terminal, connect};
use rustix::process::Pid;
use std::path::Path;
use std::process::Command;

pub fn serve_with_state(path: &Path) -> [String; 5] {
    ["serve", "--listen", "127.0.0.1:0", "--state", path.to_str().unwrap()].map(str::to_owned)
}

pub fn listening(command: &mut Command) -> (Running, Terminal) {
    let mut card = Running::start(command);
    let port = card.tells_port("listening for a reader on 127.0.0.1:");
    (card, Terminal::power_on(connect(port)))
}

/// A card that cannot keep its state: `6581`, whatever is presented, and every counter and value as it was.
pub fn keeps_everything_as_it_was(terminal: &mut Terminal) {
    for _ in 0..4 {
        assert_eq!(terminal.verify(AUTHENTICATION_PIN, "0000"), 0x6581);
        assert_eq!(terminal.verify(AUTHENTICATION_PIN, "1234"), 0x6581, "not even the right one is compared");
        assert_eq!(terminal.verify(SIGNATURE_PIN, "WRONG1"), 0x6581);
    }
    assert_eq!(terminal.tries_left(AUTHENTICATION_PIN), 0x63C2);
    assert_eq!(terminal.tries_left(SIGNATURE_PIN), 0x63C5);
}

/// What is true of every disk that fails while the card is in use: as long as `fail` holds `6581`, after `mend` as if
/// nothing had been, and after a restart too.
pub fn while_the_disk_fails(
    command: impl Fn() -> Command,
    fail: impl Fn(Pid),
    mend: impl Fn(Pid),
    state: impl Fn() -> Vec<u8>,
) {
    let (card, mut terminal) = listening(&mut command());
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "0000"), 0x63C2);
    let before = state();
    fail(card.pid());
    keeps_everything_as_it_was(&mut terminal);
    assert_eq!(state(), before);
    card.kill();
    drop(terminal);

    let (card, mut terminal) = listening(&mut command());
    assert_eq!(terminal.tries_left(AUTHENTICATION_PIN), 0x63C2);
    mend(card.pid());
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "0000"), 0x63C1, "it goes on when it can");
    fail(card.pid());
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "0000"), 0x6581);
    mend(card.pid());
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "1234"), 0x9000);
    fail(card.pid());
    assert_eq!(terminal.change(AUTHENTICATION_PIN, "7593"), 0x6581);
    mend(card.pid());
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "1234"), 0x9000, "and the PIN is the old one");
    card.kill();
}
