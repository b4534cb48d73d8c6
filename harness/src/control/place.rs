//! Where control sockets lie: in a folder of the user's own, one for each process, named by its
//! number. One that nobody listens on any more was left behind by a process that was killed.

use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A socket that this process listens on; it is removed in the end.
#[derive(Debug)]
pub struct Place {
    path: PathBuf,
    listener: UnixListener,
}

/// Why there is no place for a socket.
#[derive(Debug, Error)]
pub enum PlaceError {
    /// somebody else could reach it
    #[error("{}: this folder is not yours alone ({problem}); set XDG_RUNTIME_DIR, or name a socket with --control PATH", folder.display())]
    Unsafe {
        /// the folder
        folder: PathBuf,
        /// why it is not safe
        problem: String,
    },
    /// a running process has it
    #[error("{}: a running vmyna is controlled here; give this one another --control PATH", .0.display())]
    InUse(PathBuf),
    /// something else lies there
    #[error("{}: this is no socket, and it was left as it is; give another --control PATH", .0.display())]
    NoSocket(PathBuf),
    /// the system refuses
    #[error("{}: {source}", path.display())]
    Io {
        /// which path
        path: PathBuf,
        /// why
        source: io::Error,
    },
}

impl Place {
    /// Listens at `path`, or at a place of this process's own in the user's folder. The socket is for
    /// its owner only. Call it before there are other threads: the file mode mask of the process is
    /// changed for a moment.
    ///
    /// # Errors
    /// The place is taken, is not safe, or cannot be used.
    pub fn take(path: Option<&Path>) -> Result<Self, PlaceError> {
        let path = match path {
            Some(path) => path.to_owned(),
            None => {
                let path = folder(true)?.join(format!("{}.sock", std::process::id()));
                running()?; // sweeps up what others left behind
                path
            }
        };
        let failed = |source| PlaceError::Io { path: path.clone(), source };
        match std::fs::symlink_metadata(&path) {
            Ok(there) if !there.file_type().is_socket() => return Err(PlaceError::NoSocket(path)),
            Ok(_) if UnixStream::connect(&path).is_ok() => return Err(PlaceError::InUse(path)),
            Ok(_) => std::fs::remove_file(&path).map_err(failed)?,
            Err(_) => {}
        }
        let mask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
        // It takes its name when it listens: until then it would look left behind.
        let beginning = path.with_added_extension("new");
        let bound = UnixListener::bind(&beginning);
        rustix::process::umask(mask);
        let listener = bound.map_err(failed)?;
        std::fs::rename(&beginning, &path).map_err(failed)?;
        Ok(Self { path, listener })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) const fn listener(&self) -> &UnixListener {
        &self.listener
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The user's folder of control sockets.
pub(super) fn folder(make: bool) -> Result<PathBuf, PlaceError> {
    let user = rustix::process::getuid().as_raw();
    let folder = match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) {
        Some(runtime) if runtime.is_absolute() => runtime.join("vmyna"),
        _ => std::env::temp_dir().join(format!("vmyna-{user}")),
    };
    let failed = |source| PlaceError::Io { path: folder.clone(), source };
    if make {
        match std::fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
    }
    // The fallback lies where everybody may make folders.
    let there = match std::fs::symlink_metadata(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(folder),
        there => there.map_err(failed)?,
    };
    let problem = if !there.is_dir() {
        Some("it is no folder".to_owned())
    } else if there.uid() != user {
        Some(format!("it belongs to user {}", there.uid()))
    } else if there.permissions().mode() & 0o077 != 0 {
        Some(format!("its permissions are {:o}, not 700", there.permissions().mode() & 0o777))
    } else {
        None
    };
    match problem {
        Some(problem) => Err(PlaceError::Unsafe { folder, problem }),
        None => Ok(folder),
    }
}

/// The sockets of running processes, in the order of their names. Those of processes that were killed
/// are removed.
///
/// # Errors
/// The user's folder cannot be used.
pub fn running() -> Result<Vec<PathBuf>, PlaceError> {
    let folder = folder(false)?;
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|source| PlaceError::Io { path: folder.clone(), source })?,
    };
    let mut found = Vec::new();
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let is_socket = std::fs::symlink_metadata(&path).is_ok_and(|there| there.file_type().is_socket());
        if !is_socket || path.extension().is_none_or(|extension| extension != "sock") {
            continue;
        }
        match UnixStream::connect(&path) {
            Ok(_) => found.push(path),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                let _ = std::fs::remove_file(&path);
            }
            Err(_) => {}
        }
    }
    found.sort();
    Ok(found)
}

/// Waits until something happens in the folder in which a socket is expected, be it the user's or that
/// of `path`; `false` at the deadline, or where the system does not tell.
///
/// # Errors
/// There is no such folder, or it cannot be watched.
#[cfg(target_os = "linux")]
pub fn wait_for_a_socket(path: Option<&Path>, deadline: std::time::Instant) -> Result<bool, PlaceError> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::inotify;

    let folder = match path {
        Some(path) => match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        },
        None => folder(true)?,
    };
    let failed = |source: rustix::io::Errno| PlaceError::Io { path: folder.clone(), source: source.into() };
    let watch = inotify::init(inotify::CreateFlags::CLOEXEC).map_err(failed)?;
    let flags = inotify::WatchFlags::CREATE | inotify::WatchFlags::MOVED_TO;
    inotify::add_watch(&watch, &folder, flags).map_err(failed)?;
    // It may have come before it was watched for.
    let there = match path {
        Some(path) => UnixStream::connect(path).is_ok(),
        None => !running()?.is_empty(),
    };
    if there {
        return Ok(true);
    }
    let left = deadline.saturating_duration_since(std::time::Instant::now());
    let left = Timespec::try_from(left).unwrap_or_default();
    let told = poll(&mut [PollFd::new(&watch, PollFlags::IN)], Some(&left)).map_err(failed)?;
    Ok(told > 0)
}

/// As on Linux, where the system tells; elsewhere nothing is waited for.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn wait_for_a_socket(_: Option<&Path>, _: std::time::Instant) -> Result<bool, PlaceError> {
    Ok(false)
}
