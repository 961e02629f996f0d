"""Load balancing: trust stores, the lists of what they no longer trust, and the listeners that ask for certificates."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from gateway import Call
from registry import Answers, Patch, Refusal

stores = Answers("elbv2")
listeners = Patch("elbv2", "DescribeListeners", "forgets what listeners ask of clients' certificates")
tags = Patch("elbv2", "DescribeTags", "knows no trust stores")


def _known(call: Call, arn: str) -> dict[str, Any]:
    if arn not in call.kept("stores"):
        raise Refusal("TrustStoreNotFound", f"no trust store {arn}")
    store: dict[str, Any] = call.kept("stores")[arn]
    return store


def _shown(store: dict[str, Any]) -> dict[str, Any]:
    lists = {"TotalRevokedEntries": len(store["Revocations"])}
    named = {key: store[key] for key in ("Name", "TrustStoreArn")}
    return {**named, "Status": "ACTIVE", "NumberOfCaCertificates": 1, **lists}


@stores.on("CreateTrustStore")
def _(call: Call) -> dict[str, Any]:
    name = call.params["Name"]
    if any(store["Name"] == name for store in call.kept("stores").values()):
        raise Refusal("DuplicateTrustStoreName", f"there is a trust store {name}")
    arn = call.arn(f"truststore/{name}/{uuid.uuid4().hex[:16]}", "elasticloadbalancing")
    made = {"Name": name, "TrustStoreArn": arn, "Revocations": {}, "Tags": call.params.get("Tags", [])}
    call.kept("stores")[arn] = made
    return {"TrustStores": [_shown(made)]}


@stores.on("ModifyTrustStore")
def _(call: Call) -> dict[str, Any]:
    return {"TrustStores": [_shown(_known(call, call.params["TrustStoreArn"]))]}


@stores.on("DescribeTrustStores")
def _(call: Call) -> dict[str, Any]:
    asked = call.params.get("TrustStoreArns")
    found = [_known(call, arn) for arn in asked] if asked else list(call.kept("stores").values())
    names = call.params.get("Names")
    return {"TrustStores": [_shown(store) for store in found if not names or store["Name"] in names]}


@stores.on("DeleteTrustStore")
def _(call: Call) -> dict[str, Any]:
    arn = _known(call, call.params["TrustStoreArn"])["TrustStoreArn"]
    if any(asked.get("TrustStoreArn") == arn for asked in call.kept("asked").values()):
        raise Refusal("TrustStoreInUse", "a listener verifies by it")
    call.kept("stores").pop(arn)
    return {}


@stores.on("AddTrustStoreRevocations")
def _(call: Call) -> dict[str, Any]:
    store = _known(call, call.params["TrustStoreArn"])
    for _list in call.params["RevocationContents"]:
        number = max(store["Revocations"], default=0) + 1
        store["Revocations"][number] = {
            "TrustStoreArn": store["TrustStoreArn"],
            "RevocationId": number,
            "RevocationType": "CRL",
            "NumberOfRevokedEntries": 1,
        }
    return {"TrustStoreRevocations": list(store["Revocations"].values())}


@stores.on("DescribeTrustStoreRevocations")
def _(call: Call) -> dict[str, Any]:
    kept = _known(call, call.params["TrustStoreArn"])["Revocations"]
    asked = call.params.get("RevocationIds") or list(kept)
    if missing := [number for number in asked if number not in kept]:
        raise Refusal("RevocationIdNotFound", f"no revocations {missing}")
    return {"TrustStoreRevocations": [kept[number] for number in asked]}


@stores.on("RemoveTrustStoreRevocations")
def _(call: Call) -> dict[str, Any]:
    kept = _known(call, call.params["TrustStoreArn"])["Revocations"]
    for number in call.params["RevocationIds"]:
        kept.pop(number, None)
    return {}


@stores.on("DescribeTrustStoreAssociations")
def _(call: Call) -> dict[str, Any]:
    arn = _known(call, call.params["TrustStoreArn"])["TrustStoreArn"]
    asking = [key for key, asked in call.kept("asked").items() if asked.get("TrustStoreArn") == arn]
    return {"TrustStoreAssociations": [{"ResourceArn": listener} for listener in asking]}


# Listeners


@listeners.on("CreateListener", "ModifyListener", "DescribeListeners")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    asked = call.params.get("MutualAuthentication")
    for listener in result["Listeners"]:
        if asked is not None:
            call.kept("asked")[listener["ListenerArn"]] = asked
        if kept := call.kept("asked").get(listener["ListenerArn"]):
            active = {"TrustStoreAssociationStatus": "active"} if "TrustStoreArn" in kept else {}
            listener["MutualAuthentication"] = {**kept, **active}
    return result


@listeners.on("DeleteListener")
def _(call: Call) -> dict[str, Any] | None:
    call.kept("asked").pop(call.params["ListenerArn"], None)
    return None


@tags.on("DescribeTags")
def _(call: Call) -> dict[str, Any] | None:
    arns = call.params["ResourceArns"]
    if not any(":truststore/" in arn for arn in arns):
        return None
    return {
        "TagDescriptions": [{"ResourceArn": arn, "Tags": _known(call, arn)["Tags"]} for arn in arns]
    }


@tags.proof
@stores.proof
def _(aws: Callable[..., Any]) -> None:
    client = aws("elbv2")
    bundle = {"CaCertificatesBundleS3Bucket": "authorities", "CaCertificatesBundleS3Key": "ca.pem"}
    owner = [{"Key": "Owner", "Value": "payments"}]
    made = client.create_trust_store(Name="clients", Tags=owner, **bundle)["TrustStores"][0]
    which = {"TrustStoreArn": made["TrustStoreArn"]}
    assert client.describe_tags(ResourceArns=[made["TrustStoreArn"]])["TagDescriptions"][0]["Tags"] == owner
    assert client.describe_trust_stores(Names=["clients"])["TrustStores"][0]["Status"] == "ACTIVE"
    client.modify_trust_store(**which, **bundle)
    lists = [{"S3Bucket": "authorities", "S3Key": "revoked.crl", "RevocationType": "CRL"}]
    client.add_trust_store_revocations(**which, RevocationContents=lists)
    found = client.describe_trust_store_revocations(**which)["TrustStoreRevocations"]
    assert [revoked["RevocationId"] for revoked in found] == [1], found
    client.remove_trust_store_revocations(**which, RevocationIds=[1])
    assert client.describe_trust_store_revocations(**which)["TrustStoreRevocations"] == []
    assert client.describe_trust_store_associations(**which)["TrustStoreAssociations"] == []
    client.delete_trust_store(**which)
    assert client.describe_trust_stores()["TrustStores"] == []


@listeners.proof
def _(aws: Callable[..., Any]) -> None:
    ec2, client = aws("ec2"), aws("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"]
        for n, zone in enumerate("ab")
    ]
    balancer = client.create_load_balancer(
        Name="mutual", Subnets=[subnet["SubnetId"] for subnet in subnets]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    refuse = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    made = client.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=443,
        DefaultActions=[refuse],
        MutualAuthentication={"Mode": "passthrough"},
    )["Listeners"][0]
    found = client.describe_listeners(ListenerArns=[made["ListenerArn"]])["Listeners"][0]
    assert found["MutualAuthentication"]["Mode"] == "passthrough", found
    client.delete_listener(ListenerArn=made["ListenerArn"])
