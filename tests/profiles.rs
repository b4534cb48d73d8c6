//! The whole catalogue on cards of every profile and of every built-in person. What a profile does otherwise than the physical card
//! makes scenarios about that not apply, and none fail; what it does alike is still played.

mod process;

use process::{Ended, Folder, Running, run, vmyna};
use vmyna_sim::holder::Holder;
use vmyna_sim::profile::Profile;

/// What applies to every card with JPKI: PINs, SELECT, READ BINARY, status words.
const OF_ANY_CARD: u32 = 140;

fn must_hold(ended: &Ended) {
    let passed = ended.closing_line().split(' ').next().and_then(|number| number.parse::<u32>().ok());
    assert!(ended.closing_line().contains(", 0 failed,"), "{}", ended.all());
    assert!(passed >= Some(OF_ANY_CARD), "{}", ended.closing_line());
    assert_eq!(ended.code, Some(0));
}

#[test]
fn no_scenario_fails_on_a_card_of_another_profile() {
    // Those of the other interfaces and makers differ in their answers to reset alone.
    let is_variant = |name: &&str| name.starts_with("contact-") || name.starts_with("contactless-");
    for name in Profile::built_in_names().filter(|name| !is_variant(name)) {
        must_hold(&run(&mut vmyna(["run", "--profile", name, "--jobs", "2"])));
    }
    for name in Profile::built_in_names().filter(is_variant) {
        let ended = run(&mut vmyna(["run", "--profile", name, "--tag", "atr or token"]));
        assert_eq!(ended.code, Some(0), "{name}: {}", ended.all());
    }
}

/// A card is not wrong for being a child's, or expired, or nearly locked.
#[test]
fn nor_on_one_of_another_person() {
    for name in Holder::built_in_names() {
        let ended = run(&mut vmyna(["run", "--holder", name, "--jobs", "2"]));
        assert!(ended.closing_line().contains(", 0 failed,"), "{name}: {}", ended.all());
        assert_eq!(ended.code, Some(0), "{name}");
    }
}

#[test]
fn nor_on_one_of_a_third_partys_profile() {
    let folder = Folder::new();
    folder.write(
        "phone.yaml",
        "extends: android\ntitle: {ja: 私の, en: mine}\ntoken_label: MYTOKEN\nblocked_status: \"6983\"\n",
    );
    must_hold(&run(&mut folder.vmyna(["run", "--profile", "phone.yaml"])));
}

#[test]
fn nor_on_one_of_another_person_that_is_served() {
    for name in ["expired", "child"] {
        let mut card = Running::start(&mut vmyna(["serve", "--holder", name, "--listen", "127.0.0.1:0"]));
        let seat = format!("vicc:127.0.0.1:{}", card.tells_port("listening for a reader on 127.0.0.1:"));
        must_hold(&run(&mut vmyna(["run", "--card", &seat, "--holder", name])));
    }
}

#[test]
fn nor_on_one_that_is_served_and_known_by_its_label_and_its_keys_alone() {
    for name in ["android", "next-generation"] {
        let mut card = Running::start(&mut vmyna(["serve", "--profile", name, "--listen", "127.0.0.1:0"]));
        let seat = format!("vicc:127.0.0.1:{}", card.tells_port("listening for a reader on 127.0.0.1:"));
        must_hold(&run(&mut vmyna(["run", "--card", &seat, "--mine"])));
    }
}
