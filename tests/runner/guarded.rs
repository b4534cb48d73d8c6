//! A card that may be real: what the guard promises is proven by what has arrived at the card.

use crate::played::{play, start};
use crate::process::foreign_card::ForeignCard;
use crate::process::in_hand::Held;
use crate::process::{Folder, assert_no_pin_in};
use crate::{Leaves, counts};
use vmyna::terminal;
use vmyna_sim::holder::Holder;
use vmyna_sim::pin::PinName;

#[test]
fn the_plan_is_printed_before_the_first_command() {
    let (card, go) = Held::back(ForeignCard::of("hanako"));
    let (mut running, card) = start(card, &["--tag", "select"]);
    running.says("scenarios: ");
    running.says("unless its certificate names JPKI-VMYNA-TEST, the card may be real");
    assert!(card.count() <= 1, "the first command is not answered yet");
    go.send(()).unwrap();
    assert_eq!(running.ends().code, Some(0));
}

#[test]
fn without_the_holder_no_pin_reaches_a_card_that_may_be_real() {
    let (ended, card) = play(ForeignCard::of("hanako"), &[]);
    assert_eq!(card.pin_commands(), Vec::<Vec<u8>>::new(), "{}", ended.stdout);
    assert!(card.count() > 100, "it was asked other things");
    assert!(ended.stdout.contains("the card may be real: it is guarded"), "{}", ended.stdout);
    let [passed, _, skipped] = counts(&ended);
    assert!(passed > 0 && skipped > 0);
    assert_no_pin_in(&ended.all(), &["ABC123", "ABC124"]);
}

#[test]
fn without_the_holder_consent_alone_lets_no_pin_through() {
    let (ended, card) = play(ForeignCard::of("hanako"), &["--spend-tries", "--change-pins"]);
    assert_eq!(card.pin_commands(), Vec::<Vec<u8>>::new(), "{}", ended.stdout);
}

#[test]
fn with_the_holder_only_right_pins_reach_a_card_that_may_be_real() {
    let (ended, card) = play(ForeignCard::of("hanako"), &["--holder", "hanako"]);
    let sent = card.pin_commands();
    assert!(!sent.is_empty(), "{}", ended.stdout);
    let hanako = Holder::built_in("hanako").unwrap();
    let right = PinName::ALL.map(|pin| terminal::own_pin(&hanako, pin));
    for command in sent {
        let is_right = right.iter().any(|pin| pin.as_bytes() == &command[5..]);
        assert!(command[1] == 0x20 && is_right, "{:02X?}", &command[..5]);
    }
    assert_no_pin_in(&ended.all(), &["ABC123", "ABC124"]);
}

#[test]
fn a_right_pin_that_is_refused_ends_all_presenting() {
    let folder = Folder::new();
    let pins = "person: {name: 試験　太郎, birth: 2001-02-03}\n\
                pins: {user_authentication: \"8642\", digital_signature: QX7RT9}\n";
    let taro = folder.write("taro.yaml", pins).display().to_string();
    for more in [&[][..], &["--spend-tries", "--change-pins"]] {
        let arguments = [&["--holder", &taro][..], more].concat();
        let (ended, card) = play(ForeignCard::of("hanako"), &arguments);
        let right: Vec<_> = card
            .pin_commands()
            .into_iter()
            .filter(|command| command[5..] == *b"8642" || command[5..] == *b"QX7RT9")
            .collect();
        assert_eq!(right.len(), 1, "{right:02X?}\n{}", ended.stdout);
        assert_eq!(card.pin_commands().last(), right.last(), "and nothing came after it");
        assert!(ended.stdout.contains("a right PIN was refused before"), "{}", ended.stdout);
        assert_no_pin_in(&ended.all(), &["8642", "QX7RT9", "QX7RT0"]);
    }
}

#[test]
fn a_right_pin_whose_answer_is_lost_is_not_presented_again() {
    let at = b"\x00\x20\x00\x80\x041234";
    let leaves = Leaves { card: ForeignCard::of("hanako"), at, left: None };
    let (ended, card) = play(leaves, &["--holder", "hanako"]);
    assert_eq!(card.pin_commands().last().unwrap(), at, "{}", ended.stdout);
    assert_eq!(card.pin_commands().iter().filter(|command| *command == at).count(), 1);
    assert!(ended.stdout.contains("LOST") && ended.code == Some(1), "{}", ended.stdout);
}

#[test]
fn a_simulator_of_somebody_elses_is_held_to_nothing_when_it_is_mine() {
    let (ended, card) =
        play(ForeignCard::of("hanako"), &["--mine", "--tag", "jpki and pin and not (lockout or text)"]);
    assert!(ended.stdout.contains("the card is a simulator, says --mine"), "{}", ended.stdout);
    let [_, failed, skipped] = counts(&ended);
    assert_eq!((failed, skipped), (0, 0), "{}", ended.stdout);
    assert!(card.pin_commands().iter().any(|command| command[5..] == *b"1235"), "wrong values as well");
}
