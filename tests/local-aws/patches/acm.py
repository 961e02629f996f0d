"""ACM: the key algorithm that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway import Call
from registry import Patch

key_algorithm = Patch("acm", "DescribeCertificate", "says RSA_2048 whatever key algorithm was asked for")


@key_algorithm.on("RequestCertificate")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    if algorithm := call.params.get("KeyAlgorithm"):
        call.kept("algorithms")[result["CertificateArn"]] = algorithm
    return result


@key_algorithm.on("DescribeCertificate")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    if algorithm := call.kept("algorithms").get(call.params["CertificateArn"]):
        result["Certificate"]["KeyAlgorithm"] = algorithm
    return result


@key_algorithm.proof
def _(aws: Callable[..., Any]) -> None:
    acm = aws("acm")
    asked = {"DomainName": "api.example.com", "KeyAlgorithm": "EC_prime256v1"}
    arn = acm.request_certificate(**asked)["CertificateArn"]
    assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["KeyAlgorithm"] == "EC_prime256v1"
