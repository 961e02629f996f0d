"""Requests held to the API's own model, with which botocore comes: required members, lengths, ranges, patterns, enumerations.

`violations` says what is wrong with the parameters of a call, member by member. AWS refuses such a request; moto takes most.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import regex


def violations(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """What AWS would refuse of a value of this shape; its place first."""
    if shape is None or value is None:
        return
    if shape.type_name == "structure":
        given = value if isinstance(value, dict) else {}
        for name in shape.required_members:
            if given.get(name) is None:
                yield f"{path}.{name} is required"
        for name, member in shape.members.items():
            yield from violations(member, given.get(name), f"{path}.{name}")
    elif shape.type_name == "list":
        yield from _size(shape, len(value), path, "entries")
        for at, entry in enumerate(value):
            yield from violations(shape.member, entry, f"{path}[{at}]")
    elif shape.type_name == "map":
        yield from _size(shape, len(value), path, "entries")
        for key, entry in value.items():
            yield from violations(shape.key, key, f"{path}.{key}")
            yield from violations(shape.value, entry, f"{path}.{key}")
    else:
        yield from _scalar(shape, value, path)


def _scalar(shape: Any, value: Any, path: str) -> Iterable[str]:
    if shape.type_name in ("integer", "long", "float", "double"):
        yield from _size(shape, value, path, "")
    elif shape.type_name in ("string", "blob"):
        yield from _size(shape, len(value), path, "characters")
    if shape.type_name != "string":
        return
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield f"{path} is {value!r}, which is none of {', '.join(allowed)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(value):
        yield f"{path} is {value!r}, which does not match {pattern}"


def _size(shape: Any, size: Any, path: str, unit: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if (least is not None and size < least) or (most is not None and size > most):
        yield f"{path} has {size} {unit}".rstrip() + f": {least} to {most} are allowed"


@cache
def _compiled(pattern: str) -> Any:
    """The models are written for Java: Python's own module does not know all its classes, `regex` does; and Java writes
    characters beyond the first 65,536 as pairs."""
    return regex.compile(pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF"))
