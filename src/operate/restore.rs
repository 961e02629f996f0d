//! The steps that put a restored data store in the place of a damaged one; pure.
//!
//! A restore makes a new table, instance or cluster: AWS never writes over the damaged one. So the environment's file names
//! the restored one, and Terraform's state lets the damaged one go, which `prevent_destroy` would not let a plan do.

use std::fmt::Write as _;
use std::path::Path;
use std::str::FromStr;

use contract::Table;

use super::call::{is_the_account, quoted};
use crate::config::{Date, EnvConfig, Invalid, Postgres, PostgresRunsOn, Store, Strategy};
use crate::names::{LogGroup, cluster};

/// A second in UTC, as RFC 3339 writes it: `2026-11-30T10:15:00Z`. Both tables go back to the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point(String);

impl FromStr for Point {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let is_second = || {
            let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
            day.parse::<Date>().ok()?;
            let fits = |part: &str, most: u8| {
                part.len() == 2
                    && part.bytes().all(|b| b.is_ascii_digit())
                    && part.parse().is_ok_and(|n: u8| n <= most)
            };
            let parts: Vec<&str> = time.split(':').collect();
            matches!(parts[..], [hours, minutes, seconds] if fits(hours, 23) && fits(minutes, 59) && fits(seconds, 59))
                .then_some(())
        };
        if is_second().is_some() {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            format!("{text:?} is not a second in UTC"),
            "day and time without fractions, such as 2026-11-30T10:15:00Z",
        ))
    }
}

impl Point {
    /// As part of a name: `20261130t101500z`.
    fn suffix(&self) -> String {
        self.0.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    }
}

/// A key of the environment's file that names a restored store, and the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The keys on the way, from the root of the file.
    pub path: &'static [&'static str],
    /// The name of the restored store.
    pub name: String,
}

/// What the environment's file says once the store that the service uses is a restored one. The names follow from the
/// point, so that they are the same however often they are asked for.
#[must_use]
pub fn names(config: &EnvConfig, point: &Point) -> Vec<Named> {
    let suffix = point.suffix();
    match config.data.store {
        Store::DynamoDb => Table::ALL
            .into_iter()
            .map(|table| Named {
                path: path_of(table),
                name: format!("{}-{suffix}", config.names.of(table.name())),
            })
            .collect(),
        Store::Postgres => {
            vec![Named { path: &["data", "postgres", "identifier"], name: config.names.of(&suffix) }]
        }
    }
}

const fn path_of(table: Table) -> &'static [&'static str] {
    match table {
        Table::Records => &["data", "dynamodb", "tables", "records"],
        Table::Audit => &["data", "dynamodb", "tables", "audit"],
    }
}

/// Whether the file names those stores already.
#[must_use]
pub fn is_named(config: &EnvConfig, point: &Point) -> bool {
    let now = match config.data.store {
        Store::DynamoDb => Table::ALL.map(|table| config.table_name(table)).to_vec(),
        Store::Postgres => vec![config.database_identifier().to_owned()],
    };
    names(config, point).into_iter().map(|named| named.name).eq(now)
}

/// A step of the procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it does, as a sentence.
    pub title: &'static str,
    /// What to know before it.
    pub note: String,
    /// Lines for a POSIX shell, in order; none where people do it.
    pub commands: Vec<String>,
    /// Whether somebody has to read what came before it.
    pub after_reading: bool,
}

/// Where the command line said that things are.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// The folder of the environment files.
    pub envs: &'a Path,
    /// The folder of the root modules.
    pub out: &'a Path,
}

/// The steps, in order, from the file as it is before the restore.
#[must_use]
pub fn steps(config: &EnvConfig, point: &Point, places: Places<'_>) -> Vec<Step> {
    let of = Procedure { config, point, places };
    let mut steps = vec![of.prepare()];
    steps.extend(of.stop());
    steps.extend([of.restore(), of.wait(), of.name(), of.release(), of.take_in(), of.plan(), of.apply()]);
    steps.extend(of.deploy());
    steps.extend(of.repair());
    steps.extend(of.start());
    steps.extend([of.look(), of.record()]);
    steps
}

struct Procedure<'a> {
    config: &'a EnvConfig,
    point: &'a Point,
    places: Places<'a>,
}

fn step(title: &'static str, note: impl Into<String>, commands: Vec<String>) -> Step {
    Step { title, note: note.into(), commands, after_reading: false }
}

impl Procedure<'_> {
    fn aws(&self, call: &str) -> String {
        format!("aws {call} --region {}", self.config.region)
    }

    fn terraform(&self, call: &str) -> String {
        let root = self.places.out.join(self.config.name.as_str());
        format!("terraform -chdir={} {call}", quoted(&root.to_string_lossy()))
    }

    fn txnr(&self, call: &str, out: bool) -> String {
        let mut line = format!("txnr {call} --env {}", self.config.name);
        let mut folder = |flag: &str, folder: &Path, default: &str| {
            if folder != Path::new(default) {
                let _ = write!(line, " {flag} {}", quoted(&folder.to_string_lossy()));
            }
        };
        folder("--envs", self.places.envs, "envs");
        if out {
            folder("--out", self.places.out, "out");
        }
        line
    }

    fn prepare(&self) -> Step {
        step(
            "Write the root module of the environment as it is.",
            "Two people, with the account's administrators' role: see \"Break-glass\" in the runbook. Look at nothing but \
             this file from here on; merge nothing for this environment until the last step.",
            vec![self.txnr("synth", true), self.terraform("init -input=false")],
        )
    }

    fn service(&self) -> (String, String) {
        (cluster::name(self.config), self.config.service.name.to_string())
    }

    fn suspend(&self, suspended: bool) -> String {
        let (cluster, service) = self.service();
        self.aws(&format!(
            "application-autoscaling register-scalable-target --service-namespace ecs --scalable-dimension \
             ecs:service:DesiredCount --resource-id service/{cluster}/{service} --suspended-state \
             DynamicScalingInSuspended={suspended},DynamicScalingOutSuspended={suspended},\
             ScheduledScalingSuspended={suspended}"
        ))
    }

    fn count(&self, count: u32) -> Vec<String> {
        let (cluster, service) = self.service();
        let running = self.aws(&format!(
            "ecs describe-services --cluster {cluster} --services {service} --query 'services[0].runningCount' \
             --output text"
        ));
        vec![
            self.aws(&format!(
                "ecs update-service --cluster {cluster} --service {service} --desired-count {count} --query \
                 service.desiredCount"
            )),
            format!("until [ \"$({running})\" = {count} ]; do sleep 5; done"),
        ]
    }

    fn stop(&self) -> Option<Step> {
        self.config.service.image.as_ref()?;
        let mut commands = vec![self.suspend(true)];
        commands.extend(self.count(0));
        Some(step(
            "Stop the service.",
            "What it acknowledges from here on would be lost: only what the stores held at the point comes back.",
            commands,
        ))
    }

    fn restore(&self) -> Step {
        let names = names(self.config, self.point);
        match (self.config.data.store, &self.config.data.postgres) {
            (Store::Postgres, Some(postgres)) => step(
                "Restore the database beside the damaged one.",
                "RDS would otherwise take its default security group, subnets and parameters. \
                 https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIT.html",
                vec![self.restore_database(postgres, &names[0].name)],
            ),
            _ => step(
                "Restore both tables beside the damaged ones, to the same second.",
                "Keys, indexes, capacity and encryption come along. \
                 https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/pointintimerecovery_restores.html",
                Table::ALL
                    .into_iter()
                    .zip(&names)
                    .map(|(table, named)| {
                        self.aws(&format!(
                            "dynamodb restore-table-to-point-in-time --source-table-name {} --target-table-name {} \
                             --restore-date-time {} --query TableDescription.TableStatus",
                            self.config.table_name(table),
                            named.name,
                            self.point.0
                        ))
                    })
                    .collect(),
            ),
        }
    }

    fn restore_database(&self, postgres: &Postgres, name: &str) -> String {
        let output = |which: &str| format!("\"$({})\"", self.terraform(&format!("output -raw {which}")));
        let (from, prefix) = (self.config.database_identifier(), self.config.names.prefix());
        let switch = |on: bool, name: &str| if on { format!("--{name}") } else { format!("--no-{name}") };
        let common = format!(
            "--db-subnet-group-name {prefix} --vpc-security-group-ids {} --enable-iam-database-authentication \
             --copy-tags-to-snapshot {}",
            output("database_security_group_id"),
            switch(self.config.protection, "deletion-protection"),
        );
        let group = output("database_parameter_group");
        let call = match &postgres.runs_on {
            PostgresRunsOn::Instance(size) => format!(
                "rds restore-db-instance-to-point-in-time --source-db-instance-identifier {from} \
                 --target-db-instance-identifier {name} --restore-time {} --db-instance-class {} {} \
                 --storage-type gp3 --max-allocated-storage {} --no-publicly-accessible \
                 --auto-minor-version-upgrade --db-parameter-group-name {group} {common} \
                 --query DBInstance.DBInstanceStatus",
                self.point.0,
                size.class,
                switch(size.multi_az, "multi-az"),
                size.storage_gib_max,
            ),
            PostgresRunsOn::Aurora(size) => format!(
                "rds restore-db-cluster-to-point-in-time --source-db-cluster-identifier {from} \
                 --db-cluster-identifier {name} --restore-to-time {} --serverless-v2-scaling-configuration \
                 MinCapacity={},MaxCapacity={} --db-cluster-parameter-group-name {group} {common} \
                 --query DBCluster.Status",
                self.point.0, size.capacity_min, size.capacity_max,
            ),
        };
        self.aws(&call)
    }

    /// The waiters give up after some minutes; a restore may take hours.
    fn wait(&self) -> Step {
        let names = names(self.config, self.point);
        let waiter = |name: &str| match self.config.data.postgres.as_ref().map(|postgres| &postgres.runs_on) {
            Some(PostgresRunsOn::Instance(_)) if self.config.data.store == Store::Postgres => {
                format!("rds wait db-instance-available --db-instance-identifier {name}")
            }
            Some(PostgresRunsOn::Aurora(_)) if self.config.data.store == Store::Postgres => {
                format!("rds wait db-cluster-available --db-cluster-identifier {name}")
            }
            _ => format!("dynamodb wait table-exists --table-name {name}"),
        };
        step(
            "Wait until it is there.",
            "The time grows with what is stored, up to hours. If it does not end, look at the status in the console.",
            names
                .iter()
                .map(|named| {
                    format!(
                        "until {}; do echo '{} is not there yet'; done",
                        self.aws(&waiter(&named.name)),
                        named.name
                    )
                })
                .collect(),
        )
    }

    fn name(&self) -> Step {
        step(
            "Name it in the environment's file, and write the root module again.",
            "",
            vec![
                format!("{} --point {} --edit", self.txnr("restore", false), self.point.0),
                self.txnr("synth", true),
            ],
        )
    }

    /// What the damaged store keeps: its policies and, of a database, its logs. Terraform would take them from it.
    fn released(&self) -> Vec<String> {
        let config = self.config;
        if config.data.store == Store::DynamoDb {
            let mut all = Vec::new();
            for table in Table::ALL {
                let name = table.name();
                all.push(format!("aws_dynamodb_table.{name}"));
                all.push(format!("aws_dynamodb_resource_policy.{name}"));
                if config.recovery.region.is_some() {
                    all.push(format!("aws_dynamodb_resource_policy.{name}_replica"));
                }
            }
            return all;
        }
        let mut all = match config.data.postgres.as_ref().map(|postgres| &postgres.runs_on) {
            Some(PostgresRunsOn::Aurora(size)) => {
                let instances = (1..=size.readers.get() + 1)
                    .map(|number| format!("aws_rds_cluster_instance.main_{number}"));
                std::iter::once("aws_rds_cluster.main".to_owned()).chain(instances).collect()
            }
            _ => vec!["aws_db_instance.main".to_owned()],
        };
        let groups = LogGroup::all(config).filter(|group| group.is_of_database());
        for group in groups {
            let name = group.identifier();
            all.push(format!("aws_cloudwatch_log_group.{name}"));
            if group.holds_free_text() {
                all.push(format!("aws_cloudwatch_log_data_protection_policy.{name}"));
            }
            if config.logs.export {
                all.push(format!("aws_cloudwatch_log_subscription_filter.{name}"));
            }
        }
        all
    }

    fn release(&self) -> Step {
        step(
            "Let the damaged one go from Terraform's state.",
            "It stays as it is, with its policies and logs, for whoever looks for the cause.",
            vec![self.terraform(&format!("state rm {}", self.released().join(" ")))],
        )
    }

    fn take_in(&self) -> Step {
        let addresses = match self.config.data.postgres.as_ref().map(|postgres| &postgres.runs_on) {
            Some(PostgresRunsOn::Instance(_)) if self.config.data.store == Store::Postgres => {
                vec!["aws_db_instance.main".to_owned()]
            }
            Some(PostgresRunsOn::Aurora(_)) if self.config.data.store == Store::Postgres => {
                vec!["aws_rds_cluster.main".to_owned()]
            }
            _ => Table::ALL.map(|table| format!("aws_dynamodb_table.{}", table.name())).to_vec(),
        };
        let names = names(self.config, self.point);
        let import = |(address, named): (String, &Named)| {
            self.terraform(&format!("import -input=false {address} {}", named.name))
        };
        step(
            "Take the restored one into the state.",
            "",
            addresses.into_iter().zip(&names).map(import).collect(),
        )
    }

    fn plan(&self) -> Step {
        let brought = match self.config.data.store {
            Store::DynamoDb => {
                "point-in-time recovery, deletion protection, time to live, tags, stream and replicas, resource policies, \
                 scaling"
            }
            Store::Postgres => {
                "tags, logs, monitoring and the master user's secret (of Aurora also its instances)"
            }
        };
        step(
            "Plan.",
            format!(
                "It brings what a restore does not: {brought}; and turns the service, its rights, alarms and backups to \
                 the restored store. It must destroy no table, database, bucket or log."
            ),
            vec![self.terraform("plan -input=false -out=restore.plan")],
        )
    }

    fn apply(&self) -> Step {
        Step {
            after_reading: true,
            ..step(
                "Apply the plan.",
                "Once both have read it.",
                vec![self.terraform("apply -input=false restore.plan")],
            )
        }
    }

    fn deploy(&self) -> Option<Step> {
        let pipelined = self.config.service.deployment.strategy != Strategy::Rolling;
        (self.config.service.image.is_some() && pipelined).then(|| {
            step(
                "Deploy the image that ran, with the restored store.",
                "Run the environment's job of the last good run of \"Build\" again: Terraform has registered a revision, and \
                 a pipeline deploys it.",
                Vec::new(),
            )
        })
    }

    fn repair(&self) -> Option<Step> {
        if self.config.service.image.is_none() || !self.config.service.has_contract() {
            return None;
        }
        let main = self.config.workloads().next()?;
        let (cluster, service) = self.service();
        let placement = self.aws(&format!(
            "ecs describe-services --cluster {cluster} --services {service} --query 'services[0].networkConfiguration' \
             --output json"
        ));
        let overrides = format!(
            "{{\"containerOverrides\":[{{\"name\":\"{service}\",\"command\":[\"{}\"]}}]}}",
            contract::REPAIR_COMMAND[0]
        );
        let run = self.aws(&format!(
            "ecs run-task --launch-type FARGATE --cluster {cluster} --task-definition {} --network-configuration \
             \"$({placement})\" --overrides '{overrides}' --query 'tasks[0].taskArn' --output text",
            cluster::family(self.config, main),
        ));
        Some(step(
            "Bring every audit log and its head together.",
            "Before the service writes anything. Anchors under Object Lock tell of entries that came after the point and are gone; \
             and each table is restored by itself, so that of a transaction at that very second one may hold its part and the \
             other not. The repair says so in an entry of each log, which is anchored. The task's log holds what it found.",
            vec![
                format!("task=$({run})"),
                format!(
                    "until [ \"$({})\" = STOPPED ]; do sleep 5; done",
                    self.aws(&format!(
                        "ecs describe-tasks --cluster {cluster} --tasks \"$task\" --query 'tasks[0].lastStatus' --output text"
                    ))
                ),
                format!(
                    "[ \"$({})\" = 0 ]",
                    self.aws(&format!(
                        "ecs describe-tasks --cluster {cluster} --tasks \"$task\" --query \
                         'tasks[0].containers[?name==`{service}`].exitCode | [0]' --output text"
                    ))
                ),
            ],
        ))
    }

    fn start(&self) -> Option<Step> {
        self.config.service.image.as_ref()?;
        let mut commands = self.count(self.config.service.counts.desired);
        commands.push(self.suspend(false));
        Some(step("Start the service.", "", commands))
    }

    fn look(&self) -> Step {
        step(
            "See that nothing is left to change.",
            "Then compare counts and control totals with the last good reconciliation, and let each tenant's audit log be \
             verified (GET /v1/audit/verification).",
            vec![self.terraform("plan -input=false -detailed-exitcode")],
        )
    }

    fn record(&self) -> Step {
        step(
            "Commit the environment's file, and merge it.",
            "Its plan changes nothing. Write down how long each step took and what was lost. The damaged store is in no \
             state any more: delete it when the cause is found, with its deletion protection switched off first.",
            Vec::new(),
        )
    }
}

/// The steps as a script, those behind the first `after`: to be read, copied from, or run as a whole.
#[must_use]
pub fn script(config: &EnvConfig, point: &Point, steps: &[Step], after: usize) -> String {
    let mut text = format!(
        "# {}: back to {}, in stores of their own beside the damaged ones.\nset -eu\n\
         # Only with credentials of this account:\n{}\n",
        config.name,
        point.0,
        is_the_account(config)
    );
    for (number, step) in (after + 1..).zip(steps) {
        let _ = write!(text, "\n# {number}. {}\n", step.title);
        if !step.note.is_empty() {
            let _ = writeln!(text, "#    {}", step.note);
        }
        for command in &step.commands {
            let _ = writeln!(text, "{command}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stacks::probe::*;

    const EVERY: [&str; 6] = [
        "",
        "recovery.region = \"us-west-2\"\n[service]\nimage = \"v1\"",
        "data.dynamodb = { billing = \"provisioned\" }",
        "data.store = \"postgres\"",
        "data.store = \"postgres\"\ndata.postgres.engine = \"aurora-serverless\"\ndata.postgres.aurora.readers = 3",
        "production = false\nlogs.export = false\ndata.store = \"postgres\"",
    ];

    fn point() -> Point {
        "2026-11-30T10:15:00Z".parse().expect("a point")
    }

    fn all(config: &EnvConfig) -> Vec<Step> {
        steps(config, &point(), Places { envs: Path::new("envs"), out: Path::new("out") })
    }

    #[test]
    fn a_point_is_a_second_in_utc() {
        assert_eq!(point().suffix(), "20261130t101500z");
        for text in [
            "",
            "2026-11-30",
            "2026-11-30T10:15Z",
            "2026-11-30T10:15:00",
            "2026-11-30T10:15:00+01:00",
            "2026-11-30T10:15:00.5Z",
            "2026-02-29T10:15:00Z",
            "2026-11-30T24:00:00Z",
            "2026-11-30T10:60:00Z",
            "2026-11-30T10:15:60Z",
            "2026-11-30t10:15:00z",
            "2026-11-30T+1:15:00Z",
        ] {
            assert!(text.parse::<Point>().is_err(), "{text}");
        }
    }

    /// What is let go is there, and is all of what the new names would take from the damaged store and prevents it.
    #[test]
    fn what_is_let_go_is_what_the_new_names_would_destroy() {
        for text in EVERY {
            let config = EnvConfig::for_test(text);
            let root = platform(text);
            let places = Places { envs: Path::new("envs"), out: Path::new("out") };
            let released = Procedure { config: &config, point: &point(), places }.released();
            for address in &released {
                node(&root, address);
            }
            let mut named = config.clone();
            for Named { path, name } in names(&config, &point()) {
                match *path {
                    [_, "dynamodb", _, table] => {
                        let tables = &mut named.data.dynamodb.as_mut().expect("tables").tables;
                        let place = if table == "records" { &mut tables.records } else { &mut tables.audit };
                        *place = Some(name.parse().expect("a name"));
                    }
                    _ => {
                        named.data.postgres.as_mut().expect("a database").identifier =
                            Some(name.parse().expect("a name"));
                    }
                }
            }
            assert!(is_named(&named, &point()) && !is_named(&config, &point()));
            let after = crate::synth::synth(&named).expect("a module");
            for before in root.nodes().iter().filter(|node| node.prevent_destroy()) {
                let address = before.address().to_string();
                let now = node(&after, &address);
                let moved = ["name", "identifier", "cluster_identifier"]
                    .iter()
                    .any(|argument| before.argument(argument) != now.argument(argument));
                assert_eq!(
                    moved,
                    moved && released.contains(&address),
                    "{text}: {address} would be destroyed"
                );
            }
        }
    }

    #[test]
    fn both_tables_go_back_to_the_same_second() {
        let config = EnvConfig::for_test("[service]\nimage = \"v1\"");
        let steps = all(&config);
        let restore: Vec<&String> = steps
            .iter()
            .flat_map(|step| &step.commands)
            .filter(|line| line.contains("to-point-in-time"))
            .collect();
        assert_eq!(restore.len(), 2);
        for (line, table) in restore.into_iter().zip(["records", "audit"]) {
            assert!(line.contains("--restore-date-time 2026-11-30T10:15:00Z "), "{line}");
            let names = format!(
                "--source-table-name txn-reconcile-test-{table} --target-table-name txn-reconcile-test-{table}-20261130t101500z "
            );
            assert!(line.contains(&names), "{line}");
        }
    }

    #[test]
    fn what_is_not_deployed_is_neither_stopped_nor_started() {
        let calls = |text: &str| {
            let steps = all(&EnvConfig::for_test(text));
            steps.iter().flat_map(|step| &step.commands).filter(|line| line.contains("aws ecs")).count()
        };
        assert_eq!(calls(""), 0);
        assert!(calls("[service]\nimage = \"v1\"") > 4);
    }

    #[test]
    fn folders_of_ones_own_are_named_and_quoted() {
        let config = EnvConfig::for_test("");
        let steps =
            steps(&config, &point(), Places { envs: Path::new("my envs"), out: Path::new("it's/out") });
        let text = script(&config, &point(), &steps, 0);
        assert!(text.contains("txnr synth --env test --envs 'my envs' --out 'it'\\''s/out'\n"), "{text}");
        assert!(text.contains("terraform -chdir='it'\\''s/out/test' init"), "{text}");
    }
}
