//! AWS's conformance pack for PCI DSS 4.0, as rules of AWS Config.
//!
//! The list is that of `Operational-Best-Practices-for-PCI-DSS-v4.0` in its two forms, with and without the types of
//! resources that AWS Config records in one region only. Five rules of it are left out, because what they should
//! compare with is for nobody but the owner of other things in the account to say: `cloudwatch-alarm-resource-check`,
//! `cloudwatch-alarm-settings-check`, `eks-cluster-oldest-supported-version`, `lambda-function-settings-check`,
//! `s3-bucket-policy-not-more-permissive`.
//! <https://github.com/awslabs/aws-config-rules/blob/master/aws-config-conformance-packs/Operational-Best-Practices-for-PCI-DSS-v4.0-including-global-resourcetypes.yaml>

use std::borrow::Cow;

use aws::document::conformance_pack::{ConformancePack, ManagedRule};
use aws::facts;
use terraform::Expr;
use terraform::kind::Text;

use super::{Inputs, access};
use crate::config::EnvConfig;

/// The region that the types of resources are recorded in which have no region of their own.
/// <https://docs.aws.amazon.com/config/latest/developerguide/select-resources.html>
const GLOBAL_REGION: &str = "us-east-1";

/// The pack for an environment's account and region.
pub fn pack(config: &EnvConfig, inputs: &Inputs<'_>) -> ConformancePack {
    ConformancePack::new(RULES.iter().filter(|rule| applies(rule, config)).map(|rule| ManagedRule {
        name: rule.name.into(),
        identifier: rule.identifier.into(),
        resource_types: Cow::Borrowed(rule.resource_types),
        parameters: parameters(rule, config, inputs),
    }))
}

/// The names of all rules.
pub fn names() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|rule| rule.name)
}

/// Whether this version knows which rules AWS Config has in the region.
pub fn region_is_known(config: &EnvConfig) -> bool {
    facts::is_region(config.region.as_str())
}

/// The names of the rules that would be in the pack, if AWS Config had them in the region; a pack that names one which it
/// does not have is refused as a whole. Where this version does not know the region, all of them.
/// <https://docs.aws.amazon.com/config/latest/developerguide/managing-rules-by-region-availability.html>
pub fn missing(config: &EnvConfig) -> impl Iterator<Item = &'static str> {
    RULES.iter().filter(|rule| is_asked_for(rule, config) && !is_there(rule, config)).map(|rule| rule.name)
}

/// Whether the pack has any rule.
pub fn has_any(config: &EnvConfig) -> bool {
    RULES.iter().any(|rule| applies(rule, config))
}

fn applies(rule: &Rule, config: &EnvConfig) -> bool {
    is_asked_for(rule, config) && is_there(rule, config)
}

fn is_there(rule: &Rule, config: &EnvConfig) -> bool {
    facts::has_config_rule(rule.identifier, config.region.as_str()) == Some(true)
}

fn is_asked_for(rule: &Rule, config: &EnvConfig) -> bool {
    let there = match rule.place {
        Everywhere => true,
        GlobalRegion => config.region.as_str() == GLOBAL_REGION,
    };
    let used = match rule.name {
        "macie-auto-sensitive-data-discovery-check" | "macie-status-check" => config.detection.macie.enabled,
        "shield-drt-access" => config.shield.response_team,
        _ => true,
    };
    there && used && !config.detection.rules_left_out.iter().any(|name| name == rule.name)
}

/// What a rule is given: what AWS's own pack gives it, and where that is to be said for each account, what is ours. Of
/// alarms, an action is asked for the alarm itself alone: what missing data means is each alarm's own setting.
fn parameters(rule: &Rule, config: &EnvConfig, inputs: &Inputs<'_>) -> Vec<(&'static str, Expr<Text>)> {
    match rule.name {
        "iam-policy-in-use" => vec![("policyARN", Expr::new(access::support_policy(config)))],
        "internet-gateway-authorized-vpc-only" => {
            vec![("AuthorizedVpcIds", inputs.network.vpc.clone().text())]
        }
        _ => rule.parameters.iter().map(|(key, value)| (*key, Expr::new(*value))).collect(),
    }
}

/// A rule of the list.
struct Rule {
    name: &'static str,
    identifier: &'static str,
    place: Place,
    resource_types: &'static [&'static str],
    parameters: &'static [(&'static str, &'static str)],
}

/// Where a rule has something to look at.
enum Place {
    /// In every region.
    Everywhere,
    /// Where the types of resources without a region are recorded.
    GlobalRegion,
}

const fn rule(
    name: &'static str,
    identifier: &'static str,
    place: Place,
    resource_types: &'static [&'static str],
    parameters: &'static [(&'static str, &'static str)],
) -> Rule {
    Rule { name, identifier, place, resource_types, parameters }
}

use Place::{Everywhere, GlobalRegion};

#[rustfmt::skip]
const RULES: [Rule; 122] = [
    rule("access-keys-rotated", "ACCESS_KEYS_ROTATED", Everywhere, &[], &[("maxAccessKeyAge", "90")]),
    rule("acm-certificate-rsa-check", "ACM_CERTIFICATE_RSA_CHECK", Everywhere, &["AWS::ACM::Certificate"], &[]),
    rule("acm-pca-root-ca-disabled", "ACM_PCA_ROOT_CA_DISABLED", Everywhere, &["AWS::ACMPCA::CertificateAuthority"], &[]),
    rule("api-gw-cache-enabled-and-encrypted", "API_GW_CACHE_ENABLED_AND_ENCRYPTED", Everywhere, &["AWS::ApiGateway::Stage"], &[]),
    rule("api-gw-endpoint-type-check", "API_GW_ENDPOINT_TYPE_CHECK", Everywhere, &["AWS::ApiGateway::RestApi"], &[("endpointConfigurationTypes", "REGIONAL, PRIVATE, EDGE")]),
    rule("api-gw-xray-enabled", "API_GW_XRAY_ENABLED", Everywhere, &["AWS::ApiGateway::Stage"], &[]),
    rule("api-gwv2-access-logs-enabled", "API_GWV2_ACCESS_LOGS_ENABLED", Everywhere, &[], &[]),
    rule("appsync-associated-with-waf", "APPSYNC_ASSOCIATED_WITH_WAF", Everywhere, &[], &[]),
    rule("appsync-logging-enabled", "APPSYNC_LOGGING_ENABLED", Everywhere, &["AWS::AppSync::GraphQLApi"], &[]),
    rule("athena-workgroup-encrypted-at-rest", "ATHENA_WORKGROUP_ENCRYPTED_AT_REST", Everywhere, &[], &[]),
    rule("aurora-resources-protected-by-backup-plan", "AURORA_RESOURCES_PROTECTED_BY_BACKUP_PLAN", Everywhere, &["AWS::RDS::DBCluster"], &[]),
    rule("autoscaling-launchconfig-requires-imdsv2", "AUTOSCALING_LAUNCHCONFIG_REQUIRES_IMDSV2", Everywhere, &[], &[]),
    rule("backup-recovery-point-manual-deletion-disabled", "BACKUP_RECOVERY_POINT_MANUAL_DELETION_DISABLED", Everywhere, &[], &[]),
    rule("cloudformation-stack-notification-check", "CLOUDFORMATION_STACK_NOTIFICATION_CHECK", GlobalRegion, &["AWS::CloudFormation::Stack"], &[]),
    rule("cloudfront-accesslogs-enabled", "CLOUDFRONT_ACCESSLOGS_ENABLED", GlobalRegion, &["AWS::CloudFront::Distribution"], &[]),
    rule("cloudfront-associated-with-waf", "CLOUDFRONT_ASSOCIATED_WITH_WAF", GlobalRegion, &["AWS::CloudFront::Distribution"], &[]),
    rule("cloudfront-custom-ssl-certificate", "CLOUDFRONT_CUSTOM_SSL_CERTIFICATE", GlobalRegion, &["AWS::CloudFront::Distribution"], &[]),
    rule("cloudfront-no-deprecated-ssl-protocols", "CLOUDFRONT_NO_DEPRECATED_SSL_PROTOCOLS", GlobalRegion, &[], &[]),
    rule("cloudfront-origin-access-identity-enabled", "CLOUDFRONT_ORIGIN_ACCESS_IDENTITY_ENABLED", GlobalRegion, &["AWS::CloudFront::Distribution"], &[]),
    rule("cloudfront-s3-origin-access-control-enabled", "CLOUDFRONT_S3_ORIGIN_ACCESS_CONTROL_ENABLED", GlobalRegion, &["AWS::CloudFront::Distribution"], &[]),
    rule("cloudfront-security-policy-check", "CLOUDFRONT_SECURITY_POLICY_CHECK", GlobalRegion, &["AWS::CloudFront::Distribution"], &[]),
    rule("cloudfront-sni-enabled", "CLOUDFRONT_SNI_ENABLED", GlobalRegion, &["AWS::CloudFront::Distribution"], &[]),
    rule("cloudfront-traffic-to-origin-encrypted", "CLOUDFRONT_TRAFFIC_TO_ORIGIN_ENCRYPTED", GlobalRegion, &[], &[]),
    rule("cloudfront-viewer-policy-https", "CLOUDFRONT_VIEWER_POLICY_HTTPS", GlobalRegion, &[], &[]),
    rule("cloudtrail-enabled", "CLOUD_TRAIL_ENABLED", Everywhere, &[], &[]),
    rule("cloudtrail-security-trail-enabled", "CLOUDTRAIL_SECURITY_TRAIL_ENABLED", Everywhere, &[], &[]),
    rule("cloudwatch-alarm-action-check", "CLOUDWATCH_ALARM_ACTION_CHECK", Everywhere, &["AWS::CloudWatch::Alarm"], &[("alarmActionRequired", "true"), ("insufficientDataActionRequired", "false"), ("okActionRequired", "false")]),
    rule("codebuild-project-artifact-encryption", "CODEBUILD_PROJECT_ARTIFACT_ENCRYPTION", Everywhere, &["AWS::CodeBuild::Project"], &[]),
    rule("codebuild-project-envvar-awscred-check", "CODEBUILD_PROJECT_ENVVAR_AWSCRED_CHECK", Everywhere, &[], &[]),
    rule("codebuild-project-s3-logs-encrypted", "CODEBUILD_PROJECT_S3_LOGS_ENCRYPTED", Everywhere, &["AWS::CodeBuild::Project"], &[]),
    rule("codebuild-project-source-repo-url-check", "CODEBUILD_PROJECT_SOURCE_REPO_URL_CHECK", Everywhere, &[], &[]),
    rule("codedeploy-lambda-allatonce-traffic-shift-disabled", "CODEDEPLOY_LAMBDA_ALLATONCE_TRAFFIC_SHIFT_DISABLED", Everywhere, &[], &[]),
    rule("codepipeline-deployment-count-check", "CODEPIPELINE_DEPLOYMENT_COUNT_CHECK", GlobalRegion, &[], &[]),
    rule("cw-loggroup-retention-period-check", "CW_LOGGROUP_RETENTION_PERIOD_CHECK", Everywhere, &[], &[]),
    rule("dax-encryption-enabled", "DAX_ENCRYPTION_ENABLED", GlobalRegion, &["AWS::DAX::Cluster"], &[]),
    rule("dax-tls-endpoint-encryption", "DAX_TLS_ENDPOINT_ENCRYPTION", GlobalRegion, &[], &[]),
    rule("db-instance-backup-enabled", "DB_INSTANCE_BACKUP_ENABLED", Everywhere, &["AWS::RDS::DBInstance"], &[]),
    rule("dms-endpoint-ssl-configured", "DMS_ENDPOINT_SSL_CONFIGURED", Everywhere, &[], &[]),
    rule("dms-redis-tls-enabled", "DMS_REDIS_TLS_ENABLED", Everywhere, &["AWS::DMS::Endpoint"], &[]),
    rule("docdb-cluster-encrypted", "DOCDB_CLUSTER_ENCRYPTED", GlobalRegion, &[], &[]),
    rule("docdb-cluster-snapshot-public-prohibited", "DOCDB_CLUSTER_SNAPSHOT_PUBLIC_PROHIBITED", GlobalRegion, &[], &[]),
    rule("dynamodb-in-backup-plan", "DYNAMODB_IN_BACKUP_PLAN", Everywhere, &["AWS::DynamoDB::Table"], &[]),
    rule("dynamodb-pitr-enabled", "DYNAMODB_PITR_ENABLED", Everywhere, &["AWS::DynamoDB::Table"], &[]),
    rule("dynamodb-resources-protected-by-backup-plan", "DYNAMODB_RESOURCES_PROTECTED_BY_BACKUP_PLAN", Everywhere, &["AWS::DynamoDB::Table"], &[]),
    rule("dynamodb-table-encrypted-kms", "DYNAMODB_TABLE_ENCRYPTED_KMS", Everywhere, &[], &[]),
    rule("dynamodb-table-encryption-enabled", "DYNAMODB_TABLE_ENCRYPTION_ENABLED", GlobalRegion, &[], &[]),
    rule("ebs-in-backup-plan", "EBS_IN_BACKUP_PLAN", Everywhere, &["AWS::EC2::Volume"], &[]),
    rule("ebs-resources-protected-by-backup-plan", "EBS_RESOURCES_PROTECTED_BY_BACKUP_PLAN", Everywhere, &["AWS::EC2::Volume"], &[]),
    rule("ec2-client-vpn-not-authorize-all", "EC2_CLIENT_VPN_NOT_AUTHORIZE_ALL", Everywhere, &[], &[]),
    rule("ec2-imdsv2-check", "EC2_IMDSV2_CHECK", Everywhere, &["AWS::EC2::Instance"], &[]),
    rule("ec2-instance-detailed-monitoring-enabled", "EC2_INSTANCE_DETAILED_MONITORING_ENABLED", Everywhere, &["AWS::EC2::Instance"], &[]),
    rule("ec2-instance-profile-attached", "EC2_INSTANCE_PROFILE_ATTACHED", Everywhere, &["AWS::EC2::Instance"], &[]),
    rule("ec2-launch-template-public-ip-disabled", "EC2_LAUNCH_TEMPLATE_PUBLIC_IP_DISABLED", Everywhere, &[], &[]),
    rule("ec2-no-amazon-key-pair", "EC2_NO_AMAZON_KEY_PAIR", Everywhere, &["AWS::EC2::Instance"], &[]),
    rule("ec2-resources-protected-by-backup-plan", "EC2_RESOURCES_PROTECTED_BY_BACKUP_PLAN", Everywhere, &["AWS::EC2::Instance"], &[]),
    rule("ec2-transit-gateway-auto-vpc-attach-disabled", "EC2_TRANSIT_GATEWAY_AUTO_VPC_ATTACH_DISABLED", GlobalRegion, &[], &[]),
    rule("ec2-volume-inuse-check", "EC2_VOLUME_INUSE_CHECK", Everywhere, &["AWS::EC2::Volume"], &[("deleteOnTermination", "true")]),
    rule("ecr-private-lifecycle-policy-configured", "ECR_PRIVATE_LIFECYCLE_POLICY_CONFIGURED", Everywhere, &["AWS::ECR::Repository"], &[]),
    rule("ecs-task-definition-log-configuration", "ECS_TASK_DEFINITION_LOG_CONFIGURATION", Everywhere, &[], &[]),
    rule("ecs-task-definition-pid-mode-check", "ECS_TASK_DEFINITION_PID_MODE_CHECK", Everywhere, &["AWS::ECS::TaskDefinition"], &[]),
    rule("efs-in-backup-plan", "EFS_IN_BACKUP_PLAN", GlobalRegion, &["AWS::EFS::FileSystem"], &[]),
    rule("efs-resources-protected-by-backup-plan", "EFS_RESOURCES_PROTECTED_BY_BACKUP_PLAN", Everywhere, &["AWS::EFS::FileSystem"], &[]),
    rule("eks-cluster-logging-enabled", "EKS_CLUSTER_LOGGING_ENABLED", Everywhere, &[], &[]),
    rule("eks-cluster-secrets-encrypted", "EKS_CLUSTER_SECRETS_ENCRYPTED", Everywhere, &[], &[]),
    rule("eks-endpoint-no-public-access", "EKS_ENDPOINT_NO_PUBLIC_ACCESS", Everywhere, &["AWS::EKS::Cluster"], &[]),
    rule("eks-secrets-encrypted", "EKS_SECRETS_ENCRYPTED", Everywhere, &["AWS::EKS::Cluster"], &[]),
    rule("elastic-beanstalk-logs-to-cloudwatch", "ELASTIC_BEANSTALK_LOGS_TO_CLOUDWATCH", Everywhere, &[], &[]),
    rule("elasticache-redis-cluster-automatic-backup-check", "ELASTICACHE_REDIS_CLUSTER_AUTOMATIC_BACKUP_CHECK", Everywhere, &["AWS::ElastiCache::CacheCluster", "AWS::ElastiCache::ReplicationGroup"], &[]),
    rule("elb-acm-certificate-required", "ELB_ACM_CERTIFICATE_REQUIRED", Everywhere, &[], &[]),
    rule("emr-block-public-access", "EMR_BLOCK_PUBLIC_ACCESS", Everywhere, &[], &[]),
    rule("fsx-resources-protected-by-backup-plan", "FSX_RESOURCES_PROTECTED_BY_BACKUP_PLAN", Everywhere, &["AWS::FSx::FileSystem"], &[]),
    rule("iam-policy-in-use", "IAM_POLICY_IN_USE", Everywhere, &[], &[]),
    rule("internet-gateway-authorized-vpc-only", "INTERNET_GATEWAY_AUTHORIZED_VPC_ONLY", Everywhere, &[], &[]),
    rule("kinesis-stream-encrypted", "KINESIS_STREAM_ENCRYPTED", Everywhere, &[], &[]),
    rule("macie-auto-sensitive-data-discovery-check", "MACIE_AUTO_SENSITIVE_DATA_DISCOVERY_CHECK", Everywhere, &[], &[]),
    rule("macie-status-check", "MACIE_STATUS_CHECK", Everywhere, &[], &[]),
    rule("mq-cloudwatch-audit-log-enabled", "MQ_CLOUDWATCH_AUDIT_LOG_ENABLED", Everywhere, &[], &[]),
    rule("mq-cloudwatch-audit-logging-enabled", "MQ_CLOUDWATCH_AUDIT_LOGGING_ENABLED", Everywhere, &[], &[]),
    rule("msk-in-cluster-node-require-tls", "MSK_IN_CLUSTER_NODE_REQUIRE_TLS", Everywhere, &[], &[]),
    rule("multi-region-cloudtrail-enabled", "MULTI_REGION_CLOUD_TRAIL_ENABLED", Everywhere, &[], &[]),
    rule("nacl-no-unrestricted-ssh-rdp", "NACL_NO_UNRESTRICTED_SSH_RDP", Everywhere, &[], &[]),
    rule("neptune-cluster-backup-retention-check", "NEPTUNE_CLUSTER_BACKUP_RETENTION_CHECK", Everywhere, &["AWS::RDS::DBCluster"], &[]),
    rule("neptune-cluster-cloudwatch-log-export-enabled", "NEPTUNE_CLUSTER_CLOUDWATCH_LOG_EXPORT_ENABLED", Everywhere, &[], &[]),
    rule("neptune-cluster-encrypted", "NEPTUNE_CLUSTER_ENCRYPTED", Everywhere, &[], &[]),
    rule("neptune-cluster-iam-database-authentication", "NEPTUNE_CLUSTER_IAM_DATABASE_AUTHENTICATION", Everywhere, &[], &[]),
    rule("neptune-cluster-snapshot-encrypted", "NEPTUNE_CLUSTER_SNAPSHOT_ENCRYPTED", Everywhere, &[], &[]),
    rule("neptune-cluster-snapshot-public-encrypted", "NEPTUNE_CLUSTER_SNAPSHOT_PUBLIC_PROHIBITED", Everywhere, &[], &[]),
    rule("netfw-logging-enabled", "NETFW_LOGGING_ENABLED", Everywhere, &[], &[]),
    rule("netfw-policy-default-action-fragment-packets", "NETFW_POLICY_DEFAULT_ACTION_FRAGMENT_PACKETS", Everywhere, &["AWS::NetworkFirewall::FirewallPolicy"], &[("statelessFragmentDefaultActions", "aws:drop,aws:forward_to_sfe")]),
    rule("netfw-policy-default-action-full-packets", "NETFW_POLICY_DEFAULT_ACTION_FULL_PACKETS", Everywhere, &["AWS::NetworkFirewall::FirewallPolicy"], &[("statelessDefaultActions", "aws:drop,aws:forward_to_sfe")]),
    rule("rds-cluster-iam-authentication-enabled", "RDS_CLUSTER_IAM_AUTHENTICATION_ENABLED", GlobalRegion, &["AWS::RDS::DBCluster"], &[]),
    rule("rds-db-security-group-not-allowed", "RDS_DB_SECURITY_GROUP_NOT_ALLOWED", GlobalRegion, &[], &[]),
    rule("rds-in-backup-plan", "RDS_IN_BACKUP_PLAN", Everywhere, &["AWS::RDS::DBInstance"], &[]),
    rule("rds-instance-iam-authentication-enabled", "RDS_INSTANCE_IAM_AUTHENTICATION_ENABLED", GlobalRegion, &[], &[]),
    rule("rds-resources-protected-by-backup-plan", "RDS_RESOURCES_PROTECTED_BY_BACKUP_PLAN", GlobalRegion, &["AWS::RDS::DBInstance"], &[]),
    rule("redshift-backup-enabled", "REDSHIFT_BACKUP_ENABLED", Everywhere, &["AWS::Redshift::Cluster"], &[]),
    rule("redshift-cluster-kms-enabled", "REDSHIFT_CLUSTER_KMS_ENABLED", Everywhere, &["AWS::Redshift::Cluster"], &[]),
    rule("redshift-enhanced-vpc-routing-enabled", "REDSHIFT_ENHANCED_VPC_ROUTING_ENABLED", Everywhere, &["AWS::Redshift::Cluster"], &[]),
    rule("restricted-ssh", "INCOMING_SSH_DISABLED", Everywhere, &["AWS::EC2::SecurityGroup"], &[]),
    rule("s3-access-point-public-access-blocks", "S3_ACCESS_POINT_PUBLIC_ACCESS_BLOCKS", Everywhere, &[], &[]),
    rule("s3-account-level-public-access-blocks", "S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS", Everywhere, &[], &[]),
    rule("s3-bucket-blacklisted-actions-prohibited", "S3_BUCKET_BLACKLISTED_ACTIONS_PROHIBITED", Everywhere, &["AWS::S3::Bucket"], &[("blacklistedActionPattern", "s3:DeleteBucketPolicy, s3:PutBucketAcl, s3:PutBucketPolicy, s3:PutEncryptionConfiguration, s3:PutObjectAcl")]),
    rule("s3-bucket-default-lock-enabled", "S3_BUCKET_DEFAULT_LOCK_ENABLED", Everywhere, &["AWS::S3::Bucket"], &[]),
    rule("s3-bucket-mfa-delete-enabled", "S3_BUCKET_MFA_DELETE_ENABLED", Everywhere, &[], &[]),
    rule("s3-bucket-versioning-enabled", "S3_BUCKET_VERSIONING_ENABLED", Everywhere, &["AWS::S3::Bucket"], &[]),
    rule("s3-resources-protected-by-backup-plan", "S3_RESOURCES_PROTECTED_BY_BACKUP_PLAN", Everywhere, &["AWS::S3::Bucket"], &[]),
    rule("secretsmanager-scheduled-rotation-success-check", "SECRETSMANAGER_SCHEDULED_ROTATION_SUCCESS_CHECK", Everywhere, &[], &[]),
    rule("secretsmanager-secret-periodic-rotation", "SECRETSMANAGER_SECRET_PERIODIC_ROTATION", Everywhere, &[], &[]),
    rule("secretsmanager-secret-unused", "SECRETSMANAGER_SECRET_UNUSED", Everywhere, &[], &[]),
    rule("security-account-information-provided", "SECURITY_ACCOUNT_INFORMATION_PROVIDED", Everywhere, &["AWS::::Account"], &[]),
    rule("service-catalog-shared-within-organization", "SERVICE_CATALOG_SHARED_WITHIN_ORGANIZATION", Everywhere, &["AWS::ServiceCatalog::Portfolio"], &[]),
    rule("shield-drt-access", "SHIELD_DRT_ACCESS", GlobalRegion, &[], &[]),
    rule("sns-topic-message-delivery-notification-enabled", "SNS_TOPIC_MESSAGE_DELIVERY_NOTIFICATION_ENABLED", Everywhere, &[], &[]),
    rule("step-functions-state-machine-logging-enabled", "STEP_FUNCTIONS_STATE_MACHINE_LOGGING_ENABLED", Everywhere, &[], &[]),
    rule("transfer-family-server-no-ftp", "TRANSFER_FAMILY_SERVER_NO_FTP", Everywhere, &["AWS::Transfer::Server"], &[]),
    rule("waf-classic-logging-enabled", "WAF_CLASSIC_LOGGING_ENABLED", GlobalRegion, &["AWS::WAF::WebACL"], &[]),
    rule("waf-global-rule-not-empty", "WAF_GLOBAL_RULE_NOT_EMPTY", GlobalRegion, &[], &[]),
    rule("waf-global-rulegroup-not-empty", "WAF_GLOBAL_RULEGROUP_NOT_EMPTY", GlobalRegion, &[], &[]),
    rule("waf-global-webacl-not-empty", "WAF_GLOBAL_WEBACL_NOT_EMPTY", GlobalRegion, &[], &[]),
    rule("wafv2-rulegroup-logging-enabled", "WAFV2_RULEGROUP_LOGGING_ENABLED", Everywhere, &[], &[]),
    rule("wafv2-rulegroup-not-empty", "WAFV2_RULEGROUP_NOT_EMPTY", Everywhere, &[], &[]),
    rule("wafv2-webacl-not-empty", "WAFV2_WEBACL_NOT_EMPTY", Everywhere, &[], &[]),
];
