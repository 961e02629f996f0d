"""S3: policies that moto misreads, and parts of bucket settings that it loses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway import Call
from registry import Patch, instead_of

bucket_policies = Patch(
    "s3", "PutBucketPolicy", "enforces a bucket's policy and leaves its conditions out of account"
)


@bucket_policies.inside
def _() -> None:
    from moto.iam.access_control import PermissionResult
    from moto.s3.models import FakeBucket

    @instead_of(FakeBucket, "get_permission")
    def _(*_: Any) -> Any:
        return PermissionResult.NEUTRAL


@bucket_policies.proof
def _(aws: Callable[..., Any]) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket="tls-only")
    s3.put_bucket_policy(
        Bucket="tls-only",
        Policy="""{"Version": "2012-10-17", "Statement": [{
            "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::tls-only/*",
            "Condition": {"StringEquals": {"aws:PrincipalAccount": "999999999999"}}}]}""",
    )
    s3.put_object(Bucket="tls-only", Key="k", Body=b"v")


log_targets = Patch(
    "s3", "PutBucketLogging", "wants ACL grants or a policy of one shape on the target bucket"
)


@log_targets.inside
def _() -> None:
    from moto.s3.models import FakeBucket

    setattr(FakeBucket, "_log_permissions_enabled_policy", staticmethod(lambda **_: True))  # noqa: B010


@log_targets.proof
def _(aws: Callable[..., Any]) -> None:
    s3 = aws("s3")
    for bucket in ("log-source", "log-target"):
        s3.create_bucket(Bucket=bucket)
    target = {"TargetBucket": "log-target", "TargetPrefix": "s3/"}
    s3.put_bucket_logging(Bucket="log-source", BucketLoggingStatus={"LoggingEnabled": target})


log_keys = Patch("s3", "GetBucketLogging", "forgets how the keys of the log objects are made up")


@log_keys.on("PutBucketLogging")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    asked = call.params["BucketLoggingStatus"].get("LoggingEnabled", {})
    call.kept("log keys")[call.params["Bucket"]] = asked.get("TargetObjectKeyFormat")
    return result


@log_keys.on("GetBucketLogging")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    if "LoggingEnabled" in result:
        result["LoggingEnabled"]["TargetObjectKeyFormat"] = call.kept("log keys").get(call.params["Bucket"])
    return result


@log_keys.proof
def _(aws: Callable[..., Any]) -> None:
    s3 = aws("s3")
    for bucket in ("key-source", "key-target"):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_ownership_controls(
        Bucket="key-target", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    )
    form = {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}}
    target = {"TargetBucket": "key-target", "TargetPrefix": "s3/", "TargetObjectKeyFormat": form}
    s3.put_bucket_logging(Bucket="key-source", BucketLoggingStatus={"LoggingEnabled": target})
    found = s3.get_bucket_logging(Bucket="key-source")["LoggingEnabled"]
    assert found.get("TargetObjectKeyFormat") == form, found


event_bridge = Patch("s3", "GetBucketNotificationConfiguration", "leaves EventBridge out")


@event_bridge.on("PutBucketNotificationConfiguration")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    asked = call.params["NotificationConfiguration"].get("EventBridgeConfiguration")
    call.kept("event bridge")[call.params["Bucket"]] = asked
    return result


@event_bridge.on("GetBucketNotificationConfiguration")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    result["EventBridgeConfiguration"] = call.kept("event bridge").get(call.params["Bucket"])
    return result


@event_bridge.proof
def _(aws: Callable[..., Any]) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket="events")
    s3.put_bucket_notification_configuration(
        Bucket="events", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    found = s3.get_bucket_notification_configuration(Bucket="events")
    assert "EventBridgeConfiguration" in found, found


flow_log_folders = Patch(
    "s3", "CreateFlowLogs", "takes the folder in a flow log's bucket ARN for a part of its name"
)


@flow_log_folders.inside
def _() -> None:
    from moto.s3.models import S3Backend

    @instead_of(S3Backend, "get_bucket")
    def _(get: Callable[..., Any], backend: Any, name: str, *rest: Any, **named: Any) -> Any:
        return get(backend, name.split("/")[0], *rest, **named)


@flow_log_folders.proof
def _(aws: Callable[..., Any]) -> None:
    aws("s3").create_bucket(Bucket="flow-folder")
    ec2 = aws("ec2")
    result = ec2.create_flow_logs(
        ResourceIds=[ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]],
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="s3",
        LogDestination="arn:aws:s3:::flow-folder/vpc/",
    )
    assert result["FlowLogIds"] and not result.get("Unsuccessful"), result


marker_replication = Patch("s3", "GetBucketReplication", "forgets whether delete markers are replicated")


@marker_replication.on("PutBucketReplication")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    rules = call.params["ReplicationConfiguration"]["Rules"]
    call.kept("markers")[call.params["Bucket"]] = [rule.get("DeleteMarkerReplication") for rule in rules]
    return result


@marker_replication.on("GetBucketReplication")
def _(call: Call) -> dict[str, Any]:
    result = call.forward()
    kept = call.kept("markers").get(call.params["Bucket"], [])
    for rule, markers in zip(result["ReplicationConfiguration"]["Rules"], kept, strict=True):
        rule["DeleteMarkerReplication"] = markers
    return result


@marker_replication.proof
def _(aws: Callable[..., Any]) -> None:
    s3 = aws("s3")
    for bucket in ("copy-source", "copy-target"):
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    rule = {
        "ID": "all",
        "Status": "Enabled",
        "Priority": 1,
        "Filter": {"Prefix": ""},
        "Destination": {"Bucket": "arn:aws:s3:::copy-target"},
        "DeleteMarkerReplication": {"Status": "Enabled"},
    }
    role = "arn:aws:iam::123456789012:role/replication"
    s3.put_bucket_replication(Bucket="copy-source", ReplicationConfiguration={"Role": role, "Rules": [rule]})
    found = s3.get_bucket_replication(Bucket="copy-source")["ReplicationConfiguration"]["Rules"][0]
    assert found.get("DeleteMarkerReplication") == {"Status": "Enabled"}, found


delete_markers = Patch("s3", "DeleteObjects", "cannot delete a delete marker while versioning is suspended")


@delete_markers.inside
def _() -> None:
    from moto.s3.models import FakeDeleteMarker

    setattr(FakeDeleteMarker, "dispose", lambda _: None)  # noqa: B010


@delete_markers.proof
def _(aws: Callable[..., Any]) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket="marked")
    s3.put_bucket_versioning(Bucket="marked", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="marked", Key="k", Body=b"v")
    s3.delete_object(Bucket="marked", Key="k")
    found = s3.list_object_versions(Bucket="marked")
    versions = [
        {"Key": "k", "VersionId": version["VersionId"]}
        for version in found["Versions"] + found["DeleteMarkers"]
    ]
    s3.put_bucket_versioning(Bucket="marked", VersioningConfiguration={"Status": "Suspended"})
    s3.delete_objects(Bucket="marked", Delete={"Objects": versions})
    s3.delete_bucket(Bucket="marked")
