//! Which language a page is in: asked for in the address, else the cookie's, else the browser's.

use cogov_model::Locale;

/// The cookie that remembers the choice.
pub const COOKIE: &str = "cogov_lang";

/// The language of a visit.
pub fn choose(asked: Option<&str>, cookie: Option<&str>, accept: Option<&str>) -> Locale {
    let named = |text: Option<&str>| text.and_then(|t| t.parse().ok());
    named(asked).or_else(|| named(cookie)).or_else(|| accept.and_then(accepted)).unwrap_or_default()
}

/// The first language of `Accept-Language` that cogov speaks, by weight.
fn accepted(header: &str) -> Option<Locale> {
    let mut wishes: Vec<(u32, Locale)> = header
        .split(',')
        .filter_map(|part| {
            let (tag, weight) = part.split_once(";q=").unwrap_or((part, "1"));
            let primary = tag.trim().split('-').next()?;
            let weight = weight.trim().parse::<f32>().ok().filter(|w| (0.0..=1.0).contains(w))?;
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a weight between 0 and 1"
            )]
            Some(((weight * 1000.0) as u32, primary.parse().ok()?))
        })
        .collect();
    wishes.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    wishes.first().map(|(_, locale)| *locale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_beats_the_cookie_beats_the_browser() {
        assert_eq!(choose(Some("zh"), Some("en"), Some("en")), Locale::ZhHans);
        assert_eq!(choose(Some("nonsense"), Some("zh-Hans"), Some("en")), Locale::ZhHans);
        assert_eq!(choose(None, None, Some("fr, en;q=0.3, zh-CN;q=0.8")), Locale::ZhHans);
        assert_eq!(choose(None, None, Some("de")), Locale::En);
        assert_eq!(choose(None, None, None), Locale::En);
    }
}
