//! What is found in a draft's texts: faults, and rules that decide nothing.

use crate::App;
use cogov_model::{DraftKind, Locale};
use cogov_rulebook::{Clause, EnforcementShare, IdleRule, Problem, Rulebook};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Texts whose findings are remembered: a page is looked at more often than it is changed.
const CHECKED: usize = 64;

/// What is found when a draft's texts are read.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Faults: with any of them it cannot be published.
    pub faults: Vec<Problem>,
    /// Rules that decide nothing: worth a look, no hindrance.
    pub idle: Vec<IdleRule>,
    /// The rulebook that it would be; none with faults, or for a text without rules.
    pub book: Option<Arc<Rulebook>>,
    /// Its clauses, as far as they could be read.
    pub clauses: Vec<Clause>,
    /// Who makes its clauses hold.
    pub share: Option<EnforcementShare>,
}

impl App {
    /// Reads texts as a draft of this kind and says what is found. Stores nothing.
    pub async fn check_texts(&self, kind: DraftKind, locale: Locale, original: &str, other: &str) -> Checked {
        let key = texts_key(kind, locale, original, other);
        let known = self.remembered.checked.lock().get(&key).cloned();
        if let Some(checked) = known {
            return (*checked).clone();
        }
        let (original, other) = (original.to_owned(), other.to_owned());
        let (scheme, purposes) = (Arc::clone(&self.scheme), self.purposes.clone());
        // Reading and proving takes up to a second for a long text: not on the threads that answer others.
        let work = tokio::task::spawn_blocking(move || match kind {
            DraftKind::Text => {
                let (clauses, faults) = cogov_rulebook::outline(&original, &other, locale);
                Checked { faults, idle: Vec::new(), book: None, share: None, clauses }
            }
            DraftKind::Rulebook => {
                let codes: Vec<_> = purposes.into_iter().map(|(code, _)| code).collect();
                check_rulebook(&original, &other, locale, &scheme, &codes)
            }
        });
        let checked = work.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a draft could not be checked");
            Checked { faults: Vec::new(), idle: Vec::new(), book: None, share: None, clauses: Vec::new() }
        });
        let mut known = self.remembered.checked.lock();
        if known.len() >= CHECKED {
            known.clear();
        }
        known.insert(key, Arc::new(checked.clone()));
        checked
    }
}

/// What findings are remembered by.
fn texts_key(kind: DraftKind, locale: Locale, original: &str, other: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(kind.code());
    hash.update(locale.tag());
    hash.update((original.len() as u64).to_be_bytes());
    hash.update(original.as_bytes());
    hash.update(other.as_bytes());
    hash.finalize().into()
}

fn check_rulebook(
    original: &str,
    other: &str,
    locale: Locale,
    scheme: &cogov_model::Scheme,
    purposes: &[cogov_model::PurposeCode],
) -> Checked {
    let translation = Some(other).filter(|other| !other.trim().is_empty());
    match Rulebook::parse(original, translation) {
        Ok(book) => {
            let mut faults = book.check_codes(scheme, purposes);
            if translation.is_none() {
                faults.push(book.untranslated());
            }
            Checked {
                idle: book.idle_rules(),
                clauses: book.clauses().to_vec(),
                share: Some(book.enforcement_share()),
                book: faults.is_empty().then(|| Arc::new(book)),
                faults,
            }
        }
        Err(faults) => {
            let (clauses, _) = cogov_rulebook::outline(original, other, locale);
            Checked { faults, idle: Vec::new(), book: None, share: None, clauses }
        }
    }
}
