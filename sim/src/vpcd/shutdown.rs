//! Ending from outside: one handle that wakes every wait in this room, be it a blocked read, a
//! blocked accept or a pause, without anything having to look at a flag from time to time.

use std::{
    collections::BTreeMap,
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Enough for a connection within one machine, which is refused or taken at once.
const SELF_CONNECT_TIMEOUT: Duration = Duration::from_millis(20);

/// Ends all serving that was started with it or with a clone of it. Not for use within a signal
/// handler proper, since it takes a lock; from a thread that waits for signals it is.
#[derive(Clone, Default)]
pub struct Shutdown(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    down: Condvar,
}

#[derive(Default)]
struct State {
    down: bool,
    next: u64,
    wakers: BTreeMap<u64, Box<dyn Fn() + Send>>,
}

impl Shutdown {
    /// A handle that nothing depends on yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends everything now, and for good. Returns before it has ended; further calls do nothing.
    pub fn now(&self) {
        let mut state = self.state();
        if !state.down {
            state.down = true;
            self.0.down.notify_all();
            state.wakers.values().for_each(|wake| wake());
        }
    }

    /// Whether [`Shutdown::now`] was called.
    #[must_use]
    pub fn requested(&self) -> bool {
        self.state().down
    }

    /// Pauses, and says whether the pause was cut short (or not begun) by shutdown.
    #[must_use]
    pub fn wait(&self, at_most: Duration) -> bool {
        let pause = self.0.down.wait_timeout_while(self.state(), at_most, |state| !state.down);
        pause.unwrap_or_else(PoisonError::into_inner).0.down
    }

    /// Has `wake` called at shutdown, as long as the result lives. `None` when it is too late.
    pub(super) fn wakes(&self, wake: impl Fn() + Send + 'static) -> Option<Waker<'_>> {
        let mut state = self.state();
        if state.down {
            return None;
        }
        let id = state.next;
        state.next += 1;
        state.wakers.insert(id, Box::new(wake));
        Some(Waker { shutdown: self, id })
    }

    /// Lets shutdown end all reading from and writing to a stream, as long as the result lives.
    /// `None` when it is too late.
    #[must_use]
    pub fn wakes_stream(&self, stream: &Arc<TcpStream>) -> Option<Waker<'_>> {
        let stream = Arc::clone(stream);
        self.wakes(move || drop(stream.shutdown(std::net::Shutdown::Both)))
    }

    /// Accepts one connection; `None` at shutdown.
    ///
    /// # Errors
    /// What the system says of the attempt, which may be worth repeating after a pause.
    #[must_use]
    pub fn accept(&self, listener: &Arc<TcpListener>) -> Option<io::Result<(TcpStream, SocketAddr)>> {
        let waking = Arc::clone(listener);
        let _waker = self.wakes(move || wake_accept(&waking))?;
        let accepted = listener.accept();
        if self.requested() { None } else { Some(accepted) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown").field("requested", &self.requested()).finish_non_exhaustive()
    }
}

/// Something that shutdown wakes, until this is dropped.
#[derive(Debug)]
pub struct Waker<'a> {
    shutdown: &'a Shutdown,
    id: u64,
}

impl Drop for Waker<'_> {
    fn drop(&mut self) {
        let waker = self.shutdown.state().wakers.remove(&self.id);
        drop(waker);
    }
}

/// Linux ends a blocked accept when the socket is shut down, at once and without another descriptor;
/// other systems do not, and there it is a connection that ends it.
fn wake_accept(listener: &TcpListener) {
    let _ = socket2::SockRef::from(listener).shutdown(std::net::Shutdown::Both);
    if let Ok(mut address) = listener.local_addr() {
        if address.ip().is_unspecified() {
            address.set_ip(match address.ip() {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        let _ = TcpStream::connect_timeout(&address, SELF_CONNECT_TIMEOUT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{io::Read, sync::mpsc, thread};

    const LONG: Duration = Duration::from_mins(1);

    /// Runs something that blocks, shuts down, and waits for it to end.
    fn ends_at_shutdown(blocks: impl FnOnce(&Shutdown) + Send + 'static) {
        let shutdown = Shutdown::new();
        let (done, ended) = mpsc::channel();
        let handle = shutdown.clone();
        let thread = thread::spawn(move || {
            blocks(&handle);
            done.send(()).unwrap();
        });
        shutdown.now();
        ended.recv_timeout(LONG / 4).expect("it ends at shutdown");
        thread.join().unwrap();
    }

    #[test]
    fn shutdown_ends_a_pause() {
        ends_at_shutdown(|shutdown| assert!(shutdown.wait(LONG)));
    }

    #[test]
    fn shutdown_ends_a_blocked_accept() {
        for address in ["127.0.0.1:0", "0.0.0.0:0"] {
            let listener = Arc::new(TcpListener::bind(address).unwrap());
            ends_at_shutdown(move |shutdown| assert!(shutdown.accept(&listener).is_none()));
        }
    }

    #[test]
    fn shutdown_ends_a_blocked_read() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = Arc::new(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
        ends_at_shutdown(move |shutdown| {
            if let Some(_waker) = shutdown.wakes_stream(&stream) {
                assert_eq!((&*stream).read(&mut [0]).unwrap(), 0);
            }
        });
    }

    #[test]
    fn a_pause_without_shutdown_lasts_to_its_end() {
        assert!(!Shutdown::new().wait(Duration::from_millis(1)));
    }

    #[test]
    fn what_comes_after_shutdown_does_not_begin() {
        let shutdown = Shutdown::new();
        shutdown.now();
        shutdown.now();
        assert!(shutdown.requested() && shutdown.wait(LONG) && shutdown.wakes(|| {}).is_none());
    }
}
