"""EC2: the account's defaults in a Region, which moto does not know."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from gateway import ACCOUNT, Call
from registry import Answers

ec2 = Answers("ec2")

DEFAULT_KEY = "alias/aws/ebs"


@ec2.on("GetEbsDefaultKmsKeyId")
def _(call: Call) -> dict[str, Any]:
    return {"KmsKeyId": _volumes(call).default_kms_key_id or DEFAULT_KEY}


@ec2.on("ResetEbsDefaultKmsKeyId")
def _(call: Call) -> dict[str, Any]:
    _volumes(call).default_kms_key_id = ""
    return {"KmsKeyId": DEFAULT_KEY}


def _volumes(call: Call) -> Any:
    """Where moto keeps the key that it lets one set, and not read."""
    from moto.ec2.models import ec2_backends

    return ec2_backends[ACCOUNT][call.region]


def _public_access(thing: str, member: str) -> None:
    """Whether snapshots or images may be made public: enable, disable and read."""

    @ec2.on(f"Enable{thing}BlockPublicAccess")
    def _(call: Call) -> dict[str, Any]:
        call.kept("public")[thing] = call.params[member]
        return {member: call.params[member]}

    @ec2.on(f"Disable{thing}BlockPublicAccess")
    def _(call: Call) -> dict[str, Any]:
        call.kept("public").pop(thing, None)
        return {member: "unblocked"}

    @ec2.on(f"Get{thing}BlockPublicAccessState")
    def _(call: Call) -> dict[str, Any]:
        return {member: call.kept("public").get(thing, "unblocked")}


_public_access("Snapshot", "State")
_public_access("Image", "ImageBlockPublicAccessState")


@ec2.on("EnableSerialConsoleAccess", "DisableSerialConsoleAccess")
def _(call: Call) -> dict[str, Any]:
    call.kept("defaults")["console"] = call.operation.startswith("Enable")
    return {"SerialConsoleAccessEnabled": call.kept("defaults")["console"]}


@ec2.on("GetSerialConsoleAccessStatus")
def _(call: Call) -> dict[str, Any]:
    return {"SerialConsoleAccessEnabled": call.kept("defaults").get("console", False)}


@ec2.on("ModifyInstanceMetadataDefaults")
def _(call: Call) -> dict[str, Any]:
    names = ("HttpTokens", "HttpPutResponseHopLimit", "HttpEndpoint", "InstanceMetadataTags")
    given = {
        name: call.params[name] for name in names if call.params.get(name) not in (None, "no-preference", -1)
    }
    call.kept("defaults")["metadata"] = given
    return {"Return": True}


@ec2.on("GetInstanceMetadataDefaults")
def _(call: Call) -> dict[str, Any]:
    return {"AccountLevel": call.kept("defaults").get("metadata", {})}


@ec2.on("ModifyVpcBlockPublicAccessOptions", "DescribeVpcBlockPublicAccessOptions")
def _(call: Call) -> dict[str, Any]:
    if call.operation.startswith("Modify"):
        call.kept("defaults")["gateways"] = call.params["InternetGatewayBlockMode"]
    mode = call.kept("defaults").get("gateways")
    options = {
        "AwsAccountId": ACCOUNT,
        "AwsRegion": call.region,
        "State": "update-complete" if mode else "default-state",
        "InternetGatewayBlockMode": mode or "off",
        "ExclusionsAllowed": "allowed",
        "ManagedBy": "account",
    }
    return {"VpcBlockPublicAccessOptions": options}


@ec2.on("CreateVpcBlockPublicAccessExclusion")
def _(call: Call) -> dict[str, Any]:
    made = f"vpcbpa-exclude-{uuid.uuid4().hex[:17]}"
    excluded = f"vpc/{call.params['VpcId']}" if "VpcId" in call.params else f"subnet/{call.params['SubnetId']}"
    specifications = call.params.get("TagSpecifications", [])
    call.kept("exclusions")[made] = {
        "ExclusionId": made,
        "InternetGatewayExclusionMode": call.params["InternetGatewayExclusionMode"],
        "ResourceArn": call.arn(excluded),
        "State": "create-complete",
        "Tags": [tag for specification in specifications for tag in specification["Tags"]],
    }
    return {"VpcBlockPublicAccessExclusion": call.kept("exclusions")[made]}


@ec2.on("DescribeVpcBlockPublicAccessExclusions")
def _(call: Call) -> dict[str, Any]:
    kept = call.kept("exclusions")
    asked = call.params.get("ExclusionIds") or list(kept)
    return {"VpcBlockPublicAccessExclusions": [kept[one] for one in asked if one in kept]}


@ec2.on("DeleteVpcBlockPublicAccessExclusion")
def _(call: Call) -> dict[str, Any]:
    kept = call.kept("exclusions")
    kept[call.params["ExclusionId"]]["State"] = "delete-complete"
    return {"VpcBlockPublicAccessExclusion": kept[call.params["ExclusionId"]]}


@ec2.proof
def _(aws: Callable[..., Any]) -> None:
    client = aws("ec2")
    key = aws("kms").create_key()["KeyMetadata"]["Arn"]
    client.modify_ebs_default_kms_key_id(KmsKeyId=key)
    assert client.get_ebs_default_kms_key_id()["KmsKeyId"] == key
    client.reset_ebs_default_kms_key_id()
    assert client.get_ebs_default_kms_key_id()["KmsKeyId"] == DEFAULT_KEY
    client.enable_snapshot_block_public_access(State="block-all-sharing")
    assert client.get_snapshot_block_public_access_state()["State"] == "block-all-sharing"
    client.disable_snapshot_block_public_access()
    assert client.get_snapshot_block_public_access_state()["State"] == "unblocked"
    client.enable_serial_console_access()
    assert client.get_serial_console_access_status()["SerialConsoleAccessEnabled"]
    client.modify_instance_metadata_defaults(HttpTokens="required", HttpPutResponseHopLimit=1)
    expected = {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}
    assert client.get_instance_metadata_defaults()["AccountLevel"] == expected
    client.modify_vpc_block_public_access_options(InternetGatewayBlockMode="block-ingress")
    found = client.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]
    assert found["InternetGatewayBlockMode"] == "block-ingress" and found["State"] == "update-complete"
    made = client.create_vpc_block_public_access_exclusion(
        VpcId="vpc-1", InternetGatewayExclusionMode="allow-bidirectional"
    )["VpcBlockPublicAccessExclusion"]
    which = {"ExclusionIds": [made["ExclusionId"]]}
    found = client.describe_vpc_block_public_access_exclusions(**which)["VpcBlockPublicAccessExclusions"]
    assert found[0]["ResourceArn"].endswith(":vpc/vpc-1") and found[0]["State"] == "create-complete", found
    client.delete_vpc_block_public_access_exclusion(ExclusionId=made["ExclusionId"])
    found = client.describe_vpc_block_public_access_exclusions(**which)["VpcBlockPublicAccessExclusions"]
    assert found[0]["State"] == "delete-complete", found
