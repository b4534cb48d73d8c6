//! Finding scenario files: whatever cannot be read is told before anything is sent to a card.

use super::Scenario;
use super::parse::parse;
use crate::requirement::Requirements;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use thiserror::Error;
use vmyna_sim::document::{self, DocumentError, Position};

/// Scenarios that cannot be used.
#[derive(Debug, Error)]
pub enum LoadError {
    /// a file is broken
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// a folder could not be listed
    #[error("{}: cannot be listed: {source}", path.display())]
    Folder {
        /// the folder
        path: PathBuf,
        /// why
        source: std::io::Error,
    },
    /// nothing there
    #[error("{}: there is no scenario here, nor in the folders below: no file ends in .yaml", path.display())]
    Empty {
        /// the folder
        path: PathBuf,
    },
}

/// Reads every `*.yaml` at or below `paths`, in the order of their names, and none twice. Ids must
/// be unique.
///
/// # Errors
/// The first thing that is wrong.
pub fn load_paths(paths: &[PathBuf], requirements: &Requirements) -> Result<Vec<Scenario>, LoadError> {
    let mut scenarios = Vec::new();
    let mut seen: HashMap<String, Position> = HashMap::new();
    let mut read: HashSet<PathBuf> = HashSet::new();
    for path in paths {
        for file in files(path)? {
            if file.canonicalize().is_ok_and(|file| !read.insert(file)) {
                continue;
            }
            let text = document::read(&file)?;
            for scenario in parse(&file.display().to_string(), &text, requirements)? {
                if let Some(first) = seen.insert(scenario.id.clone(), scenario.position.clone()) {
                    let problem =
                        format!("the id {} is taken already, at {first}; each needs its own", scenario.id);
                    return Err(scenario.source.invalid(scenario.position.clone(), problem).into());
                }
                scenarios.push(scenario);
            }
        }
    }
    Ok(scenarios)
}

fn files(path: &Path) -> Result<Vec<PathBuf>, LoadError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    list(path, &mut files)?;
    files.sort();
    if files.is_empty() {
        return Err(LoadError::Empty { path: path.to_owned() });
    }
    Ok(files)
}

/// Folders that are links are not entered: a link can close a circle.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), LoadError> {
    let failed = |source| LoadError::Folder { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        if entry.file_type().map_err(failed)?.is_dir() {
            list(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml") && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}
