//! A plain bar chart as inline SVG, drawn on the server. Pages put the same figures as a table beside it.

use super::tag::{escape, html_safe};
use askama::{FastWritable, filters::HtmlSafe};
use std::fmt;

/// The most bars that one chart shows.
pub const MAX_BARS: usize = 24;
const WIDTH: usize = 640;
const ROW: usize = 26;
const LABEL: usize = 168;
const TRACK: usize = 360;

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
    /// Makes the ids of title and description unique on the page.
    pub id: &'static str,
    /// What the chart shows.
    pub title: String,
    /// How to read it, for those who hear it.
    pub description: String,
    /// The bars, in order.
    pub bars: Vec<Bar>,
}

fn shortened(label: &str) -> String {
    // A Chinese character is about as wide as two Latin ones.
    let mut width = 0;
    let kept: String = label
        .chars()
        .take_while(|c| {
            width += if c.is_ascii() { 1 } else { 2 };
            width <= 22
        })
        .collect();
    if kept.len() < label.len() { format!("{kept}…") } else { kept }
}

impl fmt::Display for Bars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bars = self.bars.get(..MAX_BARS).unwrap_or(&self.bars);
        let most = bars.iter().map(|bar| bar.value).fold(0.0_f64, f64::max);
        let height = bars.len() * ROW + 8;
        let id = self.id;
        write!(
            f,
            "<svg class=\"bars\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\
             <title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>",
            escape(&self.title),
            escape(&self.description)
        )?;
        for (i, bar) in bars.iter().enumerate() {
            let y = i * ROW + 4;
            let share = if most > 0.0 && bar.value > 0.0 { bar.value / most } else { 0.0 };
            #[allow(clippy::cast_precision_loss, reason = "a length in pixels")]
            let length = share * TRACK as f64;
            write!(
                f,
                "<text class=\"bars__label\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
                 <rect class=\"bars__bar\" x=\"{LABEL}\" y=\"{y}\" width=\"{length:.1}\" height=\"{}\" rx=\"2\"/>\
                 <text class=\"bars__value\" x=\"{:.1}\" y=\"{}\">{}</text>",
                LABEL - 10,
                y + 15,
                escape(&shortened(&bar.label)),
                ROW - 6,
                (LABEL as f64) + length + 8.0,
                y + 15,
                escape(&bar.words)
            )?;
        }
        f.write_str("</svg>")
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
            id: "c",
            title: "T".into(),
            description: "D".into(),
            bars: vec![bar("<a>", 50.0), bar("b", 100.0), bar("c", -1.0)],
        };
        let svg = chart.to_string();
        assert!(
            svg.contains("width=\"180.0\"")
                && svg.contains("width=\"360.0\"")
                && svg.contains("width=\"0.0\"")
        );
        assert!(svg.contains("&lt;a&gt;") && !svg.contains("style="));
        assert_eq!(shortened("一二三四五六七八九十一二三"), "一二三四五六七八九十一…");
    }
}
