//! The pictures in 券面事項確認: a holder's own where the file names some, drawn from the person's data
//! otherwise. How large the real ones are is not public, but for 個人番号 (72 by 12).

mod bitmap;
mod font;

use crate::holder::Holder;
use bitmap::Bitmap;

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

/// Nobody's face, for holders who have no portrait.
static STAND_IN: &[u8] = include_bytes!("../../vectors/holders/images/stand-in.jp2");

/// The pictures of `holder`'s card. None is empty.
#[must_use]
pub fn of(holder: &Holder) -> CardImages {
    let images = &holder.images;
    let own = |own: &Option<Vec<u8>>, drawn: &dyn Fn() -> Bitmap| match own {
        Some(own) => own.clone(),
        None => drawn().png(),
    };
    let person = &holder.person;
    CardImages {
        name_png: own(&images.name, &|| Bitmap::of_text(&person.name)),
        address_png: own(&images.address, &|| Bitmap::of_text(&person.address)),
        portrait_jp2: images.portrait.as_deref().unwrap_or(STAND_IN).to_vec(),
        security_code_png: own(&images.security_code, &|| {
            Bitmap::of_digits(holder.card.security_code.as_bytes())
        }),
        my_number_png: own(&images.my_number, &|| Bitmap::of_digits(person.my_number.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_built_in_holder_has_pictures_and_a_face_of_their_own() {
        let mut faces = BTreeSet::from([STAND_IN.to_vec()]);
        for name in Holder::built_in_names() {
            let images = of(&Holder::built_in(name).unwrap());
            for png in
                [&images.name_png, &images.address_png, &images.security_code_png, &images.my_number_png]
            {
                assert!(png.starts_with(b"\x89PNG\r\n\x1A\n"), "{name}");
            }
            assert!(images.portrait_jp2.starts_with(b"\x00\x00\x00\x0CjP  "), "{name}");
            assert!(faces.insert(images.portrait_jp2), "{name}");
            // width and height of the picture of 個人番号, in its IHDR
            assert_eq!(images.my_number_png[16..24], [0, 0, 0, 72, 0, 0, 0, 12], "{name}");
        }
    }

    #[test]
    fn who_has_no_portrait_gets_the_stand_in() {
        let holder = Holder::parse("mine.yaml", "person: {name: 髙橋　花, age: 40}\n").unwrap();
        assert_eq!(of(&holder).portrait_jp2, STAND_IN);
    }
}
