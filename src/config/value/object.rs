//! Objects in S3 that exist already.

use super::{Invalid, refuse_template, text_value};
use std::str::FromStr;

/// The key of an object in S3: 1 to 1024 bytes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectKey(String);

impl FromStr for ObjectKey {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        refuse_template(text)?;
        visible(text)
            .then(|| Self(text.to_owned()))
            .ok_or_else(|| Invalid::new("not the key of an object in S3", "for example \"clients/ca.pem\""))
    }
}

text_value!(ObjectKey, "^[!-~]{1,1024}$", "clients/ca.pem", "The key of an object in S3.");

/// The version of an object in S3, as S3 names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectVersion(String);

impl FromStr for ObjectVersion {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        refuse_template(text)?;
        visible(text).then(|| Self(text.to_owned())).ok_or_else(|| {
            Invalid::new(
                "not the version of an object in S3",
                "what `aws s3api list-object-versions` shows, for example \"3HL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY\"",
            )
        })
    }
}

text_value!(
    ObjectVersion,
    "^[!-~]{1,1024}$",
    "3HL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY",
    "The version of an object in S3."
);

fn visible(text: &str) -> bool {
    (1..=1024).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}
