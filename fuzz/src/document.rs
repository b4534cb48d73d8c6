//! Any text as a scenario, a holder, a profile: an error at a place in it, or something whole.

use std::sync::LazyLock;
use vmyna::requirement::Requirements;
use vmyna::scenario;
use vmyna_sim::holder::Holder;
use vmyna_sim::profile::Profile;

static REQUIREMENTS: LazyLock<Requirements> = LazyLock::new(Requirements::built_in);

/// One input.
pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Err(error) = scenario::parse("fuzz.yaml", text, &REQUIREMENTS) {
        assert!(error.to_string().starts_with("fuzz.yaml:"), "{error}");
    }
    for error in [Holder::parse("fuzz.yaml", text).err(), Profile::parse("fuzz.yaml", text).err()] {
        assert!(error.is_none_or(|error| error.to_string().starts_with("fuzz.yaml:")));
    }
}
