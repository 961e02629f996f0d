//! What runs after each of a sequence of applies: from a platform without an image to the first one, to later ones, by
//! whoever deploys them, and from one strategy to another. After each step AWS is asked what ECS runs now, and whether it
//! could: the README says what that has to be.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Environment, synthesize};
use test_kit::local_aws::LocalAws;
use test_kit::overrides::{self, Backend};
use test_kit::terraform::Terraform;

/// What a service needs to run, to be deployed and to be reached.
const PARTS: [&str; 7] = [
    "aws_ecr_repository.main",
    "aws_lb_listener.https",
    "aws_ecs_cluster.main",
    "aws_ecs_service.main",
    "aws_appautoscaling_target.tasks",
    "aws_codedeploy_app.main",
    "aws_codedeploy_deployment_group.main",
];
const CLUSTER: &str = "txn-reconcile-life";
const SERVICE: &str = "txn-reconcile-api";
const REGION: &str = "eu-west-1";
const TASKS: u64 = 2;

/// A platform with as little around its service as there can be.
const PLATFORM: &str = r#"
organization = "acme"
project = "txn-reconcile"
account_id = "565656565656"
region = "eu-west-1"
domain = "life.example.com"
production = false
protection = false
alarms.notify = ["life@example.com"]
account.baseline = false
backup.enabled = false
alb.access_logs = false
alb.connection_logs = false
logs.export = false

[network]
cidr = "10.60.0.0/22"
availability_zones = ["a", "b"]
nat = "none"
endpoints.gateway = ["s3", "dynamodb"]
endpoints.interface = ["ecr.api", "ecr.dkr", "logs", "secretsmanager"]
"#;

#[test]
fn the_service_runs_the_image_that_whoever_deploys_it_has_named() {
    let aws = LocalAws::start("565656565656");
    let mut life = Life::new(&aws);
    life.apply(None, "rolling").nothing_runs();
    let images: Vec<String> = (1..=6).map(|number| life.push(number)).collect();

    // Terraform deploys: what the file names is what runs.
    life.apply(Some(&images[0]), "rolling").runs(&images[0]);
    life.apply(Some(&images[1]), "rolling").runs(&images[1]);

    // A pipeline does: what it has deployed is left to it, whatever the file names.
    life.apply(Some(&images[1]), "external").runs(&images[1]);
    life.deploy(&images[2]);
    life.apply(Some(&images[3]), "external").runs(&images[2]);

    // Another controller takes another service, which starts with what the file names.
    life.apply(Some(&images[2]), "blue-green").runs(&images[2]);
    life.deploy(&images[3]);
    life.apply(Some(&images[4]), "blue-green").runs(&images[3]);

    // Taken away while CodeDeploy's second target group has the traffic, and deployed for the first time again.
    life.apply(None, "blue-green").nothing_runs();
    life.apply(Some(&images[4]), "blue-green").runs(&images[4]);
    life.deploy(&images[5]);
    life.apply(Some(&images[5]), "rolling").runs(&images[5]);

    life.apply(None, "external").nothing_runs();
    life.apply(Some(&images[0]), "external").runs(&images[0]);
}

/// The platform, its file and its state.
struct Life<'a> {
    aws: &'a LocalAws,
    scratch: tempfile::TempDir,
    /// The root module, once it is there.
    root: Option<PathBuf>,
    strategy: &'static str,
}

/// What ECS makes of it after an apply.
struct Now<'l, 'a> {
    life: &'l Life<'a>,
}

impl<'a> Life<'a> {
    fn new(aws: &'a LocalAws) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        fs::create_dir(scratch.path().join("envs")).unwrap();
        Self { aws, scratch, root: None, strategy: "rolling" }
    }

    /// Writes the file, synthesizes, plans and applies. After the first apply of a strategy another plan has to change
    /// nothing.
    fn apply(&mut self, image: Option<&str>, strategy: &'static str) -> Now<'_, 'a> {
        let new = self.root.is_none() || self.strategy != strategy;
        self.strategy = strategy;
        let envs = self.scratch.path().join("envs");
        let image = image.map(|image| format!("image = \"{image}\"\n")).unwrap_or_default();
        let service = format!(
            "[service]\ncontract = \"txn-reconcile-api\"\n{image}desired_count = {TASKS}\ndeployment.strategy = \"{strategy}\"\n"
        );
        fs::write(envs.join("life.toml"), format!("{PLATFORM}{service}")).unwrap();
        let root = synthesize(&envs, ["--env", "life"], &self.scratch.path().join("out")).remove(0);
        let terraform = Terraform::new(&root, self.aws);
        if self.root.is_none() {
            overrides::write(&root, &Backend::Local);
            Environment::read_in(envs, "life").prepare(self.aws, &root);
            terraform.init();
        }
        if terraform.plan_of(&PARTS).changes {
            terraform.apply_plan();
            if new {
                terraform.plan_of(&PARTS).assert_clean();
            }
        }
        self.root = Some(root);
        Now { life: self }
    }

    fn ask(&self, service: &str, operation: &str, parameters: Value) -> Value {
        self.aws.ask(REGION, service, operation, parameters)
    }

    /// Pushes an image; its digest.
    fn push(&self, number: u32) -> String {
        let digest = format!("sha256:{number:064x}");
        let config = json!({"mediaType": "application/vnd.oci.image.config.v1+json", "size": number, "digest": digest});
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": [],
            "mediaType": "application/vnd.oci.image.manifest.v1+json"});
        let put = json!({"repositoryName": SERVICE, "imageTag": format!("v{number}"),
            "imageManifest": manifest.to_string(), "imageDigest": digest});
        let pushed = self.ask("ecr", "put_image", put);
        assert_eq!(pushed["image"]["imageId"]["imageDigest"], digest);
        digest
    }

    fn service(&self) -> Option<Value> {
        let which = json!({"cluster": CLUSTER, "services": [SERVICE]});
        let found = self.ask("ecs", "describe_services", which)["services"].take();
        found.as_array()?.iter().find(|service| service["status"] == "ACTIVE").cloned()
    }

    fn definition(&self, which: &Value) -> Value {
        let asked = json!({"taskDefinition": which});
        self.ask("ecs", "describe_task_definition", asked)["taskDefinition"].take()
    }

    /// Deploys as a pipeline does: a revision that differs from the last one in its image, handed to ECS or to CodeDeploy.
    fn deploy(&self, digest: &str) {
        let last = self.definition(&json!(format!("{CLUSTER}-{SERVICE}")));
        let mut containers = last["containerDefinitions"].clone();
        let repository = containers[0]["image"].as_str().and_then(|image| image.split('@').next());
        containers[0]["image"] = json!(format!("{}@{digest}", repository.expect("a repository")));
        let mut next = json!({"containerDefinitions": containers});
        for key in ["family", "taskRoleArn", "executionRoleArn", "networkMode", "cpu", "memory", "volumes"] {
            next[key] = last[key].clone();
        }
        let next =
            self.ask("ecs", "register_task_definition", next)["taskDefinition"]["taskDefinitionArn"].take();
        let service = self.service().expect("a service to deploy to");
        if self.strategy == "external" {
            let update = json!({"cluster": CLUSTER, "service": SERVICE, "taskDefinition": next});
            self.ask("ecs", "update_service", update);
            return;
        }
        let listener = self.listener();
        let groups = self.ask("elbv2", "describe_target_groups", json!({}))["TargetGroups"].take();
        let there = &service["loadBalancers"][0];
        let idle = groups.as_array().unwrap().iter().map(|group| &group["TargetGroupArn"]);
        let idle = idle.clone().find(|arn| **arn != there["targetGroupArn"]).expect("a second target group");
        let mut balancer = there.clone();
        balancer["targetGroupArn"] = idle.clone();
        let set = json!({"cluster": CLUSTER, "service": SERVICE, "taskDefinition": next,
            "launchType": "FARGATE", "loadBalancers": [balancer], "networkConfiguration": service["networkConfiguration"]});
        let set = self.ask("ecs", "create_task_set", set)["taskSet"]["taskSetArn"].take();
        let primary = json!({"cluster": CLUSTER, "service": SERVICE, "primaryTaskSet": set});
        self.ask("ecs", "update_service_primary_task_set", primary);
        let action = json!([{"Type": "forward", "TargetGroupArn": idle}]);
        let change = json!({"ListenerArn": listener["ListenerArn"], "DefaultActions": action});
        self.ask("elbv2", "modify_listener", change);
    }

    /// The listener that serves.
    fn listener(&self) -> Value {
        let balancers = self.ask("elbv2", "describe_load_balancers", json!({}))["LoadBalancers"].take();
        let which = json!({"LoadBalancerArn": balancers[0]["LoadBalancerArn"]});
        let listeners = self.ask("elbv2", "describe_listeners", which)["Listeners"].take();
        let serves = |listener: &&Value| listener["Port"] == 443;
        listeners.as_array().unwrap().iter().find(serves).expect("a listener").clone()
    }

    /// The fewest tasks that the autoscaler leaves.
    fn least(&self) -> Option<u64> {
        let asked = json!({"ServiceNamespace": "ecs"});
        let targets = self.ask("application-autoscaling", "describe_scalable_targets", asked);
        targets["ScalableTargets"][0]["MinCapacity"].as_u64()
    }
}

impl Now<'_, '_> {
    /// No service, and nobody who would start a task of one.
    fn nothing_runs(&self) {
        assert_eq!(self.life.service(), None);
        assert_eq!(self.life.least(), None);
        let groups = self.life.ask("codedeploy", "list_applications", json!({}));
        assert_eq!(groups["applications"], json!([]), "CodeDeploy has nothing to deploy to");
    }

    /// As many tasks as should run the image, can start, and are reached.
    fn runs(&self, digest: &str) {
        let life = self.life;
        let service = life.service().expect("a service");
        let definition = life.definition(&service["taskDefinition"]);
        let container = &definition["containerDefinitions"][0];
        let image = container["image"].as_str().expect("an image");
        assert!(image.ends_with(&format!("@{digest}")), "{}: {image} runs, not {digest}", life.strategy);
        let count = service["desiredCount"].as_u64().max(life.least());
        assert_eq!(count, Some(TASKS), "{service}");
        assert_eq!(service["desiredCount"], TASKS, "an apply waits for no task: {service}");
        self.can_start(&definition, digest);
        let serves = life.listener()["DefaultActions"][0]["TargetGroupArn"].take();
        assert_eq!(serves, service["loadBalancers"][0]["targetGroupArn"], "requests reach no task");
        let controller = if life.strategy == "blue-green" { "CODE_DEPLOY" } else { "ECS" };
        assert_eq!(service["deploymentController"]["type"], controller);
    }

    /// What a task needs to start is there: its definition, image, roles, log and secrets.
    fn can_start(&self, definition: &Value, digest: &str) {
        let life = self.life;
        assert_eq!(definition["status"], "ACTIVE");
        let pull = json!({"repositoryName": SERVICE, "imageIds": [{"imageDigest": digest}]});
        life.ask("ecr", "describe_images", pull);
        for role in ["executionRoleArn", "taskRoleArn"] {
            let name = definition[role].as_str().and_then(|arn| arn.rsplit('/').next());
            life.ask("iam", "get_role", json!({"RoleName": name}));
        }
        let container = &definition["containerDefinitions"][0];
        let group = &container["logConfiguration"]["options"]["awslogs-group"];
        let groups = life.ask("logs", "describe_log_groups", json!({"logGroupNamePrefix": group}));
        assert_ne!(groups["logGroups"], json!([]), "no log group {group}");
        let secrets = container["secrets"].as_array().expect("secrets");
        assert!(!secrets.is_empty());
        for secret in secrets {
            life.ask("secretsmanager", "get_secret_value", json!({"SecretId": secret["valueFrom"]}));
        }
    }
}
