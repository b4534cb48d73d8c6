//! Frames, the same in both directions: a big-endian `u16` length, then as many bytes. They carry no
//! tag and no number, so one frame too many shifts every later answer; and a reader given a frame of
//! length zero hangs. Hence an empty frame cannot be sent from here, and a longer one than the
//! length field can tell cannot either.

use std::{
    fmt,
    io::{self, Read, Write},
};
use thiserror::Error;

/// The largest body of a frame, in bytes.
pub const MAX_BODY: usize = u16::MAX as usize;

/// The length of a frame's header, in bytes.
pub const HEADER: usize = 2;

/// The control byte that takes the power away.
pub const POWER_OFF: u8 = 0x00;
/// The control byte that powers the card up.
pub const POWER_ON: u8 = 0x01;
/// The control byte that resets the card while the power stays.
pub const WARM_RESET: u8 = 0x02;
/// The control byte that asks for the ATR.
pub const GET_ATR: u8 = 0x04;

/// What the reader wants from the card: the body of one frame, understood. Its `Debug` shows only
/// the length of an APDU, because an APDU may hold a PIN.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// `00`: the card loses its power; never answered
    PowerOff,
    /// `01`: the card is powered up; never answered
    PowerOn,
    /// `02`: a warm reset; never answered
    WarmReset,
    /// `04`: answered with the ATR, in every power state
    GetAtr,
    /// two bytes or more: a command APDU, answered with one response APDU
    Apdu(&'a [u8]),
    /// `03`, or `05` to `FF`: a single byte without a meaning; never answered
    Undefined(u8),
    /// a frame without a body: vpcd sends none; never answered
    Empty,
}

impl<'a> From<&'a [u8]> for Request<'a> {
    fn from(body: &'a [u8]) -> Self {
        match body {
            [] => Self::Empty,
            [POWER_OFF] => Self::PowerOff,
            [POWER_ON] => Self::PowerOn,
            [WARM_RESET] => Self::WarmReset,
            [GET_ATR] => Self::GetAtr,
            [undefined] => Self::Undefined(*undefined),
            apdu => Self::Apdu(apdu),
        }
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PowerOff => f.write_str("PowerOff"),
            Self::PowerOn => f.write_str("PowerOn"),
            Self::WarmReset => f.write_str("WarmReset"),
            Self::GetAtr => f.write_str("GetAtr"),
            Self::Apdu(apdu) => write!(f, "Apdu({} bytes)", apdu.len()),
            Self::Undefined(byte) => write!(f, "Undefined({byte:#04X})"),
            Self::Empty => f.write_str("Empty"),
        }
    }
}

/// A body that no frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unsendable {
    /// a reader that is sent a frame of length zero hangs
    #[error("a frame carries at least one byte, and there is none to send")]
    Empty,
    /// more than the length field can tell
    #[error("a frame carries at most {MAX_BODY} bytes, and there are {0} to send")]
    TooLong(usize),
}

/// Why no frame was read. Lengths count the header.
#[derive(Debug, Error)]
pub enum ReadFrameError {
    /// the other end closed the connection, between two frames
    #[error("the connection was closed")]
    End,
    /// the other end closed the connection within a frame
    #[error("the connection was closed within a frame: {got} of {expected} bytes came")]
    Torn {
        /// bytes in the whole frame, or in its header as long as that is not complete
        expected: usize,
        /// bytes that came
        got: usize,
    },
    /// the connection failed
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Why a frame was not written.
#[derive(Debug, Error)]
pub enum WriteFrameError {
    /// nothing was written
    #[error(transparent)]
    Unsendable(#[from] Unsendable),
    /// the connection failed
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The whole frame around a body.
///
/// # Errors
/// The body is empty or longer than [`MAX_BODY`].
pub fn encode(body: &[u8]) -> Result<Vec<u8>, Unsendable> {
    if body.is_empty() {
        return Err(Unsendable::Empty);
    }
    let length = u16::try_from(body.len()).map_err(|_| Unsendable::TooLong(body.len()))?;
    let mut frame = Vec::with_capacity(HEADER + body.len());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(body);
    Ok(frame)
}

/// Sends a frame in one write: header and body in two make Nagle's algorithm wait for the other
/// end's delayed acknowledgement, about 40 ms each time.
///
/// # Errors
/// The body fits no frame, or the connection failed.
pub fn write(stream: &mut impl Write, body: &[u8]) -> Result<(), WriteFrameError> {
    Ok(stream.write_all(&encode(body)?)?)
}

/// Reads a frame, however it is cut up on the way, into `body`, which is replaced and never grows
/// beyond [`MAX_BODY`]. `after_header` is called between header and body.
///
/// # Errors
/// The connection ended or failed before the frame was complete.
pub fn read(
    stream: &mut impl Read,
    body: &mut Vec<u8>,
    after_header: impl FnOnce(),
) -> Result<(), ReadFrameError> {
    let mut header = [0; HEADER];
    match fill(stream, &mut header)? {
        HEADER => after_header(),
        0 => return Err(ReadFrameError::End),
        got => return Err(ReadFrameError::Torn { expected: HEADER, got }),
    }
    let length = usize::from(u16::from_be_bytes(header));
    body.clear();
    body.reserve_exact(length); // exact, because a vector that doubles outgrows the largest frame
    body.resize(length, 0);
    match fill(stream, body)? {
        got if got == length => Ok(()),
        got => Err(ReadFrameError::Torn { expected: HEADER + length, got: HEADER + got }),
    }
}

/// Fills `buffer` as far as the stream goes, and says how far that was.
fn fill(stream: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(interrupted) if interrupted.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Hands out its bytes in pieces of at most the given sizes, in turn.
    struct Pieces<'a>(&'a [u8], std::iter::Cycle<std::vec::IntoIter<usize>>);

    impl<'a> Pieces<'a> {
        fn new(bytes: &'a [u8], sizes: Vec<usize>) -> Self {
            Self(bytes, sizes.into_iter().cycle())
        }
    }

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let size = self.1.next().unwrap_or(1).min(buffer.len());
            self.0.read(&mut buffer[..size])
        }
    }

    /// Counts writes.
    #[derive(Default)]
    struct Writes(Vec<Vec<u8>>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn frames_arrive_whole_however_they_are_cut_up(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..600), 1..5),
            sizes in prop::collection::vec(1usize..300, 1..8),
        ) {
            let wire: Vec<u8> = bodies.iter().flat_map(|body| encode(body).unwrap()).collect();
            let mut stream = Pieces::new(&wire, sizes);
            let mut body = Vec::new();
            for sent in &bodies {
                read(&mut stream, &mut body, || {}).unwrap();
                prop_assert_eq!(&body, sent);
            }
            let after = read(&mut stream, &mut body, || ());
            prop_assert!(matches!(after, Err(ReadFrameError::End)));
        }
    }

    #[test]
    fn no_sequence_of_frames_grows_the_body_beyond_the_largest() {
        let mut body = Vec::new();
        for length in [1_u16, 40_000, 0, 40_001, 65_534, 65_535, 7] {
            read(&mut length.to_be_bytes().as_slice().chain(io::repeat(0xFF)), &mut body, || {}).unwrap();
            assert_eq!(body.len(), usize::from(length));
            assert!(body.capacity() <= MAX_BODY);
        }
    }

    #[test]
    fn a_frame_is_one_write() {
        let mut writes = Writes::default();
        write(&mut writes, &[0x90, 0x00]).unwrap();
        assert_eq!(writes.0, [[0x00, 0x02, 0x90, 0x00]]);
    }

    #[test]
    fn a_body_of_65_535_bytes_is_carried_and_one_more_is_refused_unsent() {
        let mut writes = Writes::default();
        let refusal = write(&mut writes, &vec![0; MAX_BODY + 1]).unwrap_err();
        assert!(matches!(refusal, WriteFrameError::Unsendable(Unsendable::TooLong(65_536))), "{refusal}");
        assert_eq!(writes.0.len(), 0);
        write(&mut writes, &vec![0; MAX_BODY]).unwrap();
        assert_eq!(writes.0[0][..2], [0xFF, 0xFF]);
    }

    #[test]
    fn an_empty_frame_is_never_sent() {
        let mut writes = Writes::default();
        let refusal = write(&mut writes, &[]).unwrap_err();
        assert!(matches!(refusal, WriteFrameError::Unsendable(Unsendable::Empty)), "{refusal}");
        assert_eq!(writes.0.len(), 0);
    }

    #[test]
    fn an_empty_frame_is_read_as_one() {
        let mut body = vec![1, 2, 3];
        read(&mut &[0, 0][..], &mut body, || {}).unwrap();
        assert_eq!(Request::from(body.as_slice()), Request::Empty);
    }

    #[test]
    fn a_frame_that_ends_early_says_how_much_came() {
        let torn = |wire: &[u8]| match read(&mut &wire[..], &mut Vec::new(), || {}) {
            Err(ReadFrameError::Torn { expected, got }) => (expected, got),
            other => panic!("{other:?}"),
        };
        assert_eq!(torn(&[0]), (2, 1));
        assert_eq!(torn(&[0, 9]), (11, 2));
        assert_eq!(torn(&[0, 9, 1, 2, 3]), (11, 5));
    }

    #[test]
    fn one_byte_is_a_control_and_everything_longer_an_apdu() {
        assert_eq!(Request::from(&[0x00][..]), Request::PowerOff);
        assert_eq!(Request::from(&[0x01][..]), Request::PowerOn);
        assert_eq!(Request::from(&[0x02][..]), Request::WarmReset);
        assert_eq!(Request::from(&[0x03][..]), Request::Undefined(3));
        assert_eq!(Request::from(&[0x04][..]), Request::GetAtr);
        assert_eq!(Request::from(&[0x05][..]), Request::Undefined(5));
        assert_eq!(Request::from(&[0x00, 0x00][..]), Request::Apdu(&[0, 0]));
    }

    #[test]
    fn the_debug_output_of_an_apdu_shows_none_of_its_bytes() {
        let verify = [0x00, 0x20, 0x00, 0x80, 0x04, 0x31, 0x32, 0x33, 0x34];
        assert_eq!(format!("{:?}", Request::Apdu(&verify)), "Apdu(9 bytes)");
    }
}
