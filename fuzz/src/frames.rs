//! Any bytes as a stream of frames, however they are cut up.

use std::io::{self, Read};
use vmyna_sim::vpcd::frame::{self, HEADER, MAX_BODY, ReadFrameError, Request};

/// Hands out its bytes in pieces that they themselves choose.
struct Pieces<'a>(&'a [u8]);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = 1 + usize::from(self.0.first().copied().unwrap_or(0) % 7);
        let size = size.min(buffer.len());
        self.0.read(&mut buffer[..size])
    }
}

/// One input.
pub fn check(input: &[u8]) {
    let (mut whole, mut pieces) = (input, Pieces(input));
    let (mut one, mut other) = (Vec::new(), Vec::new());
    let mut read = 0;
    loop {
        let outcome = frame::read(&mut whole, &mut one, || {});
        let cut_up = frame::read(&mut pieces, &mut other, || {});
        match outcome {
            Ok(()) => {
                assert!(cut_up.is_ok() && one == other);
                assert!(one.capacity() <= MAX_BODY.max(one.len()));
                read += HEADER + one.len();
                let _ = format!("{:?}", Request::from(&one[..]));
                if !one.is_empty() {
                    let encoded = frame::encode(&one).expect("it came in a frame");
                    assert_eq!(encoded, input[read - HEADER - one.len()..read]);
                }
            }
            Err(ReadFrameError::End) => {
                assert_eq!(read, input.len());
                assert!(matches!(cut_up, Err(ReadFrameError::End)));
                return;
            }
            Err(ReadFrameError::Torn { got, .. }) => {
                assert_eq!(read + got, input.len());
                assert!(matches!(cut_up, Err(ReadFrameError::Torn { .. })));
                return;
            }
            Err(ReadFrameError::Io(error)) => panic!("bytes in memory do not fail: {error}"),
        }
    }
}
