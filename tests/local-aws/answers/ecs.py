"""ECS: changing the account's default settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway import ACCOUNT, Call
from registry import Answers

ecs = Answers("ecs")


@ecs.on("PutAccountSettingDefault")
def _(call: Call) -> dict[str, Any]:
    call.kept("defaults")[call.params["name"]] = call.params["value"]
    return {"setting": _setting(call.params["name"], call.params["value"])}


def _setting(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value, "principalArn": f"arn:aws:iam::{ACCOUNT}:root"}


@ecs.proof
def _(aws: Callable[..., Any]) -> None:
    setting = aws("ecs").put_account_setting_default(name="containerInsights", value="enhanced")["setting"]
    assert setting["value"] == "enhanced"
