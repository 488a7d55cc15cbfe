//! Markdown words as HTML that a page may embed: no raw HTML, no image, no link that runs a script.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// Renders Markdown. Raw HTML and images are dropped; links keep their words, and their target only
/// when it is `http`, `https`, `mailto` or an anchor of the page.
pub(crate) fn safe(markdown: &str, options: Options) -> String {
    let mut out = String::with_capacity(markdown.len() * 2);
    let mut dropped_links = Vec::new();
    let events = Parser::new_ext(markdown, options).filter_map(|event| match event {
        Event::Html(_) | Event::InlineHtml(_) => None,
        Event::Start(Tag::HtmlBlock | Tag::Image { .. }) | Event::End(TagEnd::HtmlBlock | TagEnd::Image) => {
            None
        }
        Event::Start(Tag::Link { ref dest_url, .. }) => {
            let keep = is_safe(dest_url);
            dropped_links.push(!keep);
            keep.then_some(event)
        }
        Event::End(TagEnd::Link) => (!dropped_links.pop().unwrap_or(false)).then_some(event),
        other => Some(other),
    });
    pulldown_cmark::html::push_html(&mut out, events);
    out
}

fn is_safe(target: &str) -> bool {
    let target = target.trim().to_ascii_lowercase();
    ["http://", "https://", "mailto:", "#"].iter().any(|start| target.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_active_survives() {
        let html = safe(
            "Words <script>alert(1)</script> *here*.\n\n<div onclick=x>raw</div>\n\n\
             [run](javascript:alert(1)) ![pic](http://x/y.png) [art](#art-9) [law](https://example.org)",
            Options::empty(),
        );
        for bad in ["<script", "<div", "javascript:", "<img"] {
            assert!(!html.contains(bad), "{html}");
        }
        assert!(html.contains("<em>here</em>"));
        assert!(html.contains("<a href=\"#art-9\">") && html.contains("https://example.org"));
        assert!(html.contains("run") && html.matches("<a ").count() == html.matches("</a>").count());
    }
}
