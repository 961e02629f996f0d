//! What several environments must not claim together.

use std::collections::BTreeSet;

use terraform::Errors;

use crate::config::problem::{KeyPath, Problems};
use crate::config::{DomainName, EnvConfig, FurtherName};
use crate::synth::synth;

/// Notes, at `this`, what it claims that `other` claims as well.
pub(super) fn check(this: &EnvConfig, other: &EnvConfig, problems: &mut Problems) {
    let theirs = &other.name;
    if this.account_id == other.account_id && this.account.baseline && other.account.baseline {
        problems.error(
            "account_id",
            format!("the environment `{theirs}` owns the singletons of the same account as well"),
            "`baseline = false` under [account] in all environments of an account but one",
        );
    }
    check_kinds(this, other, problems);
    check_names(this, other, problems);
    check_stores(this, other, problems);
    check_state(this, other, problems);
    if hosts(other).any(|host| *host == this.domain) && this.hosted_zone == other.hosted_zone {
        problems.error(
            "domain",
            format!("the environment `{theirs}` has the same domain"),
            "a domain of its own for each environment",
        );
    }
    for (name, further) in &this.services {
        let taken = further
            .hosts
            .iter()
            .find(|host| **host != this.domain && hosts(other).any(|theirs| theirs == *host));
        if let Some(host) = taken.filter(|_| this.hosted_zone == other.hosted_zone) {
            problems.error(
                KeyPath::from("services").key(name.as_str()).key("hosts"),
                format!("the environment `{theirs}` has the host {host} as well"),
                "a host of its own for each environment",
            );
        }
    }
    if this.dns.create_zone && other.dns.create_zone && this.hosted_zone == other.hosted_zone {
        problems.error(
            "dns.create_zone",
            format!("the environment `{theirs}` makes the zone {} as well", this.hosted_zone),
            "a zone of its own under `hosted_zone`, or `create_zone` in one environment alone: the parent delegates to one",
        );
    }
    if let Some((ours, others)) = this.network.own().zip(other.network.own())
        && ours.cidr.overlaps(others.cidr)
    {
        problems.warning(
            "network.cidr",
            format!("{} overlaps {}, the range of `{theirs}`", ours.cidr, others.cidr),
            "ranges that share no address, or the two can never be connected",
        );
    }
}

/// The pipeline of an environment owns what its account holds, whatever else stands there: who may apply a developers'
/// environment would be an owner of production's data (PCI 6.5.3, 7.2.5).
fn check_kinds(this: &EnvConfig, other: &EnvConfig, problems: &mut Problems) {
    if this.account_id != other.account_id || this.production == other.production {
        return;
    }
    let production = if this.production { this } else { other };
    if production.deviations.iter().any(|deviation| deviation.control.as_str() == "R070") {
        return;
    }
    let kind =
        if this.production { "no cardholder data is handled" } else { "real cardholder data is handled" };
    problems.error(
        "account_id",
        format!("the environment `{}`, where {kind}, stands in the same account (PCI DSS 6.5.3)", other.name),
        format!(
            "an account of its own for each kind, or in the file of `{}` a deviation from R070 until a day, under \
             [[deviations]]",
            production.name
        ),
    );
}

/// Every name that leads to an environment's load balancer.
fn hosts(config: &EnvConfig) -> impl Iterator<Item = &DomainName> {
    std::iter::once(&config.domain).chain(config.services.values().flat_map(|further| &further.hosts))
}

/// Within which bounds two resources of a type cannot have the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    /// In an account, or wider.
    Account,
    /// In a region of an account.
    Region,
}

/// Every type of resource that AWS knows by a name which is composed here, and the argument that holds the name.
const NAMED: [(&str, &str, Scope); 35] = [
    ("aws_backup_vault", "name", Scope::Region),
    ("aws_cloudtrail", "name", Scope::Region),
    ("aws_cloudwatch_composite_alarm", "alarm_name", Scope::Region),
    ("aws_cloudwatch_dashboard", "dashboard_name", Scope::Account),
    ("aws_cloudwatch_event_rule", "name", Scope::Region),
    ("aws_cloudwatch_log_group", "name", Scope::Region),
    ("aws_cloudwatch_metric_alarm", "alarm_name", Scope::Region),
    ("aws_codedeploy_app", "name", Scope::Region),
    ("aws_db_event_subscription", "name", Scope::Region),
    ("aws_db_instance", "identifier", Scope::Region),
    ("aws_db_parameter_group", "name", Scope::Region),
    ("aws_db_subnet_group", "name", Scope::Region),
    ("aws_dynamodb_table", "name", Scope::Region),
    ("aws_ecr_repository", "name", Scope::Region),
    ("aws_ecs_cluster", "name", Scope::Region),
    ("aws_ecs_task_definition", "family", Scope::Region),
    ("aws_iam_policy", "name", Scope::Account),
    ("aws_iam_role", "name", Scope::Account),
    ("aws_iam_user", "name", Scope::Account),
    ("aws_kinesis_firehose_delivery_stream", "name", Scope::Region),
    ("aws_kms_alias", "name", Scope::Region),
    ("aws_lb", "name", Scope::Region),
    ("aws_lb_target_group", "name", Scope::Region),
    ("aws_lb_trust_store", "name", Scope::Region),
    ("aws_networkfirewall_firewall", "name", Scope::Region),
    ("aws_networkfirewall_firewall_policy", "name", Scope::Region),
    ("aws_networkfirewall_rule_group", "name", Scope::Region),
    ("aws_rds_cluster", "cluster_identifier", Scope::Region),
    ("aws_s3_bucket", "bucket", Scope::Account),
    ("aws_secretsmanager_secret", "name", Scope::Region),
    ("aws_sns_topic", "name", Scope::Region),
    ("aws_sqs_queue", "name", Scope::Region),
    ("aws_wafv2_ip_set", "name", Scope::Region),
    ("aws_wafv2_regex_pattern_set", "name", Scope::Region),
    ("aws_wafv2_web_acl", "name", Scope::Region),
];

/// The names that an environment's resources have at AWS: the type's scope, the type, the name.
#[derive(Debug, Default)]
pub(super) struct Taken(BTreeSet<(Scope, &'static str, String)>);

impl Taken {
    /// Those of an environment, as its module spells them.
    ///
    /// # Errors
    /// When there is no such module.
    pub(super) fn by(config: &EnvConfig) -> Result<Self, Errors> {
        let root = synth(config)?;
        let named = root.nodes().iter().filter_map(|node| {
            let (kind, argument, scope) =
                NAMED.into_iter().find(|(kind, ..)| *kind == node.address().kind())?;
            Some((scope, kind, node.argument(argument)?.as_str()?.to_owned()))
        });
        Ok(Self(named.collect()))
    }
}

/// Notes the first name that both have: whichever is applied later fails, or takes over what is the other's.
pub(super) fn check_taken([this, other]: [(&EnvConfig, &Taken); 2], problems: &mut Problems) {
    let same_region = this.0.region == other.0.region;
    let met = |(scope, ..): &&(Scope, &str, String)| same_region || *scope == Scope::Account;
    if let Some((_, kind, name)) = this.1.0.intersection(&other.1.0).find(met) {
        problems.error(
            "project",
            format!("`{}` has an {kind} called {name} in the same account as well", other.0.name),
            "another project name, or other names for the environment's file or its services",
        );
    }
}

/// An object of the bucket is one environment's, and what begins with its key is closed to the others.
fn check_state(this: &EnvConfig, other: &EnvConfig, problems: &mut Problems) {
    let (ours, theirs) = (&this.state, &other.state);
    let begins = |whole: &str, part: &str| whole.starts_with(part);
    let meet =
        begins(ours.key.as_str(), theirs.key.as_str()) || begins(theirs.key.as_str(), ours.key.as_str());
    if ours.bucket == theirs.bucket && meet {
        let what = if ours.key == theirs.key {
            format!("`{}` keeps its state in the same object, {}", other.name, theirs.key)
        } else {
            format!(
                "the state of `{}` lies at {}: one of the two keys begins with the other",
                other.name, theirs.key
            )
        };
        let help = format!("a key of its own, such as `{}/{}/terraform.tfstate`", this.project, this.name);
        problems.error("state.key", what, help).because_of(&["state.bucket"]);
    }
}

/// A restored table or database can be called by any name, also by one of another environment.
fn check_stores(this: &EnvConfig, other: &EnvConfig, problems: &mut Problems) {
    if this.account_id != other.account_id || this.names.prefix() == other.names.prefix() {
        return;
    }
    let theirs = &other.name;
    let regions = |config: &EnvConfig| [Some(config.region.clone()), config.recovery.region.clone()];
    let shared = regions(this).into_iter().flatten().any(|region| regions(other).contains(&Some(region)));
    if this.data.dynamodb.is_some() && other.data.dynamodb.is_some() && shared {
        for table in contract::Table::ALL {
            let name = this.table_name(table);
            if contract::Table::ALL.into_iter().any(|their| other.table_name(their) == name) {
                problems.error(
                    KeyPath::from("data.dynamodb.tables").key(table.name()),
                    format!("the environment `{theirs}` has the table {name} as well"),
                    "a table of its own for each environment",
                );
            }
        }
    }
    if this.data.postgres.is_some()
        && other.data.postgres.is_some()
        && this.region == other.region
        && this.database_identifier() == other.database_identifier()
    {
        problems.error(
            "data.postgres.identifier",
            format!("the environment `{theirs}` has the database {} as well", this.database_identifier()),
            "a database of its own for each environment",
        );
    }
}

/// Names of roles are unique in an account and those of buckets in the world, so neither can be had twice in two regions;
/// a repository's name is the service's alone, and unique in a region.
fn check_names(this: &EnvConfig, other: &EnvConfig, problems: &mut Problems) {
    if this.account_id != other.account_id {
        return;
    }
    let theirs = &other.name;
    if this.names.prefix() == other.names.prefix() {
        let what = format!(
            "in the same account, the names of `{theirs}` begin with {} as well",
            this.names.prefix()
        );
        problems.error("project", what, "another project name, or another name for the environment's file");
    }
    // The boundary keeps an environment from what is named after another one whose name begins as its own does.
    let rest = other.names.prefix().strip_prefix(&this.names.of("")).unwrap_or_default();
    let after = |name: &&FurtherName| name.as_str().starts_with(&format!("{rest}-"));
    if let Some(name) = this.services.keys().find(after).filter(|_| !rest.is_empty()) {
        problems.error(
            KeyPath::from("services").key(name.as_str()),
            format!("in the same account, the names of `{theirs}` begin as those of this service do"),
            "another name for the service, or another account for one of the environments",
        );
    }
    if this.region == other.region && this.service.name == other.service.name {
        problems.error(
            "service.name",
            format!(
                "`{theirs}` has an image repository called {} in the same account and region",
                this.service.name
            ),
            format!(
                "a name of its own, such as `name = \"{}-{}\"` under [service]",
                this.service.name, this.name
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::parse;
    use std::path::Path;

    fn environment(name: &str, project: &str, more: &str) -> EnvConfig {
        let region = if more.contains("region =") { "" } else { "region = \"us-east-1\"\n" };
        let text = format!(
            "organization = \"acme\"\naccount_id = \"111122223333\"\nproject = \"{project}\"\n{region}\
             domain = \"{name}.{project}.example.com\"\nproduction = false\naccount.baseline = false\n\
             network.cidr = \"10.30.0.0/16\"\nservice.name = \"{project}-{name}\"\nservice.contract = \"txn-reconcile-api\"\n{more}"
        );
        match parse(Path::new(&format!("{name}.toml")), &text) {
            Ok((config, _)) => config,
            Err(report) => panic!("{report}"),
        }
    }

    /// What the two claim together.
    fn met(this: &EnvConfig, other: &EnvConfig) -> Vec<String> {
        let mut problems = Problems::default();
        check(this, other, &mut problems);
        if !problems.has_errors() {
            let [ours, theirs] = [this, other].map(|config| Taken::by(config).expect("a sound module"));
            check_taken([(this, &ours), (other, &theirs)], &mut problems);
        }
        let errors = problems.into_vec().into_iter();
        errors
            .filter(|problem| problem.severity == crate::config::problem::Severity::Error)
            .map(|problem| format!("{}: {}", problem.key, problem.what))
            .collect()
    }

    #[test]
    fn two_projects_of_an_account_share_nothing() {
        let (pay, ship) = (environment("prod", "pay", ""), environment("prod", "ship", ""));
        assert_eq!(met(&pay, &ship), Vec::<String>::new());
    }

    #[test]
    fn production_shares_its_account_with_production_alone() {
        const DEVIATION: &str = "[[deviations]]\ncontrol = \"R070\"\nowner = \"The platform team\"\n\
            reason = \"The second account is ordered\"\ncompensating = \"Nobody but the operators applies either\"\n\
            approver = \"The security officer\"\nexpires = \"2031-03-31\"\n";
        let dev = environment("dev", "pay", "");
        let live = |more: &str| {
            let mut live = environment("prod", "pay", more);
            live.production = true;
            live
        };
        for (this, other) in [(&live(""), &dev), (&dev, &live(""))] {
            let said = met(this, other);
            assert!(said[0].starts_with("account_id: ") && said[0].contains("6.5.3"), "{said:?}");
        }
        assert_eq!(met(&live(DEVIATION), &dev), Vec::<String>::new());
        assert_eq!(met(&dev, &live(DEVIATION)), Vec::<String>::new());
        let mut second = environment("second", "pay", "");
        second.production = true;
        assert_eq!(met(&live(""), &second), Vec::<String>::new());
    }

    #[test]
    fn names_that_are_composed_of_other_parts_meet_all_the_same() {
        let hyphens = met(&environment("c", "a-b", ""), &environment("b-c", "a", ""));
        assert!(hyphens[0].starts_with("project: ") && hyphens[0].contains("a-b-c"), "{hyphens:?}");
        // The roles of the service `eu` in `prod`, and those of the main one in `prod-eu`.
        let eu = "[services.eu]\npaths = [\"/eu/*\"]\n";
        let (prod, other) = (environment("prod", "pay", eu), environment("prod-eu", "pay", ""));
        let said = met(&prod, &other);
        assert!(said[0].contains("aws_iam_role called pay-prod-eu-"), "{said:?}");
        let further = "[services.eu-office]\npaths = [\"/eu/*\"]\n";
        let said = met(&environment("prod", "pay", further), &other);
        assert!(said[0].starts_with("services.eu-office: ") && said[0].contains("begin as"), "{said:?}");
        let elsewhere = environment("prod-eu", "pay", "region = \"eu-west-1\"\n");
        assert_eq!(met(&prod, &elsewhere).len(), 1, "roles know no regions");
    }

    #[test]
    fn a_state_is_one_environments() {
        let at = |name, project, key: &str| {
            environment(name, project, &format!("[state]\nbucket = \"shared-state\"\nkey = \"{key}\"\n"))
        };
        let pay = at("prod", "pay", "pay/prod/terraform.tfstate");
        assert_eq!(met(&pay, &at("prod", "ship", "ship/prod/terraform.tfstate")), Vec::<String>::new());
        for key in ["pay/prod/terraform.tfstate", "pay/prod", "pay/prod/terraform.tfstate.d"] {
            let said = met(&pay, &at("prod", "ship", key));
            assert!(said[0].starts_with("state.key: "), "{key}: {said:?}");
        }
    }

    /// Whatever of a whole environment has a name of its own is looked at, but for what lies within something named.
    #[test]
    fn every_type_that_bears_the_environments_name_is_looked_at() {
        // Unique within a role, a bus, a namespace, a plan or not at all.
        const WITHIN: [&str; 7] = [
            "aws_backup_plan",
            "aws_cloudwatch_log_metric_filter",
            "aws_cloudwatch_log_stream",
            "aws_cloudwatch_log_subscription_filter",
            "aws_cloudwatch_query_definition",
            "aws_ecs_service",
            "aws_iam_role_policy",
        ];
        let config = environment("prod", "pay", "data.postgres.enabled = true\n");
        let root = synth(&config).expect("a module");
        let mut missed: Vec<&str> = Vec::new();
        for node in root.nodes() {
            let kind = node.address().kind();
            let named = ["name", "alarm_name", "bucket", "identifier", "family"].iter().any(|argument| {
                let text = node.argument(argument).and_then(terraform::Value::as_str);
                text.is_some_and(|text| text.starts_with("pay-prod") || text.starts_with("/pay/prod"))
            });
            if named && !NAMED.iter().any(|(known, ..)| *known == kind) && !WITHIN.contains(&kind) {
                missed.push(kind);
            }
        }
        missed.sort_unstable();
        missed.dedup();
        assert_eq!(missed, Vec::<&str>::new());
    }
}
