//! The holders that come with the program, out of `vectors/holders/`.

use super::Holder;
use include_dir::{Dir, include_dir};

static HOLDERS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/vectors/holders");

fn documents() -> impl Iterator<Item = (&'static str, &'static str)> {
    HOLDERS
        .files()
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "yaml"))
        .filter_map(|file| Some((file.path().file_stem()?.to_str()?, file.contents_utf8()?)))
}

pub(super) fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = documents().map(|(name, _)| name).collect();
    names.sort_unstable();
    names
}

pub(super) fn holder(name: &str) -> Option<Holder> {
    let (_, text) = documents().find(|(stem, _)| *stem == name)?;
    // a built-in document that does not parse is caught by the test below
    let mut holder = Holder::parse(&format!("{name}.yaml"), text).ok()?;
    let portrait = HOLDERS.get_file(format!("images/{name}.jp2"));
    holder.images.portrait = portrait.map(|file| file.contents().to_vec());
    Some(holder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_holder_parses() {
        for (name, text) in documents() {
            let holder =
                Holder::parse(&format!("{name}.yaml"), text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(holder.id(), name);
        }
    }

    #[test]
    fn hanako_is_among_them() {
        assert!(names().contains(&"hanako"));
        let hanako = holder("hanako").unwrap();
        assert_eq!(hanako.person.name, "番号　花子");
        assert_eq!(hanako.person.my_number.as_bytes(), b"123456789018");
        assert!(hanako.pins.user_authentication.matches(b"1234"));
        assert!(hanako.pins.digital_signature.matches(b"ABC123"));
        assert!(holder("nobody").is_none());
    }
}
