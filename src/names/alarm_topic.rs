//! The topics of what is worth a person's attention.

use crate::config::EnvConfig;

contract::closed_list! {
    /// How soon somebody should look.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Topic {
        /// At once, by night as well.
        Page,
        /// On the next working day.
        Notify,
    }
}

impl Topic {
    /// The topic's name in Terraform's addresses and the last part of its name at AWS.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Notify => "notify",
        }
    }

    /// The topic's ARN, put together from its name, for policies that must stand before it does.
    #[must_use]
    pub fn arn(self, config: &EnvConfig) -> String {
        config.arn("sns", &config.names.of(self.as_str()))
    }
}

/// The name of the topic in Route 53's own region, in Terraform's addresses.
pub const ABROAD: &str = "page_us_east_1";

/// The ARN of the topic in Route 53's own region, where a signed zone needs one.
#[must_use]
pub fn arn_abroad(config: &EnvConfig) -> Option<String> {
    let region = config.zone_abroad().filter(|_| config.dns.dnssec)?;
    Some(config.arn_in(&region, "sns", &config.names.of(Topic::Page.as_str())))
}
