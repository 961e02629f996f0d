//! txnr
