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
        let told = error.without_snippet().to_string();
        let problem = told.rsplit_once(" at line ").map_or(told.as_str(), |(problem, _)| problem);
        let problem = problem.split(", set DuplicateKeyPolicy").next().unwrap_or(problem);
        let problem = if problem.starts_with(OVER_BUDGET) { MORE_THAN_IS_READ } else { problem };
        let is_about_a_tab = problem.split(' ').any(|word| word == "tab" || word == "tabs");
        let (problem, line, column) = match tab_from(text, line, column) {
            Some((line, column)) if is_about_a_tab => (TAB, line, column),
            _ => (problem, line, column),
        };
        DocumentError::invalid(text, Position { file: file.to_owned(), line, column }, problem)
    })
}

/// What is wrong where a tab indents.
const TAB: &str = "a tab stands here; YAML is indented with spaces";

/// Where the tab stands that the YAML reader complains of at `line` and `column`: it may tell the end of
/// what it had read before.
fn tab_from(text: &str, line: u64, column: u64) -> Option<(u64, u64)> {
    let from_0 = |number: u64| usize::try_from(number).unwrap_or(1).saturating_sub(1);
    text.lines().enumerate().skip(from_0(line)).find_map(|(index, text)| {
        let indentation = text.len() - text.trim_start().len();
        let within = text[..indentation].chars().position(|letter| letter == '\t');
        let behind = || {
            let is_told = index == from_0(line);
            let after = text.chars().enumerate().skip(from_0(column));
            is_told.then(|| after.into_iter().find(|(_, letter)| *letter == '\t')).flatten()
        };
        let at = within.or_else(|| behind().map(|(at, _)| at))?;
        Some((index as u64 + 1, at as u64 + 1))
    })
}

/// The line of `position` in `text` with its number, and a caret below the column.
#[must_use]
pub fn snippet(text: &str, position: &Position) -> String {
    let from_0 = |number: u64| usize::try_from(number).unwrap_or(1).saturating_sub(1);
    let line = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text).lines().nth(from_0(position.line));
    let (line, column) = (line.unwrap_or_default(), from_0(position.column));
    let skipped = if column < LONGEST_LINE { 0 } else { column - LONGEST_LINE / 2 };
    let start = if skipped == 0 { "" } else { "…" };
    let shown = || line.chars().skip(skipped);
    let before: String = shown()
        .take(column - skipped)
        .map(|letter| match letter {
            '\t' => '\t',
            letter if is_wide(letter) => '　',
            _ => ' ',
        })
        .collect();
    let line: String = shown().take(LONGEST_LINE).collect();
    let number = position.line.to_string();
    let gutter = " ".repeat(number.len());
    let before = format!("{}{before}", if skipped == 0 { "" } else { " " });
    format!(" {gutter} |\n {number} | {start}{line}\n {gutter} | {before}^")
}

/// Some editors begin a file with it; it is no part of the text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Of a line, so many letters are shown.
const LONGEST_LINE: usize = 200;

/// Whether a terminal gives `letter` two columns: those of East Asian scripts, but for the half-width ones.
const fn is_wide(letter: char) -> bool {
    matches!(letter,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{303e}' | '\u{3041}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1f64f}' | '\u{20000}'..='\u{3fffd}')
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

    /// Where the mistake is told and what stands above the caret.
    fn shown(problem: &str) -> (String, String) {
        let place = problem.split(": ").next().unwrap_or_default();
        let position = place.split_once(':').unwrap_or_default().1.to_owned();
        let lines: Vec<&str> = problem.lines().collect();
        let [.., line, caret] = &lines[..] else { panic!("{problem}") };
        let width = |text: &str| text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum::<usize>();
        let before = width(caret.strip_suffix('^').expect("a caret"));
        let mut at = 0;
        let above = line.chars().skip_while(|c| {
            let here = at < before;
            at += if is_wide(*c) { 2 } else { 1 };
            here
        });
        (position, above.collect())
    }

    #[test]
    fn a_mistake_is_shown_with_a_caret_below_it() {
        let at = |text: &str, position: &str, above: &str| {
            let problem = problem(text);
            assert_eq!(shown(&problem), (position.to_owned(), above.to_owned()), "{problem}");
        };
        at("name: a\n\tnmae: b\n", "2:1", "\tnmae: b");
        at("name: {a: b,\n\tc: d}\nother: [\n", "1:7", "{a: b,");
        // at the end of a file without a last line feed
        at("name: a\nnmae: b", "2:1", "nmae: b");
        at("name: a\nname: b", "2:1", "name: b");
        at("name: a\n\tx", "2:1", "\tx");
        // as editors of Windows write it
        at("name: a\r\nnmae: b\r\n", "2:1", "nmae: b");
        at("name: a\r\nname: b\r\n", "2:1", "name: b");
        at("name: a\r\n\tnmae: b\r\n", "2:1", "\tnmae: b");
        at("\u{feff}nmae: b\n", "1:1", "nmae: b");
        at("\u{feff}name: a\nnmae: b\n", "2:1", "nmae: b");
        at("\u{feff}{name: a, nmae: b}\n", "1:11", "nmae: b}");
        // beside Japanese, wide and narrow, and other letters
        at("{name: 試験　太郎, nmae: b}\n", "1:15", "nmae: b}");
        at("{name: ｼｹﾝ, nmae: b}\n", "1:13", "nmae: b}");
        at("{name: é, nmae: b}\n", "1:11", "nmae: b}");
        at("{name: a, 名前: b}\n", "1:11", "名前: b}");
        // far to the right
        let long = format!("{{name: {}, nmae: b}}\n", "あ".repeat(300));
        at(&long, "1:310", "nmae: b}");
        // of the wrong kind, and missing
        at("name: [a, b]\n", "1:7", "[a, b]");
        at("{}\n", "1:1", "{}");
    }

    #[test]
    fn a_tab_that_indents_is_shown_where_it_stands() {
        for (text, position, above) in [
            ("a: b\n\tc: d\n", "2:1", "\tc: d"),
            ("a:\n  b: c\n\td: e\n", "3:1", "\td: e"),
            ("a:\n  - b\n  \t- c: d\n", "3:3", "\t- c: d"),
            ("a:\n\t- b\n", "2:1", "\t- b"),
            ("a:\n  b: 試験\n  \tc: d\n", "3:3", "\tc: d"),
            ("- a: b\n\tc: d", "2:1", "\tc: d"),
        ] {
            match parse::<serde::de::IgnoredAny>("a.yaml", text) {
                Ok(_) => panic!("{text:?} is right"),
                Err(error) => {
                    let told = error.to_string();
                    assert_eq!(shown(&told), (position.to_owned(), above.to_owned()), "{told}");
                    assert_eq!(error.reason(), TAB);
                }
            }
        }
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
