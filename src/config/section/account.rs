//! `[account]`: what there is once per account.

use crate::config::value::{ContactText, EmailAddress, PhoneNumber, RuleReason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What exists once per account and region, whatever the number of environments in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    /// Whether this environment owns the account's baseline: trail, AWS Config, GuardDuty, Security Hub, Inspector,
    /// Access Analyzer, registry scanning, password policy, account-wide public access block and the like. Why the
    /// default: one account per environment is the safer set-up, and there the singletons need an owner. Of several
    /// environments in one account, exactly one may own them.
    pub baseline: bool,
    /// Who owns the baseline where this environment does not: another environment of the account, or a team. None; a
    /// production environment without a baseline of its own says so.
    pub baseline_owner: Option<RuleReason>,
    /// Parts of the baseline that somebody else looks after, each with the reason. None.
    pub elsewhere: Elsewhere,
    /// Whom AWS tells of security matters (Security Hub Account.1). None, so AWS writes to the account's owner alone;
    /// written by the environment that owns the baseline.
    pub security_contact: Option<SecurityContact>,
}

impl Default for Account {
    fn default() -> Self {
        Self { baseline: true, baseline_owner: None, elsewhere: Elsewhere::default(), security_contact: None }
    }
}

/// Parts of the account's baseline that are not this environment's because an organization's security team, a landing
/// zone or another configuration has them. The value is the reason, which an assessor will ask for: where the part is
/// and who looks after it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Elsewhere {
    /// The trail, such as an organization's. Ours.
    pub trail: Option<RuleReason>,
    /// AWS Config: recorder, delivery, rules, aggregator and conformance pack. Ours.
    pub recorder: Option<RuleReason>,
    /// GuardDuty, such as under a delegated administrator. Ours.
    pub guardduty: Option<RuleReason>,
    /// Security Hub, such as under a delegated administrator. Ours.
    pub security_hub: Option<RuleReason>,
    /// Amazon Inspector, such as under a delegated administrator. Ours.
    pub inspector: Option<RuleReason>,
    /// IAM Access Analyzer, such as an organization's. Ours.
    pub access_analyzer: Option<RuleReason>,
    /// The password policy of IAM users. Ours.
    pub password_policy: Option<RuleReason>,
    /// The role for the support by AWS. Ours.
    pub support_role: Option<RuleReason>,
    /// What new resources may not do: public access of buckets, snapshots, images and documents, volumes without
    /// encryption, instance metadata without a token, the serial console. Ours.
    pub defaults: Option<RuleReason>,
}

impl Elsewhere {
    /// The parts that are somebody else's, by their keys, with the reasons.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, &RuleReason)> {
        let Self {
            trail,
            recorder,
            guardduty,
            security_hub,
            inspector,
            access_analyzer,
            password_policy,
            support_role,
            defaults,
        } = self;
        let all = [
            ("trail", trail),
            ("recorder", recorder),
            ("guardduty", guardduty),
            ("security_hub", security_hub),
            ("inspector", inspector),
            ("access_analyzer", access_analyzer),
            ("password_policy", password_policy),
            ("support_role", support_role),
            ("defaults", defaults),
        ];
        all.into_iter().filter_map(|(part, reason)| Some((part, reason.as_ref()?)))
    }
}

/// A part of the account's baseline that may be somebody else's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The trail.
    Trail,
    /// AWS Config.
    Recorder,
    /// GuardDuty.
    GuardDuty,
    /// Security Hub.
    SecurityHub,
    /// Amazon Inspector.
    Inspector,
    /// IAM Access Analyzer.
    AccessAnalyzer,
    /// The password policy.
    PasswordPolicy,
    /// The support role.
    SupportRole,
    /// What new resources may not do.
    Defaults,
}

impl Account {
    /// Whether a part of the baseline is this environment's to build.
    #[must_use]
    pub fn owns(&self, part: Part) -> bool {
        let Elsewhere {
            trail,
            recorder,
            guardduty,
            security_hub,
            inspector,
            access_analyzer,
            password_policy,
            support_role,
            defaults,
        } = &self.elsewhere;
        let elsewhere = match part {
            Part::Trail => trail,
            Part::Recorder => recorder,
            Part::GuardDuty => guardduty,
            Part::SecurityHub => security_hub,
            Part::Inspector => inspector,
            Part::AccessAnalyzer => access_analyzer,
            Part::PasswordPolicy => password_policy,
            Part::SupportRole => support_role,
            Part::Defaults => defaults,
        };
        self.baseline && elsewhere.is_none()
    }
}

/// Whom AWS tells of security matters.
/// <https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-contact-alternate.html>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecurityContact {
    /// The contact's name, 1 to 50 characters; better a team's than a person's.
    pub name: ContactText,
    /// The contact's title, 1 to 50 characters.
    pub title: ContactText,
    /// The contact's e-mail address.
    pub email: EmailAddress,
    /// The contact's telephone number.
    pub phone: PhoneNumber,
}
