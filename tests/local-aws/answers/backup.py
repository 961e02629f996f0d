"""AWS Backup: policies and notifications of vaults, selections of plans, settings of the Region."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from gateway import ACCOUNT, Call
from registry import Answers, Refusal

backup = Answers("backup")

MADE = datetime(2026, 1, 1, tzinfo=timezone.utc)


def _of_vault(kind: str, put: str, get: str, delete: str) -> None:
    """Puts, gets and deletes one kind of thing that a vault has one of."""

    @backup.on(put)
    def _(call: Call) -> dict[str, Any]:
        call.kept(kind)[call.params["BackupVaultName"]] = call.params
        return {}

    @backup.on(get)
    def _(call: Call) -> dict[str, Any]:
        vault = call.params["BackupVaultName"]
        arn = call.arn(f"backup-vault:{vault}")
        return {**_known(call, kind, vault), "BackupVaultArn": arn}

    @backup.on(delete)
    def _(call: Call) -> dict[str, Any]:
        call.kept(kind).pop(call.params["BackupVaultName"], None)
        return {}


_of_vault(
    "policies",
    put="PutBackupVaultAccessPolicy",
    get="GetBackupVaultAccessPolicy",
    delete="DeleteBackupVaultAccessPolicy",
)
_of_vault(
    "notifications",
    put="PutBackupVaultNotifications",
    get="GetBackupVaultNotifications",
    delete="DeleteBackupVaultNotifications",
)


@backup.on("CreateBackupSelection")
def _(call: Call) -> dict[str, Any]:
    made = str(uuid.uuid4())
    fixed = {"SelectionId": made, "CreationDate": MADE}
    call.kept("selections")[made] = {**call.params, **fixed}
    return {"SelectionId": made, "BackupPlanId": call.params["BackupPlanId"]}


@backup.on("GetBackupSelection")
def _(call: Call) -> dict[str, Any]:
    return _known(call, "selections", call.params["SelectionId"])


@backup.on("DeleteBackupSelection")
def _(call: Call) -> dict[str, Any]:
    call.kept("selections").pop(call.params["SelectionId"], None)
    return {}


@backup.on("CreateRestoreTestingPlan")
def _(call: Call) -> dict[str, Any]:
    from moto.backup.models import backup_backends

    plan = call.params["RestoreTestingPlan"]
    name = plan["RestoreTestingPlanName"]
    arn = call.arn(f"restore-testing-plan:{name}")
    call.kept("restores")[name] = {**plan, "RestoreTestingPlanArn": arn, "CreationTime": MADE}
    tags = [{"Key": key, "Value": value} for key, value in call.params.get("Tags", {}).items()]
    backup_backends[ACCOUNT][call.region].tagger.tag_resource(arn, tags)
    return {"RestoreTestingPlanName": name, "RestoreTestingPlanArn": arn, "CreationTime": MADE}


@backup.on("GetRestoreTestingPlan")
def _(call: Call) -> dict[str, Any]:
    return {"RestoreTestingPlan": _known(call, "restores", call.params["RestoreTestingPlanName"])}


@backup.on("DeleteRestoreTestingPlan")
def _(call: Call) -> dict[str, Any]:
    name = call.params["RestoreTestingPlanName"]
    if any(plan == name for plan, _ in call.kept("restored")):
        raise Refusal("InvalidRequestException", f"{name} has selections")
    call.kept("restores").pop(name, None)
    return {}


@backup.on("CreateRestoreTestingSelection")
def _(call: Call) -> dict[str, Any]:
    plan, selection = call.params["RestoreTestingPlanName"], call.params["RestoreTestingSelection"]
    arn = _known(call, "restores", plan)["RestoreTestingPlanArn"]
    name = selection["RestoreTestingSelectionName"]
    fixed = {"RestoreTestingPlanName": plan, "CreationTime": MADE}
    call.kept("restored")[plan, name] = {"ValidationWindowHours": 0, **selection, **fixed}
    return {"RestoreTestingPlanArn": arn, "RestoreTestingSelectionName": name, **fixed}


@backup.on("GetRestoreTestingSelection")
def _(call: Call) -> dict[str, Any]:
    which = call.params["RestoreTestingPlanName"], call.params["RestoreTestingSelectionName"]
    return {"RestoreTestingSelection": _known(call, "restored", which)}


@backup.on("DeleteRestoreTestingSelection")
def _(call: Call) -> dict[str, Any]:
    which = call.params["RestoreTestingPlanName"], call.params["RestoreTestingSelectionName"]
    call.kept("restored").pop(which, None)
    return {}


@backup.on("ListRecoveryPointsByBackupVault")
def _(call: Call) -> dict[str, Any]:
    return {"RecoveryPoints": []}  # no backup job ever runs here


@backup.on("UpdateRegionSettings")
def _(call: Call) -> dict[str, Any]:
    call.kept("settings").update(call.params)
    return {}


@backup.on("DescribeRegionSettings")
def _(call: Call) -> dict[str, Any]:
    unset: dict[str, Any] = {"ResourceTypeOptInPreference": {}, "ResourceTypeManagementPreference": {}}
    return {**unset, **call.kept("settings")}


def _known(call: Call, kind: str, key: Any) -> dict[str, Any]:
    if key not in call.kept(kind):
        raise Refusal("ResourceNotFoundException", f"{key} has no {kind}")
    return dict(call.kept(kind)[key])


@backup.proof
def _(aws: Callable[..., Any]) -> None:
    client = aws("backup")
    vault = {"BackupVaultName": "answers"}
    client.create_backup_vault(**vault)
    client.put_backup_vault_access_policy(**vault, Policy="{}")
    assert client.get_backup_vault_access_policy(**vault)["Policy"] == "{}"
    client.delete_backup_vault_access_policy(**vault)
    assert client.list_recovery_points_by_backup_vault(**vault)["RecoveryPoints"] == []
    topic = "arn:aws:sns:us-east-1:123456789012:alerts"
    client.put_backup_vault_notifications(**vault, SNSTopicArn=topic, BackupVaultEvents=["BACKUP_JOB_FAILED"])
    assert client.get_backup_vault_notifications(**vault)["SNSTopicArn"] == topic
    client.delete_backup_vault_notifications(**vault)
    selection = {
        "SelectionName": "all",
        "IamRoleArn": "arn:aws:iam::123456789012:role/backup",
        "Resources": ["*"],
    }
    made = client.create_backup_selection(BackupPlanId="plan", BackupSelection=selection)
    which = {"BackupPlanId": "plan", "SelectionId": made["SelectionId"]}
    assert client.get_backup_selection(**which)["BackupSelection"] == selection
    client.delete_backup_selection(**which)
    points = {
        "Algorithm": "LATEST_WITHIN_WINDOW",
        "IncludeVaults": ["*"],
        "RecoveryPointTypes": ["SNAPSHOT"],
        "SelectionWindowDays": 7,
    }
    plan = {"RestoreTestingPlanName": "weekly"}
    when = {"ScheduleExpression": "cron(0 9 ? * SUN *)", "RecoveryPointSelection": points}
    client.create_restore_testing_plan(RestoreTestingPlan={**plan, **when})
    assert client.get_restore_testing_plan(**plan)["RestoreTestingPlan"]["RecoveryPointSelection"] == points
    restored = {
        "RestoreTestingSelectionName": "tables",
        "ProtectedResourceType": "DynamoDB",
        "IamRoleArn": "arn:aws:iam::123456789012:role/restore",
        "ProtectedResourceArns": ["*"],
    }
    client.create_restore_testing_selection(**plan, RestoreTestingSelection=restored)
    one = {**plan, "RestoreTestingSelectionName": "tables"}
    found = client.get_restore_testing_selection(**one)["RestoreTestingSelection"]
    assert found["ProtectedResourceType"] == "DynamoDB", found
    client.delete_restore_testing_selection(**one)
    client.delete_restore_testing_plan(**plan)
    client.update_region_settings(ResourceTypeOptInPreference={"DynamoDB": True})
    assert client.describe_region_settings()["ResourceTypeOptInPreference"] == {"DynamoDB": True}
