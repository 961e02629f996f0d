"""Budgets: who is told, and tags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway import ACCOUNT, Call
from registry import Answers

budgets = Answers("budgets")


@budgets.watch("CreateBudget")
def _(call: Call) -> None:
    name = call.params["Budget"]["BudgetName"]
    call.kept("tags")[name] = call.params.get("ResourceTags", [])
    for given in call.params.get("NotificationsWithSubscribers", []):
        call.kept("subscribers")[name, _key(given["Notification"])] = given["Subscribers"]


@budgets.watch("CreateNotification")
def _(call: Call) -> None:
    which = (call.params["BudgetName"], _key(call.params["Notification"]))
    call.kept("subscribers")[which] = call.params["Subscribers"]


@budgets.on("DescribeSubscribersForNotification")
def _(call: Call) -> dict[str, Any]:
    which = (call.params["BudgetName"], _key(call.params["Notification"]))
    return {"Subscribers": call.kept("subscribers").get(which, [])}


@budgets.on("ListTagsForResource")
def _(call: Call) -> dict[str, Any]:
    return {"ResourceTags": call.kept("tags").get(call.params["ResourceARN"].split("/")[-1], [])}


def _key(notification: dict[str, Any]) -> tuple[str, str, float]:
    """What tells one notification of a budget from another."""
    return (
        notification["NotificationType"],
        notification["ComparisonOperator"],
        float(notification["Threshold"]),
    )


@budgets.proof
def _(aws: Callable[..., Any]) -> None:
    client = aws("budgets")
    notification = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80}
    subscribers = [{"SubscriptionType": "EMAIL", "Address": "ops@example.com"}]
    tags = [{"Key": "Owner", "Value": "payments"}]
    client.create_budget(
        AccountId=ACCOUNT,
        Budget={
            "BudgetName": "monthly",
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "100", "Unit": "USD"},
        },
        NotificationsWithSubscribers=[{"Notification": notification, "Subscribers": subscribers}],
        ResourceTags=tags,
    )
    found = client.describe_subscribers_for_notification(
        AccountId=ACCOUNT, BudgetName="monthly", Notification=notification
    )
    assert found["Subscribers"] == subscribers, found
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/monthly"
    assert client.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == tags
