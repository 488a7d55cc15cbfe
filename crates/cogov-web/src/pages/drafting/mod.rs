//! `/drafts…`: rules and other texts on their way: written, published, replayed, proved, adopted.

mod adopting;
mod begin;
mod consulted;
mod edit;
mod page;
mod proof;
mod replay;

use crate::{Web, failure::Failure, ui::Ui, uploaded, view::Tag, visit::Visit};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use cogov_app::{AppError, Checked, DraftCard, PolicyDraftPage};
use cogov_model::{DraftId, Text};
use cogov_rulebook::{Change, Document, Fate, Idleness, Piece};

#[cfg(test)]
pub(crate) use begin::samples as begin_samples;
#[cfg(test)]
pub(crate) use edit::samples as edit_samples;
#[cfg(test)]
pub(crate) use page::samples as page_samples;
#[cfg(test)]
pub(crate) use proof::samples as proof_samples;
#[cfg(test)]
pub(crate) use replay::samples as replay_samples;

/// The most bytes of a form with two texts, percent-encoded.
const TEXT_BYTES: usize = 9 * 1024 * 1024;

/// The pages about drafts.
pub fn routes() -> Router<Web> {
    let files = Router::new()
        .route("/drafts/text", post(begin::text))
        .layer(DefaultBodyLimit::max(uploaded::MOST_REQUEST));
    let texts = Router::new()
        .route("/drafts/{id}/edit", get(edit::show).post(edit::submit))
        .route("/drafts/{id}/check", post(edit::fragment))
        .layer(DefaultBodyLimit::max(TEXT_BYTES));
    Router::new()
        .route("/drafts", get(begin::show))
        .route("/drafts/branch", post(begin::branch))
        .route("/drafts/{id}", get(page::show).post(page::act))
        .route("/drafts/{id}/replay", get(replay::show))
        .route("/drafts/{id}/proof", get(proof::show))
        .merge(files)
        .merge(texts)
}

fn read(id: String) -> Result<DraftId, Failure> {
    DraftId::new(id).map_err(|_| Failure::not_found())
}

/// A draft as somebody reads it; its published text where that is asked for.
async fn draft_as(visit: &Visit, id: &DraftId, published: bool) -> Result<PolicyDraftPage, AppError> {
    match published {
        true => visit.app.published_draft(visit.viewer(), id).await,
        false => visit.app.policy_draft(visit.viewer(), id).await,
    }
}

/// A draft's title, or its number where nobody named it in any language.
pub(super) fn title(ui: &Ui, title: &Text, id: &DraftId) -> String {
    let words = ui.text(title);
    if words.is_empty() { id.to_string() } else { words.to_owned() }
}

pub(super) fn state(ui: &Ui, card: &DraftCard) -> Tag {
    let css = match card.state {
        "in-force" => "permit",
        "published" | "adopted" => "waiting",
        _ => "quiet",
    };
    Tag::new(css, ui.word("draft-state", card.state))
}

/// A run of words of a difference.
struct Words {
    /// `ins`, `del` or nothing.
    tag: &'static str,
    text: String,
}

fn words(pieces: &[Piece]) -> Vec<Words> {
    let word = |piece: &Piece| Words {
        tag: match piece.fate {
            Fate::Kept => "",
            Fate::Removed => "del",
            Fate::Added => "ins",
        },
        text: piece.text.clone(),
    };
    pieces.iter().map(word).collect()
}

/// As [`words`], where lines of the source that belong to one paragraph flow together.
fn flowing(pieces: &[Piece]) -> Vec<Words> {
    let whole: Vec<char> = pieces.iter().flat_map(|piece| piece.text.chars()).collect();
    let at = |place: Option<usize>| place.and_then(|place| whole.get(place)).copied().unwrap_or('\n');
    let (mut list, mut place) = (words(pieces), 0_usize);
    for run in &mut list {
        let mut text = String::with_capacity(run.text.len());
        for c in run.text.chars() {
            let (before, after) = (at(place.checked_sub(1)), at(Some(place + 1)));
            match c {
                '\n' if flows(before, after) && !before.is_ascii() && !after.is_ascii() => {}
                '\n' if flows(before, after) => text.push(' '),
                c => text.push(c),
            }
            place += 1;
        }
        run.text = text;
    }
    list
}

/// Whether a line end between two characters is only where the source was broken: no empty line, no item, no code.
fn flows(before: char, after: char) -> bool {
    before != '\n' && !after.is_ascii_digit() && !"\n-*+#>|` \t".contains(after)
}

/// What a draft does to a clause.
pub(super) fn change_tag(ui: &Ui, change: Change) -> Tag {
    let (css, key) = match change {
        Change::Added => ("permit", "drafting-added"),
        Change::Removed => ("deny", "drafting-removed"),
        Change::Changed { words: true, rule: true } => ("waiting", "drafting-both"),
        Change::Changed { rule: true, .. } => ("waiting", "drafting-rule"),
        Change::Changed { .. } => ("quiet", "drafting-words"),
    };
    Tag::new(css, ui.t(key))
}

/// One thing that was found in a draft.
struct Finding {
    tag: Tag,
    /// Where it stands, in words.
    place: String,
    clause: String,
    words: String,
    /// The language of the words where it is not the page's.
    lang: &'static str,
}

/// What was found: faults first, then rules that decide nothing.
fn findings(ui: &Ui, checked: &Checked) -> Vec<Finding> {
    let fault = |problem: &cogov_rulebook::Problem| {
        let key = match problem.document {
            Document::Original => "drafting-line-original",
            Document::Translation => "drafting-line-translation",
        };
        Finding {
            tag: Tag::new("deny", ui.t("drafting-fault")),
            place: ui.with(key, "line", problem.line),
            clause: problem.clause.as_ref().map(ToString::to_string).unwrap_or_default(),
            words: problem.advice.clone(),
            lang: "en",
        }
    };
    let idle = |rule: &cogov_rulebook::IdleRule| Finding {
        tag: Tag::new("waiting", ui.t("drafting-notice")),
        place: ui.with("drafting-line-original", "line", rule.line),
        clause: rule.clause.to_string(),
        words: match &rule.why {
            Idleness::NeverApplies => ui.t("drafting-never-applies"),
            Idleness::AlwaysForbidden(Some(by)) => ui.with("drafting-always-forbidden", "clause", by),
            Idleness::AlwaysForbidden(None) => ui.t("drafting-always-forbidden-several"),
            Idleness::ChangesNothing(Some(by)) => ui.with("drafting-changes-nothing", "clause", by),
            Idleness::ChangesNothing(None) => ui.t("drafting-changes-nothing-several"),
        },
        lang: ui.lang(),
    };
    checked.faults.iter().map(fault).chain(checked.idle.iter().map(idle)).collect()
}

/// A finding as a sample, for the tests of every page.
#[cfg(test)]
fn sample_finding(ui: &Ui) -> Finding {
    Finding {
        tag: Tag::new("deny", ui.t("drafting-fault")),
        place: ui.with("drafting-line-original", "line", 12),
        clause: "art-9".into(),
        words: "the clause has no words".into(),
        lang: "en",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_paragraph_flow_together_across_pieces() {
        let piece = |fate, text: &str| Piece { fate, text: text.to_owned() };
        let pieces = [
            piece(Fate::Kept, "for research or\n"),
            piece(Fate::Added, "official"),
            piece(Fate::Kept, " use\n- an item\n\n数据\n为民\n"),
        ];
        let text: String = flowing(&pieces).into_iter().map(|run| run.text).collect();
        assert_eq!(text, "for research or official use\n- an item\n\n数据为民\n");
    }
}
