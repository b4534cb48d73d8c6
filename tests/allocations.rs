//! A command costs one allocation: the answer, at its exact size. What the cryptographic library
//! allocates for itself in C is not seen here.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use allocation_counter::measure;
use vmyna_sim::apdu::CommandBuilder;
use vmyna_sim::card::VirtualCard;
use vmyna_sim::smart_card::{Reaction, SmartCard};

const JPKI: [u8; 10] = [0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01];

fn select_file(id: [u8; 2]) -> Vec<u8> {
    CommandBuilder::new(0x00, 0xA4, 0x02, 0x0C).data(&id).to_bytes()
}

/// Sends the commands and asserts of the last one that it allocates its answer and nothing else.
#[track_caller]
fn allocates_its_answer_only(commands: &[Vec<u8>], answer_length: usize) {
    let mut card = VirtualCard::built_in("hanako").unwrap();
    let (measured, before) = commands.split_last().unwrap();
    card.transmit(&CommandBuilder::new(0x00, 0xA4, 0x04, 0x0C).data(&JPKI).to_bytes());
    for command in before {
        card.transmit(command);
    }
    let mut reaction = None;
    let allocated = measure(|| reaction = Some(card.transmit(measured)));
    let Some(Reaction::Answer(answer)) = reaction else { panic!("the card answers") };
    assert_eq!(answer.len(), answer_length);
    assert_eq!((allocated.count_total, allocated.bytes_total), (1, answer_length as u64));
}

#[test]
fn selecting_an_application() {
    allocates_its_answer_only(&[CommandBuilder::new(0x00, 0xA4, 0x04, 0x0C).data(&JPKI).to_bytes()], 2);
}

#[test]
fn selecting_a_file() {
    allocates_its_answer_only(&[select_file([0x00, 0x0A])], 2);
}

#[test]
fn reading_256_bytes() {
    let read = CommandBuilder::new(0x00, 0xB0, 0x00, 0x00).le(256).to_bytes();
    allocates_its_answer_only(&[select_file([0x00, 0x0A]), read], 258);
}

#[test]
fn verifying_a_pin_right_and_wrong() {
    for pin in [b"1234", b"0000"] {
        let verify = CommandBuilder::new(0x00, 0x20, 0x00, 0x80).data(pin).to_bytes();
        allocates_its_answer_only(&[select_file([0x00, 0x18]), verify], 2);
    }
}
