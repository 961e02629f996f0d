"""Security Hub: its configuration, subscriptions to standards, their controls, and the gathering of findings."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from gateway import Call
from registry import Answers, Refusal

hub = Answers("securityhub")


@hub.on("UpdateSecurityHubConfiguration")
def _(call: Call) -> dict[str, Any]:
    call.kept("configuration").update(call.params)
    return {}


@hub.on("BatchEnableStandards")
def _(call: Call) -> dict[str, Any]:
    return {
        "StandardsSubscriptions": [
            _subscribe(call, one) for one in call.params["StandardsSubscriptionRequests"]
        ]
    }


def _subscribe(call: Call, asked: dict[str, Any]) -> dict[str, Any]:
    standard = asked["StandardsArn"]
    arn = call.arn("subscription/" + standard.split("standards/")[-1].split("ruleset/")[-1])
    subscription = {
        "StandardsSubscriptionArn": arn,
        "StandardsArn": standard,
        "StandardsInput": asked.get("StandardsInput", {}),
        "StandardsStatus": "READY",
    }
    call.kept("subscriptions")[arn] = subscription
    return subscription


@hub.on("GetEnabledStandards")
def _(call: Call) -> dict[str, Any]:
    kept = call.kept("subscriptions")
    arns = call.params.get("StandardsSubscriptionArns") or list(kept)
    return {"StandardsSubscriptions": [kept[arn] for arn in arns if arn in kept]}


@hub.on("BatchDisableStandards")
def _(call: Call) -> dict[str, Any]:
    kept = call.kept("subscriptions")
    gone = [kept.pop(arn) for arn in call.params["StandardsSubscriptionArns"] if arn in kept]
    return {"StandardsSubscriptions": [{**one, "StandardsStatus": "DELETING"} for one in gone]}


@hub.on("BatchUpdateStandardsControlAssociations")
def _(call: Call) -> dict[str, Any]:
    for update in call.params["StandardsControlAssociationUpdates"]:
        which = (update["SecurityControlId"], update["StandardsArn"])
        fixed = {"SecurityControlArn": call.arn(f"security-control/{which[0]}")}
        call.kept("associations")[which] = {**update, **fixed}
    return {"UnprocessedAssociationUpdates": []}


@hub.on("ListStandardsControlAssociations")
def _(call: Call) -> dict[str, Any]:
    asked = call.params["SecurityControlId"]
    kept = call.kept("associations").items()
    return {"StandardsControlAssociationSummaries": [one for (control, _), one in kept if control == asked]}


@hub.on("CreateFindingAggregator")
def _(call: Call) -> dict[str, Any]:
    arn = call.arn(f"finding-aggregator/{uuid.uuid4()}")
    made = {
        "FindingAggregatorArn": arn,
        "FindingAggregationRegion": call.region,
        "Regions": [],
        **call.params,
    }
    call.kept("aggregators")[arn] = made
    return made


@hub.on("GetFindingAggregator")
def _(call: Call) -> dict[str, Any]:
    arn = call.params["FindingAggregatorArn"]
    if arn not in call.kept("aggregators"):
        raise Refusal("ResourceNotFoundException", f"no finding aggregator {arn}", status=404)
    return dict(call.kept("aggregators")[arn])


@hub.on("DeleteFindingAggregator")
def _(call: Call) -> dict[str, Any]:
    call.kept("aggregators").pop(call.params["FindingAggregatorArn"], None)
    return {}


@hub.proof
def _(aws: Callable[..., Any]) -> None:
    client = aws("securityhub")
    client.update_security_hub_configuration(ControlFindingGenerator="SECURITY_CONTROL")
    standard = "arn:aws:securityhub:us-east-1::standards/pci-dss/v/4.0.1"
    made = client.batch_enable_standards(StandardsSubscriptionRequests=[{"StandardsArn": standard}])
    which = {"StandardsSubscriptionArns": [made["StandardsSubscriptions"][0]["StandardsSubscriptionArn"]]}
    assert client.get_enabled_standards(**which)["StandardsSubscriptions"][0]["StandardsArn"] == standard
    client.batch_disable_standards(**which)
    assert not client.get_enabled_standards(**which)["StandardsSubscriptions"]
    update = {"StandardsArn": standard, "SecurityControlId": "EC2.172", "AssociationStatus": "DISABLED"}
    client.batch_update_standards_control_associations(StandardsControlAssociationUpdates=[update])
    found = client.list_standards_control_associations(SecurityControlId="EC2.172")
    summary = found["StandardsControlAssociationSummaries"][0]
    assert (summary["StandardsArn"], summary["AssociationStatus"]) == (standard, "DISABLED"), summary
    arn = client.create_finding_aggregator(RegionLinkingMode="ALL_REGIONS")["FindingAggregatorArn"]
    assert client.get_finding_aggregator(FindingAggregatorArn=arn)["RegionLinkingMode"] == "ALL_REGIONS"
    client.delete_finding_aggregator(FindingAggregatorArn=arn)
