//! Whether a file is a whole grey JPEG 2000: boxes or the bare codestream (ISO/IEC 15444-1, Annexes A and I),
//! as far as their headers and lengths tell. The picture itself is not decoded.

const SIGNATURE: &[u8] = b"\x00\x00\x00\x0CjP  \x0D\x0A\x87\x0A";
/// Start of codestream, and the marker of its SIZ segment
const START: &[u8] = b"\xFF\x4F\xFF\x51";
const END: &[u8] = b"\xFF\xD9";
/// Of the number of components, in the codestream.
const COMPONENTS: usize = 40;
/// enumerated colour spaces
const GREYSCALE: u32 = 17;

pub(super) fn check(file: &[u8]) -> Result<(), String> {
    if file.starts_with(START) {
        return codestream(file);
    }
    if !file.starts_with(SIGNATURE) {
        return Err("expected a JPEG 2000 picture; this file begins otherwise".into());
    }
    let mut has_header = false;
    for (kind, content) in boxes(file)? {
        match &kind {
            b"jp2h" => {
                header(content)?;
                has_header = true;
            }
            b"jp2c" if has_header => return codestream(content),
            _ => {}
        }
    }
    Err("this JPEG 2000 file has no `jp2h` box with a `jp2c` box behind it; write the picture anew".into())
}

/// A box: its type and its content.
type TypedBox<'f> = ([u8; 4], &'f [u8]);

/// All boxes in `bytes`.
fn boxes(mut bytes: &[u8]) -> Result<Vec<TypedBox<'_>>, String> {
    let mut all = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let (kind, _) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
        let length = match u32::from_be_bytes(*length) as usize {
            // up to the end of the file
            0 => bytes.len(),
            length @ 8.. => length,
            // 1 announces a length of 64 bits, which no file of this size needs
            length => return Err(format!("this JPEG 2000 file has a box that is {length} bytes long")),
        };
        all.push((*kind, bytes.get(8..length).ok_or_else(cut)?));
        bytes = &bytes[length..];
    }
    if bytes.is_empty() { Ok(all) } else { Err(cut()) }
}

/// jp2h: the picture's header and its colours.
fn header(content: &[u8]) -> Result<(), String> {
    let mut components = None;
    for (kind, content) in boxes(content)? {
        match (&kind, content) {
            (b"ihdr", [_, _, _, _, _, _, _, _, high, low, ..]) => {
                components = Some(u16::from_be_bytes([*high, *low]));
            }
            (b"pclr", _) => return Err(not_grey("a palette")),
            (b"colr", [1, _, _, space @ ..]) => {
                match space.first_chunk().map(|space| u32::from_be_bytes(*space)) {
                    Some(GREYSCALE) => {}
                    _ => return Err(not_grey("another colour space")),
                }
            }
            _ => {}
        }
    }
    match components {
        Some(components) => grey(components),
        None => Err("this JPEG 2000 file has no `ihdr` box; write the picture anew".into()),
    }
}

fn codestream(bytes: &[u8]) -> Result<(), String> {
    if !bytes.starts_with(START) {
        return Err(
            "this JPEG 2000 file has no codestream where it should begin; write the picture anew".into()
        );
    }
    let [high, low] =
        bytes.get(COMPONENTS..COMPONENTS + 2).and_then(|count| count.try_into().ok()).ok_or_else(cut)?;
    grey(u16::from_be_bytes([high, low]))?;
    if bytes.ends_with(END) { Ok(()) } else { Err(cut()) }
}

fn grey(components: u16) -> Result<(), String> {
    if components == 1 { Ok(()) } else { Err(not_grey(&format!("{components} components"))) }
}

fn not_grey(found: &str) -> String {
    format!("expected a grey picture, of one component; this JPEG 2000 file has {found}")
}

fn cut() -> String {
    "this JPEG 2000 file is cut off; copy or write it anew".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[u8] = include_bytes!("../../../vectors/holders/images/hanako.jp2");

    fn at(part: &[u8]) -> usize {
        WHOLE.windows(part.len()).position(|window| window == part).unwrap()
    }

    fn changed(index: usize, byte: u8) -> String {
        let mut file = WHOLE.to_vec();
        file[index] = byte;
        check(&file).unwrap_err()
    }

    #[test]
    fn a_whole_grey_picture_is_one_with_its_boxes_or_without() {
        assert_eq!(check(WHOLE), Ok(()));
        assert_eq!(check(&WHOLE[at(START)..]), Ok(()));
    }

    #[test]
    fn no_beginning_of_it_is() {
        for length in 0..WHOLE.len() {
            assert!(check(&WHOLE[..length]).is_err(), "{length}");
        }
        for length in 0..WHOLE.len() - at(START) {
            assert!(check(&WHOLE[at(START)..][..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn colours_are_told() {
        assert!(changed(at(b"ihdr") + 13, 3).contains("this JPEG 2000 file has 3 components"));
        assert!(changed(at(START) + COMPONENTS + 1, 3).contains("has 3 components"));
        assert!(changed(at(b"colr") + 10, 16).contains("has another colour space"));
    }
}
