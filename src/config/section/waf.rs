//! `[waf]`: the web ACL in front of the load balancer.

use crate::config::value::{AnyCidr, Bounded, CountryCode, GroupVersion, HeaderName, UrlPath};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The web ACL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Waf {
    /// Requests from one address in five minutes beyond which it is refused. Why the default: about seven a second are
    /// several times what one client of this service sends.
    pub rate_limit: Bounded<10, 2_000_000_000>,
    /// Whether the rate limit blocks, or only counts.
    pub rate_limit_mode: WafMode,
    /// The managed rule groups, each blocking or, for the two weeks of its roll-out, counting.
    pub managed_groups: ManagedGroups,
    /// Rules of these groups that only count, by AWS's names. Why the default: partners call an API from machines in
    /// clouds, whose addresses that rule refuses as a whole. The others of the group, which refuse VPNs, proxies and Tor,
    /// act.
    /// <https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html>
    pub count_rules: Vec<String>,
    /// Versions of the groups that have any, such as `Version_1.20`, which AWS then changes no more, until it expires.
    /// Where none is named, the current ones: what is new is blocked without anybody's doing.
    pub versions: GroupVersions,
    /// The only countries that may send requests. Where none is named, every country may. Excludes `geo_deny`.
    pub geo_allow: Vec<CountryCode>,
    /// Countries that may not send requests. Excludes `geo_allow`.
    pub geo_deny: Vec<CountryCode>,
    /// Ranges that no other rule applies to.
    pub allow_ips: Vec<AnyCidr>,
    /// Ranges that are refused.
    pub deny_ips: Vec<AnyCidr>,
    /// What paths of uploads to the main service begin with, at `domain` alone. None where `service.contract` is
    /// `none`, else `/v1/statements`. The managed rules that look at bodies judge a form that somebody fills in, not a
    /// bank's statement: WAF sees the first 8 KiB only, so that every larger one is refused, XML's prologue passes for a
    /// script, and what is written in a purpose of payment for SQL, a path or an address. Under these paths they only
    /// count, and every other rule acts as everywhere; the service itself is the control there. Empty where nothing is
    /// uploaded. Another service has `upload_paths` of its own.
    /// <https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-setting-body-inspection-limit.html>
    pub upload_paths: Option<Vec<UrlPath>>,
    /// Headers hidden in the logs besides `authorization` and `cookie`, which always are.
    pub redacted_headers: Vec<HeaderName>,
    /// The capacity units that the rules may use. AWS includes the default in the price of a web ACL.
    /// <https://docs.aws.amazon.com/waf/latest/developerguide/aws-waf-capacity-units.html>
    pub capacity_limit: Bounded<1, 5000>,
}

impl Default for Waf {
    fn default() -> Self {
        Self {
            rate_limit: Bounded::literal::<2000>(),
            rate_limit_mode: WafMode::Block,
            managed_groups: ManagedGroups::default(),
            count_rules: vec!["HostingProviderIPList".to_owned()],
            versions: GroupVersions::default(),
            geo_allow: Vec::new(),
            geo_deny: Vec::new(),
            allow_ips: Vec::new(),
            deny_ips: Vec::new(),
            upload_paths: None,
            redacted_headers: Vec::new(),
            capacity_limit: Bounded::literal::<1500>(),
        }
    }
}

impl Waf {
    /// What paths of uploads to the main service begin with, unless the file says so.
    pub(crate) fn default_upload_paths(has_contract: bool) -> Vec<UrlPath> {
        if has_contract { vec![UrlPath::known(contract::UPLOAD_PATH)] } else { Vec::new() }
    }

    /// What paths of uploads to the main service begin with.
    #[must_use]
    pub fn upload_paths(&self) -> &[UrlPath] {
        self.upload_paths.as_deref().unwrap_or_default()
    }
}

/// AWS's managed rule groups.
/// <https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ManagedGroups {
    /// Common attacks (`AWSManagedRulesCommonRuleSet`) (PCI 6.4.2).
    pub common: WafMode,
    /// Requests known to be malicious (`AWSManagedRulesKnownBadInputsRuleSet`) (PCI 6.4.2).
    pub known_bad_inputs: WafMode,
    /// SQL injection (`AWSManagedRulesSQLiRuleSet`) (PCI 6.4.2).
    pub sql_injection: WafMode,
    /// Addresses of bad repute (`AWSManagedRulesAmazonIpReputationList`).
    pub ip_reputation: WafMode,
    /// VPNs, proxies, Tor, and hosting providers unless `count_rules` says otherwise
    /// (`AWSManagedRulesAnonymousIpList`). Say `count` where customers use such services.
    pub anonymous_ips: WafMode,
}

impl Default for ManagedGroups {
    fn default() -> Self {
        let block = WafMode::Block;
        Self {
            common: block,
            known_bad_inputs: block,
            sql_injection: block,
            ip_reputation: block,
            anonymous_ips: block,
        }
    }
}

/// Versions of the managed rule groups that have any.
/// <https://docs.aws.amazon.com/waf/latest/developerguide/waf-managed-rule-groups-versioning.html>
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GroupVersions {
    /// Of `AWSManagedRulesCommonRuleSet`. The current one.
    pub common: Option<GroupVersion>,
    /// Of `AWSManagedRulesKnownBadInputsRuleSet`. The current one.
    pub known_bad_inputs: Option<GroupVersion>,
    /// Of `AWSManagedRulesSQLiRuleSet`. The current one.
    pub sql_injection: Option<GroupVersion>,
}

/// What a rule does with a request that it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WafMode {
    /// Refuses it.
    Block,
    /// Counts it and lets it pass, to see what the rule would refuse.
    Count,
}
