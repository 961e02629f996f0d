//! Comma-separated values that a spreadsheet may open.

use std::io::{self, Write};

use super::table::{Column, Kind, Table};
use crate::engine::Outcome;
use crate::rules::Ruleset;

/// Writes a list with a header line.
///
/// # Errors
/// Those of the writer.
pub fn write(table: Table, outcome: &Outcome, rules: &Ruleset, out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<&str> = table.columns().iter().map(|column| column.name).collect();
    writeln!(out, "{}", names.join(","))?;
    table.rows(outcome, rules, |row| {
        for (index, (field, column)) in row.iter().zip(table.columns()).enumerate() {
            if index > 0 {
                out.write_all(b",")?;
            }
            out.write_all(field_text(field, column).as_bytes())?;
        }
        out.write_all(b"\n")
    })
}

/// A field, neutralised if it comes from a file and quoted if it has to be.
fn field_text(field: &str, column: &Column) -> String {
    let text = if column.kind == Kind::Foreign { neutralise(field) } else { field.to_owned() };
    if text.contains([',', '"', '\n', '\r', ';', '\t']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// Puts an apostrophe before text that a spreadsheet would take for a formula
/// (<https://owasp.org/www-community/attacks/CSV_Injection>).
#[must_use]
pub fn neutralise(text: &str) -> String {
    let first = text.trim_start_matches([' ', '\u{a0}']).chars().next();
    let formula =
        matches!(first, Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠'));
    if formula { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_neutralised() {
        for text in ["=1+1", "+49 30", "-1", "@SUM", "\t=1", " =cmd", "＝1"] {
            assert!(neutralise(text).starts_with('\''), "{text}");
        }
        assert_eq!(neutralise("INV-1"), "INV-1");
        assert_eq!(neutralise(""), "");
    }

    #[test]
    fn fields_are_quoted_where_they_have_to_be() {
        let foreign = Column { name: "a", kind: Kind::Foreign };
        assert_eq!(field_text("a,\"b\"", &foreign), "\"a,\"\"b\"\"\"");
        assert_eq!(field_text("=1,2", &foreign), "\"'=1,2\"");
        assert_eq!(field_text("-1.00", &Column { name: "a", kind: Kind::Amount }), "-1.00");
    }
}
