//~ E0308: expected `Expr<VpcId>`, found `Expr<KmsKeyArn>`
use terraform::{Module, set};

fn main() {
    let mut module = Module::default();
    let mut stack = module.stack("s");
    let key = stack.add("main", aws::KmsKey { description: set("d"), ..Default::default() });
    stack.add("main", aws::Subnet { vpc_id: key.arn(), optional: Default::default() });
}
