//! The image's facts are those of the contract. The Dockerfile is the one that `txnr init` renders for a
//! repository with the service's source.
//!
//! It is read here, not built: that takes a Docker engine and the network.

use test_kit::repository;
use txnr::check;
use txnr::project::{Project, render};

/// The Dockerfile's instructions with their arguments, joined over continued lines.
fn instructions(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let lines = joined.lines().filter_map(|line| line.trim().split_once(' '));
    lines.map(|(name, rest)| (name.to_owned(), rest.trim().to_owned())).collect()
}

/// The Dockerfile of this repository, which builds the service from its own source.
fn dockerfile() -> String {
    std::fs::read_to_string(repository("Dockerfile")).unwrap()
}

#[test]
fn the_dockerfile_is_what_init_writes() {
    let project = Project::read(&repository("examples/reconcile")).unwrap().expect("txnr.toml");
    let environments = check::load_all(&repository("envs")).unwrap().environments;
    let files = render::render(&project, &environments).unwrap();
    let rendered = files.into_iter().find(|file| file.path == "Dockerfile").expect("it is rendered");
    assert!(
        rendered.text == dockerfile(),
        "stale; run: cargo xtask generate && cp examples/reconcile/Dockerfile Dockerfile"
    );
}

#[test]
fn the_image_keeps_to_the_contract() {
    let all = instructions(&dockerfile());
    let last = all.iter().rposition(|(name, _)| name == "FROM").unwrap();
    let (build, image) = all.split_at(last);
    let only = |name: &str| {
        let found: Vec<&str> =
            image.iter().filter(|(one, _)| one == name).map(|(_, rest)| rest.as_str()).collect();
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        found[0].to_owned()
    };
    let words = |text: &str| serde_json::from_str::<Vec<String>>(text).unwrap();
    let user = contract::USER_ID;
    assert_eq!(only("USER"), format!("{user}:{user}"));
    assert_eq!(words(&only("ENTRYPOINT")), [contract::BINARY]);
    assert_eq!(words(&only("CMD")), contract::SERVE_COMMAND);
    assert_eq!(words(&only("VOLUME")), [contract::WRITABLE_DIRECTORY]);
    assert_eq!(only("EXPOSE"), format!("{} {}", contract::PORT, contract::METRICS_PORT));
    assert_eq!(only("STOPSIGNAL"), "SIGTERM");
    let health = only("HEALTHCHECK");
    let (_, health) = health.split_once(" CMD ").unwrap();
    assert_eq!(words(health), contract::HEALTH_COMMAND);
    let given = format!("--chown={user}:{user} /writable /");
    assert!(image.iter().any(|(name, rest)| name == "COPY" && rest.ends_with(&given)), "{image:?}");
    assert!(!image.iter().any(|(name, _)| name == "RUN"), "the image has no shell");

    let built = |text: &str| build.iter().any(|(_, rest)| rest.contains(text));
    assert!(built(&format!("/root-of-image{}", contract::BINARY)));
    assert!(built(&format!("install -d -m 0700 \"/writable{}\"", contract::WRITABLE_DIRECTORY)));
    let downloads: Vec<&str> =
        build.iter().filter(|(name, _)| name == "ADD").map(|(_, rest)| rest.as_str()).collect();
    let authorities = format!(" /root-of-image{}", contract::DATABASE_CA_FILE);
    assert!(downloads.len() == 1 && downloads[0].ends_with(&authorities), "{downloads:?}");
}

/// Nobody else can change what it is made from.
#[test]
fn everything_that_comes_from_elsewhere_is_pinned() {
    let all = instructions(&dockerfile());
    // A scan of the image sees the crates.
    assert!(all.iter().any(|(name, rest)| name == "RUN" && rest.starts_with("cargo auditable build ")));
    for (name, rest) in &all {
        match name.as_str() {
            "FROM" => {
                let digest = rest.split_once("@sha256:").map_or("", |(_, digest)| digest);
                let digest = digest.split(' ').next().unwrap();
                assert!(digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()), "{rest}");
            }
            "ADD" => assert!(rest.starts_with("--checksum=sha256:${DATABASE_CA_SHA256} "), "{rest}"),
            "ARG" => assert!(rest.starts_with("DATABASE_CA_"), "{rest}"),
            _ => {}
        }
    }
}
