//! Posted forms with text files beside their fields: the words of a file count for the field that it stands for.

use crate::{
    FORM_BYTES,
    failure::Failure,
    form::{FIELDS, Fields, Problem, Sent, check_token},
    ui::Ui,
    visit::Visit,
};
use axum::{
    extract::{FromRequest, FromRequestParts, Multipart, Request, multipart::Field},
    http::StatusCode,
};
use cogov_app::AppError;
use cogov_rulebook::{DocxError, MOST_FILE, read_docx};

/// The most bytes of a request. Files that are too large to be a text are read to their end and named on the page,
/// with everything else that was typed; a request beyond this is an error of its own.
pub const MOST_REQUEST: usize = 64 * 1024 * 1024;

/// The field with the token of the form.
const TOKEN: &str = "csrf";
const MOST_TOKEN: usize = 1024;

/// A file of which one byte more than a text may have is kept at most.
struct File {
    part: String,
    name: String,
    bytes: Vec<u8>,
}

/// A form of the signed-in person whose token is right, with its files.
pub struct Uploaded {
    fields: Fields,
    files: Vec<File>,
}

impl<S: Send + Sync> FromRequest<S> for Uploaded {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, state).await?;
        let sent = Sent::of(&parts.headers);
        let form = Multipart::from_request(Request::from_parts(parts, body), state).await;
        let mut form = form.map_err(|_| Failure::forged())?;
        let (mut fields, mut files) = (Fields::default(), Vec::new());
        while let Some(field) = form.next_field().await.map_err(|error| cut(error.status()))? {
            let part = field.name().unwrap_or_default().to_owned();
            // The token stands before everything else, so that nothing more is read of a form that has none; but for what
            // somebody wrote before their session ended.
            if part != TOKEN
                && let Err(failure) = check_token(&visit, fields.get(TOKEN))
            {
                if !sent.keeps() {
                    return Err(failure);
                }
                let is_file = field.file_name().is_some();
                let most = if is_file { 0 } else { FORM_BYTES };
                let first = beginning(field, most).await.unwrap_or_default();
                return Err(sent.kept(failure, &written(part, &first, form).await));
            }
            match field.file_name().map(str::to_owned) {
                // A file field in which nothing was chosen.
                Some(name) if name.is_empty() => {}
                Some(name) => {
                    files.push(File { part, name, bytes: beginning(field, MOST_FILE + 1).await? });
                }
                None => {
                    let most = if part == TOKEN { MOST_TOKEN } else { MOST_FILE };
                    let bytes = beginning(field, most + 1).await?;
                    if bytes.len() > most {
                        return Err(cut(StatusCode::PAYLOAD_TOO_LARGE));
                    }
                    fields.push(part, String::from_utf8_lossy(&bytes).into_owned());
                }
            }
        }
        check_token(&visit, fields.get(TOKEN))?;
        Ok(Self { fields, files })
    }
}

impl Uploaded {
    /// The fields, with the words of each file in the field that it stands for. `pairs` are names of files and fields.
    /// A file that cannot be read leaves its field as it was typed and is named among the problems.
    pub async fn words(self, ui: &Ui, pairs: &[(&'static str, &'static str)]) -> (Fields, Vec<Problem>) {
        let Self { mut fields, files } = self;
        // Unpacking takes a while: not on the threads that answer others.
        let read = |file: File| {
            let words = words_of(&file.name, &file.bytes);
            (file.part, file.name, words)
        };
        let work = tokio::task::spawn_blocking(move || files.into_iter().map(read).collect::<Vec<_>>());
        let mut problems = Vec::new();
        for (part, name, words) in work.await.unwrap_or_default() {
            let Some((part, field)) = pairs.iter().find(|(known, _)| *known == part) else { continue };
            match words {
                Ok(words) => fields.set(field, words),
                Err(key) => problems.push(Problem::new(part, ui.with(key, "name", &name))),
            }
        }
        (fields, problems)
    }
}

/// What was written in a form that is not taken, from its first part on. Its files are still where they came from.
async fn written(part: String, first: &[u8], mut form: Multipart) -> Fields {
    let mut fields = Fields::default();
    let mut room = FORM_BYTES.saturating_sub(first.len());
    fields.push(part, String::from_utf8_lossy(first).into_owned());
    for _ in 0..FIELDS {
        let Ok(Some(field)) = form.next_field().await else { break };
        let part = field.name().unwrap_or_default().to_owned();
        if field.file_name().is_some() {
            continue;
        }
        let Ok(bytes) = beginning(field, room).await else { break };
        room = room.saturating_sub(bytes.len());
        fields.push(part, String::from_utf8_lossy(&bytes).into_owned());
    }
    fields
}

/// At most so many bytes of a part, which is read to its end.
async fn beginning(mut field: Field<'_>, most: usize) -> Result<Vec<u8>, Failure> {
    let mut kept = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| cut(error.status()))? {
        let room = most.saturating_sub(kept.len()).min(chunk.len());
        kept.extend(chunk.iter().take(room));
    }
    Ok(kept)
}

fn cut(status: StatusCode) -> Failure {
    if status != StatusCode::PAYLOAD_TOO_LARGE {
        return Failure::forged();
    }
    Failure::from(AppError::invalid(
        "file",
        "What was sent is too large for a text: send the text alone.",
        "上传内容过大，不是文本：请只上传文本。",
    ))
}

/// The words of a file, or the message that says why it has none.
fn words_of(name: &str, bytes: &[u8]) -> Result<String, &'static str> {
    if bytes.len() > MOST_FILE {
        return Err("file-too-large");
    }
    if name.to_lowercase().ends_with(".docx") || bytes.starts_with(b"PK\x03\x04") {
        return read_docx(bytes).map_err(|error| match error {
            DocxError::TooLarge | DocxError::Bomb => "file-too-large",
            DocxError::Empty => "file-empty",
            DocxError::Hostile => "file-hostile",
            _ => "file-broken",
        });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if text.contains('\0') || text.starts_with("%PDF") => Err("file-not-text"),
        Ok(text) if text.trim_matches(['\u{feff}', ' ', '\n', '\r', '\t']).is_empty() => Err("file-empty"),
        Ok(text) => Ok(text.trim_start_matches('\u{feff}').to_owned()),
        Err(_) => Err("file-not-text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cogov_model::Locale;

    #[test]
    fn files_are_texts_or_say_why_not() {
        assert_eq!(words_of("a.md", "\u{feff}## 一\n字".as_bytes()), Ok("## 一\n字".to_owned()));
        for (name, bytes, why) in [
            ("a.md", &b"\xff\xfe#"[..], "file-not-text"),
            ("a.txt", b"a\0b", "file-not-text"),
            ("a.pdf", b"%PDF-1.7", "file-not-text"),
            ("a.md", b" \r\n", "file-empty"),
            ("a.DOCX", b"## One", "file-broken"),
            ("a.md", b"PK\x03\x04 nothing", "file-broken"),
        ] {
            assert_eq!(words_of(name, bytes), Err(why), "{name}");
        }
        assert_eq!(words_of("a.md", &vec![b'x'; MOST_FILE + 1]), Err("file-too-large"));
    }

    #[tokio::test]
    async fn a_file_counts_for_its_field_and_a_bad_one_leaves_what_was_typed() {
        let file = |part: &str, name: &str, bytes: &[u8]| File {
            part: part.to_owned(),
            name: name.to_owned(),
            bytes: bytes.to_owned(),
        };
        let form = Uploaded {
            fields: Fields::from_pairs(vec![
                ("en".into(), "typed".into()),
                ("zh".into(), "打字".into()),
                ("title".into(), "T".into()),
            ]),
            files: vec![
                file("file_en", "a.md", b"# read"),
                file("file_zh", "b.docx", b"x"),
                file("other", "c", b"y"),
            ],
        };
        let ui = crate::ui::sample(Locale::En);
        let (fields, problems) = form.words(&ui, &[("file_en", "en"), ("file_zh", "zh")]).await;
        assert_eq!((fields.get("en"), fields.get("zh"), fields.get("title")), ("# read", "打字", "T"));
        assert_eq!(problems.iter().map(|problem| problem.field.as_str()).collect::<Vec<_>>(), ["file_zh"]);
        assert!(problems.iter().all(|problem| problem.words.contains("b.docx")));
    }
}
