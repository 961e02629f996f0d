"""What a description cannot say of the requests that are drawn from it: which things there are, and that a key for
idempotency serves one request. Without it most requests would end at the door."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import schemathesis

# Things that the service has, by the name of the path's part: {"run": ["run_…"], "number": ["1", "2"], …}
KNOWN: dict[str, list[str]] = json.loads(os.environ["KNOWN"])
count = 0


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Three of four requests ask for something that is there."""
    global count
    count += 1
    for name in path_parameters or {}:
        if count % 4 and name in KNOWN:
            path_parameters[name] = KNOWN[name][count % len(KNOWN[name])]
    return path_parameters


@schemathesis.hook
def filter_headers(context: Any, headers: dict[str, Any] | None) -> bool:
    """What is no header by HTTP itself never reaches the service."""
    return not any(re.search(r"[\x00-\x1f\x7f]", str(value)) for value in (headers or {}).values())


def whole(value: Any) -> Any:
    """1.0 is an integer by JSON Schema, and by no integer type."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {name: whole(item) for name, item in value.items()}
    return value


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Floats are refused."""
    return whole(body)


@schemathesis.hook
def before_call(context: Any, case: Any, **kwargs: Any) -> None:
    """A key that is right is new as well. A cursor is signed, so none can be drawn that is right."""
    global count
    count += 1
    headers = case.headers or {}
    if re.fullmatch(r"[!-~]{1,200}", str(headers.get("Idempotency-Key", ""))):
        headers["Idempotency-Key"] = f"drawn-{''.join(chr(97 + int(digit)) for digit in str(count))}"
    query = case.query or {}
    if re.fullmatch(r"[A-Za-z0-9_-]+", str(query.get("cursor", ""))):
        del query["cursor"]
