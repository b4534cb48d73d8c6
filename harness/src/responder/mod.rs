//! OCSP over HTTP (RFC 6960, appendix A; RFC 5019 for GET): one thread and one request for each
//! connection, everything bounded in size and time. What is answered is somebody else's business.

mod message;

use message::{Refusal, response};
use std::io::{self, Read, Write};
use std::net::{Shutdown as Direction, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use vmyna_sim::vpcd::Shutdown;

/// From the connection to the end of the answer.
const TIME: Duration = Duration::from_secs(10);
/// More at once are sent away.
const CONNECTIONS: usize = 64;
/// When the system is short of something (descriptors, mostly), time to get over it.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);
/// What a client that was refused may still send before the connection is dropped, so that it sees
/// the refusal rather than a reset connection.
const LEFT_OVER_BYTES: u64 = 1 << 20;
const LEFT_OVER_TIME: Duration = Duration::from_secs(1);

/// Gives the DER OCSPResponse to a DER OCSPRequest, which may be any bytes.
pub trait AnswerOcsp: Sync {
    /// The answer to `request` that came from `peer`.
    fn answer(&self, request: &[u8], peer: SocketAddr) -> Vec<u8>;

    /// Something else than a request for OCSP came from `peer`, and was refused with this status.
    fn refused(&self, status: u16, peer: SocketAddr);
}

/// Answers on `listener` until shutdown; then all connections end, and it returns.
pub fn serve(listener: TcpListener, shutdown: &Shutdown, answers: &dyn AnswerOcsp) {
    let listener = Arc::new(listener);
    let open = AtomicUsize::new(0);
    thread::scope(|scope| {
        while let Some(accepted) = shutdown.accept(&listener) {
            let Ok((stream, peer)) = accepted else {
                if shutdown.wait(AFTER_FAILED_ACCEPT) {
                    return;
                }
                continue;
            };
            if open.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS {
                open.fetch_sub(1, Ordering::Relaxed);
                turn_away(stream);
                continue;
            }
            let open = &open;
            let connection = move || {
                // a connection that breaks is the client's loss
                let _ = converse(stream, peer, shutdown, answers);
                open.fetch_sub(1, Ordering::Relaxed);
            };
            if thread::Builder::new().spawn_scoped(scope, connection).is_err() {
                open.fetch_sub(1, Ordering::Relaxed);
            }
        }
    });
}

/// Without waiting for anything.
fn turn_away(mut stream: TcpStream) {
    let _ = stream.set_nonblocking(true);
    let _ = stream.write(&Refusal::TooManyConnections.response());
}

fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    shutdown: &Shutdown,
    answers: &dyn AnswerOcsp,
) -> io::Result<()> {
    let stream = Arc::new(stream);
    let Some(_waker) = shutdown.wakes_stream(&stream) else { return Ok(()) };
    let mut stream = Bounded { stream: &stream, deadline: Instant::now() + TIME };
    let request = match message::read(&mut stream) {
        Ok(request) => request,
        Err(refusal) => {
            if let Some(status) = refusal.status() {
                answers.refused(status, peer);
                stream.write_all(&refusal.response())?;
                stream.leave_over()?;
            }
            return Ok(());
        }
    };
    stream.write_all(&response(&answers.answer(&request, peer)))
}

/// A stream that ends at a deadline, however slowly bytes come.
struct Bounded<'s> {
    stream: &'s TcpStream,
    deadline: Instant,
}

impl Bounded<'_> {
    fn remaining(&self) -> io::Result<Duration> {
        let remaining = self.deadline.saturating_duration_since(Instant::now());
        if remaining.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(remaining) }
    }

    /// Says that nothing more comes, and takes what the client is still sending.
    fn leave_over(&mut self) -> io::Result<()> {
        self.stream.shutdown(Direction::Write)?;
        self.deadline = Instant::now() + LEFT_OVER_TIME;
        io::copy(&mut self.take(LEFT_OVER_BYTES), &mut io::sink()).map(drop)
    }
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.remaining()?))?;
        self.stream.read(buffer)
    }
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.remaining()?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
