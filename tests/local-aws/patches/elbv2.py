"""Load balancing: what a load balancer is when nothing is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway import Call
from registry import Patch

scheme = Patch("elbv2", "DescribeLoadBalancers", "forgets that a load balancer is internet-facing by default")


@scheme.on("DescribeLoadBalancers")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    for balancer in result["LoadBalancers"]:
        if not balancer.get("Scheme"):
            balancer["Scheme"] = "internet-facing"
    return result


@scheme.proof
def _(aws: Callable[..., Any]) -> None:
    ec2, elb = aws("ec2"), aws("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"]
        for n, zone in enumerate("ab")
    ]
    elb.create_load_balancer(Name="default", Subnets=[subnet["SubnetId"] for subnet in subnets])
    found = elb.describe_load_balancers(Names=["default"])["LoadBalancers"][0]
    assert found.get("Scheme") == "internet-facing", found
