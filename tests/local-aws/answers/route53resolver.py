"""Route 53 Resolver: the DNS firewall, and the end of query logging."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from gateway import ACCOUNT, Call
from registry import Answers, Refusal

resolver = Answers("route53resolver")


def _backend(call: Call) -> Any:
    from moto.route53resolver.models import route53resolver_backends

    return route53resolver_backends[ACCOUNT][call.region]


@resolver.on("DisassociateResolverQueryLogConfig")
def _(call: Call) -> dict[str, Any]:
    kept = _backend(call).resolver_query_log_config_associations
    config, vpc = call.params["ResolverQueryLogConfigId"], call.params["ResourceId"]
    for key, association in list(kept.items()):
        if (association.resolver_query_log_config_id, association.resource_id) == (config, vpc):
            del kept[key]
            return {"ResolverQueryLogConfigAssociation": {**association.description(), "Status": "DELETING"}}
    raise Refusal("ResourceNotFoundException", f"{config} is not associated with {vpc}")


@resolver.on("DeleteResolverQueryLogConfig")
def _(call: Call) -> dict[str, Any]:
    kept = _backend(call).resolver_query_log_configs
    config = kept.pop(call.params["ResolverQueryLogConfigId"], None)
    if config is None:
        raise Refusal("ResourceNotFoundException", call.params["ResolverQueryLogConfigId"])
    return {"ResolverQueryLogConfig": {**config.description(), "Status": "DELETING"}}


def _lifecycle(thing: str, resource: str, create: str, delete: str) -> None:
    """Makes, shows and deletes one kind of thing of the DNS firewall."""

    @resolver.on(f"{create}")
    def _(call: Call) -> dict[str, Any]:
        made_id = f"rslvr-{resource}-{uuid.uuid4().hex[:17]}"
        arn = call.arn(f"{resource}/{made_id}")
        made = {"Id": made_id, "Arn": arn, "Status": "COMPLETE", "OwnerId": ACCOUNT, **call.params}
        tags = made.pop("Tags", None)
        if tags:
            _backend(call).tagger.tag_resource(arn, tags)
        call.kept(thing)[made_id] = made
        return {thing: made}

    @resolver.on(f"Get{thing}")
    def _(call: Call) -> dict[str, Any]:
        return {thing: _known(call, thing)}

    @resolver.on(delete)
    def _(call: Call) -> dict[str, Any]:
        gone = {**_known(call, thing), "Status": "DELETING"}
        del call.kept(thing)[gone["Id"]]
        return {thing: gone}


def _known(call: Call, thing: str) -> dict[str, Any]:
    asked = call.params[f"{thing}Id"]
    if asked not in call.kept(thing):
        raise Refusal("ResourceNotFoundException", f"no {thing} {asked}")
    return dict(call.kept(thing)[asked])


_lifecycle(
    "FirewallDomainList",
    "firewall-domain-list",
    create="CreateFirewallDomainList",
    delete="DeleteFirewallDomainList",
)
_lifecycle(
    "FirewallRuleGroup",
    "firewall-rule-group",
    create="CreateFirewallRuleGroup",
    delete="DeleteFirewallRuleGroup",
)
_lifecycle(
    "FirewallRuleGroupAssociation",
    "firewall-rule-group-association",
    create="AssociateFirewallRuleGroup",
    delete="DisassociateFirewallRuleGroup",
)


@resolver.on("UpdateFirewallDomains")
def _(call: Call) -> dict[str, Any]:
    domains = _known(call, "FirewallDomainList")
    kept = call.kept("domains").setdefault(domains["Id"], set())
    given = {domain if domain.endswith(".") else f"{domain}." for domain in call.params["Domains"]}
    operation = call.params["Operation"]
    changed = {"ADD": kept | given, "REMOVE": kept - given, "REPLACE": given}[operation]
    call.kept("domains")[domains["Id"]] = changed
    return {"Id": domains["Id"], "Name": domains["Name"], "Status": "COMPLETE"}


@resolver.on("ListFirewallDomains")
def _(call: Call) -> dict[str, Any]:
    return {"Domains": sorted(call.kept("domains").get(call.params["FirewallDomainListId"], []))}


@resolver.on("CreateFirewallRule", "UpdateFirewallRule")
def _(call: Call) -> dict[str, Any]:
    key = (call.params["FirewallRuleGroupId"], call.params["FirewallDomainListId"])
    default = {"FirewallDomainRedirectionAction": "INSPECT_REDIRECTION_DOMAIN"}
    rule = {**call.kept("rules").get(key, default), **call.params}
    call.kept("rules")[key] = rule
    return {"FirewallRule": rule}


@resolver.on("ListFirewallRules")
def _(call: Call) -> dict[str, Any]:
    group = call.params["FirewallRuleGroupId"]
    return {"FirewallRules": [rule for (of, _), rule in call.kept("rules").items() if of == group]}


@resolver.on("DeleteFirewallRule")
def _(call: Call) -> dict[str, Any]:
    key = (call.params["FirewallRuleGroupId"], call.params.get("FirewallDomainListId"))
    if key not in call.kept("rules"):
        raise Refusal("ResourceNotFoundException", "no such rule")
    return {"FirewallRule": call.kept("rules").pop(key)}


@resolver.on("UpdateFirewallConfig", "GetFirewallConfig")
def _(call: Call) -> dict[str, Any]:
    vpc = call.params["ResourceId"]
    default = {
        "Id": f"rslvr-fc-{uuid.uuid4().hex[:17]}",
        "ResourceId": vpc,
        "OwnerId": ACCOUNT,
        "FirewallFailOpen": "DISABLED",
    }
    config = call.kept("configs").setdefault(vpc, default)
    config.update({name: value for name, value in call.params.items() if name == "FirewallFailOpen"})
    return {"FirewallConfig": config}


@resolver.on("ListFirewallConfigs")
def _(call: Call) -> dict[str, Any]:
    return {"FirewallConfigs": list(call.kept("configs").values())}


@resolver.proof
def query_logs(aws: Callable[..., Any]) -> None:
    client = aws("route53resolver")
    vpc = aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = "arn:aws:logs:us-east-1:123456789012:log-group:answers"
    config = client.create_resolver_query_log_config(
        Name="answers", DestinationArn=group, CreatorRequestId="2"
    )
    which = {"ResolverQueryLogConfigId": config["ResolverQueryLogConfig"]["Id"]}
    client.associate_resolver_query_log_config(**which, ResourceId=vpc)
    client.disassociate_resolver_query_log_config(**which, ResourceId=vpc)
    client.delete_resolver_query_log_config(**which)
    try:
        client.get_resolver_query_log_config(**which)
    except client.exceptions.ResourceNotFoundException:
        return
    raise AssertionError("a deleted configuration is still there")


@resolver.proof
def firewall(aws: Callable[..., Any]) -> None:
    client = aws("route53resolver")
    vpc = aws("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    tags = [{"Key": "Owner", "Value": "payments"}]
    domains = client.create_firewall_domain_list(CreatorRequestId="1", Name="partners", Tags=tags)
    domains = domains["FirewallDomainList"]
    assert client.list_tags_for_resource(ResourceArn=domains["Arn"])["Tags"] == tags
    client.update_firewall_domains(
        FirewallDomainListId=domains["Id"], Operation="ADD", Domains=["example.com"]
    )
    assert client.list_firewall_domains(FirewallDomainListId=domains["Id"])["Domains"] == ["example.com."]
    group = client.create_firewall_rule_group(CreatorRequestId="1", Name="egress")["FirewallRuleGroup"]["Id"]
    rule = {"FirewallRuleGroupId": group, "FirewallDomainListId": domains["Id"]}
    client.create_firewall_rule(CreatorRequestId="1", **rule, Priority=1, Action="ALLOW", Name="partners")
    assert [
        one["Action"] for one in client.list_firewall_rules(FirewallRuleGroupId=group)["FirewallRules"]
    ] == ["ALLOW"]
    linked = client.associate_firewall_rule_group(
        CreatorRequestId="1", FirewallRuleGroupId=group, VpcId=vpc, Priority=101, Name="egress"
    )["FirewallRuleGroupAssociation"]["Id"]
    found = client.get_firewall_rule_group_association(FirewallRuleGroupAssociationId=linked)
    assert found["FirewallRuleGroupAssociation"]["VpcId"] == vpc
    client.disassociate_firewall_rule_group(FirewallRuleGroupAssociationId=linked)
    client.update_firewall_config(ResourceId=vpc, FirewallFailOpen="ENABLED")
    assert client.get_firewall_config(ResourceId=vpc)["FirewallConfig"]["FirewallFailOpen"] == "ENABLED"
    client.delete_firewall_rule(**rule)
    assert not client.list_firewall_rules(FirewallRuleGroupId=group)["FirewallRules"]
    client.delete_firewall_rule_group(FirewallRuleGroupId=group)
    client.delete_firewall_domain_list(FirewallDomainListId=domains["Id"])
