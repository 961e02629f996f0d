//! `[iam]`: roles that exist already and are named in policies.

use crate::config::value::{Bounded, PolicyArn, PrincipalArn, RoleArn};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who may do what, besides the roles that txnr itself creates. The principals named here must exist before the first
/// apply: a key policy that names a missing principal is refused by AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Iam {
    /// The policy that bounds every role created here. With [github] the boundary that `txnr bootstrap` makes,
    /// otherwise none: a boundary is the organization's, not this project's.
    pub permissions_boundary: Option<PolicyArn>,
    /// The role that Terraform runs as, a user of the keys. With [github] the apply role that `txnr bootstrap` makes,
    /// otherwise none: the account's own IAM policies then decide.
    pub terraform_role: Option<RoleArn>,
    /// A role of your own that the pipeline pushes images and deploys with, and a user of the artifact key. None: with
    /// [github] the two that `txnr bootstrap` makes, which need no key, since ECR has a grant of its own.
    pub pipeline_role: Option<RoleArn>,
    /// Who may assume the operator role, and the role for the support by AWS, with MFA. Nobody may assume the first
    /// until somebody is named, and of the second the account's own IAM policies say who may.
    pub operators: Vec<PrincipalArn>,
    /// Hours that an operator's session lasts. Why the default: it is long enough for an incident's first look.
    pub operator_session_hours: Bounded<1, 12>,
    /// Seconds since the MFA sign-in after which the operator role can no longer be assumed.
    pub operator_mfa_age_seconds: Bounded<900, 43_200>,
}

impl Default for Iam {
    fn default() -> Self {
        Self {
            permissions_boundary: None,
            terraform_role: None,
            pipeline_role: None,
            operators: Vec::new(),
            operator_session_hours: Bounded::literal::<1>(),
            operator_mfa_age_seconds: Bounded::literal::<3600>(),
        }
    }
}
