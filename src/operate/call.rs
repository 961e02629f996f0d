//! A call of AWS's own program, `aws`, as words and as a line for a POSIX shell.

use std::fmt;

use crate::config::{EnvConfig, Region};

/// A call of `aws`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call(Vec<String>);

impl Call {
    /// An operation of a service in a region, as the program names both: `["ecs", "describe-services"]`.
    #[must_use]
    pub fn new(region: &Region, operation: [&str; 2]) -> Self {
        let words = operation.into_iter().chain(["--region", region.as_str()]);
        Self(words.map(str::to_owned).collect())
    }

    /// The same with a parameter.
    #[must_use]
    pub fn with(self, flag: &str, value: &str) -> Self {
        self.with_all(flag, [value])
    }

    /// The same with a parameter of several values.
    #[must_use]
    pub fn with_all<'v>(mut self, flag: &str, values: impl IntoIterator<Item = &'v str>) -> Self {
        let mut values = values.into_iter();
        match values.next() {
            // The program would take the value for a flag of its own.
            Some(first) if first.starts_with('-') => self.0.push(format!("{flag}={first}")),
            first => self.0.extend([flag].into_iter().chain(first).map(str::to_owned)),
        }
        self.0.extend(values.map(str::to_owned));
        self
    }

    /// The same with a parameter that has no value.
    #[must_use]
    pub fn flag(mut self, flag: &str) -> Self {
        self.0.push(flag.to_owned());
        self
    }

    /// What stands behind `aws`.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.0
    }

    /// Which operation it is: `aws ecs describe-services`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("aws {}", self.0.iter().take(2).map(String::as_str).collect::<Vec<_>>().join(" "))
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("aws")?;
        self.0.iter().try_for_each(|word| write!(f, " {}", quoted(word)))
    }
}

/// A word as a POSIX shell reads it.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:=,@+".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Asks for the account that the credentials are of.
#[must_use]
pub fn identity(config: &EnvConfig) -> Call {
    Call::new(&config.region, ["sts", "get-caller-identity"])
        .with("--query", "Account")
        .with("--output", "text")
}

/// A line of a shell that ends well where the credentials are of the environment's account.
#[must_use]
pub fn is_the_account(config: &EnvConfig) -> String {
    format!("[ \"$({})\" = {} ]", identity(config), config.account_id)
}

/// Calls as they are printed for somebody to copy: behind a line that tells of another account.
#[must_use]
pub fn printed(config: &EnvConfig, calls: &str) -> String {
    let guard = is_the_account(config);
    format!("{guard} || echo 'the credentials are of another account: stop here' >&2\n{calls}")
}

/// The oldest releases of both lines that open sessions in containers:
/// <https://github.com/aws-containers/amazon-ecs-exec-checker>, its prerequisites.
pub const OLDEST: [[u32; 3]; 2] = [[1, 19, 28], [2, 1, 30]];

/// The release in what `aws --version` says: `aws-cli/2.17.20 Python/3.11.8 …`.
#[must_use]
pub fn release(said: &str) -> Option<[u32; 3]> {
    let mut numbers = said.split_whitespace().next()?.strip_prefix("aws-cli/")?.split('.');
    let mut next = || numbers.next()?.parse().ok();
    Some([next()?, next()?, next()?])
}

/// Whether a release is recent enough.
#[must_use]
pub fn is_recent(release: [u32; 3]) -> bool {
    let [oldest, next] = OLDEST;
    if release[0] == oldest[0] { release >= oldest } else { release >= next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_by_a_shell_as_the_words_that_it_was_made_of() {
        let region = "eu-west-1".parse().expect("a region");
        let call = Call::new(&region, ["logs", "filter-log-events"])
            .with("--filter-pattern", "-\"it's\" ?$HOME")
            .with_all("--services", ["a", "b c"])
            .flag("--interactive");
        let output = std::process::Command::new("sh")
            .args(["-c", &format!("aws() {{ printf '%s\\n' \"$@\"; }}; {call}")])
            .output()
            .expect("a shell");
        let said = String::from_utf8(output.stdout).expect("text");
        assert_eq!(said.lines().collect::<Vec<_>>(), call.words());
        assert!(said.contains("--filter-pattern=-\"it's\" ?$HOME\n"), "{said}");
        assert_eq!(call.name(), "aws logs filter-log-events");
    }

    #[test]
    fn releases_of_both_lines_are_told_apart() {
        for (said, recent) in [
            ("aws-cli/2.17.20 Python/3.11.8 Linux/6.1 exe/x86_64", true),
            ("aws-cli/2.1.30 Python/3.8.8", true),
            ("aws-cli/2.1.29 Python/3.8.8", false),
            ("aws-cli/1.46.3 Python/3.11.7 Linux/6.18 botocore/1.44.5", true),
            ("aws-cli/1.19.28 Python/3.6", true),
            ("aws-cli/1.19.27 Python/3.6", false),
            ("aws-cli/1.9.20 Python/2.7", false),
            ("aws-cli/3.0.0 Python/3.14", true),
        ] {
            assert_eq!(release(said).map(is_recent), Some(recent), "{said}");
        }
        for said in ["", "aws-cli", "aws-cli/2 Python", "awscli/2.1.0", "aws-cli/2.x.1"] {
            assert_eq!(release(said), None, "{said}");
        }
    }
}
