//! `txnr status`: what runs in an environment, and which alarms ring.

use super::aws_cli::{self, Aws};
use super::output::{data, say};
use super::{EnvsFolder, Failure};
use crate::check;
use crate::config::{EnvConfig, Region, Workload};
use crate::operate::answer;
use crate::operate::call::printed;
use crate::operate::status::{self, Repository};
use crate::stacks::ecr;
use crate::synth::synth;
use clap::Args;
use std::collections::{BTreeMap, BTreeSet};
use terraform::query::View;

/// Tells what runs in an environment, and which alarms ring
///
/// By calls of AWS's own program, aws, that change nothing: how many tasks of each service run, which image with which digest
/// and tags, what was deployed and how far it is; which of the environment's alarms ring, lack data or are not there. The
/// credentials that aws finds (AWS_PROFILE, for one) have to be of the environment's account; the operators' role may do it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Status {
    /// The environment
    #[arg(long = "env", value_name = "NAME", required_unless_present = "schema")]
    name: Option<String>,

    /// Of this service alone; alarms are the environment's
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    #[command(flatten)]
    envs: EnvsFolder,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Print the calls instead of making them
    #[arg(long, conflicts_with = "json")]
    print: bool,

    /// Print the JSON Schema of --json instead
    #[arg(long, exclusive = true)]
    schema: bool,
}

const EXAMPLES: &str = "Examples:
  txnr status --env prod
  AWS_PROFILE=prod-operator txnr status --env prod --service portal
  txnr status --env prod --json | jq -r '.alarms[] | select(.state == \"ALARM\") | .name'
  txnr status --env prod --print
  txnr status --schema > docs/status.schema.json";

impl Status {
    pub(super) fn run(self) -> Result<(), Failure> {
        if self.schema {
            return Ok(data(status::schema().as_bytes())?);
        }
        let Some(name) = self.name else { return Ok(()) };
        let loaded = check::load_some(&self.envs.folder, &[name])?;
        let Some(environment) = loaded.environments.first() else { return Ok(()) };
        let config = &environment.config;
        let asked = match &self.service {
            Some(name) => vec![aws_cli::workload(config, Some(name))?],
            None => config.workloads().collect(),
        };
        let watched = status::watched(&View::of_root(&synth(config)?));
        let (there, none): (Vec<_>, Vec<_>) =
            asked.into_iter().partition(|workload| workload.service.image.is_some());
        if self.print {
            let mut repositories: Vec<Repository> = Vec::new();
            for repository in there.iter().filter_map(|workload| repository(config, *workload)) {
                if !repositories.contains(&repository) {
                    repositories.push(repository);
                }
            }
            let calls = status::script(config, &there, &repositories, watched.into_keys());
            return Ok(data(printed(config, &calls).as_bytes())?);
        }
        let asking = Asking { aws: Aws::of(config)?, config };
        let mut services = asking.services(&there)?;
        services.extend(
            none.iter().map(|workload| status::Service::absent(workload.service.name.as_str(), "no-image")),
        );
        let status = status::Status {
            format_version: status::FORMAT_VERSION,
            environment: config.name.to_string(),
            region: config.region.to_string(),
            cluster: crate::names::cluster::name(config),
            services,
            watched: watched.values().map(BTreeSet::len).sum(),
            alarms: asking.alarms(&watched)?,
        };
        let text = if self.json {
            format!("{}\n", serde_json::to_string_pretty(&status).map_err(anyhow::Error::from)?)
        } else {
            status::text(&status)
        };
        Ok(data(text.as_bytes())?)
    }
}

fn repository(config: &EnvConfig, workload: Workload<'_>) -> Option<Repository> {
    Repository::at(config, &ecr::address(config, workload))
}

/// An environment that AWS is asked about.
struct Asking<'c> {
    aws: Aws,
    config: &'c EnvConfig,
}

impl Asking<'_> {
    fn services(&self, workloads: &[Workload<'_>]) -> Result<Vec<status::Service>, Failure> {
        let mut all = Vec::new();
        for some in workloads.chunks(status::SERVICES_MAX) {
            let answer: answer::Services = self.aws.ask(&status::services(self.config, some))?;
            let mut described: BTreeMap<String, answer::Service> =
                answer.services.into_iter().map(|service| (service.service_name.clone(), service)).collect();
            for workload in some {
                let name = workload.service.name.as_str();
                all.push(match described.remove(name) {
                    Some(service) => self.service(*workload, service)?,
                    None => status::Service::absent(name, "none"),
                });
            }
        }
        Ok(all)
    }

    fn service(
        &self,
        workload: Workload<'_>,
        described: answer::Service,
    ) -> Result<status::Service, Failure> {
        let listed: answer::TaskArns =
            self.aws.ask(&status::running(self.config, workload).with("--output", "json"))?;
        let mut tasks = Vec::new();
        for some in listed.task_arns.chunks(status::TASKS_MAX) {
            let arns = some.iter().map(String::as_str);
            let answer: answer::Tasks = self.aws.ask(&status::tasks(self.config, arns))?;
            tasks.extend(answer.tasks);
        }
        let tags = repository(self.config, workload).filter(|_| !tasks.is_empty());
        // What runs is known without its tags.
        let tags = tags.and_then(|repository| match self.aws.ask(&repository.images(self.config)) {
            Ok(images) => Some(status::tags(images)),
            Err(failure) => {
                say(format_args!("the tags are unknown: {}", failure.what()));
                None
            }
        });
        Ok(status::Service::of(described, &tasks, tags.as_ref()))
    }

    fn alarms(&self, watched: &BTreeMap<Region, BTreeSet<String>>) -> Result<Vec<status::Alarm>, Failure> {
        let mut all = Vec::new();
        for (region, names) in watched {
            let answer: answer::Alarms = self.aws.ask(&status::alarms(self.config, region))?;
            all.extend(status::attention(region, names, answer));
        }
        Ok(all)
    }
}
