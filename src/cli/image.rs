//! `txnr image`: names the image that a service of an environment runs.

use super::output::say;
use super::{EnvsFolder, Failure};
use crate::check;
use crate::config::load::LoadError;
use crate::config::{FurtherName, ImageRef};
use crate::project::starter::NO_IMAGE;
use crate::{emit, exit};
use clap::Args;
use std::fs;
use std::path::Path;

/// Names the image that a service of an environment runs
///
/// Changes `service.image`, or with `--service` that of a service beside the main one, in the environment's file and leaves
/// everything else in it as it is, comments included.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Image {
    /// The environment
    #[arg(long = "env", value_name = "NAME")]
    name: String,

    /// The service beside the main one that runs it, as under [services] in the environment's file
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// The image: sha256: and its digest, or a tag
    image: String,

    #[command(flatten)]
    envs: EnvsFolder,
}

const EXAMPLES: &str = "Examples:
  txnr image --env dev sha256:8f5f2d0e2a6b43c1c0f3a4d7b9e18c5d6a7f90123b4c5d6e7f8091a2b3c4d5e6
  txnr image --env dev v0.2.0
  txnr image --env dev --service back-office v3.1.0";

impl Image {
    pub(super) fn run(self) -> Result<(), Failure> {
        let image: ImageRef = self.image.parse().map_err(|invalid: crate::config::Invalid| {
            Failure::new(exit::USAGE, invalid.problem, invalid.allowed)
        })?;
        let loaded = check::load_some(&self.envs.folder, std::slice::from_ref(&self.name))?;
        let Some(environment) = loaded.environments.first() else { return Ok(()) };
        let path = &environment.path;
        let unreadable = |source| LoadError::Unreadable { path: path.clone(), source };
        let text = fs::read_to_string(path).map_err(unreadable)?;
        let mut document: toml_edit::DocumentMut = text.parse().map_err(anyhow::Error::from)?;
        let service = match &self.service {
            None => document.entry("service").or_insert_with(toml_edit::table),
            Some(name) => {
                let named = environment.config.services.keys().map(FurtherName::as_str);
                further(&mut document, name).ok_or_else(|| unknown(path, name, named))?
            }
        };
        set_image(service, &image);
        let mut changed = document.to_string();
        if self.service.is_none() {
            changed = changed.replacen(&format!("{NO_IMAGE}\n"), "", 1);
        }
        if text.contains("\r\n") {
            changed = changed.replace("\r\n", "\n").replace('\n', "\r\n");
        }
        check::parse(path, &changed).map_err(LoadError::Invalid)?;
        // Where the path is a symbolic link, the file that it leads to is changed.
        emit::write_file(&fs::canonicalize(path).map_err(unreadable)?, changed.as_bytes())?;
        let of = self.service.map(|name| format!("{name} ")).unwrap_or_default();
        say(format_args!("{}: {of}runs {image}", self.name));
        Ok(())
    }
}

/// The table of a service beside the main one, however the file writes it.
fn further<'d>(document: &'d mut toml_edit::DocumentMut, name: &str) -> Option<&'d mut toml_edit::Item> {
    // An item's own `get_mut` makes the key that it does not find.
    document.get_mut("services")?.as_table_like_mut()?.get_mut(name)
}

fn unknown<'n>(path: &Path, name: &str, known: impl Iterator<Item = &'n str>) -> Failure {
    let known: Vec<&str> = known.collect();
    let help = match known.is_empty() {
        true => "there is none beside the main service, which takes no `--service`".to_owned(),
        false => format!("there are {}", known.join(", ")),
    };
    Failure::new(
        exit::USAGE,
        format!("{}: there is no service `{name}` under [services]", path.display()),
        help,
    )
}

/// Keeps the spaces and the comment around the value that was there.
fn set_image(service: &mut toml_edit::Item, image: &ImageRef) {
    let mut value = toml_edit::Value::from(image.to_string());
    if let Some(old) = service.get("image").and_then(|item| item.as_value()) {
        *value.decor_mut() = old.decor().clone();
    }
    service["image"] = toml_edit::Item::Value(value);
}
