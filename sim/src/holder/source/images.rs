//! The part of a holder's document that names pictures. They lie beside the document.

use super::{Document, Text};
use crate::document::{self, DocumentError};
use crate::holder::Images;
use serde::Deserialize;
use std::path::Path;

/// Largest picture, in bytes: four of them and what else is in the EF can still be read, for offsets
/// end at 32,767.
const MAX_BYTES: u64 = 7000;

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
        let file = |at: &Text, form: Form| {
            let read = |at| form.read(document.file, at);
            at.as_ref().map(|at| read(&at.value).map_err(|problem| document.error(at, problem))).transpose()
        };
        Ok(Images {
            name: file(&self.name, Form::Png)?,
            address: file(&self.address, Form::Png)?,
            portrait: file(&self.portrait, Form::Jpeg2000)?,
            security_code: file(&self.security_code, Form::Png)?,
            my_number: file(&self.my_number, Form::Png)?,
        })
    }
}

#[derive(Clone, Copy)]
enum Form {
    Png,
    Jpeg2000,
}

impl Form {
    /// What a file of this form begins with.
    const fn signatures(self) -> &'static [&'static [u8]] {
        match self {
            Self::Png => &[b"\x89PNG\r\n\x1A\n"],
            // the file format, and the bare codestream
            Self::Jpeg2000 => &[b"\x00\x00\x00\x0CjP  ", b"\xFF\x4F\xFF\x51"],
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg2000 => "JPEG 2000",
        }
    }

    /// The file `name` in the folder of the document `holder`.
    fn read(self, holder: &str, name: &str) -> Result<Vec<u8>, String> {
        let path = Path::new(holder).parent().unwrap_or(Path::new("")).join(name);
        let bytes = document::read_bytes(&path, MAX_BYTES)
            .map_err(|error| format!("this picture cannot be used: {error}"))?;
        if self.signatures().iter().any(|signature| bytes.starts_with(signature)) {
            Ok(bytes)
        } else {
            Err(format!("expected a {} picture; this file begins otherwise", self.name()))
        }
    }
}
