//! Pictures that a holder's file names. Whoever has none gets drawn ones; see [`crate::image`].

use std::fmt;

/// A holder's own pictures: the bytes of the files.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Images {
    /// 氏名, a PNG
    pub name: Option<Vec<u8>>,
    /// 住所, a PNG
    pub address: Option<Vec<u8>>,
    /// 顔写真, a JPEG 2000
    pub portrait: Option<Vec<u8>>,
    /// the security code, a PNG
    pub security_code: Option<Vec<u8>>,
    /// 個人番号, a PNG
    pub my_number: Option<Vec<u8>>,
}

/// Which are there, without their bytes: they may show a person.
impl fmt::Debug for Images {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            ("name", &self.name),
            ("address", &self.address),
            ("portrait", &self.portrait),
            ("security_code", &self.security_code),
            ("my_number", &self.my_number),
        ];
        f.debug_set().entries(all.into_iter().filter(|(_, own)| own.is_some()).map(|(name, _)| name)).finish()
    }
}
