//! A graph in Turtle and in JSON-LD, from one list of triples.

use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// What a triple says of its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Object {
    /// Another thing.
    Iri(String),
    /// Words in a language.
    Words(String, &'static str),
    /// A plain text.
    Text(String),
    /// A text of a type.
    Typed(String, String),
}

/// A statement. Subjects and predicates are absolute IRIs of our own making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Triple {
    pub subject: String,
    pub predicate: String,
    pub object: Object,
}

/// Turtle (RDF 1.1), one statement a line.
pub(super) fn turtle(triples: &[Triple]) -> String {
    triples.iter().fold(String::new(), |mut text, triple| {
        let object = match &triple.object {
            Object::Iri(iri) => format!("<{}>", escaped_iri(iri)),
            Object::Words(words, tag) => format!("\"{}\"@{tag}", escaped(words)),
            Object::Text(words) => format!("\"{}\"", escaped(words)),
            Object::Typed(words, kind) => format!("\"{}\"^^<{}>", escaped(words), escaped_iri(kind)),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "<{}> <{}> {object} .",
            escaped_iri(&triple.subject),
            escaped_iri(&triple.predicate)
        );
        text
    })
}

/// The `STRING_LITERAL_QUOTE` of Turtle.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
        out
    })
}

/// The `IRIREF` of Turtle: what may not stand in it is percent-encoded.
fn escaped_iri(iri: &str) -> String {
    iri.chars().fold(String::new(), |mut out, c| {
        if c.is_control() || " <>\"{}|^`\\".contains(c) {
            let _ = write!(out, "%{:02X}", u32::from(c));
        } else {
            out.push(c);
        }
        out
    })
}

/// JSON-LD 1.1 in expanded form: no context has to be fetched to read it.
pub(super) fn json_ld(triples: &[Triple]) -> String {
    let mut nodes: Vec<(String, Map<String, Value>)> = Vec::new();
    for triple in triples {
        let place = match nodes.iter().position(|(id, _)| *id == triple.subject) {
            Some(place) => place,
            None => {
                nodes.push((triple.subject.clone(), Map::new()));
                nodes.len() - 1
            }
        };
        let Some((_, node)) = nodes.get_mut(place) else { continue };
        let is_type = triple.predicate.ends_with("22-rdf-syntax-ns#type");
        let (key, value) = match &triple.object {
            Object::Iri(iri) if is_type => ("@type".to_owned(), json!(escaped_iri(iri))),
            Object::Iri(iri) => (triple.predicate.clone(), json!({"@id": escaped_iri(iri)})),
            Object::Words(words, tag) => {
                (triple.predicate.clone(), json!({"@value": words, "@language": tag}))
            }
            Object::Text(words) => (triple.predicate.clone(), json!({"@value": words})),
            Object::Typed(words, kind) => (triple.predicate.clone(), json!({"@value": words, "@type": kind})),
        };
        if let Value::Array(values) = node.entry(key).or_insert_with(|| Value::Array(Vec::new())) {
            values.push(value);
        }
    }
    let graph: Vec<Value> = nodes
        .into_iter()
        .map(|(id, mut node)| {
            node.insert("@id".to_owned(), json!(escaped_iri(&id)));
            Value::Object(node)
        })
        .collect();
    json!(graph).to_string()
}
