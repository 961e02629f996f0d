//! Every call of every test on DynamoDB, and on the files of each service, is held against the contract's operations
//! while it is made: what none of them allows is refused by the deployed task's role, and fails the test.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use contract::{Bucket, Operation, Resource, StoreKind};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult,
};
use serde_json::json;
use test_kit::needs;
use txn_reconcile_api::service::App;

use super::api::{self, id, member};
use super::backends::{self, app_calling};
use super::carry;

/// An operation with one of its actions.
type Allowed = (Operation, &'static str);

/// What was called.
#[derive(Debug, Clone, Default)]
pub struct Calls(Arc<Notes>);

#[derive(Debug, Default)]
struct Notes {
    seen: Mutex<BTreeSet<Allowed>>,
    refused: Mutex<Option<String>>,
}

/// A call that was refused in a task of its own has ended that task alone, and not the test.
impl Drop for Notes {
    fn drop(&mut self) {
        let refused = self.refused.get_mut().unwrap().take();
        assert!(std::thread::panicking() || refused.is_none(), "{}", refused.unwrap_or_default());
    }
}

impl Calls {
    /// Notes an action that an operation allows on a resource, and panics over one that none does.
    fn hold(&self, action: &str, resource: Option<Resource>, place: &str) {
        let on_dynamo = |one: &Operation| one.store().is_none_or(|store| store == StoreKind::DynamoDb);
        let allowed: Vec<Allowed> = Operation::ALL
            .into_iter()
            .filter(|one| on_dynamo(one) && Some(one.resource()) == resource)
            .filter_map(|one| Some((one, *one.actions().iter().find(|allowed| **allowed == action)?)))
            .collect();
        if allowed.is_empty() {
            let refused = format!(
                "{action} on {place}: no operation of contract::Operation allows it, so the task's role refuses it. Do \
                 without it, or add the action to an operation on that resource"
            );
            *self.0.refused.lock().unwrap() = Some(refused.clone());
            panic!("{refused}");
        }
        self.0.seen.lock().unwrap().extend(allowed);
    }

    fn seen(&self) -> BTreeSet<Allowed> {
        self.0.seen.lock().unwrap().clone()
    }
}

/// The table or index of the contract.
fn table(need: &needs::Need) -> Option<Resource> {
    let table = contract::Table::ALL.into_iter().find(|table| table.name() == need.table)?;
    let Some(index) = &need.index else { return Some(Resource::Table(table)) };
    let index = table.indexes().iter().find(|one| one.name == index)?;
    Some(Resource::Index(table, *index))
}

impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "calls"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let target = request.headers().get("x-amz-target").expect("a request names its operation");
        for need in needs::dynamo(target, request.body().bytes().expect("a request is held in memory")) {
            let place = need.index.as_ref().map(|index| format!(", index {index:?}")).unwrap_or_default();
            let place = format!("table {:?}{place}", need.table);
            self.hold(&format!("dynamodb:{}", need.action), table(&need), &place);
        }
        Ok(())
    }
}

/// A bucket in memory. What its calls take, S3's documentation says:
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>
#[derive(Debug, Clone)]
pub struct Files {
    inner: InMemory,
    bucket: Bucket,
    calls: Calls,
}

impl Files {
    pub fn new(bucket: Bucket, calls: &Calls) -> Self {
        Self { inner: InMemory::new(), bucket, calls: calls.clone() }
    }

    /// Takes every object away, as the bucket's lifecycle rule does, and no call of the service.
    pub async fn expire(&self) {
        let paths = self.inner.list(None).map_ok(|object| object.location).boxed();
        self.inner.delete_stream(paths).try_collect::<Vec<_>>().await.unwrap();
    }

    fn object(&self, action: &str, path: &Path) {
        let below = path.as_ref().starts_with(self.bucket.prefix());
        let resource = below.then_some(Resource::Objects(self.bucket));
        self.calls.hold(action, resource, &format!("object {:?} of {:?}", path.as_ref(), self.bucket));
    }

    fn list_below(&self, prefix: Option<&Path>) {
        let prefix = prefix.map(|prefix| format!("{prefix}/")).unwrap_or_default();
        let resource = prefix.starts_with(self.bucket.prefix()).then_some(Resource::Bucket(self.bucket));
        self.calls.hold("s3:ListBucket", resource, &format!("prefix {prefix:?} of {:?}", self.bucket));
    }
}

impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait::async_trait]
impl ObjectStore for Files {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        self.object("s3:PutObject", path);
        self.inner.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.object("s3:PutObject", path);
        // Whoever begins one may have to give it up.
        self.object("s3:AbortMultipartUpload", path);
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> object_store::Result<GetResult> {
        self.object("s3:GetObject", path);
        let found = self.inner.get_opts(path, options).await;
        if matches!(found, Err(object_store::Error::NotFound { .. })) {
            // Who may not list the bucket is told 403 of an object that is not there.
            self.list_below(None);
        }
        found
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        let own = self.clone();
        self.inner.delete_stream(paths.inspect_ok(move |path| own.object("s3:DeleteObject", path)).boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.list_below(prefix);
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.list_below(prefix);
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> object_store::Result<()> {
        self.object("s3:GetObject", from);
        self.object("s3:PutObject", to);
        self.inner.copy_opts(from, to, options).await
    }
}

/// Everything that the service calls as it takes files in, reconciles them and goes on from day to day: each action of the
/// contract is among it, so that the task's role may do no more than what is called.
#[tokio::test(flavor = "multi_thread")]
async fn every_action_of_the_contract_is_called() {
    let (api, carry) = (backends::dynamo().await, backends::dynamo().await);
    let app = app_calling(api.store.clone(), &api.calls);
    api::whole_way(app.clone()).await;
    a_cancelled_run_gives_its_statements_back(&app).await;
    carry::two_days(app_calling(carry.store.clone(), &carry.calls)).await;

    let seen: BTreeSet<Allowed> = api.calls.seen().union(&carry.calls.seen()).copied().collect();
    let deployed = Operation::ALL.into_iter().filter(|one| one.store() != Some(StoreKind::Postgres));
    let allowed: BTreeSet<Allowed> =
        deployed.flat_map(|one| one.actions().iter().map(move |action| (one, *action))).collect();
    let never: Vec<_> = allowed.difference(&seen).collect();
    assert!(never.is_empty(), "contract::Operation allows what the service never calls: {never:?}");
}

async fn a_cancelled_run_gives_its_statements_back(app: &Arc<App>) {
    let client = member(app, "acme").await;
    assert_eq!(client.get(contract::READINESS_PATH).await.status, 200);
    let run = id(&client.post("/v1/runs", api::samples(&client).await).await);
    let cancelled = client.post(&format!("/v1/runs/{run}/cancel"), json!({})).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.text);
}
