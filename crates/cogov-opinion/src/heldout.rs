//! How well votes are predicted that were held out: item means, Polis' two components, and our factors.
#![allow(clippy::indexing_slicing, reason = "rows and columns of one matrix")]

use crate::conversation::Conversation;
use crate::hash::{mix_all, unit};
use crate::map::Sheet;
use crate::map::fit::fit;
use crate::map::model::stand;
use crate::polis::{Matrix, Pca};
use crate::votes::{Cast, Participant};

/// Errors of one method.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Errors {
    /// Root mean square difference between votes (1, 0, −1) and predictions.
    pub rmse: f64,
    /// Share of the held-out votes other than passes whose sign was predicted.
    pub signs: f64,
}

/// One comparison: the same votes held out from all three methods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeldOut {
    /// How many votes were held out.
    pub votes: usize,
    /// The mean of the other votes on the statement.
    pub item_mean: Errors,
    /// Polis' centre and two components.
    pub polis: Errors,
    /// Our factor model.
    pub factors: Errors,
}

#[derive(Default)]
struct Score {
    squares: f64,
    count: f64,
    right: f64,
    signed: f64,
}

impl Score {
    fn take(&mut self, predicted: f64, vote: i8) {
        self.squares += (predicted - f64::from(vote)).powi(2);
        self.count += 1.0;
        if vote != 0 {
            self.signed += 1.0;
            self.right += f64::from(u8::from(predicted * f64::from(vote) > 0.0));
        }
    }

    fn errors(&self) -> Errors {
        Errors { rmse: (self.squares / self.count.max(1.0)).sqrt(), signs: self.right / self.signed.max(1.0) }
    }
}

/// Holds out a share of the votes, which a hash of the seed chooses, and predicts them from the others.
#[must_use]
pub fn held_out(conversation: &Conversation, share: f64, seed: u64) -> HeldOut {
    let is_held = |cast: &Cast| unit(mix_all(&[seed, cast.participant.0, cast.statement.0])) < share;
    let (held, kept): (Vec<Cast>, Vec<Cast>) = conversation.votes().casts().partition(is_held);
    // Everybody is kept as a row, also who has no other vote.
    let known = Conversation::new(conversation.statements().copied(), &kept, []);
    let matrix = Matrix::new(&known);
    let pca = Pca::of(&matrix);
    let places = pca.project(&matrix);
    let sheet = Sheet::whole(known.votes());
    let model = fit(&sheet, &vec![true; sheet.width()]);
    let pulls = model.pulls();
    let row_of = |participant: &Participant| known.votes().participants().binary_search(participant).ok();
    let mut scores: [Score; 3] = Default::default();
    for cast in &held {
        let Some(column) = known.votes().column(cast.statement) else { continue };
        let vote = cast.vote.number();
        let stands = row_of(&cast.participant).map_or([0.0; crate::map::model::FACTORS], |row| {
            let (columns, values) = known.votes().row(row);
            stand(&pulls, columns, values).mean
        });
        let place = matrix.row(cast.participant).map_or([0.0; 2], |row| places[row]);
        scores[0].take(-pca.centre[column], vote);
        scores[1].take(pca.predict(place, column), vote);
        scores[2].take(model.predict(column, &stands), vote);
    }
    let [item_mean, polis, factors] = scores.map(|score| score.errors());
    HeldOut { votes: held.len(), item_mean, polis, factors }
}
