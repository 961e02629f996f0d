//! What AWS bills by the hour or by the month, used or not: one list, which the report, the files of prices and their
//! schema read.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often something is billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// By the hour.
    Hour,
    /// By the month.
    Month,
}

impl Per {
    /// How often in a month; AWS's calculator takes 730 hours for one.
    /// <https://docs.aws.amazon.com/pricing-calculator/latest/userguide/what-is-pricing-calculator.html>
    #[must_use]
    pub const fn in_a_month(self) -> u32 {
        match self {
            Self::Hour => 730,
            Self::Month => 1,
        }
    }
}

impl fmt::Display for Per {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Hour => "hour",
            Self::Month => "month",
        })
    }
}

contract::closed_list! {
    /// Something that is billed by the hour or by the month.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Meter {
        /// An interface endpoint, in each zone that it stands in.
        InterfaceEndpoint,
        /// A NAT gateway.
        NatGateway,
        /// A public IPv4 address, whoever holds it.
        PublicIpv4,
        /// A network firewall, in each zone that it stands in.
        NetworkFirewall,
        /// An Application Load Balancer.
        LoadBalancer,
        /// A trust store that a listener verifies clients by.
        TrustStore,
        /// A vCPU of Fargate, x86.
        FargateCpuX86,
        /// A GB of memory of Fargate, x86.
        FargateMemoryX86,
        /// A vCPU of Fargate, ARM.
        FargateCpuArm,
        /// A GB of memory of Fargate, ARM.
        FargateMemoryArm,
        /// A GB of a task's own disk beyond the first 20.
        FargateStorage,
        /// An instance of RDS.
        RdsInstance,
        /// A GB of storage of an instance of RDS.
        RdsStorage,
        /// A capacity unit of Aurora Serverless v2.
        AuroraCapacity,
        /// A unit of provisioned reads of DynamoDB.
        DynamodbReadUnit,
        /// A unit of provisioned writes of DynamoDB.
        DynamodbWriteUnit,
        /// A customer-managed key.
        KmsKey,
        /// A secret.
        Secret,
        /// A web ACL.
        WebAcl,
        /// A rule of a web ACL.
        WebAclRule,
        /// A metric that an alarm looks at.
        Alarm,
        /// The same, looked at more than once a minute.
        HighResolutionAlarm,
        /// An alarm made of others.
        CompositeAlarm,
        /// A dashboard.
        Dashboard,
        /// A hosted zone.
        HostedZone,
    }
}

/// What there is to say of a meter.
struct About {
    key: &'static str,
    per: Per,
    one: &'static str,
    reason: &'static str,
    sizes: Option<&'static str>,
}

impl Meter {
    /// Its key in a file of prices; of what has sizes, the part before the colon.
    #[must_use]
    pub fn key(self) -> &'static str {
        self.about().key
    }

    /// How often it is billed.
    #[must_use]
    pub fn per(self) -> Per {
        self.about().per
    }

    /// What one of it is.
    #[must_use]
    pub fn one(self) -> &'static str {
        self.about().one
    }

    /// What it is for.
    #[must_use]
    pub fn reason(self) -> &'static str {
        self.about().reason
    }

    /// An example of what follows the key and a colon, where its sizes have prices of their own.
    #[must_use]
    pub fn sizes(self) -> Option<&'static str> {
        self.about().sizes
    }

    /// The meter of a key of a file of prices, `nat-gateway` or `rds-instance:db.m7g.large:multi-az`.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        let (name, size) = key.split_once(':').map_or((key, None), |(name, size)| (name, Some(size)));
        let meter = Self::ALL.into_iter().find(|meter| meter.key() == name)?;
        let fits = match (meter.sizes(), size) {
            (None, None) => true,
            (Some(_), Some(size)) => {
                size.split(':').count() == 2 && size.split(':').all(|part| !part.is_empty())
            }
            _ => false,
        };
        fits.then_some(meter)
    }

    fn about(self) -> About {
        let (key, per, one, reason) = match self {
            Self::InterfaceEndpoint => (
                "interface-endpoint",
                Per::Hour,
                "an endpoint in a zone",
                "tasks reach a service of AWS without leaving AWS",
            ),
            Self::NatGateway => ("nat-gateway", Per::Hour, "a gateway", "tasks reach third parties"),
            Self::PublicIpv4 => (
                "public-ipv4",
                Per::Hour,
                "an address",
                "addresses of the load balancer, at least one in each zone, and of NAT gateways",
            ),
            Self::NetworkFirewall => (
                "network-firewall",
                Per::Hour,
                "an endpoint in a zone",
                "connections leave for listed names alone",
            ),
            Self::LoadBalancer => {
                ("load-balancer", Per::Hour, "a load balancer", "clients reach the services")
            }
            Self::TrustStore => ("trust-store", Per::Hour, "a trust store", "clients prove who they are"),
            Self::FargateCpuX86 => {
                ("fargate-cpu-x86", Per::Hour, "a vCPU", "tasks run, as many as are desired")
            }
            Self::FargateMemoryX86 => {
                ("fargate-memory-x86", Per::Hour, "a GB of memory", "tasks run, as many as are desired")
            }
            Self::FargateCpuArm => {
                ("fargate-cpu-arm", Per::Hour, "a vCPU", "tasks run, as many as are desired")
            }
            Self::FargateMemoryArm => {
                ("fargate-memory-arm", Per::Hour, "a GB of memory", "tasks run, as many as are desired")
            }
            Self::FargateStorage => {
                ("fargate-storage", Per::Hour, "a GB of disk beyond 20", "tasks have a disk of their own")
            }
            Self::RdsInstance => ("rds-instance", Per::Hour, "an instance", "PostgreSQL keeps the records"),
            Self::RdsStorage => {
                ("rds-storage", Per::Month, "a GB of storage", "PostgreSQL keeps the records")
            }
            Self::AuroraCapacity => (
                "aurora-capacity",
                Per::Hour,
                "a capacity unit",
                "Aurora keeps the records, at its least capacity",
            ),
            Self::DynamodbReadUnit => (
                "dynamodb-read-unit",
                Per::Hour,
                "a unit of reads",
                "records are read at a rate that is kept free",
            ),
            Self::DynamodbWriteUnit => (
                "dynamodb-write-unit",
                Per::Hour,
                "a unit of writes",
                "records are written at a rate that is kept free",
            ),
            Self::KmsKey => {
                ("kms-key", Per::Month, "a key", "what is kept is encrypted with keys of one's own")
            }
            Self::Secret => ("secret", Per::Month, "a secret", "tasks and databases are given their secrets"),
            Self::WebAcl => {
                ("web-acl", Per::Month, "a web ACL", "requests are looked at before the services")
            }
            Self::WebAclRule => (
                "web-acl-rule",
                Per::Month,
                "a rule or group of rules",
                "requests are looked at before the services",
            ),
            Self::Alarm => {
                ("alarm", Per::Month, "a metric of an alarm", "somebody is told of what goes wrong")
            }
            Self::HighResolutionAlarm => (
                "high-resolution-alarm",
                Per::Month,
                "a metric of an alarm",
                "somebody is told within seconds",
            ),
            Self::CompositeAlarm => (
                "composite-alarm",
                Per::Month,
                "an alarm made of others",
                "somebody is told once of several causes",
            ),
            Self::Dashboard => ("dashboard", Per::Month, "a dashboard", "people see what runs"),
            Self::HostedZone => ("hosted-zone", Per::Month, "a zone", "the domain is answered for"),
        };
        let sizes = match self {
            Self::RdsInstance => Some("db.m7g.large:multi-az"),
            Self::RdsStorage => Some("gp3:multi-az"),
            _ => None,
        };
        About { key, per, one, reason, sizes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_meter_has_a_key_of_its_own_by_which_it_is_found() {
        for meter in Meter::ALL {
            let key = meter.sizes().map_or(meter.key().to_owned(), |size| format!("{}:{size}", meter.key()));
            assert_eq!(Meter::of_key(&key), Some(meter), "{key}");
        }
        for wrong in
            ["nat", "nat-gateway:large", "rds-instance", "rds-instance:db.m7g.large", "rds-instance:a:", ""]
        {
            assert_eq!(Meter::of_key(wrong), None, "{wrong}");
        }
    }
}
