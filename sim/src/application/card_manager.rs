//! The card manager (GlobalPlatform issuer security domain), selected at power-up. Of the files
//! under the MF one can be selected and none read.

use crate::file::{Application, ElementaryFile, FileId, FileKind};
use hex_literal::hex;

pub static CARD_MANAGER: Application = Application {
    name: "card_manager",
    aid: &hex!("A0000001510000"),
    files: &[ElementaryFile { id: FileId(0x001E), kind: FileKind::UndocumentedInternal }],
};
