"""Every service: requests that the model of its API rules out, which `model.py` finds and `server.py` refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from moto.core.utils import get_service_model

import gaps
from model import violations
from registry import Patch

held = Patch("every service", "every call", "takes requests that AWS's model of the API rules out")

TRUST = '{"Version": "2012-10-17", "Statement": []}'
CONTAINER = {"name": "main", "image": "image", "memory": 64}

# A wrong pattern, an enumeration's missing value, too long a text, a number out of range, too long a list.
RULED_OUT = [
    ("iam", "create_role", {"RoleName": "a role", "AssumeRolePolicyDocument": TRUST}),
    (
        "ecs",
        "register_task_definition",
        {"family": "a", "networkMode": "bridged", "containerDefinitions": [CONTAINER]},
    ),
    ("logs", "create_log_group", {"logGroupName": "a" * 513}),
    ("logs", "describe_log_groups", {"limit": 51}),
    ("dynamodb", "batch_get_item", {"RequestItems": {f"table-{n}": {"Keys": [{}]} for n in range(101)}}),
]


@held.proof
def _(aws: Callable[..., Any]) -> None:
    for service, operation, parameters in RULED_OUT:
        try:
            getattr(aws(service), operation)(**parameters)
        except ClientError as error:
            assert gaps.RULED_OUT in str(error), error
        else:
            raise AssertionError(f"{service} {operation} went through")
    # A member that is missing, which boto3 itself would not send.
    role = get_service_model("iam").operation_model("CreateRole").input_shape
    assert list(violations(role, {"RoleName": "a"})) == [".AssumeRolePolicyDocument is required"]
