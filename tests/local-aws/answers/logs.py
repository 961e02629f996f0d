"""CloudWatch Logs: data protection policies and saved queries."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from gateway import Call
from registry import Answers, Refusal

logs = Answers("logs")


@logs.on("PutDataProtectionPolicy")
def _(call: Call) -> dict[str, Any]:
    group, policy = call.params["logGroupIdentifier"], call.params["policyDocument"]
    call.kept("protection")[_name(group)] = policy
    return {"logGroupIdentifier": group, "policyDocument": policy, "lastUpdatedTime": 0}


@logs.on("GetDataProtectionPolicy")
def _(call: Call) -> dict[str, Any]:
    group = call.params["logGroupIdentifier"]
    policy = call.kept("protection").get(_name(group))
    return {
        "logGroupIdentifier": group,
        **({"policyDocument": policy, "lastUpdatedTime": 0} if policy else {}),
    }


@logs.on("DeleteDataProtectionPolicy")
def _(call: Call) -> dict[str, Any]:
    call.kept("protection").pop(_name(call.params["logGroupIdentifier"]), None)
    return {}


@logs.on("PutQueryDefinition")
def _(call: Call) -> dict[str, Any]:
    query = call.params.get("queryDefinitionId") or str(uuid.uuid4())
    call.kept("queries")[query] = {**call.params, "queryDefinitionId": query}
    return {"queryDefinitionId": query}


@logs.on("DescribeQueryDefinitions")
def _(call: Call) -> dict[str, Any]:
    prefix = call.params.get("queryDefinitionNamePrefix", "")
    kept = call.kept("queries").values()
    return {"queryDefinitions": [query for query in kept if query["name"].startswith(prefix)]}


@logs.on("DeleteQueryDefinition")
def _(call: Call) -> dict[str, Any]:
    if call.kept("queries").pop(call.params["queryDefinitionId"], None) is None:
        raise Refusal("ResourceNotFoundException", "no such query definition")
    return {"success": True}


def _name(group: str) -> str:
    """The name of a log group that is given by name or by ARN."""
    return group.split(":log-group:")[-1].removesuffix(":*")


@logs.proof
def _(aws: Callable[..., Any]) -> None:
    client = aws("logs")
    client.create_log_group(logGroupName="protected")
    client.put_data_protection_policy(logGroupIdentifier="protected", policyDocument="{}")
    assert client.get_data_protection_policy(logGroupIdentifier="protected")["policyDocument"] == "{}"
    client.delete_data_protection_policy(logGroupIdentifier="protected")
    assert "policyDocument" not in client.get_data_protection_policy(logGroupIdentifier="protected")
    query = client.put_query_definition(name="errors", queryString="fields @message")["queryDefinitionId"]
    found = client.describe_query_definitions(queryDefinitionNamePrefix="err")["queryDefinitions"]
    assert [one["queryDefinitionId"] for one in found] == [query]
    client.delete_query_definition(queryDefinitionId=query)
    assert not client.describe_query_definitions()["queryDefinitions"]
