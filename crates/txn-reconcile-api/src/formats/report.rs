//! What the processors' reports in CSV share: columns found by their names, and the cells of a row.

use super::mapping::plain_name;

/// The names of a header, as far as they tell columns apart.
pub(crate) struct Names(Vec<String>);

impl Names {
    /// The names of a header.
    pub fn new(header: &[String]) -> Self {
        Self(header.iter().map(|name| plain_name(name)).collect())
    }

    /// The column of this plain name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|known| known == name)
    }

    /// The column of the first of these names that is there.
    pub fn first(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.find(name))
    }

    /// The columns of those of these names that are there.
    pub fn all(&self, names: &[&str]) -> Vec<usize> {
        names.iter().filter_map(|name| self.find(name)).collect()
    }

    /// The columns of all of these names; none if one is missing.
    pub fn each<const N: usize>(&self, names: [&str; N]) -> Option<[usize; N]> {
        let mut columns = [0; N];
        for (column, name) in columns.iter_mut().zip(names) {
            *column = self.find(name)?;
        }
        Some(columns)
    }
}

/// The cells of a row, without blanks around them; one that is not there is empty.
#[derive(Clone, Copy)]
pub(crate) struct Cells<F>(pub F);

impl<'a, F: Fn(usize) -> Option<&'a str>> Cells<F> {
    /// The cell of a column.
    pub fn text(&self, column: usize) -> &'a str {
        (self.0)(column).unwrap_or_default().trim()
    }

    /// The cell of a column that may be missing.
    pub fn optional(&self, column: Option<usize>) -> &'a str {
        column.map(|column| self.text(column)).unwrap_or_default()
    }

    /// The first cell of these columns that is not empty.
    pub fn first(&self, columns: impl IntoIterator<Item = usize>) -> &'a str {
        columns.into_iter().map(|column| self.text(column)).find(|text| !text.is_empty()).unwrap_or_default()
    }

    /// The cells of these columns that are not empty, with blanks between them.
    pub fn joined(&self, columns: impl IntoIterator<Item = usize>) -> String {
        let texts: Vec<&str> =
            columns.into_iter().map(|column| self.text(column)).filter(|text| !text.is_empty()).collect();
        texts.join(" ")
    }
}
