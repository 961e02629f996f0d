//! `txnr envs`: the environments at a glance.

use super::output::{data, say};
use super::{EnvsFolder, Failure};
use crate::config::load::{self, Loaded};
use crate::config::{EnvConfig, Service};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;

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
    image: Option<String>,
    services: BTreeMap<String, Option<String>>,
    baseline: bool,
    state: String,
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
            tasks: config.service.counts.desired,
            cpu: config.service.size.cpu_units(),
            memory_mib: config.service.size.memory_mib(),
            image: image(&config.service),
            services: config
                .services
                .iter()
                .map(|(name, further)| (name.to_string(), image(&further.service)))
                .collect(),
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

/// The image that a service runs, once there is one.
fn image(service: &Service) -> Option<String> {
    service.deployed.then(|| service.image.to_string())
}

const HEADINGS: [&str; 8] = ["NAME", "PRODUCTION", "ACCOUNT", "REGION", "CIDR", "AZS", "TASKS", "DOMAIN"];

impl Envs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Loaded { environments, warnings } = load::load_all(&self.envs.folder)?;
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
