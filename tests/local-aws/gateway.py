"""Recognizes the API call in a request, so that patches and answers can speak before moto does."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from botocore.parsers import create_parser
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from requests.structures import CaseInsensitiveDict
from werkzeug.exceptions import NotFound

from registry import Handler, Refusal

# Whose account this is; moto reads the same variable.
ACCOUNT = os.environ.setdefault("MOTO_ACCOUNT_ID", "123456789012")

# Where the name in the signature is not boto3's name of the service.
SIGNING_NAMES = {
    "access-analyzer": "accessanalyzer",
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
}

Environ = dict[str, Any]


@dataclass
class Reply:
    """An HTTP answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class _Final(Exception):
    """Carries moto's error answer past the handlers."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply


class Store(dict[tuple[str, str, str], dict[Any, Any]]):
    """What the handlers remember, by service, region and kind."""


STORE = Store()


@dataclass
class Call:
    """One API call: what is asked, and the way on to moto."""

    service: str
    region: str
    operation: str
    params: dict[str, Any]
    onward: Callable[[Call], dict[str, Any]]
    extra: dict[str, Any] = field(default_factory=dict)

    def forward(self, **changed: Any) -> dict[str, Any]:
        """What moto answers, with `changed` parameters if given. An error of moto's ends the call."""
        self.extra = {**self.extra, **changed}
        return self.onward(self)

    def kept(self, kind: str, region: str | None = None) -> dict[Any, Any]:
        """The memory for things of this kind in this service and region."""
        return STORE.setdefault((self.service, region or self.region, kind), {})

    def arn(self, resource: str, service: str | None = None) -> str:
        return f"arn:aws:{service or self.service}:{self.region}:{ACCOUNT}:{resource}"


class Gateway:
    """Sends each request through the handlers of its operation, and the others straight to moto."""

    def __init__(
        self, moto: Callable[[Environ], Reply], handlers: dict[tuple[str, str], list[Handler]]
    ) -> None:
        self.moto, self.handlers = moto, handlers
        self.services = {service for service, _ in handlers}

    def __call__(self, environ: Environ, body: bytes) -> Reply:
        signed = signature(environ)
        if signed is None or signed.service not in self.services:
            return self.moto(rewound(environ, body))
        service, region = signed.service, signed.region
        model = get_service_model(service)
        request = Request(rewound(environ, body))
        operation, uri = recognize(service, request)
        handlers = self.handlers.get((service, operation or ""))
        if operation is None or not handlers:
            return self.moto(rewound(environ, body))

        protocol = determine_request_protocol(model, request.content_type)
        shape = model.operation_model(operation)
        params = parsed(service, operation, uri, request, body)
        serializer = get_serializer_class(service, protocol)(operation_model=shape)

        def ask_moto(call: Call) -> dict[str, Any]:
            sent = _changed(body, call.extra, protocol)
            reply = self.moto(rewound(environ, sent))
            if reply.status >= 300:
                raise _Final(reply)
            return _parsed(reply, protocol, shape.output_shape)

        try:
            result = _chain(handlers, ask_moto)(Call(service, region, operation, params, ask_moto))
        except _Final as final:
            return final.reply
        except Refusal as refusal:
            return _refused(refusal, serializer)
        return _reply(serializer.serialize(result))


def _chain(
    handlers: Iterable[Handler], last: Callable[[Call], dict[str, Any]]
) -> Callable[[Call], dict[str, Any]]:
    """One handler after the other; `forward` in one of them goes on to the next."""
    onward = last
    for handler in handlers:
        onward = _link(handler, onward)
    return onward


def _link(handler: Handler, onward: Callable[[Call], dict[str, Any]]) -> Callable[[Call], dict[str, Any]]:
    def ask(call: Call) -> dict[str, Any]:
        mine = Call(
            call.service, call.region, call.operation, {**call.params, **call.extra}, onward, call.extra
        )
        result = handler(mine)
        return onward(mine) if result is None else result

    return ask


class Signature(NamedTuple):
    """Whose access key signed a request, for which region and service: by the name in the signature and by boto3's."""

    key: str
    region: str
    name: str
    service: str


def signature(environ: Environ) -> Signature | None:
    """Who signed a request, and for what."""
    found = re.search(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
    if not found:
        return None
    key, region, name = found.groups()
    return Signature(key, region, name, SIGNING_NAMES.get(name, name))


def recognize(service: str, request: Request) -> tuple[str | None, dict[str, Any]]:
    """The operation that a request asks for, and what its path holds."""
    if target := request.headers.get("X-Amz-Target"):
        return target.split(".")[-1], {}
    if action := request.values.get("Action"):
        return action, {}
    try:
        operation, uri = get_service_router(service).match(request)
    except (NotFound, NotImplementedError):
        return None, {}
    return operation.name, dict(uri)


def parsed(service: str, operation: str, uri: dict[str, Any], request: Request, body: bytes) -> dict[str, Any]:
    """The parameters of a call, with the members of the API reference."""
    model = get_service_model(service)
    protocol = determine_request_protocol(model, request.content_type)
    params: dict[str, Any] = PROTOCOL_PARSERS[protocol](
        model.operation_model(operation), map_type=dict
    ).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": body,
            "url_path": request.path,
            "url_params": uri,
        }
    )
    return params


def rewound(environ: Environ, body: bytes) -> Environ:
    """The same request once more, its body unread."""
    again = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    again.pop("HTTP_TRANSFER_ENCODING", None)
    return again


def _changed(body: bytes, changed: dict[str, Any], protocol: str) -> bytes:
    if not changed:
        return body
    if "json" not in protocol:
        raise NotImplementedError(f"changed parameters in the protocol {protocol}")
    return json.dumps({**json.loads(body or b"{}"), **changed}).encode()


def _parsed(reply: Reply, protocol: str, shape: Any) -> dict[str, Any]:
    if shape is None:
        return {}
    answer = {"status_code": reply.status, "headers": CaseInsensitiveDict(reply.headers), "body": reply.body}
    parsed: dict[str, Any] = create_parser(protocol).parse(answer, shape)
    parsed.pop("ResponseMetadata", None)
    return parsed


def _refused(refusal: Refusal, serializer: Any) -> Reply:
    reply = _reply(serializer.serialize(refusal))
    reply.status = refusal.status
    return reply


def _reply(answer: Any) -> Reply:
    body = answer["body"]
    return Reply(
        int(answer["status_code"]),
        [(str(key), str(value)) for key, value in answer["headers"].items()],
        body.encode() if isinstance(body, str) else body,
    )
