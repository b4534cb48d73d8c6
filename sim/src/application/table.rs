//! The words that the tables of applications are written in.

use crate::access::Access;
use crate::file::{Content, ElementaryFile, FileId, FileKind, PrivateKey, Records};
use crate::pin::PinName;

/// What follows the data in a file that is longer.
const FILLER: u8 = 0xFF;

pub(super) const fn file(id: u16, kind: FileKind) -> ElementaryFile {
    ElementaryFile { id: FileId(id), kind }
}

pub(super) const fn transparent(id: u16, read: Access, content: Content) -> ElementaryFile {
    file(id, FileKind::Transparent { read, content })
}

pub(super) const fn record_file(id: u16, read: Access, records: Records) -> ElementaryFile {
    file(id, FileKind::Records { read, records })
}

pub(super) const fn pin(id: u16, pin: PinName) -> ElementaryFile {
    file(id, FileKind::Pin(pin))
}

pub(super) const fn private_key(id: u16, key: PrivateKey, usage: Access) -> ElementaryFile {
    file(id, FileKind::PrivateKey { key, usage })
}

/// `data` in a file of `size` bytes, or of as many as it needs.
pub(super) fn filled(data: &[u8], size: usize) -> Vec<u8> {
    let mut content = data.to_vec();
    content.resize(size.max(content.len()), FILLER);
    content
}
