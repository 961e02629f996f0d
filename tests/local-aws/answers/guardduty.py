"""GuardDuty: where findings are published."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from gateway import Call
from registry import Answers, Refusal

guardduty = Answers("guardduty")


@guardduty.on("CreatePublishingDestination")
def _(call: Call) -> dict[str, Any]:
    made = str(uuid.uuid4())
    fixed = {"DestinationId": made, "Status": "PUBLISHING", "PublishingFailureStartTimestamp": 0}
    call.kept("destinations")[made] = {**call.params, **fixed}
    return {"DestinationId": made}


@guardduty.on("DescribePublishingDestination")
def _(call: Call) -> dict[str, Any]:
    return _known(call)


@guardduty.on("DeletePublishingDestination")
def _(call: Call) -> dict[str, Any]:
    del call.kept("destinations")[_known(call)["DestinationId"]]
    return {}


def _known(call: Call) -> dict[str, Any]:
    asked = call.params["DestinationId"]
    if asked not in call.kept("destinations"):
        raise Refusal("BadRequestException", f"no publishing destination {asked}")
    return dict(call.kept("destinations")[asked])


@guardduty.proof
def _(aws: Callable[..., Any]) -> None:
    client = aws("guardduty", region="eu-west-1")
    detector = client.create_detector(Enable=True)["DetectorId"]
    properties = {
        "DestinationArn": "arn:aws:s3:::findings",
        "KmsKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/1",
    }
    which = {"DetectorId": detector}
    made = client.create_publishing_destination(
        **which, DestinationType="S3", DestinationProperties=properties, ClientToken="1"
    )
    which["DestinationId"] = made["DestinationId"]
    found = client.describe_publishing_destination(**which)
    assert (found["Status"], found["DestinationProperties"]) == ("PUBLISHING", properties), found
    client.delete_publishing_destination(**which)
