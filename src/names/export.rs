//! Where the copies of the log groups' events lie in the audit bucket.

/// What was exported.
pub const PREFIX: &str = "cloudwatch";
/// What could not be.
pub const ERROR_PREFIX: &str = "cloudwatch-errors";
