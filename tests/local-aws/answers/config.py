"""AWS Config: conformance packs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from gateway import Call
from registry import Answers, Refusal

config = Answers("config")


@config.on("PutConformancePack")
def _(call: Call) -> dict[str, Any]:
    name = call.params["ConformancePackName"]
    pack = {
        "ConformancePackArn": call.arn(f"conformance-pack/{name}/conformance-pack-{name}"),
        "ConformancePackId": f"conformance-pack-{name}",
        "DeliveryS3Bucket": "",
        "DeliveryS3KeyPrefix": "",
        **call.params,
    }
    call.kept("packs")[name] = pack
    return {"ConformancePackArn": pack["ConformancePackArn"]}


@config.on("DescribeConformancePacks")
def _(call: Call) -> dict[str, Any]:
    return {"ConformancePackDetails": _asked_for(call)}


@config.on("DescribeConformancePackStatus")
def _(call: Call) -> dict[str, Any]:
    names = call.params.get("ConformancePackNames") or list(call.kept("packs"))
    status = {
        "ConformancePackState": "CREATE_COMPLETE",
        "StackArn": "arn:aws:cloudformation:::stack/none",
        "LastUpdateRequestedTime": datetime(2026, 1, 1, tzinfo=timezone.utc),
    }
    packs = [call.kept("packs")[name] for name in names if name in call.kept("packs")]
    return {"ConformancePackStatusDetails": [{**pack, **status} for pack in packs]}


@config.on("DeleteConformancePack")
def _(call: Call) -> dict[str, Any]:
    name = call.params["ConformancePackName"]
    _known(call, name)
    del call.kept("packs")[name]
    return {}


def _asked_for(call: Call) -> list[dict[str, Any]]:
    names = call.params.get("ConformancePackNames") or list(call.kept("packs"))
    return [_known(call, name) for name in names]


def _known(call: Call, name: str) -> dict[str, Any]:
    if name not in call.kept("packs"):
        raise Refusal("NoSuchConformancePackException", f"no conformance pack {name}")
    return dict(call.kept("packs")[name])


@config.proof
def _(aws: Callable[..., Any]) -> None:
    client = aws("config")
    client.put_conformance_pack(ConformancePackName="pci", TemplateBody="Resources: {}")
    found = client.describe_conformance_packs(ConformancePackNames=["pci"])["ConformancePackDetails"]
    assert [pack["ConformancePackName"] for pack in found] == ["pci"], found
    status = client.describe_conformance_pack_status(ConformancePackNames=["pci"])[
        "ConformancePackStatusDetails"
    ]
    assert status[0]["ConformancePackState"] == "CREATE_COMPLETE"
    client.delete_conformance_pack(ConformancePackName="pci")
    try:
        client.describe_conformance_packs(ConformancePackNames=["pci"])
    except client.exceptions.NoSuchConformancePackException:
        return
    raise AssertionError("a deleted conformance pack is still there")
