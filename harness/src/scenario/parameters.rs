//! Parameter tables: one scenario, many rows. A row's values are put in the place of
//! `{parameter: NAME}` in the parsed tree, never into text, so that every value keeps the place
//! where it was written.

use super::source::{Mark, Mistake, Node, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;

const TABLE: &str = "parameters";
const ROW: &str = "row";
const REFERENCE: &str = "parameter";

/// The rows of a scenario.
pub(super) struct Table {
    rows: Vec<Row>,
    /// where each parameter is first named
    names: Vec<(String, Mark)>,
}

/// One row: a name and the values of all parameters.
pub(super) struct Row {
    pub name: String,
    pub mark: Mark,
    values: Vec<(String, Node)>,
}

fn mistake<T>(mark: Mark, problem: impl Into<String>) -> Result<T, Mistake> {
    Err(Mistake { mark: Some(mark), problem: problem.into() })
}

impl Table {
    /// Takes the table out of a scenario's tree; `None` where there is none.
    pub(super) fn take(tree: &mut Node) -> Result<Option<Self>, Mistake> {
        let Some(table) = tree.take(TABLE) else { return Ok(None) };
        let Value::List(written) = table.value else {
            return mistake(table.mark, "parameters are a list of rows, such as `- {row: short, le: 4}`");
        };
        let rows: Vec<Row> = written.into_iter().map(Row::read).collect::<Result<_, _>>()?;
        let Some(first) = rows.first() else {
            return mistake(table.mark, "a table of parameters has at least one row");
        };
        let names: Vec<_> = first.values.iter().map(|(name, node)| (name.clone(), node.mark)).collect();
        if names.is_empty() {
            return mistake(first.mark, "a row has at least one parameter besides its name");
        }
        let mut seen = BTreeSet::new();
        for row in &rows {
            if !seen.insert(row.name.as_str()) {
                return mistake(row.mark, format!("there is a row {} already", row.name));
            }
            for (name, mark) in &names {
                if row.value(name).is_none() {
                    let (row, line) = (&row.name, mark.line);
                    return mistake(
                        rows.iter().find(|other| other.name == *row).map_or(*mark, |row| row.mark),
                        format!("the row {row} has no `{name}`, which line {line} has"),
                    );
                }
            }
            for (name, node) in &row.values {
                if !names.iter().any(|(known, _)| known == name) {
                    return mistake(node.mark, format!("the first row has no parameter `{name}`"));
                }
            }
        }
        Ok(Some(Self { rows, names }))
    }

    /// The tree of each row.
    pub(super) fn expand(&self, tree: &Node) -> Result<Vec<(&Row, Node)>, Mistake> {
        let used = RefCell::default();
        let trees = self.rows.iter().map(|row| Ok((row, row.fill(tree, &used)?)));
        let trees = trees.collect::<Result<_, Mistake>>()?;
        let used: BTreeSet<String> = used.into_inner();
        match self.names.iter().find(|(name, _)| !used.contains(name)) {
            Some((name, mark)) => mistake(
                *mark,
                format!("the parameter `{name}` is used nowhere; use it as {{parameter: {name}}}"),
            ),
            None => Ok(trees),
        }
    }
}

impl Row {
    fn read(node: Node) -> Result<Self, Mistake> {
        let mark = node.mark;
        let Value::Map(entries) = node.value else {
            return mistake(mark, "a row is a map of parameters, such as {row: short, le: 4}");
        };
        let mut name = None;
        let mut values = Vec::new();
        for (key, value) in entries {
            match key.text() {
                Some(ROW) => match value.text() {
                    Some(text) if is_row_name(text) => name = Some((text.to_owned(), value.mark)),
                    _ => {
                        return mistake(
                            value.mark,
                            "the name of a row has lower-case letters, digits, dots and hyphens",
                        );
                    }
                },
                Some(key) => values.push((key.to_owned(), value)),
                None => {}
            }
        }
        match name {
            Some((name, mark)) => Ok(Self { name, mark, values }),
            None => mistake(mark, "each row needs a name: `row: NAME`"),
        }
    }

    fn value(&self, name: &str) -> Option<&Node> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// `tree` with this row's values in the place of references to them.
    fn fill(&self, tree: &Node, used: &RefCell<BTreeSet<String>>) -> Result<Node, Mistake> {
        let value = match &tree.value {
            Value::Map(_) if let Some(reference) = reference(tree) => {
                let Some(name) = reference.text() else {
                    return mistake(reference.mark, "a parameter is named by a word");
                };
                let Some(value) = self.value(name) else {
                    let known: Vec<_> = self.values.iter().map(|(name, _)| name.as_str()).collect();
                    let known = known.join(", ");
                    return mistake(
                        reference.mark,
                        format!("there is no parameter `{name}`; there are {known}"),
                    );
                };
                if !used.borrow().contains(name) {
                    used.borrow_mut().insert(name.to_owned());
                }
                return Ok(value.clone());
            }
            Value::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), self.fill(value, used)?)))
                    .collect::<Result<_, Mistake>>()?,
            ),
            Value::List(items) => {
                Value::List(items.iter().map(|item| self.fill(item, used)).collect::<Result<_, _>>()?)
            }
            other => other.clone(),
        };
        Ok(tree.with(value))
    }
}

/// What `{parameter: NAME}` names, where `node` is such a map.
fn reference(node: &Node) -> Option<&Node> {
    match &node.value {
        Value::Map(entries) if entries.len() == 1 => node.get(REFERENCE),
        _ => None,
    }
}

/// The first `{parameter: NAME}` of a scenario that has no table.
pub(super) fn stray_reference(tree: &Node) -> Option<Mistake> {
    if let Some(reference) = reference(tree) {
        let problem = "there are no `parameters` in this scenario".to_owned();
        return Some(Mistake { mark: Some(reference.mark), problem });
    }
    match &tree.value {
        Value::Map(entries) => entries.iter().find_map(|(_, value)| stray_reference(value)),
        Value::List(items) => items.iter().find_map(stray_reference),
        _ => None,
    }
}

fn is_row_name(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_'))
}
