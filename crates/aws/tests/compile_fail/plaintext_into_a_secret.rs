//~ E0277: `&str` cannot stand for a `terraform::kind::Ephemeral`
use terraform::{Module, set};

fn main() {
    let mut module = Module::default();
    let mut stack = module.stack("s");
    let secret = stack.add("main", aws::SecretsmanagerSecret { name: set("n"), ..Default::default() });
    stack.add(
        "main",
        aws::SecretsmanagerSecretVersion {
            secret_id: secret.id(),
            optional: aws::SecretsmanagerSecretVersionOptional {
                secret_string_wo: set("hunter2"),
                secret_string_wo_version: set(1),
                ..Default::default()
            },
        },
    );
}
