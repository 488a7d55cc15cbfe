//! Polis' own mathematics, from its published formulas (Small, Bjorkegren, Erkkilä, Shaw and Megill, *Polis: Scaling
//! deliberation by mapping high dimensional opinion spaces*, 2021; no line of its code). For comparison, and for readers who know it.
//!
//! It keeps Polis' ways, also those that [`Picture`](crate::Picture) leaves behind: rows in the order of first votes,
//! missing votes filled with column means for the principal components, starts from the first rows. Only where Polis draws
//! lots is this a function of the votes alone.
//!
//! Inside, agreeing is −1 and disagreeing 1, as in Polis' result files; its exports and the rest of this room say the opposite.

mod cluster;
mod matrix;
mod pca;
mod rep;

pub use cluster::{BaseCluster, GroupCluster, Smoother, base_clusters, group_clusters, silhouette};
pub use matrix::Matrix;
pub use pca::Pca;
pub use rep::{
    Consensus, Direction, GroupVotes, Shared, Standing, consensus, group_aware_consensus, group_votes,
    priorities, representative, total_votes,
};

use crate::conversation::Conversation;

/// The whole of what Polis would publish of a conversation, computed anew.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Principal components and comment projections.
    pub pca: Pca,
    /// Rows that take part.
    pub rows: Vec<usize>,
    /// Places of all rows.
    pub projections: Vec<[f64; 2]>,
    /// Base clusters of the rows that take part.
    pub base: Vec<BaseCluster>,
    /// Groups of base clusters.
    pub groups: Vec<GroupCluster>,
    /// Group of each row that takes part, in the order of `rows`.
    pub labels: Vec<usize>,
    /// Votes by group and column.
    pub votes: Vec<Vec<GroupVotes>>,
    /// What stands for each group.
    pub representative: Vec<Vec<Standing>>,
    /// What all agree or disagree with.
    pub consensus: Consensus,
    /// `Π (A + 1)/(S + 2)` by column.
    pub group_aware: Vec<f64>,
    /// Weights with which statements are shown, by column.
    pub priorities: Vec<f64>,
}

impl Report {
    /// The report of a conversation that was not reported before: nobody has taken part yet, and the number of groups is
    /// the one with the best silhouette.
    #[must_use]
    pub fn of(conversation: &Conversation) -> Self {
        let matrix = Matrix::new(conversation);
        let pca = Pca::of(&matrix);
        let projections = pca.project(&matrix);
        let rows = matrix.taking_part(&[]);
        let points: Vec<[f64; 2]> = rows.iter().filter_map(|row| projections.get(*row).copied()).collect();
        let base = base_clusters(&rows, &points);
        let groups = group_clusters(&base, &mut Smoother::default());
        let labels = cluster::labels(&rows, &base, &groups);
        let members = cluster::members(&base, &groups);
        let votes: Vec<Vec<GroupVotes>> = members.iter().map(|rows| group_votes(&matrix, rows)).collect();
        let all = total_votes(&matrix);
        Self {
            representative: representative(&matrix, &votes),
            consensus: consensus(&matrix, &all),
            group_aware: group_aware_consensus(&votes),
            priorities: priorities(&matrix, &pca.extremity(), &votes),
            pca,
            rows,
            projections,
            base,
            groups,
            labels,
            votes,
        }
    }
}
