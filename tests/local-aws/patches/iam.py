"""IAM: tags of server certificates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway import Call
from registry import Patch

certificate_tags = Patch("iam", "UploadServerCertificate", "drops the tags given at the upload")


@certificate_tags.on("UploadServerCertificate")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    call.kept("tags", region="global")[call.params["ServerCertificateName"]] = call.params.get("Tags", [])
    return result


@certificate_tags.on("GetServerCertificate")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    name = call.params["ServerCertificateName"]
    result["ServerCertificate"]["Tags"] = call.kept("tags", region="global").get(name, [])
    return result


@certificate_tags.proof
def _(aws: Callable[..., Any]) -> None:
    iam = aws("iam")
    tags = [{"Key": "Owner", "Value": "payments"}]
    iam.upload_server_certificate(ServerCertificateName="own", CertificateBody="-", PrivateKey="-", Tags=tags)
    found = iam.get_server_certificate(ServerCertificateName="own")["ServerCertificate"]
    assert found.get("Tags") == tags, found
