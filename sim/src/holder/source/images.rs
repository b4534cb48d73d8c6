//! The part of a holder's document that names pictures. They lie beside the document.

use super::{Document, Text, jpeg2000};
use crate::document::{self, DocumentError};
use crate::holder::Images;
use png::BitDepth;
use serde::Deserialize;
use std::io::Cursor;
use std::path::Path;

/// Largest picture, in bytes: four of them and what else is in the EF can still be read, for offsets
/// end at 32,767.
const MAX_BYTES: u64 = 7000;
/// Longest side of a PNG, in dots: more than any text needs, and soon decoded.
const MAX_SIDE: u32 = 4096;
/// Width and height of the picture of 個人番号, in dots (measured).
const MY_NUMBER: (u32, u32) = (72, 12);
/// What a PNG begins with.
const PNG: &[u8] = b"\x89PNG\r\n\x1A\n";

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct ImagesSource {
    name: Text,
    address: Text,
    portrait: Text,
    security_code: Text,
    my_number: Text,
}

impl ImagesSource {
    pub(super) fn read(&self, document: &Document<'_>) -> Result<Images, DocumentError> {
        let file = |at: &Text, check: &dyn Fn(&[u8]) -> Result<(), String>| {
            let read = |name| read(document.file, name).and_then(|bytes| check(&bytes).map(|()| bytes));
            at.as_ref().map(|at| read(&at.value).map_err(|problem| document.error(at, problem))).transpose()
        };
        let any_size = |bytes: &[u8]| png(bytes, None);
        Ok(Images {
            name: file(&self.name, &any_size)?,
            address: file(&self.address, &any_size)?,
            portrait: file(&self.portrait, &jpeg2000::check)?,
            security_code: file(&self.security_code, &any_size)?,
            my_number: file(&self.my_number, &|bytes| png(bytes, Some(MY_NUMBER)))?,
        })
    }
}

/// The file `name` in the folder of the document `holder`.
fn read(holder: &str, name: &str) -> Result<Vec<u8>, String> {
    let path = Path::new(holder).parent().unwrap_or(Path::new("")).join(name);
    document::read_bytes(&path, MAX_BYTES).map_err(|error| format!("this picture cannot be used: {error}"))
}

/// Refuses all but a whole PNG of one bit for each dot, of this width and height where one is given.
fn png(file: &[u8], size: Option<(u32, u32)>) -> Result<(), String> {
    if !file.starts_with(PNG) {
        return Err("expected a PNG picture; this file begins otherwise".into());
    }
    let broken = |error: png::DecodingError| format!("this PNG picture is cut off or broken: {error}");
    let mut decoder = png::Decoder::new(Cursor::new(file));
    let header = decoder.read_header_info().map_err(broken)?;
    let (depth, colour, width, height) = (header.bit_depth, header.color_type, header.width, header.height);
    if depth != BitDepth::One {
        return Err(format!(
            "expected a PNG of one bit for each dot, black and white; this one is {colour:?} of {} bits a sample",
            depth as u8
        ));
    }
    match size {
        Some((right, high)) if (width, height) != (right, high) => {
            return Err(format!(
                "expected a picture of {right} by {high} dots; this one has {width} by {height}"
            ));
        }
        _ if width > MAX_SIDE || height > MAX_SIDE => {
            return Err(format!(
                "expected a picture of at most {MAX_SIDE} dots a side; this one has {width} by {height}"
            ));
        }
        _ => {}
    }
    let mut reader = decoder.read_info().map_err(broken)?;
    while reader.next_row().map_err(broken)?.is_some() {}
    reader.finish().map_err(broken)
}
