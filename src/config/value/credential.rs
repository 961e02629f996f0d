//! Texts that look like a credential, whatever their name: for values that end up in the repository, in task definitions and
//! in the state (PCI 8.6.2).

/// Beginnings of credentials that their issuers document.
/// <https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns>
const BEGINNINGS: [&str; 18] = [
    "AKIA",
    "ASIA",
    "AIza",
    "SG.",
    "dckr_pat_",
    "eyJ",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "npm_",
    "rk_live_",
    "sk_live_",
    "sk_test_",
    "whsec_",
    "xoxb-",
    "xoxp-",
];

/// What a credential is at least as long as, after its beginning: shorter words are words.
const LENGTH_MIN: usize = 12;

/// Why a text looks like a credential; nothing where it does not. A reference to what Terraform knows is none.
#[must_use]
pub fn credential(text: &str) -> Option<&'static str> {
    if text.contains("-----BEGIN") {
        return Some("a private key or certificate");
    }
    if with_password(text) {
        return Some("a password before the host of an address");
    }
    let words = || text.split(|c: char| !(c.is_ascii_alphanumeric() || "_-.".contains(c)));
    if words().any(|word| {
        BEGINNINGS.iter().any(|b| word.strip_prefix(b).is_some_and(|rest| rest.len() >= LENGTH_MIN))
    }) {
        return Some("a credential, by its beginning");
    }
    let option = |word: &str| {
        let name = word.split('=').next().unwrap_or_default().to_ascii_lowercase();
        let named = ["password", "passwd", "secret", "token", "api-key", "apikey", "api_key"];
        word.contains('=') && named.iter().any(|end| name.ends_with(end)) && !word.ends_with('=')
    };
    if text.split_whitespace().any(option) {
        return Some("an option with a credential");
    }
    // `curl -u name:password`
    let mut before = "";
    for word in text.split_whitespace() {
        if ["-u", "--user"].contains(&before) && word.contains(':') {
            return Some("a name and a password");
        }
        before = word;
    }
    random(text).then_some("random characters, as keys are")
}

/// Why an address over HTTPS looks as if it bore a credential in its path or query; nothing for a mailbox. Services that take
/// messages give each customer an address with a key, which is all that it takes to raise or close incidents.
#[must_use]
pub fn credential_in_address(text: &str) -> Option<&'static str> {
    let rest = text.strip_prefix("https://")?;
    let (_, rest) = rest.split_once(['/', '?'])?;
    let key = |word: &str| {
        let (digits, letters) =
            (word.bytes().any(|b| b.is_ascii_digit()), word.bytes().any(|b| b.is_ascii_alphabetic()));
        word.len() >= 16 && digits && letters
    };
    // A UUID, which hyphens would split.
    let uuid = |part: &str| {
        let parts: Vec<usize> = part.split('-').map(str::len).collect();
        parts == [8, 4, 4, 4, 12] && part.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
    };
    let named = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = name.to_ascii_lowercase();
        !value.is_empty()
            && ["key", "token", "secret", "sig", "password"].iter().any(|end| name.ends_with(end))
    };
    let found = rest.split(['/', '?', '&', '=']).any(uuid)
        || rest.split(|c: char| !c.is_ascii_alphanumeric()).any(key)
        || rest.split(['?', '&']).any(named);
    found.then_some("a key").or_else(|| credential(text))
}

/// Whether an address has a password before its host: `scheme://name:password@host`.
fn with_password(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        authority
            .rsplit_once('@')
            .is_some_and(|(user, _)| user.split_once(':').is_some_and(|(_, p)| !p.is_empty()))
    })
}

/// Whether a part of the text is as random as a key: 20 or more letters and digits in a row, of which many change between
/// letters of either case and digits. Digests with their algorithm, ARNs and ids of AWS are none.
fn random(text: &str) -> bool {
    if text.starts_with("arn:") || text.contains("${") {
        return false;
    }
    let mut before = "";
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '+')).any(|word| {
        let named = ["sha256", "sha512", "sha384"].contains(&before);
        before = word;
        let kind = |b: u8| match b {
            b'0'..=b'9' => 0,
            b'a'..=b'z' => 1,
            b'A'..=b'Z' => 2,
            _ => 3,
        };
        let kinds: Vec<u8> = word.bytes().map(kind).collect();
        let changes = kinds.windows(2).filter(|pair| matches!(pair, [a, b] if a != b)).count();
        let digits = kinds.iter().filter(|kind| **kind == 0).count();
        !named && word.len() >= 20 && digits >= 3 && changes * 5 >= word.len()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_known_by_their_looks() {
        for text in [
            "AKIAIOSFODNN7EXAMPLE",
            "--key=AKIAIOSFODNN7EXAMPLE",
            "sk_live_51H8xT2eZvKYlo2C0a9b8c7d",
            "postgres://app:hunter2@db.example.com/records",
            "curl -u app:hunter2 https://example.com",
            "--password=hunter2",
            "-----BEGIN PRIVATE KEY-----",
            "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY1x2",
            "https://events.pagerduty.com/integration/0123456789abcdef0a1b2c3d4e5f6a7b/enqueue",
            "https://hooks.slack.com/services/T00000000/B00000000/a1B2c3D4e5F6g7H8i9J0k1L2",
        ] {
            assert!(credential(text).is_some(), "{text}");
        }
    }

    #[test]
    fn addresses_with_a_key_are_known() {
        for text in [
            "https://events.pagerduty.com/integration/0123456789abcdef/enqueue",
            "https://api.opsgenie.com/v1/json/amazonsns?apiKey=x",
            "https://alert.example.com/integrations/sns/8f5f2d0e-2a6b-43c1-c0f3-a4d7b9e18c5d/payments",
            "https://hooks.slack.com/services/T00000000/B00000000/a1B2c3D4e5F6g7H8i9J0k1L2",
        ] {
            assert!(credential_in_address(text).is_some(), "{text}");
        }
        for text in [
            "oncall@example.com",
            "https://alerts.example.com:8443/sns?team=payments",
            "https://pager.settle.example.net/integration/settle?severity=page",
        ] {
            assert_eq!(credential_in_address(text), None, "{text}");
        }
    }

    #[test]
    fn what_only_names_something_is_none() {
        for text in [
            "",
            "warn",
            "https://login.example.com/.well-known/jwks.json",
            "https://collector.example.com:4318/v1/traces?team=payments",
            "arn:aws:secretsmanager:us-east-1:333344445555:secret:office/session-AbCdEf",
            "${aws_dynamodb_table.records.name}",
            "txn-reconcile-prod-statements-acme-333344445555",
            "sha256:8f5f2d0e2a6b43c1c0f3a4d7b9e18c5d6a7f90123b4c5d6e7f8091a2b3c4d5e6",
            "payments-oncall@example.com",
            "CreateSecurityGroupIngressAuthorization",
            "curl --fail http://127.0.0.1:8080/healthz || exit 1",
            "https://alerts.example.com:8443/sns?team=payments",
            "TOKEN_TTL_SECONDS=900 is no credential",
        ] {
            assert_eq!(credential(text), None, "{text}");
        }
    }
}
