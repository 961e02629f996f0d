//! Statement files and match lists: a folder by default, S3 when deployed. In both an object is there as a whole or not
//! at all: S3 puts are atomic, and the folder's files are written beside and renamed.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path as FilePath;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::{AmazonS3Builder, Checksum, S3ConditionalPut};
use object_store::local::LocalFileSystem;

/// A folder, whose files are on the disk when they are acknowledged.
///
/// # Errors
/// Fails if the folder cannot be made.
pub fn folder(path: &FilePath) -> Result<Arc<dyn ObjectStore>, String> {
    private_folder(path)?;
    let files = LocalFileSystem::new_with_prefix(path).map_err(|error| error.to_string())?;
    Ok(Arc::new(files.with_fsync(true).with_automatic_cleanup(true)))
}

/// Makes a folder that nobody else of this machine may look into, unless there is one.
///
/// # Errors
/// Fails if it cannot be made.
pub fn private_folder(path: &FilePath) -> Result<(), String> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| format!("{}: {error}", path.display()))
}

/// A file that nobody else of this machine may read, made empty unless there is one.
///
/// # Errors
/// Fails if it cannot be made or belongs to somebody else.
pub fn private_file(path: &FilePath) -> Result<(), String> {
    let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    opened
        .and_then(|file| file.set_permissions(Permissions::from_mode(0o600)))
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// A bucket. Where it is and with which credentials is told as to every client of AWS: by the task's role, its region
/// and, for a stand-in, its endpoint.
///
/// # Errors
/// Fails if the environment does not make sense.
pub fn bucket(name: &str) -> Result<Arc<dyn ObjectStore>, String> {
    // S3 takes no object into a bucket under Object Lock without a checksum.
    let builder = AmazonS3Builder::from_env()
        .with_bucket_name(name)
        .with_checksum_algorithm(Checksum::SHA256)
        .with_conditional_put(S3ConditionalPut::ETagMatch);
    let endpoint = std::env::var("AWS_ENDPOINT_URL_S3").or_else(|_| std::env::var("AWS_ENDPOINT_URL"));
    let builder = match endpoint {
        Ok(endpoint) => builder.with_allow_http(endpoint.starts_with("http://")).with_endpoint(endpoint),
        Err(_) => builder,
    };
    Ok(Arc::new(builder.build().map_err(|error| error.to_string())?))
}
