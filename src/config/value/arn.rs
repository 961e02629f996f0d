//! ARNs and names of things that exist outside the environment.

use super::{AccountId, Invalid, refuse_template, text_value};
use std::str::FromStr;

/// The parts of `arn:<partition>:<service>:<region>:<account>:<resource>`.
struct Parts<'a> {
    service: &'a str,
    region: &'a str,
    account: &'a str,
    resource: &'a str,
}

fn parts(text: &str) -> Option<Parts<'_>> {
    refuse_template(text).ok()?;
    let mut fields = text.splitn(6, ':');
    let (arn, partition) = (fields.next()?, fields.next()?);
    let (service, region, account) = (fields.next()?, fields.next()?, fields.next()?);
    let resource = fields.next()?;
    let visible = resource.bytes().all(|b| b.is_ascii_graphic());
    let known = arn == "arn" && matches!(partition, "aws" | "aws-us-gov" | "aws-cn");
    (known && visible).then_some(Parts { service, region, account, resource })
}

fn is_account(text: &str) -> bool {
    text.parse::<AccountId>().is_ok()
}

macro_rules! arn {
    ($(#[$doc:meta])* $type:ident, $accept:expr, $pattern:literal, $example:literal, $allowed:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $type(String);

        impl FromStr for $type {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                let accept: fn(&str) -> bool = $accept;
                if accept(text) {
                    return Ok(Self(text.to_owned()));
                }
                Err(Invalid::new(concat!("not ", $allowed), concat!("for example ", $example)))
            }
        }

        text_value!($type, $pattern, $example, concat!("Expects ", $allowed, "."));
    };
}

fn iam(text: &str, kinds: &[&str]) -> bool {
    parts(text).is_some_and(|arn| {
        let kind = arn.resource.split('/').next().unwrap_or_default();
        let named = arn.resource.len() > kind.len() + 1;
        arn.service == "iam" && kinds.contains(&kind) && named && !arn.resource.contains('*')
    })
}

arn!(
    /// The ARN of an IAM role.
    RoleArn,
    |text| iam(text, &["role"]) && parts(text).is_some_and(|arn| is_account(arn.account)),
    r"^arn:aws(-us-gov|-cn)?:iam::[0-9]{12}:role/[!-~]+$",
    "arn:aws:iam::111122223333:role/terraform",
    "the ARN of an IAM role"
);
arn!(
    /// The ARN of an IAM policy: a customer's own, or one of AWS.
    PolicyArn,
    |text| iam(text, &["policy"]) && parts(text).is_some_and(|arn| is_account(arn.account) || arn.account == "aws"),
    r"^arn:aws(-us-gov|-cn)?:iam::([0-9]{12}|aws):policy/[!-~]+$",
    "arn:aws:iam::111122223333:policy/boundary",
    "the ARN of an IAM policy"
);
arn!(
    /// The ARN of an account's OpenID Connect provider for GitHub.
    OidcProviderArn,
    |text| iam(text, &["oidc-provider"]) && parts(text).is_some_and(|arn| is_account(arn.account))
        && text.ends_with(":oidc-provider/token.actions.githubusercontent.com"),
    r"^arn:aws(-us-gov|-cn)?:iam::[0-9]{12}:oidc-provider/token\.actions\.githubusercontent\.com$",
    "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
    "the ARN of an OpenID Connect provider for GitHub"
);
arn!(
    /// The ARN of an IAM role or user, with no wildcard.
    PrincipalArn,
    |text| iam(text, &["role", "user"]) && parts(text).is_some_and(|arn| is_account(arn.account)),
    r"^arn:aws(-us-gov|-cn)?:iam::[0-9]{12}:(role|user)/[!-~]+$",
    "arn:aws:iam::111122223333:role/administrators",
    "the ARN of an IAM role or user, without wildcards"
);
arn!(
    /// The ARN of a Secrets Manager secret, with or without `:json-key:version-stage:version-id` behind it.
    /// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html>
    SecretArn,
    |text| parts(text).is_some_and(|arn| {
        arn.service == "secretsmanager" && is_account(arn.account) && !arn.resource.contains('*')
            && arn.resource.strip_prefix("secret:").is_some_and(|name| !name.is_empty())
    }),
    r"^arn:aws(-us-gov|-cn)?:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[!-~]+$",
    "arn:aws:secretsmanager:us-east-1:111122223333:secret:partner-key-AbCdEf",
    "the ARN of a Secrets Manager secret"
);
arn!(
    /// The ARN of a parameter in Parameter Store.
    /// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-ssm-paramstore.html>
    ParameterArn,
    |text| parts(text).is_some_and(|arn| {
        arn.service == "ssm" && is_account(arn.account) && arn.resource.strip_prefix("parameter/").is_some_and(|name| {
            name.split('/').all(|part| {
                !part.is_empty()
                    && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
            })
        })
    }),
    r"^arn:aws(-us-gov|-cn)?:ssm:[a-z0-9-]+:[0-9]{12}:parameter(/[A-Za-z0-9_.-]+)+$",
    "arn:aws:ssm:us-east-1:111122223333:parameter/payments/partner-url",
    "the ARN of a parameter in Parameter Store"
);
arn!(
    /// The ARN of a Lambda function, without a version or an alias.
    LambdaArn,
    |text| parts(text).is_some_and(|arn| {
        arn.service == "lambda" && is_account(arn.account)
            && arn.resource.strip_prefix("function:").is_some_and(|name| {
                (1..=64).contains(&name.len())
                    && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            })
    }),
    r"^arn:aws(-us-gov|-cn)?:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]{1,64}$",
    "arn:aws:lambda:us-east-1:111122223333:function:rotate",
    "the ARN of a Lambda function"
);
arn!(
    /// The ARN of a KMS key. An alias will not do: whoever may change where it leads would change what encrypts.
    KmsKeyArn,
    |text| parts(text).is_some_and(|arn| {
        arn.service == "kms" && !arn.region.is_empty() && is_account(arn.account)
            && arn.resource.strip_prefix("key/").is_some_and(is_key_id)
    }),
    r"^arn:aws(-us-gov|-cn)?:kms:[a-z0-9-]+:[0-9]{12}:key/[a-z0-9-]+$",
    "arn:aws:kms:us-east-1:111122223333:key/0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e6f",
    "the ARN of a KMS key (`key/…`, not an alias)"
);
arn!(
    /// The ARN of a certificate in ACM.
    CertificateArn,
    |text| parts(text).is_some_and(|arn| {
        arn.service == "acm" && !arn.region.is_empty() && is_account(arn.account)
            && arn.resource.strip_prefix("certificate/").is_some_and(|id| {
                !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            })
    }),
    r"^arn:aws(-us-gov|-cn)?:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+$",
    "arn:aws:acm:us-east-1:111122223333:certificate/0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e6f",
    "the ARN of a certificate in ACM"
);
arn!(
    /// A KMS key by ARN, or by the name of an alias (`alias/…`) in the same account and region.
    KmsKeyRef,
    |text| alias(text) || parts(text).is_some_and(|arn| {
        arn.service == "kms" && is_account(arn.account)
            && (alias(arn.resource) || arn.resource.strip_prefix("key/").is_some_and(is_key_id))
    }),
    r"^(arn:aws(-us-gov|-cn)?:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/[!-~]+|alias/[A-Za-z0-9/_-]+)$",
    "alias/payments-tfstate",
    "the ARN of a KMS key or an alias (`alias/…`)"
);
arn!(
    /// The name of an S3 bucket.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
    BucketName,
    is_bucket,
    r"^(?!xn--|sthree-|amzn-s3-demo-)(?!.*(-s3alias|--ol-s3|--x-s3|--table-s3)$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$",
    "payments-tfstate-acme-111122223333",
    "a bucket's name: 3 to 63 lower-case letters, digits and inner hyphens"
);
arn!(
    /// The name of a DynamoDB table.
    TableName,
    |text| (3..=255).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.' || b == b'-'),
    r"^[A-Za-z0-9_.-]{3,255}$",
    "payments-tfstate-locks",
    "a DynamoDB table's name: 3 to 255 letters, digits, `_`, `.` and `-`"
);

arn!(
    /// The key of the state's object. Terraform refuses a slash at either end and an empty part; 1024 bytes is the most
    /// that S3 takes, and `.tflock` is put behind it. Below `bootstrap/` lies the state of what `txnr bootstrap` makes.
    /// <https://developer.hashicorp.com/terraform/language/backend/s3>
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
    StateKey,
    |text| (1..=1000).contains(&text.len())
        && text.split('/').all(|part| {
            !matches!(part, "" | "." | "..")
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.' || b == b'-')
        })
        && !text.starts_with("bootstrap/"),
    r"^(?!bootstrap/)(?!\.{1,2}(/|$))[A-Za-z0-9_.-]+(/(?!\.{1,2}(/|$))[A-Za-z0-9_.-]+)*$",
    "payments/prod/terraform.tfstate",
    "the key of an object: letters, digits, `_`, `.` and `-` in parts that `/` separates, outside of `bootstrap/`"
);

macro_rules! placed {
    ($($type:ident),*) => {
        $(impl $type {
            /// The region that it names.
            #[must_use]
            pub fn region(&self) -> &str {
                parts(&self.0).map_or("", |arn| arn.region)
            }

            /// The account that it names.
            #[must_use]
            pub fn account(&self) -> &str {
                parts(&self.0).map_or("", |arn| arn.account)
            }
        })*
    };
}
placed!(KmsKeyArn, CertificateArn, ParameterArn);

/// A random UUID, or `mrk-` and 32 hexadecimal digits for a key of several regions; Terraform's backend takes no other.
fn is_key_id(text: &str) -> bool {
    let hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    if let Some(digits) = text.strip_prefix("mrk-") {
        return hex(digits, 32);
    }
    let parts: Vec<&str> = text.split('-').collect();
    let lengths =
        parts.len() == 5 && parts.iter().zip([8, 4, 4, 4, 12]).all(|(part, length)| hex(part, length));
    lengths && parts[2].starts_with(['1', '2', '3', '4', '5']) && parts[3].starts_with(['8', '9', 'a', 'b'])
}

fn alias(text: &str) -> bool {
    text.strip_prefix("alias/").is_some_and(|name| {
        !name.is_empty()
            && name.len() <= 250
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'/' || b == b'_' || b == b'-')
    })
}

/// Dots are legal in a bucket's name, but break TLS certificates of virtual-hosted addresses, so they are refused.
fn is_bucket(text: &str) -> bool {
    const PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
    const SUFFIXES: [&str; 4] = ["-s3alias", "--ol-s3", "--x-s3", "--table-s3"];
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = text.as_bytes();
    (3..=63).contains(&bytes.len())
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
        && !PREFIXES.iter().any(|prefix| text.starts_with(prefix))
        && !SUFFIXES.iter().any(|suffix| text.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_named_by_uuid_alias_or_arn() {
        let accepted = |text: &str| text.parse::<KmsKeyRef>().is_ok();
        assert!(accepted("alias/txn-reconcile-tfstate"));
        assert!(accepted("arn:aws:kms:us-east-1:111122223333:alias/txn-reconcile-tfstate"));
        assert!(accepted("arn:aws-cn:kms:cn-north-1:111122223333:key/0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e6f"));
        assert!(accepted("arn:aws:kms:us-east-1:111122223333:key/mrk-0123456789abcdef0123456789abcdef"));
        assert!(!accepted("arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"));
        assert!(!accepted("arn:aws:s3:::bucket"));
        assert!(!accepted("0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e6f"));
    }

    #[test]
    fn a_key_or_certificate_that_exists_is_named_by_its_own_arn() {
        let id = "0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e6f";
        let key = format!("arn:aws:kms:us-east-1:111122223333:key/{id}").parse::<KmsKeyArn>().expect("a key");
        assert_eq!((key.region(), key.account()), ("us-east-1", "111122223333"));
        assert!("arn:aws:kms:us-east-1:111122223333:alias/data".parse::<KmsKeyArn>().is_err());
        assert!("alias/data".parse::<KmsKeyArn>().is_err());
        let certificate = format!("arn:aws-cn:acm:cn-north-1:111122223333:certificate/{id}");
        assert_eq!(certificate.parse::<CertificateArn>().expect("one").region(), "cn-north-1");
        for refused in ["arn:aws:iam::111122223333:server-certificate/old", "arn:aws:acm:::certificate/x"] {
            assert!(refused.parse::<CertificateArn>().is_err(), "{refused}");
        }
    }

    #[test]
    fn a_principal_is_one_role_or_user() {
        let accepted = |text: &str| text.parse::<PrincipalArn>().is_ok();
        assert!(accepted("arn:aws:iam::111122223333:role/path/administrators"));
        assert!(accepted("arn:aws-us-gov:iam::111122223333:user/breakglass"));
        assert!(!accepted("arn:aws:iam::111122223333:root"));
        assert!(!accepted("arn:aws:iam::111122223333:role/"));
        assert!(!accepted("arn:aws:iam::111122223333:role/${aws:username}"));
        assert!(!accepted("*"));
    }

    #[test]
    fn bucket_names_follow_the_rules_of_s3() {
        let accepted = |text: &str| text.parse::<BucketName>().is_ok();
        assert!(accepted("txn-reconcile-tfstate-acme-111122223333"));
        for refused in
            ["ab", "Upper", "dots.break.tls", "-edge", "edge-", "xn--x", "a-s3alias", &"a".repeat(64)]
        {
            assert!(!accepted(refused), "{refused}");
        }
    }
}
