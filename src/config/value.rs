//! Values that parse once: after loading, a value of one of these types is known to be well formed.
//!
//! A type here knows what AWS (or a standard) accepts and says so in its error and in the JSON Schema. What depends
//! on a second value (a memory size that must suit a CPU size, a subnet that must lie inside its VPC) is checked
//! where both are known, in [`crate::config`].

mod account;
mod address;
mod arn;
mod bounded;
mod cidr;
mod consequence;
mod contact;
mod control;
mod country;
mod credential;
mod database;
mod date;
mod domain;
mod ec2;
mod endpoint;
mod fargate;
mod github;
mod group_version;
mod image;
mod name;
mod object;
mod pattern;
mod reason;
mod region;
mod retention;
mod schedule;
mod subscriber;
mod tag;
mod version;

pub use account::AccountId;
pub use address::ResourceAddress;
pub use arn::{
    BucketName, CertificateArn, KmsKeyArn, KmsKeyRef, LambdaArn, OidcProviderArn, ParameterArn, PolicyArn,
    PrincipalArn, RoleArn, SecretArn, StateKey, TableName,
};
pub use bounded::Bounded;
pub use cidr::{AnyCidr, Breadth, Cidr, PrefixListId};
pub use consequence::Consequence;
pub use contact::{ContactText, EmailAddress, PhoneNumber};
pub use control::{ControlId, ControlNumber};
pub use country::CountryCode;
pub use credential::{credential, credential_in_address};
pub use database::{
    DailyWindow, DatabaseIdentifier, InstanceClass, MonitoringSeconds, PostgresVersion, WeeklyWindow,
};
pub use date::Date;
pub use domain::{CertificateName, DomainName, HostedZoneId};
pub use ec2::{SubnetId, VpcId};
pub use endpoint::{GatewayEndpoint, InterfaceEndpoint};
pub use fargate::FargateSize;
pub use github::{BranchName, GithubEnvironment, RepositoryName};
pub use group_version::GroupVersion;
pub use image::{ImageRef, RepositoryUri};
pub use name::{
    AlarmName, EnvName, FurtherName, HeaderName, OrganizationName, ProjectName, RuleName, ServiceName,
    ServicePrefix, UrlPath, VariableName,
};
pub use object::{ObjectKey, ObjectVersion};
pub use pattern::PathPattern;
pub use reason::RuleReason;
pub use region::{AvailabilityZone, Partition, Region, ZoneLetter};
pub use retention::RetentionDays;
pub use schedule::{CronFields, TimeZone};
pub use subscriber::{HttpsUrl, Subscriber};
pub use tag::{TagKey, TagText};
pub use version::VersionConstraint;

use std::fmt;

/// Why a text is not a value of its type: what is wrong, and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// What is wrong with the text given.
    pub problem: String,
    /// What would be accepted.
    pub allowed: String,
}

impl Invalid {
    pub(crate) fn new(problem: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self { problem: problem.into(), allowed: allowed.into() }
    }
}

/// The separator between problem and remedy inside a deserialization error, whose only payload is one text.
pub(crate) const REMEDY: &str = "\u{1f}";

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{REMEDY}{}", self.problem, self.allowed)
    }
}

impl std::error::Error for Invalid {}

/// Implements, for a newtype over `String` that has a `FromStr` with [`Invalid`], what every such type offers:
/// `as_str`, `Display`, and serde and JSON Schema in the shape of a string.
macro_rules! text_value {
    ($type:ident, $pattern:expr, $example:expr, $about:expr) => {
        impl $type {
            /// The value as text, exactly as it is written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        $crate::config::value::text_serde!($type, $pattern, $example, $about);
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub(crate) use text_value;

/// Implements serde and JSON Schema in the shape of a string for a type with `FromStr` and `Display`.
macro_rules! text_serde {
    ($type:ident, $pattern:expr, $example:expr, $about:expr) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string", "pattern": $pattern, "examples": [$example], "description": $about
                })
            }
        }
    };
}
pub(crate) use text_serde;

/// Whether `text` consists of lower-case letters, digits and single inner hyphens, starting with a letter.
pub(crate) fn is_slug(text: &str) -> bool {
    let starts = text.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
    let chars = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    starts && chars && !text.ends_with('-') && !text.contains("--")
}

/// Refuses characters that Terraform would read as a template.
pub(crate) fn refuse_template(text: &str) -> Result<(), Invalid> {
    if text.contains("${") || text.contains("%{") {
        return Err(Invalid::new(
            "contains `${` or `%{`, which Terraform reads as a template in some places and literally in others",
            "text without `${` and `%{`: values in an environment file are literal",
        ));
    }
    Ok(())
}
