//! `Debug` of whatever holds the value of a PIN or a key shows neither, in no form: not as text, not as the
//! list of bytes that a derived `Debug` writes, not in hexadecimal.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use std::fmt::Debug;
use std::sync::Arc;
use vmyna_sim::apdu::{CommandApdu, CommandBuilder};
use vmyna_sim::card::{Personalised, VirtualCard};
use vmyna_sim::command::Command;
use vmyna_sim::exchange::Exchange;
use vmyna_sim::hex::Spaced;
use vmyna_sim::holder::Holder;
use vmyna_sim::issue::issued_pin;
use vmyna_sim::pin::PinName;
use vmyna_sim::secure_messaging::{Session, Unwrapped};
use vmyna_sim::smart_card::{Reaction, SmartCard};

/// A holder whose PINs are like nothing else on the card.
const HOLDER: &str = "person: {name: 試験　秘, birth: 1971-11-23, my_number: \"246813579129\"}
pins: {user_authentication: \"7391\", digital_signature: Q7Z9X4K2, text_input: \"8264\",
       resident_register: \"6157\", common_card: \"4938\"}
card: {security_code: \"5073\"}
";

/// The ways in which bytes come to be written.
fn forms(value: &[u8]) -> Vec<String> {
    let list = |written: String| written.trim_matches(['[', ']']).to_owned();
    let hex = Spaced(value).to_string();
    vec![
        String::from_utf8(value.to_vec()).unwrap(),
        list(format!("{value:?}")),
        list(format!("{value:02X?}")),
        hex.replace(' ', ""),
        hex,
    ]
}

/// Whether `form` stands in `told` by itself, and not within a longer number.
fn is_in(told: &str, form: &str) -> bool {
    told.match_indices(form).any(|(at, _)| {
        let ends = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
        ends(told[..at].chars().next_back()) && ends(told[at + form.len()..].chars().next())
    })
}

fn assert_hidden(values: &[Vec<u8>], what: &str, told: &dyn Debug) {
    for told in [format!("{told:?}"), format!("{told:#?}")] {
        // the alternate form breaks a list into lines
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        for form in values.iter().flat_map(|value| forms(value)) {
            assert!(!is_in(&told, &form), "{what} shows {form}");
        }
    }
}

#[test]
fn no_debug_shows_a_pin() {
    let holder = Holder::parse("secret.yaml", HOLDER).unwrap();
    let now = "2026-04-01T00:00:00Z".parse().unwrap();
    let personalised =
        Arc::new(Personalised::new(holder.clone(), vmyna_sim::profile::Profile::card(), now).unwrap());
    let expiry = personalised.issued().body.expiry;
    let mut values: Vec<Vec<u8>> =
        PinName::ALL.map(|pin| issued_pin(&holder, expiry, pin).as_bytes().to_vec()).into();
    values.push(b"5820".to_vec());

    let mut card = VirtualCard::new(personalised.clone());
    let mut send = |command: &[u8]| {
        let Reaction::Answer(answer) = card.transmit(command) else { panic!("the card answers") };
        assert!(answer.ends_with(&[0x90, 0x00]), "{answer:02X?}");
        assert_hidden(&values, "an exchange", &Exchange::new(command, Some(&answer)));
        assert_hidden(&values, "a command", &Command::try_from(CommandApdu::parse(command).unwrap()));
    };
    send(&select_jpki());
    send(&CommandBuilder::new(0x00, 0x20, 0x00, 0x98).data(b"7391").to_bytes());
    send(&CommandBuilder::new(0x00, 0x24, 0x01, 0x98).data(b"5820").to_bytes());
    assert!(card.pins().get(PinName::UserAuthentication).changed_value.is_some());

    assert_hidden(&values, "the state of the PINs", card.pins());
    assert_hidden(&values, "a holder", &holder);
    assert_hidden(&values, "a personalised card", &*personalised);
    for value in &values {
        let unwrapped = Unwrapped { data: value.clone(), le: None };
        assert_hidden(&values, "what a secured command carried", &unwrapped);
    }
}

#[test]
fn no_debug_shows_a_key() {
    let seed = *b"0123456789abcdefGHIJKLMNOPQRSTUV";
    let session = Session::delivered_by(&[&[0xA0, 0x22, 0x80, 0x20][..], &seed].concat()).unwrap();
    assert_hidden(&[seed[..16].to_vec(), seed.to_vec()], "a session", &session);

    let personalised = Personalised::built_in("hanako").unwrap();
    let issued = personalised.issued();
    for key in [&issued.body.text_key, &issued.body.session_key] {
        // nothing but the kind: the public half alone would take hundreds of characters
        assert!(format!("{key:?}").len() < 64, "{key:?}");
    }
    assert!(format!("{:?}", issued.user_authentication.key).len() < 64);
}

fn select_jpki() -> Vec<u8> {
    let jpki = vmyna_sim::application::ALL.iter().find(|application| application.name == "jpki").unwrap();
    CommandBuilder::new(0x00, 0xA4, 0x04, 0x0C).data(jpki.aid).to_bytes()
}
