//! Page numbers under a list.

/// Where one page of many leads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pager {
    /// The page before, if there is one.
    pub previous: Option<String>,
    /// The page after, if there is one.
    pub next: Option<String>,
    /// “Page 2 of 7”, or nothing when pages are not counted.
    pub words: String,
}

impl Pager {
    /// Whether there is anything to turn to.
    pub fn is_needed(&self) -> bool {
        self.previous.is_some() || self.next.is_some()
    }

    /// For numbered pages: `href` makes the address of a page.
    pub fn numbered(page: usize, pages: usize, words: String, href: impl Fn(usize) -> String) -> Self {
        Self {
            previous: (page > 1).then(|| href(page - 1)),
            next: (page < pages).then(|| href(page + 1)),
            words,
        }
    }
}

/// An address with a query, without the empty fields.
pub fn with_query(path: &str, fields: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_have_one_neighbour() {
        let pager = |page| Pager::numbered(page, 3, String::new(), |n| format!("?page={n}"));
        assert_eq!(pager(1).previous, None);
        assert_eq!(pager(2).next.as_deref(), Some("?page=3"));
        assert_eq!(pager(3).next, None);
        assert_eq!(with_query("/c", &[("words", "税 a"), ("grade", "")]), "/c?words=%E7%A8%8E+a");
    }
}
