//! The policies of a request taken together.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html>

use std::fmt;

use crate::document::{Effect, Policy, Stated, Statement};
use crate::request::{Caller, Request};
use crate::text::{Pattern, Text, Wildcards};
use crate::truth::Truth;

/// The policies that a request is held to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policies<'p> {
    /// Those of the caller.
    pub identity: &'p [Policy],
    /// The caller's boundary.
    pub boundary: Option<&'p Policy>,
    /// The policy of the resource: for `sts:AssumeRole…`, the role's trust; for `kms:…`, the key's.
    pub resource: Option<&'p Policy>,
    /// The policy of the VPC endpoint that the request goes through.
    pub endpoint: Option<&'p Policy>,
}

/// What comes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is allowed.
    Allow,
    /// It is denied, and why.
    Deny(String),
    /// It hangs on what is not known, and on which statement.
    CannotTell(String),
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow => f.write_str("allowed"),
            Self::Deny(why) => write!(f, "denied: {why}"),
            Self::CannotTell(why) => write!(f, "cannot be told: {why}"),
        }
    }
}

/// How a statement of a resource's policy names the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    /// By the account: the account's own policies decide.
    Account,
    /// As the role, within the role's boundary.
    Role,
    /// As the session, the user, the service, or everybody.
    Itself,
}

/// What the statements of one kind of policy come to.
struct Layer {
    name: &'static str,
    /// Of a resource's policy, by how it names the caller; of the others, all as [`Named::Itself`].
    allow: [Truth; 3],
    deny: Truth,
    denied_by: String,
    unsure: Option<String>,
}

impl Layer {
    fn of(name: &'static str, policies: &[Policy], request: &Request) -> Self {
        let mut layer =
            Self { name, allow: [Truth::No; 3], deny: Truth::No, denied_by: String::new(), unsure: None };
        for statement in policies.iter().flat_map(|policy| &policy.statements) {
            let does = about(statement, request);
            match statement.effect {
                Effect::Deny => {
                    let any = Truth::any(names(statement, request).map(|(_, truth)| truth));
                    layer.note(statement, does.and(any), None);
                }
                Effect::Allow => {
                    for (named, truth) in names(statement, request) {
                        layer.note(statement, does.and(truth), Some(named));
                    }
                }
            }
        }
        layer
    }

    fn note(&mut self, statement: &Statement, truth: Truth, allows: Option<Named>) {
        if truth == Truth::Maybe {
            self.unsure.get_or_insert_with(|| format!("{} of the {}", statement.sid, self.name));
        }
        match allows {
            Some(named) => self.allow[named as usize] = self.allow[named as usize].or(truth),
            None if truth > self.deny => {
                self.deny = truth;
                self.denied_by = format!("{} of the {} denies it", statement.sid, self.name);
            }
            None => {}
        }
    }

    fn allows(&self) -> Truth {
        Truth::any(self.allow)
    }

    fn as_named(&self, named: Named) -> Truth {
        self.allow[named as usize]
    }
}

impl Policies<'_> {
    /// What comes of the request.
    #[must_use]
    pub fn decide(&self, request: &Request) -> Decision {
        let one = |policy: Option<&Policy>| policy.cloned().into_iter().collect::<Vec<_>>();
        let identity = Layer::of("identity's policy", self.identity, request);
        let boundary = Layer::of("boundary", &one(self.boundary), request);
        let resource = Layer::of("resource's policy", &one(self.resource), request);
        let endpoint = Layer::of("endpoint's policy", &one(self.endpoint), request);
        let bounded = if self.boundary.is_some() { boundary.allows() } else { Truth::Yes };
        let passes = if self.endpoint.is_some() { endpoint.allows() } else { Truth::Yes };
        let granted = self.granted(request, &identity, bounded, &resource);
        let layers = [&identity, &boundary, &resource, &endpoint];
        if let Some(layer) = layers.iter().find(|layer| layer.deny == Truth::Yes) {
            return Decision::Deny(layer.denied_by.clone());
        }
        let allowed = granted.and(passes);
        let undenied = !Truth::any(layers.iter().map(|layer| layer.deny));
        match allowed.and(undenied) {
            Truth::Yes => Decision::Allow,
            Truth::No => Decision::Deny(self.missing(&identity, bounded, passes)),
            Truth::Maybe => {
                let unsure = layers.iter().find_map(|layer| layer.unsure.clone());
                Decision::CannotTell(unsure.unwrap_or_default())
            }
        }
    }

    /// Whether something allows. Within an account identity or resource may, across accounts both must; keys and roles leave
    /// it to the account's own policies only where their own policy says so.
    /// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html>
    fn granted(&self, request: &Request, identity: &Layer, bounded: Truth, resource: &Layer) -> Truth {
        let of_identity = identity.allows().and(bounded);
        let (account, role, itself) = (
            resource.as_named(Named::Account),
            resource.as_named(Named::Role),
            resource.as_named(Named::Itself),
        );
        if request.caller.account().is_none() {
            return itself;
        }
        if !request.within_account() {
            return account.or(role).or(itself).and(of_identity);
        }
        let left = if self.resource.is_some() && has_own_say(request) { account } else { Truth::Yes };
        of_identity.and(left).or(role.and(bounded)).or(itself)
    }

    fn missing(&self, identity: &Layer, bounded: Truth, passes: Truth) -> String {
        let what = if passes == Truth::No {
            "no statement of the endpoint's policy allows it"
        } else if self.boundary.is_some() && bounded == Truth::No {
            "no statement of the boundary allows it"
        } else if identity.allows() == Truth::No {
            "no statement of the identity's policy allows it"
        } else {
            "no statement of the resource's policy allows it"
        };
        what.to_owned()
    }
}

/// Whether the resource's policy alone decides if the account's policies count.
fn has_own_say(request: &Request) -> bool {
    let part = request.resource.to_string();
    let resource = part.splitn(6, ':').nth(5).unwrap_or_default();
    match request.action.split_once(':') {
        Some(("kms", _)) => !resource.starts_with("alias/") && part != "*",
        Some(("sts", _)) => resource.starts_with("role/"),
        _ => false,
    }
}

/// Whether action, resource and conditions are the request's.
fn about(statement: &Statement, request: &Request) -> Truth {
    let asked = Text::from(request.action.as_str());
    let action = |pattern: &Text| Pattern::plain(pattern, Wildcards::Are).matches_ignoring_case(&asked);
    let actions = Truth::any(statement.actions.items.iter().map(action));
    let actions = if statement.actions.except { !actions } else { actions };
    let resources = statement.resources.as_ref().map_or(Truth::Yes, |resources| {
        let fits = |text: &Text| {
            let pattern = Pattern::with_variables(text, &request.context, Wildcards::Are);
            // What everything else is where a variable has no value, AWS does not say.
            let open = resources.except && pattern.has_no_value();
            if open { Truth::Maybe } else { pattern.matches_arn(&request.resource) }
        };
        let any = Truth::any(resources.items.iter().map(fits));
        if resources.except { !any } else { any }
    });
    let conditions =
        Truth::all(statement.conditions.iter().map(|condition| condition.holds(&request.context)));
    actions.and(resources).and(conditions)
}

/// How a statement names the caller; a statement of an identity's policy names nobody, and means the one that bears it.
fn names<'s>(statement: &'s Statement, request: &'s Request) -> impl Iterator<Item = (Named, Truth)> + 's {
    let all = statement.principals.as_ref().map_or_else(
        || vec![(Named::Itself, Truth::Yes)],
        |principals| {
            let named = principals.items.iter().map(|stated| is_named(stated, &request.caller));
            if principals.except {
                vec![(Named::Itself, !Truth::any(named.map(|(_, truth)| truth)))]
            } else {
                named.collect()
            }
        },
    );
    all.into_iter()
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
fn is_named(stated: &Stated, caller: &Caller) -> (Named, Truth) {
    let equal = |text: &Text, other: Option<&str>| {
        other.map_or(Truth::No, |other| Pattern::plain(text, Wildcards::AreNot).matches(&Text::from(other)))
    };
    match (stated, caller) {
        (Stated::Anyone, _) => (Named::Itself, Truth::Yes),
        (Stated::Service(name), Caller::Service(service)) => (Named::Itself, equal(name, Some(service))),
        (Stated::Federated(name), Caller::Federated(provider)) => {
            (Named::Itself, equal(name, Some(provider)))
        }
        (Stated::Canonical, Caller::Role { .. } | Caller::User(_)) => (Named::Account, Truth::Maybe),
        (Stated::Aws(text), Caller::Role { .. } | Caller::User(_)) => {
            let account = caller.account().unwrap_or_default();
            if let Some(known) = text.known() {
                let root =
                    known.split(':').nth(5) == Some("root") && known.split(':').nth(4) == Some(&account);
                if known == account || root {
                    return (Named::Account, Truth::Yes);
                }
            }
            match caller {
                Caller::Role { arn, session } => match equal(text, session.as_deref()) {
                    Truth::No => (Named::Role, equal(text, Some(arn))),
                    truth => (Named::Itself, truth),
                },
                _ => (Named::Itself, equal(text, caller.principal_arn())),
            }
        }
        _ => (Named::Itself, Truth::No),
    }
}
