"""Macie: jobs that look for sensitive data in buckets."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from gateway import Call
from registry import Answers, Refusal

macie = Answers("macie2")


@macie.on("CreateClassificationJob")
def _(call: Call) -> dict[str, Any]:
    job = uuid.uuid4().hex
    fixed = {
        "jobId": job,
        "jobArn": call.arn(f"classification-job/{job}"),
        "jobStatus": "RUNNING",
        "createdAt": datetime(2026, 1, 1, tzinfo=timezone.utc),
    }
    call.kept("jobs")[job] = {"samplingPercentage": 100, "tags": {}, **call.params, **fixed}
    return {"jobId": job, "jobArn": fixed["jobArn"]}


@macie.on("DescribeClassificationJob")
def _(call: Call) -> dict[str, Any]:
    return dict(_known(call))


@macie.on("UpdateClassificationJob")
def _(call: Call) -> dict[str, Any]:
    _known(call)["jobStatus"] = call.params["jobStatus"]
    return {}


def _known(call: Call) -> dict[str, Any]:
    job = call.params["jobId"]
    if job not in call.kept("jobs"):
        raise Refusal("ResourceNotFoundException", f"no job {job}", status=404)
    known: dict[str, Any] = call.kept("jobs")[job]
    return known


@macie.proof
def _(aws: Callable[..., Any]) -> None:
    client = aws("macie2")
    buckets = {"bucketDefinitions": [{"accountId": "123456789012", "buckets": ["statements"]}]}
    job = client.create_classification_job(
        clientToken="1", jobType="ONE_TIME", name="cards", s3JobDefinition=buckets
    )["jobId"]
    found = client.describe_classification_job(jobId=job)
    assert (found["name"], found["s3JobDefinition"], found["jobStatus"]) == ("cards", buckets, "RUNNING"), found
    client.update_classification_job(jobId=job, jobStatus="CANCELLED")
    assert client.describe_classification_job(jobId=job)["jobStatus"] == "CANCELLED"
