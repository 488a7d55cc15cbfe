//! The words that rules may use: closed ones (forms, lanes, …) are checked when a rule is read, codes
//! of categories and purposes are gathered so that they can be compared with the scheme in use.

use crate::Sharing;
use cedar_policy::Policy;
use cogov_model::{CategoryCode, Form, Lane, PartyClass, PurposeCode, Tier};
use serde_json::Value;

/// A code of one of the open lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Code {
    Category(CategoryCode),
    Purpose(PurposeCode),
}

/// An attribute whose values come from a closed list.
fn closed(attribute: &str) -> Option<Vec<&'static str>> {
    const TIERS: [Tier; 3] = [Tier::State, Tier::Region, Tier::Local];
    Some(match attribute {
        "form" => Form::ALL.map(Form::code).to_vec(),
        "lane" => Lane::ALL.map(Lane::code).to_vec(),
        "sharing" => Sharing::ALL.map(Sharing::code).to_vec(),
        "class" => PartyClass::ALL.map(PartyClass::code).to_vec(),
        "tier" | "provider_tier" => TIERS.map(Tier::code).to_vec(),
        _ => return None,
    })
}

/// Checks the closed words of a policy and returns the open codes that it names.
///
/// # Errors
/// What to do about each word that is not known.
pub(crate) fn check(policy: &Policy) -> Result<Vec<Code>, Vec<String>> {
    let json = policy.to_json().map_err(|error| vec![format!("the rule cannot be read: {error}")])?;
    let mut walk = Walk::default();
    walk.value(&json);
    if walk.errors.is_empty() { Ok(walk.named) } else { Err(walk.errors) }
}

#[derive(Default)]
struct Walk {
    named: Vec<Code>,
    errors: Vec<String>,
}

impl Walk {
    fn value(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.value(item)),
            Value::Object(map) => {
                if let (Some(Value::String(kind)), Some(Value::String(id))) = (map.get("type"), map.get("id"))
                {
                    self.entity(kind, id);
                }
                for operator in ["==", "!=", "contains", "containsAny", "containsAll"] {
                    if let Some(sides) = map.get(operator) {
                        self.comparison(sides.get("left"), sides.get("right"));
                    }
                }
                map.values().for_each(|inner| self.value(inner));
            }
            _ => {}
        }
    }

    fn entity(&mut self, kind: &str, id: &str) {
        if kind == "Category" {
            match CategoryCode::new(id) {
                Ok(code) => self.named.push(Code::Category(code)),
                Err(error) => self.errors.push(error.to_string()),
            }
        }
    }

    fn comparison(&mut self, left: Option<&Value>, right: Option<&Value>) {
        let (Some(left), Some(right)) = (left, right) else {
            return;
        };
        for (attribute, literals) in [(left, right), (right, left)] {
            let Some(attribute) = attribute.pointer("/./attr").and_then(Value::as_str) else {
                continue;
            };
            let literals = strings(literals);
            if let Some(known) = closed(attribute) {
                for word in literals.iter().filter(|word| !known.contains(word)) {
                    self.errors.push(format!("no {attribute} is called {word:?}: use {}", known.join(", ")));
                }
            } else if attribute == "purpose" || attribute == "purposes" {
                for word in literals {
                    match PurposeCode::new(word) {
                        Ok(code) => self.named.push(Code::Purpose(code)),
                        Err(error) => self.errors.push(error.to_string()),
                    }
                }
            }
        }
    }
}

/// The string literals of `"a"` or `["a", "b"]`.
fn strings(value: &Value) -> Vec<&str> {
    if let Some(word) = value.get("Value").and_then(Value::as_str) {
        return vec![word];
    }
    let set = value.get("Set").or_else(|| value.get("Value")).and_then(Value::as_array);
    set.into_iter().flatten().filter_map(|item| item.get("Value").unwrap_or(item).as_str()).collect()
}
