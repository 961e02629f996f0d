"""Final answers for what nobody implements, and for what AWS would refuse.

Moto says 404 or 500 to an operation that it does not know. The provider takes those for passing troubles
and tries again for many minutes. A 400 ends the matter at once, and the message names the missing call.
"""

from __future__ import annotations

import json
import re
from typing import Any

from gateway import Environ, Reply

CODE = "MotoGap"
NO_ROUTE = "no route"
NOT_IMPLEMENTED = "not implemented"
RULED_OUT = "AWS's model of the API rules it out"


def is_unrouted(environ: Environ, reply: Reply) -> bool:
    """Whether this is the web framework's own 404: no service had a route for the request."""
    if environ["REQUEST_METHOD"] == "HEAD" or environ["PATH_INFO"].startswith("/moto-api"):
        return False
    return reply.status == 404 and (not reply.body or reply.body[:9].lower() == b"<!doctype")


def describe(environ: Environ, body: bytes, why: str) -> str:
    """The call that is missing: service, operation, method and path."""
    signed = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
    action = re.search(rb"(?:^|&)Action=(\w+)", body)
    operation = environ.get("HTTP_X_AMZ_TARGET") or (action.group(1).decode() if action else "")
    asked = (
        signed.group(1) if signed else "?",
        operation,
        environ["REQUEST_METHOD"],
        environ.get("PATH_INFO"),
    )
    return " ".join(str(part) for part in asked if part) + f": {why}"


def refuse(environ: Environ, message: str) -> Reply:
    """A 400 that an SDK understands in the protocol that it asked in, and does not try again."""
    content_type = environ.get("CONTENT_TYPE", "")
    form = content_type.startswith("application/x-www-form-urlencoded")
    if form or "/route53/" in environ.get("HTTP_AUTHORIZATION", ""):
        return Reply(400, [("Content-Type", "text/xml")], _xml(environ, message).encode())
    if "/s3/" in environ.get("HTTP_AUTHORIZATION", "") or "xml" in content_type:
        error = f"<Error><Code>{CODE}</Code><Message>{_escaped(message)}</Message></Error>"
        return Reply(400, [("Content-Type", "application/xml")], error.encode())
    headers = [("Content-Type", "application/x-amz-json-1.1"), ("X-Amzn-ErrorType", CODE)]
    return Reply(400, headers, json.dumps({"__type": CODE, "message": message}).encode())


def _xml(environ: Environ, message: str) -> str:
    code = f"<Code>{CODE}</Code><Message>{_escaped(message)}</Message>"
    if "/ec2/" in environ.get("HTTP_AUTHORIZATION", ""):
        return f"<Response><Errors><Error>{code}</Error></Errors><RequestID>none</RequestID></Response>"
    return (
        f"<ErrorResponse><Error><Type>Sender</Type>{code}</Error><RequestId>none</RequestId></ErrorResponse>"
    )


def _escaped(text: Any) -> str:
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
