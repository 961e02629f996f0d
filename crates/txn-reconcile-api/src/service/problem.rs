//! Errors as the caller sees them: RFC 9457. They never repeat a value that was sent.

use serde_json::{Value, json};

use super::error::Error;
use super::store::StoreError;

/// What went wrong, for the caller.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// A stable name for the kind of problem.
    pub code: &'static str,
    /// What is wrong and what would be right.
    pub detail: String,
    /// Places in the input, where there are several.
    pub places: Vec<Value>,
}

/// Makes the constructors of the problems that are met often.
macro_rules! problems {
    ($($name:ident, $status:literal, $code:literal, $doc:literal;)*) => {
        impl Problem {
            $(
                #[doc = $doc]
                pub fn $name(detail: impl Into<String>) -> Self {
                    Self { status: $status, code: $code, detail: detail.into(), places: Vec::new() }
                }
            )*

            /// Every kind: status, name and meaning.
            pub const KINDS: &[(u16, &str, &str)] = &[$(($status, $code, $doc)),*];
        }
    };
}

problems! {
    bad_request, 400, "bad-request", "The request is not of the form that the route takes.";
    unauthorized, 401, "unauthorized", "There is no valid bearer token.";
    forbidden, 403, "forbidden", "The token does not allow this.";
    not_found, 404, "not-found", "There is no such thing, or it belongs to another tenant.";
    not_allowed, 405, "method-not-allowed", "The route does not take this method.";
    timeout, 408, "timeout", "The request did not arrive in time.";
    conflict, 409, "conflict", "The state of the thing does not allow this, or a request with this key is being answered.";
    overtaken, 409, "overtaken", "Somebody else changed the thing at the same time.";
    gone, 410, "gone", "What was kept of it has been deleted after its time.";
    changed, 412, "changed", "The thing has changed since it was read.";
    too_large, 413, "too-large", "The body, or what would be kept of it, is larger than it may be.";
    media_type, 415, "media-type", "The body is not of the type that the route takes.";
    unprocessable, 422, "unprocessable", "The content is not acceptable.";
    card_data, 422, "card-data", "The request holds card data. It was not stored.";
    no_match, 428, "if-match-needed", "The route needs If-Match with the ETag that was read.";
    too_many, 429, "too-many-requests", "The tenant asks too often, or the address sends too many bad tokens; ask again after Retry-After.";
    queue_full, 429, "queue-full", "The tenant has as many runs that have not ended as it may have; ask again after Retry-After.";
    internal, 500, "internal", "A fault of the service.";
    unavailable, 503, "unavailable", "A store does not answer; ask again with the same Idempotency-Key.";
}

impl Problem {
    /// With places in the input.
    #[must_use]
    pub fn at(mut self, places: Vec<Value>) -> Self {
        self.places = places;
        self
    }

    /// The URI of a kind of problem.
    #[must_use]
    pub fn uri(code: &str) -> String {
        format!("urn:txn-reconcile:problem:{code}")
    }

    /// The body of the answer.
    #[must_use]
    pub fn body(&self, request: &str) -> Value {
        let title = Self::KINDS.iter().find(|kind| kind.1 == self.code).map_or("", |kind| kind.2);
        let mut body = json!({
            "type": Self::uri(self.code),
            "title": title,
            "status": self.status,
            "detail": self.detail,
            "request_id": request,
        });
        if !self.places.is_empty() {
            body["places"] = json!(self.places);
        }
        body
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(detail) => Self::not_found(detail),
            Error::Conflict(detail) => Self::conflict(detail),
            Error::Overtaken(detail) => Self::overtaken(detail),
            Error::Changed(detail) => Self::changed(detail),
            Error::Gone(detail) => Self::gone(detail),
            Error::TooLarge(detail) => Self::too_large(detail),
            Error::Unprocessable(detail) => Self::unprocessable(detail),
            Error::QueueFull(detail) => Self::queue_full(detail),
            Error::Unavailable(detail) => Self::unavailable(detail),
            Error::Internal(detail) => Self::internal(detail),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}

impl From<object_store::Error> for Problem {
    fn from(error: object_store::Error) -> Self {
        Error::from(error).into()
    }
}
