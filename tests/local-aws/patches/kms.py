"""KMS: rotation periods and replicas of multi-Region keys."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from gateway import ACCOUNT, Call
from registry import Patch

rotation_period = Patch("kms", "GetKeyRotationStatus", "says nothing of the rotation period")


@rotation_period.on("EnableKeyRotation")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    call.kept("rotation")[_id(call.params["KeyId"])] = call.params.get("RotationPeriodInDays", 365)
    return result


@rotation_period.on("GetKeyRotationStatus")
def _(call: Call) -> dict[str, Any]:
    status = call.forward()
    if status.get("KeyRotationEnabled"):
        status["RotationPeriodInDays"] = call.kept("rotation").get(_id(call.params["KeyId"]), 365)
    return status


@rotation_period.proof
def _(aws: Callable[..., Any]) -> None:
    kms = aws("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=180)
    assert kms.get_key_rotation_status(KeyId=key).get("RotationPeriodInDays") == 180


replicas = Patch(
    "kms", "ReplicateKey", "shares one multi-Region configuration and ignores description, policy, tags"
)


@replicas.on("ReplicateKey")
def _(call: Call) -> dict[str, Any]:
    from moto.kms.models import kms_backends

    result = call.forward()
    key, region = _id(call.params["KeyId"]), call.params["ReplicaRegion"]
    primary = kms_backends[ACCOUNT][call.region].keys[key]
    backend = kms_backends[ACCOUNT][region]
    replica = backend.keys[key]
    replica.multi_region_configuration = copy.deepcopy(replica.multi_region_configuration)
    replica.multi_region_configuration["MultiRegionKeyType"] = "REPLICA"
    primary.multi_region_configuration["MultiRegionKeyType"] = "PRIMARY"
    replica.description = call.params.get("Description", replica.description)
    replica.policy = call.params.get("Policy", replica.policy)
    if tags := call.params.get("Tags"):
        backend.tag_resource(key, {tag["TagKey"]: tag["TagValue"] for tag in tags})
    return result


@replicas.proof
def _(aws: Callable[..., Any]) -> None:
    here, there = aws("kms"), aws("kms", region="us-west-2")
    key = here.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    tags = [{"TagKey": "Owner", "TagValue": "payments"}]
    here.replicate_key(KeyId=key, ReplicaRegion="us-west-2", Description="replica", Tags=tags)
    found = there.describe_key(KeyId=key)["KeyMetadata"]
    assert found["Description"] == "replica"
    assert found["MultiRegionConfiguration"]["MultiRegionKeyType"] == "REPLICA"
    assert (
        here.describe_key(KeyId=key)["KeyMetadata"]["MultiRegionConfiguration"]["MultiRegionKeyType"]
        == "PRIMARY"
    )
    assert there.list_resource_tags(KeyId=key)["Tags"] == tags


def _id(key: str) -> str:
    """The id of a key that is given by id or by ARN."""
    return key.split("/")[-1]
