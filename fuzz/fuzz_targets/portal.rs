#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| vmyna_fuzz::portal::check(input));
