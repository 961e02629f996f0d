//! `[[moved]]` and `[[removed]]` fit the module that is built.

use std::collections::BTreeSet;

use crate::config::EnvConfig;
use crate::config::problem::{KeyPath, Problems};
use crate::config::suggest;
use crate::synth::synth;

/// Terraform refuses a plan whose module still has what has moved away or was removed, and a move to nowhere destroys.
pub fn check(config: &EnvConfig, problems: &mut Problems) {
    if config.moved.is_empty() && config.removed.is_empty() || problems.has_errors() {
        return;
    }
    let built: BTreeSet<String> = match synth(config) {
        Ok(root) => root.nodes().iter().map(|node| node.address().to_string()).collect(),
        Err(errors) => {
            let what = format!("which addresses there are cannot be told: {errors}");
            problems.error("moved", what, "mend that first");
            return;
        }
    };
    let kind = |address: &str| address.split_once('.').map(|(kind, _)| kind.to_owned());
    let still = "the address that it had before; this one is built by this file";
    let (mut left, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for (at, moved) in config.moved.iter().enumerate() {
        let path = |key: &'static str| KeyPath::from("moved").index(at).key(key);
        let (from, to) = (moved.from.as_str(), moved.to.as_str());
        if built.contains(from) {
            problems.error(path("from"), format!("`{from}` is still in the module"), still);
        }
        if !built.contains(to) {
            let alike = built.iter().map(String::as_str).filter(|address| kind(address) == kind(to));
            let help = match suggest::nearest(to, alike) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "an address that `txnr inventory` lists".to_owned(),
            };
            problems.error(path("to"), format!("`{to}` is not in the module"), help);
        }
        if !left.insert(from) {
            problems.error(path("from"), format!("`{from}` moves twice"), "each address once");
        }
        if !taken.insert(to) {
            problems.error(path("to"), format!("two resources move to `{to}`"), "each address once");
        }
        if kind(from) != kind(to) {
            let what = format!("`{from}` cannot become `{to}`, a resource of another type");
            problems.error(path("to"), what, "[[removed]] for the one, and a new one");
        }
    }
    for (at, removed) in config.removed.iter().enumerate() {
        let path = KeyPath::from("removed").index(at).key("address");
        let address = removed.address.as_str();
        if built.contains(address) {
            problems.error(path.clone(), format!("`{address}` is still in the module"), still);
        }
        if !left.insert(address) {
            problems.error(path, format!("`{address}` is let go of twice"), "each address once");
        }
    }
}
