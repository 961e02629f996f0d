//! Modules as they are synthesized, for the tasks that are run of them.

use test_kit::repository;
use test_kit::task::Module;
use txnr::check;
use txnr::synth::synth;

/// Synthesizes an environment of a folder of the repository.
pub fn module(folder: &str, name: &str) -> Module {
    let loaded = check::load_all(&repository(folder)).unwrap_or_else(|error| panic!("{error}"));
    let mut all = loaded.environments.into_iter().map(|one| one.config);
    let config = all.find(|config| config.name.as_str() == name).expect("the environment is there");
    let root = synth(&config).unwrap_or_else(|errors| panic!("{errors}"));
    let files = root.render("").into_iter().map(|(_, text)| serde_json::from_str(&text).unwrap());
    Module::new(config.region.to_string(), config.account_id.to_string(), files.collect())
}
