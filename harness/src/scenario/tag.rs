//! Tag expressions: `pin and not lockout`, `flow or (sign and jpki)`.

use super::Scenario;
use std::str::FromStr;
use thiserror::Error;

/// Which scenarios are meant, by their tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagExpression {
    /// those with this tag
    Tag(String),
    /// all others
    Not(Box<Self>),
    /// those that both mean
    And(Box<Self>, Box<Self>),
    /// those that either means
    Or(Box<Self>, Box<Self>),
}

/// An expression that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{problem} in the tag expression {expression:?}; write for example \"pin and not lockout\"")]
pub struct TagError {
    expression: String,
    problem: String,
}

impl TagExpression {
    /// Whether `scenario` is meant.
    #[must_use]
    pub fn selects(&self, scenario: &Scenario) -> bool {
        match self {
            Self::Tag(tag) => scenario.tags.contains(tag),
            Self::Not(inner) => !inner.selects(scenario),
            Self::And(left, right) => left.selects(scenario) && right.selects(scenario),
            Self::Or(left, right) => left.selects(scenario) || right.selects(scenario),
        }
    }
}

impl FromStr for TagExpression {
    type Err = TagError;

    fn from_str(expression: &str) -> Result<Self, TagError> {
        let spaced = expression.replace('(', " ( ").replace(')', " ) ");
        let mut words = Words { words: spaced.split_whitespace().collect(), next: 0, depth: 0 };
        let parsed = words.alternatives().and_then(|parsed| match words.peek() {
            None => Ok(parsed),
            Some(word) => Err(format!("`{word}` is unexpected")),
        });
        parsed.map_err(|problem| TagError { expression: expression.to_owned(), problem })
    }
}

/// Deeper nesting is nobody's wish.
const MAX_DEPTH: usize = 50;

struct Words<'a> {
    words: Vec<&'a str>,
    next: usize,
    depth: usize,
}

impl<'a> Words<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.next).copied()
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        self.next += usize::from(found);
        found
    }

    fn alternatives(&mut self) -> Result<TagExpression, String> {
        let mut expression = self.conjunction()?;
        while self.take("or") {
            expression = TagExpression::Or(Box::new(expression), Box::new(self.conjunction()?));
        }
        Ok(expression)
    }

    fn conjunction(&mut self) -> Result<TagExpression, String> {
        let mut expression = self.term()?;
        while self.take("and") {
            expression = TagExpression::And(Box::new(expression), Box::new(self.term()?));
        }
        Ok(expression)
    }

    fn term(&mut self) -> Result<TagExpression, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("there is too much nesting".to_owned());
        }
        let term = if self.take("not") {
            TagExpression::Not(Box::new(self.term()?))
        } else if self.take("(") {
            let inner = self.alternatives()?;
            if !self.take(")") {
                return Err("a `)` is missing".to_owned());
            }
            inner
        } else {
            match self.peek() {
                Some("and" | "or" | ")") | None => return Err("a tag is missing".to_owned()),
                Some(tag) => {
                    self.next += 1;
                    TagExpression::Tag(tag.to_owned())
                }
            }
        };
        self.depth -= 1;
        Ok(term)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requirement::Requirements;

    fn selects(expression: &str, tags: &str) -> bool {
        let text = format!(
            "id: a\ntitle: {{ja: あ, en: a}}\ncovers: [PIN-01]\ntags: [{tags}]\nsteps:\n  - select: jpki\n"
        );
        let scenario = super::super::parse_for_test(&text, &Requirements::built_in());
        expression.parse::<TagExpression>().unwrap().selects(&scenario)
    }

    #[test]
    fn and_binds_closer_than_or_and_not_closest() {
        assert!(selects("pin and not lockout", "pin, jpki"));
        assert!(!selects("pin and not lockout", "pin, lockout"));
        assert!(selects("flow or pin and jpki", "flow"));
        assert!(!selects("(flow or pin) and jpki", "flow"));
        assert!(selects("not (flow or sign)", "pin"));
    }

    #[test]
    fn mistakes_are_told() {
        for (expression, problem) in [
            ("", "a tag is missing"),
            ("pin and", "a tag is missing"),
            ("(pin", "a `)` is missing"),
            ("pin lockout", "`lockout` is unexpected"),
        ] {
            let error = expression.parse::<TagExpression>().unwrap_err().to_string();
            assert!(error.starts_with(problem), "{error}");
        }
        let nested = format!("{}pin", "not ".repeat(100_000));
        assert!(nested.parse::<TagExpression>().is_err());
    }
}
