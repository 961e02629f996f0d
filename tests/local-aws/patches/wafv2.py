"""WAF: what a web ACL hides of the requests that it records, and the tokens of lists of addresses."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from gateway import Call
from registry import Patch, instead_of

data_protection = Patch("wafv2", "CreateWebACL", "forgets the data protection that was asked for")


@data_protection.on("CreateWebACL")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    if asked := call.params.get("DataProtectionConfig"):
        call.kept("protections")[result["Summary"]["Id"]] = asked
    return result


@data_protection.on("UpdateWebACL")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    call.kept("protections")[call.params["Id"]] = call.params.get("DataProtectionConfig")
    return result


@data_protection.on("GetWebACL")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    if asked := call.kept("protections").get(result["WebACL"]["Id"]):
        result["WebACL"]["DataProtectionConfig"] = asked
    return result


@data_protection.proof
def _(aws: Callable[..., Any]) -> None:
    waf = aws("wafv2")
    visible = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "hides"}
    asked = {"DataProtections": [{"Field": {"FieldType": "BODY"}, "Action": "SUBSTITUTION"}]}
    made = waf.create_web_acl(
        Name="hides",
        Scope="REGIONAL",
        DefaultAction={"Allow": {}},
        VisibilityConfig=visible,
        DataProtectionConfig=asked,
    )["Summary"]
    found = waf.get_web_acl(Name="hides", Scope="REGIONAL", Id=made["Id"])["WebACL"]
    assert found["DataProtectionConfig"]["DataProtections"][0]["Field"] == {"FieldType": "BODY"}, found


lock_tokens = Patch("wafv2", "CreateIPSet", "makes tokens that the model of its own API rules out")


@lock_tokens.inside
def _() -> None:
    from moto.wafv2.models import FakeIPSet

    for name in ("__init__", "update"):

        @instead_of(FakeIPSet, name)
        def _(change: Callable[..., Any], ip_set: Any, *given: Any, **named: Any) -> None:
            change(ip_set, *given, **named)
            ip_set.lock_token = str(uuid.uuid4())


@lock_tokens.proof
def _(aws: Callable[..., Any]) -> None:
    made = aws("wafv2").create_ip_set(
        Name="offices", Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=["192.0.2.0/24"]
    )
    assert len(made["Summary"]["LockToken"]) == 36, made
