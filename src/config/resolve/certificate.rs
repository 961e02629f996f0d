//! Resolves `[certificate]`.

use super::existing;
use crate::config::problem::{KeyPath, Problems};
use crate::config::section::{Certificate, CertificateFile, KeyAlgorithm};
use crate::config::value::{AccountId, CertificateName, DomainName, Region};

/// The certificate that is to be issued, or the one that exists already; `None` if nobody is named who renews the latter.
pub(super) fn resolve(
    file: CertificateFile,
    zone: Option<&DomainName>,
    account: Option<&AccountId>,
    region: Option<&Region>,
    problems: &mut Problems,
) -> Option<Certificate> {
    let Some(arn) = file.arn else {
        if file.elsewhere.is_some() {
            problems
                .error(
                    "certificate.elsewhere",
                    "the certificate is issued and renewed here",
                    "remove the line, or name the certificate that exists already with `arn`",
                )
                .because_of(&["certificate.arn"]);
        }
        check_names(&file.alternative_names, zone, problems);
        return Some(Certificate::Issued {
            key_algorithm: file.key_algorithm.unwrap_or(KeyAlgorithm::EcPrime256v1),
            alternative_names: file.alternative_names,
        });
    };
    let path = || KeyPath::from("certificate.arn");
    existing::check_region(path(), "certificate", arn.region(), region, problems);
    existing::check_account(path(), "certificate", arn.account(), account, problems);
    let of_a_new_one = [
        ("certificate.key_algorithm", file.key_algorithm.is_some()),
        ("certificate.alternative_names", !file.alternative_names.is_empty()),
    ];
    for (key, _) in of_a_new_one.into_iter().filter(|(_, given)| *given) {
        problems
            .error(
                key,
                "a certificate that exists already has its names and its key",
                "remove the line, or `arn`: the certificate is then issued here",
            )
            .because_of(&["certificate.arn"]);
    }
    let Some(elsewhere) = file.elsewhere else {
        existing::no_reason(path(), "renews the certificate (PCI DSS 4.2.1.1)", problems);
        return None;
    };
    Some(Certificate::Existing { arn, elsewhere })
}

/// Each name is validated by a record in the hosted zone, so it must lie there.
fn check_names(names: &[CertificateName], zone: Option<&DomainName>, problems: &mut Problems) {
    let Some(zone) = zone else { return };
    for (at, name) in names.iter().enumerate() {
        if !name.is_in(zone) {
            problems.error(
                KeyPath::from("certificate.alternative_names").index(at),
                format!(
                    "{name} does not lie in the hosted zone {zone}, where its validation record is entered"
                ),
                format!("a name that ends in .{zone}"),
            ).because_of(&["domain", "hosted_zone"]);
        }
    }
}
