//! `txnr reach`: who reaches what in an environment's network.

use super::output::{data, say};
use super::plan_comment::read;
use super::{EnvsFolder, Failure};
use crate::check;
use crate::config::{EgressDestination, EnvConfig};
use crate::control::{self, Basis, Platform};
use crate::emit;
use crate::exit;
use crate::reach::{self, Named, Network, Wanted};
use crate::synth::synth;
use crate::traffic::{Range, protocol};
use clap::Args;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use terraform::query::{Found, View};

/// Shows who reaches what in an environment's network, and proves it
///
/// Routes, gateways, network ACLs, security groups, endpoints, firewalls and load balancers of the module as it would be
/// synthesized, as sets of addresses and ports: nothing is sampled, and nothing is asked of AWS. With --from or --to every way
/// is shown with the rules that let it pass, or with what stops it; what cannot be told is told as that. Places are
/// `internet`, `partners`, `load-balancer`, `tasks`, `machines`, `stores`, `endpoints` and `dns`, names of [[network.egress]], Terraform
/// addresses, and ranges of addresses. envs/NAME.reach holds what is expected to be reached.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Reach {
    /// The environment
    #[arg(long = "env", value_name = "NAME", required_unless_present = "schema")]
    name: Option<String>,

    #[command(flatten)]
    envs: EnvsFolder,

    /// Who asks; every place where none is given
    #[arg(long, value_name = "PLACE")]
    from: Option<String>,

    /// Who is asked; every place where none is given
    #[arg(long, value_name = "PLACE")]
    to: Option<String>,

    /// By this protocol alone: a name such as tcp, or a number
    #[arg(long, value_name = "PROTOCOL", value_parser = by_protocol)]
    protocol: Option<u8>,

    /// To this port alone, of TCP and UDP
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,

    /// Look at what a plan foresees: what `terraform show -json` prints of it; `-` is standard input
    #[arg(long, value_name = "PLAN", conflicts_with = "state", value_hint = clap::ValueHint::FilePath)]
    plan: Option<PathBuf>,

    /// Look at what the state holds: what `terraform show -json` prints without a plan; `-` is standard input
    #[arg(long, value_name = "STATE", value_hint = clap::ValueHint::FilePath)]
    state: Option<PathBuf>,

    /// Print it as JSON, whose schema `--schema` prints
    #[arg(long)]
    json: bool,

    /// Write envs/NAME.reach: what is reached, a line each, for a reviewer to see
    #[arg(long, conflicts_with_all = ["from", "to", "protocol", "port", "json", "plan", "state"])]
    write: bool,

    /// Fail with exit code 17 if something else is reached than envs/NAME.reach says, and tell what has opened and closed
    #[arg(long, conflicts_with_all = ["from", "to", "protocol", "port", "json", "write"])]
    check: bool,

    /// Print the JSON Schema of --json instead
    #[arg(long, exclusive = true)]
    schema: bool,
}

const EXAMPLES: &str = "Examples:
  txnr reach --env prod
  txnr reach --env prod --from internet --to tasks
  txnr reach --env prod --from tasks --to internet --protocol tcp --port 443
  txnr reach --env prod --from 203.0.113.0/24 --to aws_lb.main
  txnr reach --env prod --json | jq '.pairs[] | select(.to_kind == \"store\")'
  txnr reach --env prod --write
  txnr reach --env prod --check
  terraform -chdir=out/prod show -json | txnr reach --env prod --check --state -";

fn by_protocol(text: &str) -> Result<u8, String> {
    protocol::number(text).ok_or_else(|| "tcp, udp, icmp, icmpv6, or a number from 0 to 255".to_owned())
}

impl Reach {
    pub(super) fn run(self) -> Result<(), Failure> {
        if self.schema {
            return Ok(data(reach::schema().as_bytes())?);
        }
        let Some(name) = &self.name else { return Ok(()) };
        let loaded = check::load_some(&self.envs.folder, std::slice::from_ref(name))?;
        let Some(environment) = loaded.environments.first() else { return Ok(()) };
        let config = &environment.config;
        let (basis, view) = self.view(config)?;
        let network = Network::with(&view, &outside(config));
        let wanted = Wanted { protocol: self.protocol, port: self.port };
        let matrix =
            reach::matrix(&network, self.from.as_deref(), self.to.as_deref(), wanted).map_err(|word| {
                let help = format!("a range of addresses, or one of: {}", network.words().join(", "));
                Failure::new(exit::USAGE, format!("{}: nothing is called `{word}`", config.name), help)
            })?;
        let file = self.envs.folder.join(format!("{}.reach", config.name));
        if self.write {
            return Ok(emit::write_file(&file, reach::write(&matrix, config.name.as_str()).as_bytes())?);
        }
        if self.check {
            return hold(&file, &matrix, config);
        }
        let about = format!("{}: who reaches what in the network, by the {}", config.name, basis.of());
        let text = if self.json {
            reach::json(&matrix, config.name.as_str(), basis.name())
        } else if self.from.is_some() || self.to.is_some() {
            reach::proof(&matrix, &about)
        } else {
            reach::text(&matrix, &about)
        };
        Ok(data(text.as_bytes())?)
    }

    /// The module that is looked at.
    fn view(&self, config: &EnvConfig) -> Result<(Basis, View), Failure> {
        let root = synth(config)?;
        let generated = View::of_root(&root);
        let (basis, path, member) = match (&self.plan, &self.state) {
            (Some(path), _) => (Basis::Planned, path, "planned_values"),
            (None, Some(path)) => (Basis::State, path, "values"),
            (None, None) => return Ok((Basis::Generated, generated)),
        };
        let no = |what: &dyn std::fmt::Display| {
            let help = "what `terraform show -json` prints, of a saved plan or of the state";
            Failure::new(exit::CANNOT_READ, format!("{}: {what}", path.display()), help)
        };
        let value: Value =
            serde_json::from_slice(&read(path)?).map_err(|error| no(&format!("not JSON: {error}")))?;
        if !value[member]["root_module"].is_object() {
            return Err(no(&format!("JSON, but it has no `{member}` of a root module")));
        }
        let view = if basis == Basis::State { View::of_state(&value) } else { View::of_plan(&value) };
        let (found, differences) = control::found(&Platform::of_environment(config, &root), &view);
        for difference in differences {
            say(difference);
        }
        let data = generated.blocks.into_iter().filter(|(address, _)| address.starts_with("data."));
        let mut blocks: BTreeMap<String, Found> = data.collect();
        for (address, body) in found.resources {
            let kind = address.split('.').next().unwrap_or_default().to_owned();
            blocks.insert(address, Found { kind, body, ..Found::default() });
        }
        Ok((basis, View { blocks, ..View::default() }))
    }
}

/// Whom the environment file has a name for.
fn outside(config: &EnvConfig) -> Vec<Named> {
    let named = |rule: &crate::config::EgressRule| {
        let (range, list) = match &rule.destination {
            EgressDestination::Cidr(range) => (Range::parse(&range.to_string()), None),
            EgressDestination::PrefixList(list) => (None, Some(list.to_string())),
        };
        Named { name: rule.name.to_string(), range, list }
    };
    config.network.egress.iter().map(named).collect()
}

/// Holds what is reached to the file of what is expected.
fn hold(file: &Path, matrix: &reach::Matrix, config: &EnvConfig) -> Result<(), Failure> {
    let rewrite = format!("`txnr reach --env {} --write`", config.name);
    let text = fs::read_to_string(file).map_err(|error| {
        let what = format!("cannot read {}: {error}", file.display());
        Failure::new(exit::CANNOT_READ, what, format!("{rewrite} writes it"))
    })?;
    let changes = reach::changes(&text, matrix).map_err(|wrong| {
        for line in wrong {
            say(format!("{}: {line}", file.display()));
        }
        let what = format!("{} cannot be read", file.display());
        Failure::new(exit::CANNOT_READ, what, format!("{rewrite} writes it anew"))
    })?;
    for change in &changes {
        say(change);
    }
    if changes.is_empty() {
        return Ok(());
    }
    let what = format!("{}: {} differences from what {} expects", config.name, changes.len(), file.display());
    let help =
        format!("take back what opened or closed them or, if they are meant, {rewrite} and have it reviewed");
    Err(Failure::new(exit::REACH, what, help))
}
