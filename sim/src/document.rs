//! YAML documents with source positions, and the one place that knows which YAML crate reads
//! them. Unknown and duplicate keys are errors; every error names file, line and column and shows
//! the line. Input is bounded, so that no document can exhaust the process.

use serde::de::DeserializeOwned;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use thiserror::Error;

pub use serde_yaml::Spanned;

/// Largest document that is read, in bytes.
pub const MAX_BYTES: u64 = 1 << 20;

/// Of what is wrong, so many characters are told; what a document says may be in it, and that may be long.
const LONGEST_PROBLEM: usize = 1_000;

/// What is wrong with a file without anything in it.
pub(crate) const EMPTY: &str = "this file is empty";

/// How the YAML reader calls what would exhaust it, and what a person is told.
const OVER_BUDGET: &str = "budget breached";
const MORE_THAN_IS_READ: &str =
    "there is more in this document than is read: too many entries, too many aliases, or too deep a nesting";

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
    /// What is wrong, without the place.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Unreadable { reason, .. } => reason,
            Self::Invalid { problem, .. } => problem,
        }
    }

    /// The document `text` of `file` breaks a rule at `position`.
    #[must_use]
    pub fn invalid(text: &str, position: Position, problem: impl Into<String>) -> Self {
        let snippet = snippet(text, &position);
        let mut problem = problem.into();
        if let Some((end, _)) = problem.char_indices().nth(LONGEST_PROBLEM) {
            problem.truncate(end);
            problem.push('…');
        }
        Self::Invalid { position, problem, snippet }
    }
}

/// Reads the file at `path` as text, within [`MAX_BYTES`].
///
/// # Errors
/// [`DocumentError::Unreadable`] when it is missing, no regular file, too large or not UTF-8.
pub fn read(path: &Path) -> Result<String, DocumentError> {
    String::from_utf8(read_bytes(path, MAX_BYTES)?).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        unreadable(path, format!("it is not UTF-8 text: line {line} has a byte that cannot stand there"))
    })
}

/// Reads the file at `path`, within `most` bytes. Links are followed, as mounted configuration is made
/// of them; devices, pipes and folders are not waited for.
///
/// # Errors
/// [`DocumentError::Unreadable`] when it is missing, no regular file or too large.
pub fn read_bytes(path: &Path, most: u64) -> Result<Vec<u8>, DocumentError> {
    let failed = |error: io::Error| unreadable(path, error.to_string());
    // Before it is opened: opening a pipe waits for somebody to write.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(unreadable(path, "it is not a regular file"));
    }
    let mut bytes = Vec::new();
    // Not as many as the file says it has: that may be none, or change.
    File::open(path).map_err(failed)?.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most {
        return Err(unreadable(path, format!("it is too large; at most {most} bytes are read")));
    }
    Ok(bytes)
}

fn unreadable(path: &Path, reason: impl Into<String>) -> DocumentError {
    DocumentError::Unreadable { file: path.display().to_string(), reason: reason.into() }
}

/// Reads `text`, the contents of `file`, as one YAML document.
///
/// # Errors
/// [`DocumentError::Invalid`] at the first thing that does not fit `T`, or when there is nothing.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, DocumentError> {
    if text.trim().is_empty() {
        // Even where every key may be left out: nobody means a file by that.
        let position = Position { file: file.to_owned(), line: 1, column: 1 };
        return Err(DocumentError::invalid(text, position, EMPTY));
    }
    serde_yaml::from_str(text).map_err(|error| {
        let (line, column) = error.location().map_or((1, 1), |at| (at.line().max(1), at.column().max(1)));
        let position = Position { file: file.to_owned(), line, column };
        let told = error.without_snippet().to_string();
        let problem = told.rsplit_once(" at line ").map_or(told.as_str(), |(problem, _)| problem);
        let problem = problem.split(", set DuplicateKeyPolicy").next().unwrap_or(problem);
        let problem = if problem.starts_with(OVER_BUDGET) { MORE_THAN_IS_READ } else { problem };
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

    /// Refused, at a place in the text, long before anybody loses patience.
    #[test]
    fn a_document_that_is_made_to_exhaust_its_reader_is_refused_at_once() {
        let deep = "[".repeat(100_000);
        let deep_mapping: String = (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..30 {
            let below = format!("*a{}, ", level - 1).repeat(10);
            bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
        }
        let merge: String =
            (0..3_000).map(|n| format!("k{n}: &k{n} {{<<: *k{}, v: 1}}\n", n.max(1) - 1)).collect();
        let long_number = format!("name: {}\n", "9".repeat(1_000_000));
        let many = "- x\n".repeat(250_000);
        for (name, text) in
            [("deep", deep), ("deep mapping", deep_mapping), ("bomb", bomb), ("merge", merge), ("many", many)]
        {
            let error = parse::<Person>("hostile.yaml", &text).unwrap_err().to_string();
            assert!(error.starts_with("hostile.yaml:"), "{name}: {error}");
            assert!(error.len() < 2_000, "{name}: {} bytes of error", error.len());
        }
        // A long text is no number, and harmless.
        assert!(parse::<Person>("long.yaml", &long_number).is_ok());
        #[derive(Debug, Deserialize)]
        struct Count {
            #[expect(dead_code, reason = "only reading it is tested")]
            n: u32,
        }
        for number in [&"9".repeat(1_000_000), "1e999", "0x1FFFFFFFF", "-1", "4294967296"] {
            let error = parse::<Count>("huge.yaml", &format!("n: {number}\n")).unwrap_err().to_string();
            assert!(error.starts_with("huge.yaml:1:4: "), "{}", &error[..error.len().min(200)]);
            assert!(error.len() < 2_000, "{} bytes of error", error.len());
        }
    }

    #[test]
    fn only_regular_files_are_read_and_only_so_much_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let told = |name: &str| read(&at(name)).unwrap_err().to_string();
        File::create(at("large.yaml")).unwrap().set_len(100 << 20).unwrap();
        assert!(told("large.yaml").ends_with("it is too large; at most 1048576 bytes are read"));
        std::fs::write(at("latin.yaml"), b"name: a\nother: \xE9\n").unwrap();
        assert!(
            told("latin.yaml").ends_with("it is not UTF-8 text: line 2 has a byte that cannot stand there")
        );
        assert!(read(folder.path()).unwrap_err().to_string().ends_with("it is not a regular file"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink("loop.yaml", at("loop.yaml")).unwrap();
            assert!(told("loop.yaml").contains("cannot be read"), "{}", told("loop.yaml"));
            symlink("/dev/zero", at("zero.yaml")).unwrap();
            assert!(told("zero.yaml").ends_with("it is not a regular file"));
            // As Kubernetes mounts configuration: a link to a file in a folder that is a link.
            std::fs::create_dir(at("..2026")).unwrap();
            std::fs::write(at("..2026/name.yaml"), "name: a\n").unwrap();
            symlink("..2026", at("..data")).unwrap();
            symlink("..data/name.yaml", at("name.yaml")).unwrap();
            assert_eq!(read(&at("name.yaml")).unwrap(), "name: a\n");
        }
    }
}
