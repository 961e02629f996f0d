//! `txnr.toml`: what the rendered files of a repository need to know beside the environment files.

use super::language::Language;
use super::value::{CheckCommand, CodeOwner, FilePath, Repository, Sha256, Version};
use crate::config::{BranchName, EnvName, FurtherName, TagText};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::{fmt, fs, io};

/// The file's name.
pub const NAME: &str = "txnr.toml";

/// What a repository says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// The repository on GitHub.
    pub repository: Repository,
    /// The branch whose merges are applied and whose images are published.
    #[serde(default)]
    pub branch: BranchName,
    /// Who has to approve changes.
    pub code_owners: Vec<CodeOwner>,
    /// Whom the runbook tells people to call.
    pub on_call: TagText,
    /// Every environment, in the order in which a change reaches them.
    pub promotion: Vec<EnvName>,
    /// Whether GitHub's code scanning shows findings. False: they stand in the summaries of runs.
    #[serde(default)]
    pub code_scanning: bool,
    /// Rendered files that this repository keeps by itself from now on: they are neither written nor checked.
    #[serde(default)]
    pub own: Vec<FilePath>,
    /// Where the pipeline takes txnr from.
    pub txnr: Txnr,
    /// The images that the pipeline builds; none, and there is no pipeline for them.
    pub image: Option<Image>,
}

/// Where the pipeline takes txnr from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Txnr {
    /// The repository that releases it.
    pub repository: Repository,
    /// The release. None: it is built from this very repository.
    pub version: Option<Version>,
}

/// The images that the pipeline builds: the main service's, and those of services beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The main service's Dockerfile.
    pub dockerfile: FilePath,
    /// The folder that it is built from.
    #[serde(default = "root")]
    pub context: FilePath,
    /// The language of what is built: which ignore files, hooks and updates are rendered. Rust where a check says `cargo`, else
    /// none of them.
    pub language: Option<Language>,
    /// The SHA-256 of the authorities of RDS that the Dockerfile of txn-reconcile-api downloads.
    pub database_ca_sha256: Option<Sha256>,
    /// What has to pass before anything is pushed; each is a step of its own.
    pub checks: Vec<CheckCommand>,
    /// The images of services beside the main one, by their names under `[services]` of the environment files. The image of
    /// one that is not here is built elsewhere.
    #[serde(default)]
    pub services: BTreeMap<FurtherName, FurtherImage>,
}

impl Image {
    /// The language of what is built.
    #[must_use]
    pub fn language(&self) -> Language {
        let cargo = || self.checks.iter().any(|check| check.as_str().starts_with("cargo "));
        self.language.unwrap_or_else(|| if cargo() { Language::Rust } else { Language::Other })
    }
}

/// The image of a service beside the main one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FurtherImage {
    /// Its Dockerfile.
    pub dockerfile: FilePath,
    /// The folder that it is built from.
    #[serde(default = "root")]
    pub context: FilePath,
}

/// The repository's root.
fn root() -> FilePath {
    FilePath::root()
}

/// Why `txnr.toml` cannot be used.
#[derive(Debug)]
pub enum ProjectError {
    /// It could not be read.
    Unreadable(io::Error),
    /// It says what it may not say.
    Invalid(Box<toml::de::Error>),
    /// `promotion` and the environment files name different environments.
    Promotion {
        /// In which way.
        what: String,
    },
    /// An image is built for a service that no environment has.
    Service {
        /// Its name.
        name: FurtherName,
    },
    /// The roles of an environment trust another repository or branch than this one.
    Trust {
        /// The key, which is called the same under `[github]` of the environment's file.
        key: &'static str,
        /// The environment.
        environment: EnvName,
        /// What its file says.
        trusted: String,
    },
}

impl fmt::Display for ProjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "cannot read {NAME}: {error}"),
            Self::Invalid(error) => write!(f, "{NAME}: {}", error.to_string().trim_end()),
            Self::Promotion { what } => write!(f, "{NAME}: promotion: {what}"),
            Self::Service { name } => {
                write!(f, "{NAME}: image.services.{name}: no environment has a service of this name")
            }
            Self::Trust { key, environment, trusted } => {
                write!(f, "{NAME}: {key}: the roles of `{environment}` trust {trusted} and no other")
            }
        }
    }
}

impl std::error::Error for ProjectError {}

impl Project {
    /// Reads the file of a folder; `None` if there is none.
    ///
    /// # Errors
    /// When it cannot be read, or says what it may not say.
    pub fn read(folder: &Path) -> Result<Option<Self>, ProjectError> {
        match fs::read_to_string(folder.join(NAME)) {
            Ok(text) => Self::parse(&text).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ProjectError::Unreadable(error)),
        }
    }

    /// Reads the text of the file.
    ///
    /// # Errors
    /// When it says what it may not say.
    pub fn parse(text: &str) -> Result<Self, ProjectError> {
        let project: Self = toml::from_str(text).map_err(|error| ProjectError::Invalid(Box::new(error)))?;
        if let Some(twice) = project
            .promotion
            .iter()
            .enumerate()
            .find_map(|(at, name)| project.promotion[..at].contains(name).then_some(name))
        {
            return Err(ProjectError::Promotion { what: format!("`{twice}` stands there twice") });
        }
        Ok(project)
    }
}
