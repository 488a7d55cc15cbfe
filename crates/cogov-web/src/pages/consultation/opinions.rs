//! `/consultations/{id}/opinions`: the map, its groups, what each holds, what all hold, and how sure that is.

use super::{Answered, Head, head, html, named};
use crate::{
    ui::Ui,
    view::{Map, Mark, letter},
    visit::Visit,
};
use askama::Template;
use axum::extract::Path;
use cogov_app::{GroupOpinion, OpinionMap, Represents, StatementOpinion};
use cogov_model::{Locale, ParticipantClass, Tally};

struct Telling {
    statement: u64,
    words: String,
    how: String,
}

struct GroupView {
    name: String,
    size: String,
    classes: String,
    tells: Vec<Telling>,
}

struct ClassView {
    class: String,
    voters: String,
    declared: String,
}

struct StatementView {
    number: u64,
    words: String,
    everybody: String,
    groups: Vec<String>,
    classes: Vec<String>,
    all: String,
}

#[derive(Template)]
#[template(path = "consultation/opinions.html")]
struct OpinionsPage {
    ui: Ui,
    head: Head,
    verdict: String,
    sure: String,
    map: Option<Map>,
    groups: Vec<GroupView>,
    classes: Vec<ClassView>,
    all_agree: Vec<Telling>,
    all_disagree: Vec<Telling>,
    divisive: Vec<Telling>,
    group_names: Vec<String>,
    class_names: Vec<String>,
    statements: Vec<StatementView>,
}

/// `GET /consultations/{id}/opinions`
pub async fn show(visit: Visit, Path(id): Path<String>) -> Answered {
    let (ui, id) = (visit.ui(), named(&id)?);
    let found = visit.app.consultation(visit.viewer(), &id).await?;
    let map = visit.app.opinion_map(&id).await?;
    html(&view(ui.clone(), head(&ui, &found, "opinions"), &map))
}

fn view(ui: Ui, head: Head, map: &OpinionMap) -> OpinionsPage {
    let classes = present(map);
    let telling = |number: &u64| {
        map.statement(*number).map(|statement| Telling {
            statement: *number,
            words: statement.words.clone(),
            how: percent_words(&ui, "opinion-agree-share", agreed(&statement.tally)),
        })
    };
    let shared = |numbers: &[u64], key: &str, sure: fn(&StatementOpinion) -> f64| {
        let found = numbers.iter().filter_map(|number| map.statement(*number));
        let told = found.map(|statement| Telling {
            statement: statement.number,
            words: statement.words.clone(),
            how: ui.by(key, &percent(agreed(&statement.tally)), &percent(sure(statement))),
        });
        told.collect::<Vec<_>>()
    };
    OpinionsPage {
        verdict: ui.word("opinion-verdict", map.confidence.verdict),
        sure: sure(&ui, map),
        map: drawn(&ui, map),
        groups: map.groups.iter().map(|group| group_view(&ui, map, group)).collect(),
        classes: map
            .classes
            .iter()
            .filter(|class| class.voters + class.declared_only > 0)
            .map(|class| ClassView {
                class: ui.word("participant-class", class.class.code()),
                voters: ui.num(class.voters),
                declared: ui.num(class.declared_only),
            })
            .collect(),
        all_agree: shared(&map.all_agree, "opinion-all-agree-how", |statement| statement.all_agree),
        all_disagree: shared(&map.all_disagree, "opinion-all-disagree-how", |statement| {
            statement.all_disagree
        }),
        divisive: map.divisive.iter().filter_map(telling).collect(),
        group_names: map.groups.iter().map(|group| group_name(&ui, group.number)).collect(),
        class_names: classes.iter().map(|class| ui.word("participant-class", class.code())).collect(),
        statements: map.statements.iter().map(|statement| row(&ui, statement, &classes)).collect(),
        head,
        ui,
    }
}

fn group_name(ui: &Ui, number: usize) -> String {
    ui.with("opinion-group", "letter", letter(number))
}

/// The classes that voted.
fn present(map: &OpinionMap) -> Vec<ParticipantClass> {
    map.classes.iter().filter(|class| class.voters > 0).map(|class| class.class).collect()
}

/// How well the groups came back, in words and numbers.
fn sure(ui: &Ui, map: &OpinionMap) -> String {
    let best = map.confidence.tried.iter().map(|(_, agreement)| *agreement).fold(f64::NEG_INFINITY, f64::max);
    let mut told = vec![ui.n("opinion-placed", map.confidence.placed)];
    if best.is_finite() {
        let needed = format!("{:.2}", map.confidence.needed);
        told.push(ui.by("opinion-agreement", &format!("{best:.2}"), &needed));
    }
    if !map.settled {
        told.push(ui.t("opinion-unsettled"));
    }
    // Sentences of Chinese follow one another without a space.
    told.join(if ui.locale == Locale::En { " " } else { "" })
}

fn drawn(ui: &Ui, map: &OpinionMap) -> Option<Map> {
    let marks: Vec<Mark> = map
        .positions
        .iter()
        .map(|position| Mark { x: position.x, y: position.y, group: position.group })
        .collect();
    (marks.len() >= 2).then(|| Map {
        title: ui.n("opinion-map-title", marks.len()),
        description: ui.t("opinion-map-text"),
        labels: map.groups.iter().map(|group| format!("{} ({})", letter(group.number), group.size)).collect(),
        marks,
    })
}

fn group_view(ui: &Ui, map: &OpinionMap, group: &GroupOpinion) -> GroupView {
    let tells = |tells: &Represents| {
        let key = if tells.agrees { "opinion-group-agrees" } else { "opinion-group-disagrees" };
        map.statement(tells.statement).map(|statement| Telling {
            statement: tells.statement,
            words: statement.words.clone(),
            how: ui.by(key, &percent(tells.share), &percent(tells.others)),
        })
    };
    let classes =
        group.classes.iter().map(|(class, n)| format!("{} {n}", ui.word("participant-class", class.code())));
    GroupView {
        name: group_name(ui, group.number),
        size: ui.n("opinion-people", group.size),
        classes: classes.collect::<Vec<_>>().join(" · "),
        tells: group.represents.iter().filter_map(tells).collect(),
    }
}

fn row(ui: &Ui, statement: &StatementOpinion, classes: &[ParticipantClass]) -> StatementView {
    let all = match (statement.all_agree, statement.all_disagree) {
        (agree, _) if agree >= 0.8 => percent_words(ui, "opinion-all-agree-sure", agree),
        (_, disagree) if disagree >= 0.8 => percent_words(ui, "opinion-all-disagree-sure", disagree),
        _ => ui.t("opinion-not-shared"),
    };
    StatementView {
        number: statement.number,
        words: statement.words.clone(),
        everybody: counted(Some(&statement.tally)),
        groups: statement.by_group.iter().map(|tally| counted(Some(tally))).collect(),
        classes: classes.iter().map(|class| counted(statement.by_class.get(class))).collect(),
        all,
    }
}

/// The share that agrees, of how many.
fn counted(tally: Option<&Tally>) -> String {
    match tally.filter(|tally| tally.total() > 0) {
        Some(tally) => format!("{} ({}/{})", percent(agreed(tally)), tally.agree, tally.total()),
        None => "–".to_owned(),
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of votes are far below 2^52")]
fn agreed(tally: &Tally) -> f64 {
    tally.agree as f64 / (tally.total().max(1)) as f64
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn percent_words(ui: &Ui, key: &str, share: f64) -> String {
    ui.with(key, "percent", percent(share))
}

#[cfg(test)]
pub(super) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let telling = |how: &str| Telling { statement: 3, words: "Words".into(), how: how.into() };
    let page = OpinionsPage {
        head: super::sample_head(&ui),
        verdict: ui.word("opinion-verdict", "stable"),
        sure: ui.by("opinion-agreement", "0.91", "0.75"),
        map: Some(Map {
            title: ui.n("opinion-map-title", 2_u64),
            description: ui.t("opinion-map-text"),
            marks: vec![Mark { x: 0.0, y: 0.0, group: Some(0) }, Mark { x: 1.0, y: 1.0, group: Some(1) }],
            labels: vec!["A (1)".into(), "B (1)".into()],
        }),
        groups: vec![GroupView {
            name: group_name(&ui, 0),
            size: ui.n("opinion-people", 1_u64),
            classes: ui.word("participant-class", "public"),
            tells: vec![telling(&ui.by("opinion-group-agrees", "80 %", "20 %"))],
        }],
        classes: vec![ClassView {
            class: ui.word("participant-class", "scholar"),
            voters: "3".into(),
            declared: "1".into(),
        }],
        all_agree: vec![telling("90 %")],
        all_disagree: vec![telling("5 %")],
        divisive: vec![telling("50 %")],
        group_names: vec![group_name(&ui, 0)],
        class_names: vec![ui.word("participant-class", "scholar")],
        statements: vec![StatementView {
            number: 3,
            words: "Words".into(),
            everybody: "80 % (4/5)".into(),
            groups: vec!["80 %".into()],
            classes: vec!["–".into()],
            all: ui.t("opinion-not-shared"),
        }],
        ui,
    };
    vec![("consultation-opinions", page.render().unwrap_or_default())]
}
