"""The session of the README with two clients that are generated from openapi.json, each of another generator.

    walk.py ADDRESS FOLDER TOKEN TOKEN2

FOLDER holds the generated packages `by_openapi_generator` and `by_openapi_python_client`.
"""

import base64
import hashlib
import importlib
import sys
import time
import uuid
from pathlib import Path

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


def key():
    return str(uuid.uuid4())


def digest(body):
    return "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":"


class OpenapiGenerator:
    """`openapi-generator`, generator `python`: methods of one class for each tag, models by pydantic."""

    package = "by_openapi_generator"

    def __init__(self, address, token):
        self.client = importlib.import_module(self.package)
        configuration = self.client.Configuration(host=address, access_token=token)
        self.api = self.client.ApiClient(configuration)

    def call(self, tag, operation, body=None, model=None, **arguments):
        names = "".join(word.capitalize() for word in tag.split("_"))
        api = getattr(self.client, names + "Api")(self.api)
        if model:
            arguments[snake(model)] = getattr(self.client, model).from_dict(body)
        elif body is not None:
            arguments["body"] = body
        if operation.startswith("post_"):
            arguments["idempotency_key"] = key()
        try:
            answer = getattr(api, operation + "_with_http_info")(**arguments)
        except self.client.ApiException as problem:
            return problem.status, problem.data.to_dict(), problem.headers
        return answer.status_code, answer.data.to_dict(), answer.headers


class OpenapiPythonClient:
    """`openapi-python-client`: a module for each operation, models by attrs."""

    package = "by_openapi_python_client"

    def __init__(self, address, token):
        self.client = importlib.import_module(self.package)
        self.api = self.client.AuthenticatedClient(base_url=address, token=token)

    def call(self, tag, operation, body=None, model=None, **arguments):
        module = importlib.import_module(f"{self.package}.api.{tag}.{operation}")
        path = [arguments.pop(name) for name in ("run", "number") if name in arguments]
        if model:
            models = importlib.import_module(f"{self.package}.models")
            arguments["body"] = getattr(models, model).from_dict(body)
        elif body is not None:
            types = importlib.import_module(f"{self.package}.types")
            arguments["body"] = types.File(payload=body)
        if operation.startswith("post_"):
            arguments["idempotency_key"] = key()
        answer = module.sync_detailed(*path, client=self.api, **arguments)
        return int(answer.status_code), answer.parsed.to_dict(), answer.headers


def etag(headers):
    return next(value for name, value in headers.items() if name.lower() == "etag")


def snake(name):
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


def walk(kind, address, token, second):
    first = kind(address, token)

    def made(tag, operation, **arguments):
        status, thing, _ = first.call(tag, operation, **arguments)
        assert status in (201, 202), (operation, status, thing)
        return thing["id"]

    ledger = made("sources", "post_sources", model="NewSource", body={"name": "ledger"})
    bank = made("sources", "post_sources", model="NewSource", body={"name": "bank"})
    rules = (SAMPLES / "rules.toml").read_text()
    ruleset = made("rulesets", "post_rulesets", model="NewRuleset", body={"toml": rules})

    def send(source, name):
        body = (SAMPLES / name).read_bytes()
        return made(
            "statements", "post_statements", body=body, source=source, name=name, content_digest=digest(body)
        )

    run = made(
        "runs",
        "post_runs",
        model="NewRun",
        body={
            "left": {"source": ledger, "statements": [send(ledger, "ledger.csv")]},
            "right": {"source": bank, "statements": [send(bank, "bank.sta")]},
            "ruleset": ruleset,
        },
    )
    for _ in range(600):
        status, shown, _ = first.call("runs", "get_runs_run", run=run)
        assert status == 200, shown
        if shown["status"] not in ("queued", "running"):
            break
        time.sleep(0.1)
    assert shown["status"] == "completed", shown
    assert (shown["progress"]["matches"], shown["progress"]["breaks"]) == (6, 6), shown
    assert shown["summary"]["digest"] == shown["progress"]["digest"], shown

    status, page, _ = first.call("breaks", "get_runs_run_breaks", run=run, limit=1)
    assert status == 200 and page["items"][0]["state"] == "open", page
    assert page["items"][0]["entry"]["amount"] == {"currency": "EUR", "minor": "7525"}, page
    status, shown, headers = first.call("breaks", "get_runs_run_breaks_number", run=run, number="1")
    assert status == 200, shown

    proposal = {"reason": "corrected", "note": "booked under INV-2026-0140"}
    operation = "post_runs_run_breaks_number_resolution"
    status, shown, headers = first.call(
        "breaks", operation, model="Propose", body=proposal, run=run, number="1", if_match=etag(headers)
    )
    assert (status, shown["state"]) == (200, "proposed"), (status, shown)

    verdict = {"run": run, "number": "1", "if_match": etag(headers)}
    status, problem, _ = first.call("breaks", operation + "_approve", **verdict)
    assert (status, problem["detail"]) == (403, "whoever proposed it may not approve it"), problem
    approver = kind(address, second)
    status, shown, _ = approver.call("breaks", operation + "_approve", **verdict)
    assert (status, shown["state"]) == (200, "resolved"), (status, shown)

    status, found, _ = approver.call("audit", "get_audit_verification")
    assert status == 200 and found["intact"], found
    for tag, operation in (
        ("matches", "get_runs_run_matches"),
        ("manual_matches", "get_runs_run_manual_matches"),
    ):
        status, page, _ = first.call(tag, operation, run=run)
        assert status == 200, page
    for tag in ("sources", "rulesets", "statements", "runs", "audit"):
        status, page, _ = first.call(tag, f"get_{tag}")
        assert status == 200 and page["items"], (tag, page)


def main():
    address, folder, token, second = sys.argv[1:]
    sys.path.insert(0, folder)
    for kind in (OpenapiGenerator, OpenapiPythonClient):
        walk(kind, address, token, second)
        print(f"{kind.package}: walked")


main()
