//! The words of a `.docx` file. Nothing else of it is looked at: no styles but headings, no pictures, no macros.
//! Files come from strangers: sizes, depth and counts are bounded, document type definitions are refused.

use crate::zip::{self, ZipError};
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// Bytes of a file at most.
pub const MOST_FILE: usize = 8 * 1024 * 1024;
/// Bytes of the document inside, once inflated.
const MOST_XML: usize = 32 * 1024 * 1024;
/// Elements inside each other.
const MOST_DEPTH: usize = 200;
/// Bytes of words.
const MOST_WORDS: usize = super::outline::MOST_BYTES;

/// Why a file gave no words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocxError {
    /// The file is too large.
    #[error("the file is larger than {} MB: send the text alone", MOST_FILE / 1024 / 1024)]
    TooLarge,
    /// It is no archive.
    #[error("the file is no .docx file: save it as Word document (.docx) or as Markdown (.md)")]
    NoArchive,
    /// It has no document inside.
    #[error("the file is an archive without a document: save it as Word document (.docx)")]
    NoDocument,
    /// What is inside is larger than any text: an archive bomb.
    #[error("what is inside the file is larger than {} MB: it is not a text", MOST_XML / 1024 / 1024)]
    Bomb,
    /// It is broken inside.
    #[error("the document inside the file is broken: open it in a word processor and save it again")]
    Broken,
    /// It has something that texts do not need and attacks do.
    #[error(
        "the document declares entities or is nested too deeply, which texts do not need: save it again from a word processor"
    )]
    Hostile,
    /// It has no words.
    #[error("the document has no words")]
    Empty,
}

/// The words as Markdown: headings by their level, paragraphs, lists and table cells as paragraphs.
///
/// # Errors
/// When the file is not a text document within the bounds.
pub fn read_docx(file: &[u8]) -> Result<String, DocxError> {
    if file.len() > MOST_FILE {
        return Err(DocxError::TooLarge);
    }
    let xml = document(file)?;
    let words = words(&xml)?;
    if words.trim().is_empty() { Err(DocxError::Empty) } else { Ok(words) }
}

fn document(file: &[u8]) -> Result<String, DocxError> {
    let xml = zip::file(file, "word/document.xml", MOST_XML).map_err(|error| match error {
        ZipError::NoArchive => DocxError::NoArchive,
        ZipError::NoFile => DocxError::NoDocument,
        ZipError::TooLarge => DocxError::Bomb,
        ZipError::Broken => DocxError::Broken,
    })?;
    String::from_utf8(xml).map_err(|_| DocxError::Broken)
}

#[derive(Default)]
struct Words {
    out: String,
    paragraph: String,
    level: usize,
    item: bool,
    /// Inside `w:t`.
    reading: bool,
    depth: usize,
}

fn words(xml: &str) -> Result<String, DocxError> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let mut words = Words::default();
    loop {
        match reader.read_event().map_err(|_| DocxError::Broken)? {
            Event::Start(tag) => {
                words.depth += 1;
                if words.depth > MOST_DEPTH {
                    return Err(DocxError::Hostile);
                }
                words.tag(&tag);
                words.reading = local(tag.name().as_ref()) == "t";
            }
            Event::Empty(tag) => words.tag(&tag),
            Event::End(tag) => {
                words.depth = words.depth.saturating_sub(1);
                words.reading = false;
                if local(tag.name().as_ref()) == "p" {
                    words.end();
                }
            }
            Event::Text(text) if words.reading => words.paragraph.push_str(&text.xml10_content()),
            Event::GeneralRef(name) if words.reading => words.reference(&name)?,
            Event::DocType(_) => return Err(DocxError::Hostile),
            Event::Eof => return if words.depth == 0 { Ok(words.out) } else { Err(DocxError::Broken) },
            _ => {}
        }
        if words.out.len() + words.paragraph.len() > MOST_WORDS {
            return Err(DocxError::Bomb);
        }
    }
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

impl Words {
    fn tag(&mut self, tag: &BytesStart<'_>) {
        match local(tag.name().as_ref()) {
            "p" => {
                self.paragraph.clear();
                (self.level, self.item) = (0, false);
            }
            "pStyle" => self.level = level(tag),
            "outlineLvl" if self.level == 0 => {
                self.level =
                    value(tag).and_then(|text| text.parse::<usize>().ok()).map_or(0, |level| level + 1);
            }
            "numPr" => self.item = true,
            "tab" => self.paragraph.push('\t'),
            "br" | "cr" => self.paragraph.push('\n'),
            _ => {}
        }
    }

    /// The five names of XML and characters by number; nothing else can be declared, so nothing else is known.
    fn reference(&mut self, name: &quick_xml::events::BytesRef<'_>) -> Result<(), DocxError> {
        if let Some(c) = name.resolve_char_ref().map_err(|_| DocxError::Broken)? {
            self.paragraph.push(c);
            return Ok(());
        }
        self.paragraph.push(match &**name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => return Err(DocxError::Hostile),
        });
        Ok(())
    }

    fn end(&mut self) {
        let text = self.paragraph.trim();
        if text.is_empty() {
            return;
        }
        if (1..=6).contains(&self.level) {
            self.out.push_str(&"#".repeat(self.level));
            self.out.push(' ');
            self.out.push_str(&text.replace('\n', " "));
        } else {
            if self.item {
                self.out.push_str("- ");
            }
            for (place, line) in text.lines().enumerate() {
                if place > 0 {
                    self.out.push('\n');
                }
                // Words that look like Markdown's own marks stay words.
                if line.starts_with(['#', '`', '>', '+', '~']) {
                    self.out.push('\\');
                }
                self.out.push_str(line);
            }
        }
        self.out.push_str("\n\n");
        self.paragraph.clear();
    }
}

fn value(tag: &BytesStart<'_>) -> Option<String> {
    let attribute = tag.attributes().flatten().find(|attribute| local(attribute.key.as_ref()) == "val")?;
    Some(attribute.value.into_owned())
}

/// `Heading2`, `heading 2`, `2` and `标题2` are headings of the second level; `Title` is one of the first.
fn level(tag: &BytesStart<'_>) -> usize {
    let Some(style) = value(tag) else { return 0 };
    let style = style.to_lowercase().replace(' ', "");
    if style == "title" {
        return 1;
    }
    let number = style.trim_start_matches("heading").trim_start_matches("标题");
    number.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zip::tests::archive;

    fn docx(document: &str) -> Vec<u8> {
        archive(&[("word/document.xml", document.as_bytes())])
    }

    fn body(inner: &str) -> String {
        format!("<?xml version=\"1.0\"?><w:document xmlns:w=\"x\"><w:body>{inner}</w:body></w:document>")
    }

    #[test]
    fn words_headings_and_lists_are_read() {
        let text = read_docx(&docx(&body(
            "<w:p><w:pPr><w:pStyle w:val=\"Heading1\"/></w:pPr><w:r><w:t>Part</w:t></w:r></w:p>\
             <w:p><w:r><w:t xml:space=\"preserve\">Article 1 </w:t></w:r><w:r><w:t>Purpose &amp; scope</w:t></w:r></w:p>\
             <w:p><w:r><w:t># not a heading &lt;script&gt;</w:t></w:r></w:p>\
             <w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>第一项</w:t></w:r></w:p><w:p/>\
             <w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>",
        )))
        .unwrap();
        assert_eq!(text, "# Part\n\nArticle 1 Purpose & scope\n\n\\# not a heading <script>\n\n- 第一项\n\n");
    }

    #[test]
    fn hostile_files_are_refused_clearly() {
        assert_eq!(read_docx(b"PK\x03\x04 nothing"), Err(DocxError::NoArchive));
        assert_eq!(read_docx(b""), Err(DocxError::NoArchive));
        assert_eq!(read_docx(&vec![0; MOST_FILE + 1]), Err(DocxError::TooLarge));
        assert_eq!(read_docx(&archive(&[("other.xml", b"<a/>")])), Err(DocxError::NoDocument));
        assert_eq!(read_docx(&docx(&body(""))), Err(DocxError::Empty));
        assert_eq!(read_docx(&docx("<w:document><w:p>")), Err(DocxError::Broken));
        assert_eq!(read_docx(&docx("<w:document></w:p></w:document>")), Err(DocxError::Broken));
        // A billion laughs.
        let laughs = "<!DOCTYPE a [<!ENTITY b \"ha\"><!ENTITY c \"&b;&b;\">]><w:document><w:p><w:t>&c;</w:t></w:p></w:document>";
        assert_eq!(read_docx(&docx(laughs)), Err(DocxError::Hostile));
        let unknown = body("<w:p><w:r><w:t>&xxe;</w:t></w:r></w:p>");
        assert_eq!(read_docx(&docx(&unknown)), Err(DocxError::Hostile));
        let deep = format!("{}{}", "<w:x>".repeat(MOST_DEPTH + 1), "</w:x>".repeat(MOST_DEPTH + 1));
        assert_eq!(read_docx(&docx(&deep)), Err(DocxError::Hostile));
        // Thirty-three megabytes of one letter are thirty kilobytes in the archive.
        let bomb = vec![b'x'; MOST_XML + 1];
        assert_eq!(read_docx(&docx(&String::from_utf8(bomb).unwrap())), Err(DocxError::Bomb));
        let words = body(&format!("<w:p><w:r><w:t>{}</w:t></w:r></w:p>", "x".repeat(MOST_WORDS + 1)));
        assert_eq!(read_docx(&docx(&words)), Err(DocxError::Bomb));
    }
}
