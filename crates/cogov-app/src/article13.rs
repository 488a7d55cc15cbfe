//! What article 13 of Decree 809 wants of a catalogue entry.

use crate::{AppError, Description, DraftTable, error::Result};
use cogov_model::{Dataset, SharingAttribute, Text};

/// What article 13 wants and is not there yet.
pub(crate) fn missing(dataset: &Dataset, tables: &[DraftTable]) -> Vec<Text> {
    let mut missing = Vec::new();
    let mut want = |absent: bool, en: &str, zh: &str| {
        if absent {
            missing.push(Text::new(en, zh));
        }
    };
    want(dataset.title.is_empty(), "Give the dataset a name.", "请填写数据集名称。");
    want(dataset.description.is_empty(), "Describe what the dataset holds.", "请填写数据集说明。");
    want(dataset.update_frequency.is_empty(), "Say how often it is updated.", "请填写更新频率。");
    want(
        dataset.lanes.is_empty() && is_shared(&dataset.sharing),
        "Choose at least one lane.",
        "请至少选择一个通道。",
    );
    want(dataset.tables.is_empty(), "Import at least one file.", "请至少导入一个文件。");
    match &dataset.sharing {
        SharingAttribute::NotShared { law } => want(
            law.is_empty(),
            "Not shared needs the law that says so (art. 15).",
            "不予共享须写明法律依据（第十五条）。",
        ),
        SharingAttribute::Conditional { conditions } => want(
            conditions.is_empty(),
            "Conditional sharing needs its conditions: scope and purpose (art. 14).",
            "有条件共享须写明条件：范围和用途（第十四条）。",
        ),
        SharingAttribute::Unconditional => {}
    }
    for table in tables {
        let open = table.labels.iter().filter(|label| label.decided.is_none()).count();
        if open > 0 {
            let name = &table.table.name;
            missing.push(Text::new(
                format!("Decide the labels of {open} columns of {name}."),
                format!("请确定表 {name} 中 {open} 列的标签。"),
            ));
        }
    }
    missing
}

/// What is not shared flows in no lane.
pub(crate) fn is_shared(sharing: &SharingAttribute) -> bool {
    !matches!(sharing, SharingAttribute::NotShared { .. })
}

pub(crate) fn check_description(words: &Description) -> Result<()> {
    if words.title.is_empty() {
        return Err(AppError::invalid("title", "Give the dataset a name.", "请填写数据集名称。"));
    }
    if words.description.is_empty() {
        return Err(AppError::invalid(
            "description",
            "Describe what the dataset holds.",
            "请填写数据集说明。",
        ));
    }
    if words.lanes.is_empty() && is_shared(&words.sharing) {
        return Err(AppError::invalid("lanes", "Choose at least one lane.", "请至少选择一个通道。"));
    }
    match &words.sharing {
        SharingAttribute::NotShared { law } if law.is_empty() => Err(AppError::invalid(
            "law",
            "Not shared needs the law that says so (art. 15).",
            "不予共享须写明法律依据（第十五条）。",
        )),
        SharingAttribute::Conditional { conditions } if conditions.is_empty() => Err(AppError::invalid(
            "conditions",
            "Conditional sharing needs its conditions: scope and purpose (art. 14).",
            "有条件共享须写明条件：范围和用途（第十四条）。",
        )),
        _ => Ok(()),
    }
}
