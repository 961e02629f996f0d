//! What nothing new in the account may do, whoever makes it: be public, be unencrypted, hand out credentials without a
//! token (PCI 1.4.4, 2.2.1, 3.5.1, 7.3.3).

use aws::{
    EbsDefaultKmsKey, EbsEncryptionByDefault, EbsSnapshotBlockPublicAccess, Ec2ImageBlockPublicAccess,
    Ec2InstanceMetadataDefaults, Ec2SerialConsoleAccess, S3AccountPublicAccessBlock, SsmServiceSetting,
    VpcBlockPublicAccessExclusion, VpcBlockPublicAccessExclusionOptional, VpcBlockPublicAccessOptions,
};
use terraform::{Meta, Stack, set};

use super::Inputs;
use crate::config::EnvConfig;

pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) {
    private_storage(stack, config);
    encrypted_volumes(stack, inputs);
    hardened_instances(stack);
    if config.detection.block_other_vpcs {
        block_other_vpcs(stack, inputs);
    }
}

/// Buckets, snapshots, images and documents (Security Hub S3.1, EC2.1, EC2.182, SSM.7).
fn private_storage(stack: &mut Stack<'_>, config: &EnvConfig) {
    stack.add(
        "main",
        S3AccountPublicAccessBlock {
            block_public_acls: set(true),
            block_public_policy: set(true),
            ignore_public_acls: set(true),
            restrict_public_buckets: set(true),
            ..Default::default()
        },
    );
    stack.add("main", EbsSnapshotBlockPublicAccess { state: set("block-all-sharing") });
    stack.add("main", Ec2ImageBlockPublicAccess { state: set("block-new-sharing") });
    let setting = "servicesetting/ssm/documents/console/public-sharing-permission";
    stack.add(
        "public_documents",
        SsmServiceSetting { setting_id: set(config.arn("ssm", setting)), setting_value: set("Disable") },
    );
}

/// Security Hub EC2.7, with the key for data.
fn encrypted_volumes(stack: &mut Stack<'_>, inputs: &Inputs<'_>) {
    let key = stack.add("main", EbsDefaultKmsKey { key_arn: set(inputs.keys.data.arn()) });
    let meta = Meta::new().depends_on(&key);
    stack.add_with("main", meta, EbsEncryptionByDefault { enabled: set(true) });
}

/// Should there ever be an instance: credentials only against a token, and only to the instance itself (EC2.8), and no
/// console that no security group guards.
fn hardened_instances(stack: &mut Stack<'_>) {
    stack.add(
        "main",
        Ec2InstanceMetadataDefaults {
            http_endpoint: set("enabled"),
            http_tokens: set("required"),
            http_put_response_hop_limit: set(1),
            instance_metadata_tags: set("disabled"),
        },
    );
    stack.add("main", Ec2SerialConsoleAccess { enabled: set(false) });
}

/// No way between the internet and any VPC but ours, which is excepted before the block begins (Security Hub EC2.172).
fn block_other_vpcs(stack: &mut Stack<'_>, inputs: &Inputs<'_>) {
    let exclusion = stack.add(
        "main",
        VpcBlockPublicAccessExclusion {
            internet_gateway_exclusion_mode: set("allow-bidirectional"),
            optional: VpcBlockPublicAccessExclusionOptional {
                vpc_id: set(inputs.network.vpc.clone()),
                ..Default::default()
            },
        },
    );
    stack.add_with(
        "main",
        Meta::new().depends_on(&exclusion),
        VpcBlockPublicAccessOptions { internet_gateway_block_mode: set("block-bidirectional") },
    );
}
