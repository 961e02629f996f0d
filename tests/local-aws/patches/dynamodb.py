"""DynamoDB: replicas of a table in other Regions, and what comes along with a restored one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from gateway import ACCOUNT, Call
from registry import Patch, instead_of

replicas = Patch("dynamodb", "UpdateTable", "does nothing about replicas")

REPLICA = {"ReplicaStatus": "ACTIVE"}


@replicas.on("UpdateTable")
def _(call: Call) -> dict[str, Any] | None:
    updates = call.params.get("ReplicaUpdates")
    if not updates:
        return None
    table = _tables(call.region)[call.params["TableName"].split("/")[-1]]
    kept = call.kept("replicas").setdefault(table.name, {})
    for update in updates:
        for action, asked in update.items():
            region = asked["RegionName"]
            if action == "Delete":
                kept.pop(region, None)
                _tables(region).pop(table.name, None)
                continue
            kept[region] = {**kept.get(region, {}), **REPLICA, **asked}
            if action == "Create":
                _tables(region)[table.name] = _copy(table, region, asked)
                there = call.kept("replicas", region=region).setdefault(table.name, {})
                there[call.region] = {**REPLICA, "RegionName": call.region}
    described = table.describe()["TableDescription"]
    return {"TableDescription": _with_replicas(described, kept)}


@replicas.on("DescribeTable")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    kept = call.kept("replicas").get(call.params["TableName"].split("/")[-1], {})
    _with_replicas(result["Table"], kept)
    return result


def _tables(region: str) -> dict[str, Any]:
    from moto.dynamodb.models import dynamodb_backends

    tables: dict[str, Any] = dynamodb_backends[ACCOUNT][region].tables
    return tables


def _copy(table: Any, region: str, asked: dict[str, Any]) -> Any:
    """The table as its replica in a Region shows it."""
    replica = copy.copy(table)
    replica.region_name = region
    replica.table_arn = table.table_arn.replace(f":{table.region_name}:", f":{region}:")
    replica.tags = []
    replica.continuous_backups = copy.deepcopy(table.continuous_backups)
    if key := asked.get("KMSMasterKeyId"):
        replica.sse_specification = {
            **(table.sse_specification or {}),
            "KMSMasterKeyId": key,
            "KMSMasterKeyArn": key,
        }
    return replica


def _with_replicas(table: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
    if kept:
        table.update(Replicas=list(kept.values()), GlobalTableVersion="2019.11.21")
    return table


@replicas.proof
def _(aws: Callable[..., Any]) -> None:
    here, there = aws("dynamodb"), aws("dynamodb", region="us-west-2")
    here.create_table(
        TableName="ledger",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )
    here.update_table(TableName="ledger", ReplicaUpdates=[{"Create": {"RegionName": "us-west-2"}}])
    found = here.describe_table(TableName="ledger")["Table"]
    assert [one["RegionName"] for one in found.get("Replicas", [])] == ["us-west-2"], found
    assert ":us-west-2:" in there.describe_table(TableName="ledger")["Table"]["TableArn"]
    here.update_table(TableName="ledger", ReplicaUpdates=[{"Delete": {"RegionName": "us-west-2"}}])
    assert "ledger" not in there.list_tables()["TableNames"]


restored = Patch("dynamodb", "RestoreTableToPointInTime", "loses encryption and billing of the source")


# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/pointintimerecovery_restores.html
@restored.inside
def _() -> None:
    from moto.dynamodb.models.table import RestoredPITTable

    @instead_of(RestoredPITTable, "__init__")
    def _(create: Callable[..., Any], table: Any, *given: Any, **named: Any) -> None:
        create(table, *given, **named)
        source = named["source"]
        table.billing_mode = source.billing_mode
        table.sse_specification = copy.deepcopy(source.sse_specification)


@restored.proof
def _(aws: Callable[..., Any]) -> None:
    dynamodb = aws("dynamodb")
    key = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"
    dynamodb.create_table(
        TableName="damaged",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key},
    )
    dynamodb.restore_table_to_point_in_time(SourceTableName="damaged", TargetTableName="restored")
    found = dynamodb.describe_table(TableName="restored")["Table"]
    assert found.get("SSEDescription", {}).get("KMSMasterKeyArn") == key, found
    assert found["BillingModeSummary"].get("BillingMode") == "PAY_PER_REQUEST", found
