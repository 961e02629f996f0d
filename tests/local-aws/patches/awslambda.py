"""Lambda: where failed events go, and the key of the environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from registry import Patch

function_settings = Patch(
    "lambda", "GetFunctionConfiguration", "forgets the dead letter queue and the KMS key"
)


@function_settings.inside
def _() -> None:
    from moto.awslambda.models import LambdaFunction

    create, read = LambdaFunction.__init__, LambdaFunction.get_configuration

    def with_spec(function: Any, *given: Any, **named: Any) -> None:
        create(function, *given, **named)
        function.asked = named.get("spec") or next((one for one in given if isinstance(one, dict)), {})

    def configuration(function: Any, *given: Any, **named: Any) -> Any:
        found = read(function, *given, **named)
        asked = {
            name: function.asked[name]
            for name in ("DeadLetterConfig", "KMSKeyArn")
            if function.asked.get(name)
        }
        found.update(asked)
        return found

    LambdaFunction.__init__ = with_spec  # type: ignore[method-assign]
    LambdaFunction.get_configuration = configuration  # type: ignore[method-assign]


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
