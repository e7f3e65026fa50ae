#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mediastruct_fuzz::run("stream", data));
