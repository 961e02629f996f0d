"""Application Auto Scaling: tags of scalable targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway import ACCOUNT, Call
from registry import Answers

scaling = Answers("application-autoscaling")


@scaling.watch("RegisterScalableTarget")
def _(call: Call) -> None:
    if tags := call.params.get("Tags"):
        call.kept("tags").setdefault(_key(call.params), {}).update(tags)


@scaling.on("ListTagsForResource")
def _(call: Call) -> dict[str, Any]:
    return {"Tags": call.kept("tags").get(_target(call), {})}


@scaling.on("TagResource")
def _(call: Call) -> dict[str, Any]:
    call.kept("tags").setdefault(_target(call), {}).update(call.params["Tags"])
    return {}


@scaling.on("UntagResource")
def _(call: Call) -> dict[str, Any]:
    for key in call.params["TagKeys"]:
        call.kept("tags").get(_target(call), {}).pop(key, None)
    return {}


def _key(target: dict[str, Any]) -> tuple[str, str, str]:
    return target["ServiceNamespace"], target["ResourceId"], target["ScalableDimension"]


def _target(call: Call) -> tuple[str, str, str] | None:
    """The key of the target whose ARN is asked for: moto alone knows the ARNs."""
    from moto.applicationautoscaling.models import applicationautoscaling_backends

    for dimensions in applicationautoscaling_backends[ACCOUNT][call.region].targets.values():
        for target in dimensions.values():
            if target.arn == call.params["ResourceARN"]:
                return target.service_namespace, target.resource_id, target.scalable_dimension
    return None


@scaling.proof
def _(aws: Callable[..., Any]) -> None:
    ecs, client = aws("ecs"), aws("application-autoscaling")
    ecs.create_cluster(clusterName="scaled")
    ecs.register_task_definition(
        family="scaled", containerDefinitions=[{"name": "a", "image": "a", "memory": 128}]
    )
    ecs.create_service(cluster="scaled", serviceName="a", taskDefinition="scaled", desiredCount=1)
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/scaled/a",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    tags = {"Owner": "payments"}
    client.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2, Tags=tags)
    found = client.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=["service/scaled/a"])
    arn = found["ScalableTargets"][0]["ScalableTargetARN"]
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == tags
