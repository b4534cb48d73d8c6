//! The state file: JSON with a version, replaced atomically (write beside it, sync, rename, sync
//! the folder) and locked for as long as a card uses it.
//!
//! The lock lies on the file itself, so that nothing else appears on disk. A replacement is locked
//! before it takes the name, and whoever has waited for a lock checks that the name still means
//! the file it locked. A process that is killed while it writes leaves a replacement behind that
//! nobody has locked; the next one removes it.

use super::Store;
use crate::pin::{PinName, PinState, PinStates, PinValue};
use crate::profile::Tries;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The version that is written.
const VERSION: u32 = 1;

/// Far more than any state needs.
const MAX_BYTES: u64 = 64 * 1024;

/// A state file that cannot be used. None of these leaves anything changed on disk.
#[derive(Debug, Error)]
pub enum StateFileError {
    /// there is no folder to keep it in
    #[error("{}: the folder {} cannot be used: {source}; create it first", path.display(), folder.display())]
    NoFolder {
        /// the state file
        path: PathBuf,
        /// its folder
        folder: PathBuf,
        /// why not
        source: io::Error,
    },
    /// reading, writing or locking failed
    #[error("{}: {action} failed: {source}", path.display())]
    Io {
        /// the state file
        path: PathBuf,
        /// what was tried
        action: &'static str,
        /// why it failed
        source: io::Error,
    },
    /// another process has it
    #[error(
        "{}: this state file is in use by another process; a card lies in one reader at a time. \
         Stop the other `vmyna serve`, or give this one a file of its own",
        path.display()
    )]
    InUse {
        /// the state file
        path: PathBuf,
    },
    /// it is not what was once written
    #[error(
        "{}:{line}:{column}: this is no complete state file: {reason}. \
         It was left as it is; move it away to start with a fresh card",
        path.display()
    )]
    Damaged {
        /// the state file
        path: PathBuf,
        /// where reading stopped
        line: usize,
        /// where reading stopped
        column: usize,
        /// what is wrong
        reason: String,
    },
    /// it was written by a later vmyna
    #[error(
        "{}: this state file has version {version}, and this vmyna reads up to {VERSION}. \
         It was left as it is; use the newer vmyna that wrote it, or another file",
        path.display()
    )]
    Newer {
        /// the state file
        path: PathBuf,
        /// its version
        version: u64,
    },
    /// it belongs to another card
    #[error(
        "{}: this is the state of the card of {found:?}, not of {wanted:?}. \
         It was left as it is; use `--holder {found}`, or another file",
        path.display()
    )]
    OtherHolder {
        /// the state file
        path: PathBuf,
        /// whose card it is
        found: String,
        /// whose card was wanted
        wanted: String,
    },
}

#[derive(Deserialize)]
struct Envelope {
    vmyna_state: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    vmyna_state: u32,
    holder: String,
    pins: BTreeMap<PinName, PinDocument>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PinDocument {
    tries_left: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changed_value: Option<String>,
}

/// A locked state file.
#[derive(Debug)]
pub struct FileStore {
    path: PathBuf,
    holder: String,
    /// held open for its lock
    current: File,
}

impl FileStore {
    /// Opens the state of `holder`'s card at `path`, whose counters have at most `full` tries, or begins
    /// it with `fresh` when there is none. Returns the store and the state that the card is in.
    ///
    /// # Errors
    /// [`StateFileError`]; the file is then as it was.
    pub fn open(
        path: &Path,
        holder: &str,
        full: Tries,
        fresh: PinStates,
    ) -> Result<(Self, PinStates), StateFileError> {
        let (current, state) = match lock(path)? {
            Some(mut current) => {
                let state = read(path, &mut current, holder, full, fresh)?;
                (current, state)
            }
            None => {
                let folder = folder_of(path);
                std::fs::read_dir(folder).map_err(|source| StateFileError::NoFolder {
                    path: path.to_owned(),
                    folder: folder.to_owned(),
                    source,
                })?;
                let failed =
                    |source| StateFileError::Io { path: path.to_owned(), action: "creating it", source };
                let (current, synced) = replace(path, holder, &fresh, false).map_err(failed)?;
                synced.map_err(failed)?;
                (current, fresh)
            }
        };
        // A symbolic link is followed once, here: a replacement must not take the link's place.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        sweep(&path);
        Ok((Self { path, holder: holder.to_owned(), current }, state))
    }
}

impl Store for FileStore {
    fn save(&mut self, state: &PinStates) -> io::Result<()> {
        let (current, synced) = replace(&self.path, &self.holder, state, true)?;
        self.current = current;
        synced
    }
}

/// Opens and locks the file that `path` names, or `None` when it names none.
fn lock(path: &Path) -> Result<Option<File>, StateFileError> {
    let failed = |action| move |source| StateFileError::Io { path: path.to_owned(), action, source };
    loop {
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => return Err(failed("opening it")(io::Error::other("it is not a regular file"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("opening it")(error)),
        }
        let file = File::open(path).map_err(failed("opening it"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StateFileError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(failed("locking it")(error)),
        }
        if still_named(path, &file).map_err(failed("locking it"))? {
            return Ok(Some(file));
        }
    }
}

/// Whether `path` still names `file`, or a replacement has taken its place.
#[cfg(unix)]
fn still_named(path: &Path, file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (named, held) = (std::fs::metadata(path)?, file.metadata()?);
    Ok((named.dev(), named.ino()) == (held.dev(), held.ino()))
}

#[cfg(not(unix))]
fn still_named(_: &Path, _: &File) -> io::Result<bool> {
    Ok(true)
}

fn read(
    path: &Path,
    file: &mut File,
    holder: &str,
    full: Tries,
    fresh: PinStates,
) -> Result<PinStates, StateFileError> {
    let failed = |source| StateFileError::Io { path: path.to_owned(), action: "reading it", source };
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text).map_err(failed)?;
    let at = |(line, column), reason| StateFileError::Damaged { path: path.to_owned(), line, column, reason };
    let damaged = |error: serde_json::Error| at((error.line(), error.column().max(1)), reason(&error));
    let Envelope { vmyna_state: version } = serde_json::from_str(&text).map_err(damaged)?;
    if version > u64::from(VERSION) {
        return Err(StateFileError::Newer { path: path.to_owned(), version });
    }
    if version < u64::from(VERSION) {
        return Err(at(position(&text, "vmyna_state"), format!("there never was a version {version}")));
    }
    let document: Document = serde_json::from_str(&text).map_err(damaged)?;
    if document.holder != holder {
        return Err(StateFileError::OtherHolder {
            path: path.to_owned(),
            found: document.holder,
            wanted: holder.to_owned(),
        });
    }
    // Of the PINs those two were there from the first; a file older than the others does not tell them.
    if let Some(missing) = PinName::JPKI.into_iter().find(|name| !document.pins.contains_key(name)) {
        return Err(at(position(&text, "pins"), format!("the counter of {missing} is missing")));
    }
    let mut states = fresh;
    for (name, pin) in document.pins {
        let full = full.of(name);
        let broken = |reason: String| at(position(&text, &name.to_string()), reason);
        if pin.tries_left > full {
            return Err(broken(format!("{name} has {} tries left of {full}", pin.tries_left)));
        }
        if pin.changed_value.as_ref().is_some_and(|value| !name.allows(value.as_bytes())) {
            return Err(broken(format!("the changed value of {name} does not have its form")));
        }
        *states.get_mut(name) =
            PinState { tries_left: pin.tries_left, changed_value: pin.changed_value.map(PinValue::new) };
    }
    Ok(states)
}

/// What is wrong, without any value out of the file: one of them may be a PIN.
fn reason(error: &serde_json::Error) -> String {
    let told = error.to_string();
    let told = told.split(" at line ").next().unwrap_or_default();
    match told.rsplit_once("expected ") {
        Some((start, expected)) if start.starts_with("invalid ") => format!("expected {expected}"),
        _ => told.to_owned(),
    }
}

/// Line and column of the first `"key"` in `text`.
fn position(text: &str, key: &str) -> (usize, usize) {
    let quoted = format!("\"{key}\"");
    let found = text.lines().zip(1..).find_map(|(line, number)| Some((number, line.find(&quoted)? + 1)));
    found.unwrap_or((1, 1))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Writes a new file, locks it, and gives it the name `path`. Returns the locked file, and whether its
/// name will outlive a power cut, without which the file has its place all the same.
fn replace(
    path: &Path,
    holder: &str,
    states: &PinStates,
    overwrite: bool,
) -> io::Result<(File, io::Result<()>)> {
    let folder = folder_of(path);
    let pins = PinName::ALL.map(|name| (name, document(states.get(name))));
    let document = Document { vmyna_state: VERSION, holder: holder.to_owned(), pins: pins.into() };
    let mut file = tempfile::Builder::new()
        .prefix(&replacement_prefix(path))
        .suffix(REPLACEMENT_SUFFIX)
        .tempfile_in(folder)
        .map_err(of_the_system)?;
    file.as_file().try_lock()?;
    let mut text = serde_json::to_vec_pretty(&document)?;
    text.push(b'\n');
    file.write_all(&text).map_err(of_the_system)?;
    file.as_file().sync_all()?;
    let file = if overwrite { file.persist(path) } else { file.persist_noclobber(path) };
    let file = file.map_err(|error| error.error)?;
    Ok((file, File::open(folder).and_then(|folder| folder.sync_all())))
}

/// What went wrong, without the name of a replacement, which nobody has seen.
fn of_the_system(error: io::Error) -> io::Error {
    if error.raw_os_error().is_some() { error } else { error.kind().into() }
}

const REPLACEMENT_SUFFIX: &str = ".new";

/// What the names of replacements of `path` begin with.
fn replacement_prefix(path: &Path) -> std::ffi::OsString {
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    prefix
}

/// Removes the replacements of `path` that were never finished, which may hold PINs. Where that does
/// not succeed they do no harm.
fn sweep(path: &Path) {
    let Ok(entries) = std::fs::read_dir(folder_of(path)) else { return };
    let prefix = replacement_prefix(path);
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        let unfinished = name.as_encoded_bytes().starts_with(prefix.as_encoded_bytes())
            && name.as_encoded_bytes().ends_with(REPLACEMENT_SUFFIX.as_bytes())
            && entry.file_type().is_ok_and(|kind| kind.is_file());
        // One that is being written is locked.
        if unfinished && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn document(pin: &PinState) -> PinDocument {
    let text = |value: &PinValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    PinDocument { tries_left: pin.tries_left, changed_value: pin.changed_value.as_ref().map(text) }
}

#[cfg(test)]
mod tests;
