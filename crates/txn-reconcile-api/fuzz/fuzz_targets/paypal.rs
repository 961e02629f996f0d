#![no_main]
//! Feeds arbitrary bytes to the paypal parser, in pieces whose size the first byte decides.

use libfuzzer_sys::fuzz_target;
use txn_reconcile_api::formats::{Format, ReadOptions, Reader};

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let options = ReadOptions { format: Some(Format::Paypal), ..ReadOptions::default() };
    let mut reader = Reader::new("fuzz", options);
    if bytes.chunks(usize::from(*first) + 1).try_for_each(|chunk| reader.push(chunk)).is_ok() {
        let _ = reader.finish();
    }
});
