"""IAM Access Analyzer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from gateway import Call
from registry import Answers, Refusal

analyzers = Answers("accessanalyzer")


@analyzers.on("CreateAnalyzer")
def _(call: Call) -> dict[str, Any]:
    name = call.params["analyzerName"]
    arn = f"{call.arn(f'analyzer/{name}', service='access-analyzer')}"
    asked = {key: call.params[key] for key in ("type", "tags", "configuration") if key in call.params}
    fixed = {
        "name": name,
        "arn": arn,
        "status": "ACTIVE",
        "createdAt": datetime(2026, 1, 1, tzinfo=timezone.utc),
    }
    call.kept("analyzers")[name] = {"tags": {}, **asked, **fixed}
    return {"arn": arn}


@analyzers.on("GetAnalyzer")
def _(call: Call) -> dict[str, Any]:
    return {"analyzer": _known(call)}


@analyzers.on("DeleteAnalyzer")
def _(call: Call) -> dict[str, Any]:
    del call.kept("analyzers")[_known(call)["name"]]
    return {}


def _known(call: Call) -> dict[str, Any]:
    name = call.params["analyzerName"]
    if name not in call.kept("analyzers"):
        raise Refusal("ResourceNotFoundException", f"no analyzer {name}", status=404)
    return dict(call.kept("analyzers")[name])


@analyzers.proof
def _(aws: Callable[..., Any]) -> None:
    client = aws("accessanalyzer")
    tags = {"Owner": "payments"}
    arn = client.create_analyzer(analyzerName="account", type="ACCOUNT", tags=tags)["arn"]
    found = client.get_analyzer(analyzerName="account")["analyzer"]
    assert (found["arn"], found["type"], found["tags"]) == (arn, "ACCOUNT", tags), found
    client.delete_analyzer(analyzerName="account")
    try:
        client.get_analyzer(analyzerName="account")
    except client.exceptions.ResourceNotFoundException:
        return
    raise AssertionError("a deleted analyzer is still there")
