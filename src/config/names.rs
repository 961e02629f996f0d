//! Names of resources, composed in one place so that their lengths are checked before AWS sees them.

use super::value::{AccountId, EnvName, OrganizationName, ProjectName};

/// The longest name of a load balancer or target group.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html>
pub const LOAD_BALANCER_MAX: usize = 32;
/// The longest name of an IAM role.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub const ROLE_MAX: usize = 64;
/// The longest name of a bucket.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
pub const BUCKET_MAX: usize = 63;

/// What the task is called that makes and changes the tables of PostgreSQL, and its one container.
pub const MIGRATE: &str = "migrate";

/// The path of what `txnr bootstrap` makes in IAM. The apply role may manage nothing below it.
pub const BOOTSTRAP_PATH: &str = "/bootstrap/";

contract::closed_list! {
    /// Every kind of bucket that an environment has; the kind is part of the bucket's name.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum BucketKind {
        /// Logs under Object Lock.
        Audit,
        /// Deliveries of AWS Config, which cannot be under Object Lock.
        Config,
        /// Access logs of the load balancer and of the other buckets, which cannot be encrypted with a customer's key.
        Access,
        /// What the pipeline produces.
        Artifacts,
        /// The service's statement files and match lists.
        Statements,
    }
}

impl BucketKind {
    /// The kind as part of a name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Config => "config",
            Self::Access => "access",
            Self::Artifacts => "artifacts",
            Self::Statements => "statements",
        }
    }
}

/// Every role that `txnr bootstrap` makes for the workflows of a repository; its purpose is the end of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkflowRole {
    /// Plans, and changes nothing.
    Plan,
    /// Applies the saved plan.
    Apply,
    /// Pushes and signs the image.
    Push,
    /// Deploys the image, where Terraform does not.
    Deploy,
}

impl WorkflowRole {
    /// The purpose as part of a name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::Push => "push",
            Self::Deploy => "deploy",
        }
    }
}

contract::closed_list! {
    /// Every target group of the load balancer: two, for deployments that swap them.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum TargetGroup {
        /// The first of the pair, and the only one unless deployments swap.
        Blue,
        /// The second of the pair.
        Green,
    }
}

impl TargetGroup {
    /// The group as part of a name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
        }
    }
}

/// Composes the names of an environment's resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    prefix: String,
    project: String,
    environment: String,
    world: String,
}

impl Names {
    pub(crate) fn new(
        project: &ProjectName,
        environment: &EnvName,
        organization: &OrganizationName,
        account: &AccountId,
    ) -> Self {
        Self {
            prefix: format!("{project}-{environment}"),
            project: project.to_string(),
            environment: environment.to_string(),
            world: format!("{organization}-{account}"),
        }
    }

    /// `<project>-<environment>`, with which every name begins: `txn-reconcile-prod`.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A name that need be unique in the account only: `txn-reconcile-prod-<suffix>`.
    #[must_use]
    pub fn of(&self, suffix: &str) -> String {
        format!("{}-{suffix}", self.prefix)
    }

    /// The name of a role that workflows assume: `txn-reconcile-prod-apply`.
    #[must_use]
    pub fn workflow_role(&self, role: WorkflowRole) -> String {
        self.of(role.as_str())
    }

    /// The load balancer's name, at most 32 characters.
    #[must_use]
    pub fn load_balancer(&self) -> String {
        self.prefix.clone()
    }

    /// A target group's name, at most 32 characters.
    #[must_use]
    pub fn target_group(&self, group: TargetGroup) -> String {
        self.of(group.as_str())
    }

    /// A bucket's name, unique in the world, at most 63 characters: `txn-reconcile-prod-audit-acme-111122223333`.
    #[must_use]
    pub fn bucket(&self, kind: BucketKind) -> String {
        format!("{}-{}-{}", self.prefix, kind.as_str(), self.world)
    }

    /// A log group's name: `/txn-reconcile/prod/<rest>`.
    #[must_use]
    pub fn log_group(&self, rest: &str) -> String {
        format!("/{}/{}/{rest}", self.project, self.environment)
    }

    /// The name of the web ACL's log group; AWS demands the prefix `aws-waf-logs-`.
    #[must_use]
    pub fn waf_log_group(&self) -> String {
        format!("aws-waf-logs-{}", self.prefix)
    }

    /// A key's alias: `alias/txn-reconcile-prod-<purpose>`.
    #[must_use]
    pub fn key_alias(&self, purpose: &str) -> String {
        format!("alias/{}", self.of(purpose))
    }
}
