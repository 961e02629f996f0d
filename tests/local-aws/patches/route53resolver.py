"""Route 53 Resolver: tags of what is neither an endpoint nor a rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from registry import Patch, instead_of

tags = Patch("route53resolver", "ListTagsForResource", "knows no resources but endpoints and rules")


@tags.inside
def _() -> None:
    from moto.route53resolver.models import Route53ResolverBackend

    @instead_of(Route53ResolverBackend, "_matched_arn")
    def _(*_: Any) -> None:
        pass


@tags.proof
def _(aws: Callable[..., Any]) -> None:
    given = [{"Key": "Owner", "Value": "payments"}]
    resolver = aws("route53resolver")
    made = resolver.create_resolver_query_log_config(
        Name="queries",
        DestinationArn="arn:aws:logs:us-east-1:123456789012:log-group:queries",
        CreatorRequestId="1",
        Tags=given,
    )["ResolverQueryLogConfig"]
    assert resolver.list_tags_for_resource(ResourceArn=made["Arn"])["Tags"] == given
