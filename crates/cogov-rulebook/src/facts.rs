//! The facts that a rule may look at: a plain struct, so that a decision can be replayed under another rulebook.

use crate::Sharing;
use cogov_model::{DatasetId, Form, Label, Lane, PartyClass, PartyId, PurposeCode, RegionCode, Tier};
use serde::{Deserialize, Serialize};

/// Everything that one decision about one kind of column depends on. Nothing else is looked at:
/// equal facts give equal rulings under the same rulebook.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Facts {
    /// Who asks.
    pub party: PartyId,
    /// Its class.
    pub class: PartyClass,
    /// Its tier, for government bodies.
    pub tier: Option<Tier>,
    /// Its region.
    pub region: Option<RegionCode>,
    /// The form of use.
    pub form: Form,
    /// The lane.
    pub lane: Lane,
    /// The purpose.
    pub purpose: PurposeCode,
    /// Whether the grant names a legal basis.
    pub legal_basis: bool,
    /// Whole days until the grant ends; 0 on its last day.
    pub days_left: i64,
    /// The column's label.
    pub label: Label,
    /// Its dataset.
    pub dataset: DatasetId,
    /// The dataset's sharing attribute.
    pub sharing: Sharing,
    /// Who provides it.
    pub provider: PartyId,
    /// The provider's tier.
    pub provider_tier: Option<Tier>,
    /// Whether party and provider both name a region and it is the same.
    pub same_region: bool,
    /// Whether the grant's row scope keeps the column's table to the party's own region.
    pub own_region_rows: bool,
}

impl Facts {
    /// Whether the party asks for its own data.
    #[must_use]
    pub fn same_party(&self) -> bool {
        self.party == self.provider
    }

    /// Whether the provider's tier is higher than the party's.
    #[must_use]
    pub fn from_higher_tier(&self) -> bool {
        // `Tier` orders the highest first.
        matches!((self.provider_tier, self.tier), (Some(from), Some(to)) if from < to)
    }

    /// The purpose's code and its parents, nearest first.
    pub fn purposes(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self.purpose.as_str()), |code| {
            code.rsplit_once('.').map(|(parent, _)| parent)
        })
    }
}
