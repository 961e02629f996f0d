//! DynamoDB: the table of records with its index of what is due, and the table of audit entries.

use std::collections::HashMap;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem};
use contract::Table;

use super::{AuditEntry, Due, Expect, Item, Key, Query, Store, StoreError, Write, check};

/// Times that a transaction is tried that met another one on the way.
const TRIES: u32 = 12;

/// DynamoDB.
pub struct DynamoStore {
    client: Client,
    records: String,
    audit: String,
}

type Attributes = HashMap<String, AttributeValue>;

fn unavailable(error: &(dyn std::error::Error + 'static)) -> StoreError {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(&format!(": {next}"));
        cause = next.source();
    }
    StoreError::Unavailable(text)
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn place(key: &Key) -> Attributes {
    let table = Table::Records;
    [(table.partition().name.to_owned(), text(&key.pk)), (table.sort().name.to_owned(), text(&key.sk))].into()
}

fn read_text(from: &Attributes, name: &str) -> Option<String> {
    from.get(name)?.as_s().ok().cloned()
}

fn read_number(from: &Attributes, name: &str) -> Option<u64> {
    from.get(name)?.as_n().ok()?.parse().ok()
}

fn read_body(from: &Attributes) -> Option<Vec<u8>> {
    Some(from.get("body")?.as_b().ok()?.clone().into_inner())
}

fn item(from: &Attributes) -> Result<Item, StoreError> {
    let read = || {
        let due = match (read_text(from, "queue"), read_number(from, "due_at")) {
            (Some(queue), Some(at)) => Some(Due { queue, at }),
            _ => None,
        };
        Some(Item {
            key: Key::new(read_text(from, "pk")?, read_text(from, "sk")?),
            version: read_number(from, "version")?,
            body: read_body(from)?,
            due,
            expires_at: read_number(from, "expires_at"),
        })
    };
    read().ok_or_else(|| StoreError::Invalid("an item lacks an attribute".into()))
}

/// What has to hold, as an expression and its value.
fn condition(expect: Expect) -> (&'static str, Option<Attributes>) {
    match expect {
        Expect::Absent => ("attribute_not_exists(pk)", None),
        Expect::Version(version) => {
            ("version = :version", Some([(":version".to_owned(), number(version))].into()))
        }
    }
}

/// How long one call may take, and how often it is tried: a table that does not answer holds no request for longer than
/// ten seconds.
#[must_use]
pub fn bounds() -> (TimeoutConfig, RetryConfig) {
    let timeouts = TimeoutConfig::builder()
        .operation_timeout(Duration::from_secs(10))
        .operation_attempt_timeout(Duration::from_secs(3))
        .connect_timeout(Duration::from_secs(2))
        .build();
    (timeouts, RetryConfig::standard().with_max_attempts(3).with_max_backoff(Duration::from_secs(1)))
}

impl DynamoStore {
    /// As the environment says: the task's role, its region and, for a stand-in, its endpoint.
    pub async fn connect(records: String, audit: String) -> Self {
        let (timeouts, retries) = bounds();
        let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
            .timeout_config(timeouts)
            .retry_config(retries)
            .load()
            .await;
        Self::new(Client::new(&config), records, audit)
    }

    /// With a client.
    #[must_use]
    pub fn new(client: Client, records: String, audit: String) -> Self {
        Self { client, records, audit }
    }

    fn write(&self, write: Write) -> Result<TransactWriteItem, StoreError> {
        let built = TransactWriteItem::builder();
        let invalid = |error: aws_sdk_dynamodb::error::BuildError| StoreError::Invalid(error.to_string());
        Ok(match write {
            Write::Put { key, expect, body, due, expires_at } => {
                let version = if let Expect::Version(version) = expect { version + 1 } else { 1 };
                let mut attributes = place(&key);
                attributes.insert("version".into(), number(version));
                attributes.insert("body".into(), AttributeValue::B(Blob::new(body)));
                if let Some(due) = due {
                    attributes.insert("queue".into(), text(&due.queue));
                    attributes.insert("due_at".into(), number(due.at));
                }
                if let Some(at) = expires_at {
                    attributes.insert("expires_at".into(), number(at));
                }
                let (expression, values) = condition(expect);
                let put = Put::builder()
                    .table_name(&self.records)
                    .set_item(Some(attributes))
                    .condition_expression(expression)
                    .set_expression_attribute_values(values);
                built.put(put.build().map_err(invalid)?)
            }
            Write::Delete { key, version } => {
                let (expression, values) = condition(Expect::Version(version));
                let delete = Delete::builder()
                    .table_name(&self.records)
                    .set_key(Some(place(&key)))
                    .condition_expression(expression)
                    .set_expression_attribute_values(values);
                built.delete(delete.build().map_err(invalid)?)
            }
            Write::Check { key, version } => {
                let (expression, values) = condition(Expect::Version(version));
                let check = ConditionCheck::builder()
                    .table_name(&self.records)
                    .set_key(Some(place(&key)))
                    .condition_expression(expression)
                    .set_expression_attribute_values(values);
                built.condition_check(check.build().map_err(invalid)?)
            }
        }
        .build())
    }

    fn entry(&self, entry: AuditEntry) -> Result<TransactWriteItem, StoreError> {
        let attributes: Attributes = [
            ("pk".to_owned(), text(&entry.chain)),
            ("sequence".to_owned(), number(entry.sequence)),
            ("body".to_owned(), AttributeValue::B(Blob::new(entry.body))),
        ]
        .into();
        let put = Put::builder()
            .table_name(&self.audit)
            .set_item(Some(attributes))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(|error| StoreError::Invalid(error.to_string()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

/// Whether a transaction was refused for what it says, or only met another one.
enum Refusal {
    Condition,
    Collision,
}

fn refusal(error: &SdkError<TransactWriteItemsError>) -> Option<Refusal> {
    let service = error.as_service_error()?;
    if service.is_transaction_in_progress_exception() {
        return Some(Refusal::Collision);
    }
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = service else { return None };
    let codes: Vec<&str> =
        cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect();
    if codes.contains(&"ConditionalCheckFailed") {
        Some(Refusal::Condition)
    } else if codes.iter().any(|code| {
        matches!(*code, "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
    }) {
        Some(Refusal::Collision)
    } else {
        None
    }
}

#[async_trait::async_trait]
impl Store for DynamoStore {
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let asked =
            self.client.get_item().table_name(&self.records).set_key(Some(place(key))).consistent_read(true);
        let found = asked.send().await.map_err(|error| unavailable(&error))?;
        found.item.as_ref().map(item).transpose()
    }

    async fn query(&self, query: &Query) -> Result<Vec<Item>, StoreError> {
        if query.from >= query.to {
            return Ok(Vec::new());
        }
        let mut items = Vec::new();
        let mut start = None;
        loop {
            // The end of BETWEEN belongs to the range, so what lies on it is left out below.
            let left = i32::try_from(query.limit - items.len() + 1).unwrap_or(i32::MAX);
            let page = self
                .client
                .query()
                .table_name(&self.records)
                .consistent_read(true)
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                .expression_attribute_values(":pk", text(&query.pk))
                .expression_attribute_values(":from", text(&query.from))
                .expression_attribute_values(":to", text(&query.to))
                .scan_index_forward(!query.descending)
                .limit(left)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| unavailable(&error))?;
            for found in page.items() {
                let found = item(found)?;
                if found.key.sk != query.to && items.len() < query.limit {
                    items.push(found);
                }
            }
            start = page.last_evaluated_key;
            if items.len() >= query.limit || start.is_none() {
                return Ok(items);
            }
        }
    }

    async fn list_due(&self, queue: &str, before: u64, limit: usize) -> Result<Vec<Item>, StoreError> {
        let index = Table::Records.indexes()[0].name;
        let page = self
            .client
            .query()
            .table_name(&self.records)
            .index_name(index)
            .key_condition_expression("queue = :queue AND due_at < :before")
            .expression_attribute_values(":queue", text(queue))
            .expression_attribute_values(":before", number(before))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| unavailable(&error))?;
        page.items().iter().map(item).collect()
    }

    async fn transact(&self, writes: Vec<Write>, audit: Option<AuditEntry>) -> Result<(), StoreError> {
        check(&writes, audit.as_ref())?;
        let mut items = writes.into_iter().map(|write| self.write(write)).collect::<Result<Vec<_>, _>>()?;
        if let Some(entry) = audit {
            items.push(self.entry(entry)?);
        }
        // The token makes a repetition after a lost answer harmless: DynamoDB does it once.
        let mut random = [0; 16];
        super::super::clock::Rng::fill(&super::super::clock::SystemRng, &mut random);
        let token = super::super::digest::hex(&random);
        for attempt in 1..=TRIES {
            let sent = self.client.transact_write_items().set_transact_items(Some(items.clone()));
            match sent.client_request_token(&token).send().await {
                Ok(_) => return Ok(()),
                Err(error) => match refusal(&error) {
                    Some(Refusal::Condition) => return Err(StoreError::Conflict),
                    Some(Refusal::Collision) if attempt < TRIES => {
                        let wait = u64::from(random[usize::try_from(attempt).unwrap_or(0) % 16]) % 32 + 5;
                        tokio::time::sleep(Duration::from_millis(wait * u64::from(attempt))).await;
                    }
                    _ => return Err(unavailable(&error)),
                },
            }
        }
        Err(StoreError::Unavailable("too many transactions on the same items".into()))
    }

    async fn audit(&self, chain: &str, from: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let mut entries = Vec::new();
        let mut start = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.audit)
                .consistent_read(true)
                .key_condition_expression("pk = :pk AND #sequence >= :from")
                .expression_attribute_names("#sequence", Table::Audit.sort().name)
                .expression_attribute_values(":pk", text(chain))
                .expression_attribute_values(":from", number(from))
                .limit(i32::try_from(limit - entries.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| unavailable(&error))?;
            for found in page.items() {
                let body = read_body(found).zip(read_number(found, "sequence"));
                let (body, sequence) =
                    body.ok_or_else(|| StoreError::Invalid("an audit entry lacks an attribute".into()))?;
                entries.push(AuditEntry { chain: chain.to_owned(), sequence, body });
            }
            start = page.last_evaluated_key;
            if entries.len() >= limit || start.is_none() {
                return Ok(entries);
            }
        }
    }

    async fn expire(&self, _: u64, _: usize) -> Result<usize, StoreError> {
        Ok(0)
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.get(&Key::new("probe", "probe")).await.map(drop)
    }
}
