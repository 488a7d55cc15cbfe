//! The condition of a rule as a formula over tests of facts, read from Cedar's own JSON form of a policy.

use cedar_policy::Policy;
use serde_json::Value;

/// An attribute whose values are texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextOf {
    Class,
    Tier,
    Region,
    Form,
    Lane,
    Purpose,
    Sharing,
    Dataset,
    ProviderTier,
}

/// An attribute whose values are whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LongOf {
    Grade,
    DaysLeft,
}

/// An attribute that is true or false.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FlagOf {
    LegalBasis,
    SameParty,
    SameRegion,
    FromHigherTier,
    OwnRegionRows,
}

/// A comparison of numbers, the attribute on the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Eq,
    Less,
    LessEq,
}

/// One test of facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    /// The attribute is one of these texts.
    Text(TextOf, Vec<String>),
    /// The attribute exists.
    Has(TextOf),
    /// The attribute compares so.
    Long(LongOf, Op, i64),
    Flag(FlagOf),
    /// The party is one of these.
    Party(Vec<String>),
    /// The provider is one of these.
    Provider(Vec<String>),
    /// The column stands in one of these categories.
    Category(Vec<String>),
    /// The purpose, or one of its parents, is this.
    Purpose(String),
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    Constant(bool),
    Test(Test),
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

/// What the reader makes of an operand.
enum Operand<'v> {
    Text(TextOf),
    Long(LongOf),
    Flag(FlagOf),
    Purposes,
    Principal,
    Provider,
    Resource,
    Literal(&'v Value),
    List(Vec<&'v Value>),
}

type Read<T> = Result<T, String>;

/// The whole condition of a policy: scope and every `when` and `unless`.
///
/// # Errors
/// What the proofs do not understand, in words.
pub(super) fn read(policy: &Policy) -> Read<Condition> {
    let json = policy.to_json().map_err(|error| error.to_string())?;
    let mut all = vec![scope(json.get("principal"), true)?, scope(json.get("resource"), false)?];
    for part in json.get("conditions").and_then(Value::as_array).into_iter().flatten() {
        let body = condition(part.get("body").unwrap_or(&Value::Null))?;
        all.push(match part.get("kind").and_then(Value::as_str) {
            Some("unless") => Condition::Not(Box::new(body)),
            _ => body,
        });
    }
    Ok(Condition::All(all))
}

fn scope(scope: Option<&Value>, principal: bool) -> Read<Condition> {
    let Some(scope) = scope else { return Ok(Condition::Constant(true)) };
    let subject = || if principal { Operand::Principal } else { Operand::Resource };
    let inside = |scope: &Value| match scope.get("entity") {
        Some(entity) => among(&subject(), &[entity]),
        None => Err("a slot".to_owned()),
    };
    match scope.get("op").and_then(Value::as_str) {
        Some("All") => Ok(Condition::Constant(true)),
        Some("==" | "in") => inside(scope),
        Some("is") => match scope.get("in") {
            Some(within) => inside(within),
            None => Ok(Condition::Constant(true)),
        },
        other => Err(format!("the scope {other:?}")),
    }
}

/// The subject equals, or stands in, one of these entities.
fn among(subject: &Operand<'_>, entities: &[&Value]) -> Read<Condition> {
    let mut ids = Vec::new();
    let mut kinds = Vec::new();
    for entity in entities {
        let entity = entity.get("__entity").unwrap_or(entity);
        let part = |name: &str| entity.get(name).and_then(Value::as_str).map(str::to_owned);
        let (Some(kind), Some(id)) = (part("type"), part("id")) else {
            return Err("an entity that is not written out".into());
        };
        kinds.push(kind);
        ids.push(id);
    }
    let all = |kind: &str| kinds.iter().all(|other| other == kind);
    Ok(Condition::Test(match subject {
        Operand::Principal if all("Class") => Test::Text(TextOf::Class, ids),
        Operand::Principal if all("Party") => Test::Party(ids),
        Operand::Provider if all("Party") => Test::Provider(ids),
        Operand::Resource if all("Category") => Test::Category(ids),
        _ => return Err(format!("a comparison with {}", kinds.join(", "))),
    }))
}

fn condition(body: &Value) -> Read<Condition> {
    let Some((operator, inner)) = body.as_object().and_then(|map| map.iter().next()) else {
        return Err("an empty condition".into());
    };
    let side = |name: &str| inner.get(name).unwrap_or(&Value::Null);
    let both = || Ok::<_, String>(vec![condition(side("left"))?, condition(side("right"))?]);
    match operator.as_str() {
        "&&" => Ok(Condition::All(both()?)),
        "||" => Ok(Condition::Any(both()?)),
        "!" => Ok(Condition::Not(Box::new(condition(side("arg"))?))),
        "if-then-else" => choice(side("if"), side("then"), side("else")),
        "==" => equal(side("left"), side("right")),
        "!=" => Ok(Condition::Not(Box::new(equal(side("left"), side("right"))?))),
        "<" | "<=" | ">" | ">=" => compare(operator, side("left"), side("right")),
        "in" => among(&operand(side("left"))?, &entities(side("right"))?),
        "contains" => contains(side("left"), side("right")),
        "containsAny" => contains_each(side("left"), side("right")).map(Condition::Any),
        "containsAll" => contains_each(side("left"), side("right")).map(Condition::All),
        "has" => has(side("left"), side("attr")),
        "is" => match inner.get("in") {
            Some(within) => among(&operand(side("left"))?, &entities(within)?),
            None => Ok(Condition::Constant(true)),
        },
        "Value" if inner.is_boolean() => Ok(Condition::Constant(inner == &Value::Bool(true))),
        "." => match operand(body)? {
            Operand::Flag(flag) => Ok(Condition::Test(Test::Flag(flag))),
            _ => Err("an attribute that is not true or false".into()),
        },
        other => Err(format!("the operator {other}")),
    }
}

fn choice(test: &Value, then: &Value, otherwise: &Value) -> Read<Condition> {
    let test = condition(test)?;
    let not = Condition::Not(Box::new(test.clone()));
    Ok(Condition::Any(vec![
        Condition::All(vec![test, condition(then)?]),
        Condition::All(vec![not, condition(otherwise)?]),
    ]))
}

fn operand(value: &Value) -> Read<Operand<'_>> {
    if let Some(var) = value.get("Var").and_then(Value::as_str) {
        return match var {
            "principal" => Ok(Operand::Principal),
            "resource" => Ok(Operand::Resource),
            other => Err(format!("the variable {other} by itself")),
        };
    }
    if let Some(list) = value.get("Set").and_then(Value::as_array) {
        return list.iter().map(literal).collect::<Read<_>>().map(Operand::List);
    }
    if value.get("Value").is_some() {
        return match literal(value)?.as_array() {
            Some(list) => Ok(Operand::List(list.iter().collect())),
            None => literal(value).map(Operand::Literal),
        };
    }
    let of = |name: &str| value.pointer(name).and_then(Value::as_str);
    match (of("/./left/Var"), of("/./attr")) {
        (Some("principal"), Some("class")) => Ok(Operand::Text(TextOf::Class)),
        (Some("principal"), Some("tier")) => Ok(Operand::Text(TextOf::Tier)),
        (Some("principal"), Some("region")) => Ok(Operand::Text(TextOf::Region)),
        (Some("resource"), Some("grade")) => Ok(Operand::Long(LongOf::Grade)),
        (Some("resource"), Some("sharing")) => Ok(Operand::Text(TextOf::Sharing)),
        (Some("resource"), Some("dataset")) => Ok(Operand::Text(TextOf::Dataset)),
        (Some("resource"), Some("provider")) => Ok(Operand::Provider),
        (Some("resource"), Some("provider_tier")) => Ok(Operand::Text(TextOf::ProviderTier)),
        (Some("context"), Some(attribute)) => context(attribute),
        _ => Err("an expression that is neither a fact nor a literal".into()),
    }
}

fn context<'v>(attribute: &str) -> Read<Operand<'v>> {
    Ok(match attribute {
        "form" => Operand::Text(TextOf::Form),
        "lane" => Operand::Text(TextOf::Lane),
        "purpose" => Operand::Text(TextOf::Purpose),
        "purposes" => Operand::Purposes,
        "legal_basis" => Operand::Flag(FlagOf::LegalBasis),
        "same_party" => Operand::Flag(FlagOf::SameParty),
        "same_region" => Operand::Flag(FlagOf::SameRegion),
        "from_higher_tier" => Operand::Flag(FlagOf::FromHigherTier),
        "own_region_rows" => Operand::Flag(FlagOf::OwnRegionRows),
        "days_left" => Operand::Long(LongOf::DaysLeft),
        other => return Err(format!("the fact {other}")),
    })
}

/// A literal without its `Value` around it.
fn literal(value: &Value) -> Read<&Value> {
    value.get("Value").ok_or_else(|| "an expression inside a list".to_owned())
}

fn entities(value: &Value) -> Read<Vec<&Value>> {
    match operand(value)? {
        Operand::Literal(entity) => Ok(vec![entity]),
        Operand::List(list) => Ok(list),
        _ => Err("an entity that is not written out".into()),
    }
}

fn equal(left: &Value, right: &Value) -> Read<Condition> {
    let (Ok(a), Ok(b)) = (operand(left), operand(right)) else {
        return same(condition(left)?, condition(right)?);
    };
    match (a, b) {
        (Operand::Literal(literal), subject) | (subject, Operand::Literal(literal)) => is(&subject, literal),
        (Operand::Principal, Operand::Provider) | (Operand::Provider, Operand::Principal) => {
            Ok(Condition::Test(Test::Flag(FlagOf::SameParty)))
        }
        (Operand::Flag(a), Operand::Flag(b)) => {
            same(Condition::Test(Test::Flag(a)), Condition::Test(Test::Flag(b)))
        }
        _ => Err("a comparison of two facts".into()),
    }
}

fn same(a: Condition, b: Condition) -> Read<Condition> {
    let not = |c: &Condition| Condition::Not(Box::new(c.clone()));
    let neither = Condition::All(vec![not(&a), not(&b)]);
    Ok(Condition::Any(vec![Condition::All(vec![a, b]), neither]))
}

/// The subject equals a literal.
fn is(subject: &Operand<'_>, literal: &Value) -> Read<Condition> {
    let test = match (subject, literal) {
        (Operand::Text(of), Value::String(text)) => Test::Text(*of, vec![text.clone()]),
        (Operand::Long(of), Value::Number(number)) => Test::Long(*of, Op::Eq, whole(number)?),
        (Operand::Flag(of), Value::Bool(wanted)) => {
            let test = Condition::Test(Test::Flag(*of));
            return Ok(if *wanted { test } else { Condition::Not(Box::new(test)) });
        }
        (Operand::Literal(one), other) => return Ok(Condition::Constant(*one == other)),
        (Operand::Principal | Operand::Provider | Operand::Resource, entity) => {
            return among(subject, &[entity]);
        }
        _ => return Err("a comparison of different kinds".into()),
    };
    Ok(Condition::Test(test))
}

fn whole(number: &serde_json::Number) -> Read<i64> {
    number.as_i64().ok_or_else(|| format!("the number {number}"))
}

fn compare(operator: &str, left: &Value, right: &Value) -> Read<Condition> {
    let (attribute, number, turned) = match (operand(left)?, operand(right)?) {
        (Operand::Long(of), Operand::Literal(Value::Number(n))) => (of, whole(n)?, false),
        (Operand::Literal(Value::Number(n)), Operand::Long(of)) => (of, whole(n)?, true),
        _ => return Err("a comparison of what is not a fact with a number".into()),
    };
    let test = |op| Condition::Test(Test::Long(attribute, op, number));
    let not = |condition| Condition::Not(Box::new(condition));
    Ok(match (operator, turned) {
        ("<", false) | (">", true) => test(Op::Less),
        ("<=", false) | (">=", true) => test(Op::LessEq),
        (">", false) | ("<", true) => not(test(Op::LessEq)),
        _ => not(test(Op::Less)),
    })
}

fn contains(left: &Value, right: &Value) -> Read<Condition> {
    match (operand(left)?, operand(right)?) {
        (Operand::Purposes, Operand::Literal(literal)) => purpose(literal),
        (Operand::List(list), subject) => {
            let tests = list.into_iter().map(|literal| is(&subject, literal));
            tests.collect::<Read<_>>().map(Condition::Any)
        }
        _ => Err("contains on another fact".into()),
    }
}

fn contains_each(left: &Value, right: &Value) -> Read<Vec<Condition>> {
    match (operand(left)?, operand(right)?) {
        (Operand::Purposes, Operand::List(list)) => list.into_iter().map(purpose).collect(),
        _ => Err("a comparison of two lists".into()),
    }
}

fn purpose(literal: &Value) -> Read<Condition> {
    let code = literal.as_str().ok_or_else(|| "a purpose that is no text".to_owned())?;
    Ok(Condition::Test(Test::Purpose(code.to_owned())))
}

fn has(left: &Value, attribute: &Value) -> Read<Condition> {
    let var = left.get("Var").and_then(Value::as_str);
    Ok(Condition::Test(match (var, attribute.as_str()) {
        (Some("principal"), Some("tier")) => Test::Has(TextOf::Tier),
        (Some("principal"), Some("region")) => Test::Has(TextOf::Region),
        (Some("resource"), Some("provider_tier")) => Test::Has(TextOf::ProviderTier),
        // These are always there.
        (Some("principal"), Some("class"))
        | (Some("resource"), Some("grade" | "sharing" | "dataset" | "provider")) => {
            return Ok(Condition::Constant(true));
        }
        (Some("context"), Some(attribute)) => return context(attribute).map(|_| Condition::Constant(true)),
        _ => return Err("has on another expression".into()),
    }))
}
