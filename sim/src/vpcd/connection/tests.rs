//! Cards that do everything wrong, at the reader's end: each fault has its own name and none hangs or
//! deceives the reader.

use super::*;
use std::net::TcpListener;

const SHORT: Duration = Duration::from_millis(20);

/// A connection, and the socket of a card that does what the test wants.
fn hostile() -> (Connection, TcpStream) {
    with(ReaderOptions::default())
}

fn with(options: ReaderOptions) -> (Connection, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let card = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    card.set_nodelay(true).unwrap();
    (Connection::new(listener.accept().unwrap().0, options).unwrap(), card)
}

fn impatient() -> ReaderOptions {
    ReaderOptions { answer_timeout: SHORT, ..ReaderOptions::default() }
}

/// Sends this in answer to the first request, then hands the socket back.
fn answer(card: &mut TcpStream, bytes: &[u8]) {
    let mut request = [0; 3];
    card.read_exact(&mut request).unwrap();
    card.write_all(bytes).unwrap();
}

/// What the reader makes of an answer that consists of these bytes; then the card waits, or goes.
fn received(bytes: &[u8], goes: bool) -> LinkLost {
    let (mut connection, mut card) = with(if goes { ReaderOptions::default() } else { impatient() });
    card.write_all(bytes).unwrap();
    let _waits = (!goes).then_some(card);
    connection.receive().unwrap_err()
}

#[test]
fn a_mute_card_times_out() {
    let (mut connection, _card) = with(impatient());
    assert_eq!(connection.atr(), Err(LinkLost::Mute { waited: SHORT }));
    assert_eq!(connection.power(Power::On), Err(LinkLost::Mute { waited: SHORT }), "it stays lost");
}

#[test]
fn a_card_that_promises_more_than_it_sends_times_out() {
    let stalled = |expected, got| LinkLost::Stalled { expected, got, waited: SHORT };
    assert_eq!(received(&[0], false), stalled(2, 1));
    assert_eq!(received(&[0xFF, 0xFF, 1, 2], false), stalled(65_537, 4));
}

#[test]
fn a_card_that_dribbles_is_bound_by_the_timeout_for_the_whole_answer() {
    let (mut connection, mut card) = with(impatient());
    card.write_all(&[0xFF, 0xFF]).unwrap();
    let thread = thread::spawn(move || {
        // one byte at a time for as long as the reader stands it
        while card.write_all(&[0]).is_ok() {
            thread::yield_now();
        }
    });
    let outcome = connection.receive();
    drop(connection);
    thread.join().unwrap();
    // on a fast machine the whole frame may arrive in time
    assert!(matches!(outcome, Ok(_) | Err(LinkLost::Stalled { expected: 65_537, .. })), "{outcome:?}");
}

#[test]
fn a_card_that_goes_within_its_answer_has_sent_half_a_frame() {
    let half = |expected, got| LinkLost::HalfFrame { expected, got };
    assert_eq!(received(&[], true), LinkLost::Closed);
    assert_eq!(received(&[0], true), half(2, 1));
    assert_eq!(received(&[0, 10], true), half(12, 2));
    assert_eq!(received(&[0, 10, 1, 2, 3], true), half(12, 5));
}

#[test]
fn a_connection_reset_is_told_from_one_closed() {
    let (mut connection, card) = hostile();
    socket2::SockRef::from(&card).set_linger(Some(Duration::ZERO)).unwrap();
    drop(card);
    assert_eq!(connection.atr(), Err(LinkLost::Reset));
}

#[test]
fn an_answer_of_length_zero_is_a_loss_and_no_answer() {
    assert_eq!(received(&[0, 0], false), LinkLost::EmptyFrame);
}

#[test]
fn an_answer_may_come_a_byte_at_a_time_and_be_as_long_as_a_frame() {
    let (mut connection, mut card) = hostile();
    let thread = thread::spawn(move || {
        answer(&mut card, &[0xFF]);
        card.write_all(&[0xFF]).unwrap();
        (0..1000).for_each(|_| card.write_all(&[7]).unwrap());
        card.write_all(&vec![7; MAX_BODY - 1000]).unwrap();
        answer(&mut card, &[0, 1, 9]);
        card
    });
    assert_eq!(connection.atr().unwrap(), vec![7; MAX_BODY]);
    assert_eq!(connection.atr().unwrap(), [9]);
    thread.join().unwrap();
}

#[test]
fn a_frame_too_many_is_noticed_before_the_next_request_and_for_good() {
    let (mut connection, mut card) = hostile();
    let thread = thread::spawn(move || {
        answer(&mut card, &[0, 1, 1, 0, 1, 2]);
        card
    });
    assert_eq!(connection.atr().unwrap(), [1]);
    let mut card = thread.join().unwrap();
    for _ in 0..2 {
        assert_eq!(connection.transmit(&[0, 0]), Err(LinkLost::Unsolicited.into()));
    }
    assert_eq!(card.read(&mut [0; 9]).unwrap(), 0, "no request was sent, and the connection is closed");
}

#[test]
fn a_card_that_talks_before_it_is_asked_is_noticed() {
    let (mut connection, mut card) = hostile();
    card.write_all(&[0, 1, 1]).unwrap();
    assert_eq!(connection.stays_quiet(Duration::from_secs(20)), Err(LinkLost::Unsolicited));
    assert_eq!(connection.power(Power::On), Err(LinkLost::Unsolicited));
}

#[test]
fn a_card_that_answers_a_power_control_is_noticed() {
    let (mut connection, mut card) = hostile();
    connection.power(Power::On).unwrap();
    connection.stays_quiet(Duration::from_millis(1)).unwrap();
    answer(&mut card, &[0, 1, 1]);
    assert_eq!(connection.stays_quiet(Duration::from_secs(20)), Err(LinkLost::Unsolicited));
}

#[test]
fn a_card_that_has_left_is_noticed_at_the_next_request() {
    let (mut connection, card) = hostile();
    drop(card);
    assert_eq!(connection.stays_quiet(Duration::from_secs(20)), Err(LinkLost::Closed));
    assert_eq!(connection.transmit(&[0, 0]), Err(LinkLost::Closed.into()));
}

#[test]
fn a_card_that_never_reads_times_out() {
    let (mut connection, card) = with(impatient());
    let request = vec![0; MAX_BODY];
    let lost = loop {
        // the queues between the two ends take some megabytes
        if let Err(lost) = connection.guard(|connection| connection.send(&request)) {
            break lost;
        }
    };
    assert_eq!(lost, LinkLost::Deaf { waited: SHORT });
    drop(card);
}

#[test]
fn commands_that_no_frame_carries_are_refused_unsent_and_harm_nothing() {
    let (mut connection, mut card) = hostile();
    assert_eq!(connection.transmit(&[]), Err(TransmitError::Empty));
    assert_eq!(connection.transmit(&[0x00]), Err(TransmitError::OneByte));
    assert_eq!(connection.transmit(&vec![0; 65_536]), Err(TransmitError::TooLong(65_536)));
    let thread = thread::spawn(move || answer(&mut card, &[0, 1, 5]));
    assert_eq!(connection.atr().unwrap(), [5]);
    thread.join().unwrap();
}
