#!/usr/bin/env bash
# Rendered by `txnr init` from txnr.toml and envs/*.toml. Do not edit; `txnr init --check` tells when it is out of date.
#
# Looks whether a protected environment on GitHub is as the roles in AWS rely on it: it lets in the branch whose merges are
# published, and no other, and it waits for its reviewers. Without reviewers a merge would change it at once.
#
#     settings.sh ENVIRONMENT REVIEWED
#
# REVIEWED is false where nobody has to approve. https://docs.github.com/en/rest/deployments/environments#get-an-environment
set -euo pipefail

environment=$1 reviewed=$2
branch='main'
repository="repos/$GITHUB_REPOSITORY/environments"
name=$(jq --null-input --raw-output --arg name "$environment" '$name | @uri')

fail() {
    echo "::error::the environment $environment on GitHub $1; README.md says how it has to be set"
    exit 1
}

# An environment that a job names is made without any rule if it is not there yet.
settings=$(gh api "$repository/$name") || fail "is not there, or cannot be read"
case "$(echo "$settings" | jq --raw-output '.deployment_branch_policy
    | if . == null then "all" elif .custom_branch_policies then "listed" else "protected" end')" in
    listed)
        branches=$(gh api --paginate "$repository/$name/deployment-branch-policies" --jq '.branch_policies[]
            | if .type == "tag" then "tag \(.name)" else .name end') || fail "does not tell its branches"
        [ "$branches" = "$branch" ] || fail "lets in other branches than $branch: ${branches:-none}"
        ;;
    protected)
        branches=$(gh api --paginate "repos/$GITHUB_REPOSITORY/branches?protected=true" --jq '.[].name') \
            || fail "does not tell its branches"
        [ "$branches" = "$branch" ] || fail "lets in every protected branch, and not $branch alone: ${branches:-none}"
        ;;
    *) fail "lets in every branch" ;;
esac
if [ "$reviewed" = true ]; then
    echo "$settings" | jq --exit-status \
        'any(.protection_rules[]; .type == "required_reviewers" and (.reviewers | length > 0))' >/dev/null \
        || fail "has no required reviewers"
fi
echo "$environment lets in $branch alone$([ "$reviewed" = false ] || echo ', and waits for its reviewers')"
