//! Resolves `[service]`.

use crate::config::problem::{KeyPath, Problems};
use crate::config::section::{BlueGreen, Counts, Deployment, Service, ServiceFile, Sidecar, Strategy};
use crate::config::value::{Bounded, FargateSize, ImageRef, Region, RetentionDays, VariableName};
use crate::stacks;
use contract::{Sensitivity, Var};

/// The service as the stacks build it; `None` if the task's size does not exist, which is noted.
pub(super) fn resolve(
    file: ServiceFile,
    region: Option<&Region>,
    retention: RetentionDays,
    production: bool,
    problems: &mut Problems,
) -> Option<Service> {
    check_exec(&file, production, problems);
    check_variables(&file, problems);
    check_sidecars(&file, region, problems);
    check_schedule(&file, problems);
    check_times(&file, problems);
    check_strategy(&file.deployment, problems);
    check_repository(&file, region, problems);
    let counts = counts(&file, problems);
    let size = size(&file, problems);
    let deployed = file.image.is_some();
    Some(Service {
        name: file.name,
        image: file.image.unwrap_or_default(),
        deployed,
        image_repository: file.image_repository,
        architecture: file.architecture,
        container_port: u16::try_from(file.container_port.get()).ok()?,
        user_id: file.user_id.get(),
        size: size?,
        ephemeral_storage_gib: file.ephemeral_storage_gib.get(),
        counts: if deployed { counts } else { Counts { desired: 0, min: 0, max: 0 } },
        autoscaling: file.autoscaling,
        schedule: file.schedule,
        exec: file.exec,
        environment: file.environment,
        secrets: file.secrets,
        sidecars: file.sidecars,
        stop_timeout_seconds: file.stop_timeout_seconds.get(),
        deregistration_delay_seconds: file.deregistration_delay_seconds.get(),
        log_retention_days: file.log_retention_days.unwrap_or(retention),
        health_check: file.health_check,
        deployment: file.deployment,
    })
}

fn size(file: &ServiceFile, problems: &mut Problems) -> Option<FargateSize> {
    FargateSize::new(file.cpu, file.memory)
        .map_err(|invalid| {
            let key =
                if FargateSize::CPU_UNITS.contains(&file.cpu) { "service.memory" } else { "service.cpu" };
            problems
                .error(key, invalid.problem, invalid.allowed)
                .because_of(&["service.cpu", "service.memory"]);
        })
        .ok()
}

fn counts(file: &ServiceFile, problems: &mut Problems) -> Counts {
    let desired = file.desired_count.get();
    let min = file.min_count.map_or(desired, |count| count.get());
    let max = file.max_count.map_or((desired * 4).min(1000), |count| count.get());
    if min > desired {
        let what = format!("at least {min} tasks, but {desired} at the first deployment");
        problems
            .error("service.min_count", what, format!("at most `desired_count`, {desired}"))
            .because_of(&["service.desired_count"]);
    }
    if max < desired {
        let what = format!("at most {max} tasks, but {desired} at the first deployment");
        problems
            .error("service.max_count", what, format!("at least `desired_count`, {desired}"))
            .because_of(&["service.desired_count"]);
    }
    Counts { desired, min, max }
}

/// The endpoints, through which tasks pull, lead to the registry of their own region.
fn check_repository(file: &ServiceFile, region: Option<&Region>, problems: &mut Problems) {
    let (Some(repository), Some(region)) = (&file.image_repository, region) else { return };
    if repository.region() != region.as_str() {
        problems
            .warning(
                "service.image_repository",
                format!(
                    "the images lie in {}, and the endpoints of {region} lead to no other region's registry",
                    repository.region()
                ),
                "a repository in the environment's region, to which the registry replicates the images",
            )
            .because_of(&["region"]);
    }
}

fn check_exec(file: &ServiceFile, production: bool, problems: &mut Problems) {
    if production && file.exec {
        problems
            .error(
                "service.exec",
                "a session in a production container evades change control (PCI DSS 6.5.1)",
                "false; to look into a container, use an environment that is not production",
            )
            .because_of(&["production"]);
    }
}

/// A variable has one source, and none that is secret stands in the task definition.
fn check_variables(file: &ServiceFile, problems: &mut Problems) {
    let environment = |name: &VariableName| KeyPath::from("service.environment").key(name.as_str());
    let secrets = |name: &VariableName| KeyPath::from("service.secrets").key(name.as_str());
    let plain = file.environment.keys().map(|name| (name, environment(name)));
    for (name, path) in plain.chain(file.secrets.keys().map(|name| (name, secrets(name)))) {
        check_owner(name, path, problems);
    }
    let plain_secret = |name: &&VariableName| {
        is_secret(name) && !file.secrets.contains_key(*name) && !belongs_to_platform(name)
    };
    for name in file.environment.keys().filter(plain_secret) {
        problems.error(
            environment(name),
            format!("{name} looks like a secret, and would stand in the task definition and in Terraform's state"),
            format!(
                "under [service.secrets], `{name}` and the ARN of a secret that holds the value (PCI DSS 8.6.2)"
            ),
        );
    }
    for variable in file.environment.keys().filter(|variable| file.secrets.contains_key(*variable)) {
        problems
            .error(
                KeyPath::from("service.environment").key(variable.as_str()),
                format!("{variable} is filled from a secret as well"),
                "one of the two; a value that is secret belongs under [service.secrets]",
            )
            .because_of(&["service.secrets"]);
    }
}

/// A sidecar is a container of its own name, pinned, in the service's region, and within the task's size.
fn check_sidecars(file: &ServiceFile, region: Option<&Region>, problems: &mut Problems) {
    for (name, sidecar) in &file.sidecars {
        let path = |key: &str| KeyPath::from("service.sidecars").key(name.as_str()).key(key);
        if *name == file.name || name.as_str() == stacks::ecs::MIGRATE {
            let table = KeyPath::from("service.sidecars").key(name.as_str());
            problems.error(table, format!("another container is called `{name}`"), "a name of its own");
        }
        if let ImageRef::Tag(tag) = &sidecar.image {
            problems.error(
                path("image"),
                format!("the tag `{tag}` may move in a repository that is not this environment's"),
                "the image's digest, `sha256:…`",
            );
        }
        if region.is_some_and(|region| sidecar.repository.region() != region.as_str()) {
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
        ("service.cpu", "CPU units", file.cpu, sum(|sidecar| sidecar.cpu.map(Bounded::get))),
        ("service.memory", "MiB", file.memory, sum(|sidecar| sidecar.memory.map(Bounded::get))),
    ];
    for (key, unit, task, taken) in shares {
        if taken >= task {
            problems
                .error(
                    key,
                    format!("the sidecars take {taken} {unit}, and the task has {task}"),
                    "more for the task, or less for its sidecars: the service needs some as well",
                )
                .because_of(&["service.sidecars"]);
        }
    }
}

/// The platform's variables say what the platform is: a value of one's own would only be wrong.
fn check_owner(name: &VariableName, path: KeyPath, problems: &mut Problems) {
    if belongs_to_platform(name) {
        problems.error(
            path,
            format!("{name} is the platform's to set"),
            "remove the line; the value follows from the environment's name and the other settings",
        );
    }
}

fn belongs_to_platform(name: &VariableName) -> bool {
    let var = Var::ALL.into_iter().find(|var| var.name() == name.as_str());
    var.is_some_and(stacks::ecs::is_set_by_platform)
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
    let contract =
        |var: &Var| var.name() == name.as_str() && matches!(var.sensitivity(), Sensitivity::Secret);
    let words = format!("_{name}_");
    let named = SECRET_WORDS.iter().any(|word| words.contains(&format!("_{word}_")));
    let about = ABOUT_SECRETS.iter().any(|end| name.as_str().ends_with(end));
    Var::ALL.iter().any(contract) || (named && !about)
}

fn check_schedule(file: &ServiceFile, problems: &mut Problems) {
    for (at, action) in file.schedule.iter().enumerate() {
        let path = || KeyPath::from("service.schedule").index(at);
        if file.schedule.iter().take(at).any(|earlier| earlier.name == action.name) {
            let what = format!("two actions are called `{}`", action.name);
            problems.error(path().key("name"), what, "a name of its own");
        }
        if action.min > action.max {
            let what = format!("at least {} tasks, but at most {}", action.min, action.max);
            problems.error(path().key("min"), what, "at most `max`");
        }
    }
}

fn check_times(file: &ServiceFile, problems: &mut Problems) {
    let health = &file.health_check;
    if health.timeout_seconds.get() >= health.interval_seconds.get() {
        problems
            .error(
                "service.health_check.timeout_seconds",
                format!(
                    "a check that takes {} seconds runs every {}",
                    health.timeout_seconds, health.interval_seconds
                ),
                "less than `interval_seconds`",
            )
            .because_of(&["service.health_check.interval_seconds"]);
    }
    if file.stop_timeout_seconds.get() < file.deregistration_delay_seconds.get() {
        problems
            .warning(
                "service.stop_timeout_seconds",
                format!(
                    "tasks are killed after {} seconds, while the load balancer lets requests end for {}",
                    file.stop_timeout_seconds, file.deregistration_delay_seconds
                ),
                "at least `deregistration_delay_seconds`, or requests are cut off",
            )
            .because_of(&["service.deregistration_delay_seconds"]);
    }
    let deployment = &file.deployment;
    if deployment.minimum_healthy_percent.get() == 100 && deployment.maximum_percent.get() == 100 {
        problems
            .error(
                "service.deployment.maximum_percent",
                "with all tasks kept and none added no deployment can make progress",
                "more than 100, or less for `minimum_healthy_percent`",
            )
            .because_of(&["service.deployment.minimum_healthy_percent"]);
    }
}

/// How many ranges may reach the test listener: each takes a rule of the public network ACL, of which there are 20.
const TEST_RANGES_MAX: usize = 10;

/// Each strategy has settings of its own, and one that has no effect is a misunderstanding.
fn check_strategy(deployment: &Deployment, problems: &mut Problems) {
    let (blue_green, default) = (&deployment.blue_green, Deployment::default());
    if deployment.strategy != Strategy::BlueGreen {
        if *blue_green != BlueGreen::default() {
            problems
                .error(
                    "service.deployment.blue_green",
                    "nothing here has an effect: CodeDeploy does not deploy this service",
                    "`strategy = \"blue-green\"` under [service.deployment], or no such table",
                )
                .because_of(&["service.deployment.strategy"]);
        }
        return;
    }
    let shares = [
        (
            "service.deployment.minimum_healthy_percent",
            deployment.minimum_healthy_percent.get(),
            default.minimum_healthy_percent.get(),
        ),
        (
            "service.deployment.maximum_percent",
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
                .because_of(&["service.deployment.strategy"]);
        }
    }
    for (at, range) in blue_green.test_cidrs.iter().enumerate() {
        let path = KeyPath::from("service.deployment.blue_green.test_cidrs").index(at);
        if range.prefix_len() < 16 {
            let what = format!("{range} is wide, and what is not released yet answers there");
            problems.error(path, what, "a /16 or smaller (PCI DSS 1.3.1)");
        } else if blue_green.test_cidrs.iter().take(at).any(|earlier| earlier.overlaps(*range)) {
            problems.error(path, format!("{range} overlaps a range before it"), "each address once");
        }
    }
    if blue_green.test_cidrs.len() > TEST_RANGES_MAX {
        problems.error(
            "service.deployment.blue_green.test_cidrs",
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
