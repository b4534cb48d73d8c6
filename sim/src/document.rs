//! YAML documents with source positions, and the one place that knows which YAML crate reads
//! them. Unknown and duplicate keys are errors; every error names file, line and column and shows
//! the line. Input is bounded, so that no document can exhaust the process.

use serde::de::DeserializeOwned;
use std::fmt;
use std::path::Path;
use thiserror::Error;

pub use serde_yaml::Spanned;

/// Largest document that is read, in bytes.
pub const MAX_BYTES: u64 = 1 << 20;

/// Where something stands in a document; lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// the file as the user named it
    pub file: String,
    /// line
    pub line: u64,
    /// column
    pub column: u64,
}

impl Position {
    /// Where `spanned` was written in `file`.
    #[must_use]
    pub fn of<T>(file: &str, spanned: &Spanned<T>) -> Self {
        let at = spanned.referenced;
        Self { file: file.to_owned(), line: at.line(), column: at.column() }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A document that cannot be used.
#[derive(Debug, Error)]
pub enum DocumentError {
    /// The file could not be read.
    #[error("{file}: cannot be read: {reason}")]
    Unreadable {
        /// the file as the user named it
        file: String,
        /// why
        reason: String,
    },
    /// The text is not what it should be.
    #[error("{position}: {problem}\n{snippet}")]
    Invalid {
        /// where
        position: Position,
        /// what was expected and what came
        problem: String,
        /// the line itself, with a mark below the column
        snippet: String,
    },
}

impl DocumentError {
    /// The document `text` of `file` breaks a rule at `position`.
    #[must_use]
    pub fn invalid(text: &str, position: Position, problem: impl Into<String>) -> Self {
        let snippet = snippet(text, &position);
        Self::Invalid { position, problem: problem.into(), snippet }
    }
}

/// Reads the file at `path` as text, within [`MAX_BYTES`].
///
/// # Errors
/// [`DocumentError::Unreadable`] when it is missing, no regular file, too large or not UTF-8.
pub fn read(path: &Path) -> Result<String, DocumentError> {
    let unreadable = |reason: String| DocumentError::Unreadable { file: path.display().to_string(), reason };
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if !metadata.is_file() {
        return Err(unreadable("it is not a regular file".into()));
    }
    if metadata.len() > MAX_BYTES {
        return Err(unreadable(format!("it has {} bytes; at most {MAX_BYTES} are read", metadata.len())));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8 text".into()))
}

/// Reads `text`, the contents of `file`, as one YAML document.
///
/// # Errors
/// [`DocumentError::Invalid`] at the first thing that does not fit `T`.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, DocumentError> {
    serde_yaml::from_str(text).map_err(|error| {
        let (line, column) = error.location().map_or((1, 1), |at| (at.line().max(1), at.column().max(1)));
        let position = Position { file: file.to_owned(), line, column };
        let told = error.without_snippet().to_string();
        let problem = told.rsplit_once(" at line ").map_or(told.as_str(), |(problem, _)| problem);
        let problem = problem.split(", set DuplicateKeyPolicy").next().unwrap_or(problem);
        let problem = if text.trim().is_empty() { "this file is empty" } else { problem };
        DocumentError::invalid(text, position, problem)
    })
}

/// The line of `position` in `text` with its number, and a caret below the column.
#[must_use]
pub fn snippet(text: &str, position: &Position) -> String {
    let index = usize::try_from(position.line).unwrap_or(1).saturating_sub(1);
    let line: String = text.lines().nth(index).unwrap_or_default().chars().take(200).collect();
    let number = position.line.to_string();
    let gutter = " ".repeat(number.len());
    let mark: String = line
        .chars()
        .take(usize::try_from(position.column).unwrap_or(1).saturating_sub(1))
        .map(|c| if c.is_ascii() { " " } else { "　" })
        .collect();
    format!(" {gutter} |\n {number} | {line}\n {gutter} | {mark}^")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Person {
        #[expect(dead_code, reason = "only reading it is tested")]
        name: String,
    }

    fn problem(text: &str) -> String {
        parse::<Person>("hanako.yaml", text).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_key_is_shown_where_it_stands() {
        assert_eq!(
            problem("name: a\n  \nnmae: b\n"),
            "hanako.yaml:3:1: unknown field `nmae`, expected one of name\n   |\n 3 | nmae: b\n   | ^"
        );
    }

    #[test]
    fn a_duplicate_key_is_an_error() {
        assert!(problem("name: a\nname: b\n").starts_with("hanako.yaml:2:1: duplicate mapping key: name\n"));
    }

    #[test]
    fn an_empty_document_is_called_so() {
        for text in ["", " \n"] {
            assert!(problem(text).contains(": this file is empty\n"), "{}", problem(text));
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read(Path::new("no/such.yaml")).unwrap_err().to_string();
        assert!(error.starts_with("no/such.yaml: cannot be read: "), "{error}");
    }
}
