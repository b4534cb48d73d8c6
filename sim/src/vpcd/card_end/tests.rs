//! Conversations byte by byte: what a card must say to a reader, and above all when it must be
//! silent, because one frame too many or too few cannot be made good.

use super::super::recording_card::{ATR, Call, PATIENCE, RecordingCard, Served};
use super::*;
use crate::vpcd::frame::{MAX_BODY, Unsendable};
use std::sync::mpsc::{Receiver, channel};

const ATR_FRAME: [u8; 6] = [0, 4, ATR[0], ATR[1], ATR[2], ATR[3]];
const OFF: &[u8] = &[0, 1, 0x00];
const ON: &[u8] = &[0, 1, 0x01];
const RESET: &[u8] = &[0, 1, 0x02];
const GET_ATR: &[u8] = &[0, 1, 0x04];

/// The reader's socket, and the card behind the other one.
struct Table {
    reader: TcpStream,
    card: Served,
    ended: Receiver<Ended>,
}

impl Table {
    fn laid(instead_of_answering: Option<Reaction>) -> Self {
        Self::with(CardEnd::default(), instead_of_answering)
    }

    fn with(settings: CardEnd, instead_of_answering: Option<Reaction>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let reader = listener.accept().unwrap().0;
        reader.set_nodelay(true).unwrap();
        reader.set_read_timeout(Some(PATIENCE)).unwrap();
        let (mut card, calls) = RecordingCard::new(instead_of_answering);
        let (told, ended) = channel();
        let card = Served::start(calls, move |shutdown, on_event| {
            told.send(settings.serve_connection(&mut card, stream, shutdown, on_event)).unwrap();
        });
        Self { reader, card, ended }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.reader.write_all(bytes).unwrap();
    }

    fn expect(&mut self, frame: &[u8]) {
        let mut came = vec![0; frame.len()];
        self.reader.read_exact(&mut came).unwrap();
        assert_eq!(came, frame);
    }

    /// Everything up to the end of the connection.
    fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.reader.read_to_end(&mut rest).unwrap();
        rest
    }

    fn ended(&self) -> Ended {
        self.ended.recv_timeout(PATIENCE).unwrap()
    }

    fn calls(&self) -> Vec<Call> {
        self.card.calls.try_iter().collect()
    }
}

#[test]
fn power_controls_are_not_answered() {
    let mut table = Table::laid(None);
    for control in [ON, RESET, OFF] {
        table.send(control);
    }
    table.send(GET_ATR);
    table.expect(&ATR_FRAME);
    let calls = [Power::On, Power::WarmReset, Power::Off].map(Call::Power);
    assert_eq!(table.calls(), calls.into_iter().chain([Call::Atr]).collect::<Vec<_>>());
}

#[test]
fn the_atr_is_answered_before_power_on_and_after_power_off() {
    let mut table = Table::laid(None);
    for before in [&[][..], ON, OFF] {
        table.send(before);
        table.send(GET_ATR);
        table.expect(&ATR_FRAME);
    }
}

#[test]
fn a_command_gets_exactly_one_answer_in_one_piece() {
    let mut table = Table::laid(None);
    table.send(&[0, 2, 0xAA, 0xBB]);
    let mut came = [0; 100];
    let n = table.reader.read(&mut came).unwrap();
    assert_eq!(came[..n], [0, 4, 0xAA, 0xBB, 0x90, 0x00]);
    table.reader.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(table.rest().is_empty());
}

#[test]
fn requests_may_come_a_byte_at_a_time() {
    let mut table = Table::laid(None);
    for byte in [ON, GET_ATR, &[0, 3, 1, 2, 3]].concat() {
        table.send(&[byte]);
    }
    table.expect(&[&ATR_FRAME[..], &[0, 5, 1, 2, 3, 0x90, 0x00]].concat());
}

#[test]
fn undefined_control_bytes_are_reported_and_not_answered() {
    for byte in (0x03..=0xFF).filter(|byte| *byte != frame::GET_ATR) {
        let mut table = Table::laid(None);
        table.send(&[0, 1, byte]);
        table.card.expect(&Event::UndefinedControl(byte));
        table.send(GET_ATR);
        table.expect(&ATR_FRAME);
        assert_eq!(table.calls(), [Call::Atr]);
    }
}

#[test]
fn a_flood_without_a_meaning_is_told_once_and_counted() {
    let mut table = Table::laid(None);
    table.send(&[0, 1, 0x77, 0, 0, 0, 1, 0x78].repeat(1_000));
    table.send(GET_ATR);
    table.expect(&ATR_FRAME);
    table.reader.shutdown(std::net::Shutdown::Write).unwrap();
    table.rest();
    let told = [Event::UndefinedControl(0x77), Event::EmptyFrame, Event::Meaningless(3_000)];
    assert_eq!(table.card.rest(), told);
}

#[test]
fn an_empty_frame_is_reported_and_not_answered() {
    let mut table = Table::laid(None);
    table.send(&[0, 0]);
    table.card.expect(&Event::EmptyFrame);
    table.send(GET_ATR);
    table.expect(&ATR_FRAME);
    assert_eq!(table.calls(), [Call::Atr]);
}

#[test]
fn the_largest_frames_pass_in_both_directions() {
    let answer = vec![0x5A; MAX_BODY];
    let mut table = Table::laid(Some(Reaction::Answer(answer.clone())));
    table.send(&[&[0xFF, 0xFF], vec![0xA5; MAX_BODY].as_slice()].concat());
    table.expect(&[&[0xFF, 0xFF], answer.as_slice()].concat());
    assert_eq!(table.calls(), [Call::Transmit(vec![0xA5; MAX_BODY])]);
}

#[test]
fn an_answer_that_fits_no_frame_is_not_sent_and_the_card_leaves() {
    for (length, why) in [(65_536, Unsendable::TooLong(65_536)), (0, Unsendable::Empty)] {
        let mut table = Table::laid(Some(Reaction::Answer(vec![0; length])));
        table.send(&[0, 2, 0, 0]);
        assert!(table.rest().is_empty());
        assert_eq!(table.ended(), Ended::Unsendable(why));
    }
}

#[test]
fn a_card_that_leaves_closes_resets_or_breaks_off() {
    let leave = |leaving| {
        let mut table = Table::laid(Some(Reaction::Leave(leaving)));
        table.send(&[0, 2, 0, 0]);
        let mut came = Vec::new();
        let closing = table.reader.read_to_end(&mut came).map_err(|error| error.kind());
        assert_eq!(table.ended(), Ended::CardLeft(leaving));
        (closing, came)
    };
    assert_eq!(leave(Leaving::Close), (Ok(0), vec![]));
    assert_eq!(leave(Leaving::Reset), (Err(io::ErrorKind::ConnectionReset), vec![]));
    assert_eq!(leave(Leaving::HalfFrame), (Ok(7), HALF_FRAME.to_vec()));
}

#[test]
fn a_card_falls_silent_for_its_time_and_then_leaves() {
    let silence = Duration::from_millis(30);
    let mut table = Table::laid(Some(Reaction::Silence(silence)));
    let from = Instant::now();
    table.send(&[0, 2, 0, 0]);
    assert!(table.rest().is_empty());
    assert!(from.elapsed() >= silence);
    assert_eq!(table.ended(), Ended::CardSilent(silence));
}

#[test]
fn no_silence_outlasts_the_reader_nor_shutdown() {
    let mut table = Table::laid(Some(Reaction::Silence(Duration::MAX)));
    table.send(&[0, 2, 0, 0]);
    drop(table.reader);
    assert_eq!(table.ended.recv_timeout(PATIENCE), Ok(Ended::ReaderClosed));

    let mut table = Table::laid(Some(Reaction::Silence(Duration::MAX)));
    table.send(&[0, 2, 0, 0]);
    assert_eq!(table.card.calls.recv_timeout(PATIENCE), Ok(Call::Transmit(vec![0, 0])));
    table.card.ends_at_shutdown();
    assert_eq!(table.ended(), Ended::Shutdown);
}

#[test]
fn shutdown_ends_a_connection_on_which_nothing_happens() {
    let mut table = Table::laid(None);
    table.send(GET_ATR);
    table.expect(&ATR_FRAME);
    table.card.ends_at_shutdown();
    assert_eq!(table.ended(), Ended::Shutdown);
    assert!(table.rest().is_empty());
}

#[test]
fn a_reader_that_only_stops_talking_still_gets_its_answer() {
    let mut table = Table::laid(None);
    table.send(GET_ATR);
    table.reader.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(table.rest(), ATR_FRAME);
    assert_eq!(table.ended(), Ended::ReaderClosed);
}

#[test]
fn the_card_loses_its_power_however_the_connection_is_lost() {
    let close: fn(TcpStream) = drop;
    let reset: fn(TcpStream) = |reader| {
        socket2::SockRef::from(&reader).set_linger(Some(Duration::ZERO)).unwrap();
    };
    let break_off: fn(TcpStream) = |mut reader| reader.write_all(&[0, 10, 1, 2, 3]).unwrap();
    for (lose, how) in [
        (close, Ended::ReaderClosed),
        (reset, Ended::Lost(io::ErrorKind::ConnectionReset)),
        (break_off, Ended::Torn { expected: 12, got: 5 }),
    ] {
        let mut table = Table::laid(None);
        table.send(ON);
        table.send(GET_ATR);
        table.expect(&ATR_FRAME);
        lose(table.reader);
        assert_eq!(table.ended.recv_timeout(PATIENCE), Ok(how));
        let calls: Vec<_> = table.card.calls.try_iter().collect();
        assert_eq!(calls, [Call::Power(Power::On), Call::Atr, Call::Power(Power::Off)]);
    }
}

#[test]
fn the_card_loses_its_power_when_it_leaves_by_itself() {
    let mut table = Table::laid(Some(Reaction::Leave(Leaving::Close)));
    table.send(&[0, 2, 0, 0]);
    table.ended();
    assert_eq!(table.calls(), [Call::Transmit(vec![0, 0]), Call::Power(Power::Off)]);
}

#[test]
fn a_card_is_ready_once_it_is_powered_and_its_atr_was_answered() {
    let mut table = Table::laid(None);
    table.send(&[GET_ATR, ON].concat());
    table.send(&[0, 1, 0x77]);
    table.send(&[GET_ATR, OFF, ON, GET_ATR].concat());
    table.reader.shutdown(std::net::Shutdown::Write).unwrap();
    table.rest();
    assert_eq!(table.card.rest(), [Event::UndefinedControl(0x77), Event::Ready]);
}

#[test]
fn a_card_that_is_never_powered_is_ready_at_its_first_command() {
    let mut table = Table::laid(None);
    table.send(GET_ATR);
    table.send(&[0, 2, 0, 0]);
    table.reader.shutdown(std::net::Shutdown::Write).unwrap();
    table.rest();
    assert_eq!(table.card.rest(), [Event::Ready]);
}

#[test]
fn a_card_that_took_anothers_place_unnoticed_is_ready_when_it_is_looked_at_again() {
    let mut table = Table::laid(None);
    table.send(GET_ATR);
    table.send(&[0, 1, 0x77]);
    table.send(GET_ATR);
    table.reader.shutdown(std::net::Shutdown::Write).unwrap();
    table.rest();
    assert_eq!(table.card.rest(), [Event::UndefinedControl(0x77), Event::Ready]);
}

#[test]
fn a_silent_reader_is_reported_and_waited_for() {
    assert_eq!(CardEnd::default().silent_after.as_secs(), 1);
    let silent_after = Duration::from_millis(10);
    let mut table = Table::with(CardEnd { silent_after, ..CardEnd::default() }, None);
    table.card.expect(&Event::Silent(silent_after));
    table.send(GET_ATR);
    table.expect(&ATR_FRAME);
}

#[test]
fn without_quick_acknowledgement_the_bytes_are_the_same() {
    let mut table = Table::with(CardEnd::default().quick_ack(false), None);
    table.send(&[ON, GET_ATR].concat());
    table.expect(&ATR_FRAME);
}
