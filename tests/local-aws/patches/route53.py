"""Route 53: query logging, and hosted zones of more than one VPC or given by alias."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from registry import Patch, instead_of

query_log_group = Patch(
    "route53", "CreateQueryLoggingConfig", "takes a log group's ARN only with `:*` at its end"
)


@query_log_group.inside
def _() -> None:
    from moto.route53.models import Route53Backend

    @instead_of(Route53Backend, "create_query_logging_config")
    def _(create: Callable[..., Any], backend: Any, hosted_zone_id: str, log_group_arn: str) -> Any:
        starred = log_group_arn if log_group_arn.endswith(":*") else f"{log_group_arn}:*"
        made = create(backend, hosted_zone_id, starred)
        made.cloudwatch_logs_log_group_arn = made.cloud_watch_logs_log_group_arn = log_group_arn
        return made


@query_log_group.proof
def _(aws: Callable[..., Any]) -> None:
    route53, logs = aws("route53"), aws("logs")
    zone = route53.create_hosted_zone(Name="queries.example", CallerReference="queries")["HostedZone"]["Id"]
    logs.create_log_group(logGroupName="/aws/route53/queries.example")
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/route53/queries.example"
    made = route53.create_query_logging_config(
        HostedZoneId=zone.split("/")[-1], CloudWatchLogsLogGroupArn=arn
    )
    found = route53.get_query_logging_config(Id=made["QueryLoggingConfig"]["Id"])["QueryLoggingConfig"]
    assert found["CloudWatchLogsLogGroupArn"] == arn, found


private_zones = Patch("route53", "CreateHostedZone", "makes a zone public that is made with a VPC")


@private_zones.inside
def _() -> None:
    from moto.route53.responses import Route53

    @instead_of(Route53, "create_hosted_zone")
    def _(create: Callable[..., Any], response: Any) -> Any:
        made = create(response)
        zone, vpc = made.result["HostedZone"], response._get_param("VPC.VPCId")
        if vpc and not zone.vpcs:
            zone.private_zone = True
            zone.add_vpc(vpc, response._get_param("VPC.VPCRegion"))
        return made

    @instead_of(Route53, "get_hosted_zone")
    def _(get: Callable[..., Any], response: Any) -> Any:
        found = get(response)
        vpcs = found.result.get("VPCs") or []
        shown = [{"VPCId": vpc["vpc_id"], "VPCRegion": vpc["vpc_region"]} for vpc in vpcs]
        found.result["VPCs"] = shown or found.result.get("VPCs")
        return found


@private_zones.proof
def _(aws: Callable[..., Any]) -> None:
    route53 = aws("route53")
    vpc = {"VPCId": aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"], "VPCRegion": "us-east-1"}
    made = route53.create_hosted_zone(Name="inside.example", CallerReference="inside", VPC=vpc)["HostedZone"]
    found = route53.get_hosted_zone(Id=made["Id"])
    assert found["HostedZone"]["Config"]["PrivateZone"] is True, found
    assert found["VPCs"] == [vpc], found
