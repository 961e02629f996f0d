"""Lambda: where failed events go, and the key of the environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from registry import Patch, instead_of

function_settings = Patch(
    "lambda", "GetFunctionConfiguration", "forgets the dead letter queue and the KMS key"
)


@function_settings.inside
def _() -> None:
    from moto.awslambda.models import LambdaFunction

    @instead_of(LambdaFunction, "__init__")
    def _(create: Callable[..., Any], function: Any, *given: Any, **named: Any) -> None:
        create(function, *given, **named)
        function.asked = named.get("spec") or next((one for one in given if isinstance(one, dict)), {})

    @instead_of(LambdaFunction, "get_configuration")
    def _(get: Callable[..., Any], function: Any, *given: Any, **named: Any) -> Any:
        found = get(function, *given, **named)
        names = ("DeadLetterConfig", "KMSKeyArn")
        found.update({name: function.asked[name] for name in names if function.asked.get(name)})
        return found


@function_settings.proof
def _(aws: Callable[..., Any]) -> None:
    document = '{"Version": "2012-10-17", "Statement": []}'
    role = aws("iam").create_role(RoleName="function", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    queue = {"TargetArn": "arn:aws:sqs:us-east-1:123456789012:failed"}
    key = "arn:aws:kms:us-east-1:123456789012:key/1"
    client = aws("lambda")
    client.create_function(
        FunctionName="settings",
        Role=role,
        Runtime="python3.13",
        Handler="main.handler",
        Code={"ZipFile": b"x"},
        DeadLetterConfig=queue,
        KMSKeyArn=key,
    )
    found = client.get_function_configuration(FunctionName="settings")
    assert (found.get("DeadLetterConfig"), found.get("KMSKeyArn")) == (queue, key), found
