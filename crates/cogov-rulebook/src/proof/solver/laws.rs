//! What holds of all facts, in Cedar: a solver knows the schema only, and would else think of facts that cannot be.
//!
//! Written from [`Facts`](crate::Facts) and from how the judge puts facts to Cedar, and not from the universe
//! of our own search, so that a fault in one does not hide a fault in the other.

use crate::{Sharing, proof::Claim};
use cogov_model::{Form, Grade, Lane, PartyClass, Tier};
use std::collections::BTreeSet;

/// Codes of the open lists that rules or a claim name.
#[derive(Debug, Default)]
pub(super) struct Codes {
    pub categories: BTreeSet<String>,
    pub purposes: BTreeSet<String>,
}

/// Conditions that all facts meet.
pub(super) fn laws(codes: &Codes) -> Vec<String> {
    let mut laws = closed();
    laws.extend(parties());
    laws.extend(codes.purposes.iter().map(|code| purpose(code)));
    laws.extend(codes.categories.iter().flat_map(|code| parents(code, &codes.categories)));
    laws
}

/// The conditions of what a claim is about.
pub(super) fn asked(claim: &Claim) -> Vec<String> {
    let Claim::Nobody { class, category, forms, of_others } = claim else { return Vec::new() };
    let mut all = Vec::new();
    all.extend(class.map(|class| format!("principal in Class::\"{}\"", class.code())));
    all.extend(category.as_ref().map(|code| format!("resource in Category::\"{code}\"")));
    if !forms.is_empty() {
        all.push(one_of("context.form", forms.iter().map(|form| form.code())));
    }
    if *of_others {
        all.push("!context.same_party".to_owned());
    }
    all
}

fn one_of<'a>(fact: &str, words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("\"{word}\"")).collect();
    format!("[{}].contains({fact})", words.join(", "))
}

/// Words and numbers of closed lists.
fn closed() -> Vec<String> {
    let tier = |owner: &str, name: &str| {
        let known = one_of(&format!("{owner}.{name}"), TIERS.map(Tier::code));
        format!("if {owner} has {name} then {known} else true")
    };
    let grades: Vec<String> = Grade::ALL.iter().map(|grade| grade.rank().to_string()).collect();
    vec![
        one_of("principal.class", PartyClass::ALL.map(PartyClass::code)),
        one_of("context.form", Form::ALL.map(Form::code)),
        one_of("context.lane", Lane::ALL.map(Lane::code)),
        one_of("resource.sharing", Sharing::ALL.map(Sharing::code)),
        format!("[{}].contains(resource.grade)", grades.join(", ")),
        tier("principal", "tier"),
        tier("resource", "provider_tier"),
        "context.days_left >= 0".to_owned(),
    ]
}

const TIERS: [Tier; 3] = [Tier::State, Tier::Region, Tier::Local];

/// How the facts about who asks and who provides hang together.
fn parties() -> Vec<String> {
    let class = |class: PartyClass| {
        let code = class.code();
        format!("(principal in Class::\"{code}\") == (principal.class == \"{code}\")")
    };
    let mut laws: Vec<String> = PartyClass::ALL.map(class).into();
    let lower: Vec<String> = TIERS
        .iter()
        .map(|from| {
            let below = TIERS.iter().filter(|to| from < to).map(|to| to.code());
            let from = from.code();
            format!("resource.provider_tier == \"{from}\" && {}", one_of("principal.tier", below))
        })
        // Nothing is below the last tier; Cedar knows no empty list.
        .filter(|pair| !pair.contains("[]"))
        .map(|pair| format!("({pair})"))
        .collect();
    laws.extend([
        "context.same_party == (principal == resource.provider)".to_owned(),
        // One's own data comes from one's own tier and region.
        "!context.same_party || (principal has tier && resource has provider_tier && \
         principal.tier == resource.provider_tier) || (!(principal has tier) && !(resource has provider_tier))"
            .to_owned(),
        "!context.same_region || principal has region".to_owned(),
        "!(context.same_party && principal has region) || context.same_region".to_owned(),
        "!context.own_region_rows || principal has region".to_owned(),
        format!(
            "context.from_higher_tier == (resource has provider_tier && principal has tier && ({}))",
            lower.join(" || ")
        ),
    ]);
    laws
}

/// The purposes of a grant are its purpose and everything above it.
fn purpose(code: &str) -> String {
    format!(
        "context.purposes.contains(\"{code}\") == (context.purpose == \"{code}\" || context.purpose like \"{code}.*\")"
    )
}

/// A column in a category stands in those above it.
fn parents(code: &str, named: &BTreeSet<String>) -> Vec<String> {
    let above =
        |parent: &&String| code.strip_prefix(parent.as_str()).is_some_and(|rest| rest.starts_with('.'));
    let law = |parent: &String| {
        format!("!(resource in Category::\"{code}\") || resource in Category::\"{parent}\"")
    };
    named.iter().filter(above).map(law).collect()
}
