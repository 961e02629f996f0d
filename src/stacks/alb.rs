//! The internet-facing load balancer, its listeners, certificate and DNS records.

mod targets;

use aws::kind::{AcmCertificateValidationCertificateArn, Route53ZoneZoneId};
use aws::lb_target_group::HealthCheck;
use aws::{
    AcmCertificate, AcmCertificateHandle, AcmCertificateValidation, AcmCertificateValidationOptional, Lb,
    LbHandle, LbListener, LbListenerHandle, LbListenerOptional, LbListenerRule, LbListenerRuleOptional,
    LbTargetGroup, LbTargetGroupHandle, LbTrustStore, LbTrustStoreHandle, LbTrustStoreOptional,
    LbTrustStoreRevocation, LbTrustStoreRevocationOptional, Route53Record, Route53RecordHandle,
    Route53RecordOptional, acm_certificate, data, lb, lb_listener, lb_listener_rule, route53_record,
};
use terraform::kind::{Set, Text};
use terraform::{Address, Addressed, Expr, Meta, NonEmpty, Stack, set};

pub use targets::Targets;

use super::per_service::PerService;
use super::{dns, network, storage};
use crate::config::{
    Certificate, CertificateArn, CertificateName, DomainName, EnvConfig, FurtherService, KeyAlgorithm,
    MutualTlsMode, S3Object, TargetGroup, Workload,
};

/// The load balancer and what the service needs of it.
pub struct Outputs {
    /// The load balancer.
    pub load_balancer: LbHandle,
    /// The HTTPS listener; the service depends on it.
    pub https_listener: LbListenerHandle,
    /// The target group that the tasks of each service register in.
    pub target_groups: PerService<LbTargetGroupHandle>,
    /// What leads requests to each service, and what it depends on: the listener, whose default the main one is, or a
    /// rule of it.
    pub ways: PerService<Address>,
    /// What CodeDeploy swaps, where it deploys.
    pub blue_green: Option<BlueGreen>,
    /// The ARN of the zone that the service's name is in.
    pub zone_arn: Expr<Text>,
    /// The certificate's ARN, known once it is issued.
    pub certificate: Expr<AcmCertificateValidationCertificateArn>,
}

/// What CodeDeploy needs beside the first target group.
pub struct BlueGreen {
    /// The second target group. CodeDeploy swaps the two with every deployment.
    pub green: LbTargetGroupHandle,
    /// Where the next version answers before it gets traffic, if anybody may look.
    pub test_listener: Option<LbListenerHandle>,
}

/// How many target groups the load balancer has: one for each service, and the main one's second.
#[must_use]
pub fn target_groups(config: &EnvConfig) -> usize {
    1 + config.services.len() + usize::from(config.is_blue_green())
}

/// Builds the load balancer.
pub fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    network: &network::Outputs,
    buckets: &storage::Outputs,
    zone: Option<&dns::Zone>,
) -> Outputs {
    let zone = HostedZone::of(stack, config, zone);
    let certificate = match &config.certificate {
        Certificate::Issued { key_algorithm, .. } => certificate(stack, config, *key_algorithm, &zone),
        Certificate::Existing { arn, first, .. } => existing_certificate(stack, arn, first),
    };
    let load_balancer = load_balancer(stack, config, network, &buckets.access);
    let target_groups = PerService::build(config, |workload| {
        target_group(stack, config, network, workload, TargetGroup::Blue)
    });
    let blue = &target_groups.main;
    let trust_store = trust_store(stack, config);
    let listen = Https {
        config,
        load_balancer: &load_balancer,
        certificate: &certificate,
        trust_store: trust_store.as_ref(),
    };
    let https_listener = listen.add(stack, "https", 443, blue);
    let blue_green = config.is_blue_green().then(|| {
        let green = target_group(stack, config, network, config.main_service(), TargetGroup::Green);
        let test_listener = config.test_listener().map(|(port, _)| listen.add(stack, "test", port, &green));
        BlueGreen { green, test_listener }
    });
    let ways = PerService::build(config, |workload| match workload.further {
        None => https_listener.address().clone(),
        Some(further) => rule(stack, config, &https_listener, workload, further, target_groups.of(workload)),
    });
    if config.alb.http_redirect {
        http_listener(stack, &load_balancer);
    }
    for (host, address) in names_in_dns(config) {
        alias(stack, &zone, &load_balancer, &host, &format!("{address}_ipv4"), "A");
        if config.network.ipv6 {
            // Only where the load balancer has IPv6 addresses: an AAAA alias of any other answers nothing.
            alias(stack, &zone, &load_balancer, &host, &format!("{address}_ipv6"), "AAAA");
        }
    }
    for workload in config.workloads() {
        let host = workload.further.and_then(|further| further.hosts.first()).unwrap_or(&config.domain);
        let output = workload.address("service_url");
        stack.output(&output, "Where the service is reached", format!("https://{host}"));
    }
    stack.output("load_balancer_arn", "The load balancer", load_balancer.arn());
    stack.output("load_balancer_dns_name", "The load balancer's own name in DNS", load_balancer.dns_name());
    stack.output("https_listener_arn", "The HTTPS listener", https_listener.arn());
    for workload in config.workloads() {
        let output = workload.address("target_group_arn");
        let group = target_groups.of(workload);
        stack.output(&output, "The target group that the tasks register in", group.arn());
    }
    stack.output("certificate_arn", "The load balancer's certificate", certificate.clone());
    Outputs {
        load_balancer,
        https_listener,
        target_groups,
        ways,
        blue_green,
        certificate,
        zone_arn: zone.arn,
    }
}

/// The zone that the service's name is entered into.
struct HostedZone {
    id: Expr<Route53ZoneZoneId>,
    arn: Expr<Text>,
}

impl HostedZone {
    /// The zone that was made, or the one that exists.
    fn of(stack: &mut Stack<'_>, config: &EnvConfig, made: Option<&dns::Zone>) -> Self {
        match made {
            Some(made) => Self { id: made.zone.zone_id(), arn: made.zone.arn() },
            None => {
                let zone = look_up(stack, config);
                Self { id: zone.zone_id(), arn: zone.arn() }
            }
        }
    }
}

/// The public zone exists already: other names of the organization live in it.
fn look_up(stack: &mut Stack<'_>, config: &EnvConfig) -> data::Route53ZoneHandle {
    stack.add(
        "main",
        match &config.dns.hosted_zone_id {
            Some(id) => data::Route53Zone { zone_id: set(id.to_string()), ..Default::default() },
            None => data::Route53Zone {
                name: set(config.hosted_zone.to_string()),
                private_zone: set(false),
                ..Default::default()
            },
        },
    )
}

/// The certificate, once it is issued: listeners take it from here, so that none is made before (PCI 4.2.1).
fn certificate(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    key_algorithm: KeyAlgorithm,
    zone: &HostedZone,
) -> Expr<AcmCertificateValidationCertificateArn> {
    let certificate = stack.add_with(
        "main",
        // The listener moves to the new certificate before the old one goes; ACM deletes none that is in use.
        Meta::new().create_before_destroy(),
        AcmCertificate {
            domain_name: set(config.domain.to_string()),
            key_algorithm: set(key_algorithm.as_str()),
            // Logged by every browser's demand; a certificate that somebody else obtains for the name shows up too.
            options: set(acm_certificate::Options {
                certificate_transparency_logging_preference: set("ENABLED"),
            }),
            subject_alternative_names: alternative_names(config),
            // Renewed by ACM for as long as the records below stand; mail would need a person every year.
            validation_method: set("DNS"),
            ..Default::default()
        },
    );
    let records: Vec<Expr<Text>> = validation_names(config)
        .into_iter()
        .map(|name| validation_record(stack, config, zone, &certificate, &name).fqdn())
        .collect();
    let validation = stack.add(
        "main",
        AcmCertificateValidation {
            certificate_arn: set(certificate.arn()),
            optional: AcmCertificateValidationOptional { validation_record_fqdns: set(records) },
        },
    );
    validation.certificate_arn()
}

/// What a load balancer takes. Where none are named, the provider looks among the RSA keys of old alone.
const KEY_TYPES: [&str; 6] =
    ["EC_prime256v1", "EC_secp384r1", "EC_secp521r1", "RSA_2048", "RSA_3072", "RSA_4096"];

/// The certificate that exists already, if it is the one that its name leads to: Terraform finds none by its ARN, and
/// learns no name but the first.
fn existing_certificate(
    stack: &mut Stack<'_>,
    arn: &CertificateArn,
    first: &CertificateName,
) -> Expr<AcmCertificateValidationCertificateArn> {
    let what = format!(
        "certificate.arn: the newest certificate for {first} that is issued in this region is another one. Name that one; \
         or, if the first name of the certificate is another, put it first under certificate.names."
    );
    let certificate = stack.add_with(
        "main",
        Meta::new().postcondition(Expr::<Text>::itself("arn").equals(arn.to_string()), what),
        data::AcmCertificate {
            domain: set(first.to_string()),
            key_types: set(KEY_TYPES),
            most_recent: set(true),
            statuses: set(["ISSUED"]),
            ..Default::default()
        },
    );
    certificate.arn()
}

/// The names that the certificate bears which is issued here, each once: the domain, the alternative names, and the hosts
/// of services that none of those stands for.
#[must_use]
pub fn certified_names(config: &EnvConfig) -> Vec<String> {
    let Certificate::Issued { alternative_names, .. } = &config.certificate else { return Vec::new() };
    let mut names = vec![config.domain.to_string()];
    let alternatives = alternative_names.iter().map(ToString::to_string);
    names.extend(alternatives.filter(|name| *name != config.domain.as_str()));
    for host in config.services.values().flat_map(|service| &service.hosts) {
        if !names.iter().any(|name| host.is_named_by(name)) {
            names.push(host.to_string());
        }
    }
    names
}

/// The further names, sorted; absent if there are none.
fn alternative_names(config: &EnvConfig) -> Option<Expr<Set<Text>>> {
    let mut names = certified_names(config).split_off(1);
    names.sort();
    if names.is_empty() { None } else { set(names) }
}

/// A name whose ownership is proved, once for itself and its wildcard: ACM asks the same record for both.
struct ValidationName {
    /// The name as the certificate has it: `*.example.com`.
    certified: String,
    /// The name itself: `example.com`.
    base: String,
}

fn validation_names(config: &EnvConfig) -> Vec<ValidationName> {
    let mut names: Vec<ValidationName> = Vec::new();
    for certified in certified_names(config) {
        let base = certified.strip_prefix("*.").unwrap_or(&certified).to_owned();
        if !names.iter().any(|name| name.base == base) {
            names.push(ValidationName { certified, base });
        }
    }
    names
}

/// The record that ACM asks for. Its address comes from the name that it proves, so that further names leave it alone.
fn validation_record(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    zone: &HostedZone,
    certificate: &AcmCertificateHandle,
    name: &ValidationName,
) -> Route53RecordHandle {
    let options = certificate.domain_validation_options();
    let option = |attribute| options.find("domain_name", name.certified.clone(), attribute);
    stack.add(
        validation_address(&name.base, config.hosted_zone.as_str()),
        Route53Record {
            name: option("resource_record_name"),
            r#type: option("resource_record_type"),
            zone_id: set(zone.id.clone()),
            optional: Route53RecordOptional {
                // The record of a name is the same for every certificate of the account: one that an earlier
                // certificate left behind is taken over, not an error.
                allow_overwrite: set(true),
                records: set([option("resource_record_value")]),
                ttl: set(300),
                ..Default::default()
            },
        },
    )
}

/// `validation_api` for `api.example.com` in the zone `example.com`. A dot becomes one underscore and a hyphen two,
/// and neither stands beside the other in a domain name, so two names never have one address.
fn validation_address(base: &str, zone: &str) -> String {
    let identifier = below(base, zone);
    if identifier.is_empty() { "validation".to_owned() } else { format!("validation_{identifier}") }
}

fn below(name: &str, zone: &str) -> String {
    let below = name.strip_suffix(zone).unwrap_or(name).trim_end_matches('.');
    below.replace('-', "__").replace('.', "_")
}

/// The names that lead to the load balancer, and what the addresses of their records begin with.
fn names_in_dns(config: &EnvConfig) -> Vec<(DomainName, String)> {
    let mut names = vec![(config.domain.clone(), "service".to_owned())];
    for host in config.services.values().flat_map(|further| &further.hosts) {
        if !names.iter().any(|(name, _)| name == host) {
            names.push((host.clone(), format!("host_{}", below(host.as_str(), config.hosted_zone.as_str()))));
        }
    }
    names
}

fn load_balancer(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    network: &network::Outputs,
    logs: &storage::Bucket,
) -> LbHandle {
    let alb = &config.alb;
    // Both kinds of file lie under AWSLogs/<account>/ and tell themselves apart by name, so neither has a prefix.
    let to_bucket = |on: bool| {
        on.then(|| lb::AccessLogs {
            bucket: set(logs.id()),
            optional: lb::AccessLogsOptional { enabled: set(true), ..Default::default() },
        })
    };
    stack.add_with(
        "main",
        // AWS writes a test file when logging is turned on, which the bucket's policy must allow by then.
        logs.before(Meta::new()).prevent_destroy(config.protection),
        Lb {
            access_logs: to_bucket(alb.access_logs),
            connection_logs: to_bucket(alb.connection_logs),
            desync_mitigation_mode: set(alb.desync_mode.as_str()),
            drop_invalid_header_fields: set(true),
            enable_cross_zone_load_balancing: set(true),
            enable_deletion_protection: set(config.protection),
            enable_http2: set(true),
            // The service's audit trail can say how each request was encrypted.
            enable_tls_version_and_cipher_suite_headers: set(true),
            // Rather no answer than an unfiltered request (PCI 6.4.2).
            enable_waf_fail_open: set(false),
            idle_timeout: set(alb.idle_timeout_seconds.get()),
            internal: set(false),
            ip_address_type: set(if config.network.ipv6 { "dualstack" } else { "ipv4" }),
            load_balancer_type: set("application"),
            name: set(config.names.load_balancer()),
            security_groups: set([network.alb_security_group.id()]),
            subnets: set(network.public_subnets.clone()),
            // The last address of the header is the client's as the load balancer saw it; the service trusts no other.
            xff_header_processing_mode: set("append"),
            ..Default::default()
        },
    )
}

/// The tasks by address, as Fargate needs it. Between load balancer and tasks runs plain HTTP: it stays in the
/// VPC's private subnets, where security groups let the load balancer alone reach the tasks. HTTPS there is
/// recommended, not required (PCI 4.2.1 is about open, public networks), and a load balancer does not check the
/// target's certificate anyway.
fn target_group(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    network: &network::Outputs,
    workload: Workload<'_>,
    group: TargetGroup,
) -> LbTargetGroupHandle {
    let service = workload.service;
    let health = &service.health_check;
    let (address, name) = match workload.name() {
        None => (group.as_str().to_owned(), group.as_str()),
        Some(name) => (workload.address("main"), name),
    };
    stack.add_with(
        address,
        // Another port makes another group. It is made first, so that listener and service can move to it, and
        // needs a name of its own by then: hence a prefix, which holds 6 characters, and the full name as a tag.
        Meta::new().create_before_destroy(),
        LbTargetGroup {
            deregistration_delay: set(service.deregistration_delay_seconds.to_string()),
            health_check: set(HealthCheck {
                enabled: set(true),
                healthy_threshold: set(health.healthy_threshold.get()),
                interval: set(health.interval_seconds.get()),
                matcher: set("200"),
                path: set(health.path.to_string()),
                port: set("traffic-port"),
                protocol: set("HTTP"),
                timeout: set(health.timeout_seconds.get()),
                unhealthy_threshold: set(health.unhealthy_threshold.get()),
            }),
            // An upload keeps a task busy far longer than a look-up, so requests go where the fewest are open.
            load_balancing_algorithm_type: set("least_outstanding_requests"),
            name_prefix: set(name_prefix(name)),
            port: set(service.container_port),
            protocol: set("HTTP"),
            protocol_version: set("HTTP1"),
            tags: set([("Name", config.names.of(name))]),
            target_type: set("ip"),
            vpc_id: set(network.vpc.clone()),
            ..Default::default()
        },
    )
}

/// Six characters at most, the last of them a hyphen.
fn name_prefix(name: &str) -> String {
    let start: String = name.chars().take(5).collect();
    format!("{}-", start.trim_end_matches('-'))
}

/// Leads the requests to a service's hosts and paths to its tasks. All others go to the main service.
fn rule(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    listener: &LbListenerHandle,
    workload: Workload<'_>,
    further: &FurtherService,
    group: &LbTargetGroupHandle,
) -> Address {
    let values = |texts: Vec<String>| Some(lb_listener_rule::HostHeader { values: set(texts) });
    let hosts = further.hosts.iter().map(ToString::to_string).collect();
    let hosts = lb_listener_rule::Condition { host_header: values(hosts), ..Default::default() };
    let paths: Vec<String> = further.paths.iter().map(ToString::to_string).collect();
    let paths = (!paths.is_empty())
        .then(|| lb_listener_rule::Condition { path_pattern: values(paths), ..Default::default() });
    let rule = stack.add(
        workload.address("main"),
        LbListenerRule {
            action: NonEmpty::one(lb_listener_rule::Action {
                r#type: set("forward"),
                optional: lb_listener_rule::ActionOptional {
                    target_group_arn: set(group.arn()),
                    ..Default::default()
                },
            }),
            condition: NonEmpty::new(hosts, paths),
            listener_arn: listener.arn(),
            optional: LbListenerRuleOptional {
                priority: set(further.priority),
                tags: set([("Name", config.names.of(further.service.name.as_str()))]),
            },
        },
    );
    rule.address().clone()
}

/// What every HTTPS listener has in common.
struct Https<'a> {
    config: &'a EnvConfig,
    load_balancer: &'a LbHandle,
    certificate: &'a Expr<AcmCertificateValidationCertificateArn>,
    trust_store: Option<&'a LbTrustStoreHandle>,
}

impl Https<'_> {
    /// What is said of verification alone is said where there is some: provider 6 takes it nowhere else.
    /// <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/version-6-upgrade>
    fn mutual_authentication(&self) -> Option<lb_listener::MutualAuthentication> {
        let mutual = &self.config.alb.mutual_tls;
        let optional = lb_listener::MutualAuthenticationOptional::default();
        match mutual.mode {
            MutualTlsMode::Off => None,
            MutualTlsMode::Passthrough => {
                Some(lb_listener::MutualAuthentication { mode: set("passthrough"), optional })
            }
            MutualTlsMode::Verify => Some(lb_listener::MutualAuthentication {
                mode: set("verify"),
                optional: lb_listener::MutualAuthenticationOptional {
                    advertise_trust_store_ca_names: set(if mutual.advertise_ca_names { "on" } else { "off" }),
                    ignore_client_certificate_expiry: set(mutual.ignore_expiry),
                    trust_store_arn: self.trust_store.map(LbTrustStoreHandle::arn),
                },
            }),
        }
    }

    fn add(
        &self,
        stack: &mut Stack<'_>,
        name: &'static str,
        port: u16,
        target_group: &LbTargetGroupHandle,
    ) -> LbListenerHandle {
        let config = self.config;
        let hsts = format!("max-age={}; includeSubDomains", config.alb.hsts_max_age_seconds);
        let mut meta = Meta::new();
        if config.is_blue_green() && config.service.image.is_some() {
            // CodeDeploy's: the next apply would move the traffic back.
            // https://github.com/hashicorp/terraform-provider-aws/issues/6802
            meta = meta.ignore(LbListener::DEFAULT_ACTION);
        }
        stack.add_with(
            name,
            meta,
            LbListener {
                default_action: NonEmpty::one(lb_listener::DefaultAction {
                    r#type: set("forward"),
                    optional: lb_listener::DefaultActionOptional {
                        target_group_arn: set(target_group.arn()),
                        ..Default::default()
                    },
                }),
                load_balancer_arn: set(self.load_balancer.arn()),
                optional: LbListenerOptional {
                    certificate_arn: set(self.certificate.clone()),
                    mutual_authentication: self.mutual_authentication(),
                    port: set(port),
                    protocol: set("HTTPS"),
                    // What the service is made of is nobody's business (PCI 1.4.5).
                    routing_http_response_server_enabled: set(false),
                    routing_http_response_strict_transport_security_header_value: set(hsts),
                    // Nothing that an API answers is to be guessed at, or shown inside another page.
                    routing_http_response_x_content_type_options_header_value: set("nosniff"),
                    routing_http_response_x_frame_options_header_value: set("DENY"),
                    ssl_policy: set(config.alb.ssl_policy.as_str()),
                    ..Default::default()
                },
            },
        )
    }
}

/// The authorities whose certificates clients may bear, and the certificates that they took back.
fn trust_store(stack: &mut Stack<'_>, config: &EnvConfig) -> Option<LbTrustStoreHandle> {
    let mutual = &config.alb.mutual_tls;
    let bundle = mutual.ca_bundle.as_ref().filter(|_| mutual.mode == MutualTlsMode::Verify)?;
    let version = |object: &S3Object| object.version.as_ref().map(|version| Expr::new(version.to_string()));
    let store = stack.add(
        "clients",
        LbTrustStore {
            ca_certificates_bundle_s3_bucket: Expr::external(bundle.bucket.to_string()),
            ca_certificates_bundle_s3_key: set(bundle.key.to_string()),
            optional: LbTrustStoreOptional {
                ca_certificates_bundle_s3_object_version: version(bundle),
                // As many characters as a load balancer's: 32.
                name: set(config.names.load_balancer()),
                ..Default::default()
            },
        },
    );
    for (number, list) in (1..).zip(&mutual.revocations) {
        stack.add(
            format!("clients_{number}"),
            LbTrustStoreRevocation {
                revocations_s3_bucket: set(list.bucket.to_string()),
                revocations_s3_key: set(list.key.to_string()),
                trust_store_arn: set(store.arn()),
                optional: LbTrustStoreRevocationOptional { revocations_s3_object_version: version(list) },
            },
        );
    }
    stack.output("trust_store_arn", "The authorities whose certificates clients may bear", store.arn());
    Some(store)
}

/// Port 80 serves nothing but the way to HTTPS (PCI 2.2.5, 4.2.1).
fn http_listener(stack: &mut Stack<'_>, load_balancer: &LbHandle) {
    stack.add(
        "http",
        LbListener {
            default_action: NonEmpty::one(lb_listener::DefaultAction {
                r#type: set("redirect"),
                optional: lb_listener::DefaultActionOptional {
                    redirect: set(lb_listener::Redirect {
                        status_code: set("HTTP_301"),
                        optional: lb_listener::RedirectOptional {
                            port: set("443"),
                            protocol: set("HTTPS"),
                            ..Default::default()
                        },
                    }),
                    ..Default::default()
                },
            }),
            load_balancer_arn: set(load_balancer.arn()),
            optional: LbListenerOptional {
                port: set(80),
                protocol: set("HTTP"),
                routing_http_response_server_enabled: set(false),
                ..Default::default()
            },
        },
    );
}

/// A service's name. An existing record is not overwritten: it may carry somebody's traffic.
fn alias(
    stack: &mut Stack<'_>,
    zone: &HostedZone,
    load_balancer: &LbHandle,
    name: &DomainName,
    address: &str,
    record_type: &'static str,
) {
    stack.add(
        address,
        Route53Record {
            name: set(name.to_string()),
            r#type: set(record_type),
            zone_id: set(zone.id.clone()),
            optional: Route53RecordOptional {
                alias: set(route53_record::Alias {
                    evaluate_target_health: set(true),
                    name: set(load_balancer.dns_name()),
                    zone_id: set(load_balancer.zone_id()),
                }),
                ..Default::default()
            },
        },
    );
}

#[cfg(test)]
pub(in crate::stacks) mod tests {
    use super::*;
    use crate::synth::synth;
    use serde_json::{Value, json};

    /// What a stack's file says.
    pub fn file(environment: &str, stack: &str) -> Value {
        let root = synth(&EnvConfig::for_test(environment)).expect("a module without faults");
        let name = format!("{stack}.tf.json");
        let (_, text) = root.render("test").into_iter().find(|(file, _)| *file == name).expect("the file");
        serde_json::from_str(&text).expect("JSON")
    }

    fn resource(file: &Value, kind: &str, name: &str) -> Value {
        file["resource"][kind][name].clone()
    }

    #[test]
    fn https_is_current_and_says_nothing_of_the_server() {
        let https = resource(&file("", "alb"), "aws_lb_listener", "https");
        assert_eq!(https["port"], 443);
        assert_eq!(https["protocol"], "HTTPS");
        assert_eq!(https["ssl_policy"], "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09");
        assert_eq!(https["certificate_arn"], "${aws_acm_certificate_validation.main.certificate_arn}");
        assert_eq!(https["routing_http_response_server_enabled"], false);
        assert_eq!(
            https["routing_http_response_strict_transport_security_header_value"],
            "max-age=31536000; includeSubDomains"
        );
    }

    #[test]
    fn the_load_balancer_fails_closed_and_cannot_be_deleted() {
        let lb = resource(&file("", "alb"), "aws_lb", "main");
        assert_eq!(lb["enable_waf_fail_open"], false);
        assert_eq!(lb["drop_invalid_header_fields"], true);
        assert_eq!(lb["desync_mitigation_mode"], "defensive");
        assert_eq!(lb["enable_deletion_protection"], true);
        assert_eq!(lb["lifecycle"]["prevent_destroy"], true);
        let lb = resource(&file("production = false\nprotection = false\n", "alb"), "aws_lb", "main");
        assert_eq!(lb["enable_deletion_protection"], false);
        assert_eq!(lb["lifecycle"], Value::Null);
    }

    #[test]
    fn logs_go_to_the_access_bucket_once_it_admits_them() {
        let lb = resource(&file("", "alb"), "aws_lb", "main");
        let logs = json!({ "bucket": "${aws_s3_bucket.access.id}", "enabled": true });
        assert_eq!(lb["access_logs"], logs);
        assert_eq!(lb["connection_logs"], logs);
        assert_eq!(lb["depends_on"], json!(["aws_s3_bucket_policy.access"]));
        let lb = resource(&file("alb.connection_logs = false\n", "alb"), "aws_lb", "main");
        assert_eq!((&lb["access_logs"], &lb["connection_logs"]), (&logs, &Value::Null));
    }

    const BUNDLE: &str =
        "[alb.mutual_tls]\nmode = \"verify\"\nca_bundle = { bucket = \"acme-ca\", key = \"ca.pem\" }\n";

    #[test]
    fn clients_prove_who_they_are_where_they_have_to() {
        assert_eq!(
            resource(&file("", "alb"), "aws_lb_listener", "https")["mutual_authentication"],
            Value::Null
        );
        let more = "revocations = [{ bucket = \"acme-ca\", key = \"crl.pem\", version = \"abc\" }]\nadvertise_ca_names = true\n\
                    [service.deployment]\nstrategy = \"blue-green\"\nblue_green.test_cidrs = [\"203.0.113.0/24\"]\n";
        let alb = file(&format!("{BUNDLE}{more}"), "alb");
        let verify = json!({
            "advertise_trust_store_ca_names": "on",
            "ignore_client_certificate_expiry": false,
            "mode": "verify",
            "trust_store_arn": "${aws_lb_trust_store.clients.arn}"
        });
        for listener in ["https", "test"] {
            assert_eq!(resource(&alb, "aws_lb_listener", listener)["mutual_authentication"], verify);
        }
        assert_eq!(resource(&alb, "aws_lb_listener", "http")["mutual_authentication"], Value::Null);
        let store = resource(&alb, "aws_lb_trust_store", "clients");
        assert_eq!(store["ca_certificates_bundle_s3_key"], "ca.pem");
        assert!(store["name"].as_str().is_some_and(|name| name.len() <= 32));
        let list = resource(&alb, "aws_lb_trust_store_revocation", "clients_1");
        assert_eq!(list["trust_store_arn"], "${aws_lb_trust_store.clients.arn}");
        assert_eq!(list["revocations_s3_object_version"], "abc");
        let alb = file("alb.mutual_tls.mode = \"passthrough\"\n", "alb");
        let passed = &resource(&alb, "aws_lb_listener", "https")["mutual_authentication"];
        assert_eq!(passed, &json!({ "mode": "passthrough" }));
        assert_eq!(resource(&alb, "aws_lb_trust_store", "clients"), Value::Null);
    }

    #[test]
    fn port_80_only_redirects_and_only_if_asked_to() {
        let http = resource(&file("", "alb"), "aws_lb_listener", "http");
        let redirect = json!({ "port": "443", "protocol": "HTTPS", "status_code": "HTTP_301" });
        assert_eq!(http["default_action"], json!([{ "redirect": redirect, "type": "redirect" }]));
        assert_eq!(
            resource(&file("alb.http_redirect = false\n", "alb"), "aws_lb_listener", "http"),
            Value::Null
        );
    }

    #[test]
    fn a_target_group_can_be_replaced_while_it_serves() {
        let group = resource(&file("", "alb"), "aws_lb_target_group", "blue");
        assert_eq!(group["name"], Value::Null, "a fixed name would collide with the group that is replaced");
        assert_eq!(group["name_prefix"], "blue-");
        assert_eq!(group["lifecycle"]["create_before_destroy"], true);
        assert_eq!(group["target_type"], "ip");
    }

    #[test]
    fn ipv6_is_answered_where_it_is_spoken() {
        let off = file("", "alb");
        assert_eq!(resource(&off, "aws_lb", "main")["ip_address_type"], "ipv4");
        assert_eq!(resource(&off, "aws_route53_record", "service_ipv6"), Value::Null);
        let on = file("network.ipv6 = true\n", "alb");
        assert_eq!(resource(&on, "aws_lb", "main")["ip_address_type"], "dualstack");
        assert_eq!(resource(&on, "aws_route53_record", "service_ipv6")["type"], "AAAA");
    }

    #[test]
    fn a_certificate_that_exists_is_taken_as_it_is_and_watched_all_the_same() {
        let arn = "arn:aws:acm:us-east-1:111122223333:certificate/0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e65";
        let text = format!("[certificate]\narn = \"{arn}\"\nelsewhere = \"The PKI team\"\n");
        let alb = file(&text, "alb");
        let found = "${data.aws_acm_certificate.main.arn}";
        assert_eq!(resource(&alb, "aws_lb_listener", "https")["certificate_arn"], found);
        let sought = &alb["data"]["aws_acm_certificate"]["main"];
        assert_eq!(
            (&sought["domain"], &sought["statuses"]),
            (&json!("reconcile.example.com"), &json!(["ISSUED"]))
        );
        let held = &sought["lifecycle"]["postcondition"][0]["condition"];
        assert!(held.as_str().is_some_and(|held| held.contains(arn)), "{held}");
        assert_eq!(resource(&alb, "aws_acm_certificate", "main"), Value::Null);
        let records = alb["resource"]["aws_route53_record"].as_object().expect("records");
        assert_eq!(records.keys().collect::<Vec<_>>(), ["service_ipv4"]);
        let alarm = resource(&file(&text, "alarms"), "aws_cloudwatch_metric_alarm", "certificate_expiry");
        assert_eq!(alarm["dimensions"]["CertificateArn"], found);
    }

    #[test]
    fn a_name_and_its_wildcard_are_proved_by_one_record() {
        let file = file(
            r#"certificate.alternative_names = ["*.example.com", "example.com", "a-b.example.com", "a.b.example.com"]
"#,
            "alb",
        );
        let records = file["resource"]["aws_route53_record"].as_object().expect("records");
        let validation: Vec<_> = records.keys().filter(|name| name.starts_with("validation")).collect();
        assert_eq!(validation, ["validation", "validation_a__b", "validation_a_b", "validation_reconcile"]);
        let fqdns = &resource(&file, "aws_acm_certificate_validation", "main")["validation_record_fqdns"];
        assert_eq!(fqdns.as_array().map(Vec::len), Some(4));
        let name = records["validation"]["name"].as_str().expect("text");
        assert!(name.contains("*.example.com"), "the certificate lists the wildcard: {name}");
    }
}
