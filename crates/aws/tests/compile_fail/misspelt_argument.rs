//~ E0560: no field named `cidr_blok`
use terraform::{Module, set};

fn main() {
    let mut module = Module::default();
    let mut stack = module.stack("s");
    stack.add("main", aws::Vpc { cidr_blok: set("10.0.0.0/16"), ..Default::default() });
}
