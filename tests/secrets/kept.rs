//! What is secret of one holder's card, and whether any of it shows: as it is, as the hexadecimal digits of its bytes, as
//! a list of numbers, as bytes, as a line of a PEM file.

use base64ct::{Base64, Encoding};
use std::borrow::Cow;
use std::path::Path;
use std::sync::LazyLock;

pub const PASSWORD: &str = "ZQ7XKW9MPLV3TJR";

/// The four digits of the other PINs stand apart in a text by chance, where times are told.
pub const PINS: [&str; 3] = ["9753", "8624", PASSWORD];

/// How much of the password says too much.
const PIECE: usize = 6;

pub fn holder_file() -> String {
    format!(
        "# somebody's card\nperson:\n  name: 試験　太郎\n  birth: 1990-01-02\n  sex: female\n\
         pins:\n  user_authentication: \"{}\"\n  digital_signature: {PASSWORD}\n  text_input: '{}'\n\
         card: {{security_code: \"2285\"}}\n\
         keys:\n  user_authentication: hanako-user-authentication\n  digital_signature: hanako-digital-signature\n",
        PINS[0], PINS[1]
    )
}

pub fn state_file() -> String {
    format!(
        "{{\n  \"vmyna_state\": 1,\n  \"holder\": \"secret\",\n  \"pins\": {{\n    \"user_authentication\": {{\n      \
         \"tries_left\": 3,\n      \"changed_value\": \"{}\"\n    }},\n    \"digital_signature\": {{\n      \
         \"tries_left\": 5,\n      \"changed_value\": \"{PASSWORD}\"\n    }}\n  }}\n}}\n",
        PINS[1]
    )
}

/// `text` broken off at each of its characters, and with each of them left out or replaced by one that means something.
pub fn broken_copies(text: &str) -> impl Iterator<Item = String> {
    text.char_indices().flat_map(move |(at, character)| {
        let (before, after) = (&text[..at], &text[at + character.len_utf8()..]);
        let replaced = ["", "\"", ":", "{", "\n", "*"];
        let replaced = replaced.into_iter().map(move |other| format!("{before}{other}{after}"));
        std::iter::once(before.to_owned()).chain(replaced)
    })
}

struct Needle {
    what: String,
    /// in a text without white space, in upper case
    hex: String,
    numbers: String,
    /// one character for each byte
    bytes: String,
}

impl Needle {
    fn new(what: &str, bytes: &[u8]) -> Self {
        let numbers: Vec<_> = bytes.iter().map(u8::to_string).collect();
        Self {
            what: what.to_owned(),
            hex: bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
            numbers: numbers.join(","),
            bytes: bytes.iter().map(|byte| char::from(*byte)).collect(),
        }
    }
}

struct Secrets {
    needles: Vec<Needle>,
    lines: Vec<String>,
}

static SECRETS: LazyLock<Secrets> = LazyLock::new(|| {
    let mut needles: Vec<_> = PINS.iter().map(|pin| Needle::new(pin, pin.as_bytes())).collect();
    let pieces = PASSWORD.as_bytes().windows(PIECE);
    needles.extend(pieces.map(|piece| Needle::new("a piece of the password", piece)));
    let mut lines = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/pki/TEST-KEYS");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !["hanako-", "ca-"].iter().any(|whose| name.starts_with(whose)) || !name.ends_with(".pem") {
            continue;
        }
        let pem = std::fs::read_to_string(&path).unwrap();
        let body: Vec<_> = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = Base64::decode_vec(&body.concat()).unwrap();
        // What comes before the public exponent is public.
        let exponent = der.windows(5).position(|bytes| bytes == [2, 3, 1, 0, 1]).unwrap();
        needles.push(Needle::new(&name, &der[exponent + 20..][..16]));
        lines.extend(body[exponent * 4 / 3 / 64 + 2..].iter().map(|line| (*line).to_owned()));
    }
    assert!(needles.len() > 20 && lines.len() > 100);
    Secrets { needles, lines }
});

/// Fails when anything secret shows in `bytes`, which `what` said or which are the file of that name.
pub fn assert_kept(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let dense: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    let upper = dense.to_uppercase();
    // A text needs no second look.
    let each_byte: String = match text {
        Cow::Borrowed(_) => String::new(),
        Cow::Owned(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    };
    let shown = |how: &str, secret: &str| panic!("{secret} shows, {how}, in {what}:\n{text}");
    for needle in &SECRETS.needles {
        let long = needle.bytes.len() >= PIECE;
        for (how, found) in [
            ("in hexadecimal digits", upper.contains(&needle.hex)),
            ("as a list of numbers", dense.contains(&needle.numbers)),
            ("as it is", long && (text.contains(&needle.bytes) || each_byte.contains(&needle.bytes))),
            (
                "quoted",
                !long && ['"', '\'', '`'].iter().any(|q| text.contains(&format!("{q}{}{q}", needle.bytes))),
            ),
        ] {
            if found {
                shown(how, &needle.what);
            }
        }
    }
    if let Some(line) = SECRETS.lines.iter().find(|line| dense.contains(line.as_str())) {
        shown("as in its file", line);
    }
}
