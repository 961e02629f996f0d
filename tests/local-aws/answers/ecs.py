"""ECS: changing the account's default settings, and opening sessions."""

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


@ecs.on("ExecuteCommand")
def _(call: Call) -> dict[str, Any]:
    """Nobody listens at the address of the stream."""
    cluster, task = call.params["cluster"].split("/")[-1], call.params["task"].split("/")[-1]
    return {
        "clusterArn": call.arn(f"cluster/{cluster}"),
        "taskArn": call.arn(f"task/{cluster}/{task}"),
        "containerName": call.params["container"],
        "interactive": call.params["interactive"],
        "session": {
            "sessionId": f"ecs-execute-command-{task}",
            "streamUrl": "wss://localhost/data-channel",
            "tokenValue": "none",
        },
    }


@ecs.proof
def _(aws: Callable[..., Any]) -> None:
    setting = aws("ecs").put_account_setting_default(name="containerInsights", value="enhanced")["setting"]
    assert setting["value"] == "enhanced"
    opened = aws("ecs").execute_command(
        cluster="a", task="0123", container="api", interactive=True, command="/bin/sh"
    )
    assert opened["taskArn"].endswith("task/a/0123") and opened["session"]["streamUrl"], opened
