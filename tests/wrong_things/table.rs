//! The tables of docs/wrong-cards.md: what is wrong with each card or portal, the requirement that it
//! breaks, and the scenarios that caught it. Each test owns the table between its two markers.

use std::path::Path;

/// One wrong thing.
pub struct Row<'a> {
    pub name: &'a str,
    pub says: &'a str,
    pub breaks: &'a str,
    /// ids of scenarios, of which the first two are named
    pub caught_by: &'a [String],
}

/// Holds the committed table `kind` against `rows`; with `UPDATE_WRONG_CARDS` set, writes it anew.
///
/// # Panics
/// When it is another, or cannot be written.
pub fn must_be_current(kind: &str, test: &str, rows: &[Row<'_>]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/wrong-cards.md");
    let page = std::fs::read_to_string(&path).expect("docs/wrong-cards.md can be read");
    let (begins, ends) = (format!("<!-- wrong {kind}s -->\n"), format!("<!-- end of wrong {kind}s -->\n"));
    let after_begin = page.find(&begins).expect("the page has a place for the table") + begins.len();
    let end = page[after_begin..].find(&ends).expect("the place has an end") + after_begin;
    let mut table = format!(
        "| wrong {kind} | what is wrong | requirement | caught by (the first two) |\n|---|---|---|---|\n"
    );
    for Row { name, says, breaks, caught_by } in rows {
        let by: Vec<_> = caught_by.iter().take(2).map(|id| format!("`{id}`")).collect();
        table += &format!("| `{name}` | {says} | {breaks} | {} |\n", by.join(", "));
    }
    if std::env::var_os("UPDATE_WRONG_CARDS").is_some() {
        std::fs::write(&path, [&page[..after_begin], &table, &page[end..]].concat())
            .expect("the table can be written");
        return;
    }
    assert!(
        page[after_begin..end] == table,
        "docs/wrong-cards.md is not what the wrong {kind}s show; UPDATE_WRONG_CARDS=1 cargo test --test {test} \
         writes it anew"
    );
}
