//! The finite universe of facts: every fact that rules can tell apart, once.
//!
//! Rules compare facts with words and numbers that stand in them and with nothing else. So facts that
//! compare alike with all of those get the same ruling, and one of each kind stands for all: the named regions
//! and one that is not named, the named purposes and one below each and one beside all, a day count at and
//! around each number, a yes or no for each named category, and so on. What is proved over
//! these holds for all facts, whatever codes a scheme has or gets.

use super::condition::{Condition, FlagOf, LongOf, Op, Test, TextOf};
use super::formula::{Formula, Set, Var};
use crate::{Facts, Sharing};
use cogov_model::{Form, Grade, Label, Lane, PartyClass, Tier};
use std::collections::BTreeSet;
use std::sync::Arc;

const PARTIES: Var = 0;
const CLASS: Var = 1;
const TIER: Var = 2;
const REGION: Var = 3;
const PROVIDER_TIER: Var = 4;
const FORM: Var = 5;
const LANE: Var = 6;
const PURPOSE: Var = 7;
const LEGAL_BASIS: Var = 8;
const SAME_REGION: Var = 9;
const OWN_REGION_ROWS: Var = 10;
const DAYS_LEFT: Var = 11;
const GRADE: Var = 12;
const SHARING: Var = 13;
const DATASET: Var = 14;
/// The first category; each has a variable of two values, no and yes.
const CATEGORIES: Var = 15;

const TIERS: [Option<Tier>; 4] = [None, Some(Tier::State), Some(Tier::Region), Some(Tier::Local)];
const YES: usize = 1;

/// The words and numbers that stand in rules.
#[derive(Debug, Default)]
pub(super) struct Names {
    parties: BTreeSet<String>,
    regions: BTreeSet<String>,
    purposes: BTreeSet<String>,
    datasets: BTreeSet<String>,
    categories: BTreeSet<String>,
    days: BTreeSet<i64>,
}

impl Names {
    /// Adds those of a condition.
    pub fn gather(&mut self, condition: &Condition) {
        match condition {
            Condition::Constant(_) => {}
            Condition::Not(inner) => self.gather(inner),
            Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|part| self.gather(part)),
            Condition::Test(test) => match test {
                Test::Text(TextOf::Region, words) => self.regions.extend(words.iter().cloned()),
                Test::Text(TextOf::Purpose, words) => self.purposes.extend(words.iter().cloned()),
                Test::Text(TextOf::Dataset, words) => self.datasets.extend(words.iter().cloned()),
                Test::Purpose(word) => {
                    self.purposes.insert(word.clone());
                }
                Test::Party(words) | Test::Provider(words) => self.parties.extend(words.iter().cloned()),
                Test::Category(words) => self.categories.extend(words.iter().cloned()),
                Test::Long(LongOf::DaysLeft, _, number) => {
                    self.days.insert(*number);
                }
                Test::Text(..) | Test::Has(_) | Test::Long(..) | Test::Flag(_) => {}
            },
        }
    }
}

/// Who asks and who provides.
#[derive(Debug, Clone)]
struct Pair {
    party: String,
    provider: String,
}

/// A purpose: its nearest named code, and whether it is that code or one below it.
#[derive(Debug, Clone)]
struct Purpose {
    named: Option<String>,
    below: bool,
}

/// Every variable with its values.
#[derive(Debug)]
pub(super) struct Universe {
    pairs: Vec<Pair>,
    regions: Vec<Option<String>>,
    purposes: Vec<Purpose>,
    days: Vec<i64>,
    datasets: Vec<String>,
    categories: Vec<String>,
    /// All values of each variable.
    pub domains: Vec<Set>,
}

impl Universe {
    pub fn new(names: Names) -> Self {
        let other = |taken: &BTreeSet<String>, word: &str| {
            let free = (0..).map(|n| if n == 0 { word.to_owned() } else { format!("{word}-{n}") });
            free.into_iter().find(|word| !taken.contains(word)).unwrap_or_default()
        };
        let (asker, provider) = (other(&names.parties, "a-party"), other(&names.parties, "another-party"));
        let regions = std::iter::once(None)
            .chain(std::iter::once(Some(other(&names.regions, "R1"))))
            .chain(names.regions.iter().cloned().map(Some));
        let beside = Purpose { named: None, below: false };
        let purposes = names
            .purposes
            .iter()
            .flat_map(|code| [false, true].map(|below| Purpose { named: Some(code.clone()), below }));
        let around = names.days.iter().flat_map(|n| [n.saturating_sub(1), *n, n.saturating_add(1)]);
        let days: BTreeSet<i64> = around.chain([0, 100]).filter(|day| *day >= 0).collect();
        let mut universe = Self {
            pairs: pairs(&names.parties, &asker, &provider),
            regions: regions.collect(),
            purposes: std::iter::once(beside).chain(purposes).collect(),
            days: days.into_iter().collect(),
            datasets: std::iter::once(other(&names.datasets, "a-dataset"))
                .chain(names.datasets.iter().cloned())
                .collect(),
            categories: names.categories.into_iter().collect(),
            domains: Vec::new(),
        };
        let count = CATEGORIES + universe.categories.len();
        universe.domains = (0..count).map(|var| Set::of(universe.size(var), |_| true)).collect();
        universe
    }

    fn size(&self, var: Var) -> usize {
        match var {
            PARTIES => self.pairs.len(),
            CLASS => PartyClass::ALL.len(),
            TIER | PROVIDER_TIER => TIERS.len(),
            REGION => self.regions.len(),
            FORM => Form::ALL.len(),
            LANE => Lane::ALL.len(),
            PURPOSE => self.purposes.len(),
            DAYS_LEFT => self.days.len(),
            GRADE => Grade::ALL.len(),
            SHARING => Sharing::ALL.len(),
            DATASET => self.datasets.len(),
            _ => 2,
        }
    }

    fn is(&self, var: Var, holds: impl Fn(usize) -> bool) -> Arc<Formula> {
        Arc::new(Formula::Is(var, Set::of(self.size(var), holds)))
    }

    fn yes(&self, var: Var) -> Arc<Formula> {
        self.is(var, |value| value == YES)
    }

    fn implies(&self, a: &Arc<Formula>, b: Arc<Formula>) -> Arc<Formula> {
        Formula::or([a.negated(&self.domains), b])
    }

    /// A condition as a formula.
    pub fn formula(&self, condition: &Condition) -> Arc<Formula> {
        match condition {
            Condition::Constant(value) => Arc::new(Formula::Constant(*value)),
            Condition::Not(inner) => self.formula(inner).negated(&self.domains),
            Condition::All(parts) => Formula::and(parts.iter().map(|part| self.formula(part))),
            Condition::Any(parts) => Formula::or(parts.iter().map(|part| self.formula(part))),
            Condition::Test(test) => self.test(test),
        }
    }

    fn test(&self, test: &Test) -> Arc<Formula> {
        match test {
            Test::Text(of, words) => self.text(*of, words),
            Test::Has(of) => self.has(*of),
            Test::Long(of, op, number) => self.long(*of, *op, *number),
            Test::Flag(of) => self.flag(*of),
            Test::Party(ids) => {
                self.is(PARTIES, |v| self.pairs.get(v).is_some_and(|p| ids.contains(&p.party)))
            }
            Test::Provider(ids) => {
                self.is(PARTIES, |v| self.pairs.get(v).is_some_and(|p| ids.contains(&p.provider)))
            }
            Test::Category(codes) => Formula::or(codes.iter().map(|code| self.category(code))),
            Test::Purpose(code) => self.is(PURPOSE, |v| self.purposes.get(v).is_some_and(|p| p.within(code))),
        }
    }

    fn category(&self, code: &str) -> Arc<Formula> {
        match self.categories.iter().position(|named| named == code) {
            Some(place) => self.yes(CATEGORIES + place),
            None => Arc::new(Formula::Constant(false)),
        }
    }

    fn text(&self, of: TextOf, words: &[String]) -> Arc<Formula> {
        let one_of = |code: &str| words.iter().any(|word| word == code);
        let tier = |v: usize| TIERS.get(v).copied().flatten().is_some_and(|tier| one_of(tier.code()));
        match of {
            TextOf::Class => self.is(CLASS, |v| PartyClass::ALL.get(v).is_some_and(|c| one_of(c.code()))),
            TextOf::Tier => self.is(TIER, tier),
            TextOf::ProviderTier => self.is(PROVIDER_TIER, tier),
            TextOf::Region => {
                self.is(REGION, |v| self.regions.get(v).and_then(Option::as_deref).is_some_and(one_of))
            }
            TextOf::Form => self.is(FORM, |v| Form::ALL.get(v).is_some_and(|f| one_of(f.code()))),
            TextOf::Lane => self.is(LANE, |v| Lane::ALL.get(v).is_some_and(|l| one_of(l.code()))),
            TextOf::Purpose => self.is(PURPOSE, |v| {
                self.purposes.get(v).is_some_and(|p| !p.below && p.named.as_deref().is_some_and(one_of))
            }),
            TextOf::Sharing => self.is(SHARING, |v| Sharing::ALL.get(v).is_some_and(|s| one_of(s.code()))),
            TextOf::Dataset => self.is(DATASET, |v| self.datasets.get(v).is_some_and(|d| one_of(d))),
        }
    }

    fn has(&self, of: TextOf) -> Arc<Formula> {
        match of {
            TextOf::Tier => self.is(TIER, |v| v > 0),
            TextOf::ProviderTier => self.is(PROVIDER_TIER, |v| v > 0),
            TextOf::Region => self.is(REGION, |v| v > 0),
            _ => Arc::new(Formula::Constant(true)),
        }
    }

    fn long(&self, of: LongOf, op: Op, number: i64) -> Arc<Formula> {
        let holds = |value: i64| match op {
            Op::Eq => value == number,
            Op::Less => value < number,
            Op::LessEq => value <= number,
        };
        match of {
            LongOf::Grade => {
                self.is(GRADE, |v| Grade::ALL.get(v).is_some_and(|grade| holds(i64::from(grade.rank()))))
            }
            LongOf::DaysLeft => self.is(DAYS_LEFT, |v| self.days.get(v).is_some_and(|day| holds(*day))),
        }
    }

    fn flag(&self, of: FlagOf) -> Arc<Formula> {
        match of {
            FlagOf::LegalBasis => self.yes(LEGAL_BASIS),
            FlagOf::SameRegion => self.yes(SAME_REGION),
            FlagOf::OwnRegionRows => self.yes(OWN_REGION_ROWS),
            FlagOf::SameParty => {
                self.is(PARTIES, |v| self.pairs.get(v).is_some_and(|p| p.party == p.provider))
            }
            FlagOf::FromHigherTier => {
                let lower = |provider: usize| self.is(TIER, move |own| provider > 0 && provider < own);
                Formula::or((1..TIERS.len()).map(|provider| {
                    Formula::and([self.is(PROVIDER_TIER, |v| v == provider), lower(provider)])
                }))
            }
        }
    }

    /// What holds of all facts, however they come about: a category implies its parents, a party's own
    /// data comes from its own tier and region, rows of the own region need a region.
    pub fn laws(&self) -> Vec<Arc<Formula>> {
        let mut laws = Vec::new();
        for (place, code) in self.categories.iter().enumerate() {
            let parents = self.categories.iter().enumerate().filter(|(_, parent)| {
                code.strip_prefix(parent.as_str()).is_some_and(|rest| rest.starts_with('.'))
            });
            for (parent, _) in parents {
                laws.push(self.implies(&self.yes(CATEGORIES + place), self.yes(CATEGORIES + parent)));
            }
        }
        let (own, region) = (self.flag(FlagOf::SameParty), self.has(TextOf::Region));
        for tier in 0..TIERS.len() {
            let both = [self.is(TIER, |v| v != tier), self.is(PROVIDER_TIER, |v| v == tier)];
            laws.push(self.implies(&own, Formula::or(both)));
        }
        let same_region = self.yes(SAME_REGION);
        laws.push(self.implies(&same_region, region.clone()));
        laws.push(self.implies(&Formula::and([own, region.clone()]), same_region));
        laws.push(self.implies(&self.yes(OWN_REGION_ROWS), region));
        laws
    }

    /// Facts with the least value that each variable still has.
    pub fn facts(&self, domains: &[Set]) -> Option<Facts> {
        let value = |var: Var| domains.get(var).and_then(Set::first);
        let yes = |var: Var| value(var) == Some(YES);
        let pair = self.pairs.get(value(PARTIES)?)?;
        let codes = self.categories.iter().enumerate().filter(|(place, _)| yes(CATEGORIES + place));
        let codes: Result<Vec<_>, _> = codes.map(|(_, code)| code.parse()).collect();
        Some(Facts {
            party: pair.party.parse().ok()?,
            class: *PartyClass::ALL.get(value(CLASS)?)?,
            tier: *TIERS.get(value(TIER)?)?,
            region: match self.regions.get(value(REGION)?)? {
                Some(code) => Some(code.parse().ok()?),
                None => None,
            },
            form: *Form::ALL.get(value(FORM)?)?,
            lane: *Lane::ALL.get(value(LANE)?)?,
            purpose: self.purposes.get(value(PURPOSE)?)?.code(&self.purposes).parse().ok()?,
            legal_basis: yes(LEGAL_BASIS),
            days_left: *self.days.get(value(DAYS_LEFT)?)?,
            label: Label::new(codes.ok()?, *Grade::ALL.get(value(GRADE)?)?),
            dataset: self.datasets.get(value(DATASET)?)?.parse().ok()?,
            sharing: *Sharing::ALL.get(value(SHARING)?)?,
            provider: pair.provider.parse().ok()?,
            provider_tier: *TIERS.get(value(PROVIDER_TIER)?)?,
            same_region: yes(SAME_REGION),
            own_region_rows: yes(OWN_REGION_ROWS),
        })
    }
}

/// Strangers first, then the own data of one, then every pair that rules can tell apart.
fn pairs(named: &BTreeSet<String>, asker: &str, provider: &str) -> Vec<Pair> {
    let pair = |a: &str, b: &str| Pair { party: a.to_owned(), provider: b.to_owned() };
    let mut all = vec![pair(asker, provider), pair(asker, asker)];
    for name in named {
        all.push(pair(name, provider));
        all.push(pair(asker, name));
        all.extend(named.iter().map(|other| pair(name, other)));
    }
    all
}

impl Purpose {
    /// Whether a code is this purpose's own or one of its parents'.
    fn within(&self, code: &str) -> bool {
        self.named.as_deref().is_some_and(|named| {
            named == code || named.strip_prefix(code).is_some_and(|rest| rest.starts_with('.'))
        })
    }

    /// A code of its kind that is none of the named ones.
    fn code(&self, all: &[Purpose]) -> String {
        let taken = |code: &str| all.iter().any(|p| p.named.as_deref() == Some(code));
        let wanted = match &self.named {
            Some(named) if self.below => format!("{named}.other"),
            Some(named) => return named.clone(),
            None => "other".to_owned(),
        };
        (0..)
            .map(|n| if n == 0 { wanted.clone() } else { format!("{wanted}-{n}") })
            .find(|code| !taken(code))
            .unwrap_or(wanted)
    }
}
