"""Shield Advanced: tags of what moto does not know, which `answers/shield.py` keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway import Call
from registry import Patch

group_tags = Patch("shield", "ListTagsForResource", "knows no tags but those of protections")


@group_tags.on("ListTagsForResource")
def _(call: Call) -> dict[str, Any] | None:
    tags = call.kept("tags").get(call.params["ResourceARN"])
    return None if tags is None else {"Tags": tags}


@group_tags.proof
def _(aws: Callable[..., Any]) -> None:
    client = aws("shield")
    tags = [{"Key": "Owner", "Value": "payments"}]
    client.create_protection_group(ProtectionGroupId="tagged", Aggregation="SUM", Pattern="ALL", Tags=tags)
    arn = client.describe_protection_group(ProtectionGroupId="tagged")["ProtectionGroup"]["ProtectionGroupArn"]
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == tags
