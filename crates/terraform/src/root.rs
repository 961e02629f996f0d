//! A finished root module: nodes, and the edges that their references form.

use std::collections::HashMap;

use crate::expression::Subject;
use crate::meta::Lifecycle;
use crate::module::{Provider, StackParts, first_attribute};
use crate::{Address, Error, Errors, Key, ProviderRef, Settings, Value};

/// A finished root module.
#[derive(Debug)]
pub struct Root {
    pub(crate) settings: Settings,
    pub(crate) stacks: Vec<StackParts>,
    pub(crate) providers: Vec<Provider>,
    nodes: Vec<Node>,
}

/// One resource, data source or ephemeral resource.
#[derive(Debug)]
pub struct Node {
    pub(crate) address: Address,
    pub(crate) stack: usize,
    pub(crate) taggable: bool,
    pub(crate) body: Value,
    pub(crate) depends_on: Vec<Address>,
    pub(crate) ignore_changes: Vec<&'static str>,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) provider: Option<ProviderRef>,
    pub(crate) edges: Vec<Edge>,
}

/// A dependency of one node on another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The argument that holds the reference; none for `depends_on` and conditions.
    pub argument: Option<Key>,
    /// The position of the node that it leads to.
    pub to: usize,
    /// The attribute that is read there; none for `depends_on`.
    pub attribute: Option<&'static str>,
}

impl Node {
    /// Where it stands.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Its arguments and nested blocks, sorted by name: always an object.
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// The value of a top-level argument or nested block.
    pub fn argument(&self, name: &str) -> Option<&Value> {
        self.body.get(name)
    }

    /// Whether its type takes tags.
    pub fn taggable(&self) -> bool {
        self.taggable
    }

    /// Whether a plan that destroys it fails.
    pub fn prevent_destroy(&self) -> bool {
        self.lifecycle.prevent_destroy
    }

    /// The arguments whose later changes are left to another owner.
    pub fn ignore_changes(&self) -> &[&'static str] {
        &self.ignore_changes
    }

    /// The alias of the provider configuration it uses, if not the default one; such as `aws.us_east_1`.
    pub fn provider(&self) -> Option<&str> {
        self.provider.as_ref().map(|p| p.0.as_str())
    }

    /// What it depends on.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }
}

impl Root {
    pub(crate) fn new(
        settings: Settings,
        stacks: Vec<StackParts>,
        mut nodes: Vec<Node>,
        providers: Vec<Provider>,
        mut errors: Vec<Error>,
    ) -> Result<Self, Errors> {
        let addresses: Vec<Address> = nodes.iter().map(|n| n.address.clone()).collect();
        let locals: Locals =
            stacks.iter().flat_map(|s| &s.locals).map(|(name, value)| (name.as_str(), value)).collect();
        for node in &mut nodes {
            node.connect(&addresses, &locals, &mut errors);
        }
        check_foreign(&stacks, &addresses, &mut errors);
        if errors.is_empty() { Ok(Self { settings, stacks, providers, nodes }) } else { Err(Errors(errors)) }
    }

    /// Every node, in the order in which it was added; [`Edge::to`] and [`Address::index`] count here.
    ///
    /// That is an order of dependency too: a block can only refer to one that was added before it, since
    /// its handle comes from there. There are no circles.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The names of the stacks, in the order in which they were built.
    pub fn stacks(&self) -> impl Iterator<Item = &str> {
        self.stacks.iter().map(|s| s.name.as_str())
    }

    /// The name of the stack that holds `node`.
    pub fn stack_of(&self, node: &Node) -> &str {
        &self.stacks[node.stack].name
    }

    /// The node at an address, such as `aws_vpc.main`. Looks through all nodes.
    pub fn find(&self, address: &str) -> Option<&Node> {
        self.nodes.iter().find(|n| n.address.to_string() == address)
    }

    /// The configurations of a provider, as `(alias, body)`.
    pub fn providers(&self, name: &str) -> impl Iterator<Item = (Option<&str>, &[(Key, Value)])> {
        self.providers.iter().filter(move |p| p.name == name).map(|p| (p.alias.as_deref(), p.body.as_slice()))
    }
}

impl Node {
    /// Finds the edges of this node.
    fn connect(&mut self, addresses: &[Address], locals: &Locals<'_>, errors: &mut Vec<Error>) {
        let mut edges: Vec<Edge> = Vec::new();
        let mut add = |argument: Option<&Key>, to: &Address, attribute: Option<&'static str>| {
            if !addresses.get(to.index()).is_some_and(|a| a.is(to)) {
                errors.push(Error::Foreign { from: self.address.to_string(), to: to.to_string() });
                return;
            }
            let edge = Edge { argument: argument.cloned(), to: to.index(), attribute };
            if !edges.contains(&edge) {
                edges.push(edge);
            }
        };
        if let Value::Object(entries) = &self.body {
            for (name, value) in entries {
                references(value, locals, &mut |to, attribute| add(Some(name), to, attribute));
            }
        }
        for condition in self.lifecycle.conditions() {
            references(condition.condition.value(), locals, &mut |to, attribute| add(None, to, attribute));
        }
        for to in self.depends_on.iter().chain(self.lifecycle.replace_triggered_by.iter().map(|r| &r.address))
        {
            add(None, to, None);
        }
        self.edges = edges;
    }
}

/// The values of the module's locals, by name.
type Locals<'a> = HashMap<&'a str, &'a Value>;

/// Calls `found` for every block that `value` refers to, through locals as well.
fn references(value: &Value, locals: &Locals<'_>, found: &mut impl FnMut(&Address, Option<&'static str>)) {
    value.visit(&mut |expression| {
        let Some(reference) = expression.reference() else { return };
        match &reference.subject {
            Subject::Block(to) => found(to, first_attribute(reference)),
            Subject::Local(name) => {
                // A local refers only to what stood before it, so this ends.
                if let Some(value) = locals.get(name.as_ref()) {
                    references(value, locals, &mut *found);
                }
            }
            Subject::Variable(_) | Subject::Itself => {}
        }
    });
}

/// Reports references of locals, outputs and checks that lead to another module.
fn check_foreign(stacks: &[StackParts], addresses: &[Address], errors: &mut Vec<Error>) {
    let mut check = |from: String, value: &Value| {
        references(value, &Locals::new(), &mut |to, _| {
            if !addresses.get(to.index()).is_some_and(|a| a.is(to)) {
                errors.push(Error::Foreign { from: from.clone(), to: to.to_string() });
            }
        });
    };
    for stack in stacks {
        for (name, value) in &stack.locals {
            check(format!("local.{name}"), value);
        }
        for named in &stack.outputs {
            check(format!("output.{}", named.name), &named.output.value);
        }
        for condition in stack.checks.iter().flat_map(|c| &c.asserts) {
            check("a check".to_owned(), condition.condition.value());
        }
    }
}
