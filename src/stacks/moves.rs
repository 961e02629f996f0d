//! Addresses that have changed, as the environment file says: for Terraform, which looks for them in the state.

use terraform::{Module, Moved, Removed};

use crate::config::EnvConfig;

/// Adds what has moved and what is gone, where something has; no file else. An address that the module does not have is
/// refused before it gets here.
pub fn build(module: &mut Module, config: &EnvConfig) {
    if config.moved.is_empty() && config.removed.is_empty() {
        return;
    }
    let moved: Vec<_> = config
        .moved
        .iter()
        .filter_map(|moved| Some((moved.from.to_string(), module.resource(moved.to.as_str())?)))
        .collect();
    let mut stack = module.stack("moves");
    for (from, to) in moved {
        stack.moved(Moved { from, to });
    }
    for gone in &config.removed {
        stack.removed(Removed { from: gone.address.to_string(), destroy: gone.destroy });
    }
}

#[cfg(test)]
mod tests {
    use crate::stacks::probe::platform;
    use serde_json::{Value, json};

    #[test]
    fn moved_and_removed_stand_in_a_file_of_their_own() {
        let text = "[[moved]]\nfrom = \"aws_ecs_cluster.old\"\nto = \"aws_ecs_cluster.main\"\nreason = \"renamed\"\n\
                    [[removed]]\naddress = \"aws_s3_bucket.reports\"\ndestroy = false\nreason = \"kept by hand\"\n";
        let files = platform(text).render("");
        let moves = files.iter().find(|(file, _)| file.as_str() == "moves.tf.json").map(|(_, text)| text);
        let moves: Value = serde_json::from_str(moves.expect("moves.tf.json")).expect("JSON");
        assert_eq!(moves["moved"], json!([{"from": "aws_ecs_cluster.old", "to": "aws_ecs_cluster.main"}]));
        let removed = json!([{"from": "aws_s3_bucket.reports", "lifecycle": {"destroy": false}}]);
        assert_eq!(moves["removed"], removed);
        assert!(!platform("").render("").iter().any(|(file, _)| file.as_str() == "moves.tf.json"));
    }
}
