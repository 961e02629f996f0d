#![no_main]
//! Feeds arbitrary text to the ruleset reader.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = txn_reconcile_api::rules::load(text);
});
