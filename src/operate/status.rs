//! What runs in an environment, and which alarms ring.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use terraform::query::{Held, View};

use super::answer::{self, shown};
use super::call::Call;
use crate::config::{EnvConfig, Region, Workload};
use crate::json_schema;
use crate::names::cluster;

/// How many services ECS describes at once:
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html>.
pub const SERVICES_MAX: usize = 10;
/// How many tasks: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html>.
pub const TASKS_MAX: usize = 100;

/// Asks for services, at most [`SERVICES_MAX`].
#[must_use]
pub fn services(config: &EnvConfig, workloads: &[Workload<'_>]) -> Call {
    Call::new(&config.region, ["ecs", "describe-services"])
        .with("--cluster", &cluster::name(config))
        .with_all("--services", workloads.iter().map(|workload| workload.service.name.as_str()))
        .with("--output", "json")
}

/// Asks for the ARNs of a service's tasks that are there to run.
#[must_use]
pub fn running(config: &EnvConfig, workload: Workload<'_>) -> Call {
    Call::new(&config.region, ["ecs", "list-tasks"])
        .with("--cluster", &cluster::name(config))
        .with("--service-name", workload.service.name.as_str())
        .with("--desired-status", "RUNNING")
}

/// Asks for tasks by their ARNs, at most [`TASKS_MAX`].
#[must_use]
pub fn tasks<'t>(config: &EnvConfig, arns: impl IntoIterator<Item = &'t str>) -> Call {
    Call::new(&config.region, ["ecs", "describe-tasks"])
        .with("--cluster", &cluster::name(config))
        .with_all("--tasks", arns)
        .with("--output", "json")
}

/// A repository of images that the environment's account has in its region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository(String);

impl Repository {
    /// The one at an address, if it is the account's own: others answer to others.
    #[must_use]
    pub fn at(config: &EnvConfig, address: &str) -> Option<Self> {
        let registry = format!("{}.dkr.ecr.{}.", config.account_id, config.region);
        let (_, name) = address.strip_prefix(&registry)?.split_once('/')?;
        Some(Self(name.to_owned()))
    }

    /// Asks for its images.
    #[must_use]
    pub fn images(&self, config: &EnvConfig) -> Call {
        Call::new(&config.region, ["ecr", "describe-images"])
            .with("--repository-name", &self.0)
            .with("--filter", "tagStatus=TAGGED")
            .with("--output", "json")
    }
}

/// The names of a module's alarms, by region.
#[must_use]
pub fn watched(view: &View) -> BTreeMap<Region, BTreeSet<String>> {
    let region = |provider: &str| view.providers.get(provider)?["region"].as_str()?.parse().ok();
    let mut watched: BTreeMap<Region, BTreeSet<String>> = BTreeMap::new();
    for kind in ["aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"] {
        for (_, found) in view.of_kind(kind) {
            let provider = found.meta.get("provider").and_then(Value::as_str).unwrap_or("aws");
            if let (Held::Known(Value::String(name)), Some(region)) =
                (found.get("alarm_name"), region(provider))
            {
                watched.entry(region).or_default().insert(name.clone());
            }
        }
    }
    watched
}

/// Asks for the alarms of the environment in a region. Those of one whose name begins the same come along.
#[must_use]
pub fn alarms(config: &EnvConfig, region: &Region) -> Call {
    Call::new(region, ["cloudwatch", "describe-alarms"])
        .with("--alarm-name-prefix", &config.names.of(""))
        .with_all("--alarm-types", ["MetricAlarm", "CompositeAlarm"])
        .with("--output", "json")
}

/// What runs, and which alarms ring.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Status {
    /// The version of this format.
    pub format_version: u32,
    /// The environment.
    pub environment: String,
    /// Its region.
    pub region: String,
    /// Its cluster.
    pub cluster: String,
    /// Its services, or the one that was asked for.
    pub services: Vec<Service>,
    /// Its alarms that want attention.
    pub alarms: Vec<Alarm>,
    /// How many alarms it has, those that want no attention among them.
    pub watched: usize,
}

/// The version of the JSON.
pub const FORMAT_VERSION: u32 = 1;

/// A service.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// As ECS says: `ACTIVE`, `DRAINING`, `INACTIVE`; `none`, where ECS has no such service; `no-image`, where the environment
    /// file names no image, so that there is none.
    pub status: String,
    /// How many tasks there should be, run and start.
    pub tasks: Counts,
    /// What was deployed, and how far it is.
    pub deployments: Vec<Deployment>,
    /// What the tasks run.
    pub images: Vec<Image>,
}

/// How many tasks.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Counts {
    /// There should be.
    pub desired: u32,
    /// Run.
    pub running: u32,
    /// Start.
    pub pending: u32,
}

/// A deployment.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Deployment {
    /// The id of ECS's deployment, or of CodeDeploy's task set.
    pub id: String,
    /// As ECS says: `PRIMARY`, `ACTIVE`, `INACTIVE`, `DRAINING`.
    pub status: String,
    /// How far it is: `IN_PROGRESS`, `COMPLETED`, `FAILED`; of a task set `STABILIZING`, `STEADY_STATE`.
    pub rollout: Option<String>,
    /// Why, in ECS's words.
    pub reason: Option<String>,
    /// The family and revision of the task definition.
    pub task_definition: String,
    /// How many tasks of it.
    pub tasks: Counts,
    /// How many did not start.
    pub failed: u32,
}

/// An image that tasks run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Image {
    /// As the task definition names it.
    pub image: String,
    /// What was pulled, once it was.
    pub digest: Option<String>,
    /// The tags that the repository has for it; none, where nobody could be asked.
    pub tags: Option<Vec<String>>,
    /// How many tasks run it, or start with it.
    pub tasks: u32,
}

/// An alarm that wants attention.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// `ALARM`, `INSUFFICIENT_DATA`, or `none`, where AWS has no such alarm.
    pub state: String,
    /// Why, in CloudWatch's words.
    pub reason: Option<String>,
    /// Since when.
    pub since: Option<String>,
}

/// The schema of the JSON.
#[must_use]
pub fn schema() -> String {
    json_schema::text(&json_schema::of::<Status>("status --schema > docs/status.schema.json"))
}

impl Service {
    /// One that has not been deployed, or is not there.
    #[must_use]
    pub fn absent(name: &str, status: &str) -> Self {
        Self {
            name: name.to_owned(),
            status: status.to_owned(),
            tasks: Counts::default(),
            deployments: Vec::new(),
            images: Vec::new(),
        }
    }

    /// One as ECS describes it, with its tasks, and the tags of images by their digests, where somebody could be asked.
    #[must_use]
    pub fn of(
        described: answer::Service,
        tasks: &[answer::Task],
        tags: Option<&BTreeMap<String, Vec<String>>>,
    ) -> Self {
        let deployments = described.deployments.into_iter().map(Deployment::from);
        let deployments = deployments.chain(described.task_sets.into_iter().map(Deployment::from)).collect();
        Self {
            images: images(&described.service_name, tasks, tags),
            name: described.service_name,
            status: described.status,
            tasks: Counts {
                desired: described.desired_count,
                running: described.running_count,
                pending: described.pending_count,
            },
            deployments,
        }
    }
}

impl From<answer::Deployment> for Deployment {
    fn from(of: answer::Deployment) -> Self {
        Self {
            id: of.id,
            status: of.status,
            rollout: of.rollout_state,
            reason: of.rollout_state_reason.filter(|reason| !reason.is_empty()),
            task_definition: revision(&of.task_definition),
            tasks: Counts { desired: of.desired_count, running: of.running_count, pending: of.pending_count },
            failed: of.failed_tasks,
        }
    }
}

impl From<answer::TaskSet> for Deployment {
    fn from(of: answer::TaskSet) -> Self {
        Self {
            id: of.id,
            status: of.status,
            rollout: of.stability_status,
            reason: None,
            task_definition: revision(&of.task_definition),
            tasks: Counts {
                desired: of.computed_desired_count,
                running: of.running_count,
                pending: of.pending_count,
            },
            failed: 0,
        }
    }
}

/// Family and revision in a task definition's ARN.
fn revision(arn: &str) -> String {
    arn.rsplit('/').next().unwrap_or(arn).to_owned()
}

/// What the container of the service's name runs in each task.
fn images(service: &str, tasks: &[answer::Task], tags: Option<&BTreeMap<String, Vec<String>>>) -> Vec<Image> {
    let mut counts: BTreeMap<(&str, Option<&str>), u32> = BTreeMap::new();
    for container in tasks.iter().flat_map(|task| &task.containers).filter(|one| one.name == service) {
        let image = container.image.as_deref().unwrap_or_default();
        *counts.entry((image, container.image_digest.as_deref())).or_default() += 1;
    }
    let of = |((image, pulled), tasks): ((&str, Option<&str>), u32)| {
        // What a digest names is pulled, or nothing is.
        let digest = pulled.or_else(|| image.split_once('@').map(|(_, digest)| digest));
        let tags = match (tags, digest) {
            (Some(tags), Some(digest)) => Some(tags.get(digest).cloned().unwrap_or_default()),
            _ => None,
        };
        Image { image: image.to_owned(), digest: digest.map(str::to_owned), tags, tasks }
    };
    counts.into_iter().map(of).collect()
}

/// The tags of a repository's images, by digest.
#[must_use]
pub fn tags(images: answer::Images) -> BTreeMap<String, Vec<String>> {
    let mut tags: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for image in images.image_details {
        tags.entry(image.image_digest).or_default().extend(image.image_tags);
    }
    tags
}

/// The alarms of a region that want attention: those that ring, that lack data, and that are not there.
#[must_use]
pub fn attention(region: &Region, watched: &BTreeSet<String>, answer: answer::Alarms) -> Vec<Alarm> {
    let mut absent = watched.clone();
    let mut all = Vec::new();
    for alarm in answer.metric_alarms.into_iter().chain(answer.composite_alarms) {
        if absent.remove(&alarm.alarm_name) && alarm.state_value != "OK" {
            all.push(Alarm {
                name: alarm.alarm_name,
                region: region.to_string(),
                state: alarm.state_value,
                reason: alarm.state_reason.filter(|reason| !reason.is_empty()),
                since: alarm.state_updated_timestamp,
            });
        }
    }
    all.extend(absent.into_iter().map(|name| Alarm {
        name,
        region: region.to_string(),
        state: "none".to_owned(),
        reason: None,
        since: None,
    }));
    all.sort_by(|a, b| (&a.state, &a.name).cmp(&(&b.state, &b.name)));
    all
}

/// The status for people. What comes from AWS is shown as a terminal may get it.
#[must_use]
pub fn text(status: &Status) -> String {
    let mut out = format!("{} in {}\n", status.environment, status.region);
    for service in &status.services {
        let _infallible = writeln!(out, "\n{}  {}", service.name, state(service));
        for deployment in &service.deployments {
            let rollout = deployment.rollout.as_deref().unwrap_or_default();
            let _infallible = writeln!(
                out,
                "  deployment  {}  {}  {}  {}",
                shown(&deployment.task_definition),
                shown(&deployment.status),
                shown(rollout),
                counts(&deployment.tasks, deployment.failed)
            );
            if let Some(reason) = &deployment.reason {
                let _infallible = writeln!(out, "              {}", shown(reason));
            }
        }
        for image in &service.images {
            let _infallible = writeln!(out, "  image       {}", shown(&image.image));
            let digest = image.digest.as_deref().unwrap_or("not pulled yet");
            let tags = match &image.tags {
                Some(tags) if tags.is_empty() => "no tag".to_owned(),
                Some(tags) => format!("tags {}", tags.join(", ")),
                None => "tags unknown".to_owned(),
            };
            let _infallible =
                writeln!(out, "              {}  {}  tasks: {}", shown(digest), shown(&tags), image.tasks);
        }
    }
    let of = |state: &str| status.alarms.iter().filter(|alarm| alarm.state == state).count();
    let _infallible = writeln!(
        out,
        "\nalarms: {}, of which {} ring, {} lack data, {} are not there",
        status.watched,
        of("ALARM"),
        of("INSUFFICIENT_DATA"),
        of("none")
    );
    for alarm in &status.alarms {
        let state = match alarm.state.as_str() {
            "ALARM" => "rings",
            "INSUFFICIENT_DATA" => "lacks data",
            "none" => "is not there",
            other => other,
        };
        let since = alarm.since.as_ref().map(|since| format!(" since {since}")).unwrap_or_default();
        let _infallible = writeln!(out, "  {} {}{}", shown(&alarm.name), shown(state), shown(&since));
        if let Some(reason) = &alarm.reason {
            let _infallible = writeln!(out, "    {}", shown(reason));
        }
    }
    out
}

fn state(service: &Service) -> String {
    match service.status.as_str() {
        "none" => "is not there: apply the environment's module".to_owned(),
        "no-image" => "has no image yet".to_owned(),
        status => format!("{}  {}", shown(status), counts(&service.tasks, 0)),
    }
}

fn counts(tasks: &Counts, failed: u32) -> String {
    let mut text = format!("{} of {} run", tasks.running, tasks.desired);
    if tasks.pending > 0 {
        let _infallible = write!(text, ", {} start", tasks.pending);
    }
    if failed > 0 {
        let _infallible = write!(text, ", {failed} did not start");
    }
    text
}

/// All calls as lines of a shell; those that depend on an answer ask for it themselves.
#[must_use]
pub fn script(
    config: &EnvConfig,
    workloads: &[Workload<'_>],
    repositories: &[Repository],
    regions: impl IntoIterator<Item = Region>,
) -> String {
    let mut lines: Vec<String> =
        workloads.chunks(SERVICES_MAX).map(|some| services(config, some).to_string()).collect();
    for workload in workloads {
        let arns = running(config, *workload).with("--query", "taskArns[]").with("--output", "text");
        let call = tasks(config, ["TASKS"]).to_string();
        lines.push(call.replacen("--tasks TASKS", &format!("--tasks $({arns})"), 1));
    }
    lines.extend(repositories.iter().map(|repository| repository.images(config).to_string()));
    lines.extend(regions.into_iter().map(|region| alarms(config, &region).to_string()));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stacks::probe::*;

    #[test]
    fn every_alarm_of_the_module_is_watched_in_its_region() {
        let text =
            "region = \"eu-west-1\"\n[dns]\ncreate_zone = true\ndnssec = true\n[service]\nimage = \"v1\"";
        let config = EnvConfig::for_test(text);
        let root = platform(text);
        let view = View::of_root(&root);
        let watched = watched(&view);
        let alarms = ["aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"];
        let built: usize = alarms.iter().map(|kind| view.of_kind(kind).count()).sum();
        assert_eq!(watched.values().map(BTreeSet::len).sum::<usize>(), built);
        let regions: Vec<String> = watched.keys().map(ToString::to_string).collect();
        assert_eq!(regions, ["eu-west-1", "us-east-1"]);
        for name in watched.values().flatten() {
            assert!(name.starts_with(&config.names.of("")), "{name} is not asked for");
        }
    }

    #[test]
    fn alarms_that_ring_lack_data_or_are_not_there_want_attention() {
        let answer = serde_json::json!({
            "MetricAlarms": [
                {"AlarmName": "a-fine", "StateValue": "OK"},
                {"AlarmName": "a-loud", "StateValue": "ALARM", "StateReason": "Threshold \u{1b}[31m", "StateUpdatedTimestamp": "2026-12-01T00:00:00Z"},
                {"AlarmName": "b-elsewhere", "StateValue": "ALARM"},
            ],
            "CompositeAlarms": [{"AlarmName": "a-mute", "StateValue": "INSUFFICIENT_DATA"}],
        });
        let watched = ["a-fine", "a-loud", "a-mute", "a-gone"].map(str::to_owned).into();
        let region = "eu-west-1".parse().expect("a region");
        let all = attention(&region, &watched, serde_json::from_value(answer).expect("an answer"));
        let said: Vec<_> = all.iter().map(|alarm| (alarm.name.as_str(), alarm.state.as_str())).collect();
        assert_eq!(said, [("a-loud", "ALARM"), ("a-mute", "INSUFFICIENT_DATA"), ("a-gone", "none")]);
        let status = Status {
            format_version: FORMAT_VERSION,
            environment: "a".to_owned(),
            region: "eu-west-1".to_owned(),
            cluster: "a".to_owned(),
            services: Vec::new(),
            alarms: all,
            watched: 4,
        };
        let text = text(&status);
        assert!(text.contains("alarms: 4, of which 1 ring, 1 lack data, 1 are not there\n"), "{text}");
        assert!(
            text.contains("  a-loud rings since 2026-12-01T00:00:00Z\n    Threshold \u{fffd}[31m\n"),
            "{text}"
        );
    }

    /// Two tasks of a new revision beside one of the old; a guard of AWS's own in each.
    #[test]
    fn what_the_tasks_run_is_counted_by_what_was_pulled() {
        let task = |image: &str, digest: Option<&str>| {
            serde_json::json!({"taskArn": "arn", "lastStatus": "RUNNING", "containers": [
                {"name": "api", "image": image, "imageDigest": digest},
                {"name": "aws-guardduty-agent-1", "image": "agent", "imageDigest": "sha256:9"},
            ]})
        };
        let tasks = [
            task("r/api:v1", Some("sha256:1")),
            task("r/api@sha256:2", Some("sha256:2")),
            task("r/api@sha256:2", None),
        ];
        let tasks: Vec<answer::Task> =
            tasks.into_iter().map(|task| serde_json::from_value(task).expect("a task")).collect();
        let images_in = serde_json::json!({"imageDetails": [
            {"imageDigest": "sha256:1", "imageTags": ["v1", "stable"]}, {"imageDigest": "sha256:3"}
        ]});
        let tags = tags(serde_json::from_value(images_in).expect("images"));
        let said: Vec<_> = images("api", &tasks, Some(&tags))
            .into_iter()
            .map(|image| (image.image, image.digest, image.tags, image.tasks))
            .collect();
        let of = |image: &str, digest: &str, tags: &[&str], tasks| {
            let tags = tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
            (image.to_owned(), Some(digest.to_owned()), Some(tags), tasks)
        };
        assert_eq!(
            said,
            [
                of("r/api:v1", "sha256:1", &["v1", "stable"], 1),
                of("r/api@sha256:2", "sha256:2", &[], 1),
                of("r/api@sha256:2", "sha256:2", &[], 1),
            ]
        );
        assert!(images("api", &tasks, None).iter().all(|image| image.tags.is_none()));
    }

    #[test]
    fn only_repositories_of_the_account_and_region_are_asked() {
        let config = EnvConfig::for_test("");
        let at = |address: &str| Repository::at(&config, address);
        assert_eq!(
            at("111122223333.dkr.ecr.us-east-1.amazonaws.com/a/b"),
            Some(Repository("a/b".to_owned()))
        );
        assert_eq!(at("111122223333.dkr.ecr.us-east-10.amazonaws.com/a"), None);
        assert_eq!(at("999922223333.dkr.ecr.us-east-1.amazonaws.com/a"), None);
        assert_eq!(at("docker.io/library/nginx"), None);
    }

    #[test]
    fn the_printed_calls_ask_for_what_they_depend_on() {
        let config = EnvConfig::for_test("[service]\nimage = \"v1\"");
        let main = config.main_service();
        let script = script(&config, &[main], &[], [config.region.clone()]);
        let lines: Vec<&str> = script.lines().collect();
        assert_eq!(lines.len(), 3, "{script}");
        assert!(
            lines[1]
                .contains("--tasks $(aws ecs list-tasks --region us-east-1 --cluster txn-reconcile-test ")
        );
        assert!(lines[2].contains("--alarm-name-prefix txn-reconcile-test- "), "{script}");
    }
}
