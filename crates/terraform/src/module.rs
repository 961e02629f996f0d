//! A root module under construction.

use std::collections::HashSet;
use std::fmt;

use crate::meta::Lifecycle;
use crate::settings::{NamedOutput, literal};
use crate::{
    Address, Body, Check, Condition, Error, Errors, Expr, Import, Meta, Mode, Moved, Node, Output,
    ProviderConfig, Reference, Removed, Resource, Root, Settings, Step, Subject, Value, Variable,
};

/// A root module, filled stack by stack.
#[derive(Debug, Default)]
pub struct Module {
    pub(crate) settings: Settings,
    pub(crate) stacks: Vec<StackParts>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) providers: Vec<Provider>,
    addresses: HashSet<Address>,
    names: HashSet<String>,
    errors: Vec<Error>,
}

/// What a stack holds beside its nodes.
#[derive(Debug, Default)]
pub(crate) struct StackParts {
    pub(crate) name: String,
    pub(crate) locals: Vec<(String, Value)>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) outputs: Vec<NamedOutput>,
    pub(crate) checks: Vec<Check>,
    pub(crate) moved: Vec<Moved>,
    pub(crate) removed: Vec<Removed>,
    pub(crate) imports: Vec<Import>,
}

impl StackParts {
    /// Whether there is nothing in the stack but, perhaps, blocks with addresses.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { name: _, locals, variables, outputs, checks, moved, removed, imports } = self;
        locals.is_empty()
            && variables.is_empty()
            && outputs.is_empty()
            && checks.is_empty()
            && moved.is_empty()
            && removed.is_empty()
            && imports.is_empty()
    }
}

/// A configured provider.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) name: &'static str,
    pub(crate) alias: Option<String>,
    pub(crate) body: Vec<(crate::Key, Value)>,
}

/// A provider configuration with an alias, for [`Meta::provider`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRef(pub(crate) String);

impl Module {
    /// An empty module with these settings.
    pub fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Configures a provider's default.
    pub fn provider<P: ProviderConfig>(&mut self, config: P) {
        self.configure(None, config);
    }

    /// Configures a provider once more, under an alias.
    pub fn provider_alias<P: ProviderConfig>(&mut self, alias: &str, config: P) -> ProviderRef {
        self.check_identifier(alias, || format!("provider alias `{alias}`"));
        self.configure(Some(alias.to_owned()), config);
        ProviderRef(format!("{}.{alias}", P::NAME))
    }

    fn configure<P: ProviderConfig>(&mut self, alias: Option<String>, config: P) {
        let what = match &alias {
            Some(alias) => format!("provider {}.{alias}", P::NAME),
            None => format!("provider {}", P::NAME),
        };
        self.claim(what);
        let mut body = Body::default();
        config.write(&mut body);
        self.providers.push(Provider { name: P::NAME, alias, body: body.entries });
    }

    /// A new stack: what one `<name>.tf.json` file will hold.
    pub fn stack(&mut self, name: &str) -> Stack<'_> {
        self.claim(format!("stack {name}"));
        let index = self.stacks.len();
        self.stacks.push(StackParts { name: name.to_owned(), ..StackParts::default() });
        Stack { module: self, index }
    }

    /// The address of the resource that is spelled so, if the module has it by now.
    pub fn resource(&self, address: &str) -> Option<Address> {
        let spelled = |node: &&Node| {
            let of = &node.address;
            of.mode() == Mode::Managed && address.split_once('.') == Some((of.kind(), of.name()))
        };
        self.nodes.iter().find(spelled).map(|node| node.address.clone())
    }

    /// Checks the whole: names, literal places, and that every reference leads to a block of this module.
    ///
    /// # Errors
    /// All faults found, in the order in which the module was built.
    pub fn finish(mut self) -> Result<Root, Errors> {
        self.settings.check(&mut self.errors);
        for stack in &self.stacks {
            stack.check(&mut self.errors);
        }
        Root::new(self.settings, self.stacks, self.nodes, self.providers, self.errors)
    }

    /// Records that `what` is declared, once.
    fn claim(&mut self, what: String) {
        if let Some(what) = self.names.replace(what) {
            self.errors.push(Error::Duplicate { what });
        }
    }

    fn check_identifier(&mut self, name: &str, what: impl FnOnce() -> String) {
        let mut chars = name.chars();
        let starts = chars.next().is_some_and(|c| c.is_ascii_alphabetic());
        if !starts || !chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
            self.errors.push(Error::Name { what: what() });
        }
    }

    /// Gives every document below `value` the name of its local value, which its place in the module makes.
    fn name_documents(&mut self, place: &Place<'_>, value: &mut Value) {
        match value {
            Value::Document(document) => {
                document.local = place.to_string();
                self.claim(format!("local {place}"));
                self.name_documents(&Place::Key(place, "document"), &mut document.content);
            }
            Value::List(items) => {
                for (i, item) in items.iter_mut().enumerate() {
                    self.name_documents(&Place::Index(place, i), item);
                }
            }
            Value::Object(entries) => {
                for (key, item) in entries {
                    self.name_documents(&Place::Key(place, key), item);
                }
            }
            _ => {}
        }
    }
}

/// The place of a value in a module; its text is made only where a document stands.
enum Place<'a> {
    /// A local value of the stack's own, or an output.
    Local(&'a str),
    /// A block.
    Block(&'a Address),
    /// The value of a key.
    Key(&'a Place<'a>, &'a str),
    /// An element of a list.
    Index(&'a Place<'a>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(name) => f.write_str(name),
            Self::Block(address) => match address.mode() {
                Mode::Managed => write!(f, "{}_{}", address.kind(), address.name()),
                mode => write!(f, "{}_{}_{}", mode.keyword(), address.kind(), address.name()),
            },
            Self::Key(parent, key) => write!(f, "{parent}_{key}"),
            Self::Index(parent, index) => write!(f, "{parent}_{index}"),
        }
    }
}

impl StackParts {
    fn check(&self, errors: &mut Vec<Error>) {
        for variable in &self.variables {
            let place = format!("variable {}", variable.name);
            literal(format!("{place}.default"), variable.default.as_deref().unwrap_or_default(), errors);
            literal(format!("{place}.description"), &variable.description, errors);
        }
        for NamedOutput { name, output } in &self.outputs {
            literal(format!("output {name}.description"), &output.description, errors);
        }
        for moved in &self.moved {
            literal("moved.from", &moved.from, errors);
        }
        for removed in &self.removed {
            literal("removed.from", &removed.from, errors);
        }
    }
}

/// One stack of a module: the blocks that will stand in one file.
#[derive(Debug)]
pub struct Stack<'m> {
    module: &'m mut Module,
    index: usize,
}

impl Stack<'_> {
    /// Adds a resource, data source or ephemeral resource, and hands back its handle.
    pub fn add<R: Resource>(&mut self, name: impl AsRef<str>, block: R) -> R::Handle {
        self.add_with(name, Meta::new(), block)
    }

    /// Adds a block with meta-arguments.
    pub fn add_with<R: Resource>(&mut self, name: impl AsRef<str>, meta: Meta<R>, block: R) -> R::Handle {
        let address = Address::new(R::MODE, R::TYPE, name.as_ref(), self.module.nodes.len());
        self.module.check_identifier(address.name(), || address.to_string());
        if !self.module.addresses.insert(address.clone()) {
            let what = format!("{} {address}", R::MODE.keyword());
            self.module.errors.push(Error::Duplicate { what });
        }

        let mut body = Body::default();
        block.write(&mut body);
        for (block, count, max) in body.too_many {
            self.module.errors.push(Error::TooMany { address: address.to_string(), block, count, max });
        }
        let mut body = Value::Object(body.entries);
        self.module.name_documents(&Place::Block(&address), &mut body);

        self.module.nodes.push(Node {
            address: address.clone(),
            stack: self.index,
            taggable: R::TAGGABLE,
            body,
            depends_on: meta.depends_on,
            ignore_changes: meta.ignore_changes.iter().map(|a| a.name).collect(),
            lifecycle: meta.lifecycle,
            provider: meta.provider,
            edges: Vec::new(),
        });
        R::handle(address)
    }

    /// Names a value, and refers to it.
    pub fn local<K>(&mut self, name: &str, value: Expr<K>) -> Expr<K> {
        self.module.check_identifier(name, || format!("local `{name}`"));
        self.module.claim(format!("local {name}"));
        let mut value = value.into_value();
        self.module.name_documents(&Place::Key(&Place::Local(name), "document"), &mut value);
        self.parts().locals.push((name.to_owned(), value));
        Expr::reference(Reference { subject: Subject::Local(name.to_owned().into()), path: Vec::new() })
    }

    /// Declares an input variable, and refers to it.
    pub fn variable<K>(&mut self, variable: Variable) -> Expr<K> {
        let name = variable.name.clone();
        self.module.check_identifier(&name, || format!("variable `{name}`"));
        self.module.claim(format!("variable {name}"));
        self.parts().variables.push(variable);
        Expr::reference(Reference { subject: Subject::Variable(name), path: Vec::new() })
    }

    /// Declares an output value.
    pub fn output(&mut self, name: &str, description: impl Into<String>, value: impl Into<Value>) {
        let output = Output { value: value.into(), description: description.into(), sensitive: false };
        self.output_with(name, output);
    }

    /// Declares an output value with every argument.
    pub fn output_with(&mut self, name: &str, output: Output) {
        self.module.check_identifier(name, || format!("output `{name}`"));
        self.module.claim(format!("output {name}"));
        let mut output = output;
        self.module.name_documents(&Place::Local(name), &mut output.value);
        self.parts().outputs.push(NamedOutput { name: name.to_owned(), output });
    }

    /// Declares a check.
    pub fn check(&mut self, check: Check) {
        self.module.check_identifier(&check.name, || format!("check `{}`", check.name));
        self.module.claim(format!("check {}", check.name));
        self.parts().checks.push(check);
    }

    /// Says that a block stood at another address.
    pub fn moved(&mut self, moved: Moved) {
        self.parts().moved.push(moved);
    }

    /// Says that a block is no longer part of the module.
    pub fn removed(&mut self, removed: Removed) {
        self.parts().removed.push(removed);
    }

    /// Takes a real thing into the module.
    pub fn import(&mut self, import: Import) {
        self.parts().imports.push(import);
    }

    fn parts(&mut self) -> &mut StackParts {
        &mut self.module.stacks[self.index]
    }
}

impl Lifecycle {
    pub(crate) fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.preconditions.iter().chain(&self.postconditions)
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.create_before_destroy
            && !self.prevent_destroy
            && self.replace_triggered_by.is_empty()
            && self.preconditions.is_empty()
            && self.postconditions.is_empty()
    }
}

/// The name of the attribute that a reference reads first, for the edge that it makes.
pub(crate) fn first_attribute(reference: &Reference) -> Option<&'static str> {
    match reference.path.first() {
        Some(Step::Attribute(name)) => Some(name),
        _ => None,
    }
}
