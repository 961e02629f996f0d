//! `[alb.mutual_tls]`: clients that prove who they are by a certificate.

use crate::config::value::{BucketName, ObjectKey, ObjectVersion};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Certificates of clients, asked for by every HTTPS listener.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MutualTls {
    /// Whether clients need a certificate. `off`: callers are told apart by API keys. `verify`: the load balancer
    /// refuses whoever has none of `ca_bundle`, before a request is read. `passthrough`: it asks, checks nothing, and
    /// hands what it is given to the service in the header `X-Amzn-Mtls-Clientcert`; the service of this repository
    /// checks none.
    pub mode: MutualTlsMode,
    /// The certificates of the authorities that clients' certificates come from, as one PEM file in S3, which whoever
    /// applies must be able to read. A new file needs a new `version` or `key` here to be seen. Required by `verify`.
    pub ca_bundle: Option<S3Object>,
    /// Lists of certificates that the authorities took back, in PEM or DER, at most 30. Without one a certificate
    /// counts until it expires.
    pub revocations: Vec<S3Object>,
    /// Whether the authorities' names are told to clients, so that one with several certificates can choose. Why not by
    /// default: who may call is nobody's business.
    pub advertise_ca_names: bool,
    /// Whether an expired certificate still counts. In production it never does.
    pub ignore_expiry: bool,
}

/// What a load balancer does about certificates of clients.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html>
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MutualTlsMode {
    /// It asks for none.
    #[default]
    Off,
    /// It refuses clients without a valid one.
    Verify,
    /// It hands them to the service unchecked.
    Passthrough,
}

/// An object in S3 that exists already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct S3Object {
    /// The bucket, in the environment's region.
    pub bucket: BucketName,
    /// The object's key.
    pub key: ObjectKey,
    /// The object's version. None: the newest at the time of the apply that reads it.
    pub version: Option<ObjectVersion>,
}
