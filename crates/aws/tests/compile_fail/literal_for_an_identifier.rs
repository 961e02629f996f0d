//~ E0277: `&str` cannot stand for a `VpcId`
use terraform::{Module, set};

fn main() {
    let mut module = Module::default();
    let mut stack = module.stack("s");
    stack.add("main", aws::Subnet { vpc_id: set("vpc-0123"), optional: Default::default() });
}
