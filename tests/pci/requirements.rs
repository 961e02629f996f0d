//! The rows that ask something of generated resources: comma-separated values, quoted where they hold commas.

/// One row.
pub struct Requirement {
    pub id: String,
    /// The numbers of the requirements, separated by semicolons.
    pub pci: String,
    pub asks: String,
    /// How far the attribute answers the requirement.
    pub strength: String,
}

/// The rows, which all have to be of the kind `synth`.
pub fn parse(text: &str) -> Vec<Requirement> {
    let mut lines = text.lines().map(fields);
    let head = lines.next().expect("a head");
    let column =
        |name: &str| head.iter().position(|h| h == name).unwrap_or_else(|| panic!("no column {name}"));
    let (id, pci, asks, kind, strength) =
        (column("id"), column("pci_req"), column("requirement"), column("kind"), column("evidence_strength"));
    lines
        .map(|row| {
            assert_eq!(row.len(), head.len(), "{row:?}");
            assert_eq!(row[kind], "synth", "{row:?}");
            let field = |index: usize| row[index].clone();
            Requirement { id: field(id), pci: field(pci), asks: field(asks), strength: field(strength) }
        })
        .collect()
}

fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => fields.last_mut().expect("one field").push(c),
        }
    }
    assert!(!quoted, "an open quote: {line}");
    fields
}
