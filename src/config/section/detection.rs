//! `[detection]`: the account's detective controls.

use crate::config::value::{BucketName, ControlId, Partition, Region, RuleReason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The account's detective controls as the environment file describes them; built by the environment that owns the
/// account's baseline (`account.baseline`), and not by the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DetectionFile {
    /// Whether the trail records who reads and writes objects, in every bucket of the account (PCI 10.2.1.1, 10.2.1.3,
    /// Security Hub S3.22 and S3.23). In production it always does.
    pub object_events: bool,
    /// Whether the trail records who reads and writes items, in every DynamoDB table of the account (PCI 10.2.1.1). In
    /// production it always does.
    pub item_events: bool,
    /// Whether CloudTrail looks for unusual rates of API calls and errors. Why not by default: GuardDuty looks for
    /// anomalies in the same events, and Insights are charged by the event that they analyze.
    pub trail_insights: bool,
    /// Whether AWS Config's service-linked role is made here. Say false where the account has it already, as an account
    /// does in which Config was ever set up in the console or by a landing zone, for it can exist only once.
    pub config_service_role: bool,
    /// Whether AWS Config judges the account by the rules of AWS's conformance pack for PCI DSS 4.0. True in the
    /// partition aws; false elsewhere: China has no conformance packs, and GovCloud (US) lacks some of the rules.
    /// <https://docs.aws.amazon.com/config/latest/developerguide/managed-cpack-pci-dss-v4.html>
    pub conformance_pack: Option<bool>,
    /// Rules of the conformance pack to leave out, by name: those that the region does not have, or the pack cannot be
    /// made. <https://docs.aws.amazon.com/config/latest/developerguide/managing-rules-by-region-availability.html>
    pub rules_left_out: Vec<String>,
    /// GuardDuty's protection plans. All that the region offers.
    pub guardduty_plans: Option<Vec<GuardDutyPlan>>,
    /// Whether GuardDuty's findings are exported to the audit bucket. Why the default: GuardDuty keeps them for 90
    /// days, and PCI 10.5.1 asks for twelve months.
    pub guardduty_export: bool,
    /// Whether the controls of Security Hub are switched off that the design deviates from as a whole, such as EC2.172,
    /// which the load balancer's way to the internet fails. True in the partition aws; say false in a region that does
    /// not have all of them, as they are in the other partitions: a control that is not there cannot be switched off.
    /// <https://docs.aws.amazon.com/securityhub/latest/userguide/regions-controls.html>
    pub disable_deviations: Option<bool>,
    /// Further controls of Security Hub that are switched off, each with the reason.
    pub disabled_controls: BTreeMap<ControlId, RuleReason>,
    /// What Amazon Inspector scans. All that the region offers: what the account does not have costs nothing.
    pub inspector_scans: Option<Vec<InspectorScan>>,
    /// Whether IAM Access Analyzer looks for roles, keys and permissions that were not used in 90 days (PCI 7.2.4,
    /// 8.2.6), for a monthly price per role and user. True in the partition aws; elsewhere say so.
    pub unused_access: Option<bool>,
    /// Whether internet gateways are blocked in every VPC of the account and region but this environment's (Security
    /// Hub EC2.172). Why not by default: other VPCs of the account would lose their way out from one day to the next.
    pub block_other_vpcs: bool,
    /// Amazon Macie, which finds card data in buckets.
    pub macie: Macie,
}

impl Default for DetectionFile {
    fn default() -> Self {
        Self {
            object_events: true,
            item_events: true,
            trail_insights: false,
            config_service_role: true,
            conformance_pack: None,
            rules_left_out: Vec::new(),
            guardduty_plans: None,
            guardduty_export: true,
            disable_deviations: None,
            disabled_controls: BTreeMap::new(),
            inspector_scans: None,
            unused_access: None,
            block_other_vpcs: false,
            macie: Macie::default(),
        }
    }
}

/// The account's detective controls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detection {
    /// Whether the trail records who reads and writes objects.
    pub object_events: bool,
    /// Whether the trail records who reads and writes items.
    pub item_events: bool,
    /// Whether CloudTrail looks for unusual rates of calls and errors.
    pub trail_insights: bool,
    /// Whether AWS Config's service-linked role is made here.
    pub config_service_role: bool,
    /// Whether the conformance pack for PCI DSS is deployed.
    pub conformance_pack: bool,
    /// Rules of the conformance pack to leave out, by name.
    pub rules_left_out: Vec<String>,
    /// GuardDuty's protection plans.
    pub guardduty_plans: Vec<GuardDutyPlan>,
    /// Whether GuardDuty's findings are exported to the audit bucket.
    pub guardduty_export: bool,
    /// Whether the controls that the design deviates from are switched off.
    pub disable_deviations: bool,
    /// Further controls of Security Hub that are switched off, and why.
    pub disabled_controls: BTreeMap<ControlId, RuleReason>,
    /// What Amazon Inspector scans.
    pub inspector_scans: Vec<InspectorScan>,
    /// Whether unused access is looked for.
    pub unused_access: bool,
    /// Whether internet gateways are blocked in the account's other VPCs.
    pub block_other_vpcs: bool,
    /// Amazon Macie.
    pub macie: Macie,
}

contract::closed_list! {
    /// A protection plan of GuardDuty.
    /// <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty-features-activation-model.html>
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case")]
    pub enum GuardDutyPlan {
        /// Who reads and writes objects in buckets (PCI 11.5.1).
        S3,
        /// What processes do in the tasks on Fargate (PCI 5.2.1, 11.5.1).
        Runtime,
        /// Who signs in to Aurora and RDS.
        Rds,
        /// What Lambda functions speak to, such as one that rotates a secret.
        Lambda,
        /// Malware on the volumes of instances and containers.
        Malware,
        /// What is asked of Kubernetes clusters.
        Eks,
    }
}

impl GuardDutyPlan {
    /// Whether a region has the plan. Taipei has no RDS Protection
    /// (<https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_regions.html>), and China no Runtime Monitoring
    /// (<https://docs.amazonaws.cn/en_us/aws/latest/userguide/guardduty.html>); of the other plans, AWS Config has
    /// rules in China for these two alone.
    /// <https://docs.aws.amazon.com/config/latest/developerguide/guardduty-lambda-protection-enabled.html>
    #[must_use]
    pub fn is_offered(self, region: &Region) -> bool {
        match region.partition() {
            Partition::Aws => self != Self::Rds || region.as_str() != "ap-east-2",
            Partition::AwsUsGov => true,
            Partition::AwsCn => matches!(self, Self::S3 | Self::Eks),
        }
    }
}

contract::closed_list! {
    /// What Amazon Inspector scans for vulnerabilities.
    /// <https://docs.aws.amazon.com/inspector/v2/APIReference/API_Enable.html>
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case")]
    pub enum InspectorScan {
        /// Images in the registry (PCI 6.3.1, 11.3.1).
        Ecr,
        /// Instances.
        Ec2,
        /// What Lambda functions depend on.
        Lambda,
        /// The code of Lambda functions; comes with `lambda`.
        LambdaCode,
    }
}

impl InspectorScan {
    /// Whether a region has the scan: Inspector reads the code of Lambda functions in these alone.
    /// <https://docs.aws.amazon.com/config/latest/developerguide/inspector-lambda-code-scan-enabled.html>
    #[must_use]
    pub fn is_offered(self, region: &Region) -> bool {
        const CODE_SCAN: [&str; 10] = [
            "ap-northeast-1",
            "ap-southeast-1",
            "ap-southeast-2",
            "eu-central-1",
            "eu-north-1",
            "eu-west-1",
            "eu-west-2",
            "us-east-1",
            "us-east-2",
            "us-west-2",
        ];
        self != Self::LambdaCode || CODE_SCAN.contains(&region.as_str())
    }
}

/// Amazon Macie.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Macie {
    /// Whether Macie is on, and looks for card data in the bucket of statements every week (PCI 3.2.1, 12.5.2). Why not
    /// by default: it is charged by the bucket and by the gigabyte, and the service keeps card numbers out of what it
    /// stores; worth it where others upload files. Partition aws only.
    pub enabled: bool,
    /// Further buckets of this account and region in which Macie looks.
    pub buckets: Vec<BucketName>,
}
