//! What is asked of AWS, and by whom.

use std::collections::BTreeMap;

use crate::text::Text;

/// One request for one action on one resource.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who asks.
    pub caller: Caller,
    /// The action as IAM names it: `s3:GetObject`.
    pub action: String,
    /// The resource's ARN, or `*` for an action that has none.
    pub resource: Text,
    /// The account that the resource belongs to; where it is not known, the caller's.
    pub owner: Option<String>,
    /// The request's condition keys.
    pub context: Context,
}

impl Request {
    /// A request within the caller's account.
    pub fn new(
        caller: Caller,
        action: impl Into<String>,
        resource: impl Into<Text>,
        context: Context,
    ) -> Self {
        Self { caller, action: action.into(), resource: resource.into(), owner: None, context }
    }

    /// The same request for a resource of this account.
    #[must_use]
    pub fn of_account(mut self, account: impl Into<String>) -> Self {
        self.owner = Some(account.into());
        self
    }

    /// Whether caller and resource are of one account.
    pub(crate) fn within_account(&self) -> bool {
        let account = self.caller.account();
        account.is_some() && self.owner.as_ref().is_none_or(|owner| account.as_ref() == Some(owner))
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A session of a role.
    Role {
        /// The role's ARN.
        arn: String,
        /// The ARN of the session, where a policy may name it.
        session: Option<String>,
    },
    /// A user, by ARN.
    User(String),
    /// A service of AWS: `ecs-tasks.amazonaws.com`.
    Service(String),
    /// Somebody whom an identity provider vouches for, by the provider's ARN.
    Federated(String),
    /// Nobody that AWS knows.
    Anonymous,
}

impl Caller {
    /// A session of this role.
    pub fn role(arn: impl Into<String>) -> Self {
        Self::Role { arn: arn.into(), session: None }
    }

    /// The account that the caller belongs to.
    #[must_use]
    pub fn account(&self) -> Option<String> {
        match self {
            Self::Role { arn, .. } | Self::User(arn) => arn.split(':').nth(4).map(str::to_owned),
            Self::Service(_) | Self::Federated(_) | Self::Anonymous => None,
        }
    }

    /// `aws:PrincipalArn` of the caller: of a session, the role's ARN.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn>
    #[must_use]
    pub fn principal_arn(&self) -> Option<&str> {
        match self {
            Self::Role { arn, .. } | Self::User(arn) => Some(arn),
            Self::Service(_) | Self::Federated(_) | Self::Anonymous => None,
        }
    }
}

/// What a request says of a condition key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// The key is not in the request.
    Absent,
    /// Whether the key is in the request, and with what value, is not known.
    Unknown,
    /// The key has one value.
    One(Text),
    /// The key has any number of values.
    Many(Vec<Text>),
}

/// The condition keys of a request, upper and lower case being one.
#[derive(Clone, Debug)]
pub struct Context {
    keys: BTreeMap<String, Given>,
    rest: Given,
}

impl Default for Context {
    /// No key at all.
    fn default() -> Self {
        Self { keys: BTreeMap::new(), rest: Given::Absent }
    }
}

impl Context {
    /// Keys of which nothing is known but what is added.
    #[must_use]
    pub fn unknown() -> Self {
        Self { keys: BTreeMap::new(), rest: Given::Unknown }
    }

    /// With this value for the key.
    #[must_use]
    pub fn with(self, key: &str, value: impl Into<Text>) -> Self {
        self.set(key, Given::One(value.into()))
    }

    /// With these values for a key that takes several.
    #[must_use]
    pub fn with_many<T: Into<Text>>(self, key: &str, values: impl IntoIterator<Item = T>) -> Self {
        self.set(key, Given::Many(values.into_iter().map(Into::into).collect()))
    }

    /// Without the key.
    #[must_use]
    pub fn without(self, key: &str) -> Self {
        self.set(key, Given::Absent)
    }

    /// With the key unknown.
    #[must_use]
    pub fn with_unknown(self, key: &str) -> Self {
        self.set(key, Given::Unknown)
    }

    fn set(mut self, key: &str, given: Given) -> Self {
        self.keys.insert(key.to_lowercase(), given);
        self
    }

    /// What the request says of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> &Given {
        self.keys.get(&key.to_lowercase()).unwrap_or(&self.rest)
    }
}
