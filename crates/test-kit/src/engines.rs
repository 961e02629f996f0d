//! The engines that the service works on: S3 on the local AWS, DynamoDB in this process, PostgreSQL as a server.
//!
//! The only variables that a task is given beside those of its definition are what ECS sets itself (the region), the
//! credentials that its agent would hand out, and `AWS_ENDPOINT_URL_*`, which lead to the engines. None of the engines
//! looks at the credentials, so what the role may do is not tried here but held against its policy by `tests/deployed`.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::process::Command;

use serde_json::{Value, json};

use crate::http::Caller;
use crate::local_aws::LocalAws;
use crate::task::Module;
use crate::{address, postgres};

/// What an environment works on.
pub struct Engines {
    /// What S3 is asked of.
    pub aws: LocalAws,
    dynamo: Option<Dynamo>,
    database: Option<Database>,
    /// What leads to them, where something stands in between.
    pub endpoints: BTreeMap<&'static str, String>,
}

struct Dynamo {
    address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

struct Database {
    _server: postgres::Server,
    ip: IpAddr,
    owner: String,
    authorities: tempfile::TempDir,
}

impl Engines {
    /// Starts what a module's service needs, with its buckets, and its tables or its database.
    pub fn start(module: &Module) -> Self {
        let aws = LocalAws::start(&module.account);
        for bucket in ["statements", "audit"] {
            let bucket = module.resources("aws_s3_bucket")[bucket];
            let mut wanted = json!({"Bucket": bucket["bucket"], "ObjectLockEnabledForBucket": bucket["object_lock_enabled"]});
            if module.region != "us-east-1" {
                wanted["CreateBucketConfiguration"] = json!({"LocationConstraint": module.region});
            }
            aws.ask(&module.region, "s3", "create_bucket", wanted);
        }
        let store = module.container("main")["environment"].as_array().unwrap().iter();
        let store = store.clone().find(|entry| entry["name"] == contract::Var::Store.name());
        let on_postgres = store.unwrap()["value"] == contract::StoreKind::Postgres.name();
        let dynamo = (!on_postgres).then(|| Dynamo::start(module));
        let database = on_postgres.then(|| Database::start(module));
        let mut endpoints = BTreeMap::from([("AWS_ENDPOINT_URL_S3", aws.url().to_owned())]);
        if let Some(dynamo) = &dynamo {
            endpoints.insert("AWS_ENDPOINT_URL_DYNAMODB", format!("http://{}", dynamo.address));
        }
        Self { aws, dynamo, database, endpoints }
    }

    /// What AWS knows and no synthesized module can.
    pub fn know(&self, reference: &str) -> Option<String> {
        match reference {
            "aws_db_instance.main.address" => Some(self.database.as_ref()?.ip.to_string()),
            "aws_db_instance.main.resource_id" => Some("db-LOCAL".to_owned()),
            _ => None,
        }
    }

    /// Where the certificate authorities of the database lie.
    pub fn authorities(&self) -> String {
        self.database.as_ref().unwrap().authorities.path().join("ca.pem").display().to_string()
    }

    /// The secrets that RDS makes.
    pub fn secret(&self, source: &str) -> Option<String> {
        source.ends_with(":username::").then(|| self.database.as_ref().unwrap().owner.clone())
    }

    /// The variables that come from elsewhere than the task definition.
    pub fn added(&self, module: &Module) -> BTreeMap<String, String> {
        let own = [
            ("AWS_REGION", module.region.clone()),
            ("AWS_ACCESS_KEY_ID", "local".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ];
        let endpoints = self.endpoints.iter().map(|(name, value)| (*name, value.clone()));
        own.into_iter().chain(endpoints).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Where DynamoDB listens.
    pub fn dynamo(&self) -> Option<SocketAddr> {
        self.dynamo.as_ref().map(|dynamo| dynamo.address)
    }
}

impl Dynamo {
    /// With the tables as the module describes them.
    fn start(module: &Module) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(dynoxide::server::serve_on(listener, dynoxide::Database::memory().unwrap()));
        // It wants a signature, of whatever kind.
        let signature = "AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, \
            SignedHeaders=host, Signature=00";
        let caller = Caller { address, authorization: signature.to_owned() };
        for table in module.resources("aws_dynamodb_table").values() {
            let headers = [
                ("content-type", "application/x-amz-json-1.0"),
                ("x-amz-date", "20260101T000000Z"),
                ("x-amz-target", "DynamoDB_20120810.CreateTable"),
            ];
            let wanted = create_table(table).to_string();
            let made = caller.send("POST /", &headers, wanted.as_bytes()).unwrap();
            assert_eq!(made.status, 200, "{wanted}\n{}", made.text);
        }
        Self { address, _runtime: runtime }
    }
}

/// Terraform's table, as the API takes it.
fn create_table(table: &Value) -> Value {
    let keys = |block: &Value| {
        json!([
            {"AttributeName": block["hash_key"], "KeyType": "HASH"},
            {"AttributeName": block["range_key"], "KeyType": "RANGE"},
        ])
    };
    let list = |key: &str| table[key].as_array().cloned().unwrap_or_default();
    let attributes: Vec<Value> = list("attribute")
        .iter()
        .map(|attribute| json!({"AttributeName": attribute["name"], "AttributeType": attribute["type"]}))
        .collect();
    let indexes: Vec<Value> = list("global_secondary_index")
        .iter()
        .map(|index| {
            json!({
                "IndexName": index["name"],
                "KeySchema": keys(index),
                "Projection": {"ProjectionType": index["projection_type"]},
            })
        })
        .collect();
    let mut wanted = json!({
        "TableName": table["name"],
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": keys(table),
        "AttributeDefinitions": attributes,
    });
    if !indexes.is_empty() {
        wanted["GlobalSecondaryIndexes"] = json!(indexes);
    }
    wanted
}

impl Database {
    /// As the module describes it: its owner, its database and TLS, without which nobody is let in. The token of IAM is
    /// taken unseen: only RDS could check it.
    fn start(module: &Module) -> Self {
        let instance = module.resources("aws_db_instance")["main"];
        let owner = instance["username"].as_str().unwrap().to_owned();
        let port = u16::try_from(instance["port"].as_u64().unwrap()).unwrap();
        let ip = IpAddr::from(address::own());
        let authority = rcgen::KeyPair::generate().unwrap();
        let mut settings = rcgen::CertificateParams::new(Vec::new()).unwrap();
        settings.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = rcgen::CertifiedIssuer::self_signed(settings, authority).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate =
            rcgen::CertificateParams::new(vec![ip.to_string()]).unwrap().signed_by(&key, &issuer).unwrap();
        let identity = (&*certificate.pem(), &*key.serialize_pem());
        let setup = postgres::Setup { address: ip, port, owner: &owner, identity: Some(identity) };
        let server = postgres::start(&setup);
        let authorities = tempfile::tempdir().unwrap();
        std::fs::write(authorities.path().join("ca.pem"), issuer.pem()).unwrap();
        readable(authorities.path());
        create_database(ip, port, &owner, instance["db_name"].as_str().unwrap());
        Self { _server: server, ip, owner, authorities }
    }
}

/// Lets other users than the test's own read a folder.
fn readable(folder: &std::path::Path) {
    std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

/// As RDS does when it makes the instance.
fn create_database(ip: IpAddr, port: u16, owner: &str, name: &str) {
    let create = || {
        let mut command = Command::new(postgres::program("createdb"));
        command.args(["--host", &ip.to_string(), "--port", &port.to_string(), "--username", owner, name]);
        command.env("PGSSLMODE", "require").output().expect("createdb runs")
    };
    let mut made = create();
    for _ in 0..50 {
        if made.status.success() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
        made = create();
    }
    panic!("createdb: {}", String::from_utf8_lossy(&made.stderr));
}
