//! The override file that turns a generated root module to the local AWS.
//!
//! The generated files stay as they are. Terraform merges `*_override.tf.json` into them: a `provider` block
//! argument by argument, a `backend` block as a whole.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::local_aws::LocalAws;

/// The name under which the override file is written; the last one in the alphabet wins.
const FILE: &str = "zz_override.tf.json";

/// Where the state goes.
pub enum Backend<'a> {
    /// Into a file beside the configuration.
    Local,
    /// Into the bucket that the generated backend names, on the local AWS.
    S3(&'a LocalAws),
}

/// Writes the override file into the directory of a generated root module.
pub fn write(directory: &Path, backend: &Backend<'_>) {
    let files = generated(directory);
    let backend = match backend {
        Backend::Local => json!({"local": {}}),
        Backend::S3(aws) => json!({"s3": s3_backend(&terraform_block(directory), aws)}),
    };
    let mut document = json!({"terraform": {"backend": backend}});
    let providers: Vec<Value> = provider_aliases(&files).iter().map(provider).collect();
    if !providers.is_empty() {
        document["provider"] = json!({"aws": providers});
    }
    fs::write(directory.join(FILE), format!("{document:#}\n")).unwrap();
}

/// The generated files of a root module.
pub fn generated(directory: &Path) -> Vec<Value> {
    let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let generated = |path: &&std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.ends_with(".tf.json") && name != FILE
    };
    let files: Vec<Value> = paths
        .iter()
        .filter(generated)
        .map(|path| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
        .collect();
    assert!(!files.is_empty(), "{} holds no *.tf.json", directory.display());
    files
}

/// The aliases of the `aws` provider that the files configure; `None` is the one without an alias.
fn provider_aliases(files: &[Value]) -> BTreeSet<Option<String>> {
    let blocks = files.iter().filter_map(|file| file.pointer("/provider/aws")).flat_map(one_or_many);
    blocks.map(|block| block["alias"].as_str().map(str::to_owned)).collect()
}

/// Terraform takes one block by itself, or a list of them.
fn one_or_many(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// What the provider needs for the local AWS beyond the variables of `LocalAws::environment`.
fn provider(alias: &Option<String>) -> Value {
    let mut block = json!({
        "s3_use_path_style": true,
        "skip_metadata_api_check": true,
    });
    if let Some(alias) = alias {
        block["alias"] = json!(alias);
    }
    block
}

/// The `terraform` block of the generated files: backend, required versions.
pub fn terraform_block(directory: &Path) -> Value {
    let files = generated(directory);
    let block = files.iter().find_map(|file| one_or_many(file.get("terraform")?).first());
    block.expect("the generated files hold a terraform block").clone()
}

/// The generated backend's own arguments, and those that lead it to the local AWS.
fn s3_backend(terraform: &Value, aws: &LocalAws) -> Value {
    let generated = terraform.pointer("/backend/s3").and_then(Value::as_object);
    let mut arguments = generated.expect("the generated files hold an S3 backend").clone();
    let endpoint = |service: &str| (service.to_owned(), json!(aws.url()));
    let endpoints: Map<String, Value> = ["s3", "dynamodb", "iam", "sts"].map(endpoint).into_iter().collect();
    arguments.insert("endpoints".to_owned(), Value::Object(endpoints));
    arguments.insert("use_path_style".to_owned(), json!(true));
    arguments.insert("skip_metadata_api_check".to_owned(), json!(true));
    Value::Object(arguments)
}
