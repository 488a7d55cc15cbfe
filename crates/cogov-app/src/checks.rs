//! What keeps an application from being made: a missing paper, a closed lane, a condition on nothing.

use crate::{
    Actor, AppError, ApplicationDraft,
    error::Result,
    query::{Reach, linked_datasets},
};
use cogov_model::{ColumnName, Condition, Grant, PartyId, Table, Text};

pub(crate) fn check_draft(actor: &Actor, draft: &ApplicationDraft, months: u32) -> Result<()> {
    let longest = months.saturating_mul(31);
    if draft.provider == actor.party.id {
        return Err(AppError::invalid(
            "provider",
            "Your own party provides this data: no application is needed.",
            "该数据由贵方提供，无需申请。",
        ));
    }
    if draft.columns.is_empty() {
        return Err(AppError::invalid("columns", "Choose at least one column.", "请至少选择一列。"));
    }
    if draft.purpose.words.is_empty() {
        return Err(AppError::invalid(
            "words",
            "Say in your own words what the data is for.",
            "请用自己的话说明用途。",
        ));
    }
    if draft.purpose.legal_basis.is_empty() {
        return Err(AppError::invalid(
            "legal_basis",
            "Name the law or duty that the use rests on (art. 20).",
            "请写明使用所依据的法律或职责（第二十条）。",
        ));
    }
    if draft.purpose.scenario.is_empty() {
        return Err(AppError::invalid(
            "scenario",
            "Describe the procedure or service in which the data is used (art. 20).",
            "请说明使用数据的业务或服务场景（第二十条）。",
        ));
    }
    if draft.days == 0 || draft.days > longest {
        return Err(AppError::invalid(
            "days",
            format!("Ask for a term of 1 to {longest} days."),
            format!("期限须为 1 至 {longest} 天。"),
        ));
    }
    Ok(())
}

/// A dataset flows only in the lanes that its provider published it for.
pub(crate) fn check_lane(grant: &Grant, reach: &Reach) -> Result<()> {
    let asked: std::collections::BTreeSet<_> = grant.columns.iter().map(|column| &column.dataset).collect();
    let closed =
        reach.datasets.values().find(|(d, _)| asked.contains(&d.id) && !d.lanes.contains(&grant.lane));
    match closed {
        Some((dataset, _)) => Err(AppError::invalid(
            "lane",
            format!(
                "{} does not flow in the lane {}. Choose a lane from the dataset's page.",
                dataset.id,
                grant.lane.code()
            ),
            format!("数据集 {} 不在通道 {} 中流通。请从数据集页面选择通道。", dataset.id, grant.lane.code()),
        )),
        None => Ok(()),
    }
}

/// A condition on a third party's dataset would tell about its rows without that party being asked.
pub(crate) fn check_links_of<'a>(
    grant: &Grant,
    conditions: impl IntoIterator<Item = &'a Condition>,
    reach: &Reach,
) -> Result<()> {
    let mut linked = Vec::new();
    conditions.into_iter().for_each(|condition| linked_datasets(condition, &mut linked));
    for id in linked {
        let asked = |provider: &PartyId| *provider == grant.party || grant.providers.contains(provider);
        if !reach.datasets.get(&id).is_some_and(|(dataset, _)| asked(&dataset.provider)) {
            return Err(AppError::invalid(
                "scope",
                format!(
                    "The row condition looks into {id}, whose provider is not asked. Use your own data or the provider's."
                ),
                format!("行条件涉及 {id}，但未向其提供方申请。请使用贵方或该提供方的数据。"),
            ));
        }
    }
    Ok(())
}

/// Conditions may name only columns of the tables they stand on.
pub(crate) fn check_scope(grant: &Grant, reach: &Reach) -> Result<()> {
    check_links_of(grant, grant.scope.0.values().flatten(), reach)?;
    let unknown = |what: String| {
        AppError::invalid(
            "scope",
            format!("The row condition names {what}, which the dataset does not have."),
            format!("行条件中的 {what} 在数据集中不存在。"),
        )
    };
    for (place, conditions) in &grant.scope.0 {
        let Some((dataset, table)) = place.split_once('.') else { return Err(unknown(place.clone())) };
        let found = reach.datasets.get(dataset).map(|(dataset, _)| &dataset.tables);
        let found = found.and_then(|tables| tables.iter().find(|t| t.name.as_str() == table));
        let Some(found) = found else { return Err(unknown(place.clone())) };
        for condition in conditions {
            check_condition(condition, found, reach).map_err(unknown)?;
        }
    }
    Ok(())
}

pub(crate) fn check_condition(
    condition: &Condition,
    table: &Table,
    reach: &Reach,
) -> std::result::Result<(), String> {
    let has = |column: &ColumnName| {
        if table.column(column).is_some() { Ok(()) } else { Err(column.to_string()) }
    };
    match condition {
        Condition::Compare { column, .. } => has(column),
        Condition::In { column, values } if values.is_empty() => Err(format!("no value for {column}")),
        Condition::In { column, .. } => has(column),
        Condition::Any { any } => any.iter().try_for_each(|inner| check_condition(inner, table, reach)),
        Condition::Linked { linked } => {
            has(&linked.column)?;
            let place = || format!("{}.{}", linked.dataset, linked.table);
            let (other, _) = reach.datasets.get(&linked.dataset).ok_or_else(place)?;
            let other = other.table(&linked.table).ok_or_else(place)?;
            if other.column(&linked.key).is_none() {
                return Err(linked.key.to_string());
            }
            linked.any.iter().try_for_each(|inner| check_condition(inner, other, reach))
        }
    }
}

pub(crate) fn words(text: &str, field: &'static str) -> Result<Text> {
    let text = text.trim();
    if text.is_empty() {
        return Err(AppError::invalid(
            field,
            "Write the reasons: they go on the record and to the other side.",
            "请写明理由：理由将存档并送达对方。",
        ));
    }
    if text.chars().count() > 10_000 {
        return Err(AppError::invalid(field, "Keep it under 10,000 characters.", "请控制在一万字以内。"));
    }
    Ok(Text::same(text))
}

/// An identifier that cogov itself composed is always well-formed; were it not, the request fails.
pub(crate) fn never(error: cogov_model::IdError) -> AppError {
    tracing::error!(%error, "an identifier of ours is malformed");
    AppError::unavailable("An identifier could not be made. Try again.", "无法生成标识符，请重试。")
}
