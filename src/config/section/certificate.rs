//! `[certificate]`: the load balancer's certificate.

use crate::config::value::{CertificateArn, CertificateName, RuleReason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The certificate for `domain`, validated by DNS in `hosted_zone`, or one that exists already.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CertificateFile {
    /// The certificate that exists already, in the environment's account and region, which the load balancer takes.
    /// None: one is issued.
    pub arn: Option<CertificateArn>,
    /// The names that the certificate which exists already bears, ACM's `DomainName` first; they stand for `domain` and
    /// for every host of a service. Only with `arn`, and then `domain` alone. A plan fails unless the newest
    /// certificate of the first name that is issued in the region is `arn`; the others Terraform cannot look up, so
    /// that they are right is the word of who wrote them.
    pub names: Vec<CertificateName>,
    /// Who issued that certificate and renews it (PCI 4.2.1.1), which an assessor will ask for. Required with `arn`.
    pub elsewhere: Option<RuleReason>,
    /// The kind of key. `EC_prime256v1`, which every client of TLS 1.2 knows and which signs faster than RSA at a
    /// higher strength.
    pub key_algorithm: Option<KeyAlgorithm>,
    /// Further names in the certificate, each in `hosted_zone`.
    pub alternative_names: Vec<CertificateName>,
}

/// The load balancer's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// Issued by ACM and validated by DNS in the hosted zone.
    Issued {
        /// The kind of key.
        key_algorithm: KeyAlgorithm,
        /// The names beside the domain.
        alternative_names: Vec<CertificateName>,
    },
    /// It exists already, and is somebody else's to renew.
    Existing {
        /// The certificate.
        arn: CertificateArn,
        /// The name that it is found by.
        first: CertificateName,
        /// The others that it bears.
        names: Vec<CertificateName>,
        /// Who renews it.
        elsewhere: RuleReason,
    },
}

/// A kind of key that ACM issues certificates for.
/// <https://docs.aws.amazon.com/acm/latest/userguide/acm-certificate-characteristics.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum KeyAlgorithm {
    /// RSA of 2,048 bits.
    #[serde(rename = "RSA_2048")]
    Rsa2048,
    /// ECDSA on the curve P-256.
    #[serde(rename = "EC_prime256v1")]
    EcPrime256v1,
    /// ECDSA on the curve P-384.
    #[serde(rename = "EC_secp384r1")]
    EcSecp384r1,
}

impl KeyAlgorithm {
    /// The algorithm's name at AWS.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rsa2048 => "RSA_2048",
            Self::EcPrime256v1 => "EC_prime256v1",
            Self::EcSecp384r1 => "EC_secp384r1",
        }
    }
}
