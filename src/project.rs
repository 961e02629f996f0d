//! A repository of one's own: `txnr.toml`, and the files that are rendered from it and from the environment files.

pub mod dockerfile;
pub mod file;
mod language;
pub mod render;
pub mod starter;
mod value;

pub use file::{FurtherImage, Image, Project, Txnr};
pub use language::Language;
pub use value::{CheckCommand, CodeOwner, FilePath, Repository, Sha256, Version};
