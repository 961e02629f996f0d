//! Business days: weekends and holidays, and distances counted in them.

use crate::date::Date;

/// Which days are worked, tabulated over the whole accepted range of dates.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// For each day from [`Date::MIN`]: how many business days lie at or before it.
    ordinals: Vec<i32>,
}

impl Calendar {
    /// A calendar without the given weekdays (0 Monday to 6 Sunday) and holidays.
    #[must_use]
    pub fn new(weekend: &[u32], holidays: &[Date]) -> Self {
        let mut closed: Vec<Date> = holidays.to_vec();
        closed.sort_unstable();
        let mut count = 0;
        let ordinals = (Date::MIN.days()..=Date::MAX.days())
            .filter_map(Date::from_days)
            .map(|date| {
                let open = !weekend.contains(&date.weekday()) && closed.binary_search(&date).is_err();
                count += i32::from(open);
                count
            })
            .collect();
        Self { ordinals }
    }

    /// The ordinal of the business day on which this date counts. A day off counts as the business day before it,
    /// because a payment of Saturday carries Friday's books.
    #[inline]
    #[must_use]
    pub fn ordinal(&self, date: Date) -> i32 {
        usize::try_from(date.days() - Date::MIN.days())
            .ok()
            .and_then(|at| self.ordinals.get(at))
            .copied()
            .unwrap_or(0)
    }

    /// Business days between two dates, in either direction.
    #[inline]
    #[must_use]
    pub fn distance(&self, a: Date, b: Date) -> u32 {
        self.ordinal(a).abs_diff(self.ordinal(b))
    }
}

impl Default for Calendar {
    /// Saturday and Sunday off, no holidays.
    fn default() -> Self {
        Self::new(&[5, 6], &[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        Date::parse_iso(text.as_bytes()).unwrap()
    }

    #[test]
    fn weekends_and_holidays_do_not_count() {
        let calendar = Calendar::new(&[5, 6], &[day("2026-12-25")]);
        assert_eq!(calendar.distance(day("2026-12-24"), day("2026-12-28")), 1);
        assert_eq!(calendar.distance(day("2026-12-28"), day("2026-12-24")), 1);
        assert_eq!(calendar.distance(day("2026-11-20"), day("2026-11-22")), 0);
        assert_eq!(calendar.distance(day("2026-11-20"), day("2026-11-23")), 1);
    }

    #[test]
    fn without_days_off_it_counts_every_day() {
        let calendar = Calendar::new(&[], &[]);
        assert_eq!(calendar.distance(day("2026-01-01"), day("2026-12-31")), 364);
    }
}
