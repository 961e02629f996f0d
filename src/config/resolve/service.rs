//! Resolves `[service]`, and what `[services.NAME]` has in common with it.

use crate::config::MIGRATE;
use crate::config::problem::{KeyPath, Problems};
use crate::config::section::{
    BlueGreen, Contract, Counts, Deployment, Made, Service, ServiceFile, Sidecar, Strategy,
};
use crate::config::value::{
    AccountId, Bounded, FargateSize, ImageRef, InterfaceEndpoint, PolicyArn, Region, RetentionDays,
    VariableName, credential,
};
use contract::{Sensitivity, Var};
use std::collections::BTreeMap;

/// What a service's values are checked against.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub region: Option<&'a Region>,
    pub account: Option<&'a AccountId>,
    /// The endpoints of ours; none where they are somebody else's.
    pub endpoints: Option<&'a [InterfaceEndpoint]>,
    pub retention: RetentionDays,
    pub production: bool,
    /// Whether somebody besides the tasks' start may read the secrets.
    pub secrets_are_read: bool,
}

/// A service's table.
struct Section<'a> {
    at: &'a KeyPath,
    file: &'a ServiceFile,
    around: Around<'a>,
}

impl Section<'_> {
    /// The path of a key in the table.
    fn key(&self, dotted: &str) -> KeyPath {
        self.at.below(dotted)
    }

    /// A heading below the table, as the file would say it.
    fn heading(&self, dotted: &str) -> String {
        format!("[{}]", self.key(dotted))
    }

    /// Whether its variables are the contract's.
    fn has_contract(&self) -> bool {
        self.file.contract == Some(Contract::TxnReconcileApi)
    }
}

/// The service at `at` as the stacks build it; `None` if the task's size does not exist, which is noted, or if nothing says
/// what it runs.
pub(super) fn resolve(
    at: &KeyPath,
    file: ServiceFile,
    around: Around<'_>,
    problems: &mut Problems,
) -> Option<Service> {
    let section = Section { at, file: &file, around };
    check_exec(&section, problems);
    check_variables(&section, problems);
    check_sidecars(&section, problems);
    check_parameters(&section, problems);
    check_policies(&section, problems);
    check_services(&section, problems);
    check_schedule(&section, problems);
    check_times(&section, problems);
    check_strategy(&section, problems);
    check_repository(&section, problems);
    let counts = counts(&section, problems);
    let size = size(&section, problems);
    let contract = file.contract?;
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let (command, health_command) = match contract {
        Contract::TxnReconcileApi => (words(&contract::SERVE_COMMAND), words(&contract::HEALTH_COMMAND)),
        Contract::None => (file.command.clone(), file.health_command.clone()),
    };
    let made = Made {
        contract,
        name: file.name.clone(),
        container_port: u16::try_from(file.container_port.get()).ok()?,
        user_id: file.user_id.get(),
        size: size?,
        ephemeral_storage_gib: file.ephemeral_storage_gib.get(),
        counts,
        tmp: contract == Contract::TxnReconcileApi || file.tmp == Some(true),
        stop_timeout_seconds: file.stop_timeout_seconds.get(),
        deregistration_delay_seconds: file.deregistration_delay_seconds.get(),
        log_retention_days: file.log_retention_days.unwrap_or(around.retention),
        command,
        health_command,
        deployment: file.deployment.clone(),
    };
    Some(Service::new(file, made))
}

fn size(section: &Section<'_>, problems: &mut Problems) -> Option<FargateSize> {
    let file = section.file;
    FargateSize::new(file.cpu, file.memory)
        .map_err(|invalid| {
            let key = if FargateSize::CPU_UNITS.contains(&file.cpu) { "memory" } else { "cpu" };
            problems
                .error(section.key(key), invalid.problem, invalid.allowed)
                .because_of_paths([section.key("cpu"), section.key("memory")]);
        })
        .ok()
}

fn counts(section: &Section<'_>, problems: &mut Problems) -> Counts {
    let file = section.file;
    let desired = file.desired_count.get();
    let min = file.min_count.map_or(desired, |count| count.get());
    let max = file.max_count.map_or((desired * 4).min(1000), |count| count.get());
    if min > desired {
        let what = format!("at least {min} tasks, but {desired} at the first deployment");
        problems
            .error(section.key("min_count"), what, format!("at most `desired_count`, {desired}"))
            .because_of_paths([section.key("desired_count")]);
    }
    if max < desired {
        let what = format!("at most {max} tasks, but {desired} at the first deployment");
        problems
            .error(section.key("max_count"), what, format!("at least `desired_count`, {desired}"))
            .because_of_paths([section.key("desired_count")]);
    }
    Counts { desired, min, max }
}

/// The endpoints, through which tasks pull, lead to the registry of their own region.
fn check_repository(section: &Section<'_>, problems: &mut Problems) {
    let (Some(repository), Some(region)) = (&section.file.image_repository, section.around.region) else {
        return;
    };
    if repository.region() != region.as_str() {
        problems
            .warning(
                section.key("image_repository"),
                format!(
                    "the images lie in {}, and the endpoints of {region} lead to no other region's registry",
                    repository.region()
                ),
                "a repository in the environment's region, to which the registry replicates the images",
            )
            .because_of(&["region"]);
    }
}

fn check_exec(section: &Section<'_>, problems: &mut Problems) {
    if section.around.production && section.file.exec {
        problems
            .error(
                section.key("exec"),
                "a session in a production container evades change control (PCI DSS 6.5.1)",
                "false; to look into a container, use an environment that is not production",
            )
            .because_of(&["production"]);
    }
}

/// A variable has one source, and none that is secret stands in the task definition.
fn check_variables(section: &Section<'_>, problems: &mut Problems) {
    let file = section.file;
    let environment = |name: &VariableName| section.key("environment").key(name.as_str());
    let secrets = |name: &VariableName| section.key("secrets").key(name.as_str());
    // Any other program is told nothing by the platform.
    let platform = |name: &VariableName| section.has_contract() && belongs_to_platform(name);
    let plain = file.environment.keys().map(|name| (name, environment(name)));
    let filled = |table: &'static str| move |name| (name, section.key(table).key(VariableName::as_str(name)));
    let named = plain
        .chain(file.secrets.keys().map(|name| (name, secrets(name))))
        .chain(file.parameters.keys().map(filled("parameters")))
        .chain(file.generated_secrets.keys().map(filled("generated_secrets")));
    for (name, path) in named.filter(|(name, _)| platform(name)) {
        problems.error(
            path,
            format!("{name} is the platform's to set"),
            "remove the line; the value follows from the environment's name and the other settings",
        );
    }
    let plain_secret = |name: &&VariableName| is_secret(name) && !is_filled(file, name) && !platform(name);
    for name in file.environment.keys().filter(plain_secret) {
        problems.error(
            environment(name),
            format!(
                "{name} looks like a secret, and would stand in the task definition and in Terraform's state"
            ),
            format!(
                "under {}, `{name}` and the ARN of a secret that holds the value (PCI DSS 8.6.2)",
                section.heading("secrets")
            ),
        );
    }
    for (name, why) in credentials(&file.environment) {
        problems.error(
            environment(name),
            format!("the value looks like {why}, and would stand in the repository, in the task definition and in Terraform's state"),
            format!("under {}, `{name}` and the ARN of a secret that holds the value (PCI DSS 8.6.2)", section.heading("secrets")),
        );
    }
    for variable in file.environment.keys().filter(|variable| is_filled(file, variable)) {
        problems
            .error(
                environment(variable),
                format!("{variable} is filled from a secret as well"),
                format!(
                    "one of the two; a value that is secret belongs under {}",
                    section.heading("secrets")
                ),
            )
            .because_of_paths([section.key("secrets")]);
    }
    let parameters = file.parameters.keys().filter(|name| file.secrets.contains_key(*name));
    let parameters = parameters.map(|name| (name, section.key("parameters").key(name.as_str())));
    let generated = file
        .generated_secrets
        .keys()
        .filter(|name| file.secrets.contains_key(*name) || file.parameters.contains_key(*name))
        .map(|name| (name, section.key("generated_secrets").key(name.as_str())));
    for (variable, path) in parameters.chain(generated) {
        problems.error(path, format!("{variable} is filled from another place as well"), "one of the two");
    }
    for (variable, settings) in &file.generated_secrets {
        if settings.rotation_function.is_some() && !section.around.secrets_are_read {
            problems
                .error(
                    section.key("generated_secrets").key(variable.as_str()).key("rotation_function"),
                    "the function cannot read the secret that it rotates",
                    "the function's role under `readers` in [secrets]",
                )
                .because_of(&["secrets.readers"]);
        }
    }
}

/// Whether a variable's value comes from outside the task definition.
fn is_filled(file: &ServiceFile, name: &VariableName) -> bool {
    file.secrets.contains_key(name)
        || file.parameters.contains_key(name)
        || file.generated_secrets.contains_key(name)
}

/// Parameters are read when a task starts, through an endpoint that leads to those of its own region and account.
fn check_parameters(section: &Section<'_>, problems: &mut Problems) {
    let Around { region, account, endpoints, .. } = section.around;
    for (name, arn) in &section.file.parameters {
        let elsewhere = region.is_some_and(|region| region.as_str() != arn.region())
            || account.is_some_and(|account| account.as_str() != arn.account());
        if elsewhere {
            problems
                .error(
                    section.key("parameters").key(name.as_str()),
                    "the parameter is another region's or account's, to which the endpoint does not lead",
                    "a parameter of the environment's own region and account",
                )
                .because_of(&["region", "account_id"]);
        }
    }
    let missing = endpoints.is_some_and(|endpoints| !endpoints.contains(&InterfaceEndpoint::Ssm));
    if missing && !section.file.parameters.is_empty() {
        problems
            .error(
                section.key("parameters"),
                "without an endpoint for ssm no task can start that reads parameters",
                "add \"ssm\" to `network.endpoints.interface`",
            )
            .because_of(&["network.endpoints.interface"]);
    }
}

/// A role has the least privileges that it needs (PCI 7.2.5): AWS's own policies, which know no resource of ours, are held to
/// what they allow on everything.
fn check_policies(section: &Section<'_>, problems: &mut Problems) {
    let policies: &[PolicyArn] = &section.file.task_policies;
    for (index, policy) in policies.iter().enumerate() {
        let Some(name) = aws::managed::name(policy.as_str()) else { continue };
        let problem = match aws::managed::powers(name) {
            None => format!("{name} is no policy of AWS that this version of txnr knows"),
            Some(powers) if powers.is_empty() => continue,
            Some(powers) => {
                let powers: Vec<&str> = powers.into_iter().collect();
                format!("whoever has {name} {} (PCI 7.2.5)", listed(&powers))
            }
        };
        problems.error(
            section.key("task_policies").index(index),
            problem,
            "a policy of your own that names the actions and resources, such as \
             arn:aws:iam::111122223333:policy/back-office",
        );
    }
}

/// `a`, `a and b`, `a, b and 3 more`: enough to see why.
fn listed(powers: &[&str]) -> String {
    match powers {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [one, two] => format!("{one} and {two}"),
        [one, two, more @ ..] => format!("{one}, {two} and {} more", more.len()),
    }
}

/// Through these a role could leave its boundary, or the account.
const IDENTITY_SERVICES: [&str; 5] = ["account", "iam", "organizations", "sso", "sts"];

fn check_services(section: &Section<'_>, problems: &mut Problems) {
    for (index, service) in section.file.task_services.iter().enumerate() {
        if IDENTITY_SERVICES.contains(&service.as_str()) {
            problems.error(
                section.key("task_services").index(index),
                format!(
                    "no task has a need of {service}, through which it could leave its boundary (PCI 7.2.5)"
                ),
                "the services whose data its policies allow, such as ses",
            );
        }
    }
}

/// A sidecar is a container of its own name, pinned, in the service's region, and within the task's size.
fn check_sidecars(section: &Section<'_>, problems: &mut Problems) {
    let file = section.file;
    for (name, sidecar) in &file.sidecars {
        let table = || section.key("sidecars").key(name.as_str());
        let path = |key: &str| table().key(key);
        if *name == file.name || name.as_str() == MIGRATE {
            problems.error(table(), format!("another container is called `{name}`"), "a name of its own");
        }
        if let ImageRef::Tag(tag) = &sidecar.image {
            problems.error(
                path("image"),
                format!("the tag `{tag}` may move in a repository that is not this environment's"),
                "the image's digest, `sha256:…`",
            );
        }
        if section.around.region.is_some_and(|region| sidecar.repository.region() != region.as_str()) {
            let what = format!("the images lie in {}", sidecar.repository.region());
            let help =
                "a repository in the environment's region: its endpoints lead to no other region's registry";
            problems.error(path("repository"), what, help).because_of(&["region"]);
        }
        for variable in sidecar.environment.keys().filter(|variable| is_secret(variable)) {
            problems.error(
                path("environment").key(variable.as_str()),
                format!("{variable} looks like a secret, and would stand in the task definition and in Terraform's state"),
                format!("under `secrets` of the sidecar, `{variable}` and the ARN of a secret (PCI DSS 8.6.2)"),
            );
        }
        for (name, why) in credentials(&sidecar.environment) {
            problems.error(
                path("environment").key(name.as_str()),
                format!("the value looks like {why}, and would stand in the repository, in the task definition and in Terraform's state"),
                format!("under `secrets` of the sidecar, `{name}` and the ARN of a secret (PCI DSS 8.6.2)"),
            );
        }
        for variable in sidecar.environment.keys().filter(|variable| sidecar.secrets.contains_key(*variable))
        {
            problems.error(
                path("environment").key(variable.as_str()),
                format!("{variable} is filled from a secret as well"),
                "one of the two",
            );
        }
    }
    let sum = |of: fn(&Sidecar) -> Option<u32>| file.sidecars.values().filter_map(of).sum::<u32>();
    let shares = [
        ("cpu", "CPU units", file.cpu, sum(|sidecar| sidecar.cpu.map(Bounded::get))),
        ("memory", "MiB", file.memory, sum(|sidecar| sidecar.memory.map(Bounded::get))),
    ];
    for (key, unit, task, taken) in shares {
        if taken >= task {
            problems
                .error(
                    section.key(key),
                    format!("the sidecars take {taken} {unit}, and the task has {task}"),
                    "more for the task, or less for its sidecars: the service needs some as well",
                )
                .because_of_paths([section.key("sidecars")]);
        }
    }
}

/// The variables, not secret by name, whose values look like a credential.
fn credentials(
    variables: &BTreeMap<VariableName, String>,
) -> impl Iterator<Item = (&VariableName, &'static str)> {
    let plain = variables.iter().filter(|(name, _)| !is_secret(name));
    plain.filter_map(|(name, value)| Some((name, credential(value)?)))
}

/// Whether the platform says it of itself: a value of one's own would only be wrong.
fn belongs_to_platform(name: &VariableName) -> bool {
    let var = Var::ALL.into_iter().find(|var| var.name() == name.as_str());
    var.is_some_and(Var::is_set_by_platform)
}

/// What a variable's name says, in one word or more, if its value is a secret.
const SECRET_WORDS: [&str; 14] = [
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PWD",
    "SECRET",
    "SECRETS",
    "TOKEN",
    "API_KEY",
    "APIKEY",
    "ACCESS_KEY",
    "PRIVATE_KEY",
    "ENCRYPTION_KEY",
    "CREDENTIAL",
    "CREDENTIALS",
];

/// What the name of a variable ends in that tells something about a secret, and not the secret.
const ABOUT_SECRETS: [&str; 5] = ["_ARN", "_NAME", "_TTL", "_SECONDS", "_DAYS"];

/// Whether a variable's value is a secret, as far as its name tells: `DB_PASSWORD` is, `TOKEN_TTL_SECONDS` and `TOKENIZER`
/// are not.
fn is_secret(name: &VariableName) -> bool {
    let name = name.as_str().to_ascii_uppercase();
    let contract = |var: &Var| var.name() == name && matches!(var.sensitivity(), Sensitivity::Secret);
    let words = format!("_{name}_");
    let named = SECRET_WORDS.iter().any(|word| words.contains(&format!("_{word}_")));
    let about = ABOUT_SECRETS.iter().any(|end| name.ends_with(end));
    Var::ALL.iter().any(contract) || (named && !about)
}

fn check_schedule(section: &Section<'_>, problems: &mut Problems) {
    let schedule = &section.file.schedule;
    for (at, action) in schedule.iter().enumerate() {
        let path = || section.key("schedule").index(at);
        if schedule.iter().take(at).any(|earlier| earlier.name == action.name) {
            let what = format!("two actions are called `{}`", action.name);
            problems.error(path().key("name"), what, "a name of its own");
        }
        if action.min > action.max {
            let what = format!("at least {} tasks, but at most {}", action.min, action.max);
            problems.error(path().key("min"), what, "at most `max`");
        }
    }
}

fn check_times(section: &Section<'_>, problems: &mut Problems) {
    let file = section.file;
    let health = &file.health_check;
    if health.timeout_seconds.get() >= health.interval_seconds.get() {
        problems
            .error(
                section.key("health_check.timeout_seconds"),
                format!(
                    "a check that takes {} seconds runs every {}",
                    health.timeout_seconds, health.interval_seconds
                ),
                "less than `interval_seconds`",
            )
            .because_of_paths([section.key("health_check.interval_seconds")]);
    }
    if file.stop_timeout_seconds.get() < file.deregistration_delay_seconds.get() {
        problems
            .warning(
                section.key("stop_timeout_seconds"),
                format!(
                    "tasks are killed after {} seconds, while the load balancer lets requests end for {}",
                    file.stop_timeout_seconds, file.deregistration_delay_seconds
                ),
                "at least `deregistration_delay_seconds`, or requests are cut off",
            )
            .because_of_paths([section.key("deregistration_delay_seconds")]);
    }
    let deployment = &file.deployment;
    if deployment.minimum_healthy_percent.get() == 100 && deployment.maximum_percent.get() == 100 {
        problems
            .error(
                section.key("deployment.maximum_percent"),
                "with all tasks kept and none added no deployment can make progress",
                "more than 100, or less for `minimum_healthy_percent`",
            )
            .because_of_paths([section.key("deployment.minimum_healthy_percent")]);
    }
}

/// How many ranges may reach the test listener: each takes a rule of the public network ACL, of which there are 20.
const TEST_RANGES_MAX: usize = 10;

/// Each strategy has settings of its own, and one that has no effect is a misunderstanding.
fn check_strategy(section: &Section<'_>, problems: &mut Problems) {
    let deployment = &section.file.deployment;
    let (blue_green, default) = (&deployment.blue_green, Deployment::default());
    if deployment.strategy != Strategy::BlueGreen {
        if *blue_green != BlueGreen::default() {
            problems
                .error(
                    section.key("deployment.blue_green"),
                    "nothing here has an effect: CodeDeploy does not deploy this service",
                    "`strategy = \"blue-green\"` under [service.deployment], or no such table",
                )
                .because_of_paths([section.key("deployment.strategy")]);
        }
        return;
    }
    let shares = [
        (
            section.key("deployment.minimum_healthy_percent"),
            deployment.minimum_healthy_percent.get(),
            default.minimum_healthy_percent.get(),
        ),
        (
            section.key("deployment.maximum_percent"),
            deployment.maximum_percent.get(),
            default.maximum_percent.get(),
        ),
    ];
    for (key, share, fixed) in shares {
        if share != fixed {
            problems
                .error(
                    key,
                    format!(
                        "{share} percent, but CodeDeploy keeps all old tasks and starts as many new ones"
                    ),
                    "remove the line, or `strategy = \"rolling\"` under [service.deployment]",
                )
                .because_of_paths([section.key("deployment.strategy")]);
        }
    }
    for (at, range) in blue_green.test_cidrs.iter().enumerate() {
        let path = section.key("deployment.blue_green.test_cidrs").index(at);
        if range.prefix_len() < 16 {
            let what = format!("{range} is wide, and what is not released yet answers there");
            problems.error(path, what, "a /16 or smaller (PCI DSS 1.3.1)");
        } else if blue_green.test_cidrs.iter().take(at).any(|earlier| earlier.overlaps(*range)) {
            problems.error(path, format!("{range} overlaps a range before it"), "each address once");
        }
    }
    if blue_green.test_cidrs.len() > TEST_RANGES_MAX {
        problems.error(
            section.key("deployment.blue_green.test_cidrs"),
            format!("{} ranges", blue_green.test_cidrs.len()),
            format!("{TEST_RANGES_MAX} at most: each takes a rule of the public subnets' network ACL"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_by_their_names() {
        let secret = |name: &str| is_secret(&name.parse().expect("a variable"));
        for name in
            ["DB_PASSWORD", "TOKEN", "PARTNER_TOKEN_2", "AWS_ACCESS_KEY_ID", "STRIPE_API_KEY", "_SECRET_"]
        {
            assert!(secret(name), "{name}");
        }
        for name in ["TOKENIZER", "TOKEN_TTL_SECONDS", "DB_SECRET_ARN", "KEY_COUNT", "MONKEY", "LOG_LEVEL"] {
            assert!(!secret(name), "{name}");
        }
    }
}
