//! A plain bar chart, drawn on the server: words as words of the page, so that they are as large as all others at any
//! width, and a line as inline SVG. Pages put the same figures as a table beside it.

use super::tag::{escape, html_safe};
use askama::{FastWritable, filters::HtmlSafe};
use std::fmt;

/// The most bars that one chart shows.
pub const MAX_BARS: usize = 24;

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// What it stands for.
    pub label: String,
    /// Its length; negative values are drawn as no length and said in words.
    pub value: f64,
    /// The value in words, as the table shows it.
    pub words: String,
}

/// A horizontal bar chart. At most [`MAX_BARS`] bars are drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// What the chart shows.
    pub title: String,
    /// How to read it, for those who hear it.
    pub description: String,
    /// The bars, in order.
    pub bars: Vec<Bar>,
}

impl fmt::Display for Bars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bars = self.bars.get(..MAX_BARS).unwrap_or(&self.bars);
        let most = bars.iter().map(|bar| bar.value).fold(0.0_f64, f64::max);
        write!(
            f,
            "<div class=\"bars\" role=\"img\" aria-label=\"{}. {}\">",
            escape(&self.title),
            escape(&self.description)
        )?;
        for bar in bars {
            let share = if most > 0.0 && bar.value > 0.0 { bar.value / most } else { 0.0 };
            write!(
                f,
                "<div class=\"bars__row\"><span class=\"bars__label\">{}</span><span class=\"bars__value\">{}</span>\
                 <svg class=\"bars__track\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" focusable=\"false\">\
                 <rect class=\"bars__bar\" width=\"{:.2}\" height=\"10\"/></svg></div>",
                escape(&bar.label),
                escape(&bar.words),
                share * 100.0
            )?;
        }
        f.write_str("</div>")
    }
}

html_safe!(Bars);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_scale_to_the_longest_and_labels_are_escaped() {
        let bar = |label: &str, value: f64| Bar { label: label.into(), value, words: value.to_string() };
        let chart = Bars {
            title: "T".into(),
            description: "D".into(),
            bars: vec![bar("<a>", 50.0), bar("b", 100.0), bar("c", -1.0)],
        };
        let html = chart.to_string();
        for length in ["50.00", "100.00", "0.00"] {
            assert!(html.contains(&format!("width=\"{length}\"")), "{length}");
        }
        assert!(html.contains("&lt;a&gt;") && !html.contains("style="));
    }
}
