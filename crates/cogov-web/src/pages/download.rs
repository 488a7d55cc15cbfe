//! An answer as a file: CSV or an Arrow stream, written batch by batch as it is released.

use crate::failure::Failure;
use arrow::{csv, ipc::writer::StreamWriter, record_batch::RecordBatch};
use axum::{
    body::Body,
    http::header,
    response::{IntoResponse, Response},
};
use cogov_app::{Answer, ExtractFile};
use futures::{StreamExt, stream};
use std::io;

/// What the file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// RFC 4180.
    Csv,
    /// An Arrow IPC stream.
    Arrow,
}

/// A response that streams the answer. A fault on the way cuts the body, so that half a file is seen as such.
///
/// # Errors
/// When the file cannot be begun.
pub fn response(answer: Answer, kind: Kind) -> Result<Response, Failure> {
    let decision = answer.decision;
    let (mime, name) = match kind {
        Kind::Csv => ("text/csv; charset=utf-8", format!("answer-{decision}.csv")),
        Kind::Arrow => ("application/vnd.apache.arrow.stream", format!("answer-{decision}.arrows")),
    };
    let headers = [
        (header::CONTENT_TYPE, mime.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::HeaderName::from_static("cogov-decision"), decision.to_string()),
        (header::HeaderName::from_static("cogov-grade"), answer.grade.code().to_owned()),
    ];
    let body = match kind {
        Kind::Csv => csv_body(answer),
        Kind::Arrow => arrow_body(answer)?,
    };
    Ok((headers, body).into_response())
}

/// A response that streams a marked file.
///
/// # Errors
/// When the response cannot be begun.
pub fn file(file: ExtractFile) -> Result<Response, Failure> {
    let name = format!("attachment; filename=\"{}\"", file.name);
    Response::builder()
        .header(header::CONTENT_TYPE, file.format.media_type())
        .header(header::CONTENT_DISPOSITION, name)
        .header("cogov-decision", file.decision)
        .header("cogov-grade", file.grade.code())
        .body(Body::from_stream(file.bytes))
        .map_err(Failure::broken)
}

fn csv_body(answer: Answer) -> Body {
    let head = RecordBatch::new_empty(answer.rows.schema());
    let first = stream::once(async move { csv_bytes(&head, true) });
    let rest = answer.rows.map(|batch| match batch {
        Ok(batch) => csv_bytes(&batch, false),
        Err(error) => Err(io::Error::other(error.to_string())),
    });
    Body::from_stream(first.chain(rest))
}

fn csv_bytes(batch: &RecordBatch, header: bool) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if header {
        // The writer leaves the header of an empty batch out.
        let schema = batch.schema();
        let names: Vec<String> = schema.fields().iter().map(|field| quoted(field.name())).collect();
        bytes.extend(names.join(",").into_bytes());
        bytes.push(b'\n');
        return Ok(bytes);
    }
    let mut writer = csv::WriterBuilder::new().with_header(false).build(&mut bytes);
    writer.write(batch).map_err(io::Error::other)?;
    drop(writer);
    Ok(bytes)
}

fn quoted(name: &str) -> String {
    if name.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}

fn arrow_body(answer: Answer) -> Result<Body, Failure> {
    let writer = StreamWriter::try_new(Vec::new(), &answer.rows.schema()).map_err(Failure::broken)?;
    let pieces = stream::unfold(Some((writer, answer.rows)), |state| async move {
        let (mut writer, mut rows) = state?;
        match rows.next().await {
            Some(Ok(batch)) => match writer.write(&batch) {
                Ok(()) => {
                    let piece = std::mem::take(writer.get_mut());
                    Some((Ok(piece), Some((writer, rows))))
                }
                Err(error) => Some((Err(io::Error::other(error)), None)),
            },
            Some(Err(error)) => Some((Err(io::Error::other(error.to_string())), None)),
            None => match writer.finish() {
                Ok(()) => Some((Ok(std::mem::take(writer.get_mut())), None)),
                Err(error) => Some((Err(io::Error::other(error)), None)),
            },
        }
    });
    Ok(Body::from_stream(pieces))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use arrow::array::{ArrayRef, StringArray};
    use std::sync::Arc;

    #[test]
    fn the_header_stands_once_and_is_quoted() {
        let column: ArrayRef = Arc::new(StringArray::from(vec!["a,b", "c"]));
        let batch = RecordBatch::try_from_iter(vec![("name, of", column)]).unwrap();
        assert_eq!(csv_bytes(&batch, true).unwrap(), b"\"name, of\"\n");
        assert_eq!(csv_bytes(&batch, false).unwrap(), b"\"a,b\"\nc\n");
    }
}
