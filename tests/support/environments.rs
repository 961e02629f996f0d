//! Environment files that are right, drawn at random: what any of them does, every environment has to do.

use proptest::prelude::*;
use std::fmt::Write;
use txnr::config::{FargateSize, RetentionDays};

/// Files that load without an error: each setting drawn from what the reference allows.
pub fn valid() -> impl Strategy<Value = String> {
    (head(), network(), service(), data(), alb(), waf(), detection(), rest()).prop_map(
        |((head, production), network, service, data, alb, waf, detection, rest)| {
            // What production refuses, it does not get.
            let exec = if production { "" } else { "exec = true\n" };
            let rest = if production { rest.replace("export = false", "export = true") } else { rest };
            // The tables of the service are not reached otherwise.
            let tables = data.contains("store = \"dynamodb\"");
            let network = if tables { network } else { network.replace(", \"dynamodb\"]", "]") };
            format!("{head}{network}[service]\n{exec}{service}{data}{alb}{waf}{detection}{rest}")
        },
    )
}

fn head() -> impl Strategy<Value = (String, bool)> {
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
            (text, production)
        },
    )
}

fn network() -> impl Strategy<Value = String> {
    let zones = some_of(&["a", "b", "c", "d", "e", "f"], 2);
    let nat = one_of(&["per-az", "single", "none"]);
    // Those that the tasks need to start without NAT come first and always.
    let further = some_of(&["kms", "sts", "ssm", "ssmmessages", "events", "guardduty-data"], 0);
    let egress = prop::collection::btree_map("[a-z]{1,8}", (any::<[u8; 3]>(), 1_u16..), 0..4);
    (any::<u8>(), 16_u8..=22, zones, nat, any::<[bool; 2]>(), further, egress).prop_map(
        |(octet, prefix, zones, nat, [ipv6, s3], further, egress)| {
            let needed = ["ecr.api", "ecr.dkr", "logs", "secretsmanager"];
            let interface: Vec<&str> = needed.into_iter().chain(further).collect();
            let mut text = format!(
                "[network]\ncidr = \"10.{octet}.0.0/{prefix}\"\navailability_zones = {zones:?}\nnat = \"{nat}\"\n\
                 ipv6 = {ipv6}\nflow_logs.s3 = {s3}\nendpoints.gateway = [\"s3\", \"dynamodb\"]\n\
                 endpoints.interface = {interface:?}\n"
            );
            // Without NAT there is no way to them.
            let egress = egress.into_iter().filter(|_| nat != "none");
            for (name, ([a, b, c], port)) in egress {
                let cidr = format!("{}.{b}.{c}.0/24", a.clamp(11, 99));
                let _ = write!(
                    text,
                    "[[network.egress]]\nname = \"{name}\"\ncidr = \"{cidr}\"\nport = {port}\nreason = \"To {name}\"\n"
                );
            }
            text
        },
    )
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
