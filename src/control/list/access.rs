//! Requirements 7 and 8: roles, their policies, and who may assume them.

use std::collections::BTreeSet;

use aws::power::{self, Actions};
use serde_json::Value;

use super::{Row, bootstrap, everywhere, row};
use crate::control::platform::{
    Outcome, Platform, Resource, address, allows, bound, conditions, services, texts,
};

const POLICY: &str = "aws_iam_role_policy";
const ATTACHMENT: &str = "aws_iam_role_policy_attachment";

pub(super) const ROWS: &[Row] = &[
    everywhere(
        "R073",
        "no policy, AWS's own included, allows every action of a service on everything, or what matters with everything \
         there is, such as reading any secret, passing any role or stopping a control; but the role that applies, in the \
         environment's regions and under a boundary, AWS Backup's, which restore under names that nobody knows yet, and \
         the one that asks AWS's support",
        |p| {
            held(p, |role| {
                let backs_up = role.serves("backup.amazonaws.com");
                role.powers().iter().all(|power| {
                    let service = power.strip_prefix("does anything with ");
                    (backs_up && RESTORES.contains(&power.as_str()))
                        || service.is_some_and(|service| role.applies() || service.starts_with("support"))
                })
            })
        },
        &[
            (POLICY, "policy.Statement.0", r#"{"Effect":"Allow","Action":["s3:*"],"Resource":["*"]}"#),
            (POLICY, "policy.Statement.0", r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#),
            (POLICY, "policy.Statement.0", r#"{"Effect":"Allow","Action":"iam:Pass*","Resource":"*"}"#),
            (
                POLICY,
                "policy.Statement.0",
                r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"arn:aws:s3:::*/*"}"#,
            ),
            (POLICY, "policy.Statement.0", r#"{"Effect":"Allow","Action":["s3:Get*"],"NotResource":["x"]}"#),
            (ATTACHMENT, "policy_arn", "\"arn:aws:iam::aws:policy/AdministratorAccess\""),
            (ATTACHMENT, "policy_arn", "\"arn:aws:iam::aws:policy/SecretsManagerReadWrite\""),
            (ATTACHMENT, "policy_arn", "\"arn:aws:iam::aws:policy/ReadOnlyAccess\""),
            ("aws_iam_role_policy.prod_apply", "role", "\"${aws_iam_role.prod_plan.name}\""),
        ],
    ),
    bootstrap(
        "R075",
        "a pipeline passes no role but those that its policy names, to services that it names; the boundaries of \
         roles grant nothing, and every role of a pipeline but the one that plans, which changes nothing, bears one",
        |p| {
            p.each(POLICY, |r| {
                r.statements("policy").iter().filter(|s| allows(s)).all(|s| {
                    let named = texts(&s["Resource"]);
                    let named =
                        !named.is_empty() && named.iter().all(|to| !power::everything(to) && names_roles(to));
                    let to = bound(s, &["iam:PassedToService"], |service| !service.contains(['*', '?']));
                    !passes(s) || (to && named)
                })
            })
            .and(p.each("aws_iam_role", |r| {
                r.name().ends_with("_plan") || !r.at("permissions_boundary").is_null()
            }))
        },
        &[
            ("aws_iam_role.prod_apply", "permissions_boundary", "null"),
            (
                POLICY,
                "policy.Statement.0",
                r#"{"Effect":"Allow","Action":["iam:PassRole"],"Resource":["*"]}"#,
            ),
            (POLICY, "policy.Statement.0", r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#),
            (
                POLICY,
                "policy.Statement.0",
                r#"{"Effect":"Allow","Action":"iam:Pass*","Resource":"arn:aws:iam::333344445555:role/*"}"#,
            ),
            (
                POLICY,
                "policy.Statement.0",
                r#"{"Effect":"Allow","NotAction":["s3:*"],"Resource":"arn:aws:iam::333344445555:role/x"}"#,
            ),
            (
                POLICY,
                "policy.Statement.0",
                r#"{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::333344445555:role/x","Condition":{"StringNotEquals":{"iam:PassedToService":"ecs-tasks.amazonaws.com"}}}"#,
            ),
        ],
    ),
    row(
        "R076",
        "every service that may assume a role is bound to this account, but CloudTrail, for which AWS documents no \
         condition that it would fulfil; people come from this account alone, with a second factor",
        |p| {
            p.each("aws_iam_role", |r| {
                let statements = r.statements("assume_role_policy");
                let keys = ["aws:SourceAccount", "aws:SourceArn", "sts:ExternalId"];
                let trusted = |s: &Value| {
                    let people = texts(&s["Principal"]["AWS"]);
                    let factor =
                        conditions(s).contains(&("Bool", "aws:MultiFactorAuthPresent", vec!["true"]));
                    let own = people.iter().all(|arn| p.is_own(arn) && !arn.contains('*'));
                    match services(s).as_slice() {
                        [] => !people.is_empty() && own && factor,
                        _ if !people.is_empty() => false,
                        ["cloudtrail.amazonaws.com"] => true,
                        _ => bound(s, &keys, |value| p.is_own(value)),
                    }
                };
                !statements.is_empty() && statements.iter().filter(|s| allows(s)).all(trusted)
            })
        },
        &[
            ("aws_iam_role.task", "assume_role_policy.Statement.0.Condition", "null"),
            ("aws_iam_role", "assume_role_policy.Statement.0.Principal", r#"{"AWS":"*"}"#),
            (
                "aws_iam_role",
                "assume_role_policy.Statement.0.Principal",
                r#"{"AWS":"arn:aws:iam::999999999999:root"}"#,
            ),
            ("aws_iam_role", "assume_role_policy.Statement.0.Principal", "\"*\""),
            (
                "aws_iam_role.backup",
                "assume_role_policy.Statement.0.Condition",
                r#"{"StringNotEquals":{"aws:SourceAccount":"333344445555"}}"#,
            ),
            (
                "aws_iam_role.backup",
                "assume_role_policy.Statement.0.Condition",
                r#"{"StringEqualsIfExists":{"aws:SourceAccount":"333344445555"}}"#,
            ),
            (
                "aws_iam_role.backup",
                "assume_role_policy.Statement.0.Condition",
                r#"{"StringLike":{"aws:SourceAccount":"*"}}"#,
            ),
            ("aws_iam_role.hooks__task", "assume_role_policy.Statement.0.Condition", "null"),
            ("aws_iam_role.back_office__execution", "assume_role_policy.Statement.0.Condition", "{}"),
            ("aws_iam_role.backup", "assume_role_policy.Statement.0.Condition", "{}"),
            ("aws_iam_role.flow_logs", "assume_role_policy.Statement.0.Condition", "null"),
        ],
    ),
    row(
        "R077",
        "the account's access is analysed for what is open and for what is unused",
        |p| {
            p.one_for_each("aws_accessanalyzer_analyzer", &["ACCOUNT", "ACCOUNT_UNUSED_ACCESS"], |r, kind| {
                r.text("type") == kind
            })
        },
        &[("aws_accessanalyzer_analyzer", "type", "\"ORGANIZATION\"")],
    ),
    row(
        "R080",
        "no users and no access keys are generated",
        |p| {
            p.none(&[
                "aws_iam_user",
                "aws_iam_access_key",
                "aws_iam_user_login_profile",
                "aws_iam_user_policy",
            ])
        },
        &[("aws_iam_user", "name", "\"ci\""), ("aws_iam_access_key", "user", "\"ci\"")],
    ),
    row(
        "R081",
        "the account's passwords have 14 characters of every kind, 90 days, and none of the last 24",
        |p| {
            p.each("aws_iam_account_password_policy", |r| {
                r.number("minimum_password_length") >= 14
                    && r.number("password_reuse_prevention") >= 24
                    && (1..=90).contains(&r.number("max_password_age"))
                    && r.all(&[
                        "require_lowercase_characters",
                        "require_uppercase_characters",
                        "require_numbers",
                    ])
            })
        },
        &[
            ("aws_iam_account_password_policy", "minimum_password_length", "8"),
            ("aws_iam_account_password_policy", "max_password_age", "0"),
            ("aws_iam_account_password_policy", "require_numbers", "false"),
        ],
    ),
    bootstrap(
        "R083",
        "every role of a pipeline trusts one repository's runs, of a protected environment or, to plan, of pull \
         requests and of the default branch, by tokens for AWS alone",
        |p| {
            p.each("aws_iam_role", |r| {
                let statements = r.statements("assume_role_policy");
                !statements.is_empty()
                    && statements.iter().filter(|s| allows(s)).all(|s| {
                        let provider = texts(&s["Principal"]["Federated"]);
                        let alone = s["Principal"].as_object().is_some_and(|kinds| kinds.len() == 1)
                            && !provider.is_empty()
                            && provider.iter().all(|arn| p.is_own(arn));
                        let equals = |end: &str, so: &dyn Fn(&str) -> bool| {
                            conditions(s).iter().any(|(operator, key, values)| {
                                *operator == "StringEquals"
                                    && key.ends_with(end)
                                    && values.iter().all(|v| so(v))
                            })
                        };
                        // What a pull request changes is nobody's decision yet: it may plan, and nothing else.
                        let plans = r.name().ends_with("_plan");
                        alone
                            && equals(":aud", &|v| v == "sts.amazonaws.com")
                            && equals(":sub", &|v| {
                                let Some((repository, of)) =
                                    v.strip_prefix("repo:").and_then(|rest| rest.split_once(':'))
                                else {
                                    return false;
                                };
                                let run = of == "pull_request" || of.starts_with("ref:refs/heads/");
                                !v.contains(['*', '?'])
                                    && p.repositories.contains(repository)
                                    && (of.starts_with("environment:") || (plans && run))
                            })
                    })
            })
        },
        &[
            ("aws_iam_role", "assume_role_policy.Statement.0.Condition", "null"),
            ("aws_iam_role", "assume_role_policy.Statement.0.Principal", r#"{"AWS":"*"}"#),
            (
                "aws_iam_role",
                "assume_role_policy.Statement.0.Condition.StringEquals",
                r#"{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com","token.actions.githubusercontent.com:sub":"repo:somebody/else:environment:prod"}"#,
            ),
            (
                "aws_iam_role.prod_apply",
                "assume_role_policy.Statement.0.Condition.StringEquals",
                r#"{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com","token.actions.githubusercontent.com:sub":"repo:acme/payments-platform:pull_request"}"#,
            ),
        ],
    ),
    row(
        "R118",
        "one role may open and follow cases with AWS's support",
        |p| {
            p.one("aws_iam_role_policy_attachment", "AWSSupportAccess", |r| {
                r.text("policy_arn").ends_with(":iam::aws:policy/AWSSupportAccess")
                    && r.refers_to("role", "aws_iam_role")
            })
        },
        &[(
            "aws_iam_role_policy_attachment.support",
            "policy_arn",
            "\"arn:aws:iam::aws:policy/ReadOnlyAccess\"",
        )],
    ),
];

/// Whether a statement passes roles on, however it is written.
fn passes(statement: &Value) -> bool {
    let pass = |patterns: &[&str]| patterns.iter().any(|pattern| power::matches(pattern, "iam:PassRole"));
    match statement.get("NotAction") {
        Some(but) => !pass(&texts(but)),
        None => pass(&texts(&statement["Action"])),
    }
}

/// Whether a resource names roles by more than a path that any role has.
fn names_roles(resource: &str) -> bool {
    let name = resource.rsplit('/').next().unwrap_or_default();
    resource.starts_with("${") || name.bytes().filter(u8::is_ascii_alphanumeric).count() > 2
}

/// What AWS Backup may still do with everything once it is narrowed: a restored store has another name than its source.
const RESTORES: [&str; 5] =
    ["changes any item", "changes any object", "deletes any object", "reads any item", "reads any object"];

/// Every role, and what it holds, has to be so; there has to be one. Users and groups hold nothing (R080), so policies
/// that are attached to neither are boundaries, which grant nothing.
pub(super) fn held(p: &Platform, so: impl Fn(&Held) -> bool) -> Outcome {
    let mut outcome = p.each("aws_iam_role", |role| so(&Held::of(p, role)));
    for role in p.of_kind("aws_iam_role") {
        let held = Held::of(p, role);
        outcome.looked.extend(held.parts.iter().map(|part| (*part).to_owned()));
        let unknown = held.unknown.iter().map(|arn| format!("{}: {arn} is not made here", role.address));
        outcome.unknown.extend(unknown);
    }
    // What hangs on a role that is not made here is judged by itself.
    let strays = [POLICY, "aws_iam_user_policy", "aws_iam_group_policy", ATTACHMENT];
    for part in strays.iter().flat_map(|kind| p.of_kind(kind)) {
        if !outcome.looked.contains(part.address) {
            outcome.looked.insert(part.address.to_owned());
            outcome.failed.insert(part.address.to_owned());
        }
    }
    outcome
}

/// What a role holds.
pub(super) struct Held<'p> {
    role: Resource<'p>,
    /// Addresses of its policies and attachments.
    parts: Vec<&'p str>,
    /// The statements of the policies that are made here.
    statements: Vec<&'p Value>,
    /// AWS's own policies.
    managed: Vec<&'p str>,
    /// ARNs of policies that nobody makes here.
    unknown: Vec<&'p str>,
}

impl<'p> Held<'p> {
    fn of(p: &'p Platform, role: Resource<'p>) -> Self {
        let mut held = Self {
            role,
            parts: Vec::new(),
            statements: Vec::new(),
            managed: Vec::new(),
            unknown: Vec::new(),
        };
        for policy in p.referring(POLICY, "role", role.address) {
            held.parts.push(policy.address);
            held.statements.extend(policy.statements("policy"));
        }
        for attachment in p.referring(ATTACHMENT, "role", role.address) {
            held.parts.push(attachment.address);
            held.attach(p, attachment.text("policy_arn"));
        }
        for arn in role.texts("managed_policy_arns") {
            held.attach(p, arn);
        }
        held
    }

    fn attach(&mut self, p: &'p Platform, arn: &'p str) {
        match (address(arn).and_then(|address| p.get(address)), aws::managed::name(arn)) {
            (Some(policy), _) => {
                self.parts.push(policy.address);
                self.statements.extend(policy.statements("policy"));
            }
            (None, Some(name)) => self.managed.push(name),
            (None, None) => self.unknown.push(arn),
        }
    }

    /// Whether it is the role that applies an environment: made by the bootstrap, and under a boundary.
    pub(super) fn applies(&self) -> bool {
        self.role.name().ends_with("_apply") && !self.role.text("permissions_boundary").is_empty()
    }

    /// Whether this service of AWS, and nobody else, assumes it.
    fn serves(&self, service: &str) -> bool {
        let trust = self.role.statements("assume_role_policy");
        !trust.is_empty() && trust.iter().all(|s| services(s) == [service] && s["Principal"]["AWS"].is_null())
    }

    /// What it may do with everything there is; of the role that applies, what is not bound to the environment's regions.
    pub(super) fn powers(&self) -> BTreeSet<String> {
        let within = |statement: &&&Value| {
            self.applies()
                && conditions(statement).iter().any(|(operator, key, regions)| {
                    (*operator, *key) == ("StringEquals", "aws:RequestedRegion")
                        && !regions.iter().any(|region| region.contains('*'))
                })
        };
        let own = self.statements.iter().filter(|s| !within(s)).flat_map(|statement| powers(statement));
        let managed = self.managed.iter().flat_map(|name| match aws::managed::powers(name) {
            Some(powers) => powers.into_iter().map(str::to_owned).collect(),
            None => vec![format!("does what {name} allows, which this version does not know")],
        });
        own.chain(managed).filter(|power| !self.denied(power)).collect()
    }

    /// Whether a denial without a condition leaves of a power nothing, or what it names.
    fn denied(&self, power: &str) -> bool {
        let mut actions = power::of(power).peekable();
        actions.peek().is_some()
            && actions.all(|action| {
                self.statements.iter().any(|statement| {
                    let named = texts(&statement["NotResource"]);
                    statement["Effect"] == "Deny"
                        && statement["Condition"].is_null()
                        && texts(&statement["Action"]).iter().any(|pattern| power::matches(pattern, action))
                        && (texts(&statement["Resource"]).contains(&"*")
                            || (!named.is_empty() && !named.iter().any(|name| power::everything(name))))
                })
            })
    }
}

/// The powers of a statement: what it allows with everything there is.
fn powers(statement: &Value) -> BTreeSet<String> {
    let of_everything = !statement["NotResource"].is_null()
        || texts(&statement["Resource"]).iter().any(|resource| power::everything(resource));
    if !allows(statement) || !of_everything {
        return BTreeSet::new();
    }
    match statement.get("NotAction") {
        Some(but) => power::allowed(Actions::AllBut(&texts(but))),
        None => power::allowed(Actions::These(&texts(&statement["Action"]))),
    }
}
