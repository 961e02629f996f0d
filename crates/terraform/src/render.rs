//! Rendering to Terraform JSON: the only place that knows how it is spelled.
//!
//! <https://developer.hashicorp.com/terraform/language/syntax/json>

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::expression::Subject;
use crate::meta::{Condition, Lifecycle};
use crate::module::{Provider, StackParts};
use crate::settings::NamedOutput;
use crate::{Document, Expression, Mode, Node, Number, Reference, Root, S3Backend, Settings, Step, Value};

/// The file that holds the settings and the providers.
const SETTINGS_FILE: &str = "terraform.tf.json";

impl Root {
    /// Renders one document per stack that holds anything, and one for settings and providers, as `(file name, contents)`
    /// sorted by name. `comment` stands at the top of each: where the file comes from.
    pub fn render(&self, comment: &str) -> Vec<(String, String)> {
        let mut nodes: Vec<Vec<&Node>> = vec![Vec::new(); self.stacks.len()];
        for node in self.nodes() {
            nodes[node.stack].push(node);
        }
        let mut files: Vec<(String, String)> = self
            .stacks
            .iter()
            .zip(nodes)
            .filter(|(stack, nodes)| !nodes.is_empty() || !stack.is_empty())
            .map(|(stack, mut nodes)| {
                nodes.sort_by_cached_key(|n| n.address.clone());
                (format!("{}.tf.json", stack.name), to_json(&StackFile { comment, stack, nodes: &nodes }))
            })
            .collect();
        let settings = SettingsFile { comment, settings: &self.settings, providers: &self.providers };
        files.push((SETTINGS_FILE.to_owned(), to_json(&settings)));
        files.sort();
        files
    }
}

fn to_json(file: &impl Serialize) -> String {
    let mut bytes = Vec::with_capacity(1 << 16);
    // Writing these types into memory cannot fail: keys are strings, and nothing here returns an error.
    let _ = serde_json::to_writer_pretty(&mut bytes, file);
    bytes.push(b'\n');
    // The files of all environments are kept until the last one is known to be sound.
    bytes.shrink_to_fit();
    String::from_utf8(bytes).unwrap_or_default()
}

struct StackFile<'a> {
    comment: &'a str,
    stack: &'a StackParts,
    nodes: &'a [&'a Node],
}

impl Serialize for StackFile<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("//", self.comment)?;
        let stack = self.stack;
        entry_unless_empty(&mut map, "check", &stack.checks, || {
            sorted(&stack.checks, |c| (c.name.as_str(), BTreeMap::from([("assert", Asserts(&c.asserts))])))
        })?;
        self.serialize_mode(&mut map, Mode::Data)?;
        self.serialize_mode(&mut map, Mode::Ephemeral)?;
        entry_unless_empty(&mut map, "import", &stack.imports, || {
            Seq(stack
                .imports
                .iter()
                .map(|i| Fields([("to", i.to.to_string()), ("id", escape(&i.id).into())])))
        })?;
        let locals = self.locals();
        entry_unless_empty(&mut map, "locals", &locals, || &locals)?;
        entry_unless_empty(&mut map, "moved", &stack.moved, || {
            Seq(stack.moved.iter().map(|m| Fields([("from", m.from.clone()), ("to", m.to.to_string())])))
        })?;
        entry_unless_empty(&mut map, "output", &stack.outputs, || {
            sorted(&stack.outputs, |o| (o.name.as_str(), OutputBody(o)))
        })?;
        entry_unless_empty(&mut map, "removed", &stack.removed, || {
            Seq(stack.removed.iter().map(|r| {
                let lifecycle = Value::Object(vec![("destroy".into(), Value::Bool(r.destroy))]);
                Value::Object(vec![
                    ("from".into(), Value::string(r.from.clone())),
                    ("lifecycle".into(), lifecycle),
                ])
            }))
        })?;
        self.serialize_mode(&mut map, Mode::Managed)?;
        entry_unless_empty(&mut map, "variable", &stack.variables, || {
            sorted(&stack.variables, |v| (&*v.name, VariableBody(v)))
        })?;
        map.end()
    }
}

impl StackFile<'_> {
    fn serialize_mode<M: SerializeMap>(&self, map: &mut M, mode: Mode) -> Result<(), M::Error> {
        let from = self.nodes.partition_point(|n| n.address.mode() < mode);
        let to = self.nodes.partition_point(|n| n.address.mode() <= mode);
        let nodes = &self.nodes[from..to];
        entry_unless_empty(map, mode.keyword(), nodes, || Types(nodes))
    }

    /// The stack's own locals, and one for every JSON document in its blocks.
    fn locals(&self) -> BTreeMap<&str, &Value> {
        let mut locals: BTreeMap<&str, &Value> = BTreeMap::new();
        for (name, value) in &self.stack.locals {
            locals.insert(name, value);
            documents(value, &mut locals);
        }
        for node in self.nodes {
            documents(&node.body, &mut locals);
        }
        for output in &self.stack.outputs {
            documents(&output.output.value, &mut locals);
        }
        locals
    }
}

fn documents<'v>(value: &'v Value, locals: &mut BTreeMap<&'v str, &'v Value>) {
    match value {
        Value::Document(document) => {
            locals.insert(&document.local, &document.content);
            documents(&document.content, locals);
        }
        Value::List(items) => items.iter().for_each(|v| documents(v, locals)),
        Value::Object(entries) => entries.iter().for_each(|(_, v)| documents(v, locals)),
        _ => {}
    }
}

/// Blocks of one mode, sorted: type by type, name by name.
struct Types<'a>(&'a [&'a Node]);

impl Serialize for Types<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for of_type in self.0.chunk_by(|a, b| a.address.kind() == b.address.kind()) {
            map.serialize_entry(of_type[0].address.kind(), &Names(of_type))?;
        }
        map.end()
    }
}

struct Names<'a>(&'a [&'a Node]);

impl Serialize for Names<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for node in self.0 {
            map.serialize_entry(node.address.name(), node)?;
        }
        map.end()
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Value::Object(entries) = &self.body {
            for (name, value) in entries {
                map.serialize_entry(name, value)?;
            }
        }
        entry_unless_empty(&mut map, "depends_on", &self.depends_on, || {
            Seq(self.depends_on.iter().map(ToString::to_string))
        })?;
        if !self.lifecycle.is_empty() || !self.ignore_changes.is_empty() {
            map.serialize_entry("lifecycle", &LifecycleBody(&self.lifecycle, &self.ignore_changes))?;
        }
        if let Some(provider) = &self.provider {
            map.serialize_entry("provider", &provider.0)?;
        }
        map.end()
    }
}

struct LifecycleBody<'a>(&'a Lifecycle, &'a [&'static str]);

impl Serialize for LifecycleBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(lifecycle, ignore_changes) = self;
        let mut map = serializer.serialize_map(None)?;
        if lifecycle.create_before_destroy {
            map.serialize_entry("create_before_destroy", &true)?;
        }
        entry_unless_empty(&mut map, "ignore_changes", ignore_changes, || ignore_changes)?;
        entry_unless_empty(&mut map, "postcondition", &lifecycle.postconditions, || {
            Asserts(&lifecycle.postconditions)
        })?;
        entry_unless_empty(&mut map, "precondition", &lifecycle.preconditions, || {
            Asserts(&lifecycle.preconditions)
        })?;
        if lifecycle.prevent_destroy {
            map.serialize_entry("prevent_destroy", &true)?;
        }
        entry_unless_empty(&mut map, "replace_triggered_by", &lifecycle.replace_triggered_by, || {
            Seq(lifecycle.replace_triggered_by.iter().map(|r| match r.attribute {
                Some(attribute) => format!("{}.{attribute}", r.address),
                None => r.address.to_string(),
            }))
        })?;
        map.end()
    }
}

/// Conditions: `assert`, `precondition` and `postcondition` have one shape.
struct Asserts<'a>(&'a [Condition]);

impl Serialize for Asserts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.0.len()))?;
        for Condition { condition, error_message } in self.0 {
            seq.serialize_element(&Value::Object(vec![
                ("condition".into(), condition.value().clone()),
                ("error_message".into(), Value::string(error_message.clone())),
            ]))?;
        }
        seq.end()
    }
}

struct OutputBody<'a>(&'a NamedOutput);

impl Serialize for OutputBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let output = &self.0.output;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("description", &output.description)?;
        if output.sensitive {
            map.serialize_entry("sensitive", &true)?;
        }
        map.serialize_entry("value", &output.value)?;
        map.end()
    }
}

struct VariableBody<'a>(&'a crate::Variable);

impl Serialize for VariableBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(default) = &self.0.default {
            map.serialize_entry("default", default)?;
        }
        map.serialize_entry("description", &self.0.description)?;
        if self.0.sensitive {
            map.serialize_entry("sensitive", &true)?;
        }
        map.serialize_entry("type", self.0.constraint)?;
        map.end()
    }
}

struct SettingsFile<'a> {
    comment: &'a str,
    settings: &'a Settings,
    providers: &'a [Provider],
}

impl Serialize for SettingsFile<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("//", self.comment)?;
        let mut providers: BTreeMap<&str, Vec<&Provider>> = BTreeMap::new();
        for provider in self.providers {
            providers.entry(provider.name).or_default().push(provider);
        }
        entry_unless_empty(&mut map, "provider", self.providers, || &providers)?;
        map.serialize_entry("terraform", self.settings)?;
        map.end()
    }
}

impl Serialize for Provider {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(alias) = &self.alias {
            map.serialize_entry("alias", alias)?;
        }
        for (name, value) in &self.body {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(backend) = &self.backend {
            map.serialize_entry("backend", &BTreeMap::from([("s3", backend)]))?;
        }
        entry_unless_empty(&mut map, "required_providers", &self.required_providers, || {
            sorted(&self.required_providers, |p| {
                (p.name, BTreeMap::from([("source", &p.source), ("version", &p.version)]))
            })
        })?;
        if !self.required_version.is_empty() {
            map.serialize_entry("required_version", &self.required_version)?;
        }
        map.end()
    }
}

impl Serialize for S3Backend {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("bucket", &self.bucket)?;
        if let Some(table) = self.locking.table() {
            map.serialize_entry("dynamodb_table", table)?;
        }
        map.serialize_entry("encrypt", &true)?;
        map.serialize_entry("key", &self.key)?;
        if let Some(key) = &self.kms_key_id {
            map.serialize_entry("kms_key_id", key)?;
        }
        map.serialize_entry("region", &self.region)?;
        if self.locking.lock_file() {
            map.serialize_entry("use_lockfile", &true)?;
        }
        map.end()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(b) => serializer.serialize_bool(*b),
            Self::Number(Number::Int(n)) => serializer.serialize_i64(*n),
            Self::Number(Number::Float(n)) => serializer.serialize_f64(*n),
            Self::String(text) => serializer.serialize_str(&escape(text)),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(entries) => serializer.collect_map(entries.iter().map(|(k, v)| (escape(k), v))),
            Self::Expression(expression) => {
                let mut out = String::new();
                template(expression, &mut out);
                serializer.serialize_str(&out)
            }
            Self::Document(document) => serializer.collect_str(&format_args!("${{{}}}", encoded(document))),
        }
    }
}

fn encoded(document: &Document) -> String {
    format!("jsonencode(local.{})", document.local)
}

/// Escapes the characters that begin a template, so that text stays text.
fn escape(text: &str) -> Cow<'_, str> {
    if crate::settings::has_template(text) {
        text.replace("${", "$${").replace("%{", "%%{").into()
    } else {
        text.into()
    }
}

/// An expression as the content of a string: `${…}`, or literal text with such parts.
fn template(expression: &Expression, out: &mut String) {
    if let Expression::Template(parts) = expression {
        for part in parts {
            match part {
                Value::String(text) => out.push_str(&escape(text)),
                Value::Expression(inner) => template(inner, out),
                other => interpolate(other, out),
            }
        }
    } else {
        out.push_str("${");
        native(expression, out);
        out.push('}');
    }
}

fn interpolate(value: &Value, out: &mut String) {
    out.push_str("${");
    native_value(value, out);
    out.push('}');
}

/// An expression in Terraform's native syntax.
fn native(expression: &Expression, out: &mut String) {
    match expression {
        Expression::Reference(reference) => native_reference(reference, out),
        Expression::Template(parts) => {
            out.push('"');
            for part in parts {
                match part {
                    Value::String(text) => native_text(text, out),
                    other => interpolate(other, out),
                }
            }
            out.push('"');
        }
        Expression::Call { function, arguments } => {
            let _ = write!(out, "{function}(");
            separated(arguments, out, native_value);
            out.push(')');
        }
        Expression::Operation { operator, left, right } => {
            native_operand(left, out);
            let _ = write!(out, " {} ", operator.symbol());
            native_operand(right, out);
        }
        Expression::Find { collection, key, equals, attribute } => {
            out.push_str("one([for item in ");
            native_reference(collection, out);
            let _ = write!(out, " : item.{attribute} if item.{key} == ");
            native_value(equals, out);
            out.push_str("])");
        }
        Expression::NoneStartsWith { collection, attribute, prefix } => {
            out.push_str("alltrue([for item in ");
            native_reference(collection, out);
            let _ = write!(out, " : !startswith(item.{attribute}, \"");
            native_text(prefix, out);
            out.push_str("\")])");
        }
    }
}

/// An operand, in parentheses if it is an operation itself.
fn native_operand(value: &Value, out: &mut String) {
    match value {
        Value::Expression(inner) if matches!(**inner, Expression::Operation { .. }) => {
            out.push('(');
            native(inner, out);
            out.push(')');
        }
        other => native_value(other, out),
    }
}

fn native_value(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(Number::Int(n)) => drop(write!(out, "{n}")),
        Value::Number(Number::Float(n)) => drop(write!(out, "{n}")),
        Value::String(text) => {
            out.push('"');
            native_text(text, out);
            out.push('"');
        }
        Value::List(items) => {
            out.push('[');
            separated(items, out, native_value);
            out.push(']');
        }
        Value::Object(entries) => {
            out.push('{');
            separated(entries, out, |(key, value), out| {
                out.push('"');
                native_text(key, out);
                out.push_str("\" = ");
                native_value(value, out);
            });
            out.push('}');
        }
        Value::Expression(expression) => native(expression, out),
        Value::Document(document) => out.push_str(&encoded(document)),
    }
}

fn separated<T>(items: &[T], out: &mut String, mut write: impl FnMut(&T, &mut String)) {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        write(item, out);
    }
}

/// Text inside a quoted literal of the native syntax.
fn native_text(text: &str, out: &mut String) {
    for c in escape(text).chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
}

fn native_reference(reference: &Reference, out: &mut String) {
    let _ = match &reference.subject {
        Subject::Block(address) => write!(out, "{address}"),
        Subject::Local(name) => write!(out, "local.{name}"),
        Subject::Variable(name) => write!(out, "var.{name}"),
        Subject::Itself => write!(out, "self"),
    };
    for step in &reference.path {
        match step {
            Step::Attribute(name) => drop(write!(out, ".{name}")),
            Step::Index(index) => drop(write!(out, "[{index}]")),
            Step::Key(key) => {
                out.push_str("[\"");
                native_text(key, out);
                out.push_str("\"]");
            }
        }
    }
}

/// Writes an entry whose content stands in a collection that may be empty; then there is no entry.
fn entry_unless_empty<M: SerializeMap, C: IsEmpty + ?Sized, V: Serialize>(
    map: &mut M,
    key: &str,
    collection: &C,
    value: impl FnOnce() -> V,
) -> Result<(), M::Error> {
    if collection.is_empty() { Ok(()) } else { map.serialize_entry(key, &value()) }
}

trait IsEmpty {
    fn is_empty(&self) -> bool;
}
impl<T> IsEmpty for Vec<T> {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }
}
impl<T> IsEmpty for [T] {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }
}
impl<T> IsEmpty for &[T] {
    fn is_empty(&self) -> bool {
        (**self).is_empty()
    }
}
impl<K, V> IsEmpty for BTreeMap<K, V> {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }
}

/// A map of named things, sorted by name.
fn sorted<'a, T, V>(items: &'a [T], entry: impl Fn(&'a T) -> (&'a str, V)) -> BTreeMap<&'a str, V> {
    items.iter().map(entry).collect()
}

/// An iterator as a JSON array.
struct Seq<I>(I);

impl<I: Iterator<Item = T> + Clone, T: Serialize> Serialize for Seq<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}

/// A JSON object of text that needs no escaping: addresses, or text that is escaped already.
struct Fields<const N: usize>([(&'static str, String); N]);

impl<const N: usize> Serialize for Fields<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(k, v)| (k, v)))
    }
}
