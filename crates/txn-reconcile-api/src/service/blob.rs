//! Statement files and match lists: a folder by default, S3 when deployed. In both an object is there as a whole or not
//! at all: S3 puts are atomic, and the folder's files are written beside and renamed.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, Checksum, S3ConditionalPut};
use object_store::local::LocalFileSystem;
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};

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

/// How old the parts of an upload are when nobody works on it any more. While one is open its file grows every 8 MiB, and
/// the folder may be shared with other processes.
const ABANDONED_AFTER: Duration = Duration::from_secs(86_400);

/// Removes what uploads have left behind that were never completed, because the process ended: `name#1` beside `name`,
/// as the folder's store calls them. Gives how many those were.
///
/// # Errors
/// Fails if the folder cannot be read.
pub fn sweep(path: &FilePath, now_ms: u64) -> std::io::Result<usize> {
    let mut count = 0;
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            count += sweep(&entry.path(), now_ms)?;
            continue;
        }
        let name = entry.file_name();
        let part = name.to_str().and_then(|name| name.rsplit_once('#')).is_some_and(|(_, number)| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        let changed = entry.metadata().and_then(|metadata| metadata.modified());
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(now_ms);
        let old = changed.is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > ABANDONED_AFTER));
        // Another process may have removed it in between.
        if kind.is_file() && part && old && std::fs::remove_file(entry.path()).is_ok() {
            count += 1;
        }
    }
    Ok(count)
}

/// A bucket. Where it is and with which credentials is told as to every client of AWS: by the task's role, its region
/// and, for a stand-in, its endpoint.
///
/// # Errors
/// Fails if the environment does not make sense.
pub fn bucket(name: &str) -> Result<Arc<dyn ObjectStore>, String> {
    let builder = AmazonS3Builder::from_env();
    let endpoint = std::env::var("AWS_ENDPOINT_URL_S3").or_else(|_| std::env::var("AWS_ENDPOINT_URL"));
    bucket_at(
        match endpoint {
            Ok(endpoint) => builder.with_endpoint(endpoint),
            Err(_) => builder,
        },
        name,
    )
}

/// How long S3 is waited for: to take a connection, to say the next thing, and before it is asked once more. So one that
/// says nothing holds nobody for longer than 35 seconds. A request as a whole may last: a statement is as large as it is,
/// and is read while it is worked on.
const CONNECT: &str = "2 seconds";
const SILENCE: &str = "15 seconds";
const REQUEST: &str = "1 hour";
const RETRIES: RetryConfig = RetryConfig {
    backoff: BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(2),
        base: 2.0,
    },
    max_retries: 3,
    retry_timeout: Duration::from_secs(20),
};

/// A bucket behind an endpoint that the builder names, or that of its region.
///
/// # Errors
/// Fails if the builder does not make sense.
pub fn bucket_at(builder: AmazonS3Builder, name: &str) -> Result<Arc<dyn ObjectStore>, String> {
    // S3 takes no object into a bucket under Object Lock without a checksum.
    let builder = builder
        .with_bucket_name(name)
        .with_checksum_algorithm(Checksum::SHA256)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::ConnectTimeout), CONNECT)
        .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::ReadTimeout), SILENCE)
        .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), REQUEST)
        .with_retry(RETRIES);
    let plain = builder
        .get_config_value(&AmazonS3ConfigKey::Endpoint)
        .is_some_and(|endpoint| endpoint.starts_with("http://"));
    Ok(Arc::new(builder.with_allow_http(plain).build().map_err(|error| error.to_string())?))
}

#[cfg(test)]
mod tests {
    use super::super::clock::{Clock, SystemClock};
    use super::*;

    #[test]
    fn old_parts_are_swept_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("statements/tenant");
        std::fs::create_dir_all(&inner).unwrap();
        for name in ["stm_a", "stm_b#1", "stm_c#12", "stm_d#", "stm#e"] {
            std::fs::write(inner.join(name), b"x").unwrap();
        }
        let now = SystemClock.now_ms();
        assert_eq!(sweep(folder.path(), now).unwrap(), 0, "another process may be writing them");
        assert_eq!(sweep(folder.path(), now + ABANDONED_AFTER.as_millis() as u64 + 60_000).unwrap(), 2);
        let mut left: Vec<_> =
            std::fs::read_dir(&inner).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["stm#e", "stm_a", "stm_d#"]);
    }
}
