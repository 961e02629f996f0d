//! The cost of the model: modules of 10, 100 and 1,000 platforms of 128 resources each, built, checked and
//! rendered. Criterion reports the throughput in resources per second; it is flat if the cost is linear.
//!
//! `cargo bench --bench model`

use aws::document::policy::{Policy, Principal, Statement};
use aws::kind::{IdentityPolicy, ResourcePolicy, TrustPolicy};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use terraform::{Meta, Module, Stack, set, text};

/// Resources of one platform.
const RESOURCES: usize = 128;

/// A platform about the size and shape of the real one: subnets and rules, keys and roles with documents.
fn platform(stack: &mut Stack<'_>, n: usize) {
    let name = |role: &str| format!("{role}_{n}");
    let vpc = stack.add(name("vpc"), aws::Vpc { cidr_block: set("10.0.0.0/16"), ..Default::default() });
    for i in 0..16_u32 {
        let subnet = stack.add(
            name(&format!("subnet_{i}")),
            aws::Subnet {
                vpc_id: vpc.id(),
                optional: aws::SubnetOptional {
                    cidr_block: set(format!("10.0.{i}.0/24")),
                    tags: set([("Name", format!("subnet-{i}"))]),
                    ..Default::default()
                },
            },
        );
        let table = stack.add(
            name(&format!("table_{i}")),
            aws::RouteTable { vpc_id: vpc.id(), optional: Default::default() },
        );
        stack.add(
            name(&format!("association_{i}")),
            aws::RouteTableAssociation {
                route_table_id: table.id(),
                optional: aws::RouteTableAssociationOptional {
                    subnet_id: set(subnet.id()),
                    ..Default::default()
                },
            },
        );
    }
    let group = stack.add(name("group"), aws::SecurityGroup { vpc_id: set(vpc.id()), ..Default::default() });
    for i in 0..38_u32 {
        stack.add(
            name(&format!("rule_{i}")),
            aws::VpcSecurityGroupIngressRule {
                ip_protocol: set("tcp"),
                security_group_id: group.id(),
                optional: aws::VpcSecurityGroupIngressRuleOptional {
                    description: set(format!("Rule {i} of the benchmark")),
                    from_port: set(i + 1024),
                    referenced_security_group_id: set(group.id()),
                    to_port: set(i + 1024),
                    ..Default::default()
                },
            },
        );
    }
    for i in 0..10_u32 {
        with_documents(stack, &name(&format!("service_{i}")));
    }
}

/// Four resources, three of them with a policy.
fn with_documents(stack: &mut Stack<'_>, name: &str) {
    let root = Principal::arn("arn:aws:iam::111122223333:root");
    let key = stack.add(
        name,
        aws::KmsKey {
            enable_key_rotation: set(true),
            policy: set(Policy::<ResourcePolicy>::new([Statement::<ResourcePolicy>::allow(
                "Root",
                root,
                ["kms:*"],
                ["*"],
            )])),
            ..Default::default()
        },
    );
    let group = stack.add(
        name,
        aws::CloudwatchLogGroup {
            kms_key_id: set(key.arn()),
            name: set(format!("/bench/{name}")),
            retention_in_days: set(400),
            ..Default::default()
        },
    );
    let role = stack.add_with(
        name,
        Meta::new().depends_on(&group),
        aws::IamRole {
            assume_role_policy: set(Policy::<TrustPolicy>::new([Statement::<TrustPolicy>::assume(
                "Tasks",
                Principal::service("ecs-tasks.amazonaws.com"),
            )])),
            optional: Default::default(),
        },
    );
    stack.add(
        name,
        aws::IamRolePolicy {
            policy: set(Policy::<IdentityPolicy>::new([Statement::<IdentityPolicy>::allow(
                "Write",
                ["logs:CreateLogStream", "logs:PutLogEvents"],
                [text![group.arn(), ":*"]],
            )])),
            role: role.name(),
            optional: Default::default(),
        },
    );
}

fn module(platforms: usize) -> Module {
    let mut module = Module::default();
    let mut stack = module.stack("bench");
    for n in 0..platforms {
        platform(&mut stack, n);
    }
    module
}

fn copies(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("copies");
    group.sample_size(10);
    for platforms in [10, 100, 1000] {
        let nodes = module(platforms).finish().map(|root| root.nodes().len());
        assert_eq!(nodes, Ok(platforms * RESOURCES));
        let resources = u64::try_from(platforms * RESOURCES).unwrap_or_default();
        group.throughput(Throughput::Elements(resources));
        group.bench_with_input(BenchmarkId::from_parameter(platforms), &platforms, |bencher, &platforms| {
            bencher.iter(|| module(platforms).finish().map(|root| root.render("bench")));
        });
    }
    group.finish();
}

criterion_group!(benches, copies);
criterion_main!(benches);
