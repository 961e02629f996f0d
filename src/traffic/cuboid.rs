//! Sets of points whose coordinates are whole numbers, exactly: unions of cuboids that do not overlap.

use std::array;

/// The numbers from one to another, both of them included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first.
    pub from: u128,
    /// The last, which is not before the first.
    pub to: u128,
}

impl Span {
    /// Every number.
    pub const ALL: Self = Self { from: 0, to: u128::MAX };

    /// The numbers from `from` to `to`.
    #[must_use]
    pub const fn new(from: u128, to: u128) -> Self {
        Self { from, to }
    }

    /// A single number.
    #[must_use]
    pub const fn one(number: u128) -> Self {
        Self { from: number, to: number }
    }

    /// What both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Option<Self> {
        let both = Self { from: self.from.max(other.from), to: self.to.min(other.to) };
        (both.from <= both.to).then_some(both)
    }

    /// Whether it holds a number.
    #[must_use]
    pub fn holds(self, number: u128) -> bool {
        self.from <= number && number <= self.to
    }
}

/// A span in each of N directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cuboid<const N: usize>(pub [Span; N]);

impl<const N: usize> Cuboid<N> {
    /// What both hold.
    #[must_use]
    pub fn and(&self, other: &Self) -> Option<Self> {
        let mut both = *self;
        for (span, other) in both.0.iter_mut().zip(&other.0) {
            *span = span.and(*other)?;
        }
        Some(both)
    }

    /// What this one holds and the other does not: at most 2 N parts.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Vec<Self> {
        let Some(both) = self.and(other) else { return vec![*self] };
        let (mut left, mut rest) = (Vec::new(), *self);
        for at in 0..N {
            let (whole, cut) = (rest.0[at], both.0[at]);
            let mut part = |span| {
                let mut part = rest;
                part.0[at] = span;
                left.push(part);
            };
            if whole.from < cut.from {
                part(Span::new(whole.from, cut.from - 1));
            }
            if cut.to < whole.to {
                part(Span::new(cut.to + 1, whole.to));
            }
            rest.0[at] = cut;
        }
        left
    }
}

/// A union of cuboids, none of which overlaps another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set<const N: usize>(Vec<Cuboid<N>>);

impl<const N: usize> Set<N> {
    /// Nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// What cuboids hold together.
    #[must_use]
    pub fn of(cuboids: impl IntoIterator<Item = Cuboid<N>>) -> Self {
        cuboids.into_iter().fold(Self::none(), |set, cuboid| set.or(&Self(vec![cuboid])))
    }

    /// Its parts.
    #[must_use]
    pub fn cuboids(&self) -> &[Cuboid<N>] {
        &self.0
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What both hold.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().flat_map(|one| other.0.iter().filter_map(|other| one.and(other))).collect())
    }

    /// What this one holds and the other does not.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let mut left = self.0.clone();
        for other in &other.0 {
            left = left.iter().flat_map(|one| one.minus(other)).collect();
        }
        Self(left)
    }

    /// What either holds.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let mut both = self.0.clone();
        both.extend(other.minus(self).0);
        Self(both)
    }

    /// Whether it holds a point.
    #[must_use]
    pub fn holds(&self, point: &[u128; N]) -> bool {
        self.0.iter().any(|one| one.0.iter().zip(point).all(|(span, number)| span.holds(*number)))
    }

    /// The set of the points that differ from one of this set's in this direction alone, and stand within the span there.
    #[must_use]
    pub fn widened(&self, at: usize, span: Span) -> Self {
        Self::of(self.0.iter().map(|one| {
            let mut one = *one;
            one.0[at] = span;
            one
        }))
    }

    /// The same set with its directions in another order: the new one's n-th is the old one's `order[n]`-th.
    #[must_use]
    pub fn turned(&self, order: [usize; N]) -> Self {
        Self(self.0.iter().map(|one| Cuboid(array::from_fn(|at| one.0[order[at]]))).collect())
    }

    /// Where its points stand in one direction, in order and without gaps between neighbours.
    #[must_use]
    pub fn spans(&self, at: usize) -> Vec<Span> {
        merged(self.0.iter().map(|one| one.0[at]))
    }
}

/// Spans in order, those that touch or overlap as one.
#[must_use]
pub fn merged(spans: impl IntoIterator<Item = Span>) -> Vec<Span> {
    let mut sorted: Vec<Span> = spans.into_iter().collect();
    sorted.sort();
    let mut all: Vec<Span> = Vec::new();
    for span in sorted {
        match all.last_mut() {
            Some(last) if span.from <= last.to.saturating_add(1) => last.to = last.to.max(span.to),
            _ => all.push(span),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn some() -> impl Strategy<Value = Set<2>> {
        let span = || (0_u128..8, 0_u128..8).prop_map(|(a, b)| Span::new(a.min(b), a.max(b)));
        let cuboid = (span(), span()).prop_map(|(a, b)| Cuboid([a, b]));
        prop::collection::vec(cuboid, 0..5).prop_map(Set::of)
    }

    proptest! {
        #[test]
        fn sets_are_those_of_their_points(a in some(), b in some()) {
            for x in 0..8 {
                for y in 0..8 {
                    let point = [x, y];
                    let (in_a, in_b) = (a.holds(&point), b.holds(&point));
                    prop_assert_eq!(a.and(&b).holds(&point), in_a && in_b);
                    prop_assert_eq!(a.or(&b).holds(&point), in_a || in_b);
                    prop_assert_eq!(a.minus(&b).holds(&point), in_a && !in_b);
                    prop_assert_eq!(a.turned([1, 0]).holds(&[y, x]), in_a);
                    let column = (0..8).any(|y| a.holds(&[x, y]));
                    prop_assert_eq!(a.widened(1, Span::new(0, 7)).holds(&point), column);
                    prop_assert_eq!(a.spans(0).iter().any(|span| span.holds(x)), column);
                    let times = a.or(&b).cuboids().iter().filter(|c| c.0[0].holds(x) && c.0[1].holds(y)).count();
                    prop_assert!(times <= 1);
                }
            }
        }
    }
}
