//! Domain names.

use super::{Invalid, text_value};
use std::str::FromStr;

/// A fully qualified domain name in lower case, without a trailing dot (RFC 1035, RFC 1123).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DomainName(String);

impl DomainName {
    /// The name without its first label, if somebody can own it: `example.com` of `api.example.com`, but neither `com` of
    /// `example.com` nor `co.uk` of `example.co.uk`.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_once('.')?;
        let parent = Self(rest.to_owned());
        (!parent.is_registry()).then_some(parent)
    }

    /// Whether it is a registry's own, under which others register their names: `com`, `co.uk`.
    /// <https://publicsuffix.org/list/>, its section of ICANN's domains; a single label counts where it is not listed.
    #[must_use]
    pub fn is_registry(&self) -> bool {
        !self.0.contains('.')
            || psl::suffix(self.0.as_bytes())
                .is_some_and(|suffix| suffix == self.0.as_bytes() && suffix.typ() == Some(psl::Type::Icann))
    }

    /// Whether a certificate that bears `name` is one for this host: the name itself, or the wildcard of its parent.
    #[must_use]
    pub fn is_named_by(&self, name: &str) -> bool {
        name == self.0
            || name
                .strip_prefix("*.")
                .is_some_and(|zone| self.0.split_once('.').is_some_and(|(_, rest)| rest == zone))
    }

    /// Whether this name is `zone` or lies below it.
    #[must_use]
    pub fn is_in(&self, zone: &Self) -> bool {
        lies_in(&self.0, zone)
    }
}

impl FromStr for DomainName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        check(text, text).map(|()| Self(text.to_owned()))
    }
}

text_value!(
    DomainName,
    r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    "pay.example.com",
    "A fully qualified domain name in lower case, without a trailing dot."
);

/// A name in a certificate: a domain name, or one whose first label is `*`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CertificateName(String);

impl CertificateName {
    /// Whether this name is `zone` or lies below it.
    #[must_use]
    pub fn is_in(&self, zone: &DomainName) -> bool {
        lies_in(&self.0, zone)
    }
}

impl From<&DomainName> for CertificateName {
    fn from(name: &DomainName) -> Self {
        Self(name.0.clone())
    }
}

impl FromStr for CertificateName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        check(text, text.strip_prefix("*.").unwrap_or(text)).map(|()| Self(text.to_owned()))
    }
}

text_value!(
    CertificateName,
    r"^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    "www.pay.example.com",
    "A domain name, or one whose first label is `*`."
);

/// The id of a hosted zone in Route 53.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedZoneId(String);

impl FromStr for HostedZoneId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
        // https://docs.aws.amazon.com/Route53/latest/APIReference/API_HostedZone.html
        if text.starts_with('Z') && (2..=32).contains(&text.len()) && text.bytes().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            format!("{text:?} is not the id of a hosted zone"),
            "`Z` and up to 31 capital letters and digits, for example \"Z0123456789ABCDEFGHIJ\"",
        ))
    }
}

text_value!(
    HostedZoneId,
    "^Z[A-Z0-9]{1,31}$",
    "Z0123456789ABCDEFGHIJ",
    "The id of a hosted zone in Route 53."
);

fn lies_in(name: &str, zone: &DomainName) -> bool {
    name.strip_suffix(zone.as_str()).is_some_and(|head| head.is_empty() || head.ends_with('.'))
}

fn check(text: &str, name: &str) -> Result<(), Invalid> {
    let well_formed = name.len() <= 253 && name.contains('.') && name.split('.').all(is_label);
    let address = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    if well_formed && !address {
        return Ok(());
    }
    Err(Invalid::new(
        format!("{text:?} is not a domain name"),
        "labels of a-z, 0-9 and inner hyphens, joined by dots, in lower case, such as \"reconcile.example.com\"",
    ))
}

fn is_label(label: &str) -> bool {
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = label.as_bytes();
    bytes.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_lies_in_its_zone_and_in_no_namesake() {
        let name = |text: &str| text.parse::<DomainName>().expect("a name");
        assert!(name("a.example.com").is_in(&name("example.com")));
        assert!(name("example.com").is_in(&name("example.com")));
        assert!(!name("badexample.com").is_in(&name("example.com")));
        assert_eq!(name("a.example.com").parent(), Some(name("example.com")));
        assert_eq!(name("example.com").parent(), None);
        for apex in ["example.co.uk", "example.com.au", "example.co.jp", "example.k12.ca.us"] {
            assert_eq!(name(apex).parent(), None, "{apex}");
            assert_eq!(name(&format!("api.{apex}")).parent(), Some(name(apex)));
        }
        // What a company lets its customers register under is a zone of that company's.
        assert_eq!(name("shop.github.io").parent(), Some(name("github.io")));
    }

    #[test]
    fn names_are_lower_case_labels() {
        for text in [
            "localhost",
            "a.example.com.",
            "A.example.com",
            "a..com",
            "-a.com",
            "10.0.0.1",
            "a_b.com",
            &format!("{}.com", "a".repeat(64)),
        ] {
            assert!(text.parse::<DomainName>().is_err(), "{text}");
        }
        assert!("*.example.com".parse::<CertificateName>().is_ok());
        assert!("a.*.example.com".parse::<CertificateName>().is_err());
    }
}
