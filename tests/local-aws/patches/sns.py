"""SNS: the version of signatures, which moto takes and never tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway import Call
from registry import Patch

signature_version = Patch("sns", "GetTopicAttributes", "says nothing of the version of signatures")


@signature_version.on("CreateTopic")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    if version := call.params.get("Attributes", {}).get("SignatureVersion"):
        call.kept("signature")[result["TopicArn"]] = version
    return result


@signature_version.on("SetTopicAttributes")
def _(call: Call) -> dict[str, Any]:
    if call.params["AttributeName"] == "SignatureVersion":
        call.kept("signature")[call.params["TopicArn"]] = call.params["AttributeValue"]
    return call.forward()


@signature_version.on("GetTopicAttributes")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    if version := call.kept("signature").get(call.params["TopicArn"]):
        result["Attributes"]["SignatureVersion"] = version
    return result


@signature_version.proof
def _(aws: Callable[..., Any]) -> None:
    sns = aws("sns")
    topic = sns.create_topic(Name="page", Attributes={"SignatureVersion": "2"})["TopicArn"]
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"].get("SignatureVersion") == "2"
    sns.set_topic_attributes(TopicArn=topic, AttributeName="SignatureVersion", AttributeValue="1")
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"].get("SignatureVersion") == "1"
