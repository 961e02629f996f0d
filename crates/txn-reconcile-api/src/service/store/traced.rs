//! A store whose calls are spans of the request or run that they are made for.

use std::sync::Arc;

use tracing::{Instrument, Span};

use super::{AuditEntry, Item, Key, Query, Store, StoreError, Write};
use crate::service::traces;

/// A store with spans.
pub struct Traced {
    inner: Arc<dyn Store>,
    system: &'static str,
}

/// The span of a call, with the names of <https://opentelemetry.io/docs/specs/semconv/database/>. What is asked of the
/// store between requests and runs belongs to no trace.
macro_rules! span {
    ($self:ident, $operation:literal $(, $key:ident = $value:expr)*) => {
        if Span::current().is_none() {
            Span::none()
        } else {
            tracing::info_span!(
                "store",
                otel.name = concat!("store ", $operation),
                otel.kind = "client",
                otel.status_code = tracing::field::Empty,
                db.system.name = $self.system,
                db.operation.name = $operation,
                $($key = $value,)*
            )
        }
    };
}

impl Traced {
    /// Over a store of a kind.
    #[must_use]
    pub fn over(inner: Arc<dyn Store>, system: &'static str) -> Arc<dyn Store> {
        Arc::new(Self { inner, system })
    }
}

/// Waits for a call, and notes if it fails. That a condition does not hold is an answer.
async fn noted<T>(span: Span, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let result = call.instrument(span.clone()).await;
    if matches!(result, Err(StoreError::Unavailable(_) | StoreError::TooLarge(_) | StoreError::Invalid(_))) {
        traces::failed(&span);
    }
    result
}

#[async_trait::async_trait]
impl Store for Traced {
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        noted(span!(self, "get"), self.inner.get(key)).await
    }

    async fn query(&self, query: &Query) -> Result<Vec<Item>, StoreError> {
        noted(span!(self, "query", limit = query.limit), self.inner.query(query)).await
    }

    async fn list_due(&self, queue: &str, before: u64, limit: usize) -> Result<Vec<Item>, StoreError> {
        noted(span!(self, "list_due", limit = limit), self.inner.list_due(queue, before, limit)).await
    }

    async fn transact(&self, writes: Vec<Write>, audit: Option<AuditEntry>) -> Result<(), StoreError> {
        let span = span!(self, "transact", writes = writes.len());
        noted(span, self.inner.transact(writes, audit)).await
    }

    async fn audit(&self, chain: &str, from: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        noted(span!(self, "audit", limit = limit), self.inner.audit(chain, from, limit)).await
    }

    async fn expire(&self, before: u64, limit: usize) -> Result<usize, StoreError> {
        noted(span!(self, "expire", limit = limit), self.inner.expire(before, limit)).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        noted(span!(self, "ready"), self.inner.ready()).await
    }
}
