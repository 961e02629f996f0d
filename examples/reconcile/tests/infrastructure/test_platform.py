"""Applies the generated root module of an environment and asks AWS whether the platform is there.

    pip install -r tests/infrastructure/requirements.txt
    txnr synth --all

    # against a local AWS (moto_server, LocalStack), which it is sent to:
    AWS_ENDPOINT_URL=http://127.0.0.1:5000 pytest tests/infrastructure
    # against a sandbox account, which has to be named, and whose credentials are in the environment:
    TXNR_SANDBOX_ACCOUNT=111122223333 pytest tests/infrastructure

`TXNR_ENV` names the environment, the first of `promotion` in txnr.toml unless it is set. What was applied is destroyed
again where the environment allows it. The state stays in a folder of its own: the real one is never touched.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

REPOSITORY = Path(__file__).resolve().parents[2]


class Platform:
    """The root module of an environment in a folder of its own, and the AWS that it is applied to."""

    def __init__(self, folder: Path) -> None:
        project = tomllib.loads((REPOSITORY / "txnr.toml").read_text())
        self.name = os.environ.get("TXNR_ENV", project["promotion"][0])
        self.file = tomllib.loads((REPOSITORY / "envs" / f"{self.name}.toml").read_text())
        self.service = self.file.get("service", {}).get("name", "txn-reconcile-api")
        self.prefix = f"{self.file.get('project', 'txn-reconcile')}-{self.name}"
        self.folder = folder
        generated = sorted((REPOSITORY / "out" / self.name).glob("*.tf.json"))
        assert generated, f"nothing in out/{self.name}: run `txnr synth --env {self.name}`"
        for path in generated:
            shutil.copy(path, folder)
        self.local = "AWS_ENDPOINT_URL" in os.environ
        if self.local:
            os.environ.setdefault("AWS_ACCESS_KEY_ID", "local")
            os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "local")
        else:
            account = self.client("sts").get_caller_identity()["Account"]
            sandbox = os.environ.get("TXNR_SANDBOX_ACCOUNT")
            if sandbox is None or not sandbox == account == self.file["account_id"]:
                pytest.exit("set AWS_ENDPOINT_URL, or name the sandbox account in TXNR_SANDBOX_ACCOUNT", 2)
        self.override()

    def client(self, service: str) -> Any:
        direct = Config(proxies={}) if self.local else None
        return boto3.client(service, region_name=self.file["region"], config=direct)

    def override(self) -> None:
        """Keeps the state beside the module and, for a local AWS, skips what only the real one answers."""
        module: dict[str, Any] = {"terraform": {"backend": {"local": {}}}}
        if self.local:
            local = {"s3_use_path_style": True, "skip_metadata_api_check": True}
            module["provider"] = {
                "aws": [local if alias is None else {**local, "alias": alias} for alias in self.aliases()]
            }
        (self.folder / "zz_override.tf.json").write_text(json.dumps(module))

    def files(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted(self.folder.glob("*.tf.json"))]

    def aliases(self) -> list[str | None]:
        found: list[str | None] = []
        for file in self.files():
            blocks = file.get("provider", {}).get("aws", [])
            found += [block.get("alias") for block in (blocks if isinstance(blocks, list) else [blocks])]
        return found

    def prepare(self) -> None:
        """Makes the hosted zones that the module looks up, which an empty local AWS does not have."""
        if not self.local:
            return
        zones = {
            zone["name"]
            for file in self.files()
            for zone in file.get("data", {}).get("aws_route53_zone", {}).values()
        }
        for zone in sorted(zones):
            self.client("route53").create_hosted_zone(Name=zone, CallerReference=zone)

    def terraform(self, *arguments: str) -> str:
        done = subprocess.run(
            [os.environ.get("TERRAFORM", "terraform"), f"-chdir={self.folder}", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"terraform {arguments[0]}:\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    platform = Platform(tmp_path_factory.mktemp("root"))
    platform.prepare()
    platform.terraform("init", "-input=false")
    platform.terraform("apply", "-input=false", "-auto-approve", "-no-color")
    yield platform
    if not platform.file.get("protection", True):
        platform.terraform("destroy", "-input=false", "-auto-approve", "-no-color")


def test_the_load_balancer_faces_the_internet_and_speaks_https(platform: Platform) -> None:
    elb = platform.client("elbv2")
    [balancer] = elb.describe_load_balancers(Names=[platform.prefix])["LoadBalancers"]
    assert balancer["Scheme"] == "internet-facing"
    listeners = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    protocols = {listener["Port"]: listener["Protocol"] for listener in listeners}
    assert protocols[443] == "HTTPS"


def test_the_cluster_is_there_with_its_services(platform: Platform) -> None:
    ecs = platform.client("ecs")
    clusters = [arn for arn in ecs.list_clusters()["clusterArns"] if platform.prefix in arn]
    assert len(clusters) == 1
    services = ecs.list_services(cluster=clusters[0])["serviceArns"]
    # A service is made with its first image.
    named = {platform.service: platform.file.get("service", {}), **platform.file.get("services", {})}
    expected = sorted(name for name, service in named.items() if "image" in service)
    assert sorted(arn.rsplit("/", 1)[-1] for arn in services) == expected


def test_the_image_repository_is_immutable_and_scanned(platform: Platform) -> None:
    ecr = platform.client("ecr")
    [repository] = ecr.describe_repositories(repositoryNames=[platform.service])["repositories"]
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["encryptionConfiguration"]["encryptionType"] == "KMS"


def test_a_second_plan_changes_nothing(platform: Platform) -> None:
    platform.terraform("plan", "-input=false", "-no-color", "-detailed-exitcode")
