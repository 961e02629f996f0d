"""CloudWatch Logs: subscriptions through a destination."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from registry import Patch, instead_of

destinations = Patch("logs", "PutSubscriptionFilter", "takes a destination for a log group")


@destinations.inside
def _() -> None:
    from moto.logs.models import LogsBackend

    @instead_of(LogsBackend, "put_subscription_filter")
    def _(put: Callable[..., Any], backend: Any, group: str, *given: Any) -> Any:
        _name, _pattern, arn, _role = given
        if ":destination:" not in arn:
            return put(backend, group, *given)
        assert any(known.arn == arn for known in backend.destinations.values()), f"no destination {arn}"
        return backend.groups[group].put_subscription_filter(*given)


@destinations.proof
def _(aws: Callable[..., Any]) -> None:
    logs = aws("logs")
    logs.create_log_group(logGroupName="through")
    made = logs.put_destination(
        destinationName="away",
        targetArn="arn:aws:firehose:eu-west-1:123456789012:deliverystream/away",
        roleArn="arn:aws:iam::123456789012:role/away",
    )["destination"]
    logs.put_subscription_filter(
        logGroupName="through", filterName="all", filterPattern="", destinationArn=made["arn"]
    )
    found = logs.describe_subscription_filters(logGroupName="through")["subscriptionFilters"]
    assert [filter["destinationArn"] for filter in found] == [made["arn"]], found
