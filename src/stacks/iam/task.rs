//! What the service may do: what [`Operation`] lists for the store that it uses, and the keys for it.

use aws::document::policy::Condition;
use aws::kind::KmsKeyArn;
use contract::{Bucket, Operation, Resource};
use terraform::kind::Text;
use terraform::{Expr, text};

use super::{Identity, Inputs};
use crate::config::{EnvConfig, Store};

/// One statement for each operation, and one for each key.
pub(super) fn statements(config: &EnvConfig, inputs: &Inputs<'_>) -> Vec<Identity> {
    let mut all: Vec<Identity> = Operation::ALL
        .into_iter()
        .filter(|operation| operation.store().is_none_or(|store| store == config.data.store.kind()))
        .filter_map(|operation| statement(config, inputs, operation))
        .collect();
    all.extend(keys(config, inputs));
    all
}

/// `None` where the operation's store does not exist, which [`statements`] does not ask for.
fn statement(config: &EnvConfig, inputs: &Inputs<'_>, operation: Operation) -> Option<Identity> {
    let statement = Identity::allow(
        format!("{operation:?}"),
        operation.actions().iter().copied(),
        [resource(config, inputs, operation.resource())?],
    );
    Some(match operation.resource() {
        // What lies beside the service's own objects is none of its business, not even by name.
        Resource::Bucket(bucket) if !bucket.prefix().is_empty() => {
            statement.when(Condition::string_like("s3:prefix", [format!("{}*", bucket.prefix())]))
        }
        _ => statement,
    })
}

fn resource(config: &EnvConfig, inputs: &Inputs<'_>, resource: Resource) -> Option<Expr<Text>> {
    let table = |table| Some(inputs.data.dynamodb.as_ref()?.of(table).arn());
    let bucket = |bucket: Bucket| Some(inputs.buckets.of(bucket)?.arn());
    Some(match resource {
        Resource::Table(name) => table(name)?.text(),
        Resource::Index(name, index) => text![table(name)?, format!("/index/{}", index.name)],
        Resource::Objects(which) => text![bucket(which)?, format!("/{}*", which.prefix())],
        Resource::Bucket(which) => bucket(which)?.text(),
        // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
        Resource::Database => {
            let database = inputs.data.postgres.as_ref()?;
            let user = format!("/{}", contract::DATABASE_USER);
            text![config.arn("rds-db", "dbuser:"), database.resource_id.clone(), user]
        }
    })
}

/// The keys, each through the services that use it in the service's name, and by no direct call.
fn keys(config: &EnvConfig, inputs: &Inputs<'_>) -> Vec<Identity> {
    let statements =
        of_bucket(config, inputs, "EncryptStatements", Bucket::Statements, inputs.keys.data.arn());
    let anchors = of_bucket(config, inputs, "EncryptAnchors", Bucket::Audit, audit_key(config, inputs));
    let mut all: Vec<Identity> = statements.into_iter().chain(anchors).collect();
    // PostgreSQL uses the key in its own name.
    if config.data.store == Store::DynamoDb {
        // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
        let actions = [
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ];
        all.push(
            Identity::allow("EncryptRecords", actions, [inputs.keys.data.arn()])
                .when(via(config, "dynamodb")),
        );
    }
    all
}

/// The key that the audit bucket encrypts with where a request names none.
fn audit_key(config: &EnvConfig, inputs: &Inputs<'_>) -> Expr<KmsKeyArn> {
    let existing = config.storage.audit_bucket.as_ref().and_then(|bucket| bucket.key.as_ref());
    existing.map_or_else(|| inputs.keys.logs.arn(), |key| Expr::external(key.to_string()))
}

fn of_bucket(
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    sid: &'static str,
    bucket: Bucket,
    key: Expr<KmsKeyArn>,
) -> Option<Identity> {
    let bucket = inputs.buckets.of(bucket)?;
    let statement = Identity::allow(sid, ["kms:Decrypt", "kms:GenerateDataKey"], [key])
        .when(via(config, "s3"))
        // The bucket, because of its bucket key; the object, should S3 go without it.
        .when(Condition::arn_like(
            "kms:EncryptionContext:aws:s3:arn",
            [bucket.arn().text(), text![bucket.arn(), "/*"]],
        ));
    Some(statement)
}

fn via(config: &EnvConfig, service: &str) -> Condition {
    let suffix = config.partition().dns_suffix();
    Condition::string_equals("kms:ViaService", [format!("{service}.{}.{suffix}", config.region)])
}
