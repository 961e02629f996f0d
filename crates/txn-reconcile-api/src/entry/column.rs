//! Columns that cost nothing until they hold something.

/// A column whose values are mostly the default: no memory is used until another value arrives.
#[derive(Clone, Debug, Default)]
pub struct LazyColumn<T> {
    data: Vec<T>,
    len: usize,
}

impl<T: Copy + Default + PartialEq> LazyColumn<T> {
    /// Appends a value.
    #[inline]
    pub fn push(&mut self, value: T) {
        if !self.data.is_empty() {
            self.data.push(value);
        } else if value != T::default() {
            self.data.resize(self.len, T::default());
            self.data.push(value);
        }
        self.len += 1;
    }

    /// Puts another value in place of the last one.
    pub fn replace_last(&mut self, value: T) {
        if self.len > 0 {
            self.len -= 1;
            self.data.truncate(self.len);
            self.push(value);
        }
    }

    /// The value of a row.
    #[inline]
    #[must_use]
    pub fn get(&self, row: usize) -> T {
        self.data.get(row).copied().unwrap_or_default()
    }

    /// Whether every value is the default.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.data.is_empty()
    }

    /// Gives back spare memory.
    pub fn shrink(&mut self) {
        self.data.shrink_to_fit();
    }
}

/// Values that run on from row to row (line numbers, offsets): only the breaks in the run are stored.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    /// First row of a run and its base value.
    runs: Vec<(u32, u64)>,
}

impl Runs {
    /// Starts a run at `row` with this base.
    pub fn start(&mut self, row: u32, base: u64) {
        self.runs.push((row, base));
    }

    /// The run that `row` lies in: its first row and base.
    #[must_use]
    pub fn at(&self, row: u32) -> Option<(u32, u64)> {
        let index = self.runs.partition_point(|(first, _)| *first <= row);
        index.checked_sub(1).and_then(|index| self.runs.get(index)).copied()
    }

    /// The latest run.
    #[inline]
    #[must_use]
    pub fn last(&self) -> Option<(u32, u64)> {
        self.runs.last().copied()
    }

    /// All runs, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        self.runs.iter().copied()
    }
}

/// Whole numbers that nearly always fit 32 bits, as fees in minor units do; the rest stand aside.
#[derive(Clone, Debug, Default)]
pub struct AmountColumn {
    narrow: Vec<i32>,
    wide: std::collections::BTreeMap<u32, i128>,
}

/// Marks a row whose value stands aside.
const ASIDE: i32 = i32::MIN;

impl AmountColumn {
    /// Makes room ahead.
    pub fn reserve(&mut self, additional: usize) {
        self.narrow.reserve(additional);
    }

    /// Appends an amount of any size.
    #[inline]
    pub fn push(&mut self, amount: i128) {
        match i32::try_from(amount) {
            Ok(narrow) if narrow != ASIDE => self.narrow.push(narrow),
            _ => {
                let row = u32::try_from(self.narrow.len()).unwrap_or(u32::MAX);
                self.wide.insert(row, amount);
                self.narrow.push(ASIDE);
            }
        }
    }

    /// The amount of a row.
    #[inline]
    #[must_use]
    pub fn get(&self, row: usize) -> i128 {
        match self.narrow.get(row) {
            Some(&ASIDE) => self.aside(row),
            Some(narrow) => i128::from(*narrow),
            None => 0,
        }
    }

    #[cold]
    fn aside(&self, row: usize) -> i128 {
        u32::try_from(row).ok().and_then(|row| self.wide.get(&row)).copied().unwrap_or_default()
    }

    /// Gives back spare memory.
    pub fn shrink(&mut self) {
        self.narrow.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lazy_column_remembers_the_rows_before_its_first_value() {
        let mut column = LazyColumn::<u32>::default();
        column.push(0);
        column.push(0);
        assert!(column.is_blank());
        column.push(7);
        column.push(0);
        assert_eq!((0..5).map(|row| column.get(row)).collect::<Vec<_>>(), [0, 0, 7, 0, 0]);
    }

    #[test]
    fn amounts_of_any_size_come_back() {
        let amounts =
            [0, 1, -1, i128::from(i32::MAX), i128::from(i32::MIN), i128::from(i64::MIN) - 1, i128::MAX];
        let mut column = AmountColumn::default();
        for amount in amounts {
            column.push(amount);
        }
        assert_eq!((0..amounts.len()).map(|row| column.get(row)).collect::<Vec<_>>(), amounts);
    }

    #[test]
    fn runs_answer_for_the_rows_inside_them() {
        let mut runs = Runs::default();
        assert_eq!(runs.at(0), None);
        runs.start(0, 2);
        runs.start(10, 50);
        assert_eq!(runs.at(9), Some((0, 2)));
        assert_eq!(runs.at(10), Some((10, 50)));
        assert_eq!(runs.at(4_000), Some((10, 50)));
    }
}
