//! From the schema to a model of the bindings: structs, fields, kinds, names.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::provider::{self, Attribute, Nested, Nesting, Schema};
use crate::selection::{Kind, Selection};
use crate::{emit, files};

/// One generated type with everything below it.
pub struct Type {
    /// `resource`, `data` or `ephemeral`, or `provider`.
    pub role: Role,
    /// The provider's name for it, such as `aws_vpc`.
    pub name: String,
    /// Its structs: the root first, then nested ones in breadth-first order.
    pub structs: Vec<Struct>,
    /// The attributes of its handle.
    pub accessors: Vec<Accessor>,
    /// The objects inside those attributes, by struct name.
    pub objects: BTreeMap<String, Vec<(String, String)>>,
    /// Whether it takes tags.
    pub taggable: bool,
}

/// What a type is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A resource.
    Managed,
    /// A data source.
    Data,
    /// An ephemeral resource.
    Ephemeral,
    /// The provider's own configuration.
    Provider,
}

/// A generated struct.
pub struct Struct {
    /// Its Rust name.
    pub name: String,
    /// Its fields, sorted by Terraform's names.
    pub fields: Vec<Field>,
}

/// A field of a struct.
#[derive(Clone, Debug)]
pub struct Field {
    /// Terraform's name.
    pub name: String,
    /// Whether it must be given.
    pub required: bool,
    /// What it holds.
    pub content: Content,
}

/// What a field holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// A value of this kind, in Rust's spelling.
    Argument(String),
    /// The same, written as `null` when unset.
    Nullable(String),
    /// A nested block that stands at most once.
    Block {
        /// The position of its struct.
        of: usize,
        /// Whether it is boxed, to keep the parent small.
        boxed: bool,
    },
    /// Nested blocks.
    Blocks {
        /// The position of their struct.
        of: usize,
        /// How many there may be.
        max: Option<usize>,
    },
    /// An attribute whose elements are objects.
    Objects {
        /// The position of their struct.
        of: usize,
    },
}

/// An attribute of a handle.
pub struct Accessor {
    /// Terraform's name.
    pub name: String,
    /// The kind, in Rust's spelling; `Elements<…>` for objects.
    pub kind: String,
}

/// Generates the bindings, or checks them.
pub fn generate(aws: &Path, check: bool) -> Result<()> {
    let folder = aws.join("schema");
    let schema = Schema::read(&folder)?;
    let mut selection = Selection::read(&folder.join("bindings.toml"))?;
    let mut kinds = Kinds::new(&schema, &selection)?;
    let mut types = Vec::new();
    let sections = [
        (Role::Managed, &schema.resources),
        (Role::Data, &schema.data_sources),
        (Role::Ephemeral, &schema.ephemeral_resources),
    ];
    for (role, blocks) in sections {
        for (name, block) in blocks {
            let mut builder = Builder::new(&schema, &mut selection, &mut kinds);
            types.push(builder.build(role, name, block)?);
        }
    }
    types.push(Builder::new(&schema, &mut selection, &mut kinds).build(
        Role::Provider,
        "provider",
        &schema.provider,
    )?);
    selection.check_used()?;

    let config = aws.join("../../rustfmt.toml");
    let mut written = BTreeMap::new();
    for ty in &types {
        let source = emit::type_file(ty);
        let text = files::rustfmt(&source, &config).with_context(|| format!("in {}", ty.name))?;
        written.insert(emit::file_name(ty), text);
    }
    let documents = selection.document_kinds();
    written.insert("kinds.rs".into(), files::rustfmt(&emit::kinds_file(&kinds, &documents), &config)?);
    written.insert("mod.rs".into(), files::rustfmt(&emit::mod_file(&types), &config)?);
    files::sync(&aws.join("src/generated"), &written, check, "cargo xtask bindings")
}

/// The identifier kinds, and the unions that arguments with several targets take.
pub struct Kinds {
    /// Rust's name for each attribute that something refers to.
    pub names: BTreeMap<String, String>,
    /// The members of each union, by its name.
    pub unions: BTreeMap<String, Vec<String>>,
}

impl Kinds {
    fn new(schema: &Schema, selection: &Selection) -> Result<Self> {
        let mut names = BTreeMap::new();
        for target in selection.targets() {
            let (name, attribute) =
                target.rsplit_once('.').context("a target has the form type.attribute")?;
            let block = match name.strip_prefix("data.") {
                Some(name) => schema.data_sources.get(name),
                None => schema.resources.get(name),
            };
            if !block.is_some_and(|b| b.attributes.contains_key(attribute)) {
                bail!("bindings.toml refers to {target}, which is not an attribute of a generated type");
            }
            names.insert(target.clone(), pascal(&target.replace("aws_", "").replace('.', "_")));
        }
        Ok(Self { names, unions: BTreeMap::new() })
    }

    /// The kind of an argument at `path`.
    fn of(&mut self, path: &str, kind: Kind) -> String {
        match kind {
            Kind::Text => "k::Text".into(),
            Kind::Document(document) => format!("id::{document}"),
            Kind::Attributes(targets) => {
                let members: Vec<String> = targets.iter().map(|t| self.names[t].clone()).collect();
                match members.as_slice() {
                    [one] => format!("id::{one}"),
                    _ => {
                        let name = pascal(&path.replace("aws_", "").replace('.', "_"));
                        self.unions.insert(name.clone(), members);
                        format!("id::{name}")
                    }
                }
            }
        }
    }
}

struct Builder<'a> {
    schema: &'a Schema,
    selection: &'a mut Selection,
    kinds: &'a mut Kinds,
    /// Structs without names yet, and what their names may be made of.
    drafts: Vec<Draft>,
    /// Drafts by content.
    known: HashMap<String, usize>,
    objects: BTreeMap<String, Vec<(String, String)>>,
}

struct Draft {
    fields: Vec<Field>,
    weight: usize,
}

impl<'a> Builder<'a> {
    fn new(schema: &'a Schema, selection: &'a mut Selection, kinds: &'a mut Kinds) -> Self {
        let (drafts, known, objects) = (Vec::new(), HashMap::new(), BTreeMap::new());
        Self { schema, selection, kinds, drafts, known, objects }
    }

    fn build(&mut self, role: Role, name: &str, block: &provider::Block) -> Result<Type> {
        let path = if role == Role::Data { format!("data.{name}") } else { name.to_owned() };
        let root = self.draft(&path, block, true)?;
        let accessors = match role {
            Role::Provider => Vec::new(),
            _ => block.attributes.iter().filter_map(|(n, a)| self.accessor(role, &path, n, a)).collect(),
        };
        let root_name = pascal(name.trim_start_matches("aws_"));
        Ok(Type {
            role,
            structs: name_structs(root_name, root, std::mem::take(&mut self.drafts)),
            accessors,
            objects: std::mem::take(&mut self.objects),
            taggable: block.attributes.get("tags_all").is_some_and(|a| a.computed),
            name: name.to_owned(),
        })
    }

    fn draft(&mut self, path: &str, block: &provider::Block, top: bool) -> Result<usize> {
        let mut fields = Vec::new();
        for (name, attribute) in &block.attributes {
            let path = format!("{path}.{name}");
            let read = top && (name == "id" || name == "tags_all") && attribute.computed;
            let output_only = read && !self.selection.identifies(&path);
            let stored_twin = block.attributes.contains_key(&format!("{name}_wo"));
            let given = attribute.required || attribute.optional;
            if given && !output_only && !stored_twin && !self.selection.omits(&path) {
                fields.push(self.argument(&path, name, attribute)?);
            }
        }
        for (name, nested) in &block.blocks {
            let path = format!("{path}.{name}");
            if !self.selection.omits(&path) {
                fields.push(self.nested(&path, name, nested)?);
            }
        }
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(self.intern(fields))
    }

    fn intern(&mut self, fields: Vec<Field>) -> usize {
        let content = format!("{fields:?}");
        if let Some(&known) = self.known.get(&content) {
            return known;
        }
        let weight = fields.iter().map(|f| match f.content {
            Content::Block { of, boxed: false } => self.drafts[of].weight,
            _ => 1,
        });
        let weight = weight.sum();
        self.drafts.push(Draft { fields, weight });
        self.known.insert(content, self.drafts.len() - 1);
        self.drafts.len() - 1
    }

    fn argument(&mut self, path: &str, name: &str, attribute: &Attribute) -> Result<Field> {
        let content = match object_fields(&attribute.ty) {
            Some(fields) => Content::Objects { of: self.objects_draft(path, fields) },
            None => Content::Argument(self.kind(path, attribute)),
        };
        Ok(Field { name: name.to_owned(), required: attribute.required, content })
    }

    /// The struct of an attribute-as-block: every field must be present, `null` if unset.
    fn objects_draft(&mut self, path: &str, fields: &serde_json::Map<String, Value>) -> usize {
        let fields = fields.iter().map(|(name, ty)| {
            let kind = self.value_kind(&format!("{path}.{name}"), ty);
            Field { name: name.clone(), required: false, content: Content::Nullable(kind) }
        });
        let mut fields: Vec<Field> = fields.collect();
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        self.intern(fields)
    }

    fn nested(&mut self, path: &str, name: &str, nested: &Nested) -> Result<Field> {
        let shape = self.schema.shapes.get(&nested.shape).context("the trimmed schema lacks a shape")?;
        let of = self.draft(path, shape, false)?;
        let once = nested.nesting == Nesting::Single || nested.max == Some(1);
        let required = nested.min > 0 || self.selection.requires(path);
        let content = if once {
            Content::Block { of, boxed: !required && self.drafts[of].weight > MAX_INLINE_FIELDS }
        } else {
            Content::Blocks { of, max: nested.max }
        };
        Ok(Field { name: name.to_owned(), required, content })
    }

    fn kind(&mut self, path: &str, attribute: &Attribute) -> String {
        match attribute {
            Attribute { write_only: true, .. } => "k::Ephemeral".into(),
            Attribute { sensitive: true, .. } => "k::Sensitive".into(),
            _ => self.value_kind(path, &attribute.ty),
        }
    }

    fn value_kind(&mut self, path: &str, ty: &Value) -> String {
        match (ty.as_str(), ty.get(0).and_then(Value::as_str)) {
            (Some("string"), _) => {
                let kind = self.selection.kind(path);
                self.kinds.of(path, kind)
            }
            (Some("number"), _) => "k::Number".into(),
            (Some("bool"), _) => "k::Bool".into(),
            (_, Some("list")) => format!("k::List<{}>", self.value_kind(path, &ty[1])),
            (_, Some("set")) => format!("k::Set<{}>", self.value_kind(path, &ty[1])),
            (_, Some("map")) => format!("k::Map<{}>", self.value_kind(path, &ty[1])),
            _ => "k::Any".into(),
        }
    }

    fn accessor(&mut self, role: Role, path: &str, name: &str, attribute: &Attribute) -> Option<Accessor> {
        if attribute.write_only {
            return None;
        }
        let target = self.selection.same(&format!("{path}.{name}")).unwrap_or(format!("{path}.{name}"));
        let kind = if let Some(kind) = self.kinds.names.get(&target) {
            format!("id::{kind}")
        } else if role == Role::Ephemeral {
            "k::Ephemeral".into()
        } else if attribute.sensitive {
            "k::Sensitive".into()
        } else if let Some(fields) = object_fields(&attribute.ty) {
            let object = format!("{}Object", pascal(name));
            let fields = fields.iter().map(|(n, ty)| (n.clone(), output_kind(ty))).collect();
            self.objects.insert(object.clone(), fields);
            format!("Elements<{object}>")
        } else {
            output_kind(&attribute.ty)
        };
        Some(Accessor { name: name.to_owned(), kind })
    }
}

/// A nested block with more fields than this is boxed where it is optional.
const MAX_INLINE_FIELDS: usize = 24;

/// The fields of a list or set of objects.
fn object_fields(ty: &Value) -> Option<&serde_json::Map<String, Value>> {
    let collection = matches!(ty.get(0)?.as_str()?, "list" | "set");
    let element = ty.get(1)?;
    (collection && element.get(0)?.as_str()? == "object").then(|| element.get(1)?.as_object())?
}

/// The kind of an attribute that is only read.
fn output_kind(ty: &Value) -> String {
    match (ty.as_str(), ty.get(0).and_then(Value::as_str)) {
        (Some("string"), _) => "k::Text".into(),
        (Some("number"), _) => "k::Number".into(),
        (Some("bool"), _) => "k::Bool".into(),
        (_, Some("list")) => format!("k::List<{}>", output_kind(&ty[1])),
        (_, Some("set")) => format!("k::Set<{}>", output_kind(&ty[1])),
        (_, Some("map")) => format!("k::Map<{}>", output_kind(&ty[1])),
        _ => "k::Any".into(),
    }
}

/// Names that the generated files use themselves.
const RESERVED: [&str; 12] =
    ["Body", "Box", "Default", "Err", "Expr", "NonEmpty", "None", "Ok", "Option", "Self", "Some", "Vec"];

/// Names the structs from the root on, so that the outermost one of a name bears it alone.
fn name_structs(root_name: String, root: usize, drafts: Vec<Draft>) -> Vec<Struct> {
    let mut names: HashMap<usize, String> = HashMap::from([(root, root_name.clone())]);
    let mut taken: HashSet<String> = RESERVED.iter().map(ToString::to_string).collect();
    taken.extend([format!("{root_name}Optional"), format!("{root_name}Handle"), root_name]);
    let mut queue = vec![root];
    let mut next = 0;
    while let Some(&at) = queue.get(next) {
        next += 1;
        for field in &drafts[at].fields {
            let (Content::Block { of, .. } | Content::Blocks { of, .. } | Content::Objects { of }) =
                field.content
            else {
                continue;
            };
            if names.contains_key(&of) {
                continue;
            }
            let mut name = pascal(&field.name);
            if taken.contains(&name) {
                name = format!("{}{name}", names[&at]);
            }
            while taken.contains(&name) {
                name.push('_');
            }
            taken.extend([format!("{name}Optional"), name.clone()]);
            names.insert(of, name);
            queue.push(of);
        }
    }
    let positions: HashMap<usize, usize> = queue.iter().enumerate().map(|(new, &old)| (old, new)).collect();
    let mut drafts: Vec<Option<Draft>> = drafts.into_iter().map(Some).collect();
    let reposition = |mut field: Field| {
        if let Content::Block { of, .. } | Content::Blocks { of, .. } | Content::Objects { of } =
            &mut field.content
        {
            *of = positions[of];
        }
        field
    };
    let structs = queue.iter().map(|old| {
        let fields = drafts[*old].take().map(|d| d.fields).unwrap_or_default();
        Struct { name: names[old].clone(), fields: fields.into_iter().map(reposition).collect() }
    });
    structs.collect()
}

/// `web_acl` -> `WebAcl`
pub fn pascal(snake: &str) -> String {
    snake
        .split(['_', '.'])
        .map(|word| {
            let mut chars = word.chars();
            chars.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(chars).collect::<String>()
        })
        .collect()
}
