//~ E0277: a `VpcId` is not a `KmsKeyArn`
use terraform::{Module, set};

fn main() {
    let mut module = Module::default();
    let mut stack = module.stack("s");
    let vpc = stack.add("main", aws::Vpc { cidr_block: set("10.0.0.0/16"), ..Default::default() });
    stack.add("log", aws::CloudwatchLogGroup { kms_key_id: set(vpc.id()), ..Default::default() });
}
