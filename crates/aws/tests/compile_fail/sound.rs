//~ compiles: the control for the cases beside it
use terraform::{Module, set};

fn main() {
    let mut module = Module::default();
    let mut stack = module.stack("s");
    let key = stack.add("main", aws::KmsKey::default());
    let vpc = stack.add("main", aws::Vpc { cidr_block: set("10.0.0.0/16"), ..Default::default() });
    stack.add(
        "log",
        aws::CloudwatchLogGroup { kms_key_id: set(key.arn()), name: set("n"), ..Default::default() },
    );
    stack.add("main", aws::Subnet { vpc_id: vpc.id(), optional: Default::default() });
}
