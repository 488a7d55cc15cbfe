//! The catalogue as DCAT-AP 3: catalogue, datasets, distributions, the data service and their publishers.
//!
//! Mandatory by the SHACL shapes of DCAT-AP 3.0.1: Catalog title, description, publisher; Dataset title,
//! description; Distribution accessURL; DataService title, endpointURL; Agent name.

use super::write::{self, Object, Triple};
use crate::http::Problem;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use cogov_app::{App, AppError, CatalogueQuery, DatasetCard};
use cogov_model::{Dataset, Party, PartyClass, SharingAttribute, Text};
use std::collections::BTreeSet;

const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const DCAT: &str = "http://www.w3.org/ns/dcat#";
const DCT: &str = "http://purl.org/dc/terms/";
const FOAF: &str = "http://xmlns.com/foaf/0.1/";
const XSD: &str = "http://www.w3.org/2001/XMLSchema#";
/// Access rights as the Publications Office of the EU lists them.
const ACCESS: &str = "http://publications.europa.eu/resource/authority/access-right/";

pub(super) async fn turtle(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let triples =
        triples(&app, &base(&headers)).await.map_err(|error| Problem::from(error).for_request(&headers))?;
    Ok((
        [(header::CONTENT_TYPE, "text/turtle; charset=utf-8"), (header::VARY, "Host")],
        write::turtle(&triples),
    )
        .into_response())
}

pub(super) async fn json_ld(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let triples =
        triples(&app, &base(&headers)).await.map_err(|error| Problem::from(error).for_request(&headers))?;
    Ok(([(header::CONTENT_TYPE, "application/ld+json"), (header::VARY, "Host")], write::json_ld(&triples))
        .into_response())
}

/// Where this node is reached, as the request says; a name that is no host name is not repeated.
fn base(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let plain = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c));
    let host = if plain { host } else { "localhost" };
    let secure = headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
    format!("{}://{host}", if secure { "https" } else { "http" })
}

async fn triples(app: &App, base: &str) -> Result<Vec<Triple>, AppError> {
    let mut cards = Vec::new();
    let mut query = CatalogueQuery { page: 1, ..CatalogueQuery::default() };
    loop {
        let found = app.search(&query).await?;
        let pages = found.pages;
        cards.extend(found.items);
        if query.page >= pages {
            break;
        }
        query.page += 1;
    }
    Ok(describe(base, &cards))
}

fn describe(base: &str, cards: &[DatasetCard]) -> Vec<Triple> {
    let mut out = Out { base, triples: Vec::new() };
    out.catalogue(cards);
    for card in cards {
        out.dataset(card);
    }
    let mut agents = BTreeSet::new();
    for card in cards {
        if agents.insert(card.provider.id.clone()) {
            out.agent(&card.provider);
        }
    }
    out.triples
}

struct Out<'a> {
    base: &'a str,
    triples: Vec<Triple>,
}

impl Out<'_> {
    fn iri(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn add(&mut self, subject: &str, predicate: String, object: Object) {
        self.triples.push(Triple { subject: subject.to_owned(), predicate, object });
    }

    fn link(&mut self, subject: &str, predicate: String, object: impl Into<String>) {
        self.add(subject, predicate, Object::Iri(object.into()));
    }

    /// One literal a language that has words.
    fn words(&mut self, subject: &str, predicate: &str, text: &Text) {
        for (tag, words) in [("en", &text.en), ("zh-Hans", &text.zh)] {
            if !words.trim().is_empty() {
                self.add(subject, predicate.to_owned(), Object::Words(words.clone(), tag));
            }
        }
    }

    fn catalogue(&mut self, cards: &[DatasetCard]) {
        let (catalogue, service, node) = (self.iri("/catalog"), self.iri("/api/v1"), self.iri("/#node"));
        self.link(&catalogue, format!("{RDF}type"), format!("{DCAT}Catalog"));
        self.words(
            &catalogue,
            &format!("{DCT}title"),
            &Text::new("Catalogue of this cogov node", "本 cogov 节点的数据目录"),
        );
        let about = Text::new(
            "Datasets of public bodies, shared under a categorised and graded authorization",
            "公共机构按分类分级授权共享的数据集",
        );
        self.words(&catalogue, &format!("{DCT}description"), &about);
        self.link(&catalogue, format!("{DCT}publisher"), node.clone());
        self.link(&catalogue, format!("{DCAT}service"), service.clone());
        self.link(&node, format!("{RDF}type"), format!("{FOAF}Agent"));
        self.words(&node, &format!("{FOAF}name"), &Text::new("cogov node", "cogov 节点"));
        self.link(&service, format!("{RDF}type"), format!("{DCAT}DataService"));
        self.words(
            &service,
            &format!("{DCT}title"),
            &Text::new("HTTP API of this cogov node", "本 cogov 节点的 HTTP 接口"),
        );
        self.link(&service, format!("{DCAT}endpointURL"), service.clone());
        let document = self.iri("/api/openapi.json");
        self.link(&service, format!("{DCAT}endpointDescription"), document);
        for card in cards {
            let dataset = self.iri(&format!("/datasets/{}", card.dataset.id));
            self.link(&catalogue, format!("{DCAT}dataset"), dataset.clone());
            self.link(&service, format!("{DCAT}servesDataset"), dataset);
        }
    }

    fn dataset(&mut self, card: &DatasetCard) {
        let dataset = &card.dataset;
        let page = self.iri(&format!("/datasets/{}", dataset.id));
        let distribution = format!("{page}#distribution");
        self.link(&page, format!("{RDF}type"), format!("{DCAT}Dataset"));
        self.add(&page, format!("{DCT}identifier"), Object::Text(dataset.id.to_string()));
        self.words(&page, &format!("{DCT}title"), &or_id(&dataset.title, dataset));
        self.words(&page, &format!("{DCT}description"), &or_id(&dataset.description, dataset));
        for keyword in &dataset.keywords {
            self.words(&page, &format!("{DCAT}keyword"), keyword);
        }
        let agent = self.iri(&format!("/parties#{}", card.provider.id));
        self.link(&page, format!("{DCT}publisher"), agent);
        self.link(&page, format!("{DCT}accessRights"), format!("{ACCESS}{}", access(&dataset.sharing)));
        let changed = Object::Typed(dataset.changed_at.rfc3339(), format!("{XSD}dateTime"));
        self.add(&page, format!("{DCT}modified"), changed);
        self.add(&page, format!("{DCAT}version"), Object::Text(dataset.version.to_string()));
        self.link(&page, format!("{DCAT}distribution"), distribution.clone());
        self.link(&distribution, format!("{RDF}type"), format!("{DCAT}Distribution"));
        self.link(&distribution, format!("{DCAT}accessURL"), page.clone());
        let service = self.iri("/api/v1");
        self.link(&distribution, format!("{DCAT}accessService"), service);
    }

    fn agent(&mut self, party: &Party) {
        let agent = self.iri(&format!("/parties#{}", party.id));
        let kind = if party.class == PartyClass::Individual { "Person" } else { "Organization" };
        self.link(&agent, format!("{RDF}type"), format!("{FOAF}Agent"));
        self.link(&agent, format!("{RDF}type"), format!("{FOAF}{kind}"));
        let name = if party.name.is_empty() { Text::same(party.id.as_str()) } else { party.name.clone() };
        self.words(&agent, &format!("{FOAF}name"), &name);
    }
}

/// Words, or the identifier where there are none: title and description are mandatory.
fn or_id(text: &Text, dataset: &Dataset) -> Text {
    if text.is_empty() { Text::new(dataset.id.as_str(), "") } else { text.clone() }
}

const fn access(sharing: &SharingAttribute) -> &'static str {
    match sharing {
        SharingAttribute::Unconditional => "PUBLIC",
        SharingAttribute::Conditional { .. } => "RESTRICTED",
        SharingAttribute::NotShared { .. } => "NON_PUBLIC",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use oxjsonld::JsonLdParser;
    use oxrdf::Quad;
    use oxttl::TurtleParser;

    fn card(title: &str) -> DatasetCard {
        let dataset = serde_json::json!({
            "id": "revenue", "provider": "tax", "title": {"en": title, "zh": "收入"}, "lanes": ["share"],
            "description": {"en": ""}, "keywords": [{"en": "tax\tdata"}],
            "sharing": {"kind": "unconditional"}, "tables": [], "state": "published", "version": 1, "changed_at": 0
        });
        let provider =
            serde_json::json!({"id": "tax", "name": {"en": "Revenue \\ <office>"}, "class": "government"});
        DatasetCard {
            dataset: serde_json::from_value(dataset).unwrap(),
            provider: serde_json::from_value(provider).unwrap(),
            rows: 1,
            grants: 0,
        }
    }

    fn lines(mut lines: Vec<String>) -> Vec<String> {
        lines.sort();
        lines.dedup();
        lines
    }

    /// Two independent parsers read the two forms, and find the same graph.
    #[test]
    fn both_forms_say_the_same() {
        let triples = describe(
            "http://node.example:8080",
            &[card("A \"quoted\"\n title \\ with 🧾 and \u{7}"), card("x")],
        );
        let turtle = write::turtle(&triples);
        let parsed: Vec<String> =
            TurtleParser::new().for_slice(&turtle).map(|t| t.unwrap().to_string()).collect();
        let json = write::json_ld(&triples);
        let quads: Vec<Quad> = JsonLdParser::new().for_slice(&json).map(Result::unwrap).collect();
        let quads =
            quads.iter().map(|quad| quad.clone().into()).map(|triple: oxrdf::Triple| triple.to_string());
        let (parsed, quads) = (lines(parsed), lines(quads.collect()));
        assert_eq!(parsed, quads);
        assert!(parsed.len() > 25);
    }

    #[test]
    fn mandatory_properties_are_there() {
        let triples = describe("http://node.example", &[card("x")]);
        let has = |class: &str, property: String| {
            let typed = triples
                .iter()
                .filter(|t| t.predicate == format!("{RDF}type") && t.object == Object::Iri(class.to_owned()));
            let subjects: Vec<&str> = typed.map(|t| t.subject.as_str()).collect();
            !subjects.is_empty()
                && subjects.iter().all(|s| triples.iter().any(|t| t.subject == *s && t.predicate == property))
        };
        for (class, properties) in [
            (
                format!("{DCAT}Catalog"),
                vec![format!("{DCT}title"), format!("{DCT}description"), format!("{DCT}publisher")],
            ),
            (format!("{DCAT}Dataset"), vec![format!("{DCT}title"), format!("{DCT}description")]),
            (format!("{DCAT}Distribution"), vec![format!("{DCAT}accessURL")]),
            (format!("{DCAT}DataService"), vec![format!("{DCT}title"), format!("{DCAT}endpointURL")]),
            (format!("{FOAF}Agent"), vec![format!("{FOAF}name")]),
        ] {
            for property in properties {
                assert!(has(&class, property.clone()), "{class} {property}");
            }
        }
    }

    #[test]
    fn a_strange_host_is_not_repeated() {
        let of = |host: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, axum::http::HeaderValue::from_static(host));
            base(&headers)
        };
        assert_eq!(of("node.example:8080"), "http://node.example:8080");
        assert_eq!(of("a> <script>"), "http://localhost");
    }
}
