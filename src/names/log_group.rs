//! Every log group of the platform.

use crate::config::{EnvConfig, NetworkPart, Part, PostgresRunsOn, Region, ServiceName, Workload};
use crate::names::database;

/// Every log group of the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogGroup {
    /// What the main service writes.
    Service,
    /// What a service beside it writes.
    Further(ServiceName),
    /// What is typed in ECS Exec sessions.
    Exec,
    /// Container Insights' own.
    Insights,
    /// VPC flow logs.
    Flow,
    /// The web ACL's.
    Waf,
    /// PostgreSQL's own.
    Postgres,
    /// What an upgrade of PostgreSQL writes.
    PostgresUpgrade,
    /// The samples of the databases' operating systems, of every database in the account and region.
    RdsOs,
    /// The account's trail.
    Trail,
    /// The queries of the hosted zone.
    Queries,
    /// What the network firewall drops.
    FirewallAlerts,
    /// The connections that the network firewall sees.
    FirewallFlows,
    /// Where the data protection policies report what they find.
    Findings,
    /// What goes wrong in the export.
    Export,
}

impl LogGroup {
    /// Those that are not a further service's.
    pub const ALL: [Self; 14] = [
        Self::Service,
        Self::Exec,
        Self::Insights,
        Self::Flow,
        Self::Waf,
        Self::Postgres,
        Self::PostgresUpgrade,
        Self::RdsOs,
        Self::Trail,
        Self::Queries,
        Self::FirewallAlerts,
        Self::FirewallFlows,
        Self::Findings,
        Self::Export,
    ];

    /// The group's name in Terraform's addresses, in its delivery stream's name and in the audit bucket.
    #[must_use]
    pub fn identifier(&self) -> String {
        let name = match self {
            Self::Further(name) => return format!("service_{}", name.as_str().replace('-', "_")),
            Self::Service => "service",
            Self::Exec => "exec",
            Self::Insights => "insights",
            Self::Flow => "flow",
            Self::Waf => "waf",
            Self::Postgres => "postgres",
            Self::PostgresUpgrade => "postgres_upgrade",
            Self::RdsOs => "rds_os",
            Self::Trail => "trail",
            Self::Queries => "queries",
            Self::FirewallAlerts => "firewall_alerts",
            Self::FirewallFlows => "firewall_flows",
            Self::Findings => "findings",
            Self::Export => "export",
        };
        name.to_owned()
    }

    /// The group's name at AWS.
    #[must_use]
    pub fn name(&self, config: &EnvConfig) -> String {
        let names = &config.names;
        match self {
            // ECS composes this name from the cluster's.
            Self::Insights => format!("/aws/ecs/containerinsights/{}/performance", names.prefix()),
            Self::Waf => names.waf_log_group(),
            // RDS composes these from the database's.
            // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html
            Self::Postgres => database::log_group(config, "postgresql"),
            Self::PostgresUpgrade => database::log_group(config, "upgrade"),
            // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Monitoring.OS.CloudWatchLogs.html
            Self::RdsOs => "RDSOSMetrics".to_owned(),
            // Route 53 writes to groups of this prefix alone.
            // <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/query-logs.html#query-logs-configuring>
            Self::Queries => format!("/aws/route53/{}", config.hosted_zone),
            // Groups of this prefix do not count against the size of the policy that lets AWS deliver to them.
            // <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-CWL.html>
            Self::Findings | Self::FirewallAlerts | Self::FirewallFlows => {
                format!("/aws/vendedlogs{}", names.log_group(&self.identifier().replace('_', "-")))
            }
            Self::Service | Self::Exec | Self::Flow | Self::Trail | Self::Export => {
                names.log_group(&self.identifier())
            }
            Self::Further(name) => names.log_group(&format!("services/{name}")),
        }
    }

    /// The group's ARN, put together from its name, for policies that must stand before it does.
    #[must_use]
    pub fn arn(&self, config: &EnvConfig) -> String {
        config.arn_in(&self.region(config), "logs", &format!("log-group:{}", self.name(config)))
    }

    /// The ARNs of groups that this one comes after, with `*` for what is not known of them: what they hold stays
    /// encrypted under the same key.
    #[must_use]
    pub fn earlier(&self, config: &EnvConfig) -> Option<String> {
        let name = match self {
            Self::Postgres => database::earlier_log_groups(config, "postgresql"),
            Self::PostgresUpgrade => database::earlier_log_groups(config, "upgrade"),
            _ => None,
        };
        name.map(|name| config.arn("logs", &format!("log-group:{name}")))
    }

    /// Whether RDS composes the group's name from the database's, so that a restored database has another group.
    #[must_use]
    pub const fn is_of_database(&self) -> bool {
        matches!(self, Self::Postgres | Self::PostgresUpgrade)
    }

    /// The region that the group lies in.
    #[must_use]
    pub fn region(&self, config: &EnvConfig) -> Region {
        config.zone_abroad().filter(|_| *self == Self::Queries).unwrap_or_else(|| config.region.clone())
    }

    /// The groups that an environment has.
    pub fn all(config: &EnvConfig) -> impl Iterator<Item = Self> {
        let own = Self::ALL.into_iter().filter(|group| group.is_wanted(config));
        own.chain(config.workloads().skip(1).map(Self::of))
    }

    /// A service's.
    #[must_use]
    pub fn of(workload: Workload<'_>) -> Self {
        match workload.further {
            None => Self::Service,
            Some(further) => Self::Further(further.service.name.clone()),
        }
    }

    /// Whether the environment has the group.
    #[must_use]
    pub fn is_wanted(&self, config: &EnvConfig) -> bool {
        let postgres = config.data.postgres.as_ref();
        match self {
            Self::Export => config.logs.export,
            Self::Trail => config.account.owns(Part::Trail),
            Self::Queries => config.dns.create_zone,
            Self::FirewallAlerts | Self::FirewallFlows => config.network.has_firewall(),
            Self::Postgres => postgres.is_some(),
            // Aurora writes no such log.
            Self::PostgresUpgrade => {
                postgres.is_some_and(|postgres| matches!(postgres.runs_on, PostgresRunsOn::Instance(_)))
            }
            // One for the whole account: where there is more than one environment, the baseline's owner makes it.
            Self::RdsOs => postgres.is_some() && config.account.baseline,
            Self::Flow => config.network.owns(NetworkPart::FlowLogs),
            Self::Service | Self::Further(_) | Self::Exec | Self::Insights | Self::Waf | Self::Findings => {
                true
            }
        }
    }
}
