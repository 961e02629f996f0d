//! PostgreSQL in RDS: what an instance and a cluster of Aurora share, and what becomes of both.

mod aurora;
mod instance;

use aws::document::policy::{Condition, Principal, Statement};
use aws::kind::{IdentityPolicy, SnsTopicArn, TrustPolicy};
use aws::{
    DbEventSubscription, DbEventSubscriptionOptional, DbSubnetGroup, DbSubnetGroupHandle,
    DbSubnetGroupOptional, IamRoleHandle, IamRolePolicyHandle, SecurityGroupHandle,
};
use terraform::kind::{Bool, Text};
use terraform::{Address, Expr, Meta, Resource, Stack, set};

use super::Inputs;
use crate::config::{EnvConfig, Postgres, PostgresRunsOn};
use crate::names::LogGroup;
use crate::stacks::role;

/// PostgreSQL, whatever runs it.
pub struct Database {
    /// Its ARN.
    pub arn: Expr<Text>,
    /// The host name to connect to.
    pub host: Expr<Text>,
    /// The id by which policies of IAM know the database: `db-…` or `cluster-…`.
    pub resource_id: Expr<Text>,
    /// The secret that holds the master user's name and password, by ARN; RDS makes and rotates it.
    pub master_secret: Expr<Text>,
    /// The name of the instance or cluster.
    pub identifier: Expr<Text>,
    /// The subnets that it stands in.
    pub subnet_group: Expr<Text>,
    /// What runs it, as AWS Backup calls it.
    pub backup_type: &'static str,
    /// What answers queries: the instance, or those of the cluster.
    pub instances: Vec<Address>,
    /// What its events come from.
    sources: Vec<Source>,
}

/// What events come from.
struct Source {
    /// What the subscription is called.
    subscription: &'static str,
    /// What RDS calls it.
    kind: &'static str,
    /// Which; all of the account where there are none.
    identifiers: Vec<Expr<Text>>,
    /// Of what is told.
    categories: &'static [&'static str],
}

impl Source {
    fn instances(subscription: &'static str, identifiers: Vec<Expr<Text>>) -> Self {
        let categories = &[
            "availability",
            "configuration change",
            "failover",
            "failure",
            "low storage",
            "maintenance",
            "notification",
            "recovery",
        ];
        Self { subscription, kind: "db-instance", identifiers, categories }
    }

    fn cluster(subscription: &'static str, identifier: Expr<Text>) -> Self {
        let categories = &["configuration change", "failover", "failure", "maintenance", "notification"];
        Self { subscription, kind: "db-cluster", identifiers: vec![identifier], categories }
    }

    fn every(subscription: &'static str, kind: &'static str, categories: &'static [&'static str]) -> Self {
        Self { subscription, kind, identifiers: Vec::new(), categories }
    }
}

pub(super) fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    postgres: &Postgres,
    security_group: &SecurityGroupHandle,
    inputs: &Inputs<'_>,
) -> Database {
    let common = Common {
        security_group,
        subnets: subnets(stack, config, inputs),
        monitoring: monitoring(stack, config),
        config,
        postgres,
        inputs,
    };
    let database = match &postgres.runs_on {
        PostgresRunsOn::Instance(instance) => instance::build(stack, &common, instance),
        PostgresRunsOn::Aurora(aurora) => aurora::build(stack, &common, *aurora),
    };
    stack.output(
        "database_security_group_id",
        "The security group of PostgreSQL, which a restored one is given.",
        security_group.id(),
    );
    stack.output("database_host", "The host name of PostgreSQL.", database.host.clone());
    stack.output(
        "database_master_secret_arn",
        "The secret of PostgreSQL's master user, which RDS makes and rotates; `migrate` alone uses it.",
        database.master_secret.clone(),
    );
    database
}

/// What both kinds of database are built from.
struct Common<'a> {
    config: &'a EnvConfig,
    postgres: &'a Postgres,
    inputs: &'a Inputs<'a>,
    security_group: &'a SecurityGroupHandle,
    subnets: DbSubnetGroupHandle,
    /// The role that the host writes its samples as.
    monitoring: (IamRoleHandle, IamRolePolicyHandle),
}

impl Common<'_> {
    /// What a database waits for, whatever runs it: its log groups, which RDS would otherwise make by itself,
    /// unencrypted and without an end, and the right to write to them.
    fn meta<R: Resource>(&self) -> Meta<R> {
        let mut meta = Meta::new().prevent_destroy(self.config.protection).depends_on(&self.monitoring.1);
        for group in &self.inputs.logs.database {
            meta = meta.depends_on(group);
        }
        meta
    }

    /// The last snapshot's name, where the database may not go without one.
    fn final_snapshot(&self) -> Option<Expr<Text>> {
        self.config.protection.then(|| Expr::new(format!("{}-final", self.config.database_identifier())))
    }

    /// Set where changes do not wait for the maintenance window.
    fn apply_immediately(&self) -> Option<Expr<Bool>> {
        self.postgres.apply_immediately.then(|| Expr::new(true))
    }
}

/// The master user. The service never connects as it.
const MASTER_USER: &str = "administrator";

/// The days that Performance Insights keeps without a further price.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PerfInsights.Overview.cost.html>
const INSIGHTS_DAYS: u32 = 7;

/// A parameter of PostgreSQL.
struct Parameter {
    name: &'static str,
    value: &'static str,
    /// When it takes effect, as RDS calls it.
    applied: &'static str,
}

const fn at_once(name: &'static str, value: &'static str) -> Parameter {
    Parameter { name, value, applied: "immediate" }
}

/// Parameters that differ from their defaults in some version. All but the libraries take effect without a restart; those
/// are there from the start in a new database, and after a restart in one that runs.
const PARAMETERS: [Parameter; 13] = [
    // PCI 4.2.1: nothing but TLS, and none before 1.2.
    at_once("rds.force_ssl", "1"),
    at_once("ssl_min_protocol_version", "TLSv1.2"),
    // PCI 8.3.2
    at_once("password_encryption", "scram-sha-256"),
    // PCI 10.2.1: who came and went, and who changed the tables.
    at_once("log_connections", "1"),
    at_once("log_disconnections", "1"),
    at_once("log_statement", "ddl"),
    // Statements of more than a second, without the values that they were given (PCI 3.3.1).
    at_once("log_min_duration_statement", "1000"),
    at_once("log_parameter_max_length", "0"),
    // PCI 10.2.1.1, 10.2.1.2, 10.2.1.5: who read or changed a record, whoever it was, and who may. Performance Insights
    // needs the other library, which is the default.
    // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.pgaudit.html
    // https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Appendix.PostgreSQL.CommonDBATasks.pgaudit.html
    Parameter {
        name: "shared_preload_libraries",
        value: "pg_stat_statements,pgaudit",
        applied: "pending-reboot",
    },
    at_once("pgaudit.log", "ddl,read,role,write"),
    // Which table, where a statement is of several; and neither the values that it was given (PCI 3.3.1), nor what is read
    // of the catalog alone.
    at_once("pgaudit.log_relation", "1"),
    at_once("pgaudit.log_parameter", "0"),
    at_once("pgaudit.log_catalog", "0"),
];

fn subnets(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) -> DbSubnetGroupHandle {
    let subnets = inputs.network.data_subnets.clone();
    stack.add(
        "main",
        DbSubnetGroup {
            subnet_ids: set(subnets),
            optional: DbSubnetGroupOptional {
                name: set(config.names.prefix().to_owned()),
                description: set("The data stores' subnets, without a route out of the VPC"),
                tags: set([("Name", config.names.prefix().to_owned())]),
                ..Default::default()
            },
        },
    )
}

/// The role that the database's host writes the samples of its operating system as.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Monitoring.OS.Enabling.html>
fn monitoring(stack: &mut Stack<'_>, config: &EnvConfig) -> (IamRoleHandle, IamRolePolicyHandle) {
    let prefixes = [config.names.prefix(), config.database_identifier()];
    let wanted = if prefixes[1].starts_with(prefixes[0]) { &prefixes[..1] } else { &prefixes[..] };
    let databases: Vec<String> =
        wanted.iter().map(|prefix| config.arn("rds", &format!("db:{prefix}*"))).collect();
    let trust =
        Statement::<TrustPolicy>::assume("Monitoring", Principal::service("monitoring.rds.amazonaws.com"))
            .when(Condition::string_equals("aws:SourceAccount", [config.account_id.to_string()]))
            .when(Condition::arn_like("aws:SourceArn", databases));
    let group = LogGroup::RdsOs.arn(config);
    let statements = [
        Statement::<IdentityPolicy>::allow(
            "Group",
            ["logs:CreateLogGroup", "logs:PutRetentionPolicy"],
            [group.clone()],
        ),
        Statement::<IdentityPolicy>::allow(
            "Write",
            ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:GetLogEvents", "logs:PutLogEvents"],
            [format!("{group}:log-stream:*")],
        ),
    ];
    role::with_policy(
        stack,
        config,
        "monitoring",
        "Writes the samples of the database's operating system",
        trust,
        statements,
    )
}

/// Tells the topic of what happens to the database: failovers, failures, maintenance, storage that runs out (PCI 10.7.2).
/// And of changes to it, to groups of parameters and to groups of security, wherever they are in the account (PCI 11.5.2,
/// Security Hub's RDS.20, RDS.21 and RDS.22).
pub fn subscribe(stack: &mut Stack<'_>, config: &EnvConfig, database: &Database, topic: &Expr<SnsTopicArn>) {
    let groups = [
        Source::every("database-parameters", "db-parameter-group", &["configuration change"]),
        Source::every("database-groups", "db-security-group", &["configuration change", "failure"]),
    ];
    for source in database.sources.iter().chain(&groups) {
        let name = source.subscription;
        stack.add(
            name.replace('-', "_"),
            DbEventSubscription {
                sns_topic: topic.clone(),
                optional: DbEventSubscriptionOptional {
                    name: set(config.names.of(name)),
                    source_type: set(source.kind),
                    source_ids: match source.identifiers.as_slice() {
                        [] => None,
                        some => set(some.to_vec()),
                    },
                    event_categories: set(source.categories.to_vec()),
                    tags: set([("Name", config.names.of(name))]),
                    ..Default::default()
                },
            },
        );
    }
}
