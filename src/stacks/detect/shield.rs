//! Shield Advanced: what faces the internet, protected against denial of service.

use aws::document::policy::{Principal, Statement};
use aws::kind::TrustPolicy;
use aws::{
    EipHandle, IamRolePolicyAttachment, ShieldDrtAccessRoleArnAssociation, ShieldProtection,
    ShieldProtectionGroup, ShieldProtectionGroupOptional,
};
use terraform::kind::Text;
use terraform::{Addressed, Expr, Meta, Stack, set, text};

use super::Inputs;
use crate::config::EnvConfig;
use crate::stacks::role;

/// Protects load balancer, NAT addresses and hosted zone, as one group in which an attack on one counts for all.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) {
    let mut facing = vec![("load_balancer".to_owned(), inputs.alb.load_balancer.arn().text())];
    if config.account.baseline {
        // Other environments of the account may have their names in the same zone, and it can be protected once.
        facing.push(("zone".to_owned(), inputs.alb.zone_arn.clone()));
    }
    let nat = inputs.network.nat_addresses.iter();
    facing.extend(nat.map(|address| (address.address().name().to_owned(), allocation(config, address))));
    let mut group = Meta::new();
    let mut members = Vec::new();
    for (name, arn) in facing {
        let protection = stack.add(
            &name,
            ShieldProtection {
                name: set(config.names.of(&name.replace('_', "-"))),
                resource_arn: arn.clone(),
                optional: Default::default(),
            },
        );
        group = group.depends_on(&protection);
        members.push(arn);
    }
    stack.add_with(
        "main",
        group,
        ShieldProtectionGroup {
            protection_group_id: set(config.names.prefix().to_owned()),
            pattern: set("ARBITRARY"),
            // The load is shared: what counts is all of it together.
            aggregation: set("SUM"),
            optional: ShieldProtectionGroupOptional { members: set(members), ..Default::default() },
        },
    );
    if config.shield.response_team {
        response_team(stack, config);
    }
}

/// The address's ARN as Shield knows it, which differs from the one that EC2 has.
/// <https://docs.aws.amazon.com/waf/latest/DDOSAPIReference/API_CreateProtection.html>
fn allocation(config: &EnvConfig, address: &EipHandle) -> Expr<Text> {
    text![config.arn("ec2", "eip-allocation/"), address.id()]
}

/// Lets AWS's response team look at and mend the web ACL during an attack; an account has one such role.
/// <https://docs.aws.amazon.com/waf/latest/developerguide/ddos-srt-access.html>
fn response_team(stack: &mut Stack<'_>, config: &EnvConfig) {
    let trust =
        Statement::<TrustPolicy>::assume("ResponseTeam", Principal::service("drt.shield.amazonaws.com"));
    let role = role::add(stack, config, "shield", "What AWS's response team may do in an attack", trust);
    let policy = format!("arn:{}:iam::aws:policy/service-role/AWSShieldDRTAccessPolicy", config.partition());
    let attachment = stack.add(
        "shield",
        IamRolePolicyAttachment { role: set(role.name()), policy_arn: Expr::external(policy) },
    );
    stack.add_with(
        "main",
        Meta::new().depends_on(&attachment),
        ShieldDrtAccessRoleArnAssociation { role_arn: role.arn() },
    );
}
