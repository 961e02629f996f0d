//! `txnr envs`: the environments at a glance.

use super::output::{data, say};
use super::{EnvsFolder, Failure};
use crate::check;
use crate::config::load::Loaded;
use crate::config::{EnvConfig, ImageRef, Strategy, Workload};
use crate::stacks::ecr;
use clap::Args;
use serde::Serialize;

/// Lists the environments and their key facts
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Envs {
    #[command(flatten)]
    envs: EnvsFolder,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  txnr envs
  txnr envs --json | jq -r '.[] | select(.production) | .name'";

/// The key facts of an environment.
#[derive(Debug, Serialize)]
struct Facts {
    name: String,
    production: bool,
    account_id: String,
    region: String,
    partition: &'static str,
    domain: String,
    cidr: String,
    availability_zones: Vec<String>,
    tasks: u32,
    cpu: u32,
    memory_mib: u32,
    services: Vec<ServiceFacts>,
    baseline: bool,
    state: String,
}

/// The key facts of a service; the main one is the first.
#[derive(Debug, Serialize)]
struct ServiceFacts {
    name: String,
    /// Who hands it a new version: Terraform, or a pipeline once it is there.
    deployed_by: &'static str,
    /// The whole reference of the image that the file names, once there is one.
    image: Option<String>,
}

impl ServiceFacts {
    fn of(config: &EnvConfig, workload: Workload<'_>) -> Self {
        let service = workload.service;
        let image = |image: &ImageRef| image.in_repository(&ecr::address(config, workload));
        Self {
            name: service.name.to_string(),
            deployed_by: match service.deployment.strategy {
                Strategy::Rolling => "terraform",
                Strategy::BlueGreen | Strategy::External => "pipeline",
            },
            image: service.image.as_ref().map(image),
        }
    }
}

impl Facts {
    fn of(config: &EnvConfig) -> Self {
        Self {
            name: config.name.to_string(),
            production: config.production,
            account_id: config.account_id.to_string(),
            region: config.region.to_string(),
            partition: config.partition().as_str(),
            domain: config.domain.to_string(),
            cidr: config.network.own().map_or_else(|| "existing".to_owned(), |own| own.cidr.to_string()),
            availability_zones: config.network.availability_zones.iter().map(ToString::to_string).collect(),
            tasks: config.service.image.as_ref().map_or(0, |_| config.service.counts.desired),
            cpu: config.service.size.cpu_units(),
            memory_mib: config.service.size.memory_mib(),
            services: config.workloads().map(|workload| ServiceFacts::of(config, workload)).collect(),
            baseline: config.account.baseline,
            state: format!("s3://{}/{}", config.state.bucket, config.state.key),
        }
    }

    /// The cells of a row of the table.
    fn cells(&self) -> [String; 8] {
        [
            self.name.clone(),
            if self.production { "yes" } else { "no" }.to_owned(),
            self.account_id.clone(),
            self.region.clone(),
            self.cidr.clone(),
            self.availability_zones.len().to_string(),
            format!("{} x {}/{}", self.tasks, self.cpu, self.memory_mib),
            self.domain.clone(),
        ]
    }
}

const HEADINGS: [&str; 8] = ["NAME", "PRODUCTION", "ACCOUNT", "REGION", "CIDR", "AZS", "TASKS", "DOMAIN"];

impl Envs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Loaded { environments, warnings } = check::load_all(&self.envs.folder)?;
        if !warnings.is_empty() {
            say(warnings);
        }
        let facts: Vec<Facts> =
            environments.iter().map(|environment| Facts::of(&environment.config)).collect();
        let text = if self.json {
            format!("{}\n", serde_json::to_string_pretty(&facts).map_err(anyhow::Error::from)?)
        } else {
            table(&facts)
        };
        Ok(data(text.as_bytes())?)
    }
}

/// The facts in columns, each as wide as its widest cell.
fn table(facts: &[Facts]) -> String {
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    rows.extend(facts.iter().map(Facts::cells));
    let widths: [usize; 8] =
        std::array::from_fn(|at| rows.iter().map(|row| row[at].len()).max().unwrap_or(0));
    let line = |row: &[String; 8]| {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
