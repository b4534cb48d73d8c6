//! Another program at the same reader: what it may do while scenarios are played, and what is said when
//! both want the card.

use crate::process::in_hand::Held;
use crate::process::{Folder, Running, vmyna};
use crate::support::reader::Slot;
use crate::{arguments, insert, play};
use libtest_mimic::Failed;
use pcsc::{Card, Context, Disposition, Error, Protocols, Scope, ShareMode};
use std::ffi::CString;
use std::thread;
use vmyna_sim::card::VirtualCard;

/// GET DATA of an object that no scenario asks for.
const PROBE: [u8; 5] = [0x00, 0xCA, 0x5F, 0x7E, 0x00];

/// A program that shares the card.
fn another(slot: &Slot) -> Result<Card, Failed> {
    let context = Context::establish(Scope::User)?;
    Ok(context.connect(&CString::new(slot.name)?, ShareMode::Shared, Protocols::ANY)?)
}

/// Until it is answered: refused while another program has the card to itself, and once more when that
/// program has reset it.
fn ask(mut card: Card) -> Result<Vec<u8>, Error> {
    let mut buffer = [0; 300];
    loop {
        match card.transmit(&PROBE, &mut buffer) {
            Err(Error::SharingViolation) => thread::yield_now(),
            Err(Error::ResetCard) => {
                card.reconnect(ShareMode::Shared, Protocols::ANY, Disposition::LeaveCard)?;
            }
            answered => return answered.map(<[u8]>::to_vec),
        }
    }
}

pub fn nobody_comes_between(slot: &Slot) -> Result<(), Failed> {
    const CHALLENGE: u8 = 0x84;
    let folder = Folder::new();
    let head = "id: trial.long\ntitle: {ja: 長い試し, en: a long trial}\ncovers: [RND-01]\nsteps:\n";
    folder
        .write("long.yaml", format!("{head}  - select: jpki\n{}", "  - challenge: {length: 8}\n".repeat(50)));
    let (held, go) = Held::at(VirtualCard::built_in("hanako")?, CHALLENGE);
    let card = insert(slot, held);
    let other = another(slot)?;
    let path = folder.path().join("long.yaml").display().to_string();
    let mut running = Running::start(&mut vmyna(arguments(slot, &[&path])));
    let of_challenges = |command: &Vec<u8>| command[1] == CHALLENGE;
    while !card.commands().iter().any(of_challenges) {
        assert!(running.is_running(), "it has ended early");
        thread::yield_now();
    }
    let other = thread::spawn(move || ask(other));
    go.send(())?;
    let ended = running.ends();
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert!(other.join().expect("it does not panic").is_ok());
    let commands = card.commands();
    let first = commands.iter().position(of_challenges).ok_or("challenges")?;
    let last = commands.iter().rposition(of_challenges).ok_or("challenges")?;
    assert_eq!(last - first, 49, "somebody came between: {commands:02X?}");
    assert!(commands[last..].contains(&PROBE.to_vec()), "it came afterwards: {commands:02X?}");
    Ok(())
}

pub fn a_card_is_had_alone_once_it_is_free(slot: &Slot) -> Result<(), Failed> {
    let card = insert(slot, VirtualCard::built_in("hanako")?);
    let other = another(slot)?;
    let refused = play(slot, &["--exclusive", "--tag", "challenge", "--wait", "0"]);
    assert_eq!(refused.code, Some(3), "{}", refused.all());
    assert!(refused.stderr.contains("another program uses the card; close it"), "{}", refused.all());
    assert!(refused.stderr.contains("or run without --exclusive"), "{}", refused.all());
    assert_eq!(card.count(), 0);

    let more = ["--exclusive", "--tag", "challenge", "--wait", "60"];
    let mut waiting = Running::start(&mut vmyna(arguments(slot, &more)));
    waiting.says("scenarios: ");
    drop(other);
    let ended = waiting.ends();
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    Ok(())
}
