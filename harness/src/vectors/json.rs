//! The files as text: one exchange a line, so that a change shows where it is.

use super::blobs::Blobs;
use super::{CLOCK, Flag, Line, Vector};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use vmyna_sim::apdu::ResponseApdu;

/// One file of vectors.
pub(super) fn file(group: &str, vectors: &[Vector]) -> Result<String, serde_json::Error> {
    let blobs = Blobs::of(vectors);
    let flags: BTreeSet<Flag> = vectors.iter().flat_map(|vector| vector.flags.iter().copied()).collect();
    let mut notes = Map::new();
    for flag in Flag::ALL.into_iter().filter(|flag| flags.contains(flag)) {
        let name = serde_json::to_value(flag)?.as_str().unwrap_or_default().to_owned();
        notes.insert(name, flag.note().into());
    }
    let mut text = String::from("{\n");
    for (key, value) in [
        ("$schema", json!("schema.json")),
        ("group", json!(group)),
        ("profile", json!("card")),
        ("clock", json!(CLOCK)),
        ("seed", json!(0)),
        ("numberOfTests", json!(vectors.len())),
        ("notes", Value::Object(notes)),
    ] {
        let _ = writeln!(text, "\"{key}\": {value},");
    }
    let blob_lines: Vec<_> = blobs
        .all()
        .enumerate()
        .map(|(number, blob)| format!("  \"{}\": \"{}\"", blob_name(number), hex(blob)))
        .collect();
    let _ = writeln!(text, "\"blobs\": {{\n{}\n}},", blob_lines.join(",\n"));
    text.push_str("\"tests\": [\n");
    for (number, vector) in vectors.iter().enumerate() {
        test(&mut text, number + 1, vector, &blobs)?;
        text.push_str(if number + 1 == vectors.len() { "\n" } else { ",\n" });
    }
    text.push_str("]\n}\n");
    Ok(text)
}

fn test(text: &mut String, number: usize, vector: &Vector, blobs: &Blobs) -> Result<(), serde_json::Error> {
    let setup: Vec<String> = vector.setup.iter().map(|command| hex(command)).collect();
    let given: Map<String, Value> =
        vector.given.iter().map(|(pin, tries)| (pin.to_string(), (*tries).into())).collect();
    let mut head = Map::new();
    head.insert("tcId".into(), number.into());
    head.insert("id".into(), vector.id.clone().into());
    head.insert("comment".into(), json!({"ja": vector.title.ja, "en": vector.title.en}));
    head.insert("holder".into(), vector.holder.clone().into());
    head.insert("covers".into(), vector.covers.clone().into());
    head.insert("flags".into(), serde_json::to_value(&vector.flags)?);
    head.insert("result".into(), serde_json::to_value(vector.result)?);
    if !given.is_empty() {
        head.insert("given".into(), given.into());
        head.insert("setup".into(), setup.into());
    }
    let head = Value::Object(head).to_string();
    let _ = writeln!(text, "{}, \"conversation\": [", head.strip_suffix('}').unwrap_or(&head));
    let lines =
        vector.conversation.iter().map(|line| self::line(line, blobs)).collect::<Result<Vec<_>, _>>()?;
    let _ = write!(text, "  {}\n]}}", lines.join(",\n  "));
    Ok(())
}

fn line(line: &Line, blobs: &Blobs) -> Result<String, serde_json::Error> {
    let Line::Exchange { command, answer, note, result, flags, accepted } = line else {
        let Line::Power(power) = line else { return Ok(String::new()) };
        return Ok(json!({"power": power}).to_string());
    };
    let mut fields = Map::new();
    fields.insert("command".into(), hex(command).into());
    let response = match ResponseApdu::try_from(&answer[..]) {
        Ok(response) => match blobs.find(response.data) {
            Some((blob, from)) => json!({
                "blob": blob_name(blob),
                "from": from,
                "length": response.data.len(),
                "sw": format!("{:04x}", u16::from(response.status)),
            }),
            None => hex(answer).into(),
        },
        Err(_) => hex(answer).into(),
    };
    fields.insert("response".into(), response);
    fields.insert("result".into(), serde_json::to_value(result)?);
    if !flags.is_empty() {
        fields.insert("flags".into(), serde_json::to_value(flags)?);
    }
    if !accepted.is_empty() {
        let accepted: Vec<String> = accepted.iter().map(|status| status.to_lowercase()).collect();
        fields.insert("accepted".into(), accepted.into());
    }
    if !note.is_empty() {
        fields.insert("note".into(), note.clone().into());
    }
    Ok(Value::Object(fields).to_string())
}

fn blob_name(number: usize) -> String {
    format!("b{}", number + 1)
}

/// Lower-case digits without spaces, as other vectors have them.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
