//! Where flows, challenges and applications are kept: an embedded, transactional database (redb), in
//! one file or in memory. A change happens as a whole or not at all, whenever the process ends.

use super::token::{drawn, system_randomness};
use redb::backends::InMemoryBackend;
use redb::{Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, TableDefinition};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::{Path, PathBuf};
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

/// The database.
pub struct Store {
    database: Database,
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
        let database = Database::builder().create_with_backend(InMemoryBackend::new())?;
        Ok(Self { database, session_key: None })
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
        let mut store = Self { database: Database::create(path).map_err(failed)?, session_key: None };
        if !store.introduce()? {
            return Err(StoreError::Foreign(path.to_owned()));
        }
        Ok(store)
    }

    /// Writes the version into a new database, and a key where there is none; whether the version of an
    /// old one is ours.
    fn introduce(&mut self) -> Result<bool, StoreError> {
        let transaction = self.database.begin_write()?;
        {
            let mut about = transaction.open_table(ABOUT)?;
            let version = about.get(VERSION_KEY)?.map(|value| value.value().to_vec());
            match version {
                Some(version) if version != VERSION => return Ok(false),
                Some(_) => {}
                None => drop(about.insert(VERSION_KEY, VERSION)?),
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

    /// Changes something; when `change` fails, nothing. What is `durable` is on the disk when this
    /// returns; the rest is there with the next durable change.
    pub(super) fn change<T>(
        &self,
        durability: Durability,
        change: impl FnOnce(&Changes) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(durability)?;
        let changes = Changes(transaction);
        let result = change(&changes)?;
        changes.0.commit()?;
        Ok(result)
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
