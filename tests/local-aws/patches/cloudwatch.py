"""CloudWatch: composite alarms, which moto cannot make and so neither lists nor deletes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway import ACCOUNT, Call
from registry import Patch

composite_alarms = Patch(
    "cloudwatch", "PutCompositeAlarm", "is not implemented, nor are its alarms listed or deleted"
)


@composite_alarms.on("PutCompositeAlarm")
def _(call: Call) -> dict[str, Any]:
    from moto.cloudwatch.models import cloudwatch_backends

    name = call.params["AlarmName"]
    alarm = {
        "ActionsEnabled": True,
        "AlarmArn": call.arn(f"alarm:{name}"),
        "StateValue": "OK",
        **{key: value for key, value in call.params.items() if key != "Tags"},
    }
    call.kept("composite")[name] = alarm
    tagger = cloudwatch_backends[ACCOUNT][call.region].tagger
    tagger.tag_resource(alarm["AlarmArn"], call.params.get("Tags", []))
    return {}


@composite_alarms.on("DescribeAlarms")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    names = call.params.get("AlarmNames")
    kinds = call.params.get("AlarmTypes", ["CompositeAlarm", "MetricAlarm"])
    kept = call.kept("composite") if "CompositeAlarm" in kinds else {}
    result["CompositeAlarms"] = [alarm for name, alarm in kept.items() if not names or name in names]
    return result


@composite_alarms.on("DeleteAlarms")
def _(call: Call) -> dict[str, Any]:
    for name in call.params["AlarmNames"]:
        call.kept("composite").pop(name, None)
    return call.forward()


@composite_alarms.proof
def _(aws: Callable[..., Any]) -> None:
    cloudwatch = aws("cloudwatch")
    tags = [{"Key": "Owner", "Value": "payments"}]
    cloudwatch.put_composite_alarm(AlarmName="unhealthy", AlarmRule="ALARM(cpu)", Tags=tags)
    asked = {"AlarmNames": ["unhealthy"], "AlarmTypes": ["CompositeAlarm"]}
    found = cloudwatch.describe_alarms(**asked)["CompositeAlarms"][0]
    assert found["AlarmRule"] == "ALARM(cpu)", found
    assert cloudwatch.list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"] == tags
    cloudwatch.delete_alarms(AlarmNames=["unhealthy"])
    assert not cloudwatch.describe_alarms(**asked)["CompositeAlarms"]
