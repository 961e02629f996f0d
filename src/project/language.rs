//! The language that a service is written in: which checks it passes, which Dockerfile is written for it.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

use crate::config::Invalid;

/// The language of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// Rust, with Cargo.
    Rust,
    /// JavaScript or TypeScript on Node.js, with npm, pnpm or Yarn.
    Node,
    /// Go, with modules.
    Go,
    /// Python, with pip.
    Python,
    /// Any other.
    Other,
}

impl Language {
    /// Every one of them.
    pub const ALL: [Self; 5] = [Self::Rust, Self::Node, Self::Go, Self::Python, Self::Other];

    /// Its name, as `txnr.toml` says it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Node => "node",
            Self::Go => "go",
            Self::Python => "python",
            Self::Other => "other",
        }
    }

    /// The files that tell it, which stand in the repository's root.
    const fn files(self) -> &'static [&'static str] {
        match self {
            Self::Rust => &["Cargo.toml"],
            Self::Node => &["package.json"],
            Self::Go => &["go.mod"],
            Self::Python => &["pyproject.toml", "requirements.txt", "setup.py"],
            Self::Other => &[],
        }
    }

    /// The languages whose files are there.
    pub fn found(exists: impl Fn(&str) -> bool) -> Vec<Self> {
        Self::ALL.into_iter().filter(|language| language.files().iter().any(|file| exists(file))).collect()
    }

    /// The language of an image, by its base: `node:22-alpine`.
    #[must_use]
    pub fn of_base(base: &str) -> Option<Self> {
        let image = base.split(['@']).next().unwrap_or_default();
        let name = image.rsplit('/').next().unwrap_or_default().split(':').next().unwrap_or_default();
        match name {
            "rust" => Some(Self::Rust),
            "golang" => Some(Self::Go),
            "node" => Some(Self::Node),
            "python" => Some(Self::Python),
            _ if name.starts_with("nodejs") => Some(Self::Node),
            _ if name.starts_with("python") => Some(Self::Python),
            _ => None,
        }
    }

    /// What has to pass before an image is pushed, each a command of a shell, as the tools that are set up say it.
    pub fn checks(self, exists: impl Fn(&str) -> bool) -> Vec<&'static str> {
        match self {
            Self::Rust => vec![
                "cargo fmt --all --check",
                "cargo clippy --workspace --all-targets --locked -- -D warnings",
                "cargo test --workspace --locked",
            ],
            Self::Node if exists("pnpm-lock.yaml") => vec![
                "corepack enable && pnpm install --frozen-lockfile",
                "pnpm run --if-present lint",
                "pnpm run --if-present test",
            ],
            // Yarn 1 and its successors know both the command and the flag.
            Self::Node if exists("yarn.lock") => {
                vec!["corepack enable && yarn install --frozen-lockfile", "yarn run test"]
            }
            Self::Node => {
                let install = if exists("package-lock.json") { "npm ci" } else { "npm install --no-audit" };
                vec![install, "npm run lint --if-present", "npm test --if-present"]
            }
            Self::Go => vec!["test -z \"$(gofmt -l .)\"", "go vet ./...", "go test ./..."],
            // The system's Python takes no packages (PEP 668).
            Self::Python => {
                let install =
                    match (exists("requirements.txt"), exists("pyproject.toml") || exists("setup.py")) {
                        (true, _) => Some(".venv/bin/pip install --requirement requirements.txt"),
                        (false, true) => Some(".venv/bin/pip install ."),
                        (false, false) => None,
                    };
                let test = ".venv/bin/python -m unittest discover";
                ["python3 -m venv .venv"].into_iter().chain(install).chain([test]).collect()
            }
            Self::Other => Vec::new(),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Language {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.into_iter().find(|language| language.as_str() == text);
        found.ok_or_else(|| {
            Invalid::new(
                format!("{text:?} is no language that is known here"),
                "rust, node, go, python or other",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_told_by_its_files_or_by_the_base() {
        assert_eq!(Language::found(|file| file == "go.mod"), [Language::Go]);
        assert_eq!(Language::found(|file| file.ends_with(".json") || file == "setup.py").len(), 2);
        for (base, language) in [
            ("node:22-alpine@sha256:ab", Some(Language::Node)),
            ("gcr.io/distroless/nodejs22-debian12:nonroot", Some(Language::Node)),
            ("docker.io/library/golang:1.25", Some(Language::Go)),
            ("gcr.io/distroless/static-debian12", None),
            ("registry:5000/python", Some(Language::Python)),
        ] {
            assert_eq!(Language::of_base(base), language, "{base}");
        }
    }

    #[test]
    fn checks_are_those_of_the_language_alone() {
        for language in Language::ALL {
            let checks = language.checks(|_| false).join("\n");
            assert_eq!(checks.contains("cargo"), language == Language::Rust, "{checks}");
            assert_eq!(language.as_str().parse(), Ok(language));
        }
        assert_eq!(Language::Node.checks(|file| file == "package-lock.json")[0], "npm ci");
    }
}
