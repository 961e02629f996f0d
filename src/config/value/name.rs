//! Names that become part of resource names.

use super::{Invalid, is_slug, refuse_template, text_value};
use std::str::FromStr;

macro_rules! slug {
    ($(#[$doc:meta])* $type:ident, $max:literal, $what:literal, $example:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type(String);

        impl $type {
            /// The most characters such a name may have.
            pub const LENGTH_MAX: usize = $max;
        }

        impl FromStr for $type {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                if is_slug(text) && text.len() <= $max {
                    return Ok(Self(text.to_owned()));
                }
                Err(Invalid::new(
                    format!("{text:?} cannot be {}", $what),
                    concat!("1 to ", $max, " lower-case letters, digits and single hyphens, starting with a letter"),
                ))
            }
        }

        text_value!(
            $type,
            concat!("^(?=.{1,", $max, "}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$"),
            $example,
            concat!("1 to ", $max, " lower-case letters, digits and single hyphens, starting with a letter.")
        );
    };
}

slug!(
    /// An environment's name: the file's name without `.toml`.
    EnvName, 20, "an environment's name", "prod"
);
slug!(
    /// The organization's short name, which makes bucket names unique in the world.
    OrganizationName, 15, "an organization's short name", "acme"
);
slug!(
    /// The project's name, with which every resource name begins.
    ProjectName, 20, "a project's name", "payments"
);
slug!(
    /// The service's name: the repository's, the container's, the task family's.
    ServiceName, 32, "a service's name", "payments-api"
);
slug!(
    /// The name of a service beside the main one: short, since the names of roles and delivery streams, which AWS
    /// limits to 64 characters, are made of it.
    FurtherName, 20, "a further service's name", "back-office"
);
slug!(
    /// A service of AWS as IAM names it, before the colon of its actions.
    ServicePrefix, 32, "a service of AWS as IAM names it", "ses"
);
slug!(
    /// The name of a rule or action in an environment file; it becomes part of a Terraform address.
    RuleName, 32, "a name", "card-network"
);

/// The name of an environment variable in the container.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VariableName(String);

impl FromStr for VariableName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let starts = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
        if starts && text.len() <= 128 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            format!("{text:?} cannot be an environment variable"),
            "letters, digits and underscores, not starting with a digit",
        ))
    }
}

text_value!(
    VariableName,
    "^[A-Za-z_][A-Za-z0-9_]{0,127}$",
    "LOG_LEVEL",
    "The name of an environment variable."
);

/// The name of an HTTP header, in lower case, as WAF's redaction takes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HeaderName(String);

impl FromStr for HeaderName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            format!("{text:?} cannot be a header's name"),
            "1 to 64 lower-case letters, digits, hyphens and underscores",
        ))
    }
}

text_value!(HeaderName, "^[a-z0-9_-]{1,64}$", "x-api-key", "The name of an HTTP header, in lower case.");

/// The name of an alarm or of a rule on events.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AlarmName(String);

impl FromStr for AlarmName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if (1..=64).contains(&text.len()) && is_slug(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(format!("{text:?} is not the name of an alarm"), "a name from docs/alarms.md"))
    }
}

text_value!(AlarmName, "^[a-z][a-z0-9-]{0,63}$", "tls-errors", "The name of an alarm in docs/alarms.md.");

/// The path of a health check: starts with `/`, at most 1,024 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlPath(String);

impl FromStr for UrlPath {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        refuse_template(text)?;
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"/-._~%?=&".contains(&b);
        if text.starts_with('/') && text.len() <= 1024 && text.bytes().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(format!("{text:?} is not a path"), "`/` and up to 1023 characters of a URL's path"))
    }
}

text_value!(UrlPath, "^/[A-Za-z0-9/._~%?=&-]{0,1023}$", "/readyz", "The path of a URL.");

impl From<&FurtherName> for ServiceName {
    fn from(name: &FurtherName) -> Self {
        Self(name.0.clone())
    }
}

/// Names that are defaults, known when compiling.
macro_rules! known {
    ($($type:ident),*) => {
        $(impl $type {
            pub(crate) fn known(text: &'static str) -> Self {
                debug_assert!(text.parse::<Self>().is_ok(), "not a value of its type");
                Self(text.to_owned())
            }
        })*
    };
}

known!(ProjectName, ServiceName, UrlPath);
