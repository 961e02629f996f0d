"""Shield Advanced: groups of protections, and the role of AWS's response team."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway import Call
from registry import Answers, Refusal

shield = Answers("shield")


@shield.on("CreateProtectionGroup")
def _(call: Call) -> dict[str, Any]:
    name = call.params["ProtectionGroupId"]
    arn = call.arn(f"protection-group/{name}")
    asked = {key: value for key, value in call.params.items() if key != "Tags"}
    call.kept("groups")[name] = {**asked, "ProtectionGroupArn": arn}
    call.kept("tags")[arn] = call.params.get("Tags", [])
    return {}


@shield.on("DescribeProtectionGroup")
def _(call: Call) -> dict[str, Any]:
    return {"ProtectionGroup": _known(call)}


@shield.on("DeleteProtectionGroup")
def _(call: Call) -> dict[str, Any]:
    del call.kept("groups")[_known(call)["ProtectionGroupId"]]
    return {}


def _known(call: Call) -> dict[str, Any]:
    name = call.params["ProtectionGroupId"]
    if name not in call.kept("groups"):
        raise Refusal("ResourceNotFoundException", f"no protection group {name}")
    return dict(call.kept("groups")[name])


@shield.on("AssociateDRTRole", "DisassociateDRTRole")
def _(call: Call) -> dict[str, Any]:
    call.kept("response team")["role"] = call.params.get("RoleArn")
    return {}


@shield.on("DescribeDRTAccess")
def _(call: Call) -> dict[str, Any]:
    role = call.kept("response team").get("role")
    return {"RoleArn": role} if role else {}


@shield.proof
def _(aws: Callable[..., Any]) -> None:
    client = aws("shield")
    which = {"ProtectionGroupId": "edge"}
    client.create_protection_group(**which, Aggregation="SUM", Pattern="ALL")
    assert client.describe_protection_group(**which)["ProtectionGroup"]["Aggregation"] == "SUM"
    client.delete_protection_group(**which)
    role = "arn:aws:iam::123456789012:role/response"
    client.associate_drt_role(RoleArn=role)
    assert client.describe_drt_access()["RoleArn"] == role
    client.disassociate_drt_role()
    assert "RoleArn" not in client.describe_drt_access()
