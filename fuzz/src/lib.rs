//! What must hold of any input, one function for each fuzz target. The fuzz targets feed them what libFuzzer makes up;
//! `tests/fuzzed.rs` feeds them the seeds and every input that was once a finding.

pub mod apdu;
pub mod certificate;
pub mod conversation;
pub mod document;
pub mod frames;
pub mod portal;
