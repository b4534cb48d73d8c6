//! The applications: which EFs, which conditions. Tables only; what happens is in `card`.

mod card_manager;
mod common;
mod jpki;
mod juki;
mod table;
mod text;
mod visual;

use crate::file::Application;

/// The applications in the order in which a name is compared with theirs.
pub const ALL: [&Application; 6] =
    [&card_manager::CARD_MANAGER, &jpki::JPKI, &text::TEXT, &visual::VISUAL, &juki::JUKI, &common::COMMON];

/// The name by which people know the application that `aid`, or the beginning of one, selects.
#[must_use]
pub fn name(aid: &[u8]) -> Option<&'static str> {
    ALL.iter().find(|application| application.is_named(aid)).map(|application| application.name)
}

/// What the data object `tag` of GET DATA is, in a few words.
#[must_use]
pub const fn object_name(tag: u16) -> Option<&'static str> {
    Some(match tag {
        0x0042 => "issuer identification",
        0x0045 => "card identification",
        0x0066 => "card recognition data",
        0x00F0 => "municipality",
        0x00F2 => "date of expiry",
        0x00F7 => "identifier of the intermediate key",
        0x00F8 => "upper certificate of the chain",
        0x7F21 => "lower certificate of the chain",
        0x5F51 => "answer to reset",
        _ => return None,
    })
}

/// Index in [`ALL`] of the application that a card selects by itself at power-up.
pub const CARD_MANAGER: usize = 0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Access;
    use crate::file::FileKind;
    use crate::pin::PinName;
    use std::collections::HashSet;

    #[test]
    fn no_two_files_of_an_application_share_an_identifier() {
        for application in ALL {
            let ids: HashSet<u16> = application.files.iter().map(|file| file.id.0).collect();
            assert_eq!(ids.len(), application.files.len(), "{:02X?}", application.aid);
        }
    }

    #[test]
    fn every_pin_and_every_key_lies_in_one_file() {
        let files = || ALL.iter().flat_map(|application| application.files);
        for pin in PinName::ALL {
            let here = files().filter(|file| matches!(file.kind, FileKind::Pin(there) if there == pin));
            assert_eq!(here.count(), 1, "{pin}");
        }
        for application in ALL {
            let default = application.default_key;
            let mut keys = application.files.iter().filter_map(|file| match file.kind {
                FileKind::PrivateKey { key, usage: Access::Free } => Some(key),
                _ => None,
            });
            assert!(default.is_none_or(|default| keys.any(|key| key == default)), "{}", application.name);
        }
    }

    #[test]
    fn what_opens_a_file_lies_in_the_same_application() {
        for application in ALL {
            for file in application.files {
                if let FileKind::Transparent { read: Access::AnyOf(pins), .. } = file.kind {
                    for pin in pins {
                        let found = application
                            .files
                            .iter()
                            .any(|file| matches!(file.kind, FileKind::Pin(there) if there == *pin));
                        assert!(found, "{} is not in {}", pin, application.name);
                    }
                }
            }
        }
    }

    #[test]
    fn the_card_of_the_built_in_profile_has_them_all() {
        let here = crate::profile::Profile::card().applications;
        assert!(ALL.iter().all(|application| here.contains(application.name)));
    }

    #[test]
    fn a_prefix_shared_by_four_applications_selects_the_first_of_them() {
        let first = ALL.iter().find(|application| application.is_named(&[0xD3, 0x92, 0x10, 0x00, 0x31]));
        assert_eq!(first.map(|application| application.aid), Some(text::TEXT.aid));
    }
}
