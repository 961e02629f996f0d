//! The imports of a crate's sources, without those of its tests.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, UseTree};

use crate::tidy::Repository;

/// A path that code of one module names in another one.
#[derive(Debug)]
pub struct Import {
    /// The file.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The module that names it, from the crate's root on.
    pub from: Vec<String>,
    /// What it names, from the crate's root on, or from a crate's name on.
    pub to: Vec<String>,
    /// Whether it is another crate's.
    pub external: bool,
}

/// The imports of the crate whose sources lie in `folder`, from its `lib.rs` on through every module that is compiled
/// outside of tests. Of other crates, those of `workspace` count.
pub fn imports(repository: &Repository, folder: &str, workspace: &BTreeSet<String>) -> Result<Vec<Import>> {
    let mut imports = Vec::new();
    let mut queue = vec![(format!("{folder}lib.rs"), Vec::new())];
    while let Some((file, module)) = queue.pop() {
        let text = repository.read(&file)?;
        let parsed = syn::parse_file(&text).with_context(|| format!("cannot parse {file}"))?;
        let mut visitor = Visitor { file, module, workspace, imports: &mut imports, submodules: Vec::new() };
        visitor.visit_file(&parsed);
        for module in visitor.submodules {
            let path = format!("{folder}{}", module.join("/"));
            let file = [format!("{path}.rs"), format!("{path}/mod.rs")]
                .into_iter()
                .find(|file| repository.has(file))
                .with_context(|| format!("there is no {path}.rs"))?;
            queue.push((file, module));
        }
    }
    Ok(imports)
}

struct Visitor<'a> {
    file: String,
    module: Vec<String>,
    workspace: &'a BTreeSet<String>,
    imports: &'a mut Vec<Import>,
    submodules: Vec<Vec<String>>,
}

impl Visitor<'_> {
    /// Notes a path of at least two segments, if it leads out of the module.
    fn note(&mut self, segments: &[String], line: usize) {
        let (first, rest) = match segments {
            [first, rest @ ..] if !rest.is_empty() => (first.as_str(), rest),
            _ => return,
        };
        let (to, external) = match first {
            "crate" => (rest.to_vec(), false),
            "super" => {
                let ups = segments.iter().take_while(|segment| *segment == "super").count();
                let Some(depth) = self.module.len().checked_sub(ups) else { return };
                let mut to = self.module[..depth].to_vec();
                to.extend_from_slice(&segments[ups..]);
                (to, false)
            }
            name if self.workspace.contains(name) => (segments.to_vec(), true),
            _ => return,
        };
        if self.module.is_empty() {
            return;
        }
        let (file, from) = (self.file.clone(), self.module.clone());
        self.imports.push(Import { file, line, from, to, external });
    }

    fn note_tree(&mut self, prefix: &mut Vec<String>, tree: &UseTree) {
        let line = tree.span().start().line;
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.note_tree(prefix, &path.tree);
                prefix.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.note_tree(prefix, tree);
                }
            }
            UseTree::Name(name) => self.note_leaf(prefix, name.ident.to_string(), line),
            UseTree::Rename(rename) => self.note_leaf(prefix, rename.ident.to_string(), line),
            UseTree::Glob(_) => self.note_leaf(prefix, "*".to_owned(), line),
        }
    }

    fn note_leaf(&mut self, prefix: &[String], name: String, line: usize) {
        let mut segments = prefix.to_vec();
        if name != "self" {
            segments.push(name);
        }
        self.note(&segments, line);
    }

    /// Paths among a macro's tokens, which no parser knows the shape of.
    fn note_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let (mut line, mut colons) = (0, 0);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.note(&std::mem::take(&mut path), line);
                        line = ident.span().start().line;
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => colons += 1,
                other => {
                    self.note(&std::mem::take(&mut path), line);
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.note_tokens(group.stream());
                    }
                }
            }
        }
        self.note(&path, line);
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if attributes(item).iter().any(is_test) {
            return;
        }
        match item {
            Item::Mod(module) => {
                self.module.push(module.ident.to_string());
                match &module.content {
                    None => self.submodules.push(self.module.clone()),
                    Some(_) => visit::visit_item_mod(self, module),
                }
                self.module.pop();
            }
            Item::Use(import) => self.note_tree(&mut Vec::new(), &import.tree),
            other => visit::visit_item(self, other),
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let of_tests = matches!(item, ImplItem::Fn(function) if function.attrs.iter().any(is_test));
        if !of_tests {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.note(&segments, path.span().start().line);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.note_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// `#[cfg(test)]`
fn is_test(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
}

/// The stacks in the order in which `synth` begins them: the texts of its calls of `.stack("…")` and, where a stack is
/// begun by its own module, of `name::build(&mut module`.
pub fn stacks_in_order(synth: &str) -> Result<Vec<String>> {
    #[derive(Default)]
    struct Stacks(Vec<String>);
    impl Stacks {
        fn add(&mut self, name: String) {
            if !self.0.contains(&name) {
                self.0.push(name);
            }
        }
    }
    impl<'ast> Visit<'ast> for Stacks {
        fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
            if call.method == "stack"
                && let Some(syn::Expr::Lit(literal)) = call.args.first()
                && let syn::Lit::Str(name) = &literal.lit
            {
                self.add(name.value());
            }
            visit::visit_expr_method_call(self, call);
        }
        fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
            visit::visit_expr_call(self, call);
            if let syn::Expr::Path(path) = &*call.func
                && path.path.segments.len() == 2
                && path.path.segments[1].ident == "build"
            {
                self.add(path.path.segments[0].ident.to_string());
            }
        }
    }
    let mut stacks = Stacks::default();
    stacks.visit_file(&syn::parse_file(synth).context("cannot parse src/synth.rs")?);
    Ok(stacks.0)
}
