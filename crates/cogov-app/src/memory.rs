//! What a party was answered in protected statistics: the engine's memory, kept with the records.

use async_trait::async_trait;
use cogov_engine::{Addition, AnswerMemory, MemoryKey, MemoryUnavailable};
use cogov_model::PartyId;
use cogov_store::{KeptAnswer, Store, StoreError};

/// The memory of one party, over all of its grants.
pub(crate) struct PartyMemory {
    store: Store,
    party: PartyId,
}

impl PartyMemory {
    pub(crate) fn new(store: &Store, party: &PartyId) -> Self {
        Self { store: store.clone(), party: party.clone() }
    }
}

fn unavailable(error: StoreError) -> MemoryUnavailable {
    tracing::error!(%error, "the memory of answers is not available");
    MemoryUnavailable
}

#[async_trait]
impl AnswerMemory for PartyMemory {
    fn owner(&self) -> String {
        self.party.to_string()
    }

    async fn recall(&self, about: &MemoryKey, after: u64) -> Result<Vec<String>, MemoryUnavailable> {
        self.store.answers_given(&self.party, &about.dataset, &about.table, after).await.map_err(unavailable)
    }

    async fn remember(&self, additions: Vec<Addition>) -> Result<bool, MemoryUnavailable> {
        let answers: Vec<KeptAnswer> = additions
            .into_iter()
            .map(|addition| KeptAnswer {
                dataset: addition.about.dataset,
                table: addition.about.table,
                number: addition.number,
                body: addition.text,
            })
            .collect();
        self.store.add_answers(&self.party, &answers).await.map_err(unavailable)
    }
}
