//~ E0560: no field named `password`
use terraform::{Module, set};

fn main() {
    let mut module = Module::default();
    let mut stack = module.stack("s");
    stack.add(
        "main",
        aws::DbInstance {
            instance_class: set("db.t4g.medium"),
            optional: aws::DbInstanceOptional { password: set("hunter2"), ..Default::default() },
        },
    );
}
