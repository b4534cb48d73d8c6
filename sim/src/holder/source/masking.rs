//! Errors without the values: a holder's file may hold the PINs of a real card.

use crate::document::{self, DocumentError};

/// The same error without any value: the line masked, and what the YAML reader quotes left out.
pub(super) fn masked(error: DocumentError, text: &str) -> DocumentError {
    let DocumentError::Invalid { position, problem, .. } = error else { return error };
    let names_only = ["unknown field", "missing field", "duplicate mapping key"];
    let problem = match problem.as_str() {
        document::EMPTY => {
            format!("{problem}; write at least `person: {{name: 番号　花子, birth: 1980-06-15}}`")
        }
        _ => problem,
    };
    let about_a_name = names_only.into_iter().find(|start| problem.starts_with(start));
    let problem = if let Some(start) = about_a_name {
        // A value may stand where a name should.
        match problem.split_once(", expected ") {
            _ if !problem.contains(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit()) => problem,
            Some((_, expected)) => format!("{start}, expected {expected}"),
            None => start.to_owned(),
        }
    } else {
        match problem.rsplit_once("expected ") {
            Some((_, expected)) if !expected.contains(['"', '\'']) => format!("expected {expected}"),
            _ if problem.starts_with(document::EMPTY) => problem,
            _ => "this is not YAML that can be read here; look for a value of another kind than its key has (a word \
                  for a number, a list for a text), a bracket or quote that is not closed, and the indentation"
                .to_owned(),
        }
    };
    DocumentError::invalid(&mask_values(text), position, problem)
}

/// `text` with every letter and digit replaced by `*`, except in keys (words before a colon).
/// Columns stay where they were.
pub(super) fn mask_values(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut word = String::new();
    for character in text.chars().chain(std::iter::once('\n')) {
        if character.is_alphanumeric() || character == '_' {
            word.push(character);
        } else {
            let is_key = character == ':' && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            shown.extend(word.drain(..).map(|c| match c {
                c if is_key => c,
                c if c.is_ascii() => '*',
                _ => '＊',
            }));
            shown.push(character);
        }
    }
    shown.pop();
    shown
}
