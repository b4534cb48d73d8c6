//! The four applications beside JPKI. They can be selected; they have no files yet.

use crate::file::Application;
use hex_literal::hex;

/// 券面事項入力補助
pub static TEXT: Application = Application { name: "text", aid: &hex!("D3921000310001010408"), files: &[] };

/// 券面事項確認
pub static VISUAL: Application =
    Application { name: "visual", aid: &hex!("D3921000310001010402"), files: &[] };

/// 住民基本台帳
pub static JUKI: Application = Application { name: "juki", aid: &hex!("D3921000310001010401"), files: &[] };

/// 共通カード
pub static COMMON: Application =
    Application { name: "common", aid: &hex!("D3921000310001010100"), files: &[] };
