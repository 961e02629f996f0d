//! Data protection policies of CloudWatch Logs: which sensitive data is reported and masked in a log group.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch-logs-data-protection-policies.html>

use std::borrow::Cow;

use terraform::{Expr, IntoExpr, Key, Value};

use crate::kind::{CloudwatchLogGroupName, DataProtectionPolicy};

/// A policy that reports what it finds and masks it for everyone who lacks `logs:Unmask`, wherever the events leave
/// the log group: in queries, metric filters and subscriptions.
pub struct DataProtection {
    /// The policy's name.
    pub name: Cow<'static, str>,
    /// What it is for.
    pub description: Cow<'static, str>,
    /// The partition whose identifiers are meant, such as `aws`.
    pub partition: &'static str,
    /// What to look for; at least one.
    pub identifiers: Vec<DataIdentifier>,
    /// The log group that findings are reported to. None: only the metric `LogEventsWithFindings` counts them.
    pub findings: Option<Expr<CloudwatchLogGroupName>>,
}

/// A kind of sensitive data that AWS recognizes.
///
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL-managed-data-identifiers.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataIdentifier {
    /// A card's number (PAN): 13 to 19 digits with a valid check digit and a known issuer's prefix.
    CreditCardNumber,
    /// A card's security code, near a word that says so.
    CreditCardSecurityCode,
    /// A secret access key of AWS.
    AwsSecretKey,
}

impl DataIdentifier {
    /// The identifier's name at AWS.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreditCardNumber => "CreditCardNumber",
            Self::CreditCardSecurityCode => "CreditCardSecurityCode",
            Self::AwsSecretKey => "AwsSecretKey",
        }
    }

    fn arn(self, partition: &str) -> Value {
        Value::string(format!("arn:{partition}:dataprotection::aws:data-identifier/{}", self.as_str()))
    }
}

fn object<const N: usize>(entries: [(&'static str, Value); N]) -> Value {
    Value::Object(entries.into_iter().map(|(key, value)| (Key::Borrowed(key), value)).collect())
}

impl IntoExpr<DataProtectionPolicy> for DataProtection {
    fn into_expr(self) -> Expr<DataProtectionPolicy> {
        let Self { name, description, partition, identifiers, findings } = self;
        let identifiers: Vec<Value> = identifiers.into_iter().map(|i| i.arn(partition)).collect();
        let destination = match findings {
            Some(group) => object([("CloudWatchLogs", object([("LogGroup", group.into_value())]))]),
            None => object([]),
        };
        // AWS demands exactly these two statements, over the same identifiers.
        let statement = |sid, operation| {
            object([
                ("Sid", Value::string(sid)),
                ("DataIdentifier", Value::List(identifiers.clone())),
                ("Operation", operation),
            ])
        };
        let audit = object([("Audit", object([("FindingsDestination", destination)]))]);
        let mask = object([("Deidentify", object([("MaskConfig", object([]))]))]);
        Expr::document(object([
            ("Name", Value::String(name)),
            ("Description", Value::String(description)),
            ("Version", Value::string("2021-06-01")),
            ("Statement", Value::List(vec![statement("audit", audit), statement("redact", mask)])),
        ]))
    }
}
