"""CodeDeploy: the alarms of a deployment group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway import Call
from registry import Patch

group_alarms = Patch("codedeploy", "GetDeploymentGroup", "mangles the alarms of a deployment group")


@group_alarms.on("CreateDeploymentGroup")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    group = (call.params["applicationName"], call.params["deploymentGroupName"])
    call.kept("alarms")[group] = call.params.get("alarmConfiguration", {})
    return result


@group_alarms.on("GetDeploymentGroup")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    group = (call.params["applicationName"], call.params["deploymentGroupName"])
    result["deploymentGroupInfo"]["alarmConfiguration"] = call.kept("alarms").get(group, {})
    return result


@group_alarms.proof
def _(aws: Callable[..., Any]) -> None:
    codedeploy = aws("codedeploy")
    codedeploy.create_application(applicationName="api", computePlatform="ECS")
    which = {"applicationName": "api", "deploymentGroupName": "alarmed"}
    alarms = {"enabled": True, "ignorePollAlarmFailure": False, "alarms": [{"name": "errors"}]}
    role = "arn:aws:iam::123456789012:role/deploy"
    codedeploy.create_deployment_group(**which, serviceRoleArn=role, alarmConfiguration=alarms)
    found = codedeploy.get_deployment_group(**which)["deploymentGroupInfo"]
    assert found.get("alarmConfiguration") == alarms, found
