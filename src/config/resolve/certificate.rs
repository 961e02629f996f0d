//! Resolves `[certificate]`.

use super::existing;
use crate::config::EnvConfig;
use crate::config::problem::{KeyPath, Problems};
use crate::config::section::{Certificate, CertificateFile, KeyAlgorithm};
use crate::config::value::{AccountId, CertificateName, DomainName, Region};

/// The certificate that is to be issued, or the one that exists already; `None` if nobody is named who renews the latter.
pub(super) fn resolve(
    file: CertificateFile,
    domain: Option<&DomainName>,
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
        if !file.names.is_empty() {
            problems
                .error(
                    "certificate.names",
                    "these are the names of a certificate that exists already, and this one is issued here",
                    "`alternative_names`; hosts of services are added by themselves",
                )
                .because_of(&["certificate.arn"]);
        }
        check_first(domain, problems);
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
    let mut names = file.names.into_iter();
    let first = names.next().or_else(|| domain.map(CertificateName::from))?;
    Some(Certificate::Existing { arn, first, names: names.collect(), elsewhere })
}

/// Every host that the load balancer answers for is named by a certificate that exists already; one that is issued here
/// bears them all.
pub(super) fn check_hosts(config: &EnvConfig, problems: &mut Problems) {
    let Certificate::Existing { first, names, .. } = &config.certificate else { return };
    let named =
        |host: &DomainName| [first].into_iter().chain(names).any(|name| host.is_named_by(&name.to_string()));
    let mut refuse = |path: KeyPath, host: &DomainName| {
        problems
            .error(
                path,
                format!("no name of the certificate stands for {host}, so no client would trust it there"),
                "the name under `certificate.names`, if the certificate bears it; or a certificate that does",
            )
            .because_of(&["certificate.names", "certificate.arn", "domain"]);
    };
    if !named(&config.domain) {
        refuse(KeyPath::from("certificate.names"), &config.domain);
    }
    for (name, service) in &config.services {
        // A service without hosts of its own has the domain's.
        let own = service.hosts.iter().enumerate().filter(|(_, host)| **host != config.domain);
        for (at, host) in own.filter(|(_, host)| !named(host)) {
            refuse(KeyPath::from("services").key(name.as_str()).key("hosts").index(at), host);
        }
    }
}

/// The longest first name of a certificate, in characters; further ones may have 253.
/// <https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html>
const FIRST_MAX: usize = 64;

fn check_first(domain: Option<&DomainName>, problems: &mut Problems) {
    if let Some(domain) = domain.filter(|domain| domain.as_str().len() > FIRST_MAX) {
        problems.error(
            "domain",
            format!(
                "the first name of a certificate has {FIRST_MAX} characters at the most, and this one {}",
                domain.as_str().len()
            ),
            "a shorter name; or a certificate that exists already, by `certificate.arn`",
        );
    }
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
