"""Systems Manager: service settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway import Call
from registry import Answers

ssm = Answers("ssm")


@ssm.on("GetServiceSetting")
def _(call: Call) -> dict[str, Any]:
    return {"ServiceSetting": _setting(call)}


@ssm.on("UpdateServiceSetting")
def _(call: Call) -> dict[str, Any]:
    _setting(call).update(SettingValue=call.params["SettingValue"], Status="Customized")
    return {}


@ssm.on("ResetServiceSetting")
def _(call: Call) -> dict[str, Any]:
    _setting(call).update(SettingValue="Enable", Status="Default")
    return {"ServiceSetting": _setting(call)}


def _setting(call: Call) -> dict[str, Any]:
    """The setting that is asked for, by its path or its ARN."""
    path = call.params["SettingId"].split(":servicesetting")[-1]
    default = {
        "SettingId": path,
        "SettingValue": "Enable",
        "Status": "Default",
        "ARN": call.arn(f"servicesetting{path}"),
    }
    setting: dict[str, Any] = call.kept("settings").setdefault(path, default)
    return setting


@ssm.proof
def _(aws: Callable[..., Any]) -> None:
    client = aws("ssm")
    which = {"SettingId": "/ssm/documents/console/public-sharing-permission"}
    client.update_service_setting(**which, SettingValue="Disable")
    by_arn = {"SettingId": f"arn:aws:ssm:us-east-1:123456789012:servicesetting{which['SettingId']}"}
    assert client.get_service_setting(**by_arn)["ServiceSetting"]["SettingValue"] == "Disable"
    client.reset_service_setting(**which)
    assert client.get_service_setting(**which)["ServiceSetting"]["Status"] == "Default"
