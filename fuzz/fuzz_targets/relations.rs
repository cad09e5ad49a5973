//! See the function of this name in `tests/rules/replay.rs`.

#![no_main]

#[path = "../../tests/rules/replay.rs"]
mod replay;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| replay::relations(bytes));
