//! The image repositories, one for each service: immutable, encrypted, scanned.

use aws::document::lifecycle::{Expire, LifecyclePolicy, Rule, Selection};
use aws::document::policy::{Condition, Policy, Principal, Statement};
use aws::ecr_registry_scanning_configuration as scanning;
use aws::ecr_replication_configuration::{self as replication, ReplicationConfiguration};
use aws::ecr_repository::{EncryptionConfiguration, ImageScanningConfiguration};
use aws::kind::{KmsKeyArn, ResourcePolicy};
use aws::{
    EcrLifecyclePolicy, EcrRegistryScanningConfiguration, EcrRegistryScanningConfigurationOptional,
    EcrReplicationConfiguration, EcrRepository, EcrRepositoryHandle, EcrRepositoryOptional,
    EcrRepositoryPolicy,
};
use terraform::kind::Text;
use terraform::{Expr, Meta, NonEmpty, ProviderRef, Resource, Stack, set, text};

use super::kms;
use super::per_service::PerService;
use crate::config::{EnvConfig, ImageRef, RepositoryUri, Workload};

/// The repositories.
pub struct Outputs {
    /// Where each service's images come from.
    pub images: PerService<Images>,
}

/// Where images come from.
pub enum Images {
    /// A repository of the environment.
    Own(EcrRepositoryHandle),
    /// One that the environment file names.
    Elsewhere(RepositoryUri),
}

impl Images {
    /// The full reference of an image: by digest, or by a tag that never moves (PCI 6.5.1).
    #[must_use]
    pub fn reference(&self, image: &ImageRef) -> Expr<Text> {
        match self {
            Self::Own(repository) => text![repository.repository_url(), image.suffix()],
            Self::Elsewhere(repository) => Expr::new(image.in_repository(repository.as_str())),
        }
    }
}

/// Builds the repository of each service whose images come from nowhere else, of the main one in any case, and where a
/// recovery region is named a second one there that its images are copied to.
///
/// `recovery` is the provider of that region.
pub fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    keys: &kms::Outputs,
    recovery: Option<&ProviderRef>,
) -> Outputs {
    let images = PerService::build(config, |workload| {
        let mut own = || {
            let place = Place { name: "main", key: keys.artifacts.arn(), provider: None };
            let own = repository(stack, config, workload, &place);
            let description = "Where the pipeline pushes the service's images to.";
            stack.output(&workload.address("repository_url"), description, own.repository_url());
            own
        };
        match (&workload.service.image_repository, workload.further) {
            (None, _) => Images::Own(own()),
            (Some(elsewhere), further) => {
                if further.is_none() {
                    own();
                }
                Images::Elsewhere(elsewhere.clone())
            }
        }
    });
    if let (Some(provider), Some(key)) = (recovery, &keys.recovery) {
        let place = Place { name: "recovery", key: key.arn(), provider: Some(provider) };
        let copied = config.workloads().filter(|workload| has_repository(*workload));
        let copies: Vec<_> = copied.map(|workload| repository(stack, config, workload, &place)).collect();
        if config.account.baseline {
            replicate(stack, config, &copies);
        }
    }
    if config.account.baseline {
        scan(stack, config);
    }
    Outputs { images }
}

/// Whether the environment has a repository for the service.
fn has_repository(workload: Workload<'_>) -> bool {
    workload.further.is_none() || workload.service.image_repository.is_none()
}

/// The repository's name. Another service's is below the main one's, which is unique in the account and region, and which
/// the copies to another region go by.
#[must_use]
pub fn name(config: &EnvConfig, workload: Workload<'_>) -> String {
    match workload.name() {
        None => config.service.name.to_string(),
        Some(name) => format!("{}/{name}", config.service.name),
    }
}

/// The address that a service's images are pulled from, for workflows.
#[must_use]
pub fn address(config: &EnvConfig, workload: Workload<'_>) -> String {
    let own = || {
        let suffix = config.partition().dns_suffix();
        let registry = format!("{}.dkr.ecr.{}.{suffix}", config.account_id, config.region);
        format!("{registry}/{}", name(config, workload))
    };
    workload.service.image_repository.as_ref().map_or_else(own, ToString::to_string)
}

/// The ARNs of the environment's own repositories, for policies that stand before they do.
#[must_use]
pub fn repository_arns(config: &EnvConfig) -> Vec<String> {
    let own = config.workloads().filter(|workload| has_repository(*workload));
    own.map(|workload| config.arn("ecr", &format!("repository/{}", name(config, workload)))).collect()
}

/// Where a repository is.
struct Place<'a> {
    name: &'static str,
    key: Expr<KmsKeyArn>,
    provider: Option<&'a ProviderRef>,
}

impl Place<'_> {
    fn meta<R: Resource>(&self) -> Meta<R> {
        self.provider.map_or_else(Meta::new, |provider| Meta::new().provider(provider))
    }
}

fn repository(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    workload: Workload<'_>,
    place: &Place<'_>,
) -> EcrRepositoryHandle {
    let address = workload.address(place.name);
    let repository = stack.add_with(
        &address,
        place.meta().prevent_destroy(config.protection),
        EcrRepository {
            name: set(name(config, workload)),
            optional: EcrRepositoryOptional {
                // A tag names one image for good, so what was tested is what runs (PCI 6.5.1, Security Hub ECR.2).
                image_tag_mutability: set("IMMUTABLE"),
                encryption_configuration: vec![EncryptionConfiguration {
                    encryption_type: set("KMS"),
                    kms_key: set(place.key.clone()),
                }],
                // The registry's own scanning overrides this where it is configured; it stands for accounts where
                // it is not (PCI 6.3.1, 11.3.1, Security Hub ECR.1).
                image_scanning_configuration: set(ImageScanningConfiguration { scan_on_push: set(true) }),
                force_delete: set(!config.protection),
                ..Default::default()
            },
        },
    );
    stack.add_with(
        &address,
        place.meta(),
        EcrLifecyclePolicy { repository: repository.name(), policy: set(lifecycle(config)) },
    );
    stack.add_with(
        &address,
        place.meta(),
        EcrRepositoryPolicy { repository: repository.name(), policy: set(access(config)) },
    );
    repository
}

/// Copies what is pushed from now on to the recovery region; there is one such configuration per account and region.
/// The repositories there exist first, or ECR would make ones that are neither immutable nor under our key. The filter is
/// a prefix, which takes in the repositories of all services.
/// <https://docs.aws.amazon.com/AmazonECR/latest/userguide/replication.html>
fn replicate(stack: &mut Stack<'_>, config: &EnvConfig, copies: &[EcrRepositoryHandle]) {
    let Some(region) = &config.recovery.region else { return };
    stack.add_with(
        "main",
        copies.iter().fold(Meta::new(), |meta, copy| meta.depends_on(copy)),
        EcrReplicationConfiguration {
            replication_configuration: Some(ReplicationConfiguration {
                rule: NonEmpty::one(replication::Rule {
                    destination: NonEmpty::one(replication::Destination {
                        region: set(region.to_string()),
                        registry_id: set(config.account_id.to_string()),
                    }),
                    optional: replication::RuleOptional {
                        repository_filter: vec![replication::RepositoryFilter {
                            filter: set(config.service.name.to_string()),
                            filter_type: set("PREFIX_MATCH"),
                        }],
                    },
                }),
            }),
        },
    );
}

/// How many entries of the repository one release may be: the image, and what cosign puts beside it under a tag of its own,
/// `sha256-<digest>` with `.sig`, `.att` or `.sbom`. ECR counts each of them as an image.
/// <https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md>
const ENTRIES_PER_RELEASE: u32 = 4;

/// What expires: images that no tag names any more, and the oldest releases beyond the number to keep.
///
/// ECR has no pattern for "all but signatures", and a rule counts what an earlier one selected. So the last rule leaves
/// room for all that a release may bring; where one brings less, more of them stay. Signatures have a rule of their own, as
/// none but the first that selects an image expires it: with n of them for each release it leaves 4/n times as many
/// releases theirs, and the last rule leaves 4/(n + 1) times as many their images. A signature therefore outlives its
/// image, also where it was pushed (in a copy of the repository: arrived) before it.
/// <https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html>
fn lifecycle(config: &EnvConfig) -> LifecyclePolicy {
    let (days, kept) = (config.ecr.untagged_expire_days.get(), config.ecr.keep_tagged.get());
    let entries = kept * ENTRIES_PER_RELEASE;
    LifecyclePolicy::new([
        Rule {
            description: format!("Expire untagged images after {days} days").into(),
            selection: Selection::Untagged,
            expire: Expire::AfterDays(days),
        },
        Rule {
            description: format!("Keep signatures and attestations longer than the last {kept} releases")
                .into(),
            selection: Selection::Tagged(vec!["sha256-*".into()]),
            expire: Expire::BeyondCount(entries),
        },
        Rule {
            description: format!(
                "Keep the last {kept} releases, of up to {ENTRIES_PER_RELEASE} entries each"
            )
            .into(),
            selection: Selection::Tagged(vec!["*".into()]),
            expire: Expire::BeyondCount(entries),
        },
    ])
}

/// Who may use the repository beyond what this account's own policies say: the accounts that may pull. Nobody may
/// without TLS (PCI 4.2.1); the registry speaks nothing else, and here that is on record.
fn access(config: &EnvConfig) -> Policy<ResourcePolicy> {
    let mut statements = vec![
        Statement::<ResourcePolicy>::deny("DenyWithoutTls", Principal::Anyone, ["ecr:*"], ["*"])
            .on_itself()
            .when(Condition::bool("aws:SecureTransport", false)),
    ];
    let roots: Vec<String> = config
        .ecr
        .pull_accounts
        .iter()
        .map(|account| format!("arn:{}:iam::{account}:root", config.partition()))
        .collect();
    if !roots.is_empty() {
        let actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
        let principal = Principal::Arns(roots.into_iter().map(Expr::new).collect());
        statements.push(Statement::<ResourcePolicy>::allow("Pull", principal, actions, ["*"]).on_itself());
    }
    Policy::new(statements)
}

/// How the account's whole registry is scanned; there is one such configuration per account and region.
fn scan(stack: &mut Stack<'_>, config: &EnvConfig) {
    let (scan_type, frequency) = if config.ecr.enhanced_scanning {
        ("ENHANCED", "CONTINUOUS_SCAN")
    } else {
        ("BASIC", "SCAN_ON_PUSH")
    };
    stack.add(
        "main",
        EcrRegistryScanningConfiguration {
            scan_type: set(scan_type),
            optional: EcrRegistryScanningConfigurationOptional {
                rule: vec![scanning::Rule {
                    scan_frequency: set(frequency),
                    repository_filter: NonEmpty::one(scanning::RepositoryFilter {
                        filter: set("*"),
                        filter_type: set("WILDCARD"),
                    }),
                }],
            },
        },
    );
}

#[cfg(test)]
mod expiry;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use terraform::{Module, Settings};

    use super::*;

    /// The stack's own file, on stand-ins for the keys.
    pub(super) fn rendered(text: &str) -> Value {
        let config = EnvConfig::for_test(text);
        let mut module = Module::new(Settings {
            required_version: config.terraform.required_version.to_string(),
            required_providers: Vec::new(),
            backend: None,
        });
        let mut below = module.stack("below");
        let mut key = |name: &str| kms::Key::from(&below.add(name, aws::KmsKey::default()));
        let keys = kms::Outputs {
            logs: key("logs"),
            data: key("data"),
            secrets: key("secrets"),
            artifacts: key("artifacts"),
            recovery: None,
            zone: None,
        };
        build(&mut module.stack("ecr"), &config, &keys, None);
        let files = module.finish().expect("a sound module").render("test");
        let (_, text) = files.iter().find(|(name, _)| name == "ecr.tf.json").expect("the stack's file");
        serde_json::from_str(text).expect("JSON")
    }

    const UNPROTECTED: &str = "production = false\nprotection = false\n";

    #[test]
    fn images_are_immutable_encrypted_and_scanned() {
        let file = rendered("");
        let repository = &file["resource"]["aws_ecr_repository"]["main"];
        assert_eq!(repository["name"], "txn-reconcile-api");
        assert_eq!(repository["image_tag_mutability"], "IMMUTABLE");
        assert_eq!(repository["image_scanning_configuration"]["scan_on_push"], true);
        let encryption = &repository["encryption_configuration"][0];
        assert_eq!(encryption["encryption_type"], "KMS");
        assert_eq!(encryption["kms_key"], "${aws_kms_key.artifacts.arn}");
    }

    #[test]
    fn only_an_unprotected_repository_goes_with_its_images() {
        for (text, unprotected) in [("", false), (UNPROTECTED, true)] {
            let file = rendered(text);
            let repository = &file["resource"]["aws_ecr_repository"]["main"];
            assert_eq!(repository["force_delete"], unprotected);
            assert_eq!(repository["lifecycle"]["prevent_destroy"] == true, !unprotected);
        }
    }

    #[test]
    fn other_accounts_pull_only_where_they_are_named() {
        let policy = |text| rendered(text)["locals"]["aws_ecr_repository_policy_main_policy"].clone();
        assert!(!policy("").to_string().contains("Allow"));
        let pull = policy("region = \"us-gov-west-1\"\necr.pull_accounts = [\"222233334444\"]");
        assert_eq!(
            pull["Statement"][1]["Principal"],
            json!({ "AWS": ["arn:aws-us-gov:iam::222233334444:root"] })
        );
    }

    #[test]
    fn the_registry_is_scanned_as_a_whole_by_the_environment_that_owns_the_baseline() {
        let scanning =
            |text| rendered(text)["resource"]["aws_ecr_registry_scanning_configuration"]["main"].clone();
        assert_eq!(scanning("")["scan_type"], "ENHANCED");
        assert_eq!(scanning("")["rule"][0]["scan_frequency"], "CONTINUOUS_SCAN");
        assert_eq!(scanning("ecr.enhanced_scanning = false")["scan_type"], "BASIC");
        assert_eq!(scanning("ecr.enhanced_scanning = false")["rule"][0]["scan_frequency"], "SCAN_ON_PUSH");
        assert_eq!(scanning("account.baseline = false"), Value::Null);
    }

    #[test]
    fn images_are_copied_to_the_recovery_region_into_a_repository_of_the_same_kind() {
        use crate::stacks::probe::*;
        let root = platform("recovery.region = \"us-west-2\"");
        let copy = node(&root, "aws_ecr_repository.recovery");
        assert_eq!(copy.provider(), Some("aws.recovery"));
        assert_eq!(text_at(copy, "image_tag_mutability"), "IMMUTABLE");
        let rules = node(&root, "aws_ecr_replication_configuration.main");
        assert_eq!(text_at(rules, "replication_configuration.rule.destination.region"), "us-west-2");
        // The filter is a prefix: it has to take the repository in.
        let filter = text_at(rules, "replication_configuration.rule.repository_filter.filter");
        assert!(text_at(copy, "name").starts_with(filter));
        assert!(nodes(&platform(""), "aws_ecr_replication_configuration").is_empty());
    }
}
