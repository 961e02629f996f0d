//! What stands beside the resources: settings, backend, variables, outputs, checks, refactoring blocks.

use std::borrow::Cow;

use crate::{Address, Condition, Error, Value};

/// The `terraform` block.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Which Terraform versions may run the module, such as `>= 1.11`.
    pub required_version: String,
    /// Which providers it needs.
    pub required_providers: Vec<RequiredProvider>,
    /// Where the state lies; local if none.
    pub backend: Option<S3Backend>,
}

/// A provider requirement.
#[derive(Clone, Debug)]
pub struct RequiredProvider {
    /// The local name, such as `aws`.
    pub name: &'static str,
    /// The source address, such as `hashicorp/aws`.
    pub source: String,
    /// The version constraint.
    pub version: String,
}

/// State in S3. Every value is literal: Terraform evaluates nothing here.
///
/// <https://developer.hashicorp.com/terraform/language/backend/s3>
#[derive(Clone, Debug)]
pub struct S3Backend {
    /// The bucket's name.
    pub bucket: String,
    /// The object key of the state.
    pub key: String,
    /// The bucket's region.
    pub region: String,
    /// The KMS key that encrypts the state object: an id, ARN or alias ARN. The bucket's default otherwise.
    pub kms_key_id: Option<String>,
    /// How two runs are kept apart.
    pub locking: Locking,
}

/// How two runs on one state are kept apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Locking {
    /// By an S3 lock object beside the state.
    LockFile,
    /// By an item in a DynamoDB table of this name. Deprecated by Terraform 1.11.
    Table(String),
    /// By both, for moving from one to the other.
    Both(String),
}

impl Locking {
    pub(crate) fn lock_file(&self) -> bool {
        matches!(self, Self::LockFile | Self::Both(_))
    }

    pub(crate) fn table(&self) -> Option<&str> {
        match self {
            Self::Table(table) | Self::Both(table) => Some(table),
            Self::LockFile => None,
        }
    }
}

/// An input variable.
#[derive(Clone, Debug)]
pub struct Variable {
    /// The name.
    pub name: Cow<'static, str>,
    /// The type constraint, such as `string`.
    pub constraint: &'static str,
    /// What it is for.
    pub description: String,
    /// The value if none is given: literal text, no templates. Required if none.
    pub default: Option<String>,
    /// Whether it is hidden in Terraform's output.
    pub sensitive: bool,
}

/// An output value.
#[derive(Clone, Debug)]
pub(crate) struct NamedOutput {
    pub(crate) name: String,
    pub(crate) output: Output,
}

/// An output value.
#[derive(Clone, Debug)]
pub struct Output {
    /// The value.
    pub value: Value,
    /// What it is, for whoever reads `terraform output`.
    pub description: String,
    /// Whether it is hidden in Terraform's output.
    pub sensitive: bool,
}

/// A check that warns without stopping a run.
#[derive(Clone, Debug)]
pub struct Check {
    /// The name.
    pub name: String,
    /// What must hold; at least one.
    pub asserts: Vec<Condition>,
}

/// A block that stood at another address.
#[derive(Clone, Debug)]
pub struct Moved {
    /// The address in the state, such as `aws_vpc.old`.
    pub from: String,
    /// The block that it is now.
    pub to: Address,
}

/// A block that is no longer part of the module.
#[derive(Clone, Debug)]
pub struct Removed {
    /// The address in the state.
    pub from: String,
    /// Whether the real thing is destroyed, or left alone and forgotten.
    pub destroy: bool,
}

/// A real thing that becomes part of the module.
#[derive(Clone, Debug)]
pub struct Import {
    /// The block that manages it from now on.
    pub to: Address,
    /// Its id, as the provider documents it for this type.
    pub id: String,
}

/// Whether `text` has characters that begin a template.
pub(crate) fn has_template(text: &str) -> bool {
    text.contains('{') && (text.contains("${") || text.contains("%{"))
}

/// Refuses template characters where Terraform takes text literally.
pub(crate) fn literal(place: impl Into<String>, text: &str, errors: &mut Vec<Error>) {
    if has_template(text) {
        errors.push(Error::Template { place: place.into(), text: text.to_owned() });
    }
}

impl Settings {
    pub(crate) fn check(&self, errors: &mut Vec<Error>) {
        literal("required_version", &self.required_version, errors);
        for provider in &self.required_providers {
            literal(format!("required_providers.{}.source", provider.name), &provider.source, errors);
            literal(format!("required_providers.{}.version", provider.name), &provider.version, errors);
        }
        if let Some(backend) = &self.backend {
            literal("backend.bucket", &backend.bucket, errors);
            literal("backend.key", &backend.key, errors);
            literal("backend.region", &backend.region, errors);
            literal("backend.kms_key_id", backend.kms_key_id.as_deref().unwrap_or_default(), errors);
            literal("backend.dynamodb_table", backend.locking.table().unwrap_or_default(), errors);
        }
    }
}
