//! What the tests of stacks look at: the graph of a module, and the policies in it.

use terraform::{Expression, Node, Root, Step, Subject, Value};

use crate::config::EnvConfig;
use crate::synth::synth;

/// The platform of an environment.
pub fn platform(text: &str) -> Root {
    synth(&EnvConfig::for_test(text)).expect("a module without faults")
}

/// An environment that can be torn down.
pub const FLEETING: &str = "production = false\nprotection = false\n";

/// The node at an address.
pub fn node<'r>(root: &'r Root, address: &str) -> &'r Node {
    root.find(address).unwrap_or_else(|| panic!("no {address}"))
}

/// The nodes of a type.
pub fn nodes<'r>(root: &'r Root, kind: &str) -> Vec<&'r Node> {
    root.nodes().iter().filter(|node| node.address().kind() == kind).collect()
}

/// The nodes of a type in one stack.
pub fn nodes_of<'r>(root: &'r Root, stack: &str, kind: &str) -> Vec<&'r Node> {
    nodes(root, kind).into_iter().filter(|node| root.stack_of(node) == stack).collect()
}

/// What stands at a path of arguments and nested blocks; of blocks that repeat, the first.
pub fn at<'n>(node: &'n Node, path: &str) -> &'n Value {
    path.split('.').fold(node.body(), |value, step| {
        let value = value.as_list().map_or(value, |items| &items[0]);
        value.get(step).unwrap_or_else(|| panic!("{} has no {path}", node.address()))
    })
}

/// The literal text at a path.
pub fn text_at<'n>(node: &'n Node, path: &str) -> &'n str {
    at(node, path).as_str().unwrap_or_else(|| panic!("{}.{path} is not literal text", node.address()))
}

/// The statements of the policy in an argument.
pub fn statements<'n>(node: &'n Node, argument: &str) -> &'n [Value] {
    let Some(Value::Document(document)) = node.argument(argument) else {
        panic!("{} has no document in {argument}", node.address());
    };
    document.content.get("Statement").and_then(Value::as_list).expect("statements")
}

/// The statement of that id.
pub fn statement<'n>(node: &'n Node, argument: &str, sid: &str) -> Option<&'n Value> {
    statements(node, argument)
        .iter()
        .find(|statement| statement.get("Sid") == Some(&Value::string(sid.to_owned())))
}

/// Whether a statement allows, rather than denies.
pub fn allows(statement: &Value) -> bool {
    statement.get("Effect") == Some(&Value::string("Allow"))
}

/// The values of a condition, whatever its operator; none if the statement has no such condition.
pub fn condition(statement: &Value, key: &str) -> Vec<Value> {
    let Some(Value::Object(operators)) = statement.get("Condition") else { return Vec::new() };
    let values = operators.iter().filter_map(|(_, keys)| keys.get(key));
    values.flat_map(|value| value.as_list().map_or_else(|| vec![value.clone()], <[Value]>::to_vec)).collect()
}

/// The texts of a list.
pub fn texts(value: &Value) -> Vec<&str> {
    value.as_list().expect("a list").iter().filter_map(Value::as_str).collect()
}

/// A text with its references as Terraform would read them: `aws_kms_key.data.arn`.
pub fn written(value: &Value) -> String {
    let Value::Expression(expression) = value else {
        return value.as_str().unwrap_or_else(|| panic!("{value:?} is no text")).to_owned();
    };
    match expression.as_ref() {
        Expression::Reference(reference) => {
            let Subject::Block(address) = &reference.subject else { panic!("{reference:?}") };
            let step = |step: &Step| match step {
                Step::Attribute(name) => format!(".{name}"),
                other => format!("[{other:?}]"),
            };
            format!("{address}{}", reference.path.iter().map(step).collect::<String>())
        }
        Expression::Template(parts) => parts.iter().map(written).collect(),
        other => panic!("{other:?} is no text"),
    }
}

/// The texts of a list with their references.
pub fn all_written(value: &Value) -> Vec<String> {
    value.as_list().expect("a list").iter().map(written).collect()
}
