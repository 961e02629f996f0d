//! Typed expressions: a value together with the kind of thing that it is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;

use crate::{Block, Expression, Key, Number, Operator, Reference, Step, Subject, Value};

/// The kinds of value that Terraform itself has. Providers add kinds for their identifiers.
pub mod kind {
    use std::marker::PhantomData;

    /// A string.
    #[derive(Clone, Copy, Debug)]
    pub enum Text {}
    /// A number.
    #[derive(Clone, Copy, Debug)]
    pub enum Number {}
    /// A boolean.
    #[derive(Clone, Copy, Debug)]
    pub enum Bool {}
    /// A value whose type the provider decides at run time.
    #[derive(Clone, Copy, Debug)]
    pub enum Any {}
    /// A list of values of one kind.
    #[derive(Clone, Copy, Debug)]
    pub struct List<K>(PhantomData<K>);
    /// A set of values of one kind.
    #[derive(Clone, Copy, Debug)]
    pub struct Set<K>(PhantomData<K>);
    /// A map from strings to values of one kind.
    #[derive(Clone, Copy, Debug)]
    pub struct Map<K>(PhantomData<K>);
    /// A value that the provider marks sensitive. It can be referred to, never written down.
    #[derive(Clone, Copy, Debug)]
    pub enum Sensitive {}
    /// A value that lives for one run only: what ephemeral resources give and write-only arguments take.
    #[derive(Clone, Copy, Debug)]
    pub enum Ephemeral {}
}

use kind::{Any, Bool, Ephemeral, List, Map, Sensitive, Set, Text};

/// An expression whose value is of kind `K`.
///
/// It comes from a literal ([`set`], [`Expr::new`]), from an attribute of a handle, or is put together
/// with [`concat`]. There is no way from one identifier kind to another: a key id is not a VPC id.
pub struct Expr<K> {
    value: Value,
    kind: PhantomData<fn() -> K>,
}

impl<K> Expr<K> {
    /// The expression of anything that can stand for a `K`.
    pub fn new(value: impl IntoExpr<K>) -> Self {
        value.into_expr()
    }

    /// A reference. For the generated bindings, which know the attribute's kind.
    pub fn reference(reference: Reference) -> Self {
        Self::of(Value::Expression(Box::new(Expression::Reference(reference))))
    }

    /// An untyped value taken as a `K`. Not public: it would let a secret be written down.
    pub(crate) fn of(value: Value) -> Self {
        Self { value, kind: PhantomData }
    }

    /// An attribute of the block itself: `self.name`, for postconditions.
    pub fn itself(name: &'static str) -> Self {
        Self::reference(Reference { subject: Subject::Itself, path: vec![Step::Attribute(name)] })
    }

    /// The untyped value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The untyped value.
    pub fn into_value(self) -> Value {
        self.value
    }

    /// The same as plain text, for lists that hold several kinds.
    #[must_use]
    pub fn text(self) -> Expr<Text>
    where
        Text: Accepts<K>,
    {
        Expr::of(self.value)
    }

    /// `self == other`
    #[must_use]
    pub fn equals(self, other: impl IntoExpr<K>) -> Expr<Bool> {
        Expr::operation(Operator::Equal, self.value, other.into_expr().value)
    }

    /// `self != other`
    #[must_use]
    pub fn differs_from(self, other: impl IntoExpr<K>) -> Expr<Bool> {
        Expr::operation(Operator::NotEqual, self.value, other.into_expr().value)
    }

    fn call(function: &'static str, arguments: Vec<Value>) -> Self {
        Self::of(Value::Expression(Box::new(Expression::Call { function, arguments })))
    }
}

impl<K: Identifier> Expr<K> {
    /// An identifier from outside of this module, such as the id of a VPC that somebody else made.
    ///
    /// This is the one way to write an identifier down, so that a reader can search for it.
    pub fn external(id: impl Into<Cow<'static, str>>) -> Self {
        Self::of(Value::String(id.into()))
    }
}

impl Expr<Bool> {
    fn operation(operator: Operator, left: Value, right: Value) -> Self {
        Self::of(Value::Expression(Box::new(Expression::Operation { operator, left, right })))
    }

    /// `self && other`
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::operation(Operator::And, self.value, other.value)
    }

    /// `self || other`
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::operation(Operator::Or, self.value, other.value)
    }
}

impl Expr<kind::Number> {
    /// `self >= other`
    #[must_use]
    pub fn at_least(self, other: impl IntoExpr<kind::Number>) -> Expr<Bool> {
        Expr::operation(Operator::AtLeast, self.value, other.into_expr().value)
    }

    /// `self <= other`
    #[must_use]
    pub fn at_most(self, other: impl IntoExpr<kind::Number>) -> Expr<Bool> {
        Expr::operation(Operator::AtMost, self.value, other.into_expr().value)
    }
}

impl Expr<Text> {
    /// `cidrsubnet(self, bits, number)`: the `number`-th of the equal parts of an address range whose prefix is
    /// `bits` longer, for a range that is known only once it exists.
    #[must_use]
    pub fn cidr_subnet(self, bits: u8, number: u32) -> Self {
        Self::call("cidrsubnet", vec![self.value, Value::Number(bits.into()), Value::Number(number.into())])
    }
}

impl<K> Expr<List<K>> {
    /// `contains(self, item)`
    #[must_use]
    pub fn contains(self, item: impl IntoExpr<K>) -> Expr<Bool> {
        Expr::call("contains", vec![self.value, item.into_expr().value])
    }
}

impl<K: DocumentKind> Expr<K> {
    /// A JSON document. For the typed layer that knows the document's structure.
    pub fn document(content: Value) -> Self {
        Self::of(Value::document(content))
    }
}

impl<K> Clone for Expr<K> {
    fn clone(&self) -> Self {
        Self::of(self.value.clone())
    }
}

impl<K> std::fmt::Debug for Expr<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.value.fmt(f)
    }
}

/// An identifier kind: the id or ARN of a certain type of resource.
pub trait Identifier {}

/// A kind of JSON document in a string argument: an IAM policy, a dashboard.
pub trait DocumentKind {}

/// `T: Accepts<F>`: an expression of kind `F` may stand where a `T` is expected.
#[diagnostic::on_unimplemented(
    message = "a `{F}` is not a `{Self}`",
    label = "this argument takes a `{Self}`, and was given a `{F}`",
    note = "refer to an attribute of the right kind; an identifier from outside is written `Expr::external(…)`"
)]
pub trait Accepts<F> {}

macro_rules! accepts {
    ($($t:ty: $($f:ty),+;)*) => {$($(impl Accepts<$f> for $t {})+)*};
}
accepts! {
    Text: Text;
    Bool: Bool;
    kind::Number: kind::Number;
    Sensitive: Sensitive;
    Ephemeral: Ephemeral, Sensitive;
}
impl<F> Accepts<F> for Any {}
impl<F, T: Accepts<F>> Accepts<List<F>> for List<T> {}
impl<F, T: Accepts<F>> Accepts<List<F>> for Set<T> {}
impl<F, T: Accepts<F>> Accepts<Set<F>> for Set<T> {}
impl<F, T: Accepts<F>> Accepts<Map<F>> for Map<T> {}

/// What can stand for an expression of kind `T`: literals, collections, and expressions that `T` accepts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand for a `{T}`",
    label = "this argument takes a `{T}`",
    note = "a secret is never written down, and an identifier is a reference or `Expr::external(…)`"
)]
pub trait IntoExpr<T> {
    /// The expression.
    fn into_expr(self) -> Expr<T>;
}

impl<F, T: Accepts<F>> IntoExpr<T> for Expr<F> {
    fn into_expr(self) -> Expr<T> {
        Expr::of(self.value)
    }
}

macro_rules! literals {
    ($($t:ty => $k:ty, |$v:ident| $e:expr;)*) => {$(
        impl IntoExpr<$k> for $t {
            fn into_expr(self) -> Expr<$k> {
                let $v = self;
                Expr::of($e)
            }
        }
    )*};
}
literals! {
    &'static str => Text, |v| Value::String(Cow::Borrowed(v));
    String => Text, |v| Value::String(Cow::Owned(v));
    &String => Text, |v| Value::String(Cow::Owned(v.clone()));
    Cow<'static, str> => Text, |v| Value::String(v);
    bool => Bool, |v| Value::Bool(v);
    i32 => kind::Number, |v| Value::Number(v.into());
    i64 => kind::Number, |v| Value::Number(v.into());
    u8 => kind::Number, |v| Value::Number(v.into());
    u16 => kind::Number, |v| Value::Number(v.into());
    u32 => kind::Number, |v| Value::Number(v.into());
    usize => kind::Number, |v| Value::Number(v.into());
    f64 => kind::Number, |v| Value::Number(v.into());
    Number => kind::Number, |v| Value::Number(v);
    Value => Any, |v| v;
}

fn list<K, E: IntoExpr<K>>(items: impl IntoIterator<Item = E>) -> Value {
    Value::List(items.into_iter().map(|e| e.into_expr().value).collect())
}

fn map<K, E: IntoExpr<K>, S: Into<Key>>(entries: impl IntoIterator<Item = (S, E)>) -> Value {
    Value::Object(entries.into_iter().map(|(k, e)| (k.into(), e.into_expr().value)).collect())
}

impl<K, E: IntoExpr<K>, const N: usize> IntoExpr<List<K>> for [E; N] {
    fn into_expr(self) -> Expr<List<K>> {
        Expr::of(list(self))
    }
}
impl<K, E: IntoExpr<K>> IntoExpr<List<K>> for Vec<E> {
    fn into_expr(self) -> Expr<List<K>> {
        Expr::of(list(self))
    }
}
impl<K, E: IntoExpr<K>, const N: usize> IntoExpr<Set<K>> for [E; N] {
    fn into_expr(self) -> Expr<Set<K>> {
        Expr::of(list(self))
    }
}
impl<K, E: IntoExpr<K>> IntoExpr<Set<K>> for Vec<E> {
    fn into_expr(self) -> Expr<Set<K>> {
        Expr::of(list(self))
    }
}
impl<K, S: Into<Key>, E: IntoExpr<K>, const N: usize> IntoExpr<Map<K>> for [(S, E); N] {
    fn into_expr(self) -> Expr<Map<K>> {
        Expr::of(map(self))
    }
}
impl<K, S: Into<Key>, E: IntoExpr<K>> IntoExpr<Map<K>> for Vec<(S, E)> {
    fn into_expr(self) -> Expr<Map<K>> {
        Expr::of(map(self))
    }
}
impl<K, E: IntoExpr<K>> IntoExpr<Map<K>> for BTreeMap<String, E> {
    fn into_expr(self) -> Expr<Map<K>> {
        Expr::of(map(self))
    }
}

/// A field that can be assigned an `I`: required and optional arguments, and optional nested blocks.
#[diagnostic::on_unimplemented(
    message = "`{I}` cannot be assigned to `{Self}`",
    label = "this field is a `{Self}`"
)]
pub trait Assign<I> {
    /// The field's value.
    fn assign(input: I) -> Self;
}

impl<T, I: IntoExpr<T>> Assign<I> for Expr<T> {
    fn assign(input: I) -> Self {
        input.into_expr()
    }
}
impl<T, I: IntoExpr<T>> Assign<I> for Option<Expr<T>> {
    fn assign(input: I) -> Self {
        Some(input.into_expr())
    }
}
impl<B: Block> Assign<B> for Option<B> {
    fn assign(input: B) -> Self {
        Some(input)
    }
}
impl<B: Block> Assign<B> for Option<Box<B>> {
    fn assign(input: B) -> Self {
        Some(Box::new(input))
    }
}

/// Gives a field its value: `port: set(443)`, `vpc_id: set(vpc.id())`, `access_logs: set(AccessLogs { … })`.
pub fn set<F: Assign<I>, I>(input: I) -> F {
    F::assign(input)
}

/// A part of a text that is put together from literal text and references.
pub struct TextPart(Value);

impl From<&'static str> for TextPart {
    fn from(text: &'static str) -> Self {
        Self(Value::string(text))
    }
}
impl From<String> for TextPart {
    fn from(text: String) -> Self {
        Self(Value::string(text))
    }
}
impl<F> From<Expr<F>> for TextPart
where
    Text: Accepts<F>,
{
    fn from(expr: Expr<F>) -> Self {
        Self(expr.value)
    }
}

/// Joins parts into one text: `concat([bucket.arn().into(), "/*".into()])`.
///
/// Literal parts stay literal: template characters in them are escaped like everywhere else.
pub fn concat<K>(parts: impl IntoIterator<Item = TextPart>) -> Expr<K>
where
    K: Accepts<Text>,
{
    let mut joined: Vec<Value> = Vec::new();
    for TextPart(part) in parts {
        match (joined.last_mut(), part) {
            (Some(Value::String(text)), Value::String(more)) => text.to_mut().push_str(&more),
            (_, part) => joined.push(part),
        }
    }
    match <[Value; 1]>::try_from(joined) {
        Ok([single]) => Expr::of(single),
        Err(joined) => Expr::of(Value::Expression(Box::new(Expression::Template(joined)))),
    }
}

/// Joins literal text and references into one text: `text![bucket.arn(), "/*"]`.
#[macro_export]
macro_rules! text {
    ($($part:expr),+ $(,)?) => {
        $crate::concat::<$crate::kind::Text>([$($crate::TextPart::from($part)),+])
    };
}
