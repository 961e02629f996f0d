//! Environment files that are right, drawn at random: what any of them does, every environment has to do.

use proptest::prelude::*;
use std::fmt::Write;
use txnr::config::{FargateSize, RetentionDays};

/// Files that load without an error: each setting drawn from what the reference allows.
pub fn valid() -> impl Strategy<Value = String> {
    let around = (options(), alb(), waf(), detection(), rest());
    (head(), network(), service(), services(), data(), existing(), around).prop_map(
        |(head, (network, egress), service, services, data, existing, around)| {
            let (options, alb, waf, detection, rest) = around;
            // What production refuses, it does not get.
            let exec = if head.production { "" } else { "exec = true\n" };
            let rest = if head.production { rest.replace("export = false", "export = true") } else { rest };
            // The tables of the service are not reached otherwise.
            let tables = data.contains("store = \"dynamodb\"");
            let network = if tables { network } else { network.replace(", \"dynamodb\"]", "]") };
            let services: String = services.iter().map(|service| service.text(&head, &egress)).collect();
            let existing = existing.text(&head);
            // A table is scaled only once it is there, and is replicated only once it is scaled.
            let data = if options.recovery { data.replace("provisioned", "on-demand") } else { data };
            let options = options.text(&head);
            let head = head.text;
            format!("{head}{network}[service]\ncontract = \"txn-reconcile-api\"\n{exec}{service}{services}{data}{existing}{options}{alb}{waf}{detection}{rest}")
        },
    )
}

/// What the file begins with, and what of it the ARNs and hosts in other tables depend on.
#[derive(Debug, Clone)]
struct Head {
    text: String,
    account: String,
    region: &'static str,
    production: bool,
}

impl Head {
    /// An ARN of the environment's account and region.
    fn arn(&self, service: &str, resource: &str) -> String {
        self.arn_of(&self.account, service, resource)
    }

    fn arn_of(&self, account: &str, service: &str, resource: &str) -> String {
        let partition = match self.region.split('-').next() {
            Some("cn") => "aws-cn",
            _ if self.region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        let region = if service == "iam" { "" } else { self.region };
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

fn head() -> impl Strategy<Value = Head> {
    let region = one_of(&["us-east-1", "eu-west-3", "us-gov-east-1", "cn-north-1", "ap-southeast-4"]);
    let host = "[a-z]([a-z0-9]{0,8}[a-z0-9])?";
    ("[a-z][a-z0-9]{0,9}", "[0-9]{12}", region, host, any::<bool>(), any::<bool>()).prop_map(
        |(organization, account, region, host, production, fleeting)| {
            let mut text = format!(
                "organization = \"{organization}\"\naccount_id = \"{account}\"\nregion = \"{region}\"\n\
                 domain = \"{host}.example.com\"\nproduction = {production}\n\
                 alarms.page = [\"oncall@example.com\"]\n"
            );
            if fleeting && !production {
                text.push_str("protection = false\n");
            }
            Head { text, account, region, production }
        },
    )
}

/// What stands in `[network]`, and the names of the destinations outside AWS.
fn network() -> impl Strategy<Value = (String, Vec<String>)> {
    let zones = some_of(&["a", "b", "c", "d", "e", "f"], 2);
    let nat = one_of(&["per-az", "single", "none"]);
    // Those that the tasks need to start without NAT come first and always.
    let further = some_of(&["kms", "sts", "ssm", "ssmmessages", "events", "guardduty-data"], 0);
    let egress = prop::collection::btree_map("[a-z]{1,8}", (any::<[u8; 3]>(), 1_u16..), 0..4);
    // Half of them in a VPC that exists already, with what of it is somebody else's.
    let parts = ["flow_logs", "network_acls", "interface_endpoints", "gateway_endpoints"];
    let existing = prop::option::of(some_of(&parts, 0));
    let vpc = (any::<u8>(), 16_u8..=22, nat, existing);
    (vpc, zones, any::<[bool; 4]>(), further, egress).prop_map(
        |((octet, prefix, nat, existing), zones, [ipv6, s3, firewall, listed], further, egress)| {
            let needed = ["ecr.api", "ecr.dkr", "logs", "secretsmanager"];
            let interface: Vec<&str> = needed.into_iter().chain(further).collect();
            let theirs = |part| existing.as_ref().is_some_and(|parts| parts.contains(&part));
            let s3 = s3 && !theirs("flow_logs");
            let mut text = format!(
                "[network]\navailability_zones = {zones:?}\nipv6 = {ipv6}\nflow_logs.s3 = {s3}\n\
                 endpoints.gateway = [\"s3\", \"dynamodb\"]\n"
            );
            // Those that somebody may use, unless they are listed.
            if listed {
                let _ = writeln!(text, "endpoints.interface = {interface:?}\nendpoints.zones = {}", zones.len().min(2));
            }
            match &existing {
                Some(parts) => text.push_str(&existing_vpc(zones.len(), parts)),
                None => {
                    let _ = writeln!(text, "cidr = \"10.{octet}.0.0/{prefix}\"\nnat = \"{nat}\"");
                    if firewall && nat != "none" && prefix <= 19 {
                        text.push_str("firewall.allowed_names = [\"api.scheme.example\", \"*.bank.example\"]\n");
                    }
                }
            }
            // Without NAT there is no way to them.
            let leaves = existing.is_some() || nat != "none";
            let egress: Vec<_> = egress.into_iter().filter(|_| leaves).collect();
            let names = egress.iter().map(|(name, _)| name.clone()).collect();
            for (name, ([a, b, c], port)) in egress {
                let cidr = format!("{}.{b}.{c}.0/24", a.clamp(11, 99));
                let _ = write!(
                    text,
                    "[[network.egress]]\nname = \"{name}\"\ncidr = \"{cidr}\"\nport = {port}\nreason = \"To {name}\"\n"
                );
            }
            (text, names)
        },
    )
}

/// What stands below `existing` in `[network]`: subnets for each zone, and who has which part.
fn existing_vpc(zones: usize, parts: &[&str]) -> String {
    let subnets = |tier: usize| -> Vec<String> {
        (0..zones).map(|zone| format!("subnet-0123456789abcde{tier}{zone}")).collect()
    };
    let mut text = format!(
        "existing.vpc_id = \"vpc-0123456789abcdef0\"\nexisting.public = {:?}\nexisting.private = {:?}\n\
         existing.data = {:?}\nexisting.elsewhere.vpc = \"The network team has it\"\n",
        subnets(1),
        subnets(2),
        subnets(3)
    );
    for part in parts {
        let _ = writeln!(text, "existing.elsewhere.{part} = \"The network team has it\"");
        if *part == "interface_endpoints" {
            text.push_str("existing.interface_endpoint_cidrs = [\"10.0.16.0/22\"]\n");
        }
    }
    text
}

/// What stands in `[service]` and below it.
fn service() -> impl Strategy<Value = String> {
    let size = (prop::sample::select(FargateSize::CPU_UNITS.to_vec()), 1_u32..=120);
    let counts = (1_u32..=100, 0_u32..=100, 0_u32..=100);
    let enumerated = (one_of(&["x86_64", "arm64"]), one_of(&["rolling", "blue-green", "external"]));
    // Any text at all, since a variable's value may hold what Terraform would take for a template.
    let variables = prop::collection::btree_map("[X-Z]{1,6}", "[ -~\u{e4}\n]{0,12}|[$%]\\{x\\}", 0..4);
    let schedule = prop::collection::btree_map("[a-z]{1,8}", (0_u32..=50, 0_u32..=50), 0..3);
    (size, counts, enumerated, any::<bool>(), variables, schedule).prop_map(
        |(size, (desired, fewer, more), (architecture, owner), image, variables, schedule)| {
            let (cpu, memory) = fargate(size);
            let mut text = format!(
                "cpu = {cpu}\nmemory = {memory}\ndesired_count = {desired}\nmin_count = {}\nmax_count = {}\n\
                 architecture = \"{architecture}\"\ndeployment.strategy = \"{owner}\"\n",
                desired.saturating_sub(fewer).max(1),
                desired + more,
            );
            if image {
                text.push_str("image = \"v1\"\n");
            }
            for (name, value) in variables {
                // A string of JSON is one of TOML as well.
                let value = serde_json::Value::from(value);
                let _ = writeln!(text, "environment.{name} = {value}");
            }
            for (name, (min, more)) in schedule {
                let _ = write!(
                    text,
                    "[[service.schedule]]\nname = \"{name}\"\ncron = \"0 6 ? * MON-FRI *\"\nmin = {min}\nmax = {}\n",
                    min + more
                );
            }
            text
        },
    )
}

/// A service beside the main one.
#[derive(Debug, Clone)]
struct Further {
    name: String,
    /// Its place among them.
    place: usize,
    /// By its host, by its path at the domain of the main service, or by both.
    asked_by: &'static str,
    image: bool,
    port: u16,
    owner: &'static str,
    counts: (u32, u32),
    secret: bool,
    policies: usize,
    data_stores: bool,
    page: bool,
    sidecar: bool,
    reaches: bool,
}

fn services() -> impl Strategy<Value = Vec<Further>> {
    let asked_by = one_of(&["host", "path", "both"]);
    let drawn =
        (asked_by, 1024_u16.., one_of(&["rolling", "external"]), (1_u32..=50, 0_u32..=50), 0_usize..3);
    let further = (drawn, any::<[bool; 6]>());
    // None that is one of the platform's own, such as `main`.
    prop::collection::btree_map("x[a-z0-9]{0,8}(-[a-z0-9]{1,8})?", further, 0..4).prop_map(|services| {
        let services = services.into_iter().enumerate();
        services
            .map(|(place, (name, ((asked_by, port, owner, counts, policies), flags)))| {
                let [image, secret, data_stores, page, sidecar, reaches] = flags;
                Further {
                    name,
                    place,
                    asked_by,
                    image,
                    port,
                    owner,
                    counts,
                    secret,
                    policies,
                    data_stores,
                    page,
                    sidecar,
                    reaches,
                }
            })
            .collect()
    })
}

impl Further {
    /// Its table. It reaches all destinations or none.
    fn text(&self, head: &Head, egress: &[String]) -> String {
        let Self { name, place, asked_by, image, port, owner, counts: (desired, more), .. } = self;
        let Self { secret, policies, data_stores, page, sidecar, reaches, .. } = self;
        let mut text = format!(
            "[services.{name}]\ncontainer_port = {port}\ndesired_count = {desired}\nmax_count = {}\n\
             deployment.strategy = \"{owner}\"\ndata_stores = {data_stores}\npage = {page}\n",
            desired + more
        );
        if *asked_by != "path" {
            let _ = writeln!(text, "hosts = [\"of-{name}.example.com\"]");
        }
        if *asked_by != "host" {
            let _ = writeln!(text, "paths = [\"/of-{name}/*\"]");
        }
        // Computed ones may be the same.
        if *place > 0 {
            let _ = writeln!(text, "priority = {place}");
        }
        if *image {
            text.push_str("image = \"v1\"\n");
        }
        let policies: Vec<String> =
            (0..*policies).map(|number| head.arn("iam", &format!("policy/of-{name}-{number}"))).collect();
        let _ = writeln!(text, "task_policies = {policies:?}");
        if *reaches {
            let _ = writeln!(text, "egress = {egress:?}");
        }
        let arn = head.arn("secretsmanager", &format!("secret:{name}-AbCdEf"));
        if *secret {
            let _ = writeln!(text, "secrets.SESSION = \"{arn}\"");
        }
        if *sidecar {
            let digest = "8f5f2d0e2a6b43c1c0f3a4d7b9e18c5d6a7f90123b4c5d6e7f8091a2b3c4d5e6";
            let suffix = if head.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
            let repository = format!("{}.dkr.ecr.{}.{suffix}/agents", head.account, head.region);
            let _ = write!(
                text,
                "[services.{name}.sidecars.agent]\nrepository = \"{repository}\"\nimage = \"sha256:{digest}\"\n\
                 cpu = 64\nmemory = 128\nsecrets = {{ AGENT = \"{arn}\" }}\n"
            );
        }
        text
    }
}

/// What exists already, beside the network.
#[derive(Debug, Clone)]
struct Existing {
    keys: Vec<&'static str>,
    /// Another account, to which the key of secrets and the bucket of logs may belong.
    other: String,
    theirs: bool,
    certificate: bool,
    audit_bucket: bool,
    audit_key: bool,
    access_bucket: bool,
}

fn existing() -> impl Strategy<Value = Existing> {
    let keys = some_of(&["logs", "data", "secrets", "artifacts"], 0);
    (keys, "[0-9]{12}", any::<[bool; 5]>()).prop_map(
        |(keys, other, [theirs, certificate, audit_bucket, audit_key, access_bucket])| Existing {
            keys,
            other,
            theirs,
            certificate,
            audit_bucket,
            audit_key,
            access_bucket,
        },
    )
}

impl Existing {
    /// The tables of what there is.
    fn text(&self, head: &Head) -> String {
        let owner = if self.theirs { &self.other } else { &head.account };
        let mut text = String::new();
        if !self.keys.is_empty() {
            text.push_str("[kms.keys]\nelsewhere = \"The security team has them\"\n");
        }
        for (number, purpose) in self.keys.iter().enumerate() {
            let account = if *purpose == "secrets" { owner } else { &head.account };
            let key = format!("key/0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e6{number}");
            let _ = writeln!(text, "{purpose} = \"{}\"", head.arn_of(account, "kms", &key));
        }
        if self.certificate {
            let arn = head.arn("acm", "certificate/0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e6f");
            let _ = write!(
                text,
                "[certificate]\narn = \"{arn}\"\nnames = [\"*.example.com\"]\nelsewhere = \"The PKI has it\"\n"
            );
        }
        if self.audit_bucket {
            let _ = write!(
                text,
                "[storage.audit_bucket]\nname = \"a-log-archive\"\naccount = \"{owner}\"\n\
                 elsewhere = \"The log archive has it\"\n"
            );
            if self.audit_key {
                let key = head.arn_of(owner, "kms", "key/0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e7f");
                let _ = writeln!(text, "key = \"{key}\"");
            }
        }
        if self.access_bucket {
            text.push_str(
                "[storage.access_bucket]\nname = \"an-access-log\"\nelsewhere = \"The account factory has it\"\n",
            );
        }
        text
    }
}

/// What an environment may have besides, each in a table of its own.
#[derive(Debug, Clone)]
struct Options {
    zone: bool,
    signed: bool,
    names: bool,
    recovery: bool,
    restores: bool,
    clients: bool,
}

fn options() -> impl Strategy<Value = Options> {
    any::<[bool; 6]>().prop_map(|[zone, signed, names, recovery, restores, clients]| Options {
        zone,
        signed,
        names,
        recovery,
        restores,
        clients,
    })
}

impl Options {
    fn text(&self, head: &Head) -> String {
        // The other region of the partition; public zones are logged and signed in one partition alone.
        let (other, zones) = match head.region {
            "us-gov-east-1" => ("us-gov-west-1", false),
            "cn-north-1" => ("cn-northwest-1", false),
            _ => ("eu-central-1", true),
        };
        let (zone, names) = (self.zone && zones, if self.names { "[\"api.scheme.example\"]" } else { "[]" });
        let mut text = format!(
            "[dns]\ncreate_zone = {zone}\ndnssec = {}\nallowed_names = {names}\n[backup.restore_test]\nenabled = {}\n",
            zone && self.signed,
            self.restores
        );
        if self.recovery {
            let _ = writeln!(text, "[recovery]\nregion = \"{other}\"");
        }
        if self.clients {
            text.push_str(
                "[alb.mutual_tls]\nmode = \"verify\"\nca_bundle = { bucket = \"authorities\", key = \"ca.pem\" }\n",
            );
        }
        text
    }
}

/// What stands in `[data]` and `[secrets]`.
fn data() -> impl Strategy<Value = String> {
    let store = one_of(&["dynamodb", "postgres"]);
    let kinds = (one_of(&["on-demand", "provisioned"]), one_of(&["instance", "aurora-serverless"]));
    let version = one_of(&["15", "16.8", "17"]);
    (store, any::<bool>(), kinds, version, 1_u32..=35, 1_u32..=15, 1_u32..9).prop_map(
        |(store, both, (billing, engine), version, days, readers, drawn)| {
            let enabled = if both { "dynamodb.enabled = true\npostgres.enabled = true\n" } else { "" };
            format!(
                "[data]\nstore = \"{store}\"\n{enabled}dynamodb.billing = \"{billing}\"\n\
                 dynamodb.recovery_days = {days}\npostgres.engine = \"{engine}\"\npostgres.version = \"{version}\"\n\
                 postgres.backup_days = {days}\npostgres.aurora.readers = {readers}\n\
                 [secrets]\nadmin_key.version = {drawn}\n"
            )
        },
    )
}

fn alb() -> impl Strategy<Value = String> {
    let allowed = some_of(&["198.51.100.0/24", "2001:db8::/32", "2001:db9::/32"], 0);
    (any::<[bool; 3]>(), allowed).prop_map(|([redirect, access, connections], allowed)| {
        // Of IPv4 there is always one, since a load balancer need not speak IPv6.
        let allowed: Vec<&str> = ["203.0.113.0/24"].into_iter().chain(allowed).collect();
        format!(
            "[alb]\nhttp_redirect = {redirect}\naccess_logs = {access}\nconnection_logs = {connections}\n\
             allowed_cidrs = {allowed:?}\n"
        )
    })
}

fn waf() -> impl Strategy<Value = String> {
    let addresses = || some_of(&["192.0.2.0/24", "198.51.100.7/32", "2001:db8::/48"], 0);
    let countries = (one_of(&["geo_allow", "geo_deny"]), some_of(&["DE", "KP", "US"], 0));
    let paths = some_of(&["/v1/statements", "/v1/disputes"], 0);
    let groups = ["anonymous_ips", "common", "ip_reputation", "known_bad_inputs", "sql_injection"];
    let counting = some_of(&groups, 0);
    (addresses(), addresses(), countries, paths, counting).prop_map(
        |(allow, deny, (geography, countries), paths, counting)| {
            let deny: Vec<&str> = deny.into_iter().filter(|range| !allow.contains(range)).collect();
            let mut text = format!(
                "[waf]\nallow_ips = {allow:?}\ndeny_ips = {deny:?}\n{geography} = {countries:?}\n\
                 upload_paths = {paths:?}\ncapacity_limit = 5000\n"
            );
            for group in counting {
                let _ = writeln!(text, "managed_groups.{group} = \"count\"");
            }
            text
        },
    )
}

/// What the account is watched with, as far as every partition has it, and what somebody else looks after.
fn detection() -> impl Strategy<Value = String> {
    let parts = [
        "trail",
        "recorder",
        "guardduty",
        "security_hub",
        "inspector",
        "access_analyzer",
        "password_policy",
        "support_role",
        "defaults",
    ];
    (some_of(&parts, 0), some_of(&["s3", "eks"], 0), any::<[bool; 4]>()).prop_map(
        |(elsewhere, plans, [insights, export, unused, block])| {
            let mut text = format!(
                "[detection]\nguardduty_plans = {plans:?}\ntrail_insights = {insights}\n\
                 guardduty_export = {export}\nunused_access = {unused}\nblock_other_vpcs = {block}\n\
                 [account.elsewhere]\n"
            );
            for part in elsewhere {
                let _ = writeln!(text, "{part} = \"The security team has it\"");
            }
            text
        },
    )
}

/// Retention, the registry and the state.
fn rest() -> impl Strategy<Value = String> {
    let retention: Vec<u32> = RetentionDays::ALLOWED.iter().copied().filter(|days| *days >= 365).collect();
    let locks = (one_of(&["GOVERNANCE", "COMPLIANCE"]), one_of(&["lockfile", "dynamodb", "both"]));
    (prop::sample::select(retention), any::<[bool; 3]>(), locks, prop::collection::vec("[0-9]{12}", 0..3))
        .prop_map(|(retention, [export, baseline, scanning], (object_lock, lock), accounts)| {
            format!(
                "[logs]\nretention_days = {retention}\nexport = {export}\n[account]\nbaseline = {baseline}\n\
                 [ecr]\nenhanced_scanning = {scanning}\npull_accounts = {accounts:?}\n\
                 [storage.object_lock]\nmode = \"{object_lock}\"\n[state]\nlock = \"{lock}\"\n"
            )
        })
}

fn one_of(values: &[&'static str]) -> impl Strategy<Value = &'static str> + use<> {
    prop::sample::select(values.to_vec())
}

/// At least so many of the values, in their order.
fn some_of(values: &[&'static str], least: usize) -> impl Strategy<Value = Vec<&'static str>> + use<> {
    prop::sample::subsequence(values.to_vec(), least..=values.len())
}

/// The next larger size that Fargate offers.
fn fargate((cpu, gibibytes): (u32, u32)) -> (u32, u32) {
    let sizes = (gibibytes..=120).chain(1..=120).map(|gibibytes| gibibytes * 1024);
    let memory = sizes.chain([512]).find(|memory| FargateSize::new(cpu, *memory).is_ok());
    (cpu, memory.expect("every CPU size goes with some memory"))
}
