//! What can go wrong with what the service is asked to do, without a word of how it was asked. The HTTP layer makes a
//! [`Problem`](super::problem::Problem) of it, and a run decides by it whether to go on later.

use std::fmt;

use super::store::StoreError;

/// Why something was not done. Each holds what is wrong and what would be right, in words that may be shown: they never
/// repeat a value that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// There is no such thing, or it belongs to another tenant.
    NotFound(String),
    /// The state of the thing does not allow it.
    Conflict(String),
    /// Somebody else changed the thing at the same time: the same may be done on what that has left.
    Overtaken(String),
    /// The thing is no longer the version that was named.
    Changed(String),
    /// What was kept of it has been deleted after its time.
    Gone(String),
    /// What would be kept of it is larger than it may be.
    TooLarge(String),
    /// The content is not acceptable.
    Unprocessable(String),
    /// There are too many of them already: ask again later.
    QueueFull(String),
    /// A store does not answer: ask again.
    Unavailable(String),
    /// A fault of the service.
    Internal(String),
}

impl Error {
    /// What is wrong and what would be right.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::NotFound(detail)
            | Self::Conflict(detail)
            | Self::Overtaken(detail)
            | Self::Changed(detail)
            | Self::Gone(detail)
            | Self::TooLarge(detail)
            | Self::Unprocessable(detail)
            | Self::QueueFull(detail)
            | Self::Unavailable(detail)
            | Self::Internal(detail) => detail,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl std::error::Error for Error {}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => {
                Self::Overtaken("somebody else changed it at the same time; read it again".into())
            }
            StoreError::Unavailable(why) => {
                tracing::error!("the store does not answer: {why}");
                Self::Unavailable("the database does not answer".into())
            }
            StoreError::TooLarge(why) => {
                Self::TooLarge(format!("what is to be kept would be {why}; send less at once"))
            }
            StoreError::Invalid(why) => {
                tracing::error!("the store refuses: {why}");
                Self::Internal("the database refuses what it was told".into())
            }
        }
    }
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        if let object_store::Error::NotFound { .. } = error {
            tracing::warn!("the file store has no such file: {error}");
            return Self::Gone("the files that were kept of it have been deleted after their time".into());
        }
        tracing::error!("the file store does not answer: {error}");
        Self::Unavailable("the file store does not answer".into())
    }
}
