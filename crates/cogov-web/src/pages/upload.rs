//! `POST /steward/import`: streams the uploaded file into an import that runs in the background.

use super::{Answered, steward};
use crate::{
    failure::Failure,
    form::{Problem, check_token},
    visit::Visit,
};
use axum::{
    extract::{Multipart, multipart::Field},
    response::{IntoResponse, Redirect},
};
use bytes::Bytes;
use cogov_app::{ImportRequest, ImportSource};
use cogov_model::{DatasetId, TableName};
use futures::stream;
use std::{io, pin::Pin};
use tokio::{io::AsyncRead, sync::mpsc};
use tokio_util::io::StreamReader;

/// Chunks that wait between the upload and the import.
const WAITING: usize = 16;

/// What the fields before the file say.
#[derive(Default)]
struct Named {
    token: String,
    dataset: String,
    table: String,
}

/// `POST /steward/import`. The token and the names stand before the file, so that nothing is read unchecked.
pub async fn receive(visit: Visit, mut form: Multipart) -> Answered {
    let mut named = Named::default();
    while let Some(field) = form.next_field().await.map_err(|_| Failure::forged())? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            return file(&visit, &named, field).await;
        }
        let text = field.text().await.map_err(|_| Failure::forged())?;
        match name.as_str() {
            "csrf" => named.token = text,
            "dataset" => named.dataset = text.trim().to_owned(),
            "table" => named.table = text.trim().to_owned(),
            _ => {}
        }
    }
    check_token(&visit, &named.token)?;
    no_file(&visit, &named).await
}

async fn no_file(visit: &Visit, named: &Named) -> Answered {
    let problem = Problem::new("file", visit.ui.t("steward-no-file"));
    steward::page(visit, &named.dataset, &named.table, vec![problem]).await
}

async fn file(visit: &Visit, named: &Named, mut field: Field<'_>) -> Answered {
    check_token(visit, &named.token)?;
    if field.file_name().unwrap_or_default().is_empty() {
        return no_file(visit, named).await;
    }
    let mut problems = Vec::new();
    let dataset = DatasetId::new(&named.dataset);
    let table = TableName::new(&named.table);
    if let Err(error) = &dataset {
        problems.push(Problem::new("dataset", error.to_string()));
    }
    if let Err(error) = &table {
        problems.push(Problem::new("table", error.to_string()));
    }
    let (Ok(dataset), Ok(table)) = (dataset, table) else {
        return steward::page(visit, &named.dataset, &named.table, problems).await;
    };
    let (sender, reader) = pipe();
    let source = ImportSource::Reader { size: None, reader };
    let job = visit.app.start_import(visit.actor()?, ImportRequest { dataset, table, source })?;
    loop {
        let sent = match field.chunk().await {
            Ok(Some(chunk)) if chunk.is_empty() => continue,
            Ok(Some(chunk)) => sender.send(Ok(chunk)).await,
            Ok(None) => {
                // The empty chunk says that the file is whole; a pipe that just closes was cut.
                let _whole = sender.send(Ok(Bytes::new())).await;
                break;
            }
            Err(error) => {
                sender.send(Err(io::Error::new(io::ErrorKind::UnexpectedEof, error.to_string()))).await
            }
        };
        // The import has ended early: its page says why.
        if sent.is_err() {
            break;
        }
    }
    Ok(Redirect::to(&format!("/steward/imports/{job}")).into_response())
}

type Chunks = mpsc::Sender<io::Result<Bytes>>;

/// A pipe whose reader fails, rather than ends, when the writer vanishes before the end of the file:
/// half a file is never imported as a whole one.
fn pipe() -> (Chunks, Pin<Box<dyn AsyncRead + Send>>) {
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(WAITING);
    let chunks = stream::unfold(Some(receiver), |receiver| async move {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Ok(chunk)) if chunk.is_empty() => None,
            Some(Ok(chunk)) => Some((Ok(chunk), Some(receiver))),
            Some(Err(error)) => Some((Err(error), None)),
            None => Some((Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the upload was cut off")), None)),
        }
    });
    (sender, Box::pin(StreamReader::new(Box::pin(chunks))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn a_whole_file_ends_and_a_cut_one_fails() {
        let mut text = String::new();
        let (sender, mut reader) = pipe();
        sender.send(Ok(Bytes::from_static(b"a,b\n"))).await.unwrap();
        sender.send(Ok(Bytes::new())).await.unwrap();
        drop(sender);
        reader.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "a,b\n");
        let (sender, mut reader) = pipe();
        sender.send(Ok(Bytes::from_static(b"a,"))).await.unwrap();
        drop(sender);
        assert_eq!(reader.read_to_string(&mut text).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
