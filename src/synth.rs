//! From a validated environment to the files of its root module.

use crate::config::EnvConfig;
use indexmap::IndexMap;

/// The files of a root module: name, such as `network.tf.json`, and contents.
pub type Rendered = IndexMap<String, String>;

/// Renders an environment's root module.
///
/// # Errors
/// When a stack contradicts itself, which is a bug.
pub fn synth(config: &EnvConfig) -> anyhow::Result<Rendered> {
    let terraform = serde_json::json!({
        "terraform": {
            "required_version": config.terraform.required_version,
            "backend": { "s3": { "bucket": config.state.bucket, "key": config.state.key } }
        }
    });
    let locals =
        serde_json::json!({ "locals": { "prefix": config.names.prefix(), "cidr": config.network.cidr } });
    let mut files = Rendered::new();
    files.insert("terraform.tf.json".to_owned(), format!("{}\n", serde_json::to_string_pretty(&terraform)?));
    files.insert("locals.tf.json".to_owned(), format!("{}\n", serde_json::to_string_pretty(&locals)?));
    Ok(files)
}
