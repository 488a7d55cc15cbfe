//! Dates as words.

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `Mon Jul 17 09:09:04 UTC 2017`: the form of the column `datetime`, always in UTC. Milliseconds since 1970.
#[must_use]
pub fn date_time(milliseconds: i64) -> String {
    let seconds = milliseconds.div_euclid(1000);
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let name = DAYS.get(days.rem_euclid(7) as usize).copied().unwrap_or_default();
    let month = MONTHS.get(month as usize - 1).copied().unwrap_or_default();
    format!("{name} {month} {day:02} {:02}:{:02}:{:02} UTC {year}", rest / 3600, rest / 60 % 60, rest % 60)
}

/// Year, month and day of a number of days since 1970 (Howard Hinnant, *chrono-Compatible Low-Level Date Algorithms*).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::date_time;

    #[test]
    fn dates_of_known_moments() {
        assert_eq!(date_time(0), "Thu Jan 01 00:00:00 UTC 1970");
        assert_eq!(date_time(1_500_282_615_559), "Mon Jul 17 09:10:15 UTC 2017");
        assert_eq!(date_time(951_782_400_000), "Tue Feb 29 00:00:00 UTC 2000");
        assert_eq!(date_time(-1), "Wed Dec 31 23:59:59 UTC 1969");
    }
}
