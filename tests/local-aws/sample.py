"""Made-up arguments for an operation: the required ones only, valid enough for an SDK to send them."""

from __future__ import annotations

from typing import Any

from botocore.model import Shape

PLAIN: dict[str, Any] = {
    "integer": 1,
    "long": 1,
    "float": 1.0,
    "double": 1.0,
    "boolean": True,
    "blob": b"x",
    "timestamp": 0,
}


def sample(shape: Shape) -> Any:
    """A value of this shape."""
    if shape.type_name == "structure":
        return {name: sample(shape.members[name]) for name in shape.required_members}
    if shape.type_name == "list":
        return [sample(shape.member)] * max(1, shape.metadata.get("min", 0))
    if shape.type_name == "map":
        return {"x": sample(shape.value)}
    if shape.type_name == "string":
        return shape.enum[0] if shape.enum else "x" * max(1, shape.metadata.get("min", 0))
    return (
        max(PLAIN[shape.type_name], shape.metadata.get("min", 0))
        if "min" in shape.metadata
        else PLAIN[shape.type_name]
    )
