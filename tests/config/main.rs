//! Environment files: what is right loads, what is wrong is explained, and nothing panics.

mod any_text;
mod generated_files;
mod mistakes;
mod resolved;
