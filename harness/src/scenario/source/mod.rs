//! Scenario files as trees: every value with the place where it was written, so that it can stay in
//! its place through parameter tables and checks, up to the report of a failure.

mod masking;
mod node;
mod placed;
mod reader;

#[cfg(test)]
pub(super) use node::Plain;
pub(super) use node::{Node, Value};
pub use placed::{Mark, Placed};
pub(super) use reader::{Mistake, read};

use std::fmt;
use std::sync::Arc;
use vmyna_sim::document::{self, DocumentError, Position};

/// The file that a scenario was read from.
#[derive(Debug, Clone)]
pub struct SourceFile(Arc<Contents>);

struct Contents {
    name: String,
    text: String,
}

/// Without the text: an author may have written a PIN into it.
impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contents").field("name", &self.name).finish_non_exhaustive()
    }
}

impl SourceFile {
    /// The file as the user named it, with what it holds.
    pub(super) fn new(name: &str, text: &str) -> Self {
        Self(Arc::new(Contents { name: name.to_owned(), text: text.to_owned() }))
    }

    /// The file as the user named it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Where `mark` is.
    #[must_use]
    pub fn position(&self, mark: Mark) -> Position {
        Position { file: self.0.name.clone(), line: mark.line.into(), column: mark.column.into() }
    }

    /// The line of `position`, with its number and a caret below the column.
    #[must_use]
    pub fn snippet(&self, position: &Position) -> String {
        document::snippet(&masking::mask(&self.0.text), position)
    }

    /// Reads the whole file as a tree.
    pub(super) fn tree(&self) -> Result<Node, DocumentError> {
        if self.0.text.trim().is_empty() {
            return Err(self.error(Mark::default(), "this file is empty"));
        }
        let mut root: Node = document::parse(&self.0.name, &self.0.text).map_err(|error| match error {
            DocumentError::Invalid { position, problem, .. } => self.invalid(position, problem),
            other => other,
        })?;
        root.remember_spelling(&self.0.text);
        Ok(root)
    }

    /// The error that something at `mark` is wrong.
    pub(super) fn error(&self, mark: Mark, problem: impl Into<String>) -> DocumentError {
        self.invalid(self.position(mark), problem)
    }

    pub(super) fn invalid(&self, position: Position, problem: impl Into<String>) -> DocumentError {
        // What is wrong may be quoted.
        let problem = masking::mask(&problem.into());
        DocumentError::invalid(&masking::mask(&self.0.text), position, problem)
    }

    /// The error that a value does not have the form of what it stands for.
    pub(super) fn mistake(&self, mistake: Mistake) -> DocumentError {
        self.error(mistake.mark.unwrap_or_default(), mistake.problem)
    }
}
