//! The words of the pages in both languages: Fluent files under `messages/`, read once.

use cogov_model::Locale;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use std::sync::LazyLock;

macro_rules! locale_files {
    ($locale:literal: $($file:literal),* $(,)?) => {
        &[$(($file, include_str!(concat!("../messages/", $locale, "/", $file, ".ftl")))),*]
    };
}

macro_rules! message_files {
    ($($file:literal),* $(,)?) => {
        const EN: &[(&str, &str)] = locale_files!("en": $($file),*);
        const ZH: &[(&str, &str)] = locale_files!("zh-Hans": $($file),*);
    };
}

message_files!(
    "shell",
    "words",
    "home",
    "account",
    "catalogue",
    "steward",
    "budget",
    "apply",
    "inbox",
    "workbench",
    "verify",
    "extract",
    "rulebook",
    "consultation",
    "consultation-acts",
    "opinions",
    "drafting",
    "record",
    "help",
    "errors"
);

struct Bundles {
    en: FluentBundle<FluentResource>,
    zh: FluentBundle<FluentResource>,
}

static BUNDLES: LazyLock<Bundles> =
    LazyLock::new(|| Bundles { en: bundle("en", EN), zh: bundle("zh-Hans", ZH) });

fn bundle(tag: &str, files: &[(&str, &str)]) -> FluentBundle<FluentResource> {
    let mut bundle = FluentBundle::new_concurrent(tag.parse().into_iter().collect());
    // Isolation marks would stand as invisible characters in attributes and copied text.
    bundle.set_use_isolating(false);
    for (name, text) in files {
        let resource = match FluentResource::try_new((*text).to_owned()) {
            Ok(resource) => resource,
            Err((resource, errors)) => {
                tracing::error!(tag, name, ?errors, "a message file has broken entries");
                resource
            }
        };
        bundle.add_resource_overriding(resource);
    }
    bundle
}

/// The message of a key with arguments; the key itself when there is no such message, so that a
/// gap is seen (a test keeps keys and uses equal).
pub fn message(locale: Locale, key: &str, args: &[(&str, FluentValue<'_>)]) -> String {
    let bundle = match locale {
        Locale::En => &BUNDLES.en,
        Locale::ZhHans => &BUNDLES.zh,
    };
    let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
        tracing::warn!(key, "no such message");
        return key.to_owned();
    };
    let args: FluentArgs<'_> = args.iter().map(|(name, value)| (*name, value.clone())).collect();
    let mut errors = Vec::new();
    bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned()
}

/// Whether a key has a message: for words whose key is built from a code.
pub fn has(locale: Locale, key: &str) -> bool {
    match locale {
        Locale::En => BUNDLES.en.has_message(key),
        Locale::ZhHans => BUNDLES.zh.has_message(key),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    /// Keys that are built from a code: prefix and the codes it is built from are in the model.
    const BUILT: &[&str] = &[
        "grade-",
        "treatment-",
        "state-",
        "outcome-",
        "kind-",
        "class-",
        "tier-",
        "role-",
        "form-",
        "lane-",
        "sharing-",
        "type-",
        "evidence-",
        "enforcement-",
        "facet-",
        "act-",
        "door-",
        "fact-",
        "sealed-",
        "mask-",
        "answer-",
        "consultation-state-",
        "participant-class-",
        "contribution-kind-",
        "vote-word-",
        "hide-because-",
        "answer-outcome-",
        "receipt-check-",
        "open-data-",
        "opinion-verdict-",
        "flip-",
        "draft-state-",
        "draft-kind-",
    ];

    fn keys(files: &[(&str, &str)]) -> BTreeMap<String, BTreeSet<String>> {
        let mut keys = BTreeMap::new();
        for (name, text) in files {
            FluentResource::try_new((*text).to_owned())
                .unwrap_or_else(|(_, errors)| panic!("{name}: {errors:?}"));
            for line in text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase())) {
                let (key, rest) = line.split_once(" =").unwrap_or_else(|| panic!("{name}: {line}"));
                let args = rest.split('$').skip(1).map(|part| {
                    part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
                });
                assert!(keys.insert(key.to_owned(), args.collect()).is_none(), "{key} stands twice");
            }
        }
        keys
    }

    fn sources(folder: &Path, into: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, into);
            } else {
                into.push_str(&std::fs::read_to_string(&path).unwrap());
            }
        }
    }

    #[test]
    fn both_locales_have_the_same_keys_and_arguments() {
        let (en, zh) = (keys(EN), keys(ZH));
        let differ: Vec<_> = en
            .keys()
            .filter(|k| !zh.contains_key(*k))
            .chain(zh.keys().filter(|k| !en.contains_key(*k)))
            .collect();
        assert!(differ.is_empty(), "in one language only: {differ:?}");
    }

    #[test]
    fn every_code_of_the_model_has_words() {
        use cogov_model::{EntryKind, Form, Grade, Lane, PartyClass};
        let mut keys: Vec<String> = Vec::new();
        keys.extend(Grade::ALL.iter().map(|grade| format!("grade-{}", grade.code())));
        keys.extend(EntryKind::ALL.iter().map(|kind| format!("kind-{}", kind.code())));
        keys.extend(PartyClass::ALL.iter().map(|class| format!("class-{}", class.code())));
        keys.extend(Form::ALL.iter().map(|form| format!("form-{}", form.code())));
        keys.extend(Lane::ALL.iter().map(|lane| format!("lane-{}", lane.code())));
        for code in ["active", "not-yet", "expired", "revoked", "refused"] {
            keys.push(format!("state-{code}"));
        }
        for locale in Locale::ALL {
            for key in &keys {
                assert!(has(locale, key), "{key} has no words in {locale}");
            }
        }
    }

    #[test]
    fn every_key_is_used_and_every_use_has_a_key() {
        let root = std::path::PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap());
        let mut text = String::new();
        sources(&root.join("src"), &mut text);
        sources(&root.join("templates"), &mut text);
        let en = keys(EN);
        let unused: Vec<_> = en
            .keys()
            .filter(|key| !text.contains(&format!("\"{key}\"")) && !BUILT.iter().any(|p| key.starts_with(p)))
            .collect();
        assert!(unused.is_empty(), "never used: {unused:?}");
        let mut missing = BTreeSet::new();
        for call in [".t(\"", ".n(\"", ".with(\""] {
            for part in text.split(call).skip(1) {
                let key = part.split('"').next().unwrap_or_default();
                if !key.is_empty() && !key.ends_with('-') && !en.contains_key(key) && !key.contains('\\') {
                    missing.insert(key.to_owned());
                }
            }
        }
        assert!(missing.is_empty(), "used without a message: {missing:?}");
    }
}
