//! The requirements that controls are about: `requirements.csv`, in paraphrase, without the standard's text.

/// The table, one control a line: comma-separated values, quoted where they hold commas.
const TABLE: &str = include_str!("requirements.csv");

/// A line of it.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// The control's number, such as `R001`.
    pub id: String,
    /// The numbers of the requirements of PCI DSS.
    pub pci: Vec<String>,
    /// What is asked.
    pub asks: String,
    /// How far the configuration answers it: `full`, `partial`, `supporting`, or `none` where people or AWS do.
    pub strength: String,
    /// How bad it is to go without: `high`, `medium` or `low`.
    pub severity: String,
    /// What the control does not show.
    pub not_shown: String,
    /// What mends a violation.
    pub remedy: String,
    /// Whose checks look at the same; nothing where nobody's do.
    pub source: String,
}

/// Every line.
#[must_use]
pub fn requirements() -> Vec<Requirement> {
    let mut lines = TABLE.lines().map(fields);
    let head = lines.next().unwrap_or_default();
    let column = |name: &str| head.iter().position(|h| h == name).unwrap_or(usize::MAX);
    let [id, pci, asks, strength] = ["id", "pci", "asks", "strength"].map(column);
    let [severity, not_shown, remedy, source] = ["severity", "not_shown", "remedy", "source"].map(column);
    lines
        .map(|row| {
            let field = |index: usize| row.get(index).cloned().unwrap_or_default();
            Requirement {
                id: field(id),
                pci: field(pci).split(';').map(str::to_owned).collect(),
                asks: field(asks),
                strength: field(strength),
                severity: field(severity),
                not_shown: field(not_shown),
                remedy: field(remedy),
                source: field(source),
            }
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
            c => {
                if let Some(last) = fields.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    fields
}
