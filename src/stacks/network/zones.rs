//! Whether the account has the availability zones that are named, and Fargate runs in them.

use aws::data;
use aws::data_availability_zones::Filter;
use aws::facts;
use terraform::kind::{List, Text};
use terraform::{Expr, Meta, Stack, set};

use crate::config::EnvConfig;

/// Looks the zones up, so that a plan fails where one is missing, rather than an apply in its middle. A letter stands for
/// another zone in each account; where Fargate does not run in all of a region's, those that it runs in are asked for by
/// their identifiers, which are the same for everybody.
/// <https://docs.aws.amazon.com/ram/latest/userguide/working-with-az-ids.html>
pub(super) fn check(stack: &mut Stack<'_>, config: &EnvConfig) {
    let fargate = facts::fargate_zones(config.region.as_str());
    let and = if fargate.is_some() { ", or Fargate does not run in it" } else { "" };
    let mut meta = Meta::new();
    for zone in &config.network.availability_zones {
        meta = meta.postcondition(
            Expr::<List<Text>>::itself("names").contains(zone.to_string()),
            format!(
                "network.availability_zones: the account has no zone {zone}{and}; `aws ec2 describe-availability-zones` \
                 shows those that it has."
            ),
        );
    }
    let named = config.network.availability_zones.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut filter = vec![Filter { name: set("zone-name"), values: set(named) }];
    filter.extend(fargate.map(|ids| Filter { name: set("zone-id"), values: set(ids) }));
    stack.add_with(
        "named",
        meta,
        data::AvailabilityZones { filter, state: set("available"), ..Default::default() },
    );
}
