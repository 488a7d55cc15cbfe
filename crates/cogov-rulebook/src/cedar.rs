//! Facts as Cedar entities and context, and the one call into the authorizer.

use crate::rules::Rules;
use crate::{Facts, rules::Rule};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request,
    RestrictedExpression as Value,
};
use std::collections::{HashMap, HashSet};
use std::str::FromStr;

/// What the rules say about some facts, before anything is combined.
pub(crate) enum Said<'r> {
    /// At least one permit holds and no forbid.
    Permits(Vec<&'r Rule>),
    /// At least one forbid holds.
    Forbids(Vec<&'r Rule>),
    /// No rule holds.
    Nothing,
    /// A rule could not be evaluated, so nothing may be allowed.
    Failed(Vec<&'r Rule>),
}

/// Names and the authorizer, made once per rulebook.
#[derive(Debug, Clone)]
pub(crate) struct Judge {
    authorizer: Authorizer,
    party: EntityTypeName,
    class: EntityTypeName,
    category: EntityTypeName,
    column: EntityTypeName,
    action: EntityUid,
}

impl Judge {
    /// The names as the schema has them.
    pub fn new() -> Result<Self, String> {
        let name = |text: &str| EntityTypeName::from_str(text).map_err(|error| error.to_string());
        Ok(Self {
            authorizer: Authorizer::new(),
            party: name("Party")?,
            class: name("Class")?,
            category: name("Category")?,
            column: name("Column")?,
            action: uid(&name("Action")?, "use"),
        })
    }

    /// What the rules say.
    pub fn ask<'r>(&self, rules: &'r Rules, facts: &Facts) -> Said<'r> {
        let Ok((request, entities)) = self.request(facts) else {
            return Said::Failed(Vec::new());
        };
        let response = self.authorizer.is_authorized(&request, &rules.policies, &entities);
        let errors: Vec<_> = response
            .diagnostics()
            .errors()
            .filter_map(|error| match error {
                cedar_policy::AuthorizationError::PolicyEvaluationError(e) => rules.by_id.get(e.policy_id()),
            })
            .collect();
        let erred = response.diagnostics().errors().next().is_some();
        let holding: Vec<_> = response.diagnostics().reason().filter_map(|id| rules.by_id.get(id)).collect();
        match response.decision() {
            Decision::Deny if !holding.is_empty() => Said::Forbids(holding),
            _ if erred => Said::Failed(errors),
            Decision::Deny => Said::Nothing,
            Decision::Allow => Said::Permits(holding),
        }
    }

    fn request(&self, facts: &Facts) -> Result<(Request, Entities), Box<dyn std::error::Error>> {
        let party = uid(&self.party, facts.party.as_str());
        let column = uid(&self.column, "asked");
        let context = context(facts)?;
        let request = Request::new(party.clone(), self.action.clone(), column.clone(), context, None)?;
        let classes = HashSet::from([uid(&self.class, facts.class.code())]);
        let categories = facts.label.categories.iter().flat_map(cogov_model::CategoryCode::lineage);
        let categories = categories.map(|code| uid(&self.category, code)).collect();
        let entities = Entities::from_entities(
            [
                Entity::new(party, party_attributes(facts), classes)?,
                Entity::new(column, self.column_attributes(facts), categories)?,
            ],
            None,
        )?;
        Ok((request, entities))
    }

    fn column_attributes(&self, facts: &Facts) -> HashMap<String, Value> {
        let provider = uid(&self.party, facts.provider.as_str());
        let mut attributes = HashMap::from([
            ("grade".into(), Value::new_long(i64::from(facts.label.grade.rank()))),
            ("sharing".into(), text(facts.sharing.code())),
            ("dataset".into(), text(facts.dataset.as_str())),
            ("provider".into(), Value::new_entity_uid(provider)),
        ]);
        if let Some(tier) = facts.provider_tier {
            attributes.insert("provider_tier".into(), text(tier.code()));
        }
        attributes
    }
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn text(words: &str) -> Value {
    Value::new_string(words.to_owned())
}

fn party_attributes(facts: &Facts) -> HashMap<String, Value> {
    let mut attributes = HashMap::from([("class".into(), text(facts.class.code()))]);
    if let Some(tier) = facts.tier {
        attributes.insert("tier".into(), text(tier.code()));
    }
    if let Some(region) = &facts.region {
        attributes.insert("region".into(), text(region.as_str()));
    }
    attributes
}

fn context(facts: &Facts) -> Result<Context, Box<dyn std::error::Error>> {
    Ok(Context::from_pairs([
        ("form".into(), text(facts.form.code())),
        ("lane".into(), text(facts.lane.code())),
        ("purpose".into(), text(facts.purpose.as_str())),
        ("purposes".into(), Value::new_set(facts.purposes().map(text))),
        ("legal_basis".into(), Value::new_bool(facts.legal_basis)),
        ("same_party".into(), Value::new_bool(facts.same_party())),
        ("same_region".into(), Value::new_bool(facts.same_region)),
        ("from_higher_tier".into(), Value::new_bool(facts.from_higher_tier())),
        ("own_region_rows".into(), Value::new_bool(facts.own_region_rows)),
        ("days_left".into(), Value::new_long(facts.days_left)),
    ])?)
}
