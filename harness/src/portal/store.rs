//! Where flows, challenges and applications are kept: an embedded, transactional database (redb), in
//! one file or in memory. A change happens as a whole or not at all, whenever the process ends.

use super::token::{drawn, system_randomness};
use redb::backends::InMemoryBackend;
use redb::{Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, TableDefinition};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use thiserror::Error;

/// The layout that is written.
const VERSION: &[u8] = b"1";
const ABOUT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("about");
const VERSION_KEY: &str = "vmyna_portal";
const SESSION_KEY: &str = "session_key";

/// Something that is kept under a name, in a table of its own.
pub(super) trait Record: Serialize + DeserializeOwned {
    const TABLE: &'static str;
}

/// Where a change is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// what a holder was told has happened
    OnDisk,
    /// where a tab is: it goes to the disk with the next change that has to
    ForNow,
}

/// The database.
pub struct Store {
    database: Database,
    /// how many changes there have been
    changes: AtomicU64,
    /// how many of them are on the disk
    kept: Mutex<u64>,
    /// what outlives the process, where anything does
    session_key: Option<[u8; 32]>,
}

/// Why something could not be kept or found.
#[derive(Debug, Error)]
pub enum StoreError {
    /// another process has the file
    #[error("{}: another `vmyna portal` is using it", .0.display())]
    InUse(PathBuf),
    /// the file is something else, or too old or new
    #[error("{}: this is no state of `vmyna portal` that this version reads; it was left as it is", .0.display())]
    Foreign(PathBuf),
    /// the file cannot be opened
    #[error("{}: it cannot be opened: {source}", path.display())]
    Open {
        /// the file
        path: PathBuf,
        /// why
        source: Box<redb::Error>,
    },
    /// reading or writing failed
    #[error("the portal's state: {0}")]
    Database(Box<redb::Error>),
    /// a record is damaged
    #[error("the portal's state: a record is damaged: {0}")]
    Record(#[from] serde_json::Error),
}

macro_rules! from_redb {
    ($($error:ident),*) => {$(
        impl From<redb::$error> for StoreError {
            fn from(error: redb::$error) -> Self {
                Self::Database(Box::new(error.into()))
            }
        }
    )*};
}

from_redb!(DatabaseError, TransactionError, TableError, StorageError, CommitError, SetDurabilityError);

impl Store {
    /// A database that is gone with the process.
    ///
    /// # Errors
    /// None is known.
    pub fn in_memory() -> Result<Self, StoreError> {
        Ok(Self::of(Database::builder().create_with_backend(InMemoryBackend::new())?))
    }

    fn of(database: Database) -> Self {
        Self { database, changes: AtomicU64::new(0), kept: Mutex::new(0), session_key: None }
    }

    /// The database in the file at `path`, which is made when it is not there.
    ///
    /// # Errors
    /// [`StoreError`] when it is in use, something else, or cannot be opened.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |error: DatabaseError| match error {
            DatabaseError::DatabaseAlreadyOpen => StoreError::InUse(path.to_owned()),
            DatabaseError::UpgradeRequired(_) => StoreError::Foreign(path.to_owned()),
            DatabaseError::Storage(redb::StorageError::Corrupted(_)) => StoreError::Foreign(path.to_owned()),
            DatabaseError::Storage(redb::StorageError::Io(error))
                if error.kind() == io::ErrorKind::InvalidData =>
            {
                StoreError::Foreign(path.to_owned())
            }
            other => StoreError::Open { path: path.to_owned(), source: Box::new(other.into()) },
        };
        let mut store = Self::of(Database::create(path).map_err(failed)?);
        if !store.introduce()? {
            return Err(StoreError::Foreign(path.to_owned()));
        }
        Ok(store)
    }

    /// Writes the version into a new database, and a key where there is none; whether an old one is ours,
    /// and of this version.
    fn introduce(&mut self) -> Result<bool, StoreError> {
        let transaction = self.database.begin_write()?;
        let is_new = transaction.list_tables()?.next().is_none();
        {
            let mut about = match transaction.open_table(ABOUT) {
                Ok(about) => about,
                Err(redb::TableError::Storage(error)) => return Err(error.into()),
                // somebody else's of the same name
                Err(_) => return Ok(false),
            };
            let version = about.get(VERSION_KEY)?.map(|value| value.value().to_vec());
            match version {
                Some(version) if version == VERSION => {}
                None if is_new => drop(about.insert(VERSION_KEY, VERSION)?),
                _ => return Ok(false),
            }
            let known = about.get(SESSION_KEY)?.and_then(|value| value.value().try_into().ok());
            let key = known.unwrap_or_else(|| drawn(&mut system_randomness()));
            about.insert(SESSION_KEY, &key[..])?;
            self.session_key = Some(key);
        }
        transaction.commit()?;
        Ok(true)
    }

    /// What the sessions are known by that were issued before the process was started anew; nothing
    /// where the state is gone with the process.
    pub(super) const fn session_key(&self) -> Option<[u8; 32]> {
        self.session_key
    }

    /// Changes something; when `change` fails, nothing. What is to be kept [`OnDisk`](Keep::OnDisk) is
    /// there when this returns.
    pub(super) fn change<T>(
        &self,
        keep: Keep,
        change: impl FnOnce(&Changes) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::None)?;
        let changes = Changes(transaction);
        let result = change(&changes)?;
        changes.0.commit()?;
        let number = self.changes.fetch_add(1, Ordering::SeqCst) + 1;
        if keep == Keep::OnDisk {
            self.keep(number)?;
        }
        Ok(result)
    }

    /// All changes up to here are on the disk when this returns.
    pub(super) fn keep_all(&self) -> Result<(), StoreError> {
        self.keep(self.changes.load(Ordering::SeqCst))
    }

    /// The first so many changes are on the disk when this returns. Who comes while others are being
    /// written waits, and finds them written together: the disk is asked once for many visitors.
    fn keep(&self, number: u64) -> Result<(), StoreError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if *kept < number {
            let all = self.changes.load(Ordering::SeqCst);
            let mut transaction = self.database.begin_write()?;
            transaction.set_durability(Durability::Immediate)?;
            transaction.commit()?;
            *kept = all;
        }
        Ok(())
    }

    /// The record of that name.
    pub(super) fn get<R: Record>(&self, name: &str) -> Result<Option<R>, StoreError> {
        let transaction = self.database.begin_read()?;
        let table = match transaction.open_table(table::<R>()) {
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
            other => other?,
        };
        table.get(name)?.map(|value| Ok(serde_json::from_slice(value.value())?)).transpose()
    }

    /// All records of a kind, by name.
    pub(super) fn all<R: Record>(&self) -> Result<Vec<(String, R)>, StoreError> {
        let transaction = self.database.begin_read()?;
        match transaction.open_table(table::<R>()) {
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(Vec::new()),
            table => listed(&table?),
        }
    }
}

fn table<R: Record>() -> TableDefinition<'static, &'static str, &'static [u8]> {
    TableDefinition::new(R::TABLE)
}

fn listed<R: Record>(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
) -> Result<Vec<(String, R)>, StoreError> {
    let mut records = Vec::new();
    for entry in table.iter()? {
        let (name, value) = entry?;
        records.push((name.value().to_owned(), serde_json::from_slice(value.value())?));
    }
    Ok(records)
}

/// A change that has not been committed.
pub(super) struct Changes(redb::WriteTransaction);

impl Changes {
    pub(super) fn get<R: Record>(&self, name: &str) -> Result<Option<R>, StoreError> {
        let table = self.0.open_table(table::<R>())?;
        let found = table.get(name)?;
        found.map(|value| Ok(serde_json::from_slice(value.value())?)).transpose()
    }

    pub(super) fn put<R: Record>(&self, name: &str, record: &R) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(record)?;
        self.0.open_table(table::<R>())?.insert(name, &bytes[..])?;
        Ok(())
    }

    pub(super) fn remove<R: Record>(&self, name: &str) -> Result<(), StoreError> {
        self.0.open_table(table::<R>())?.remove(name)?;
        Ok(())
    }

    pub(super) fn all<R: Record>(&self) -> Result<Vec<(String, R)>, StoreError> {
        listed(&self.0.open_table(table::<R>())?)
    }
}
