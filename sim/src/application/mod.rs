//! The applications: which EFs, which conditions. Tables only; what happens is in `card`.

mod card_manager;
mod jpki;
mod others;

use crate::file::Application;

/// The applications in the order in which a name is compared with theirs.
pub const ALL: [&Application; 6] = [
    &card_manager::CARD_MANAGER,
    &jpki::JPKI,
    &others::TEXT,
    &others::VISUAL,
    &others::JUKI,
    &others::COMMON,
];

/// The name by which people know the application that `aid`, or the beginning of one, selects.
#[must_use]
pub fn name(aid: &[u8]) -> Option<&'static str> {
    ALL.iter().find(|application| application.is_named(aid)).map(|application| application.name)
}

/// Index in [`ALL`] of the application that a card selects by itself at power-up.
pub const CARD_MANAGER: usize = 0;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_files_of_an_application_share_an_identifier() {
        for application in ALL {
            let ids: HashSet<u16> = application.files.iter().map(|file| file.id.0).collect();
            assert_eq!(ids.len(), application.files.len(), "{:02X?}", application.aid);
        }
    }

    #[test]
    fn a_prefix_shared_by_four_applications_selects_the_first_of_them() {
        let first = ALL.iter().find(|application| application.is_named(&[0xD3, 0x92, 0x10, 0x00, 0x31]));
        assert_eq!(first.map(|application| application.aid), Some(others::TEXT.aid));
    }
}
