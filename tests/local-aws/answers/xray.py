"""X-Ray: groups, sampling rules, encryption and tags."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from gateway import Call
from registry import Answers, Refusal

xray = Answers("xray")


@xray.on("CreateGroup")
def _(call: Call) -> dict[str, Any]:
    arn = call.arn(f"group/{call.params['GroupName']}/1")
    quiet = {"InsightsEnabled": False, "NotificationsEnabled": False}
    group = {"InsightsConfiguration": quiet, **call.params, "GroupARN": arn}
    call.kept("groups")[arn] = group
    call.kept("tags")[arn] = group.pop("Tags", [])
    return {"Group": group}


@xray.on("GetGroup")
def _(call: Call) -> dict[str, Any]:
    return {"Group": _known(call, "groups", call.params.get("GroupARN"))}


@xray.on("DeleteGroup")
def _(call: Call) -> dict[str, Any]:
    call.kept("groups").pop(call.params.get("GroupARN"), None)
    return {}


@xray.on("CreateSamplingRule")
def _(call: Call) -> dict[str, Any]:
    rule = call.params["SamplingRule"]
    arn = call.arn(f"sampling-rule/{rule['RuleName']}")
    made = datetime(2026, 1, 1, tzinfo=timezone.utc)
    record = {"SamplingRule": {**rule, "RuleARN": arn}, "CreatedAt": made, "ModifiedAt": made}
    call.kept("rules")[rule["RuleName"]] = record
    call.kept("tags")[arn] = call.params.get("Tags", [])
    return {"SamplingRuleRecord": record}


@xray.on("GetSamplingRules")
def _(call: Call) -> dict[str, Any]:
    return {"SamplingRuleRecords": list(call.kept("rules").values())}


@xray.on("DeleteSamplingRule")
def _(call: Call) -> dict[str, Any]:
    record = _known(call, "rules", call.params.get("RuleName"))
    del call.kept("rules")[call.params["RuleName"]]
    return {"SamplingRuleRecord": record}


@xray.on("PutEncryptionConfig", "GetEncryptionConfig")
def _(call: Call) -> dict[str, Any]:
    if call.operation.startswith("Put"):
        call.kept("encryption").clear()
        call.kept("encryption").update(call.params)
    return {"EncryptionConfig": {"Type": "NONE", **call.kept("encryption"), "Status": "ACTIVE"}}


@xray.on("ListTagsForResource")
def _(call: Call) -> dict[str, Any]:
    return {"Tags": call.kept("tags").get(call.params["ResourceARN"], [])}


def _known(call: Call, kind: str, key: str | None) -> dict[str, Any]:
    if key not in call.kept(kind):
        raise Refusal("InvalidRequestException", f"no {kind} {key}")
    return dict(call.kept(kind)[key])


@xray.proof
def _(aws: Callable[..., Any]) -> None:
    client = aws("xray")
    tags = [{"Key": "Owner", "Value": "payments"}]
    arn = client.create_group(GroupName="errors", FilterExpression="error", Tags=tags)["Group"]["GroupARN"]
    assert client.get_group(GroupARN=arn)["Group"]["FilterExpression"] == "error"
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == tags
    client.delete_group(GroupARN=arn)
    anything = ("ResourceARN", "ServiceName", "ServiceType", "Host", "HTTPMethod", "URLPath")
    rule = {"RuleName": "all", "Priority": 1, "FixedRate": 0.1, "ReservoirSize": 1, "Version": 1}
    client.create_sampling_rule(SamplingRule={**rule, **dict.fromkeys(anything, "*")})
    records = client.get_sampling_rules()["SamplingRuleRecords"]
    assert [record["SamplingRule"]["RuleName"] for record in records] == ["all"]
    client.delete_sampling_rule(RuleName="all")
    client.put_encryption_config(Type="KMS", KeyId="alias/own")
    assert client.get_encryption_config()["EncryptionConfig"]["KeyId"] == "alias/own"
