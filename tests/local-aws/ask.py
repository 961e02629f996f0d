"""Asks the local AWS through its API: one question per line of input, one answer per line of output, in JSON.

python ask.py http://127.0.0.1:4566
{"region": "eu-central-1", "service": "ecs", "operation": "list_clusters", "parameters": {}}
"""

from __future__ import annotations

import json
import sys
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


@cache
def client(endpoint: str, region: str, service: str) -> Any:
    """A client that asks once and does not try again."""
    config = Config(
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"},
        inject_host_prefix=False,
        read_timeout=60,
    )
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=config,
    )


def answer(endpoint: str, question: dict[str, Any]) -> dict[str, Any]:
    asked = client(endpoint, question["region"], question["service"])
    try:
        result = getattr(asked, question["operation"])(**question["parameters"])
    except ClientError as error:
        return {"error": f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"}
    except (BotoCoreError, AttributeError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    result.pop("ResponseMetadata", None)
    return {"result": result}


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(answer(sys.argv[1], json.loads(line)), default=str), flush=True)


if __name__ == "__main__":
    main()
