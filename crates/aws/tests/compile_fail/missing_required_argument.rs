//~ E0063: missing field `vpc_id`
use terraform::Module;

fn main() {
    let mut module = Module::default();
    let mut stack = module.stack("s");
    stack.add("main", aws::Subnet { optional: Default::default() });
}
