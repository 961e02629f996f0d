"""AWS Backup: tags, asked for as the SDK for Go asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from registry import Patch, instead_of

tag_paths = Patch("backup", "ListTags", "cuts a character off the ARN in a path without a slash at its end")


@tag_paths.inside
def _() -> None:
    from moto.backup.responses import BackupResponse

    @instead_of(BackupResponse, "list_tags")
    def _(list_tags: Callable[..., Any], response: Any) -> Any:
        response.path = response.path.rstrip("/") + "/"
        return list_tags(response)


@tag_paths.proof
def _(aws: Callable[..., Any]) -> None:
    backup = aws("backup")
    tags = {"Owner": "payments"}
    arn = backup.create_backup_vault(BackupVaultName="tagged", BackupVaultTags=tags)["BackupVaultArn"]

    def without_slash(request: Any, **_: Any) -> None:
        request.url = request.url.rstrip("/")

    backup.meta.events.register("before-sign.backup.ListTags", without_slash)
    assert backup.list_tags(ResourceArn=arn)["Tags"] == tags
