"""ECS: what a service is asked to be, and its settling."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from gateway import ACCOUNT, Call
from registry import Patch, instead_of

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


ended_tasks = Patch("ecs", "RunTask", "adds up the memory of containers that share the task's; lets a task run on")


@ended_tasks.inside
def _() -> None:
    from moto.ecs.models import EC2ContainerServiceBackend

    @instead_of(EC2ContainerServiceBackend, "_calculate_task_resource_requirements")
    def _(add_up: Callable[..., Any], _backend: Any, definition: Any) -> Any:
        containers = [{"memory": 0, **container} for container in definition.container_definitions]
        return add_up(SimpleNamespace(container_definitions=containers))


@ended_tasks.on("RunTask")
def _(call: Call) -> dict[str, Any]:
    """No container is started, so that a task which nobody waits for has nothing to do: it ends well."""
    result = call.forward()
    for task in result["tasks"]:
        call.kept("ended")[task["taskArn"]] = task["taskDefinitionArn"]
    return result


@ended_tasks.on("DescribeTasks")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    for task in result["tasks"]:
        if definition := call.kept("ended").get(task["taskArn"]):
            names = _containers(call.region, definition)
            task.update(lastStatus="STOPPED", desiredStatus="STOPPED", stopCode="EssentialContainerExited")
            task["containers"] = [
                {"name": name, "taskArn": task["taskArn"], "lastStatus": "STOPPED", "exitCode": 0}
                for name in names
            ]
    return result


def _containers(region: str, definition: str) -> list[str]:
    from moto.ecs.models import ecs_backends

    found = ecs_backends[ACCOUNT][region].describe_task_definition(definition)
    return [container["name"] for container in found.container_definitions]


@ended_tasks.proof
def _(aws: Callable[..., Any]) -> None:
    ecs, ec2 = aws("ecs"), aws("ec2")
    ecs.create_cluster(clusterName="one-off")
    ecs.register_task_definition(
        family="one-off",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "migrate", "image": "image"}],
    )
    vpc = ec2.create_vpc(CidrBlock="10.99.0.0/24")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.99.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(VpcId=vpc, GroupName="one-off", Description="one-off")["GroupId"]
    network = {"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [group]}}
    started = ecs.run_task(
        cluster="one-off", taskDefinition="one-off", launchType="FARGATE", networkConfiguration=network
    )
    which = [started["tasks"][0]["taskArn"]]
    found = ecs.describe_tasks(cluster="one-off", tasks=which)["tasks"][0]
    assert found["lastStatus"] == "STOPPED", found
    containers = [(one.get("name"), one.get("exitCode")) for one in found["containers"]]
    assert containers == [("migrate", 0)], found


service_tasks = Patch("ecs", "ListTasks", "lists no tasks of a service, which runs as many as it wants")


@service_tasks.on("ListTasks")
def _(call: Call) -> dict[str, Any] | None:
    """No container is started: the tasks are there to be seen, and every image has the digest of its name."""
    from moto.ecs.models import ecs_backends

    name = call.params.get("serviceName")
    if name is None:
        return None
    cluster = call.params.get("cluster", "default").split("/")[-1]
    found = ecs_backends[ACCOUNT][call.region].services.get(f"{cluster}:{name.split('/')[-1]}")
    if found is None or found.status != "ACTIVE" or call.params.get("desiredStatus") == "STOPPED":
        return {"taskArns": []}
    arns = []
    for number in range(found.desired_count):
        of = f"{found.arn} {found.task_definition} {number}"
        arn = call.arn(f"task/{cluster}/{hashlib.sha256(of.encode()).hexdigest()[:32]}")
        call.kept("of services")[arn] = found.task_definition
        arns.append(arn)
    return {"taskArns": arns}


@service_tasks.on("DescribeTasks")
def _(call: Call) -> dict[str, Any] | None:
    known = call.kept("of services")
    asked = call.params["tasks"]
    mine = [arn for arn in known if any(arn == one or arn.endswith(f"/{one}") for one in asked)]
    if not mine:
        return None
    others = [one for one in asked if not any(arn == one or arn.endswith(f"/{one}") for arn in mine)]
    result = call.forward(tasks=others) if others else {"tasks": [], "failures": []}
    result["tasks"] += [_running(call, arn, known[arn]) for arn in mine]
    return result


def _running(call: Call, arn: str, definition: str) -> dict[str, Any]:
    from moto.ecs.models import ecs_backends

    found = ecs_backends[ACCOUNT][call.region].describe_task_definition(definition)
    containers = [
        {
            "name": container["name"],
            "image": container["image"],
            "imageDigest": _digest(container["image"]),
            "runtimeId": f"{arn.split('/')[-1]}-0",
            "lastStatus": "RUNNING",
            "taskArn": arn,
        }
        for container in found.container_definitions
    ]
    return {
        "taskArn": arn,
        "taskDefinitionArn": found.arn,
        "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING",
        "containers": containers,
    }


def _digest(image: str) -> str:
    name, _, digest = image.partition("@")
    return digest or f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"


@service_tasks.proof
def _(aws: Callable[..., Any]) -> None:
    ecs = aws("ecs")
    ecs.create_cluster(clusterName="tasks")
    ecs.register_task_definition(
        family="tasks", containerDefinitions=[{"name": "api", "image": "api:v1", "memory": 128}]
    )
    ecs.create_service(cluster="tasks", serviceName="api", taskDefinition="tasks", desiredCount=2)
    arns = ecs.list_tasks(cluster="tasks", serviceName="api", desiredStatus="RUNNING")["taskArns"]
    assert len(arns) == 2, arns
    found = ecs.describe_tasks(cluster="tasks", tasks=[arns[0].split("/")[-1]])["tasks"]
    assert [task["lastStatus"] for task in found] == ["RUNNING"], found
    assert found[0]["containers"][0]["imageDigest"].startswith("sha256:"), found
    assert not ecs.list_tasks(cluster="tasks", serviceName="api", desiredStatus="STOPPED")["taskArns"]
