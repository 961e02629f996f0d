//~ E0599: no associated item named `DESIRED_CONT`
use terraform::{Module, set};

fn main() {
    let mut module = Module::default();
    let mut stack = module.stack("s");
    let meta = terraform::Meta::new().ignore(aws::EcsService::DESIRED_CONT);
    let name = set("n");
    stack.add_with("main", meta, aws::EcsService { name, optional: Default::default() });
}
