//! A provider small enough to read, in the form that the generated bindings have.

use terraform::kind::{Any, Ephemeral, List, Map, Number, Sensitive, Text};
use terraform::{Accepts, Address, Block, Body, DocumentKind, Expr, Identifier, Mode, NonEmpty, Resource};

pub enum NetId {}
impl Identifier for NetId {}
impl Accepts<NetId> for NetId {}
impl Accepts<NetId> for Text {}

pub enum Policy {}
impl DocumentKind for Policy {}
impl Accepts<Policy> for Policy {}

/// `toy_net`: every argument is optional.
#[derive(Default)]
pub struct Net {
    pub label: Option<Expr<Text>>,
    pub policy: Option<Expr<Policy>>,
    pub size: Option<Expr<Number>>,
    pub tags: Option<Expr<Map<Text>>>,
    pub any: Option<Expr<Any>>,
}

impl Block for Net {
    fn write(self, body: &mut Body) {
        body.optional("any", self.any);
        body.optional("label", self.label);
        body.optional("policy", self.policy);
        body.optional("size", self.size);
        body.optional("tags", self.tags);
    }
}

impl Resource for Net {
    const MODE: Mode = Mode::Managed;
    const TYPE: &'static str = "toy_net";
    const TAGGABLE: bool = true;
    type Handle = NetHandle;
    fn handle(address: Address) -> NetHandle {
        NetHandle::new(address)
    }
}

terraform::arguments! {
Net {
    LABEL "label",
}
}

terraform::handle! {
/// The attributes of a `toy_net`.
NetHandle {
    id: (NetId),
    label: (Text),
    password: (Sensitive),
    zones: (List<Text>),
    records: Elements<Record>,
}
}

terraform::object! {
/// An object in the attributes of a `toy_net`.
Record {
    r#type "type": Text,
    value "value": Text,
}
}

/// `toy_host`: a required argument, a required block, a secret.
pub struct Host {
    pub net: Expr<NetId>,
    pub disk: NonEmpty<Disk>,
    pub secret: Option<Expr<Ephemeral>>,
}

pub struct Disk {
    pub size: Expr<Number>,
}

impl Block for Disk {
    fn write(self, body: &mut Body) {
        body.argument("size", self.size);
    }
}

impl Block for Host {
    fn write(self, body: &mut Body) {
        body.blocks("disk", self.disk, Some(2));
        body.argument("net", self.net);
        body.optional("secret", self.secret);
    }
}

impl Resource for Host {
    const MODE: Mode = Mode::Managed;
    const TYPE: &'static str = "toy_host";
    const TAGGABLE: bool = false;
    type Handle = HostHandle;
    fn handle(address: Address) -> HostHandle {
        HostHandle::new(address)
    }
}

terraform::handle! {
/// The attributes of a `toy_host`.
HostHandle {
    id: (Text),
}
}

pub fn disk(size: i32) -> Disk {
    Disk { size: terraform::set(size) }
}
