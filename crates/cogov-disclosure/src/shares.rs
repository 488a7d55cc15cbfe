//! Who contributes how much to a sum: dominance, p % and homogeneity (Hundepool and others, Statistical Disclosure
//! Control, chapter 4).

use cogov_model::Aggregation;

/// What each person contributes to one figure.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shares {
    /// Persons and values of rows.
    rows: Vec<(u32, f64)>,
}

impl Shares {
    /// From the persons behind rows and their values; rows without a value are left out before.
    pub(crate) fn new(rows: impl IntoIterator<Item = (u32, f64)>) -> Self {
        Self { rows: rows.into_iter().collect() }
    }

    /// Whether everybody has the same value, so that the figure tells it of each.
    pub(crate) fn is_uniform(&self) -> bool {
        let Some((_, first)) = self.rows.first() else { return false };
        // Zero is zero, whatever its sign.
        self.rows.iter().all(|(_, value)| (value - first).abs() <= 0.0)
    }

    /// Whether few contributors make up too much, by the obligations' rules on absolute contributions.
    pub(crate) fn is_dominated(&self, obliged: &Aggregation) -> bool {
        if obliged.dominance.is_none() && obliged.p_percent.is_none() {
            return false;
        }
        let sums = self.by_person();
        let total: f64 = sums.iter().sum();
        let greatest = |n: usize| sums.iter().take(n).sum::<f64>();
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

    /// The absolute contributions of persons, the greatest first. Added up in one order, so that the same rows give the
    /// same sums however they were read.
    fn by_person(&self) -> Vec<f64> {
        let mut rows = self.rows.clone();
        rows.sort_unstable_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.total_cmp(y)));
        let persons = rows.chunk_by(|(one, _), (other, _)| one == other);
        let sum = |rows: &[(u32, f64)]| rows.iter().map(|(_, value)| value).sum::<f64>().abs();
        let mut sums: Vec<f64> = persons.map(sum).collect();
        sums.sort_unstable_by(|a, b| b.total_cmp(a));
        sums
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
        assert!(!same_person.is_uniform() && same_person.is_dominated(&two_85));
    }
}
