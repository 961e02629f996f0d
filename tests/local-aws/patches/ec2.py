"""EC2: descriptions, tags and options that moto takes in and does not give back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway import ACCOUNT, Call
from registry import Patch, instead_of

rule_description = Patch(
    "ec2",
    "DescribeSecurityGroupRules",
    "a rule whose peer is a security group or a prefix list loses its description",
)


@rule_description.inside
def _() -> None:
    from moto.ec2.models.security_groups import SecurityGroupRule

    def description(rule: Any) -> str | None:
        for peer in (rule.ip_range, rule.source_group, rule.prefix_list_id):
            if isinstance(peer, dict) and peer.get("Description"):
                return str(peer["Description"])
        return getattr(rule, "peer_description", None)

    @instead_of(SecurityGroupRule, "__init__")
    def _(create: Callable[..., Any], rule: Any, *given: Any, **named: Any) -> None:
        create(rule, *given, **named)
        for peer in (*given, *named.values()):
            if isinstance(peer, dict) and "PrefixListId" in peer:
                rule.peer_description = peer.get("Description")

    setattr(SecurityGroupRule, "description", property(description))  # noqa: B010


@rule_description.proof
def _(aws: Callable[..., Any]) -> None:
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="a", Description="a", VpcId=vpc)["GroupId"]
    listed = ec2.create_managed_prefix_list(PrefixListName="p", MaxEntries=1, AddressFamily="IPv4")
    pair = {"GroupId": group, "Description": "from the load balancer"}
    prefixes = {"PrefixListId": listed["PrefixList"]["PrefixListId"], "Description": "from the office"}
    port = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    for peer in ({"UserIdGroupPairs": [pair]}, {"PrefixListIds": [prefixes]}):
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{**port, **peer}])
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    said = {rule.get("Description") for rule in rules["SecurityGroupRules"] if not rule["IsEgress"]}
    assert said == {"from the load balancer", "from the office"}, said


dhcp_tags = Patch("ec2", "CreateDhcpOptions", "drops the tags given at creation")


@dhcp_tags.on("CreateDhcpOptions")
def _(call: Call) -> dict[str, Any]:
    from moto.ec2.models import ec2_backends

    result = call.forward()
    tags = [tag for given in call.params.get("TagSpecifications", []) for tag in given.get("Tags", [])]
    if tags:
        named = {tag["Key"]: tag["Value"] for tag in tags}
        ec2_backends[ACCOUNT][call.region].create_tags([result["DhcpOptions"]["DhcpOptionsId"]], named)
        result["DhcpOptions"]["Tags"] = tags
    return result


@dhcp_tags.proof
def _(aws: Callable[..., Any]) -> None:
    ec2 = aws("ec2")
    tags = [{"Key": "Name", "Value": "dev"}]
    made = ec2.create_dhcp_options(
        DhcpConfigurations=[{"Key": "domain-name-servers", "Values": ["AmazonProvidedDNS"]}],
        TagSpecifications=[{"ResourceType": "dhcp-options", "Tags": tags}],
    )["DhcpOptions"]
    found = ec2.describe_dhcp_options(DhcpOptionsIds=[made["DhcpOptionsId"]])["DhcpOptions"][0]
    assert found.get("Tags") == tags, found


flow_log_options = Patch(
    "ec2", "DescribeFlowLogs", "forgets the options of the destination (file format, partitions)"
)


@flow_log_options.on("CreateFlowLogs")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    if options := call.params.get("DestinationOptions"):
        for flow_log in result.get("FlowLogIds", []):
            call.kept("destination options")[flow_log] = options
    return result


@flow_log_options.on("DescribeFlowLogs")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    for flow_log in result.get("FlowLogs", []):
        if options := call.kept("destination options").get(flow_log["FlowLogId"]):
            flow_log["DestinationOptions"] = options
    return result


@flow_log_options.proof
def _(aws: Callable[..., Any]) -> None:
    ec2 = aws("ec2")
    aws("s3").create_bucket(Bucket="flows")
    options = {"FileFormat": "parquet", "HiveCompatiblePartitions": True, "PerHourPartition": True}
    made = ec2.create_flow_logs(
        ResourceIds=[ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]],
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="s3",
        LogDestination="arn:aws:s3:::flows",
        DestinationOptions=options,
    )
    found = ec2.describe_flow_logs(FlowLogIds=made["FlowLogIds"])["FlowLogs"][0]
    assert found.get("DestinationOptions") == options, found


subnet_ipv6_filter = Patch("ec2", "DescribeSubnets", "cannot filter by the id of an IPv6 association")


@subnet_ipv6_filter.inside
def _() -> None:
    from moto.ec2.models.subnets import Subnet

    @instead_of(Subnet, "get_filter_value")
    def _(value: Callable[..., Any], subnet: Any, name: str, *rest: Any, **named: Any) -> Any:
        if name == "ipv6-cidr-block-association.association-id":
            return list(subnet.ipv6_cidr_block_associations)
        return value(subnet, name, *rest, **named)


@subnet_ipv6_filter.proof
def _(aws: Callable[..., Any]) -> None:
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
    described = ec2.describe_vpcs(VpcIds=[vpc["VpcId"]])["Vpcs"][0]
    block = described["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].replace("/56", "/64")
    subnet = ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="10.0.0.0/24", Ipv6CidrBlock=block)["Subnet"]
    association = subnet["Ipv6CidrBlockAssociationSet"][0]["AssociationId"]
    named = [{"Name": "ipv6-cidr-block-association.association-id", "Values": [association]}]
    assert [s["SubnetId"] for s in ec2.describe_subnets(Filters=named)["Subnets"]] == [subnet["SubnetId"]]


subnet_ipv6_state = Patch("ec2", "DescribeSubnets", "says the state of an IPv6 association as a dictionary in a text")


@subnet_ipv6_state.inside
def _() -> None:
    from moto.ec2.models.subnets import Subnet

    def associations(subnet: Any) -> list[dict[str, Any]]:
        return [
            {**{key: one[key] for key in ("ipv6CidrBlock", "associationId")}, "ipv6CidrBlockState": {"state": "associated"}}
            for one in subnet.ipv6_cidr_block_associations.values()
            if one["ipv6CidrBlockState"]["State"] == "associated"
        ]

    setattr(Subnet, "ipv6_cidr_block_association_set", property(associations))  # noqa: B010


@subnet_ipv6_state.proof
def _(aws: Callable[..., Any]) -> None:
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
    described = ec2.describe_vpcs(VpcIds=[vpc["VpcId"]])["Vpcs"][0]
    block = described["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].replace("/56", "/64")
    subnet = ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="10.0.0.0/24", Ipv6CidrBlock=block)["Subnet"]
    found = ec2.describe_subnets(SubnetIds=[subnet["SubnetId"]])["Subnets"][0]
    assert found["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlockState"]["State"] == "associated", found
