//! The settings a client may change: a list, so that nothing is promised that is not kept.

use super::fault;
use cogov_app::NoiseAsk;
use cogov_model::Epsilon;
use parking_lot::Mutex;
use pgwire::error::PgWireResult;
use std::{collections::BTreeMap, time::Duration};

/// What a setting may be set to.
#[derive(Clone, Copy)]
enum May {
    /// Anything: it is only shown again.
    Any,
    /// One of these.
    One(&'static [&'static str]),
    /// A text that begins with this.
    Begin(&'static str),
    /// Nothing: it says how the server is.
    Fixed,
}

/// Name, what it begins as, what it may be set to. Names as PostgreSQL shows them.
const KNOWN: &[(&str, &str, May)] = &[
    ("application_name", "", May::Any),
    ("bytea_output", "hex", May::One(&["hex"])),
    ("client_encoding", "UTF8", May::One(&["utf8", "utf-8", "unicode"])),
    ("client_min_messages", "notice", May::Any),
    ("cogov.epsilon", "", May::Any),
    ("cogov.margins", "on", May::Any),
    ("DateStyle", "ISO, YMD", May::Begin("iso")),
    ("default_transaction_deferrable", "off", May::Any),
    ("default_transaction_isolation", "read committed", May::Any),
    ("default_transaction_read_only", "on", May::Any),
    ("escape_string_warning", "on", May::Any),
    ("extra_float_digits", "1", May::Any),
    ("idle_in_transaction_session_timeout", "0", May::Any),
    ("idle_session_timeout", "0", May::Any),
    ("in_hot_standby", "off", May::Fixed),
    ("integer_datetimes", "on", May::Fixed),
    ("IntervalStyle", "postgres", May::One(&["postgres"])),
    ("is_superuser", "off", May::Fixed),
    ("jit", "off", May::Any),
    ("lock_timeout", "0", May::Any),
    ("max_identifier_length", "63", May::Fixed),
    ("search_path", "\"$user\", public", May::Any),
    ("server_encoding", "UTF8", May::Fixed),
    ("server_version", super::SERVER_VERSION, May::Fixed),
    ("server_version_num", "150000", May::Fixed),
    ("session_authorization", "", May::Fixed),
    ("standard_conforming_strings", "on", May::One(&["on", "true", "yes", "1"])),
    ("statement_timeout", "0", May::Any),
    ("synchronize_seqscans", "on", May::Any),
    ("TimeZone", "UTC", May::One(&["utc", "etc/utc", "gmt", "etc/gmt", "z", "uct", "zulu"])),
    ("transaction_deferrable", "off", May::Any),
    ("transaction_isolation", "read committed", May::Any),
    ("transaction_read_only", "on", May::Any),
    ("xmlbinary", "base64", May::Any),
];

/// Settings of one connection.
pub(super) struct Settings(Mutex<BTreeMap<&'static str, String>>);

impl Settings {
    /// As a connection begins: what its start-up message says of known settings, where it may.
    pub(super) fn new<'a>(given: impl Iterator<Item = (&'a String, &'a String)>) -> Self {
        let settings = Self(Mutex::new(BTreeMap::new()));
        for (name, value) in given {
            // An unknown or impossible wish at start-up is no reason to refuse the connection: what holds is shown.
            let _ = settings.set(name, value);
        }
        settings
    }

    /// The values that a client is told at its start.
    pub(super) fn reported(&self, account: &str) -> Vec<(String, String)> {
        const REPORTED: &[&str] = &[
            "application_name",
            "client_encoding",
            "DateStyle",
            "default_transaction_read_only",
            "in_hot_standby",
            "integer_datetimes",
            "IntervalStyle",
            "is_superuser",
            "server_encoding",
            "server_version",
            "session_authorization",
            "standard_conforming_strings",
            "TimeZone",
        ];
        let value = |name: &str| match name {
            "session_authorization" => account.to_owned(),
            _ => self.get(name).unwrap_or_default(),
        };
        REPORTED.iter().map(|name| ((*name).to_owned(), value(name))).collect()
    }

    /// The value of a setting.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let (name, begins, _) = known(name)?;
        Some(self.0.lock().get(name).cloned().unwrap_or_else(|| (*begins).to_owned()))
    }

    /// The name as it is shown.
    pub(super) fn shown_name(name: &str) -> Option<&'static str> {
        known(name).map(|(name, ..)| *name)
    }

    /// Changes a setting.
    pub(super) fn set(&self, name: &str, value: &str) -> PgWireResult<()> {
        let Some((name, _, may)) = known(name) else {
            return Err(fault::error(
                "42704",
                format!("unrecognized configuration parameter {:?}", cut(name)),
            ));
        };
        let plain = value.trim().to_ascii_lowercase();
        let fits = match may {
            May::Any => true,
            May::One(values) => values.contains(&plain.as_str()),
            May::Begin(start) => plain.starts_with(start),
            May::Fixed => {
                return Err(fault::error("55P02", format!("parameter \"{name}\" cannot be changed")));
            }
        };
        if !fits {
            return Err(fault::error(
                "22023",
                format!("invalid value for parameter \"{name}\": only its default is spoken here"),
            ));
        }
        if *name == "statement_timeout" && milliseconds(&plain).is_none() {
            return Err(fault::error(
                "22023",
                "invalid value for parameter \"statement_timeout\": write milliseconds, or a number with ms, s or min",
            ));
        }
        if *name == "cogov.epsilon" && !plain.is_empty() && plain.parse::<Epsilon>().is_err() {
            return Err(fault::error(
                "22023",
                "invalid value for parameter \"cogov.epsilon\": write a number above 0 with at most six decimals",
            ));
        }
        if *name == "cogov.margins" && !["on", "off"].contains(&plain.as_str()) {
            return Err(fault::error(
                "22023",
                "invalid value for parameter \"cogov.margins\": write on or off",
            ));
        }
        // What may only be one thing keeps its usual spelling.
        match may {
            May::One(_) | May::Begin(_) => {}
            _ => drop(self.0.lock().insert(name, value.chars().take(1000).collect())),
        }
        Ok(())
    }

    /// Back to how it began.
    pub(super) fn reset(&self, name: &str) -> PgWireResult<()> {
        match known(name) {
            Some((name, ..)) => {
                self.0.lock().remove(name);
                Ok(())
            }
            None => {
                Err(fault::error("42704", format!("unrecognized configuration parameter {:?}", cut(name))))
            }
        }
    }

    /// Everything back to how it began.
    pub(super) fn reset_all(&self) {
        self.0.lock().clear();
    }

    /// How questions under noise are asked.
    pub(super) fn noise(&self) -> NoiseAsk {
        NoiseAsk {
            epsilon: self.get("cogov.epsilon").and_then(|text| text.trim().parse().ok()),
            without_margins: self
                .get("cogov.margins")
                .is_some_and(|text| text.trim().eq_ignore_ascii_case("off")),
        }
    }

    /// How long a statement may run by the client's own wish.
    pub(super) fn statement_timeout(&self) -> Option<Duration> {
        let millis = milliseconds(&self.get("statement_timeout")?)?;
        (millis > 0).then(|| Duration::from_millis(millis))
    }
}

fn known(name: &str) -> Option<&'static (&'static str, &'static str, May)> {
    KNOWN.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name))
}

fn cut(name: &str) -> String {
    name.chars().take(63).collect()
}

fn milliseconds(value: &str) -> Option<u64> {
    let value = value.trim();
    let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (number, unit) = value.split_at(digits);
    let factor = match unit.trim() {
        "" | "ms" => 1,
        "s" => 1000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn settings_are_kept_and_promises_too() {
        let settings = Settings::new([(&"application_name".to_owned(), &"psql".to_owned())].into_iter());
        assert_eq!(settings.get("Application_Name").unwrap(), "psql");
        settings.set("datestyle", "ISO, MDY").unwrap();
        assert_eq!(settings.get("DateStyle").unwrap(), "ISO, YMD");
        assert!(settings.set("client_encoding", "LATIN1").is_err());
        assert!(settings.set("server_version", "9").is_err());
        assert!(settings.set("row_security", "off").is_err());
        settings.set("statement_timeout", "2s").unwrap();
        assert_eq!(settings.statement_timeout(), Some(Duration::from_secs(2)));
        assert!(settings.set("statement_timeout", "soon").is_err());
        settings.set("cogov.epsilon", "0.1").unwrap();
        settings.set("cogov.margins", "OFF").unwrap();
        let asked = settings.noise();
        assert_eq!((asked.epsilon, asked.without_margins), (Some("0.1".parse().unwrap()), true));
        assert!(settings.set("cogov.epsilon", "-1").is_err() && settings.set("cogov.margins", "x").is_err());
        settings.reset_all();
        assert_eq!(settings.noise(), NoiseAsk::default());
        assert_eq!(settings.statement_timeout(), None);
    }
}
