//! What a Dockerfile says of the container that is made with it: <https://docs.docker.com/reference/dockerfile/>. What it
//! takes from its base, or from arguments of the build, is not known here and is not guessed.

use std::collections::BTreeMap;

/// What the last stage says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dockerfile {
    /// The TCP ports that it exposes, in the order of the file, each once.
    pub ports: Vec<u16>,
    /// Whom it runs as: `1000`, `1000:1000`, `node`.
    pub user: Option<String>,
    /// The base that the last stage goes back to: `node:22-alpine`.
    pub base: String,
    /// The path that its health check asks at the container itself.
    pub health_path: Option<String>,
}

/// Users that well-known bases make, and their ids: the first part of the base's name, the user, the id.
/// <https://github.com/nodejs/docker-node/blob/main/docs/BestPractices.md#non-root-user> and
/// <https://github.com/GoogleContainerTools/distroless/blob/main/common/variables.bzl>
const USERS: [(&str, &str, u32); 2] = [("node", "node", 1000), ("gcr.io/distroless/", "nonroot", 65_532)];

impl Dockerfile {
    /// Reads the text of a Dockerfile.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut stages: BTreeMap<String, Self> = BTreeMap::new();
        let mut variables: BTreeMap<String, String> = BTreeMap::new();
        let mut stage = Self::default();
        let mut name = None;
        for instruction in instructions(text) {
            let (keyword, rest) = instruction.split_once(char::is_whitespace).unwrap_or((&instruction, ""));
            let rest = substitute(rest.trim(), &variables);
            match keyword.to_ascii_uppercase().as_str() {
                "FROM" => {
                    if let Some(name) = name.take() {
                        stages.insert(name, stage.clone());
                    }
                    let words: Vec<&str> = rest.split_whitespace().filter(|w| !w.starts_with("--")).collect();
                    let base = words.first().copied().unwrap_or_default();
                    let named = || Self { base: base.to_owned(), ..Self::default() };
                    stage = stages.get(&base.to_ascii_lowercase()).cloned().unwrap_or_else(named);
                    name = match words.as_slice() {
                        [_, word, name] if word.eq_ignore_ascii_case("as") => Some(name.to_ascii_lowercase()),
                        _ => None,
                    };
                }
                "ARG" | "ENV" => remember(&rest, &mut variables),
                "EXPOSE" => rest.split_whitespace().for_each(|port| stage.expose(port)),
                "USER" => stage.user = Some(rest).filter(|user| !user.is_empty()),
                "HEALTHCHECK" => stage.health_path = health_path(&rest),
                _ => {}
            }
        }
        stage
    }

    fn expose(&mut self, port: &str) {
        let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
        if let Some(number) = number.parse().ok().filter(|number| !self.ports.contains(number))
            && protocol.eq_ignore_ascii_case("tcp")
        {
            self.ports.push(number);
        }
    }

    /// The number of the user that it runs as: `None` where it names nobody, or one whose number only the image knows.
    #[must_use]
    pub fn user_id(&self) -> Option<u32> {
        let user = self.user.as_deref()?.split(':').next()?;
        let base = self.base.strip_prefix("docker.io/").unwrap_or(&self.base);
        let base = base.strip_prefix("library/").unwrap_or(base);
        let known = USERS.iter().find(|(from, name, _)| {
            *name == user
                && base.strip_prefix(from).is_some_and(|rest| {
                    from.ends_with('/') || rest.is_empty() || rest.starts_with([':', '@'])
                })
        });
        let root = (user == "root").then_some(0);
        user.parse().ok().or(root).or_else(|| known.map(|(_, _, id)| *id))
    }
}

/// The instructions, each in one line, without comments.
fn instructions(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut open = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_suffix('\\') {
            Some(begun) => open.push_str(&format!("{begun} ")),
            None => all.push(std::mem::take(&mut open) + line),
        }
    }
    all.extend(Some(open).filter(|open| !open.trim().is_empty()));
    all
}

/// `NAME=value`, several of them, or `NAME value`; an argument without a value is not known.
fn remember(text: &str, variables: &mut BTreeMap<String, String>) {
    let mut keep = |name: &str, value: &str| {
        variables.insert(name.to_owned(), value.trim_matches(['"', '\'']).to_owned());
    };
    match text.split_once(char::is_whitespace) {
        Some((name, value)) if !name.contains('=') => keep(name, value.trim()),
        _ => text.split_whitespace().filter_map(|word| word.split_once('=')).for_each(|(n, v)| keep(n, v)),
    }
}

/// Puts known variables in the place of `$NAME` and `${NAME}`.
fn substitute(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut text = text.to_owned();
    // Longer names first: `$PORTS` is no `$PORT`.
    for (name, value) in variables.iter().rev() {
        text = text.replace(&format!("${{{name}}}"), value).replace(&format!("${name}"), value);
    }
    text
}

/// `curl -f http://localhost:3000/health || exit 1` asks `/health`.
fn health_path(command: &str) -> Option<String> {
    let at = ["://localhost", "://127.0.0.1", "://[::1]", "://0.0.0.0"];
    let rest = at.iter().find_map(|host| command.split_once(host)).map(|(_, rest)| rest)?;
    let rest = rest.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit());
    let path: String =
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "/-_.~".contains(*c)).collect();
    path.starts_with('/').then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_stage_says_what_runs() {
        let node = Dockerfile::read(
            "# syntax=docker/dockerfile:1\nFROM node:22-alpine@sha256:ab AS base\nENV PORT=3000 NODE_ENV=production\n\
             FROM base as build\nEXPOSE 9229\nUSER root\nRUN npm ci \\\n  # a comment\n  && npm run build\n\
             from base\nEXPOSE ${PORT}/tcp 5000/udp\nUSER node\n\
             HEALTHCHECK --interval=5s CMD curl --fail http://localhost:${PORT}/up || exit 1\nCMD [\"node\", \"server.js\"]\n",
        );
        assert_eq!((node.ports.as_slice(), node.user_id()), ([3000].as_slice(), Some(1000)));
        assert_eq!(node.health_path.as_deref(), Some("/up"));
        assert_eq!(node.base, "node:22-alpine@sha256:ab");
    }

    #[test]
    fn a_user_is_known_by_its_number_alone() {
        let user = |text: &str| Dockerfile::read(text).user_id();
        assert_eq!(user("FROM alpine\nUSER 1000:1001\n"), Some(1000));
        assert_eq!(user("FROM alpine\nUSER app\n"), None);
        assert_eq!(user("FROM node-like\nUSER node\n"), None);
        assert_eq!(user("FROM docker.io/library/node\nUSER node:node\n"), Some(1000));
        assert_eq!(user("FROM gcr.io/distroless/static-debian12\nUSER nonroot\n"), Some(65_532));
        assert_eq!(user("FROM alpine\nUSER root\n"), Some(0));
        assert_eq!(user("FROM alpine\n"), None);
        assert_eq!(user("ARG UID\nFROM alpine\nUSER $UID\n"), None);
    }

    #[test]
    fn ports_are_those_of_tcp_in_their_order() {
        let ports = |text: &str| Dockerfile::read(text).ports;
        assert_eq!(ports("FROM a\nEXPOSE 8080 9464\nEXPOSE 8080\n"), [8080, 9464]);
        assert_eq!(ports("FROM a\nARG P\nEXPOSE $P\n"), Vec::<u16>::new());
        assert_eq!(ports("FROM a\nENV PORT 80\nENV PORTS=81\nEXPOSE $PORTS\n"), [81]);
        assert_eq!(ports(""), Vec::<u16>::new());
    }
}
