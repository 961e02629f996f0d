//! A repository of one's own: `txnr.toml`, and the files that are rendered from it and from the environment files.

pub mod file;
pub mod render;
pub mod starter;
mod value;

pub use file::{FurtherImage, Image, Project, Txnr};
pub use value::{CheckCommand, CodeOwner, FilePath, Repository, Sha256, Version};
