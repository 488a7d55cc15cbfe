//! Working days: legal deadlines count them, with public holidays and make-up working days.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A calendar of one jurisdiction: a data file with its source and date.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Calendar {
    /// Where the table comes from, with date; says "unverified" where nobody read it in a source.
    #[serde(default)]
    pub source: String,
    /// Days off besides weekends.
    #[serde(default)]
    pub holidays: BTreeSet<NaiveDate>,
    /// Weekend days that are worked.
    #[serde(default)]
    pub workdays: BTreeSet<NaiveDate>,
}

/// Why a calendar cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// A day is both off and worked.
    #[error("{0} is both a holiday and a make-up working day: keep one")]
    Both(NaiveDate),
}

impl Calendar {
    /// Checks that no day is both off and worked.
    ///
    /// # Errors
    /// The first such day.
    pub fn check(&self) -> Result<(), CalendarError> {
        match self.holidays.intersection(&self.workdays).next() {
            Some(day) => Err(CalendarError::Both(*day)),
            None => Ok(()),
        }
    }

    /// Whether people work on this day.
    #[must_use]
    pub fn is_working(&self, day: NaiveDate) -> bool {
        let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        self.workdays.contains(&day) || (!weekend && !self.holidays.contains(&day))
    }

    /// The `count`-th working day after `day` (the day itself is not counted, as legal terms run
    /// from the next day). `day` itself when `count` is 0.
    #[must_use]
    pub fn after(&self, day: NaiveDate, count: u32) -> NaiveDate {
        let mut day = day;
        let mut left = count;
        while left > 0 {
            let Some(next) = day.checked_add_days(Days::new(1)) else { return day };
            day = next;
            if self.is_working(day) {
                left -= 1;
            }
        }
        day
    }

    /// Working days after `from` up to and including `to`; 0 when `to` is not later.
    #[must_use]
    pub fn between(&self, from: NaiveDate, to: NaiveDate) -> u32 {
        let days = from.iter_days().skip(1).take_while(|day| *day <= to);
        u32::try_from(days.filter(|day| self.is_working(*day)).count()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn weekends_holidays_and_make_up_days_count() {
        // National Day 2025: 1–8 October off; Sunday 28 September and Saturday 11 October worked.
        let mut calendar = Calendar::default();
        calendar.holidays.extend((1..=8).map(|d| day(&format!("2025-10-{d:02}"))));
        calendar.workdays.extend([day("2025-09-28"), day("2025-10-11")]);
        calendar.check().unwrap();
        assert_eq!(calendar.after(day("2025-09-30"), 1), day("2025-10-09"));
        assert_eq!(calendar.after(day("2025-10-10"), 1), day("2025-10-11"));
        assert_eq!(calendar.after(day("2025-10-10"), 0), day("2025-10-10"));
        assert_eq!(calendar.between(day("2025-09-30"), day("2025-10-13")), 4);
        calendar.holidays.insert(day("2025-10-11"));
        assert_eq!(calendar.check(), Err(CalendarError::Both(day("2025-10-11"))));
    }
}
