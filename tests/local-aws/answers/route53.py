"""Route 53: keys that sign hosted zones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from gateway import Call
from registry import Answers, Patch, Refusal

signing = Answers("route53")
status = Patch("route53", "GetDNSSEC", "says of every zone that it is not signed, and shows no key")

ECDSA = {
    "Flag": 257,
    "SigningAlgorithmMnemonic": "ECDSAP256SHA256",
    "SigningAlgorithmType": 13,
    "DigestAlgorithmMnemonic": "SHA-256",
    "DigestAlgorithmType": 2,
    "KeyTag": 4711,
}


def _zone(call: Call) -> str:
    return str(call.params.get("HostedZoneId") or call.params["Id"]).split("/")[-1]


def _keys(call: Call) -> dict[str, Any]:
    kept: dict[str, Any] = call.kept("keys", "global").setdefault(_zone(call), {})
    return kept


def _known(call: Call) -> dict[str, Any]:
    name = call.params["Name"]
    if name not in _keys(call):
        raise Refusal("NoSuchKeySigningKey", f"the zone has no key {name}", 404)
    key: dict[str, Any] = _keys(call)[name]
    return key


def _changed() -> dict[str, Any]:
    return {
        "Id": "/change/C2682N5HXP0BZ4",
        "Status": "INSYNC",
        "SubmittedAt": datetime(2026, 1, 1, tzinfo=timezone.utc),
    }


@signing.on("CreateKeySigningKey")
def _(call: Call) -> dict[str, Any]:
    name, arn = call.params["Name"], call.params["KeyManagementServiceArn"]
    made = {
        **ECDSA,
        "Name": name,
        "KmsArn": arn,
        "Status": call.params["Status"],
        "DigestValue": "4A" * 32,
        "PublicKey": "bG9jYWw=",
        "DSRecord": f"4711 13 2 {'4A' * 32}",
        "DNSKEYRecord": "257 3 13 bG9jYWw=",
    }
    _keys(call)[name] = made
    where = f"https://route53.amazonaws.com/2013-04-01/keysigningkey/{_zone(call)}/{name}"
    return {"ChangeInfo": _changed(), "KeySigningKey": made, "Location": where}


def _state(operation: str, state: str) -> None:
    @signing.on(operation)
    def _(call: Call) -> dict[str, Any]:
        _known(call)["Status"] = state
        return {"ChangeInfo": _changed()}


_state("ActivateKeySigningKey", "ACTIVE")
_state("DeactivateKeySigningKey", "INACTIVE")


@signing.on("DeleteKeySigningKey")
def _(call: Call) -> dict[str, Any]:
    if _known(call)["Status"] == "ACTIVE":
        raise Refusal("InvalidKeySigningKeyStatus", "the key is active")
    _keys(call).pop(call.params["Name"])
    return {"ChangeInfo": _changed()}


@signing.on("EnableHostedZoneDNSSEC")
def _(call: Call) -> dict[str, Any]:
    if not any(key["Status"] == "ACTIVE" for key in _keys(call).values()):
        raise Refusal("KeySigningKeyWithActiveStatusNotFound", "the zone has no active key")
    call.kept("signed", "global")[_zone(call)] = True
    return {"ChangeInfo": _changed()}


@signing.on("DisableHostedZoneDNSSEC")
def _(call: Call) -> dict[str, Any]:
    call.kept("signed", "global").pop(_zone(call), None)
    return {"ChangeInfo": _changed()}


@status.on("GetDNSSEC")
def _(call: Call) -> dict[str, Any]:
    call.forward()
    signed = call.kept("signed", "global").get(_zone(call), False)
    return {
        "Status": {"ServeSignature": "SIGNING" if signed else "NOT_SIGNING"},
        "KeySigningKeys": list(_keys(call).values()),
    }


@status.proof
@signing.proof
def _(aws: Callable[..., Any]) -> None:
    client = aws("route53")
    zone = client.create_hosted_zone(Name="signed.example", CallerReference="signed")["HostedZone"]["Id"]
    which = {"HostedZoneId": zone.split("/")[-1]}
    made = client.create_key_signing_key(
        **which,
        Name="key",
        CallerReference="key",
        KeyManagementServiceArn="arn:aws:kms:us-east-1:123456789012:key/1",
        Status="ACTIVE",
    )
    assert made["KeySigningKey"]["DSRecord"].startswith("4711 13 2 "), made
    client.enable_hosted_zone_dnssec(**which)
    found = client.get_dnssec(**which)
    assert found["Status"]["ServeSignature"] == "SIGNING", found
    assert [key["Name"] for key in found["KeySigningKeys"]] == ["key"], found
    client.disable_hosted_zone_dnssec(**which)
    try:
        client.delete_key_signing_key(**which, Name="key")
        raise AssertionError("an active key was deleted")
    except client.exceptions.InvalidKeySigningKeyStatus:
        client.deactivate_key_signing_key(**which, Name="key")
        client.activate_key_signing_key(**which, Name="key")
        client.deactivate_key_signing_key(**which, Name="key")
    client.delete_key_signing_key(**which, Name="key")
    assert client.get_dnssec(**which)["Status"]["ServeSignature"] == "NOT_SIGNING"
