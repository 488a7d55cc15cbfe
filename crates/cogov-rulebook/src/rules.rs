//! The Cedar blocks of a rulebook: parsed, checked against the schema and the words, with what each permit obliges.

use crate::markdown::{Block, line_of};
use crate::{Problem, words};
use cedar_policy::{Effect, Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use cogov_model::{Aggregation, ClauseId, Dominance, MinGroup, Percent, Treatment};
use miette::Diagnostic;
use std::{collections::BTreeMap, collections::HashMap, str::FromStr};

/// The schema that every rule is checked against.
pub const SCHEMA: &str = include_str!("schema.cedarschema");

/// What a rule says when it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    /// The clause it stands in.
    pub clause: ClauseId,
    /// What the engine must do; none forbids.
    pub treatment: Option<Treatment>,
    /// Whether it only makes stricter what another permit allows (`@limit`).
    pub limit: bool,
    /// Where it stands in the text.
    pub line: usize,
}

/// All rules of a rulebook, ready to decide.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub policies: PolicySet,
    pub by_id: HashMap<PolicyId, Rule>,
    pub schema: Schema,
    /// Whether a rule looks at the days that are left: facts that differ in nothing else are then different.
    pub uses_days: bool,
    /// Category and purpose codes that rules name, each with the clause and line where one does.
    pub named: Vec<(words::Code, ClauseId, usize)>,
}

impl Rules {
    /// No rules yet.
    pub fn new() -> Result<Self, String> {
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).map_err(|error| error.to_string())?;
        Ok(Self {
            policies: PolicySet::new(),
            by_id: HashMap::new(),
            schema,
            uses_days: false,
            named: Vec::new(),
        })
    }

    /// Reads one block of a clause.
    pub fn add(&mut self, clause: &ClauseId, block: &Block) -> Vec<Problem> {
        let set = match PolicySet::from_str(&block.text) {
            Ok(set) => set,
            Err(errors) => return broken(clause, block, &errors),
        };
        let mut problems = Vec::new();
        if set.templates().next().is_some() {
            let advice = "a rule has a slot such as ?principal: write the party's class instead";
            problems.push(Problem::in_clause(block.line, clause, advice));
        }
        // The set has no order of its own; its ids count the rules in text order.
        let mut policies: Vec<_> = set.policies().collect();
        policies.sort_by_key(|policy| place(block, policy));
        if policies.is_empty() {
            problems.push(Problem::in_clause(
                block.line,
                clause,
                "the rule is empty: write a permit or a forbid",
            ));
        }
        for policy in policies {
            let line = place(block, policy);
            let advice = self.add_policy(clause, line, policy);
            problems.extend(advice.into_iter().map(|advice| Problem::in_clause(line, clause, advice)));
        }
        problems
    }

    fn add_policy(&mut self, clause: &ClauseId, line: usize, policy: &Policy) -> Vec<String> {
        let mut advice = Vec::new();
        let treatment = obligation(policy).unwrap_or_else(|error| {
            advice.push(error);
            None
        });
        let limit = policy.annotation("limit").is_some();
        self.uses_days |= policy.to_string().contains("days_left");
        match words::check(policy) {
            Ok(named) => self.named.extend(named.into_iter().map(|code| (code, clause.clone(), line))),
            Err(errors) => advice.extend(errors),
        }
        let id = PolicyId::new(format!("{clause}#{}", self.by_id.len()));
        self.by_id.insert(id.clone(), Rule { clause: clause.clone(), treatment, limit, line });
        if let Err(error) = self.policies.add(policy.new_id(id)) {
            advice.push(format!("the rule cannot be used: {error}"));
        }
        advice
    }

    /// Checks every rule against the schema.
    pub fn validate(&self) -> Vec<Problem> {
        let result = Validator::new(self.schema.clone()).validate(&self.policies, ValidationMode::Strict);
        let fault = |id: &PolicyId, words: String| {
            let rule = self.by_id.get(id)?;
            // Cedar's words begin with its own name of the policy, which readers do not know.
            let words = words.replace(&format!("for policy `{id}`, "), "");
            Some(Problem::in_clause(
                rule.line,
                &rule.clause,
                format!("the rule does not fit the schema: {words}"),
            ))
        };
        let errors = result.validation_errors().filter_map(|e| fault(e.policy_id(), with_help(e)));
        let warnings = result.validation_warnings().filter_map(|w| fault(w.policy_id(), with_help(w)));
        errors.chain(warnings).collect()
    }
}

fn with_help(error: &dyn Diagnostic) -> String {
    match error.help() {
        Some(help) => format!("{error}; {help}"),
        None => error.to_string(),
    }
}

fn broken(clause: &ClauseId, block: &Block, errors: &cedar_policy::ParseErrors) -> Vec<Problem> {
    errors
        .iter()
        .map(|error| {
            let offset = error.labels().and_then(|mut all| all.next()).map_or(0, |label| label.offset());
            let line = block.line + line_of(&block.text, offset) - 1;
            Problem::in_clause(line, clause, format!("the rule cannot be read: {}", with_help(error)))
        })
        .collect()
}

/// The line of a rule; Cedar prints a parsed rule as it was written.
fn place(block: &Block, policy: &Policy) -> usize {
    let offset = block.text.find(&policy.to_string()).unwrap_or(0);
    block.line + line_of(&block.text, offset) - 1
}

/// What a permit obliges, from its annotations; none for a forbid.
fn obligation(policy: &Policy) -> Result<Option<Treatment>, String> {
    const KNOWN: [&str; 9] = [
        "treatment",
        "mask",
        "min_group",
        "dominance_n",
        "dominance_k",
        "p_percent",
        "round",
        "epsilon_per_month",
        "limit",
    ];
    let notes: BTreeMap<&str, &str> = policy.annotations().collect();
    if let Some(unknown) = notes.keys().find(|key| !KNOWN.contains(key)) {
        return Err(format!("no annotation is called @{unknown}: use @{}", KNOWN.join(", @")));
    }
    if policy.effect() == Effect::Forbid {
        return match notes.keys().next() {
            Some(note) => Err(format!("a forbid obliges nothing: remove @{note}")),
            None => Ok(None),
        };
    }
    treatment(&notes).map(Some)
}

/// The treatment that a permit's annotations name, with exactly the settings that it needs.
fn treatment(notes: &BTreeMap<&str, &str>) -> Result<Treatment, String> {
    let Some(kind) = notes.get("treatment") else {
        return Err(
            "the permit names no treatment: add @treatment(\"clear\"), mask, aggregate, noise or withhold"
                .into(),
        );
    };
    let wanted: &[&str] = match *kind {
        "clear" | "withhold" => &[],
        "mask" => &["mask"],
        "aggregate" => &["min_group", "dominance_n", "dominance_k", "p_percent", "round"],
        "noise" => &["min_group", "epsilon_per_month"],
        other => {
            return Err(format!(
                "no treatment is called {other:?}: use clear, mask, aggregate, noise or withhold"
            ));
        }
    };
    if let Some(extra) =
        notes.keys().find(|key| !["treatment", "limit"].contains(key) && !wanted.contains(key))
    {
        return Err(format!("@{extra} means nothing for @treatment({kind:?}): remove it"));
    }
    let note = |key: &str| {
        let missing = || format!("@treatment({kind:?}) needs @{key}(\"…\") beside it");
        notes.get(key).copied().ok_or_else(missing)
    };
    Ok(match *kind {
        "clear" => Treatment::Clear,
        "mask" => Treatment::Mask(note("mask")?.parse()?),
        "aggregate" => Treatment::Aggregate(aggregation(notes, min_group(note("min_group")?)?)?),
        "noise" => Treatment::Noise {
            min_group: min_group(note("min_group")?)?,
            epsilon_per_month: note("epsilon_per_month")?.parse()?,
        },
        _ => Treatment::Withhold,
    })
}

fn min_group(text: &str) -> Result<MinGroup, String> {
    let number = text.parse().map_err(|_| format!("@min_group({text:?}) is no whole number"))?;
    MinGroup::new(number)
}

/// What a statistic obliges beside its least group.
fn aggregation(notes: &BTreeMap<&str, &str>, min_group: MinGroup) -> Result<Aggregation, String> {
    let dominance = match (notes.get("dominance_n"), notes.get("dominance_k")) {
        (None, None) => None,
        (Some(largest), Some(percent)) => {
            let largest = number("dominance_n", largest)?;
            if largest == 0 {
                return Err("@dominance_n(\"0\") looks at nobody: use 1 or more".into());
            }
            Some(Dominance { largest, percent: share("dominance_k", percent)? })
        }
        _ => {
            return Err(
                "the dominance rule needs both @dominance_n(\"…\"), how many contributors, and @dominance_k(\"…\"), their share in per cent"
                    .into(),
            );
        }
    };
    let p_percent = notes.get("p_percent").map(|text| share("p_percent", text)).transpose()?;
    let round = notes.get("round").map(|text| number("round", text)).transpose()?;
    if round == Some(0) {
        return Err("@round(\"0\") means nothing: use the base that counts are rounded to".into());
    }
    Ok(Aggregation { min_group, dominance, p_percent, round })
}

fn number<T: FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("@{name}({text:?}) is no whole number in range"))
}

fn share(name: &str, text: &str) -> Result<Percent, String> {
    Percent::new(number(name, text)?).map_err(|error| format!("@{name}({text:?}): {error}"))
}
