//! Requirements 7 and 8: roles, their policies, and who may assume them.

use super::{Row, bootstrap, row};
use crate::platform::{allows, conditions, services, texts};

const POLICY: &str = "aws_iam_role_policy";

pub const ROWS: &[Row] = &[
    row(
        "R073",
        "no policy allows every action, or every one of a service, on everything, and none of AWS's that does is attached",
        |p| {
            p.each(POLICY, |r| {
                let statements = r.statements("policy");
                let wild = |s: &&serde_json::Value| {
                    texts(&s["Action"]).iter().any(|a| *a == "*" || a.ends_with(":*"))
                        && texts(&s["Resource"]).contains(&"*")
                };
                !statements.is_empty()
                    && !statements.iter().filter(|s| allows(s)).any(|s| wild(&s) || !s["NotAction"].is_null())
            })
            .and(p.none(&["aws_iam_policy"]))
            .and(p.each("aws_iam_role_policy_attachment", |r| {
                let wild = ["AdministratorAccess", "PowerUserAccess", "IAMFullAccess"];
                !wild.iter().any(|policy| r.text("policy_arn").ends_with(&format!(":aws:policy/{policy}")))
            }))
        },
        &[
            (POLICY, "policy.Statement.0", r#"{"Effect":"Allow","Action":["s3:*"],"Resource":["*"]}"#),
            (POLICY, "policy.Statement.0", r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#),
            (
                "aws_iam_role_policy_attachment",
                "policy_arn",
                "\"arn:aws:iam::aws:policy/AdministratorAccess\"",
            ),
        ],
    ),
    bootstrap(
        "R075",
        "a pipeline passes no role but those that its policy names, to services that it names; the boundaries of \
         roles grant nothing",
        |p| {
            p.each(POLICY, |r| {
                r.statements("policy").iter().filter(|s| allows(s)).all(|s| {
                    let passes =
                        texts(&s["Action"]).iter().any(|a| ["iam:PassRole", "iam:*", "*"].contains(a));
                    let to = conditions(s).iter().any(|(_, key, _)| *key == "iam:PassedToService");
                    !passes || (to && !texts(&s["Resource"]).contains(&"*"))
                })
            })
        },
        &[
            (
                POLICY,
                "policy.Statement.0",
                r#"{"Effect":"Allow","Action":["iam:PassRole"],"Resource":["*"]}"#,
            ),
            (POLICY, "policy.Statement.0", r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#),
        ],
    ),
    row(
        "R076",
        "every service that may assume a role is bound to this account, but CloudTrail, for which AWS documents no \
         condition that it would fulfil",
        |p| {
            p.each("aws_iam_role", |r| {
                let statements = r.statements("assume_role_policy");
                let bound = |s: &&serde_json::Value| {
                    let keys = ["aws:SourceAccount", "aws:SourceArn", "sts:ExternalId"];
                    services(s).is_empty()
                        || services(s) == ["cloudtrail.amazonaws.com"]
                        || conditions(s).iter().any(|(_, key, _)| keys.contains(key))
                };
                !statements.is_empty() && statements.iter().all(|s| bound(&s))
            })
        },
        &[
            ("aws_iam_role.task", "assume_role_policy.Statement.0.Condition", "null"),
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
                    && statements.iter().all(|s| {
                        let equals = |end: &str, so: &dyn Fn(&str) -> bool| {
                            conditions(s).iter().any(|(operator, key, values)| {
                                *operator == "StringEquals"
                                    && key.ends_with(end)
                                    && values.iter().all(|v| so(v))
                            })
                        };
                        !s["Principal"]["Federated"].is_null()
                            && equals(":aud", &|v| v == "sts.amazonaws.com")
                            && equals(":sub", &|v| {
                                let kinds = [":environment:prod", ":pull_request", ":ref:refs/heads/main"];
                                !v.contains('*') && kinds.iter().any(|kind| v.ends_with(kind))
                            })
                    })
            })
        },
        &[("aws_iam_role", "assume_role_policy.Statement.0.Condition", "null")],
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
