//! The inventory as text.

use super::Item;
use clap::ValueEnum;

/// How the inventory is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns, without the tags.
    Table,
    /// Comma-separated values, as RFC 4180 has them.
    Csv,
    /// A JSON array.
    Json,
    /// A table of Markdown.
    Markdown,
}

const HEADINGS: [&str; 7] = ["address", "type", "name", "zone", "data_classification", "pci_scope", "tags"];

/// The items as text, which ends with a line's end.
///
/// # Errors
/// Never for these items; JSON could fail for others.
pub fn render(items: &[Item], format: Format) -> Result<String, serde_json::Error> {
    Ok(match format {
        Format::Json => format!("{}\n", serde_json::to_string_pretty(items)?),
        Format::Csv => lines(items, |cells| cells.map(|cell| csv(&cell)).join(",")),
        Format::Markdown => {
            let mut text =
                lines(items, |cells| format!("| {} |", cells.map(|cell| markdown(&cell)).join(" | ")));
            let rule = format!("|{}\n", " --- |".repeat(HEADINGS.len()));
            text.insert_str(text.find('\n').map_or(0, |at| at + 1), &rule);
            text
        }
        Format::Table => columns(items),
    })
}

fn cells(item: &Item) -> [String; 7] {
    let tags: Vec<String> = item.tags.iter().map(|(key, text)| format!("{key}={text}")).collect();
    [
        item.address.clone(),
        item.kind.clone(),
        item.name.clone(),
        item.zone.to_string(),
        item.data_classification.clone(),
        item.pci_scope.clone(),
        tags.join("; "),
    ]
}

fn lines(items: &[Item], line: impl Fn([String; 7]) -> String) -> String {
    let rows = std::iter::once(HEADINGS.map(str::to_owned)).chain(items.iter().map(cells));
    rows.map(|row| line(row) + "\n").collect()
}

/// A field, quoted where it has to be; one that a spreadsheet would compute is made text.
fn csv(cell: &str) -> String {
    let cell =
        if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

fn markdown(cell: &str) -> String {
    let mut text = String::with_capacity(cell.len());
    for character in cell.chars() {
        match character {
            '\\' | '|' | '*' | '`' | '~' => text.extend(['\\', character]),
            '<' => text.push_str("&lt;"),
            // An address of a mailbox would call a user of that name.
            '@' => text.push_str("&#64;"),
            '\n' | '\r' => text.push(' '),
            _ => text.push(character),
        }
    }
    text
}

fn columns(items: &[Item]) -> String {
    let rows: Vec<[String; 7]> =
        std::iter::once(HEADINGS.map(str::to_uppercase)).chain(items.iter().map(cells)).collect();
    // The type is the first part of the address, and tags would make the lines too long.
    let shown = [0, 2, 3, 4, 5];
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = shown.map(width);
    let line = |row: &[String; 7]| {
        let cells: Vec<String> =
            shown.iter().zip(widths).map(|(column, width)| format!("{:width$}", row[*column])).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_cannot_leave_their_columns() {
        assert_eq!(csv("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(csv("=1+1"), "'=1+1");
        assert_eq!(markdown("a|b\nc"), "a\\|b c");
        assert_eq!(markdown("*.*.example.com"), "\\*.\\*.example.com");
        assert_eq!(markdown("ada@acme"), "ada&#64;acme");
    }
}
