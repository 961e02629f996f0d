"""What reaches the local AWS, as the API names it: each call is recorded, and held to the API's own model.

One JSON document per line of the file that `--calls` names. Who asks is the id of the access key: the tests give each
command of Terraform its own, so that a call can be held against the role that would make it.

A request that the model of the API rules out is refused, as AWS refuses it, before moto sees it: moto checks little.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from moto.core.request import Request
from moto.core.utils import get_service_model

from gateway import ACCOUNT, Environ, Signature, parsed, recognize, rewound, signature
from model import violations

# Where IAM's prefix is not the name in the signature.
PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag"}


class RuledOut(Exception):
    """A request that the API's own model does not allow."""


@dataclass
class Asked:
    """A call as its API names it; without an operation, if the API's model knows none for the request."""

    by: Signature
    service: str
    operation: str | None
    params: dict[str, Any]

    def hold(self) -> None:
        """Raises what the model of the API rules out."""
        if self.operation is None:
            return
        shape = get_service_model(self.service).operation_model(self.operation).input_shape
        if wrong := list(violations(shape, self.params)):
            raise RuledOut("; ".join(wrong))


def read(environ: Environ, body: bytes) -> Asked | None:
    """The call in a request; none, if nobody signed it."""
    by = signature(environ)
    if not by:
        return None
    # S3 Control signs as S3, and answers under its version.
    control = by.service == "s3" and environ["PATH_INFO"].startswith("/v20180820/")
    service = "s3control" if control else by.service
    request = Request(rewound(environ, body))
    operation, uri = recognize(service, request)
    if operation is None:
        return Asked(by, service, None, {"method": request.method, "path": request.path})
    return Asked(by, service, operation, parsed(service, operation, uri, request, body))


class Calls:
    """Writes down what is asked."""

    def __init__(self, path: str) -> None:
        self.file = open(path, "a", encoding="utf-8", buffering=1)

    def note(self, asked: Asked) -> None:
        """Before it is answered: what is there then is what a condition looks at."""
        call = {
            "who": asked.by.key,
            "service": PREFIXES.get(asked.by.name, asked.by.name),
            "region": asked.by.region,
            "operation": asked.operation,
            "params": asked.params,
        }
        if asked.service == "iam" and "RoleName" in asked.params:
            call["role"] = _role(asked.params["RoleName"])
        self.file.write(json.dumps(call, default=_brief) + "\n")


def _role(name: str) -> dict[str, Any] | None:
    """ARN and boundary of a role that is there, which a call names without its path."""
    from moto.iam.models import iam_backends

    for backend in iam_backends[ACCOUNT].values():
        for role in backend.roles.values():
            if role.name == name:
                return {"arn": role.arn, "boundary": role.permissions_boundary_arn}
    return None


def _brief(value: Any) -> str:
    """What JSON has no words for; of bytes, how many."""
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)
