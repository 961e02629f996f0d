//! Copies of the data stores: a locked vault, a plan, who copies and who restores, and a second region's vault.
//!
//! A vault's lock has a shortest and a longest time to keep, and refuses jobs outside of them, so a plan that somebody
//! shortens later fails instead of thinning out what is kept (PCI 10.3.3 for what the copies hold of the audit log).

use aws::backup_plan::{CopyAction, CopyActionOptional, Lifecycle, Rule, RuleOptional};
use aws::backup_restore_testing_plan::{RecoveryPointSelection, RecoveryPointSelectionOptional};
use aws::document::policy::{Condition, Policy, Principal, Statement};
use aws::kind::{IdentityPolicy, KmsKeyArn, ResourcePolicy, TrustPolicy};
use aws::power;
use aws::{
    BackupPlan, BackupPlanHandle, BackupRestoreTestingPlan, BackupRestoreTestingPlanOptional,
    BackupRestoreTestingSelection, BackupRestoreTestingSelectionOptional, BackupSelection,
    BackupSelectionOptional, BackupVault, BackupVaultHandle, BackupVaultLockConfiguration,
    BackupVaultLockConfigurationOptional, BackupVaultOptional, BackupVaultPolicy, IamRoleHandle,
    IamRolePolicyAttachment,
};
use contract::Table;
use terraform::kind::Text;
use terraform::{Expr, Meta, NonEmpty, ProviderRef, Resource, Stack, set, text};

use super::{data, kms, role, storage};
use crate::config::{Backup, EnvConfig, Weekday};

/// What is copied, and where to.
pub struct Outputs {
    /// The vault in the environment's region.
    pub vault: BackupVaultHandle,
}

/// What the copies are made of.
pub struct Inputs<'a> {
    /// The keys.
    pub keys: &'a kms::Outputs,
    /// The buckets.
    pub buckets: &'a storage::Outputs,
    /// The data stores.
    pub data: &'a data::Outputs,
    /// The provider of the recovery region, if there is one.
    pub recovery: Option<&'a ProviderRef>,
}

/// Builds vault, plan and roles.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, backup: &Backup, inputs: &Inputs<'_>) -> Outputs {
    let vault =
        vault(stack, config, backup, Place { name: "main", key: inputs.keys.data.arn(), provider: None });
    let away = inputs.recovery.zip(inputs.keys.recovery.as_ref()).map(|(provider, key)| {
        self::vault(
            stack,
            config,
            backup,
            Place { name: "recovery", key: key.arn(), provider: Some(provider) },
        )
    });
    let plan = plan(stack, config, backup, &vault, away.as_ref());
    let mut denied = narrowed(inputs);
    // Whoever restores writes to what has another name than its source, which nobody knows yet.
    let restore_denied = narrowed(inputs);
    denied.push(match &inputs.buckets.statements {
        Some(bucket) => {
            let objects = text![bucket.arn(), "/*"];
            Statement::deny_except("OwnObjects", power::of("reads any object"), [objects])
        }
        None => Statement::<IdentityPolicy>::deny("NoObjects", power::of("reads any object"), ["*"]),
    });
    let role = copying_role(stack, config, "backup", "Copies the data stores into the vault", &COPY, denied);
    // People who restore pass this role on to AWS Backup: whoever may copy cannot overwrite what is there.
    let restore =
        copying_role(stack, config, "restore", "Restores copies out of the vault", &RESTORE, restore_denied);
    stack.add(
        "main",
        BackupSelection {
            iam_role_arn: set(role.arn()),
            name: set("data-stores"),
            plan_id: set(plan.id()),
            optional: BackupSelectionOptional { resources: set(selected(inputs)), ..Default::default() },
        },
    );
    if let Some((weekday, hour)) = backup.restore_test {
        restore_test(stack, config, inputs, &Restores { vault: &vault, role: &restore, weekday, hour });
    }
    stack.output("backup_vault", "The vault that copies of the data stores lie in.", vault.name());
    stack.output(
        "restore_role_arn",
        "The role to give to AWS Backup with a copy that is to be restored.",
        restore.arn().text(),
    );
    Outputs { vault }
}

/// Where a vault is.
struct Place<'a> {
    name: &'static str,
    key: Expr<KmsKeyArn>,
    provider: Option<&'a ProviderRef>,
}

impl Place<'_> {
    fn meta<R: Resource>(&self) -> Meta<R> {
        self.provider.map_or_else(Meta::new, |provider| Meta::new().provider(provider))
    }
}

fn vault(stack: &mut Stack<'_>, config: &EnvConfig, backup: &Backup, place: Place<'_>) -> BackupVaultHandle {
    let vault = stack.add_with(
        place.name,
        place.meta().prevent_destroy(config.protection),
        BackupVault {
            name: set(config.names.prefix().to_owned()),
            optional: BackupVaultOptional {
                kms_key_arn: set(place.key.clone()),
                force_destroy: set(!config.protection),
                ..Default::default()
            },
        },
    );
    if !config.protection {
        return vault;
    }
    stack.add_with(
        place.name,
        place.meta(),
        BackupVaultLockConfiguration {
            backup_vault_name: set(vault.name()),
            optional: BackupVaultLockConfigurationOptional {
                changeable_for_days: backup.grace_days.map(Expr::new),
                min_retention_days: set(backup.daily_days),
                max_retention_days: set(backup.monthly_days),
            },
        },
    );
    stack.add_with(
        place.name,
        place.meta(),
        BackupVaultPolicy { backup_vault_name: set(vault.name()), policy: set(Policy::new([keep()])) },
    );
    vault
}

/// Nobody deletes a copy or lets one go sooner, while a lock in `GOVERNANCE` holds too. The policy itself can be
/// replaced by whoever may: a vault whose policy nobody can change is one that nobody can look after.
fn keep() -> Statement<ResourcePolicy> {
    let actions = ["backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle"];
    Statement::<ResourcePolicy>::deny("KeepCopies", Principal::Anyone, actions, ["*"])
}

/// One copy a day, and one a month that is kept for longer.
fn plan(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    backup: &Backup,
    vault: &BackupVaultHandle,
    away: Option<&BackupVaultHandle>,
) -> BackupPlanHandle {
    let rule = |name: &'static str, days_of_month: &str, keep: u32| {
        let lifecycle = || Lifecycle { delete_after: set(keep), ..Default::default() };
        let copy = |vault: &BackupVaultHandle| CopyAction {
            destination_vault_arn: set(vault.arn()),
            optional: CopyActionOptional { lifecycle: Some(lifecycle()) },
        };
        Rule {
            rule_name: set(name),
            target_vault_name: set(vault.name()),
            optional: RuleOptional {
                schedule: set(format!("cron(0 {} {days_of_month} * ? *)", backup.hour)),
                // Minutes to begin and to finish: a job that does neither is reported as failed.
                start_window: set(60),
                completion_window: set(360),
                lifecycle: Some(lifecycle()),
                copy_action: away.map(copy).into_iter().collect(),
                ..Default::default()
            },
        }
    };
    let rules =
        NonEmpty::new(rule("daily", "*", backup.daily_days), [rule("monthly", "1", backup.monthly_days)]);
    stack.add(
        "main",
        BackupPlan { name: set(config.names.prefix().to_owned()), rule: rules, optional: Default::default() },
    )
}

/// By their ARNs, so that nothing is left out for want of a tag.
fn selected(inputs: &Inputs<'_>) -> Vec<Expr<Text>> {
    let mut all: Vec<_> = inputs.buckets.statements.iter().map(|bucket| bucket.arn().text()).collect();
    if let Some(tables) = &inputs.data.dynamodb {
        all.extend(Table::ALL.map(|table| tables.of(table).arn().text()));
    }
    all.extend(inputs.data.postgres.as_ref().map(|database| database.arn.clone()));
    all
}

/// What is restored, and when.
struct Restores<'a> {
    vault: &'a BackupVaultHandle,
    role: &'a IamRoleHandle,
    weekday: Weekday,
    hour: u32,
}

/// The latest copy of each store is restored once a week and deleted again; each report says how long it took. What is
/// restored is beside the store, in the same subnets and under the same key, and nothing may speak to it: a database gets
/// the VPC's default security group, which has no rule.
/// <https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing.html>
fn restore_test(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>, restores: &Restores<'_>) {
    let plan = stack.add(
        "main",
        BackupRestoreTestingPlan {
            // Letters, digits and underscores.
            name: set(config.names.prefix().replace('-', "_")),
            schedule_expression: set(format!(
                "cron(0 {} ? * {} *)",
                restores.hour,
                restores.weekday.as_str()
            )),
            optional: BackupRestoreTestingPlanOptional {
                recovery_point_selection: vec![RecoveryPointSelection {
                    algorithm: set("LATEST_WITHIN_WINDOW"),
                    include_vaults: set([restores.vault.arn()]),
                    recovery_point_types: set(["SNAPSHOT"]),
                    optional: RecoveryPointSelectionOptional {
                        selection_window_days: set(7),
                        ..Default::default()
                    },
                }],
                schedule_expression_timezone: set("Etc/UTC"),
                start_window_hours: set(4),
                ..Default::default()
            },
        },
    );
    for Restored { name, kind, arns, overrides } in restored(inputs) {
        stack.add(
            name,
            BackupRestoreTestingSelection {
                iam_role_arn: set(restores.role.arn()),
                name: set(name),
                protected_resource_type: set(kind),
                restore_testing_plan_name: set(plan.name()),
                optional: BackupRestoreTestingSelectionOptional {
                    protected_resource_arns: set(arns),
                    restore_metadata_overrides: (!overrides.is_empty()).then(|| set(overrides)),
                    ..Default::default()
                },
            },
        );
    }
}

/// A kind of store, as AWS Backup restores it.
struct Restored {
    name: &'static str,
    kind: &'static str,
    arns: Vec<Expr<Text>>,
    /// What AWS Backup would infer otherwise: its own key, the default subnets.
    /// <https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing-inferred-metadata.html>
    overrides: Vec<(&'static str, Expr<Text>)>,
}

fn restored(inputs: &Inputs<'_>) -> Vec<Restored> {
    let buckets = inputs.buckets.statements.iter().map(|bucket| Restored {
        name: "buckets",
        kind: "S3",
        arns: vec![bucket.arn().text()],
        overrides: Vec::new(),
    });
    let mut all: Vec<Restored> = buckets.collect();
    all.extend(inputs.data.dynamodb.as_ref().map(|tables| Restored {
        name: "tables",
        kind: "DynamoDB",
        arns: Table::ALL.map(|table| tables.of(table).arn().text()).to_vec(),
        overrides: vec![
            ("encryptionType", Expr::new("KMS")),
            ("kmsMasterKeyArn", inputs.keys.data.arn().text()),
        ],
    }));
    all.extend(inputs.data.postgres.as_ref().map(|database| Restored {
        name: "database",
        kind: database.backup_type,
        arns: vec![database.arn.clone()],
        overrides: vec![("dbSubnetGroupName", database.subnet_group.clone())],
    }));
    all
}

/// What AWS Backup needs, as AWS itself keeps it: its jobs change, and a list of our own would fail with them.
/// <https://docs.aws.amazon.com/aws-backup/latest/devguide/security-iam-awsmanpol.html>
const COPY: [&str; 2] =
    ["service-role/AWSBackupServiceRolePolicyForBackup", "AWSBackupServiceRolePolicyForS3Backup"];
const RESTORE: [&str; 2] =
    ["service-role/AWSBackupServiceRolePolicyForRestores", "AWSBackupServiceRolePolicyForS3Restore"];

/// What AWS's policies allow on everything, and no copy of ours needs: other keys than those of the stores and the vaults
/// (PCI 3.6.1.3), roles to pass on, machines to start (PCI 7.2.5).
fn narrowed(inputs: &Inputs<'_>) -> Vec<Statement<IdentityPolicy>> {
    let keys = [Some(inputs.keys.data.arn()), inputs.keys.recovery.as_ref().map(kms::Key::arn)];
    let of_keys = power::of("decrypts with any key").chain(power::of("gives keys away or disables them"));
    let others = power::of("passes any role").chain(power::of("runs code elsewhere"));
    vec![
        Statement::deny_except("OwnKeys", of_keys, keys.into_iter().flatten().map(Expr::text)),
        Statement::<IdentityPolicy>::deny("CopiesAlone", others, ["*"]),
    ]
}

fn copying_role(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    name: &'static str,
    description: &'static str,
    policies: &[&str],
    denied: Vec<Statement<IdentityPolicy>>,
) -> IamRoleHandle {
    let service = Principal::service("backup.amazonaws.com");
    let trust = Statement::<TrustPolicy>::assume("Backup", service)
        .when(Condition::string_equals("aws:SourceAccount", [config.account_id.to_string()]));
    let (role, _) = role::with_policy(stack, config, name, description, trust, denied);
    for (policy, of) in policies.iter().zip(["stores", "buckets"]) {
        stack.add(
            format!("{name}_{of}"),
            IamRolePolicyAttachment {
                role: set(role.name()),
                policy_arn: Expr::external(format!("arn:{}:iam::aws:policy/{policy}", config.partition())),
            },
        );
    }
    role
}

#[cfg(test)]
mod tests {
    use terraform::Value;

    use super::super::probe::*;

    #[test]
    fn production_copies_every_store_into_a_vault_that_nobody_can_open() {
        let root = platform("");
        let selection = node(&root, "aws_backup_selection.main");
        assert_eq!(
            all_written(at(selection, "resources")),
            [
                "aws_s3_bucket.statements.arn",
                "aws_dynamodb_table.records.arn",
                "aws_dynamodb_table.audit.arn"
            ]
        );
        let lock = node(&root, "aws_backup_vault_lock_configuration.main");
        assert_eq!(at(lock, "changeable_for_days"), &Value::Number(14.into()));
        assert_eq!(at(lock, "min_retention_days"), &Value::Number(35.into()));
        assert_eq!(at(lock, "max_retention_days"), &Value::Number(400.into()));
        let vault = node(&root, "aws_backup_vault.main");
        assert_eq!(written(at(vault, "kms_key_arn")), "aws_kms_key.data.arn");
        assert_eq!(at(vault, "force_destroy"), &Value::Bool(false));
        let denied = statement(node(&root, "aws_backup_vault_policy.main"), "policy", "KeepCopies");
        assert!(!allows(denied.expect("a denial")));
        assert!(nodes(&root, "aws_backup_vault").len() == 1, "a copy elsewhere that nobody asked for");
    }

    #[test]
    fn postgres_is_copied_too() {
        let root = platform("[data]\nstore = \"postgres\"");
        let resources = all_written(at(node(&root, "aws_backup_selection.main"), "resources"));
        assert_eq!(resources, ["aws_s3_bucket.statements.arn", "aws_db_instance.main.arn"]);
    }

    #[test]
    fn what_production_copies_is_restored_once_a_week_to_see_whether_it_can_be() {
        let root = platform("data.postgres.enabled = true");
        let plan = node(&root, "aws_backup_restore_testing_plan.main");
        assert_eq!(text_at(plan, "schedule_expression"), "cron(0 9 ? * SUN *)");
        assert_eq!(text_at(plan, "name"), "txn_reconcile_test");
        let selections = nodes(&root, "aws_backup_restore_testing_selection");
        let mut restored: Vec<String> =
            selections.iter().flat_map(|one| all_written(at(one, "protected_resource_arns"))).collect();
        let mut copied = all_written(at(node(&root, "aws_backup_selection.main"), "resources"));
        restored.sort();
        copied.sort();
        assert_eq!(restored, copied, "what is copied is not what is restored");
        let tables = node(&root, "aws_backup_restore_testing_selection.tables");
        assert_eq!(written(at(tables, "restore_metadata_overrides.kmsMasterKeyArn")), "aws_kms_key.data.arn");
        let kind = |text: &str| {
            let root = platform(text);
            let database = node(&root, "aws_backup_restore_testing_selection.database");
            text_at(database, "protected_resource_type").to_owned()
        };
        assert_eq!(kind("data.postgres.enabled = true"), "RDS");
        let aurora = "data.postgres.enabled = true\ndata.postgres.engine = \"aurora-serverless\"";
        assert_eq!(kind(aurora), "Aurora");
        let off = |text: &str| nodes(&platform(text), "aws_backup_restore_testing_plan").is_empty();
        assert!(off("production = false") && off("backup.restore_test.enabled = false"));
        assert!(!off("production = false\nbackup.restore_test.enabled = true"));
    }

    #[test]
    fn a_lock_outside_of_production_can_be_lifted_and_none_is_where_all_may_go() {
        let root = platform("production = false");
        let lock = node(&root, "aws_backup_vault_lock_configuration.main");
        assert!(lock.argument("changeable_for_days").is_none());
        let root = platform(FLEETING);
        assert!(nodes(&root, "aws_backup_vault_lock_configuration").is_empty());
        assert_eq!(at(node(&root, "aws_backup_vault.main"), "force_destroy"), &Value::Bool(true));
        assert!(
            nodes(&platform("production = false\n[backup]\nenabled = false"), "aws_backup_vault").is_empty()
        );
    }

    #[test]
    fn with_a_recovery_region_every_copy_goes_there_as_well() {
        let root = platform("recovery.region = \"us-west-2\"");
        let away = node(&root, "aws_backup_vault.recovery");
        assert_eq!(away.provider(), Some("aws.recovery"));
        assert_eq!(written(at(away, "kms_key_arn")), "aws_kms_key.recovery.arn");
        assert_eq!(
            node(&root, "aws_backup_vault_lock_configuration.recovery").provider(),
            Some("aws.recovery")
        );
        let rules = at(node(&root, "aws_backup_plan.main"), "rule").as_list().expect("rules");
        assert_eq!(rules.len(), 2);
        for rule in rules {
            let copies = rule.get("copy_action").and_then(Value::as_list).expect("copies");
            let vault = copies[0].get("destination_vault_arn").expect("a vault");
            assert_eq!(written(vault), "aws_backup_vault.recovery.arn");
        }
    }

    #[test]
    fn who_copies_cannot_restore() {
        let root = platform("");
        let policies = |name: &str| {
            text_at(node(&root, &format!("aws_iam_role_policy_attachment.{name}")), "policy_arn")
        };
        assert!(policies("backup_stores").ends_with("AWSBackupServiceRolePolicyForBackup"));
        assert!(policies("restore_stores").ends_with("AWSBackupServiceRolePolicyForRestores"));
    }
}
