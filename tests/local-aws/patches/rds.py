"""RDS: identifiers, monitoring, and where a parameter's value came from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from gateway import ACCOUNT, Call
from registry import Patch, instead_of

# Members of the API's DBInstance that moto forgets.
FORGOTTEN = (
    "MonitoringInterval",
    "MonitoringRoleArn",
    "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod",
)

instance_settings = Patch(
    "rds", "DescribeDBInstances", "forgets monitoring and insights; all have one resource id"
)


@instance_settings.inside
def _() -> None:
    from moto.rds.models import DBInstance

    @instead_of(DBInstance, "__init__")
    def _(create: Callable[..., Any], instance: Any, *given: Any, **named: Any) -> None:
        create(instance, *given, **named)
        digest = hashlib.sha1(instance.db_instance_identifier.encode()).hexdigest()
        instance.dbi_resource_id = f"db-{digest.upper()[:26]}"


@instance_settings.on("CreateDBInstance", "ModifyDBInstance")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    instance = call.params["DBInstanceIdentifier"]
    asked = {name: call.params[name] for name in FORGOTTEN if call.params.get(name) is not None}
    if (insights := call.params.get("EnablePerformanceInsights")) is not None:
        asked["PerformanceInsightsEnabled"] = insights
    call.kept("settings").setdefault(instance, {}).update(asked)
    _complete(call, result["DBInstance"])
    return result


@instance_settings.on("DescribeDBInstances")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    for instance in result["DBInstances"]:
        _complete(call, instance)
    return result


def _complete(call: Call, instance: dict[str, Any]) -> None:
    name = instance["DBInstanceIdentifier"]
    instance.update(call.kept("settings").get(name, {}))
    if instance.get("PerformanceInsightsEnabled"):
        key = f"arn:aws:kms:{call.region}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"
        instance.setdefault("PerformanceInsightsKMSKeyId", key)
        instance.setdefault("PerformanceInsightsRetentionPeriod", 7)


@instance_settings.proof
def _(aws: Callable[..., Any]) -> None:
    rds = aws("rds")
    asked = {"MonitoringInterval": 60, "MonitoringRoleArn": "arn:aws:iam::123456789012:role/monitoring"}
    for name in ("monitored", "other"):
        rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBInstanceClass="db.t4g.micro",
            Engine="postgres",
            MasterUsername="owner",
            MasterUserPassword="not-a-secret",
            AllocatedStorage=20,
            EnablePerformanceInsights=True,
            PerformanceInsightsRetentionPeriod=93,
            **asked,
        )
    described = rds.describe_db_instances()["DBInstances"]
    assert len({instance["DbiResourceId"] for instance in described}) == len(described), described
    ids = [rds.describe_db_instances(DBInstanceIdentifier="monitored")["DBInstances"][0]["DbiResourceId"]]
    found = rds.describe_db_instances(Filters=[{"Name": "dbi-resource-id", "Values": ids}])["DBInstances"][0]
    assert found["DBInstanceIdentifier"] == "monitored", found
    assert asked == {name: found.get(name) for name in asked}, found
    assert found["PerformanceInsightsEnabled"] and found["PerformanceInsightsRetentionPeriod"] == 93, found


parameter_source = Patch("rds", "DescribeDBParameters", "does not say which parameters were set by the user")


@parameter_source.inside
def _() -> None:
    from moto.rds.models import DBParameterGroup

    @instead_of(DBParameterGroup, "update_parameters")
    def _(update: Callable[..., Any], group: Any, parameters: Any) -> Any:
        return update(group, [{**parameter, "Source": "user"} for parameter in parameters])


@parameter_source.proof
def _(aws: Callable[..., Any]) -> None:
    rds = aws("rds")
    which = {"DBParameterGroupName": "postgres"}
    rds.create_db_parameter_group(**which, DBParameterGroupFamily="postgres17", Description="postgres")
    parameter = {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}
    rds.modify_db_parameter_group(**which, Parameters=[parameter])
    found = rds.describe_db_parameters(**which, Source="user")["Parameters"]
    assert [(one["ParameterName"], one.get("Source")) for one in found] == [("rds.force_ssl", "user")], found


serverless_v1 = Patch("rds", "DescribeDBClusters", "shows the scaling of Serverless v1 on every cluster")


@serverless_v1.on("CreateDBCluster", "ModifyDBCluster", "DescribeDBClusters")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    clusters = result["DBClusters"] if "DBClusters" in result else [result["DBCluster"]]
    for cluster in clusters:
        if cluster.get("EngineMode") != "serverless":
            cluster.pop("ScalingConfigurationInfo", None)
    return result


@serverless_v1.proof
def _(aws: Callable[..., Any]) -> None:
    rds = aws("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="provisioned",
        Engine="aurora-postgresql",
        MasterUsername="owner",
        MasterUserPassword="not-a-secret",
        ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 4},
    )
    found = rds.describe_db_clusters(DBClusterIdentifier="provisioned")["DBClusters"][0]
    assert "ScalingConfigurationInfo" not in found, found


restored_instance = Patch("rds", "RestoreDBInstanceToPointInTime", "makes a read replica of the source")


@restored_instance.inside
def _() -> None:
    from moto.rds.models import RDSBackend

    @instead_of(RDSBackend, "restore_db_instance_to_point_in_time")
    def _(restore: Callable[..., Any], backend: Any, *given: Any) -> Any:
        instance = restore(backend, *given)
        instance.source_db_instance_identifier = None
        return instance


@restored_instance.proof
def _(aws: Callable[..., Any]) -> None:
    rds = aws("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="damaged",
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        MasterUsername="owner",
        MasterUserPassword="not-a-secret",
        AllocatedStorage=20,
    )
    rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier="damaged", TargetDBInstanceIdentifier="restored", UseLatestRestorableTime=True
    )
    found = rds.describe_db_instances(DBInstanceIdentifier="restored")["DBInstances"][0]
    assert not found.get("ReadReplicaSourceDBInstanceIdentifier"), found
