"""Network Firewall, all of it: rule groups, policies, firewalls, their logs and their tags.

Moto has a few calls for firewalls alone. They are answered here too, so that the parts know of each other.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from gateway import ACCOUNT, Call
from registry import Answers, Patch, Refusal

firewall = Answers("network-firewall")
firewalls = Patch(
    "network-firewall", "CreateFirewall", "knows no protections, and nothing that a firewall is made of"
)

AWS_KEY = {"Type": "AWS_OWNED_KMS_KEY", "KeyId": "AWS_OWNED_KMS_KEY"}
PROTECTIONS = ("DeleteProtection", "SubnetChangeProtection", "FirewallPolicyChangeProtection")


def _put(call: Call, kind: str, arn: str, **held: Any) -> dict[str, Any]:
    """Makes a thing or changes it; every change gets it a new token."""
    thing = call.kept(kind).setdefault(arn, {"Arn": arn, "Name": arn.split("/")[-1], "Id": str(uuid.uuid4())})
    thing.update(held, UpdateToken=str(uuid.uuid4()))
    if tags := call.params.get("Tags"):
        call.kept("tags").setdefault(arn, {}).update({tag["Key"]: tag["Value"] for tag in tags})
    return dict(thing)


def _known(call: Call, kind: str) -> dict[str, Any]:
    """The thing that the call names, by its ARN or its name."""
    asked = {call.params.get(f"{kind}Arn"), call.params.get(f"{kind}Name")} - {None}
    for thing in call.kept(kind).values():
        if asked & {thing["Arn"], thing["Name"]}:
            return dict(thing)
    raise Refusal("ResourceNotFoundException", f"no {kind} {asked}")


def _arn(call: Call, kind: str, resource: str) -> str:
    return call.params.get(f"{kind}Arn") or call.arn(f"{resource}/{call.params[f'{kind}Name']}")


def _described(call: Call, kind: str, thing: dict[str, Any], status: str) -> dict[str, Any]:
    tags = [{"Key": key, "Value": value} for key, value in call.kept("tags").get(thing["Arn"], {}).items()]
    key = thing["EncryptionConfiguration"] or AWS_KEY
    named = {f"{kind}Arn": thing["Arn"], f"{kind}Name": thing["Name"], f"{kind}Id": thing["Id"]}
    return {**named, f"{kind}Status": status, "Tags": tags, "EncryptionConfiguration": key}


# Rule groups


@firewall.on("CreateRuleGroup", "UpdateRuleGroup")
def _(call: Call) -> dict[str, Any]:
    kind = call.params.get("Type", "STATEFUL")
    held = {key: call.params[key] for key in ("RuleGroup", "Capacity", "Description") if key in call.params}
    encryption = call.params.get("EncryptionConfiguration")
    arn = _arn(call, "RuleGroup", f"{kind.lower()}-rulegroup")
    return _rule_group(
        call, _put(call, "RuleGroup", arn, Type=kind, EncryptionConfiguration=encryption, **held)
    )


@firewall.on("DescribeRuleGroup")
def _(call: Call) -> dict[str, Any]:
    return _rule_group(call, _known(call, "RuleGroup"))


@firewall.on("DeleteRuleGroup")
def _(call: Call) -> dict[str, Any]:
    gone = call.kept("RuleGroup").pop(_known(call, "RuleGroup")["Arn"])
    return _rule_group(call, gone, "DELETING")


def _rule_group(call: Call, group: dict[str, Any], status: str = "ACTIVE") -> dict[str, Any]:
    shown: dict[str, Any] = {key: group[key] for key in ("Type", "Capacity", "Description") if key in group}
    response = {**_described(call, "RuleGroup", group, status), **shown}
    return {
        "UpdateToken": group["UpdateToken"],
        "RuleGroup": group.get("RuleGroup"),
        "RuleGroupResponse": response,
    }


# Policies


@firewall.on("CreateFirewallPolicy", "UpdateFirewallPolicy")
def _(call: Call) -> dict[str, Any]:
    policy = {key: call.params.get(key) for key in ("FirewallPolicy", "EncryptionConfiguration")}
    return _policy(
        call, _put(call, "FirewallPolicy", _arn(call, "FirewallPolicy", "firewall-policy"), **policy)
    )


@firewall.on("DescribeFirewallPolicy")
def _(call: Call) -> dict[str, Any]:
    return _policy(call, _known(call, "FirewallPolicy"))


@firewall.on("DeleteFirewallPolicy")
def _(call: Call) -> dict[str, Any]:
    gone = call.kept("FirewallPolicy").pop(_known(call, "FirewallPolicy")["Arn"])
    return _policy(call, gone, "DELETING")


def _policy(call: Call, policy: dict[str, Any], status: str = "ACTIVE") -> dict[str, Any]:
    response = _described(call, "FirewallPolicy", policy, status)
    token, document = policy["UpdateToken"], policy["FirewallPolicy"]
    return {"UpdateToken": token, "FirewallPolicy": document, "FirewallPolicyResponse": response}


# Firewalls


@firewalls.on("CreateFirewall")
def _(call: Call) -> dict[str, Any]:
    shown = {key: call.params.get(key) for key in ("FirewallPolicyArn", "VpcId", "SubnetMappings")}
    protections: dict[str, Any] = {key: call.params.get(key, False) for key in PROTECTIONS}
    held: dict[str, Any] = {
        "EncryptionConfiguration": call.params.get("EncryptionConfiguration"),
        "Logging": {},
    }
    arn = _arn(call, "Firewall", "firewall")
    endpoints = [_endpoint(call, mapping["SubnetId"], arn) for mapping in shown["SubnetMappings"] or []]
    held["Endpoints"] = endpoints
    made = _put(call, "Firewall", arn, Shown={**shown, **protections}, **held)
    return _firewall(call, made)


def _endpoint(call: Call, subnet: str, firewall: str) -> tuple[str, str, str]:
    """Zone, subnet and id of an endpoint, which is one of the VPC too, so that routes may lead to it."""
    from moto.ec2 import ec2_backends

    ec2 = ec2_backends[ACCOUNT][call.region]
    placed = next(zone[subnet] for zone in ec2.subnets.values() if subnet in zone)
    made = ec2.create_vpc_endpoint(
        vpc_id=placed.vpc_id,
        service_name=f"com.amazonaws.vpce.{call.region}.{firewall.split('/')[-1]}",
        endpoint_type="GatewayLoadBalancer",
        policy_document=None,
        route_table_ids=[],
        subnet_ids=[subnet],
    )
    return placed.availability_zone, subnet, made.id


@firewalls.on("DescribeFirewall")
def _(call: Call) -> dict[str, Any]:
    return _firewall(call, _known(call, "Firewall"))


@firewall.on("DeleteFirewall")
def _(call: Call) -> dict[str, Any]:
    found = _known(call, "Firewall")
    if found["Shown"]["DeleteProtection"]:
        raise Refusal("InvalidOperationException", "the firewall is protected against deletion")
    from moto.ec2 import ec2_backends

    endpoints = [endpoint for _zone, _subnet, endpoint in found["Endpoints"]]
    ec2_backends[ACCOUNT][call.region].delete_vpc_endpoints(endpoints)
    return _firewall(call, call.kept("Firewall").pop(found["Arn"]), "DELETING")


@firewall.on(*(f"Update{protection}" for protection in ("FirewallDeleteProtection", *PROTECTIONS[1:])))
def _(call: Call) -> dict[str, Any]:
    found = _known(call, "Firewall")
    found["Shown"].update({key: call.params[key] for key in PROTECTIONS if key in call.params})
    return {"FirewallArn": found["Arn"], "UpdateToken": found["UpdateToken"]}


@firewalls.on("UpdateLoggingConfiguration", "DescribeLoggingConfiguration")
def _(call: Call) -> dict[str, Any]:
    found = _known(call, "Firewall")
    found["Logging"].update(call.params.get("LoggingConfiguration", {}))
    return {
        "FirewallArn": found["Arn"],
        "LoggingConfiguration": {"LogDestinationConfigs": [], **found["Logging"]},
    }


def _firewall(call: Call, found: dict[str, Any], status: str = "READY") -> dict[str, Any]:
    described = _described(call, "Firewall", found, status)
    described.pop("FirewallStatus")
    zones = {
        zone: {"Attachment": {"EndpointId": endpoint, "SubnetId": subnet, "Status": "READY"}}
        for zone, subnet, endpoint in found["Endpoints"]
    }
    return {
        "UpdateToken": found["UpdateToken"],
        "Firewall": {**described, **found["Shown"]},
        "FirewallStatus": {"Status": status, "ConfigurationSyncStateSummary": "IN_SYNC", "SyncStates": zones},
    }


# Tags


@firewall.on("ListTagsForResource")
def _(call: Call) -> dict[str, Any]:
    tags = call.kept("tags").get(call.params["ResourceArn"], {})
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


@firewall.on("TagResource")
def _(call: Call) -> dict[str, Any]:
    tags = {tag["Key"]: tag["Value"] for tag in call.params["Tags"]}
    call.kept("tags").setdefault(call.params["ResourceArn"], {}).update(tags)
    return {}


@firewalls.proof
@firewall.proof
def _(aws: Callable[..., Any]) -> None:
    client = aws("network-firewall")
    tags = [{"Key": "Owner", "Value": "payments"}]
    rules = {"RulesSource": {"RulesString": "pass tls any any -> any any (sid:1;)"}}
    client.create_rule_group(RuleGroupName="egress", Type="STATEFUL", Capacity=10, RuleGroup=rules, Tags=tags)
    group = client.describe_rule_group(RuleGroupName="egress")
    assert group["RuleGroup"] == rules and group["RuleGroupResponse"]["Tags"] == tags, group
    document = {
        "StatelessDefaultActions": ["aws:forward_to_sfe"],
        "StatelessFragmentDefaultActions": ["aws:drop"],
    }
    policy = client.create_firewall_policy(FirewallPolicyName="egress", FirewallPolicy=document)
    policy_arn = policy["FirewallPolicyResponse"]["FirewallPolicyArn"]
    assert client.describe_firewall_policy(FirewallPolicyArn=policy_arn)["FirewallPolicy"] == document
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    placed = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/28", AvailabilityZone="us-east-1b")["Subnet"]
    subnets = [{"SubnetId": placed["SubnetId"]}]
    made = client.create_firewall(
        FirewallName="egress",
        FirewallPolicyArn=policy_arn,
        VpcId=vpc,
        SubnetMappings=subnets,
        DeleteProtection=True,
    )
    which = {"FirewallArn": made["Firewall"]["FirewallArn"]}
    found = client.describe_firewall(**which)
    assert found["FirewallStatus"]["Status"] == "READY" and found["Firewall"]["DeleteProtection"], found
    assert list(found["FirewallStatus"]["SyncStates"]) == ["us-east-1b"], found
    endpoint = found["FirewallStatus"]["SyncStates"]["us-east-1b"]["Attachment"]["EndpointId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", VpcEndpointId=endpoint)
    logs = [
        {"LogType": "ALERT", "LogDestinationType": "CloudWatchLogs", "LogDestination": {"logGroup": "alerts"}}
    ]
    client.update_logging_configuration(**which, LoggingConfiguration={"LogDestinationConfigs": logs})
    assert (
        client.describe_logging_configuration(**which)["LoggingConfiguration"]["LogDestinationConfigs"]
        == logs
    )
    try:
        client.delete_firewall(**which)
        raise AssertionError("a protected firewall was deleted")
    except client.exceptions.InvalidOperationException:
        client.update_firewall_delete_protection(**which, DeleteProtection=False)
    client.delete_firewall(**which)
    client.delete_firewall_policy(FirewallPolicyArn=policy_arn)
    client.delete_rule_group(RuleGroupName="egress", Type="STATEFUL")
