//! `serve`, and what goes with it.

use std::io::Write;
use std::sync::Arc;

use super::{Failure, exit, no_output};
use crate::service::config::{Config, PostgresConfig};
use crate::service::traces::Traces;
use crate::service::{App, api, audit, log, server, store};

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Send the sample ledger and statement first, and start a run of them. Only without RECONCILE_ENVIRONMENT.
    #[arg(long)]
    sample_data: bool,
}

/// Arguments of `verify-audit`.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// Whose log.
    #[arg(long)]
    tenant: String,
}

/// Arguments of `repair-audit`.
#[derive(Debug, clap::Args)]
pub struct RepairArgs {
    /// Whose log alone. A log that was never anchored, of a tenant that the restored records do not know, is found by its name
    /// alone.
    #[arg(long)]
    tenant: Option<String>,
}

/// When to repair, for the help text.
pub const REPAIR_HELP: &str = "Run it after a restore and before the service starts again, with the service's own variables.
What was anchored and is gone stays visible: in the entry that the repair writes, in every anchor from then on,
and in what verify-audit says. A log that is whole is left as it is; so is one that no restore leaves behind,
such as one with a changed entry.";

/// The variables and the exit codes, for the help text.
pub fn help() -> String {
    let mut text = "Variables:\n".to_owned();
    for var in contract::Var::ALL {
        let bounds =
            var.bounds().map(|(least, most)| format!(" From {least} to {most}.")).unwrap_or_default();
        text.push_str(&format!("  {}\n      {}{bounds}\n", var.name(), var.doc()));
    }
    format!("{text}\n{}", exit::HELP)
}

fn config() -> Result<Config, Failure> {
    Config::from_env().map_err(|error| Failure::new(exit::CONFIG, error.to_string()))
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(exit::SERVICE, error.to_string()))
}

fn failed(why: String) -> Failure {
    Failure::new(exit::SERVICE, why)
}

pub fn serve(args: &Args) -> Result<u8, Failure> {
    let config = config()?;
    if args.sample_data && config.environment.is_some() {
        let name = contract::Var::Environment.name();
        let message = format!("{name} is set, and --sample-data is for a service without it");
        return Err(Failure::new(exit::CONFIG, message));
    }
    let runtime = runtime()?;
    let served = runtime.block_on(async {
        let traces =
            Traces::start(config.otlp_endpoint.as_ref(), config.environment.as_deref()).map_err(failed)?;
        log::start(config.log_level, config.environment.clone(), traces.as_ref());
        // Nothing is made and no token shown where another service listens already.
        let listeners = server::Listeners::bind(&config).await.map_err(failed)?;
        let app = server::open(&config).await.map_err(failed)?;
        if config.environment.is_none() {
            greet(&app, args, &config, listeners.address).await.map_err(failed)?;
        }
        let served = server::serve(app, &config, listeners).await.map_err(failed);
        if let Some(traces) = traces {
            traces.stop().await;
        }
        served
    });
    // A run that computes would hold the process; its lease lets another one take it over.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    served.map(|()| exit::CLEAN)
}

/// Tells somebody on a laptop how to begin.
async fn greet(
    app: &Arc<App>,
    args: &Args,
    config: &Config,
    address: std::net::SocketAddr,
) -> Result<(), String> {
    let [first, second] = server::development_tokens(app).await?;
    let mut out = std::io::stdout();
    let text = format!(
        "Development tokens of the tenant \"dev\" (all scopes; the second is for approving what the first proposed):\n  TOKEN={first}\n  TOKEN2={second}\nhttp://{}/ describes the routes; data is kept in {}\n",
        address,
        config.data.display()
    );
    out.write_all(text.as_bytes()).map_err(|error| error.to_string())?;
    if args.sample_data {
        let run = api::sample(Arc::clone(app), &first).await?;
        writeln!(out, "Sample data: http://{}/v1/runs/{run}", address).map_err(|error| error.to_string())?;
    }
    out.flush().map_err(|error| error.to_string())
}

pub fn healthcheck() -> Result<u8, Failure> {
    let config = config()?;
    runtime()?.block_on(server::healthcheck(&config)).map_err(failed)?;
    Ok(exit::CLEAN)
}

pub fn openapi(out: &mut dyn Write) -> Result<u8, Failure> {
    out.write_all(api::openapi::document().as_bytes()).map_err(no_output)?;
    Ok(exit::CLEAN)
}

pub fn migrate() -> Result<u8, Failure> {
    let settings =
        PostgresConfig::from_env().map_err(|error| Failure::new(exit::CONFIG, error.to_string()))?;
    runtime()?.block_on(store::postgres::migrate(&settings)).map_err(|error| failed(error.to_string()))?;
    Ok(exit::CLEAN)
}

pub fn verify_audit(args: &VerifyArgs, out: &mut dyn Write) -> Result<u8, Failure> {
    let config = config()?;
    let verdict = runtime()?.block_on(async {
        let app = server::open_existing(&config).await?;
        audit::verify(&app, &args.tenant).await.map_err(|error| error.to_string())
    });
    let verdict = verdict.map_err(failed)?;
    if verdict.intact && verdict.entries == 0 {
        return Err(failed("there is no such log: the tenant has no entry and no anchor".to_owned()));
    }
    let text = serde_json::to_string_pretty(&verdict).map_err(|error| failed(error.to_string()))?;
    writeln!(out, "{text}").map_err(no_output)?;
    Ok(if verdict.intact { exit::CLEAN } else { exit::BREAKS })
}

pub fn repair_audit(args: &RepairArgs, out: &mut dyn Write) -> Result<u8, Failure> {
    let config = config()?;
    let found = runtime()?.block_on(async {
        let app = server::open_existing(&config).await?;
        let tenants = match &args.tenant {
            Some(tenant) => Ok(vec![tenant.clone()]),
            None => audit::repair::tenants(&app).await,
        };
        let mut found = Vec::new();
        for tenant in tenants.map_err(|error| error.to_string())? {
            let done = audit::repair::repair(&app, &tenant).await;
            found.push(done.map_err(|error| format!("{tenant}: {error}"))?);
        }
        Ok::<_, String>(found)
    });
    let found = found.map_err(failed)?;
    let text = serde_json::to_string_pretty(&found).map_err(|error| failed(error.to_string()))?;
    writeln!(out, "{text}").map_err(no_output)?;
    Ok(if found.iter().all(|log| log.refused.is_none()) { exit::CLEAN } else { exit::BREAKS })
}
