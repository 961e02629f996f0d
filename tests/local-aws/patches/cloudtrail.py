"""CloudTrail: trails that are named by their ARN, or asked for by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway import Call
from registry import Patch

named_by_arn = Patch("cloudtrail", "DeleteTrail", "does not know a trail by its ARN")


@named_by_arn.on("DeleteTrail")
def _(call: Call) -> dict[str, Any]:
    return call.forward(Name=call.params["Name"].split(":trail/")[-1])


@named_by_arn.proof
def _(aws: Callable[..., Any]) -> None:
    cloudtrail = aws("cloudtrail")
    arn = _trail(aws, "by-arn")
    cloudtrail.delete_trail(Name=arn)
    assert arn not in {trail["TrailARN"] for trail in cloudtrail.describe_trails()["trailList"]}


asked_for = Patch("cloudtrail", "DescribeTrails", "lists every trail, whichever are asked for")


@asked_for.on("DescribeTrails")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    if wanted := call.params.get("trailNameList"):
        trails = result["trailList"]
        result["trailList"] = [
            trail for trail in trails if trail["Name"] in wanted or trail["TrailARN"] in wanted
        ]
    return result


@asked_for.proof
def _(aws: Callable[..., Any]) -> None:
    arns = [_trail(aws, name) for name in ("one", "two")]
    found = aws("cloudtrail").describe_trails(trailNameList=arns[:1])["trailList"]
    assert [trail["TrailARN"] for trail in found] == arns[:1], found


def _trail(aws: Callable[..., Any], name: str) -> str:
    aws("s3").create_bucket(Bucket=f"trail-{name}")
    return str(aws("cloudtrail").create_trail(Name=name, S3BucketName=f"trail-{name}")["TrailARN"])
