#![no_main]
//! Feeds arbitrary bytes to the reader, which unpacks, transcodes and recognises them by itself.

use libfuzzer_sys::fuzz_target;
use txn_reconcile_api::formats::{ReadOptions, Reader};

fuzz_target!(|bytes: &[u8]| {
    let mut reader = Reader::new("fuzz", ReadOptions::default());
    if reader.push(bytes).is_ok() {
        let _ = reader.finish();
    }
});
