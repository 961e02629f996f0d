//~ E0063: missing field `default_action`
use terraform::{Module, set};

fn main() {
    let mut module = Module::default();
    let mut stack = module.stack("s");
    let lb = stack.add("main", aws::Lb { name: set("n"), ..Default::default() });
    stack.add("main", aws::LbListener { load_balancer_arn: lb.arn(), optional: Default::default() });
}
