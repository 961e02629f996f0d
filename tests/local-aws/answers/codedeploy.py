"""CodeDeploy: deployment configurations, and the end of groups and applications."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from gateway import ACCOUNT, Call
from registry import Answers, Refusal

codedeploy = Answers("codedeploy")


def _backend(call: Call) -> Any:
    from moto.codedeploy.models import codedeploy_backends

    return codedeploy_backends[ACCOUNT][call.region]


@codedeploy.on("CreateDeploymentConfig")
def _(call: Call) -> dict[str, Any]:
    made = {"deploymentConfigId": str(uuid.uuid4()), **call.params}
    call.kept("configs")[call.params["deploymentConfigName"]] = made
    return {"deploymentConfigId": made["deploymentConfigId"]}


@codedeploy.on("GetDeploymentConfig")
def _(call: Call) -> dict[str, Any]:
    name = call.params["deploymentConfigName"]
    if name not in call.kept("configs"):
        raise Refusal("DeploymentConfigDoesNotExistException", f"no deployment configuration {name}")
    return {"deploymentConfigInfo": call.kept("configs")[name]}


@codedeploy.on("DeleteDeploymentConfig")
def _(call: Call) -> dict[str, Any]:
    call.kept("configs").pop(call.params["deploymentConfigName"], None)
    return {}


@codedeploy.on("DeleteDeploymentGroup")
def _(call: Call) -> dict[str, Any]:
    groups = _backend(call).deployment_groups.get(call.params["applicationName"], {})
    groups.pop(call.params["deploymentGroupName"], None)
    return {"hooksNotCleanedUp": []}


@codedeploy.on("DeleteApplication")
def _(call: Call) -> dict[str, Any]:
    _backend(call).applications.pop(call.params["applicationName"], None)
    return {}


@codedeploy.proof
def _(aws: Callable[..., Any]) -> None:
    client = aws("codedeploy")
    routing = {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": 5}}
    client.create_deployment_config(
        deploymentConfigName="canary", computePlatform="ECS", trafficRoutingConfig=routing
    )
    found = client.get_deployment_config(deploymentConfigName="canary")["deploymentConfigInfo"]
    assert found["trafficRoutingConfig"] == routing, found
    client.delete_deployment_config(deploymentConfigName="canary")
    client.create_application(applicationName="short-lived", computePlatform="ECS")
    which = {"applicationName": "short-lived", "deploymentGroupName": "group"}
    client.create_deployment_group(**which, serviceRoleArn="arn:aws:iam::123456789012:role/deploy")
    client.delete_deployment_group(**which)
    client.delete_application(applicationName="short-lived")
    asked = [
        (client.get_deployment_config, {"deploymentConfigName": "canary"}),
        (client.get_deployment_group, which),
        (client.get_application, {"applicationName": "short-lived"}),
    ]
    for get, deleted in asked:
        try:
            get(**deleted)
        except client.exceptions.ClientError:
            continue
        raise AssertionError(f"still there: {deleted}")
