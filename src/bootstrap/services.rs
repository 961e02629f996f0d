//! The services of AWS behind the provider's resource types, and what looking at them takes.

/// A service of AWS, as IAM names it.
#[derive(Debug)]
pub struct Service {
    /// The prefix of its actions: `elasticloadbalancing`.
    pub name: &'static str,
    /// Beginnings of the resource types, without `aws_`, that it makes. The longest of all services decides.
    types: &'static [&'static str],
    /// Actions that read a resource's settings, none that reads data: what a refresh calls.
    pub read: &'static [&'static str],
    /// Actions that the apply role is given: all, unless the service's resources here take few and its others reach far.
    pub change: &'static [&'static str],
    /// Whether its API answers in one region for all of them, so that a condition on regions would shut it.
    pub global: bool,
}

/// What a service's settings are read with where it keeps no data of ours.
const LOOK: &[&str] = &["Describe*", "Get*", "List*"];

/// Every action of a service.
const ALL: &[&str] = &["*"];

const fn regional(
    name: &'static str,
    types: &'static [&'static str],
    read: &'static [&'static str],
) -> Service {
    Service { name, types, read, change: ALL, global: false }
}

const fn global(
    name: &'static str,
    types: &'static [&'static str],
    read: &'static [&'static str],
) -> Service {
    Service { name, types, read, change: ALL, global: true }
}

/// Every service that the bindings know. Where a service keeps data, what reads them is left out: objects, items, log
/// lines, layers and secrets.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>
const SERVICES: &[Service] = &[
    regional("access-analyzer", &["accessanalyzer"], &["Get*", "List*"]),
    global("account", &["account"], &["GetAlternateContact"]),
    regional(
        "acm",
        &["acm"],
        &["DescribeCertificate", "GetCertificate", "ListCertificates", "ListTagsForCertificate"],
    ),
    regional("application-autoscaling", &["appautoscaling"], LOOK),
    regional("backup", &["backup"], LOOK),
    regional("cloudtrail", &["cloudtrail"], &["DescribeTrails", "Get*", "List*"]),
    regional("cloudwatch", &["cloudwatch"], LOOK),
    regional("codedeploy", &["codedeploy"], &["BatchGet*", "Get*", "List*"]),
    regional("config", &["config"], &["Describe*", "List*"]),
    regional("dynamodb", &["dynamodb"], &["Describe*", "GetResourcePolicy", "List*"]),
    regional(
        "ec2",
        &[
            "availability_zones",
            "default_",
            "ebs",
            "ec2",
            "egress_only",
            "eip",
            "flow_log",
            "internet_gateway",
            "nat_gateway",
            "network_acl",
            "route",
            "route_table",
            "security_group",
            "subnet",
            "vpc",
        ],
        &[
            "Describe*",
            "GetEbsDefaultKmsKeyId",
            "GetEbsEncryptionByDefault",
            "GetImageBlockPublicAccessState",
            "GetInstanceMetadataDefaults",
            "GetManagedPrefixListEntries",
            "GetSerialConsoleAccessStatus",
            "GetSnapshotBlockPublicAccessState",
        ],
    ),
    regional(
        "ecr",
        &["ecr"],
        &["Describe*", "GetLifecyclePolicy", "GetRegistry*", "GetRepositoryPolicy", "List*"],
    ),
    regional("ecs", &["ecs"], &["Describe*", "List*"]),
    regional("elasticloadbalancing", &["elb", "lb"], &["Describe*", "Get*"]),
    regional("events", &["cloudwatch_event"], &["Describe*", "List*"]),
    regional("firehose", &["kinesis_firehose"], &["Describe*", "List*"]),
    regional("guardduty", &["guardduty"], LOOK),
    global("iam", &["iam"], &["Get*", "List*"]),
    regional("inspector2", &["inspector2"], &["BatchGetAccountStatus", "Get*", "List*"]),
    regional("kms", &["kms"], LOOK),
    // Who may call the functions that rotate secrets: the functions are somebody else's.
    Service {
        name: "lambda",
        types: &["lambda"],
        read: &["GetPolicy", "List*"],
        change: &["AddPermission", "GetPolicy", "RemovePermission"],
        global: false,
    },
    regional(
        "logs",
        &["cloudwatch_log", "cloudwatch_query"],
        &["Describe*", "GetDataProtectionPolicy", "List*"],
    ),
    regional("macie2", &["macie2"], &["DescribeClassificationJob", "GetMacieSession", "ListTagsForResource"]),
    regional("network-firewall", &["networkfirewall"], &["Describe*", "List*"]),
    regional("rds", &["db", "rds"], &["Describe*", "List*"]),
    global("route53", &["route53"], &["Get*", "List*"]),
    regional("route53resolver", &["route53_resolver"], &["Get*", "List*"]),
    regional(
        "s3",
        &["s3"],
        &[
            "GetAccelerateConfiguration",
            "GetAccountPublicAccessBlock",
            "GetBucket*",
            "GetEncryptionConfiguration",
            "GetLifecycleConfiguration",
            "GetReplicationConfiguration",
            "ListAllMyBuckets",
            "ListTagsForResource",
        ],
    ),
    regional(
        "secretsmanager",
        &["secretsmanager"],
        &["DescribeSecret", "GetRandomPassword", "GetResourcePolicy", "ListSecretVersionIds"],
    ),
    regional("securityhub", &["securityhub"], LOOK),
    global("shield", &["shield"], &["Describe*", "Get*", "List*"]),
    regional("sns", &["sns"], &["Get*", "List*"]),
    regional("sqs", &["sqs"], &["Get*", "List*"]),
    // The account's settings alone: Systems Manager's other actions run commands on any managed machine.
    Service {
        name: "ssm",
        types: &["ssm_service_setting"],
        read: &["GetServiceSetting"],
        change: &["GetServiceSetting", "ResetServiceSetting", "UpdateServiceSetting"],
        global: false,
    },
    regional("wafv2", &["wafv2"], &["Get*", "List*"]),
];

impl Service {
    /// The actions that the apply role is given, with the service before each: `kms:*`.
    pub fn changes(&self) -> impl Iterator<Item = String> {
        self.change.iter().map(|action| format!("{}:{action}", self.name))
    }

    /// The service that makes a resource type, such as `aws_lb_listener`; none for what needs no right.
    #[must_use]
    pub fn of(resource_type: &str) -> Option<&'static Self> {
        let name = resource_type.strip_prefix("aws_")?;
        let fits = |service: &&'static Self| {
            let fitting = service.types.iter().filter(|beginning| name.starts_with(**beginning));
            fitting.map(|beginning| beginning.len()).max()
        };
        SERVICES.iter().filter(|service| fits(service).is_some()).max_by_key(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_there_is_a_binding_for_has_a_service() {
        let listed = include_str!("../../crates/aws/schema/bindings.toml");
        let types = listed.lines().filter_map(|line| line.strip_prefix("    \"aws_")?.strip_suffix("\","));
        let mut count = 0;
        for name in types {
            assert!(Service::of(&format!("aws_{name}")).is_some(), "aws_{name} belongs to no service");
            count += 1;
        }
        assert!(count > 100, "{count} types in the list");
    }

    #[test]
    fn the_longest_beginning_decides() {
        let name = |kind| Service::of(kind).map(|service| service.name);
        assert_eq!(name("aws_route"), Some("ec2"));
        assert_eq!(name("aws_route53_record"), Some("route53"));
        assert_eq!(name("aws_route53_resolver_query_log_config"), Some("route53resolver"));
        assert_eq!(name("aws_cloudwatch_log_group"), Some("logs"));
        assert_eq!(name("aws_cloudwatch_event_rule"), Some("events"));
        assert_eq!(name("aws_cloudwatch_dashboard"), Some("cloudwatch"));
        assert_eq!(name("terraform_data"), None);
    }

    #[test]
    fn looking_reads_no_data() {
        let data = [
            ("secretsmanager", "GetSecretValue"),
            ("s3", "GetObject"),
            ("s3", "GetObjectVersion"),
            ("dynamodb", "GetItem"),
            ("logs", "GetLogEvents"),
            ("logs", "GetQueryResults"),
            ("ecr", "GetDownloadUrlForLayer"),
            ("ecr", "GetAuthorizationToken"),
            ("lambda", "GetFunction"),
            ("acm", "ExportCertificate"),
            ("kms", "Decrypt"),
        ];
        for (name, action) in data {
            let service = SERVICES.iter().find(|service| service.name == name).expect("a service");
            let matches = |pattern: &&str| match pattern.strip_suffix('*') {
                Some(beginning) => action.starts_with(beginning),
                None => action == *pattern,
            };
            assert!(!service.read.iter().any(matches), "{name}:{action}");
        }
    }
}
