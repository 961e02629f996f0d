//~ E0425: cannot find value `vpc` in this scope
use terraform::{Module, set};

fn main() {
    let mut module = Module::default();
    let mut stack = module.stack("s");
    let _ = stack.add("main", aws::Vpc { cidr_block: set("10.0.0.0/16"), ..Default::default() });
    stack.add("main", aws::Subnet { vpc_id: vpc.id(), optional: Default::default() });
}
