//! What every page knows: the language, who looks at it, its forms' token, where it is.

use crate::{assets, messages};
use cogov_model::{Grade, Locale, Role, Text, Timestamp};
use fluent_bundle::FluentValue;

/// A whole number in any of the shapes that templates hand over.
pub trait Count {
    /// The number.
    fn count(&self) -> u64;
}

macro_rules! counts {
    ($($kind:ty),*) => {$(impl Count for $kind {
        fn count(&self) -> u64 {
            u64::try_from(*self).unwrap_or_default()
        }
    })*};
}
counts!(u64, u32, usize, i64);

impl<T: Count> Count for &T {
    fn count(&self) -> u64 {
        (*self).count()
    }
}

/// The signed-in person, as the masthead shows them.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// The person's name.
    pub name: String,
    /// Their party's name in the language of the page.
    pub party: String,
    /// What they may do.
    pub roles: Vec<Role>,
}

/// A link of the navigation.
#[derive(Debug, Clone)]
pub struct NavLink {
    /// Where it leads.
    pub href: &'static str,
    /// Its words.
    pub words: String,
    /// Whether the page is in its part.
    pub here: bool,
}

/// What every page knows.
#[derive(Debug, Clone)]
pub struct Ui {
    /// The language.
    pub locale: Locale,
    /// Who looks, when signed in.
    pub viewer: Option<Viewer>,
    /// The token that forms post back; empty on pages without forms.
    pub csrf: String,
    /// The path with its query, without the language.
    pub path: String,
    /// Whether the demo world is loaded.
    pub demo: bool,
}

impl Ui {
    /// A message.
    pub fn t(&self, key: &str) -> String {
        messages::message(self.locale, key, &[])
    }

    /// A message about a number: `$n` chooses the plural, `$count` is the number with separators.
    pub fn n(&self, key: &str, n: impl Count) -> String {
        let n = n.count();
        messages::message(
            self.locale,
            key,
            &[("n", FluentValue::from(n)), ("count", FluentValue::from(grouped(n)))],
        )
    }

    /// A message with one named text in it.
    pub fn with(&self, key: &str, name: &str, value: impl std::fmt::Display) -> String {
        messages::message(self.locale, key, &[(name, FluentValue::from(value.to_string()))])
    }

    /// A message with `$matched` of `$examined`.
    pub fn share(&self, key: &str, matched: u64, examined: u64) -> String {
        let args = [
            ("matched", FluentValue::from(grouped(matched))),
            ("examined", FluentValue::from(grouped(examined))),
        ];
        messages::message(self.locale, key, &args)
    }

    /// The words of the shortcut “only my region” for a column.
    pub fn region(&self, column: &str, code: &str) -> String {
        let args =
            [("column", FluentValue::from(column.to_owned())), ("code", FluentValue::from(code.to_owned()))];
        messages::message(self.locale, "apply-region", &args)
    }

    /// A message with `$value` by `$label`: a chart's title.
    pub fn by(&self, key: &str, value: &str, label: &str) -> String {
        let args =
            [("value", FluentValue::from(value.to_owned())), ("label", FluentValue::from(label.to_owned()))];
        messages::message(self.locale, key, &args)
    }

    /// The words for a code, or the code itself when it has none.
    pub fn word(&self, prefix: &str, code: &str) -> String {
        let key = format!("{prefix}-{code}");
        if messages::has(self.locale, &key) { self.t(&key) } else { code.to_owned() }
    }

    /// A text in the page's language.
    pub fn text<'a>(&self, text: &'a Text) -> &'a str {
        text.get(self.locale)
    }

    /// A grade's name.
    pub fn grade(&self, grade: Grade) -> String {
        self.word("grade", grade.code())
    }

    /// A number with thousands separators.
    pub fn num(&self, n: impl Count) -> String {
        grouped(n.count())
    }

    /// A day.
    pub fn day(&self, at: Timestamp) -> String {
        at.date().format("%Y-%m-%d").to_string()
    }

    /// A moment to the second, in UTC.
    pub fn moment(&self, at: Timestamp) -> String {
        let text = at.rfc3339();
        format!("{} {} UTC", text.get(0..10).unwrap_or_default(), text.get(11..19).unwrap_or_default())
    }

    /// The tag for `lang`.
    pub fn lang(&self) -> &'static str {
        self.locale.tag()
    }

    /// The other language.
    pub fn other(&self) -> Locale {
        match self.locale {
            Locale::En => Locale::ZhHans,
            Locale::ZhHans => Locale::En,
        }
    }

    /// This page in the other language.
    pub fn other_href(&self) -> String {
        let sign = if self.path.contains('?') { '&' } else { '?' };
        format!("{}{sign}lang={}", self.path, self.other().tag())
    }

    /// Where a built asset is served.
    pub fn asset(&self, name: &str) -> String {
        assets::path(name)
    }

    /// Whether the signed-in person has a role.
    pub fn is(&self, role: Role) -> bool {
        self.viewer.as_ref().is_some_and(|viewer| viewer.roles.contains(&role))
    }

    fn link(&self, href: &'static str, key: &str) -> NavLink {
        let path = self.path.split('?').next().unwrap_or_default();
        let here = path == href || path.strip_prefix(href).is_some_and(|rest| rest.starts_with('/'));
        NavLink { href, words: self.t(key), here }
    }

    /// The public parts.
    pub fn public_links(&self) -> Vec<NavLink> {
        vec![
            self.link("/catalogue", "nav-catalogue"),
            self.link("/rulebook", "nav-rulebook"),
            self.link("/consultations", "nav-consultations"),
            self.link("/drafts", "nav-drafts"),
            self.link("/grants", "nav-grants"),
            self.link("/ledger", "nav-ledger"),
            self.link("/figures", "nav-figures"),
            self.link("/parties", "nav-parties"),
            self.link("/help", "nav-help"),
        ]
    }

    /// The parts where the signed-in person works. Links only: the application decides who may what.
    pub fn work_links(&self) -> Vec<NavLink> {
        let mut links = Vec::new();
        let any = |roles: &[Role]| roles.iter().any(|role| self.is(*role));
        if any(&[Role::Steward]) {
            links.push(self.link("/steward", "nav-steward"));
        }
        if any(&[Role::Approver, Role::Head]) {
            links.push(self.link("/inbox", "nav-inbox"));
        }
        if any(&[Role::Requester]) {
            links.push(self.link("/applications", "nav-applications"));
        }
        if any(&[Role::Analyst, Role::Requester]) {
            links.push(self.link("/my-grants", "nav-my-grants"));
        }
        if any(&[Role::Auditor]) {
            links.push(self.link("/audit", "nav-audit"));
        }
        links
    }
}

/// A number with a comma between thousands, as both languages write it.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
pub(crate) fn sample(locale: Locale) -> Ui {
    let roles = vec![Role::Steward, Role::Requester, Role::Approver, Role::Analyst, Role::Auditor];
    let viewer = Viewer { name: "Lin Chen".into(), party: "Revenue".into(), roles };
    Ui { locale, viewer: Some(viewer), csrf: "token".into(), path: "/catalogue?words=tax".into(), demo: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_links_and_languages() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(999), "999");
        let ui = sample(Locale::En);
        assert_eq!(ui.other_href(), "/catalogue?words=tax&lang=zh-Hans");
        assert!(ui.public_links().iter().filter(|l| l.here).all(|l| l.href == "/catalogue"));
        assert_eq!(ui.moment(Timestamp::from_millis(0)), "1970-01-01 00:00:00 UTC");
    }
}
