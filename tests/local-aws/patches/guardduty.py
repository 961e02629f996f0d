"""GuardDuty: tags of filters, and features that are set one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway import Call
from registry import Patch

filter_tags = Patch("guardduty", "GetFilter", "drops the tags of a filter")


@filter_tags.on("CreateFilter")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    call.kept("filter tags")[call.params["DetectorId"], call.params["Name"]] = call.params.get("Tags", {})
    return result


@filter_tags.on("GetFilter")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    which = (call.params["DetectorId"], call.params["FilterName"])
    result["Tags"] = call.kept("filter tags").get(which, {})
    return result


@filter_tags.proof
def _(aws: Callable[..., Any]) -> None:
    guardduty = aws("guardduty")
    detector = guardduty.create_detector(Enable=True)["DetectorId"]
    guardduty.create_filter(DetectorId=detector, Name="low", FindingCriteria={}, Tags={"Owner": "payments"})
    assert guardduty.get_filter(DetectorId=detector, FilterName="low").get("Tags") == {"Owner": "payments"}


features = Patch(
    "guardduty", "UpdateDetector", "forgets the features that an update does not name, and some it does"
)


@features.on("CreateDetector", "UpdateDetector")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    detector = result.get("DetectorId") or call.params["DetectorId"]
    kept = call.kept("features").setdefault(detector, {})
    for feature in call.params.get("Features", []):
        kept[feature["Name"]] = {"AdditionalConfiguration": [], **feature}
    return result


@features.on("GetDetector")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    kept = call.kept("features").get(call.params["DetectorId"], {})
    others = [feature for feature in result.get("Features", []) if feature.get("Name") not in kept]
    result["Features"] = [*others, *kept.values()]
    return result


@features.proof
def _(aws: Callable[..., Any]) -> None:
    guardduty = aws("guardduty", region="us-west-2")
    detector = guardduty.create_detector(Enable=True)["DetectorId"]
    names = {"S3_DATA_EVENTS", "RUNTIME_MONITORING", "EBS_MALWARE_PROTECTION"}
    for name in sorted(names):
        guardduty.update_detector(DetectorId=detector, Features=[{"Name": name, "Status": "ENABLED"}])
    found = guardduty.get_detector(DetectorId=detector)["Features"]
    assert names <= {feature["Name"] for feature in found if feature["Status"] == "ENABLED"}, found
