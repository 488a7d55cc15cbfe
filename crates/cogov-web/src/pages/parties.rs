//! `/parties`: who acts on this node.

use super::{Answered, html};
use crate::{ui::Ui, visit::Visit};
use askama::Template;
use cogov_model::Party;

struct PartyView {
    id: String,
    name: String,
    class: String,
    region: String,
}

#[derive(Template)]
#[template(path = "parties.html")]
struct PartiesPage {
    ui: Ui,
    parties: Vec<PartyView>,
}

/// `GET /parties`
pub async fn show(visit: Visit) -> Answered {
    let ui = visit.ui();
    let parties = visit.app.parties().await?.iter().map(|party| party_view(&ui, party)).collect();
    html(&PartiesPage { parties, ui })
}

fn party_view(ui: &Ui, party: &Party) -> PartyView {
    let class = ui.word("class", party.class.code());
    PartyView {
        id: party.id.to_string(),
        name: ui.text(&party.name).to_owned(),
        class: match party.tier {
            Some(tier) => format!("{class} ({})", ui.word("tier", tier.code())),
            None => class,
        },
        region: party.region.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let party = PartyView {
        id: "north".into(),
        name: "North".into(),
        class: ui.word("class", "government"),
        region: "06".into(),
    };
    vec![("parties", PartiesPage { parties: vec![party], ui }.render().unwrap_or_default())]
}
