//! Statements about the connection itself, answered without asking anybody: transactions (a grant is
//! read-only, so they change nothing), settings, prepared statements.

use super::settings::Settings;
use super::split::{Token, tokens};
use super::{fault, session::Session};
use pgwire::api::portal::Format;
use pgwire::api::results::{FieldInfo, Tag};
use pgwire::api::{ClientInfo, Type};
use pgwire::error::PgWireResult;
use pgwire::messages::response::TransactionStatus;

/// A statement about the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Local {
    /// `BEGIN`, `START TRANSACTION`.
    Begin(&'static str),
    /// `COMMIT`, `END`.
    Commit,
    /// `ROLLBACK`, `ABORT`.
    Rollback,
    /// `ROLLBACK TO`: ends a failure, not the transaction.
    RollbackTo,
    /// `SAVEPOINT`, `RELEASE`.
    Savepoint(&'static str),
    /// `SET name = value`.
    Set(String, String),
    /// `SET TRANSACTION …` and the like: a read-only grant has one way to be read.
    SetTransaction,
    /// `RESET name`.
    Reset(String),
    /// `RESET ALL`, `DISCARD …`.
    ResetAll(&'static str),
    /// `DEALLOCATE name`.
    Deallocate(String),
    /// `DEALLOCATE ALL`.
    DeallocateAll,
    /// `SHOW name`.
    Show(String),
    /// `CLOSE name`, `CLOSE ALL`.
    Close(Option<String>),
    /// `UNLISTEN *`: nobody listens.
    Nothing(&'static str),
}

/// Reads a statement about the connection; `None` when it is about something else.
pub(super) fn read(sql: &str) -> Option<PgWireResult<Local>> {
    let tokens = dotted(tokens(sql, 64));
    let (first, rest) = tokens.split_first()?;
    let Token::Word(first) = first else { return None };
    let is = |place: usize, word: &str| rest.get(place).is_some_and(|token| token.is(word));
    let found = match first.to_ascii_uppercase().as_str() {
        "BEGIN" => Local::Begin("BEGIN"),
        "START" if is(0, "transaction") => Local::Begin("START TRANSACTION"),
        "COMMIT" | "END" if !is(0, "prepared") => Local::Commit,
        "ROLLBACK" if rest.iter().any(|token| token.is("to")) => Local::RollbackTo,
        "ROLLBACK" | "ABORT" if !is(0, "prepared") => Local::Rollback,
        "SAVEPOINT" => Local::Savepoint("SAVEPOINT"),
        "RELEASE" => Local::Savepoint("RELEASE"),
        "SET" => return Some(set(rest)),
        "RESET" if is(0, "all") => Local::ResetAll("RESET"),
        "RESET" => Local::Reset(rest.first()?.text()),
        "DISCARD" => Local::ResetAll(if is(0, "all") { "DISCARD ALL" } else { "DISCARD" }),
        "DEALLOCATE" => match rest.iter().find(|token| !token.is("prepare"))? {
            token if token.is("all") => Local::DeallocateAll,
            token => Local::Deallocate(token.text()),
        },
        "SHOW" => Local::Show(shown(rest)?),
        "CLOSE" if is(0, "all") => Local::Close(None),
        "CLOSE" => Local::Close(Some(rest.first()?.text())),
        "UNLISTEN" => Local::Nothing("UNLISTEN"),
        _ => return None,
    };
    Some(Ok(found))
}

/// Tokens with names such as `cogov.epsilon` and numbers such as `0.1` in one.
fn dotted(tokens: Vec<Token>) -> Vec<Token> {
    let mut joined: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let follows = matches!(tokens.peek(), Some(Token::Word(_)));
        match (joined.last_mut(), token) {
            (Some(Token::Word(before)), Token::Sign('.')) if follows => {
                before.push('.');
                if let Some(after) = tokens.next() {
                    before.push_str(&after.text());
                }
            }
            (_, token) => joined.push(token),
        }
    }
    joined
}

/// `SET [SESSION | LOCAL] name { = | TO } value`, and its special forms.
fn set(rest: &[Token]) -> PgWireResult<Local> {
    let syntax = || fault::error("42601", "write SET name = value");
    let rest = match rest {
        [scope, next, ..] if (scope.is("session") || scope.is("local")) && !next.is("authorization") => {
            rest.get(1..).unwrap_or_default()
        }
        _ => rest,
    };
    match rest {
        [first, ..] if first.is("transaction") || first.is("characteristics") => Ok(Local::SetTransaction),
        [time, zone, value] if time.is("time") && zone.is("zone") => {
            Ok(Local::Set("TimeZone".to_owned(), value.text()))
        }
        [names, value] if names.is("names") => Ok(Local::Set("client_encoding".to_owned(), value.text())),
        [first, ..] if first.is("role") || (first.is("session")) => {
            Err(fault::error("0A000", "an account stays itself: sign in as another one instead"))
        }
        [name, between, values @ ..] if *between == Token::Sign('=') || between.is("to") => {
            if values.is_empty() {
                return Err(syntax());
            }
            if matches!(values, [only] if only.is("default")) {
                return Ok(Local::Reset(name.text()));
            }
            Ok(Local::Set(name.text(), written(values)))
        }
        _ => Err(syntax()),
    }
}

/// A value as it was written, without quotes: `-1`, `ISO, MDY`, `2min`.
fn written(values: &[Token]) -> String {
    values.iter().fold(String::new(), |mut text, token| {
        text.push_str(&token.text());
        if *token == Token::Sign(',') {
            text.push(' ');
        }
        text
    })
}

fn shown(rest: &[Token]) -> Option<String> {
    match rest {
        [a, b, c] if a.is("transaction") && b.is("isolation") && c.is("level") => {
            Some("transaction_isolation".to_owned())
        }
        [a, b] if a.is("time") && b.is("zone") => Some("TimeZone".to_owned()),
        [a, b] if a.is("session") && b.is("authorization") => Some("session_authorization".to_owned()),
        [name] => Some(name.text()),
        _ => None,
    }
}

/// What a statement about the connection answers.
pub(super) enum Reply {
    /// Done.
    Done(Tag),
    /// One row of one text.
    Text(String),
    /// Forget this prepared statement, or all of them.
    Forget(Option<String>, Tag),
}

impl Local {
    /// Whether it may run in a failed transaction.
    pub(super) const fn ends_failure(&self) -> bool {
        matches!(self, Local::Commit | Local::Rollback | Local::RollbackTo)
    }

    /// The columns of its answer.
    pub(super) fn fields(&self, format: &Format) -> PgWireResult<Vec<FieldInfo>> {
        match self {
            Local::Show(name) => {
                let name = Settings::shown_name(name).unwrap_or(name.as_str()).to_owned();
                Ok(vec![FieldInfo::new(name, None, None, Type::TEXT, format.format_for(0))])
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Does it.
    pub(super) fn run<C: ClientInfo>(&self, client: &mut C, session: &Session) -> PgWireResult<Reply> {
        let status = client.transaction_status();
        let done = |tag: &str| Ok(Reply::Done(Tag::new(tag)));
        match self {
            Local::Begin(tag) => {
                client.set_transaction_status(status.to_in_transaction_state());
                done(tag)
            }
            Local::Commit | Local::Rollback => {
                let kept = matches!(self, Local::Commit) && status != TransactionStatus::Error;
                client.set_transaction_status(TransactionStatus::Idle);
                session.cursors().end_transaction();
                done(if kept { "COMMIT" } else { "ROLLBACK" })
            }
            Local::RollbackTo if status == TransactionStatus::Idle => Err(outside("ROLLBACK TO SAVEPOINT")),
            Local::RollbackTo => {
                client.set_transaction_status(TransactionStatus::Transaction);
                done("ROLLBACK")
            }
            Local::Savepoint(tag) if status == TransactionStatus::Idle => Err(outside(tag)),
            Local::Savepoint(tag) | Local::Nothing(tag) => done(tag),
            Local::Set(name, value) => {
                session.settings().set(name, value)?;
                done("SET")
            }
            Local::Close(name) => {
                session.cursors().close(name.as_deref())?;
                done(if name.is_some() { "CLOSE CURSOR" } else { "CLOSE CURSOR ALL" })
            }
            Local::SetTransaction => done("SET"),
            Local::Reset(name) => {
                session.settings().reset(name)?;
                done("RESET")
            }
            Local::ResetAll(tag) => {
                session.settings().reset_all();
                if *tag != "DISCARD ALL" {
                    return done(tag);
                }
                session.cursors().close(None)?;
                Ok(Reply::Forget(None, Tag::new(tag)))
            }
            Local::Deallocate(name) => Ok(Reply::Forget(Some(name.clone()), Tag::new("DEALLOCATE"))),
            Local::DeallocateAll => Ok(Reply::Forget(None, Tag::new("DEALLOCATE ALL"))),
            Local::Show(name) => {
                let unknown = || fault::error("42704", "unrecognized configuration parameter");
                session.settings().get(name).map(Reply::Text).ok_or_else(unknown)
            }
        }
    }
}

fn outside(what: &str) -> pgwire::error::PgWireError {
    fault::error("25P01", format!("{what} can only be used in transaction blocks"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn statements_about_the_connection_are_known() {
        let set = |name: &str, value: &str| Local::Set(name.to_owned(), value.to_owned());
        for (sql, expected) in [
            ("begin", Local::Begin("BEGIN")),
            ("/* x */ BEGIN READ ONLY", Local::Begin("BEGIN")),
            ("START TRANSACTION ISOLATION LEVEL SERIALIZABLE", Local::Begin("START TRANSACTION")),
            ("ROLLBACK TO SAVEPOINT a", Local::RollbackTo),
            ("SET extra_float_digits = -1", set("extra_float_digits", "-1")),
            ("SET SESSION datestyle TO 'ISO', mdy", set("datestyle", "ISO, mdy")),
            ("set client_encoding to 'UTF8'", set("client_encoding", "UTF8")),
            ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", Local::SetTransaction),
            ("SET cogov.epsilon = 0.25", set("cogov.epsilon", "0.25")),
            ("SET cogov.epsilon TO '0.1'", set("cogov.epsilon", "0.1")),
            ("SHOW cogov.epsilon", Local::Show("cogov.epsilon".into())),
            ("SET jit TO default", Local::Reset("jit".into())),
            ("show standard_conforming_strings", Local::Show("standard_conforming_strings".into())),
            ("SHOW TRANSACTION ISOLATION LEVEL", Local::Show("transaction_isolation".into())),
            ("DEALLOCATE PREPARE \"x y\"", Local::Deallocate("x y".into())),
            ("DISCARD ALL", Local::ResetAll("DISCARD ALL")),
        ] {
            assert_eq!(read(sql).unwrap().unwrap(), expected, "{sql}");
        }
        for other in ["SELECT 1", "EXPLAIN SELECT 1", "\"begin\"", "", "COPY t TO STDOUT"] {
            assert!(read(other).is_none(), "{other}");
        }
        assert!(read("SET ROLE postgres").unwrap().is_err());
        assert!(read("SET x").unwrap().is_err());
    }
}
