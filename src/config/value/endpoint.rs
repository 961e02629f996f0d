//! The AWS services that the VPC reaches without leaving AWS.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

contract::closed_list! {
    /// A service reached through an interface endpoint (PrivateLink).
    /// <https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html>
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
    pub enum InterfaceEndpoint {
        /// The registry's API.
        #[serde(rename = "ecr.api")]
        EcrApi,
        /// The registry's Docker protocol.
        #[serde(rename = "ecr.dkr")]
        EcrDkr,
        /// CloudWatch Logs.
        #[serde(rename = "logs")]
        Logs,
        /// Secrets Manager.
        #[serde(rename = "secretsmanager")]
        SecretsManager,
        /// Key Management Service.
        #[serde(rename = "kms")]
        Kms,
        /// Security Token Service.
        #[serde(rename = "sts")]
        Sts,
        /// Systems Manager.
        #[serde(rename = "ssm")]
        Ssm,
        /// Session Manager's channels, which ECS Exec uses.
        #[serde(rename = "ssmmessages")]
        SsmMessages,
        /// CloudWatch metrics.
        #[serde(rename = "monitoring")]
        Monitoring,
        /// X-Ray.
        #[serde(rename = "xray")]
        Xray,
        /// EventBridge.
        #[serde(rename = "events")]
        Events,
        /// Simple Queue Service.
        #[serde(rename = "sqs")]
        Sqs,
        /// Simple Notification Service.
        #[serde(rename = "sns")]
        Sns,
        /// GuardDuty's runtime agent. Declared here, it is destroyed with the VPC; created by GuardDuty, it blocks that.
        #[serde(rename = "guardduty-data")]
        GuardDutyData,
    }
}

impl InterfaceEndpoint {
    /// What the start of every task of the service needs: an image to pull, secrets to read, and a log to write to.
    /// <https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html#ecr-vpc-endpoint-considerations>
    pub const NEEDED_TO_START: [Self; 4] = [Self::EcrApi, Self::EcrDkr, Self::Logs, Self::SecretsManager];

    /// The last part of the endpoint's service name: `com.amazonaws.<region>.<this>`.
    #[must_use]
    pub const fn service(self) -> &'static str {
        match self {
            Self::EcrApi => "ecr.api",
            Self::EcrDkr => "ecr.dkr",
            Self::Logs => "logs",
            Self::SecretsManager => "secretsmanager",
            Self::Kms => "kms",
            Self::Sts => "sts",
            Self::Ssm => "ssm",
            Self::SsmMessages => "ssmmessages",
            Self::Monitoring => "monitoring",
            Self::Xray => "xray",
            Self::Events => "events",
            Self::Sqs => "sqs",
            Self::Sns => "sns",
            Self::GuardDutyData => "guardduty-data",
        }
    }
}

/// A service reached through a gateway endpoint, which costs nothing.
/// <https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GatewayEndpoint {
    /// S3, where the registry keeps image layers.
    S3,
    /// DynamoDB.
    DynamoDb,
}

impl GatewayEndpoint {
    /// The last part of the endpoint's service name: `com.amazonaws.<region>.<this>`.
    #[must_use]
    pub const fn service(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::DynamoDb => "dynamodb",
        }
    }
}
