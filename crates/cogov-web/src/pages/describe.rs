//! `/steward/{id}/describe`: the words of the catalogue entry (article 13), and its publication.

use super::{
    Answered,
    privacy::{self, PrivacyPart},
    shown, status_of, steward,
};
use crate::{
    failure::Failure,
    form::{Fields, Posted, Problem},
    ui::Ui,
    view::Choice,
    visit::Visit,
};
use askama::Template;
use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use cogov_app::Description;
use cogov_model::{ColumnName, Dataset, DatasetId, Lane, SharingAttribute, Table, Text};

struct FieldView {
    id: &'static str,
    words: String,
    hint: String,
    error: String,
    value: String,
    long: bool,
}

struct UnitView {
    table: String,
    columns: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "describe.html")]
struct DescribePage {
    ui: Ui,
    errors: Vec<Problem>,
    id: String,
    title: String,
    fields: Vec<FieldView>,
    lanes: Vec<Choice>,
    sharing: Vec<Choice>,
    conditions: String,
    units: Vec<UnitView>,
    privacy: PrivacyPart,
}

/// Id of the field, its message, whether it is long.
const FIELDS: [(&str, &str, bool); 8] = [
    ("title_en", "describe-title-en", false),
    ("title_zh", "describe-title-zh", false),
    ("description_en", "describe-description-en", true),
    ("description_zh", "describe-description-zh", true),
    ("keywords_en", "describe-keywords-en", false),
    ("keywords_zh", "describe-keywords-zh", false),
    ("frequency_en", "describe-frequency-en", false),
    ("frequency_zh", "describe-frequency-zh", false),
];

/// `GET /steward/{id}/describe`
pub async fn show(visit: Visit, Path(id): Path<String>) -> Answered {
    let dataset = find(&visit, id).await?;
    form(&visit, &dataset, &written(&dataset), Vec::new())
}

/// `POST /steward/{id}/describe`
pub async fn submit(visit: Visit, Path(id): Path<String>, Posted(fields): Posted) -> Answered {
    let dataset = find(&visit, id).await?;
    let (id, actor) = (&dataset.id, visit.actor()?);
    let read = description(&fields, &dataset)
        .and_then(|words| privacy::read(&visit.ui, &fields, &dataset).map(|privacy| (words, privacy)));
    let described = match read {
        Ok((words, privacy)) => match visit.app.describe(actor, id, words).await {
            Ok(()) => visit.app.declare_privacy(actor, id, privacy).await,
            Err(error) => Err(error),
        },
        Err(problem) => return form(&visit, &dataset, &fields, vec![problem]),
    };
    let done = match described {
        Ok(()) if fields.get("then") == "publish" => visit.app.publish(actor, id).await.map(Some),
        Ok(()) => Ok(None),
        Err(error) => Err(error),
    };
    match done {
        Ok(Some(index)) => Ok(Redirect::to(&format!("/steward/{id}?published={index}")).into_response()),
        Ok(None) => Ok(Redirect::to(&format!("/steward/{id}?saved=1")).into_response()),
        Err(error) => {
            let problem = Problem::from_app(&visit.ui, error)?;
            form(&visit, &dataset, &fields, vec![Problem { field: anchor(&problem.field), ..problem }])
        }
    }
}

/// The field of the page that an application's field name means.
fn anchor(field: &str) -> String {
    match field {
        "title" | "description" => format!("{field}_en"),
        "law" => "conditions".to_owned(),
        other => other.to_owned(),
    }
}

async fn find(visit: &Visit, id: String) -> Result<Dataset, Failure> {
    let id = DatasetId::new(id).map_err(|_| Failure::not_found())?;
    Ok(visit.app.draft(visit.actor()?, &id).await?.dataset)
}

/// What is written already, as the form would send it.
fn written(dataset: &Dataset) -> Fields {
    let keywords = |pick: fn(&Text) -> &String| {
        dataset.keywords.iter().map(|word| pick(word).clone()).collect::<Vec<_>>().join(", ")
    };
    let conditions = match &dataset.sharing {
        SharingAttribute::Unconditional => Text::default(),
        SharingAttribute::Conditional { conditions } => conditions.clone(),
        SharingAttribute::NotShared { law } => law.clone(),
    };
    let mut pairs = vec![
        ("title_en".to_owned(), dataset.title.en.clone()),
        ("title_zh".to_owned(), dataset.title.zh.clone()),
        ("description_en".to_owned(), dataset.description.en.clone()),
        ("description_zh".to_owned(), dataset.description.zh.clone()),
        ("keywords_en".to_owned(), keywords(|word| &word.en)),
        ("keywords_zh".to_owned(), keywords(|word| &word.zh)),
        ("frequency_en".to_owned(), dataset.update_frequency.en.clone()),
        ("frequency_zh".to_owned(), dataset.update_frequency.zh.clone()),
        ("sharing".to_owned(), dataset.sharing.code().to_owned()),
        ("conditions".to_owned(), if conditions.en.is_empty() { conditions.zh } else { conditions.en }),
    ];
    pairs.extend(dataset.lanes.iter().map(|lane| ("lanes".to_owned(), lane.code().to_owned())));
    for table in &dataset.tables {
        let unit = table.unit.as_ref().map(ToString::to_string).unwrap_or_default();
        pairs.push((format!("unit.{}", table.name), unit));
    }
    pairs.extend(privacy::written(dataset));
    Fields::from_pairs(pairs)
}

fn description(fields: &Fields, dataset: &Dataset) -> Result<Description, Problem> {
    let both = |name: &str| Text::new(fields.get(&format!("{name}_en")), fields.get(&format!("{name}_zh")));
    let conditions = Text::same(fields.get("conditions"));
    let mut units = std::collections::BTreeMap::new();
    for table in &dataset.tables {
        let field = format!("unit.{}", table.name);
        let unit = fields.given(&field).map(ColumnName::new).transpose();
        units.insert(table.name.clone(), unit.map_err(|error| Problem::new(&field, error.to_string()))?);
    }
    Ok(Description {
        title: both("title"),
        description: both("description"),
        keywords: keywords(fields.get("keywords_en"), fields.get("keywords_zh")),
        update_frequency: both("frequency"),
        lanes: Lane::ALL
            .into_iter()
            .filter(|lane| fields.all("lanes").any(|code| code == lane.code()))
            .collect(),
        sharing: match fields.get("sharing") {
            "unconditional" => SharingAttribute::Unconditional,
            "not-shared" => SharingAttribute::NotShared { law: conditions },
            _ => SharingAttribute::Conditional { conditions },
        },
        regions: dataset.regions.clone(),
        tables: std::collections::BTreeMap::new(),
        units,
        columns: std::collections::BTreeMap::new(),
    })
}

/// Pairs the words of both lists in order; a word without a partner stands in one language.
fn keywords(en: &str, zh: &str) -> Vec<Text> {
    let split = |text: &str| -> Vec<String> {
        text.split([',', '，', '、'])
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (en, zh) = (split(en), split(zh));
    let word = |list: &[String], i: usize| list.get(i).cloned().unwrap_or_default();
    (0..en.len().max(zh.len())).map(|i| Text::new(word(&en, i), word(&zh, i))).collect()
}

fn form(visit: &Visit, dataset: &Dataset, now: &Fields, errors: Vec<Problem>) -> Result<Response, Failure> {
    let ui = visit.ui();
    let page = page(ui, dataset, now, errors);
    shown(status_of(&page.errors), &page)
}

fn page(ui: Ui, dataset: &Dataset, now: &Fields, errors: Vec<Problem>) -> DescribePage {
    let error = |id: &str| errors.iter().find(|e| e.field == id).map(|e| e.words.clone()).unwrap_or_default();
    let fields = FIELDS.iter().map(|(id, key, long)| FieldView {
        id,
        words: ui.t(key),
        hint: if id.starts_with("keywords") { ui.t("describe-keywords-hint") } else { String::new() },
        error: error(id),
        value: now.get(id).to_owned(),
        long: *long,
    });
    let sharing = ["unconditional", "conditional", "not-shared"];
    DescribePage {
        id: dataset.id.to_string(),
        title: steward::title(&ui, dataset),
        fields: fields.collect(),
        lanes: Lane::ALL
            .iter()
            .map(|lane| Choice {
                value: lane.code().to_owned(),
                words: ui.word("lane", lane.code()),
                chosen: now.all("lanes").any(|code| code == lane.code()),
            })
            .collect(),
        sharing: sharing
            .iter()
            .map(|code| Choice::new(*code, ui.word("sharing", code), now.get("sharing")))
            .collect(),
        conditions: now.get("conditions").to_owned(),
        units: dataset.tables.iter().map(|table| unit(&ui, table, now)).collect(),
        privacy: privacy::part(&dataset.tables, now, &errors),
        errors,
        ui,
    }
}

fn unit(ui: &Ui, table: &Table, now: &Fields) -> UnitView {
    let chosen = now.get(&format!("unit.{}", table.name)).to_owned();
    let none = Choice::new("", ui.t("describe-no-unit"), &chosen);
    let columns =
        table.columns.iter().map(|column| Choice::new(column.name.as_str(), column.name.as_str(), &chosen));
    UnitView { table: table.name.to_string(), columns: std::iter::once(none).chain(columns).collect() }
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let dataset = super::apply::sample_dataset();
    let errors = vec![Problem::new("title_en", "Give the dataset a name.")];
    let page = page(ui, &dataset, &written(&dataset), errors);
    vec![("describe", page.render().unwrap_or_default())]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_is_written_comes_back_as_it_was() {
        let dataset = crate::pages::apply::sample_dataset();
        let words = description(&written(&dataset), &dataset).unwrap();
        assert_eq!(
            (words.title, words.sharing, words.lanes),
            (dataset.title, dataset.sharing, dataset.lanes)
        );
        assert_eq!(keywords("tax, income", "税"), [Text::new("tax", "税"), Text::new("income", "")]);
    }
}
