//! The pictures in 券面事項確認: the smallest that are valid, all of one colour.

use crate::holder::Holder;
use hex_literal::hex;

/// The pictures of one card, as its files hold them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardImages {
    /// 氏名
    pub name_png: Vec<u8>,
    /// 住所
    pub address_png: Vec<u8>,
    /// 顔写真
    pub portrait_jp2: Vec<u8>,
    /// the security code
    pub security_code_png: Vec<u8>,
    /// 個人番号
    pub my_number_png: Vec<u8>,
}

/// The pictures of `holder`'s card.
#[must_use]
pub fn of(_: &Holder) -> CardImages {
    CardImages {
        name_png: WHITE_PIXEL.to_vec(),
        address_png: WHITE_PIXEL.to_vec(),
        portrait_jp2: GREY_SQUARE.to_vec(),
        security_code_png: WHITE_PIXEL.to_vec(),
        my_number_png: WHITE_PIXEL.to_vec(),
    }
}

/// A PNG of one white pixel, one bit deep.
const WHITE_PIXEL: [u8; 67] = hex!(
    "89504E470D0A1A0A0000000D4948445200000001000000010100000000376EF9240000000A4944415478DA6368000000"
    "820081DA45083B0000000049454E44AE426082"
);

/// A JPEG 2000 of eight by eight grey pixels: one tile whose only packet is empty.
const GREY_SQUARE: [u8; 167] = hex!(
    "0000000C6A5020200D0A870A00000014667479706A703220000000006A7032200000002D6A7032680000001669686472"
    "00000008000000080001070700000000000F636F6C72010000000000110000005A6A703263FF4FFF5100290000000000"
    "08000000080000000000000000000000080000000800000000000000000001070101FF52000C00000001000004040001"
    "FF5C00044040FF90000A00000000000F0001FF9300FFD9"
);
