"""ECR: pull-through caches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway import ACCOUNT, Call
from registry import Answers, Refusal

ecr = Answers("ecr")


@ecr.on("CreatePullThroughCacheRule")
def _(call: Call) -> dict[str, Any]:
    rule = {**call.params, "registryId": ACCOUNT}
    call.kept("caches")[call.params["ecrRepositoryPrefix"]] = rule
    return rule


@ecr.on("DescribePullThroughCacheRules")
def _(call: Call) -> dict[str, Any]:
    kept = call.kept("caches")
    prefixes = call.params.get("ecrRepositoryPrefixes") or list(kept)
    return {"pullThroughCacheRules": [_known(kept, prefix) for prefix in prefixes]}


@ecr.on("DeletePullThroughCacheRule")
def _(call: Call) -> dict[str, Any]:
    rule = _known(call.kept("caches"), call.params["ecrRepositoryPrefix"])
    del call.kept("caches")[call.params["ecrRepositoryPrefix"]]
    return rule


def _known(kept: dict[str, Any], prefix: str) -> dict[str, Any]:
    if prefix not in kept:
        raise Refusal("PullThroughCacheRuleNotFoundException", f"no cache for {prefix}")
    return dict(kept[prefix])


@ecr.proof
def _(aws: Callable[..., Any]) -> None:
    client = aws("ecr")
    client.create_pull_through_cache_rule(ecrRepositoryPrefix="public", upstreamRegistryUrl="public.ecr.aws")
    found = client.describe_pull_through_cache_rules(ecrRepositoryPrefixes=["public"])[
        "pullThroughCacheRules"
    ]
    assert found[0]["upstreamRegistryUrl"] == "public.ecr.aws"
    client.delete_pull_through_cache_rule(ecrRepositoryPrefix="public")
    try:
        client.describe_pull_through_cache_rules(ecrRepositoryPrefixes=["public"])
    except client.exceptions.PullThroughCacheRuleNotFoundException:
        return
    raise AssertionError("a deleted cache is still there")
