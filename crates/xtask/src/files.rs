//! Writing generated files, or comparing them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Replaces a file as a whole.
pub fn write(path: &Path, text: &str) -> Result<()> {
    let partial = path.with_extension("partial");
    std::fs::write(&partial, text)
        .and_then(|()| std::fs::rename(&partial, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Formats Rust source with the workspace's own style.
pub fn rustfmt(source: &str, config: &Path) -> Result<String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(config)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run rustfmt; `rustup component add rustfmt`")?;
    child.stdin.take().context("rustfmt has an input")?.write_all(source.as_bytes())?;
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("rustfmt refused generated code");
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The files below a folder by their paths, with what they hold. Links are left alone.
pub fn below(folder: &Path) -> Result<BTreeMap<String, String>> {
    let (mut files, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).with_context(|| format!("cannot read {}", next.display()))? {
            let (entry, path) = entry.and_then(|entry| Ok((entry.file_type()?, entry.path())))?;
            if entry.is_dir() {
                folders.push(path);
            } else if entry.is_file() {
                let text = std::fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                files.insert(path.strip_prefix(folder)?.to_string_lossy().into_owned(), text);
            }
        }
    }
    Ok(files)
}

/// Makes `folder` hold exactly `files`, or fails if it does not and `check` is set.
pub fn sync(folder: &Path, files: &BTreeMap<String, String>, check: bool, command: &str) -> Result<()> {
    let mut stale = Vec::new();
    for (name, text) in files {
        if std::fs::read_to_string(folder.join(name)).ok().as_ref() != Some(text) {
            stale.push(name.clone());
        }
    }
    let present = if folder.exists() { below(folder)? } else { BTreeMap::new() };
    let extra: Vec<String> = present.into_keys().filter(|name| !files.contains_key(name)).collect();
    if check {
        if stale.is_empty() && extra.is_empty() {
            return Ok(());
        }
        let all: Vec<String> = stale.into_iter().chain(extra).collect();
        bail!(
            "problem: {} is stale: {}\nfix: run `{command}` and commit the result",
            folder.display(),
            all.join(", ")
        );
    }
    for name in stale {
        let path = folder.join(&name);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        write(&path, &files[&name])?;
    }
    for name in extra {
        std::fs::remove_file(folder.join(name))?;
    }
    Ok(())
}
