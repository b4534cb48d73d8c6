//! The recorded scenario as a YAML document, as a person would have written it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use vmyna_sim::hex::Spaced;
use vmyna_sim::pin::PinName;

/// Tries left of PINs whose counter was not full at the beginning.
pub type Given = BTreeMap<PinName, u8>;

/// A line of the recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// a step, in YAML
    Verb {
        /// `verb: arguments`
        yaml: String,
        /// a requirement that such a step proves; empty for none
        covers: &'static str,
    },
    /// something that no step says
    Note(String),
}

/// What is told about a recording besides its steps.
#[derive(Debug, Clone)]
pub struct Recording<'a> {
    /// the scenario's id
    pub id: &'a str,
    /// who sat in the card seat
    pub seat: &'a str,
    /// the built-in holder whose PINs they were
    pub holder: Option<&'a str>,
    /// the day, `2026-04-01`
    pub day: &'a str,
    /// how to replay it, for the comment at the top
    pub replay: &'a str,
    /// only lengths were written of what files hold
    pub masked: bool,
}

/// Bytes as scenarios write them.
pub(super) fn hex(bytes: &[u8]) -> String {
    Spaced(bytes).to_string()
}

/// The whole document. `None` when nothing was said to the card.
#[must_use]
pub fn to_yaml(recording: &Recording<'_>, given: &Given, steps: &[Step]) -> Option<String> {
    let mut covers: Vec<&str> = Vec::new();
    for step in steps {
        if let Step::Verb { covers: covered, .. } = step
            && !covered.is_empty()
            && !covers.contains(covered)
        {
            covers.push(covered);
        }
    }
    if !steps.iter().any(|step| matches!(step, Step::Verb { .. })) {
        return None;
    }
    // Every scenario names a requirement; a card that cannot be selected proves none at all.
    if covers.is_empty() {
        covers.push("SEL-01");
    }
    let Recording { id, seat, holder, day, replay, masked } = recording;
    let mut yaml = format!("# Recorded on {day} with the card seat {seat:?}. Replay: {replay}\n");
    if *masked {
        yaml.push_str("# Masked: of what files hold only the length was written.\n");
    }
    let _ = write!(
        yaml,
        "id: {id}\ntitle: {{ja: {day} に記録したやりとり, en: a conversation recorded on {day}}}\ncovers: [{}]\n\
         tags: [recorded]\n",
        covers.join(", ")
    );
    if let Some(holder) = holder {
        let _ = writeln!(yaml, "holder: {holder}");
    }
    if !given.is_empty() {
        let given: Vec<_> = given.iter().map(|(pin, tries)| format!("{pin}: {tries}")).collect();
        let _ = writeln!(yaml, "given: {{{}}}", given.join(", "));
    }
    yaml.push_str("steps:\n");
    for step in steps {
        let _ = match step {
            Step::Verb { yaml: verb, .. } => writeln!(yaml, "  - {verb}"),
            Step::Note(note) => writeln!(yaml, "  # {note}"),
        };
    }
    Some(yaml)
}
