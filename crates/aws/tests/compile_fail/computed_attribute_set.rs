//~ E0560: no field named `arn`
use terraform::{Module, set};

fn main() {
    let mut module = Module::default();
    let mut stack = module.stack("s");
    stack.add("main", aws::Vpc { arn: set("arn:aws:ec2:::vpc/v"), ..Default::default() });
}
