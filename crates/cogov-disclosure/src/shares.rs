//! Who contributes how much to a sum: dominance, p % and homogeneity (Hundepool and others, Statistical Disclosure
//! Control, chapter 4).

use cogov_model::Aggregation;
use std::collections::HashMap;

/// What each person contributes to one figure.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shares {
    sums: Vec<f64>,
    /// The least and the greatest value of a single row.
    range: Option<(f64, f64)>,
}

impl Shares {
    /// From the values of rows and the persons behind them; rows without a value are left out before.
    pub(crate) fn new(values: impl IntoIterator<Item = (u32, f64)>) -> Self {
        let mut by_person: HashMap<u32, f64> = HashMap::new();
        let mut range: Option<(f64, f64)> = None;
        for (person, value) in values {
            *by_person.entry(person).or_default() += value;
            let (least, greatest) = range.unwrap_or((value, value));
            range = Some((least.min(value), greatest.max(value)));
        }
        let mut sums: Vec<f64> = by_person.into_values().map(f64::abs).collect();
        sums.sort_by(|a, b| b.total_cmp(a));
        Self { sums, range }
    }

    /// Whether everybody has the same value, so that the figure tells it of each.
    pub(crate) fn is_uniform(&self) -> bool {
        self.range.is_some_and(|(least, greatest)| least.total_cmp(&greatest).is_eq())
    }

    /// Whether few contributors make up too much, by the obligations' rules on absolute contributions.
    pub(crate) fn is_dominated(&self, obliged: &Aggregation) -> bool {
        let total: f64 = self.sums.iter().sum();
        let greatest = |n: usize| self.sums.iter().take(n).sum::<f64>();
        if total <= 0.0 {
            return false;
        }
        let by_share = obliged.dominance.is_some_and(|rule| {
            greatest(usize::from(rule.largest)) * 100.0 >= total * f64::from(rule.percent.get())
        });
        let by_rest = obliged
            .p_percent
            .is_some_and(|percent| (total - greatest(2)) * 100.0 < greatest(1) * f64::from(percent.get()));
        by_share || by_rest
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn rules(text: &str) -> Aggregation {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn dominance_and_p_percent_are_those_of_the_book() {
        let share = |values: &[f64]| Shares::new((0..).zip(values.iter().copied()));
        let two_85 = rules(r#"{"min_group":3,"dominance":{"largest":2,"percent":85}}"#);
        assert!(share(&[50.0, 40.0, 10.0]).is_dominated(&two_85));
        assert!(share(&[-50.0, 40.0, 10.0]).is_dominated(&two_85), "absolute contributions");
        assert!(!share(&[40.0, 30.0, 20.0, 10.0]).is_dominated(&two_85));
        let p_10 = rules(r#"{"min_group":3,"p_percent":10}"#);
        assert!(share(&[100.0, 50.0, 5.0, 4.0]).is_dominated(&p_10), "9 is less than 10");
        assert!(!share(&[100.0, 50.0, 5.0, 5.0]).is_dominated(&p_10));
        assert!(!share(&[0.0, 0.0]).is_dominated(&p_10) && share(&[0.0, 0.0]).is_uniform());
        let same_person = Shares::new([(1, 30.0), (1, 30.0), (2, 30.0), (3, 10.0)]);
        assert!(same_person.is_dominated(&two_85) && !same_person.is_uniform());
    }
}
