//! Who is told of alarms, and where one reads on.

use super::{Invalid, credential_in_address, refuse_template, text_value};
use std::str::FromStr;

/// An address below `https://`: a host and what follows it, without user, password and fragment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HttpsUrl(String);

impl FromStr for HttpsUrl {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        refuse_template(text)?;
        let wrong = |why: &str| {
            Invalid::new(format!("{text:?} {why}"), "an address such as `https://wiki.example.com/runbook`")
        };
        let Some(rest) = text.strip_prefix("https://") else {
            return Err(wrong("does not begin with https://"));
        };
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        let labels = host.split_once(':').map_or(host, |(name, _)| name);
        let is_host = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
        if !labels.contains('.') || !labels.bytes().all(is_host) || labels.starts_with(['.', '-']) {
            return Err(wrong("has no host's full name after https://"));
        }
        let is_url = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?@!$&'()*+,;=%".contains(&b);
        if text.len() > 400 || !rest.bytes().all(is_url) {
            return Err(wrong("holds what an address does not, or is longer than 400 characters"));
        }
        Ok(Self(text.to_owned()))
    }
}

text_value!(
    HttpsUrl,
    r"^https://[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z0-9.-]+(:[0-9]+)?([/?][A-Za-z0-9._~:/?@!$&'()*+,;=%-]*)?$",
    "https://wiki.example.com/runbook",
    "An address below https://, without a fragment."
);

/// Who is told of alarms: a mailbox, or a service that takes messages of Amazon SNS over HTTPS.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subscriber(String);

impl Subscriber {
    /// The protocol, as SNS calls it.
    #[must_use]
    pub fn protocol(&self) -> &'static str {
        if self.0.starts_with("https://") { "https" } else { "email" }
    }

    /// Part of a Terraform address that tells subscribers apart and says no more of them than it must: an address
    /// may hold a key. `email_` or `https_` and a number that follows from the address.
    #[must_use]
    pub fn identifier(&self) -> String {
        // FNV-1a, which never changes: <https://datatracker.ietf.org/doc/html/rfc9923>
        let hash = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        format!("{}_{:08x}", self.protocol(), self.0.bytes().fold(0x811c_9dc5, hash))
    }
}

impl FromStr for Subscriber {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text.contains("://") {
            let url = text.parse::<HttpsUrl>()?;
            // It would stand in the repository, in the topic and in the state. The text itself is not repeated.
            if let Some(why) = credential_in_address(text) {
                return Err(Invalid::new(
                    format!(
                        "the address bears {why}, and would stand in the repository and in Terraform's state (PCI DSS 8.6.2)"
                    ),
                    "the mailbox that the same service gives out, or an https address of your own that adds the key",
                ));
            }
            return Ok(Self(url.0));
        }
        refuse_template(text)?;
        let wrong = || {
            Invalid::new(
                format!("{text:?} is neither a mailbox nor an https address"),
                "`oncall@example.com`, or an address that takes messages of Amazon SNS and bears no key, such as \
                 `https://alerts.example.com/sns`",
            )
        };
        let (mailbox, domain) = text.split_once('@').ok_or_else(wrong)?;
        let is_local = |b: u8| b.is_ascii_alphanumeric() || b"!#$&'*+-/=?^_.~".contains(&b);
        let is_domain = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
        let well_formed = (1..=64).contains(&mailbox.len())
            && mailbox.bytes().all(is_local)
            && domain.contains('.')
            && domain.split('.').all(|label| !label.is_empty())
            && domain.bytes().all(is_domain);
        if !well_formed || text.len() > 254 {
            return Err(wrong());
        }
        Ok(Self(text.to_owned()))
    }
}

text_value!(
    Subscriber,
    r"^(https://[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z0-9.-]+(:[0-9]+)?([/?][A-Za-z0-9._~:/?@!$&'()*+,;=%-]*)?|[A-Za-z0-9!#$&'*+/=?^_.~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)$",
    "oncall@example.com",
    "A mailbox, or an https address that takes messages of Amazon SNS and confirms its subscription by itself."
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscriber_is_a_mailbox_or_an_https_address() {
        for (text, protocol) in [
            ("oncall@example.com", "email"),
            ("on-call+prod@payments.example.co.uk", "email"),
            ("https://alerts.example.com:8443/sns?team=payments", "https"),
        ] {
            let subscriber = text.parse::<Subscriber>().expect(text);
            assert_eq!((subscriber.as_str(), subscriber.protocol()), (text, protocol));
        }
        for refused in [
            "",
            "oncall",
            "@example.com",
            "oncall@example",
            "a b@example.com",
            "oncall@example..com",
            "http://alerts.example.com/",
            "https://events.pagerduty.com/integration/0123456789abcdef/enqueue",
            "https://alerts/",
            "https://user:secret@alerts.example.com/",
            "https://alerts.example.com/${x}",
            "https://alerts.example.com/#here",
            "arn:aws:sns:us-east-1:111122223333:topic",
        ] {
            assert!(refused.parse::<Subscriber>().is_err(), "{refused}");
        }
    }

    #[test]
    fn an_identifier_tells_subscribers_apart_without_naming_them() {
        let identifier = |text: &str| text.parse::<Subscriber>().expect(text).identifier();
        // From RFC 9923: the FNV-1a hash of "foobar" in 32 bits is bf9cf968; here of an address.
        assert_eq!(identifier("a@b.cc"), identifier("a@b.cc"));
        assert_ne!(identifier("a@b.cc"), identifier("b@b.cc"));
        assert!(identifier("a@b.cc").starts_with("email_"));
    }
}
