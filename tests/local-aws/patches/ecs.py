"""ECS: what a service is asked to be, and its settling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway import ACCOUNT, Call
from registry import Patch

service_settings = Patch("ecs", "CreateService", "drops settings of a service, and its tasks never come up")

# Members of the API's Service that moto forgets, with what AWS shows when they are not given.
FORGOTTEN: dict[str, Any] = {
    "availabilityZoneRebalancing": "DISABLED",
    "deploymentConfiguration": None,
    "enableECSManagedTags": False,
    "enableExecuteCommand": False,
    "healthCheckGracePeriodSeconds": None,
    "platformVersion": None,
    "capacityProviderStrategy": None,
}


@service_settings.on("CreateService", "UpdateService")
def _(call: Call) -> dict[str, Any]:
    service = call.forward()["service"]
    kept = call.kept("settings").setdefault(service["serviceArn"], {})
    kept.update({name: call.params[name] for name in FORGOTTEN if call.params.get(name) is not None})
    return {"service": _settled(service, kept)}


@service_settings.on("DescribeServices")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    for service in result.get("services", []):
        _settled(service, call.kept("settings").get(service["serviceArn"], {}))
    return result


def _settled(service: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
    """The service with all its settings, and with as many tasks running as it wants."""
    for name, default in FORGOTTEN.items():
        value = kept.get(name, default)
        if value is not None:
            service[name] = value
    if kept.get("capacityProviderStrategy"):
        service.pop("launchType", None)
    if service.get("status") == "ACTIVE":
        service.update(runningCount=service["desiredCount"], pendingCount=0)
        for deployment in service.get("deployments", []):
            deployment.update(
                runningCount=deployment["desiredCount"],
                pendingCount=0,
                failedTasks=0,
                rolloutState="COMPLETED",
            )
    return service


@service_settings.proof
def _(aws: Callable[..., Any]) -> None:
    ecs = aws("ecs")
    ecs.create_cluster(clusterName="settings")
    ecs.register_task_definition(
        family="api", containerDefinitions=[{"name": "api", "image": "api", "memory": 128}]
    )
    alarms = {"alarmNames": ["errors"], "enable": True, "rollback": True}
    asked = {
        "availabilityZoneRebalancing": "ENABLED",
        "enableExecuteCommand": True,
        "enableECSManagedTags": True,
        "healthCheckGracePeriodSeconds": 60,
        "platformVersion": "1.4.0",
        "deploymentConfiguration": {"maximumPercent": 200, "minimumHealthyPercent": 100, "alarms": alarms},
    }
    ecs.create_service(cluster="settings", serviceName="api", taskDefinition="api", desiredCount=2, **asked)
    found = ecs.describe_services(cluster="settings", services=["api"])["services"][0]
    assert asked == {name: found.get(name) for name in asked}, found
    assert found["runningCount"] == found["deployments"][0]["runningCount"] == 2, found
    ecs.update_service(cluster="settings", service="api", enableExecuteCommand=False)
    found = ecs.describe_services(cluster="settings", services=["api"])["services"][0]
    assert found["enableExecuteCommand"] is False and found["enableECSManagedTags"] is True, found


account_settings = Patch("ecs", "ListAccountSettings", "does not list the account's default settings")


@account_settings.on("ListAccountSettings")
def _(call: Call) -> dict[str, Any] | None:
    kept = call.kept("defaults")  # what answers/ecs.py was told
    name = call.params.get("name")
    root = f"arn:aws:iam::{ACCOUNT}:root"
    return {"settings": [{"name": name, "value": kept[name], "principalArn": root}]} if name in kept else None


@account_settings.proof
def _(aws: Callable[..., Any]) -> None:
    ecs = aws("ecs")
    ecs.put_account_setting_default(name="containerInsights", value="enabled")
    found = ecs.list_account_settings(name="containerInsights", effectiveSettings=True)["settings"]
    assert [setting["value"] for setting in found] == ["enabled"], found
