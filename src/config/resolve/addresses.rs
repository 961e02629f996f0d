//! The addresses that the service itself calls: where the keys of tokens come from, and where traces go. The tasks reach
//! nothing that `network.egress` does not name, so an address that leads nowhere is found here and not in the log of a
//! deployment that does not get well.

use crate::config::file::EnvFile;
use crate::config::problem::{KeyPath, Problems};
use crate::config::section::{Contract, EgressRuleFile, Nat};
use crate::config::value::{CertificateName, VariableName};
use contract::Var;
use std::collections::BTreeMap;

/// The variables that hold an address.
const ADDRESSES: [Var; 2] = [Var::JwksUrl, Var::OtlpEndpoint];

/// What the service needs besides, if it is told who issues tokens.
const WITH_ISSUER: [&[Var]; 2] = [&[Var::JwtAudience], &[Var::JwksUrl, Var::JwksFile]];

pub(super) fn check(file: &EnvFile, problems: &mut Problems) {
    let has_contract = file.service.contract != Some(Contract::None);
    if has_contract {
        check_tokens(file, problems);
    }
    let egress = &file.network.egress;
    let main = Caller {
        environment: &file.service.environment,
        at: KeyPath::from("service.environment"),
        egress: egress.iter().collect(),
        of_its_own: None,
    };
    let further = file.services.iter().map(|(name, service)| {
        let table = KeyPath::from("services").key(name.as_str());
        Caller {
            environment: &service.environment,
            at: table.below("environment"),
            egress: egress.iter().filter(|rule| service.egress.contains(&rule.name)).collect(),
            of_its_own: Some(table.below("egress")),
        }
    });
    for caller in Some(main).filter(|_| has_contract).into_iter().chain(further) {
        for var in ADDRESSES {
            let Some(value) = value(caller.environment, var) else { continue };
            match Address::parse(value) {
                Some(address) => check_reachable(file, &caller, var, &address, problems),
                None => {
                    problems.error(
                        caller.at.clone().key(var.name()),
                        "this is not an address that the service calls",
                        "an https address, or a plain http one of 127.0.0.1 or localhost, where sidecars listen",
                    );
                }
            }
        }
    }
}

/// A service that may be told of addresses: the main one, and one beside it that runs the same program.
struct Caller<'a> {
    environment: &'a Variables,
    at: KeyPath,
    /// Where its tasks may go.
    egress: Vec<&'a EgressRuleFile>,
    /// Where it names those rules, unless all of them are its own.
    of_its_own: Option<KeyPath>,
}

type Variables = BTreeMap<VariableName, String>;

fn key(var: Var) -> KeyPath {
    KeyPath::from("service.environment").key(var.name())
}

fn value(variables: &Variables, var: Var) -> Option<&str> {
    let mut variables = variables.iter();
    variables.find(|(name, _)| name.as_str() == var.name()).map(|(_, value)| value.as_str())
}

/// The service does not start with half of what tokens need.
fn check_tokens(file: &EnvFile, problems: &mut Problems) {
    let set = |var: &Var| {
        let secret = file.service.secrets.keys().any(|name| name.as_str() == var.name());
        secret || value(&file.service.environment, *var).is_some()
    };
    let named = |vars: &[Var]| vars.iter().map(|var| var.name()).collect::<Vec<_>>().join(" or ");
    if !set(&Var::JwtIssuer) {
        let lonely = Var::WITH_ISSUER.into_iter().find(set);
        if let Some(var) = lonely {
            problems.error(
                key(var),
                "without an issuer the service takes no tokens, and does not start with this",
                format!("{} as well", Var::JwtIssuer.name()),
            );
        }
        return;
    }
    for needed in WITH_ISSUER.into_iter().filter(|needed| !needed.iter().any(set)) {
        problems.error(
            key(Var::JwtIssuer),
            format!("the service does not start with an issuer and without {}", named(needed)),
            format!("{} as well", named(needed)),
        );
    }
}

/// Where an address leads.
struct Address<'a> {
    host: &'a str,
    port: u16,
}

impl<'a> Address<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (authority, None),
        };
        if host.is_empty() || host.contains(['@', ' ']) {
            return None;
        }
        let address = match scheme {
            "https" => Self { host, port: port.unwrap_or(443) },
            "http" => Self { host, port: port.unwrap_or(80) },
            _ => return None,
        };
        (scheme == "https" || address.is_local()).then_some(address)
    }

    fn is_local(&self) -> bool {
        matches!(self.host, "localhost" | "127.0.0.1")
    }
}

fn check_reachable(
    file: &EnvFile,
    caller: &Caller<'_>,
    var: Var,
    address: &Address<'_>,
    problems: &mut Problems,
) {
    if address.is_local() {
        return;
    }
    let key = || caller.at.clone().key(var.name());
    // With `nat = "none"` the rules themselves are the mistake, which is noted elsewhere.
    let leads_out = caller.egress.iter().any(|rule| rule.port.get() == u32::from(address.port));
    if !leads_out {
        let (place, help) = match &caller.of_its_own {
            None => (
                "under `network.egress`",
                "a rule there with the ranges of the host, or of the proxy in front of it",
            ),
            Some(_) => (
                "that its `egress` names",
                "the name of a rule under `network.egress` with the ranges of the host, or of the proxy in front of it",
            ),
        };
        let problem = problems.error(
            key(),
            format!("nothing {place} leads out at port {}, so no task reaches this", address.port),
            help,
        );
        problem.because_of_paths(caller.of_its_own.clone());
        if file.network.nat == Some(Nat::None) {
            problem.because_of(&["network.nat"]);
        }
    }
    let names = &file.dns.allowed_names;
    if !names.is_empty() && !names.iter().any(|name| covers(name, address.host)) {
        problems
            .error(
                key(),
                format!("no task can look up `{}`", address.host),
                "the name under `dns.allowed_names` as well",
            )
            .because_of(&["dns.allowed_names"]);
    }
}

/// Whether a name, or all names below one, cover a host. AWS's own names are always answered.
fn covers(name: &CertificateName, host: &str) -> bool {
    let name = name.as_str();
    let below = name.strip_prefix('*').is_some_and(|end| host.ends_with(end));
    name == host || below || host.ends_with(".amazonaws.com")
}
