//! A map of people as inline SVG, drawn on the server: who votes alike stands close together. Groups are told
//! by letters as well as by colours; pages put the same figures as a table beside it.

use super::tag::{escape, html_safe};
use askama::{FastWritable, filters::HtmlSafe};
use std::fmt;

/// The most people that one map shows; of more, every so many-th is drawn.
pub const MAX_MARKS: usize = 1_500;
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 460.0;
const EDGE: f64 = 28.0;
/// Groups beyond are drawn like the last.
const COLOURS: usize = 5;

/// A person on the map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    /// From left to right.
    pub x: f64,
    /// From bottom to top.
    pub y: f64,
    /// The group.
    pub group: Option<usize>,
}

/// A map.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// What it shows.
    pub title: String,
    /// How to read it, for those who hear it.
    pub description: String,
    /// The people.
    pub marks: Vec<Mark>,
    /// The groups' letters with their sizes, in order.
    pub labels: Vec<String>,
}

/// The letter of a group.
pub fn letter(group: usize) -> char {
    char::from(b'A' + u8::try_from(group.min(25)).unwrap_or(25))
}

struct Frame {
    left: f64,
    bottom: f64,
    scale: f64,
}

impl Frame {
    /// One scale for both directions, so that distances stay what they are.
    fn of(marks: &[Mark]) -> Self {
        let range = |values: &dyn Fn(&Mark) -> f64| {
            marks.iter().map(values).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            })
        };
        let ((left, right), (bottom, top)) = (range(&|mark| mark.x), range(&|mark| mark.y));
        let room = |from: f64, to: f64, size: f64| (size - 2.0 * EDGE) / (to - from).max(1e-6);
        let scale = room(left, right, WIDTH).min(room(bottom, top, HEIGHT));
        let spare = |from: f64, to: f64, size: f64| from - (size / scale - (to - from)) / 2.0;
        Self { left: spare(left, right, WIDTH), bottom: spare(bottom, top, HEIGHT), scale }
    }

    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        ((x - self.left) * self.scale, HEIGHT - (y - self.bottom) * self.scale)
    }
}

impl fmt::Display for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<svg class=\"map\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"map-t map-d\">\
             <title id=\"map-t\">{}</title><desc id=\"map-d\">{}</desc>",
            escape(&self.title),
            escape(&self.description)
        )?;
        let frame = Frame::of(&self.marks);
        let every = self.marks.len().div_ceil(MAX_MARKS).max(1);
        for mark in self.marks.iter().step_by(every) {
            let (x, y) = frame.at(mark.x, mark.y);
            let colour = mark.group.map_or("none".to_owned(), |group| group.min(COLOURS - 1).to_string());
            write!(
                f,
                "<circle class=\"map__mark map__mark--{colour}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/>"
            )?;
        }
        for (group, label) in self.labels.iter().enumerate() {
            let members = self.marks.iter().filter(|mark| mark.group == Some(group));
            let (mut count, mut x, mut y) = (0.0, 0.0, 0.0);
            for mark in members {
                (count, x, y) = (count + 1.0, x + mark.x, y + mark.y);
            }
            if count > 0.0 {
                let (x, y) = frame.at(x / count, y / count);
                let label = escape(label);
                write!(
                    f,
                    "<text class=\"map__label\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{label}</text>"
                )?;
            }
        }
        f.write_str("</svg>")
    }
}

html_safe!(Map);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_stand_inside_and_groups_have_letters() {
        let mark = |x: f64, y: f64, group| Mark { x, y, group };
        let map = Map {
            title: "T".into(),
            description: "D".into(),
            marks: vec![mark(-1.0, 0.0, Some(0)), mark(3.0, 0.5, Some(1)), mark(0.0, 0.0, None)],
            labels: vec![letter(0).to_string(), "<B>".into()],
        };
        let svg = map.to_string();
        assert_eq!(svg.matches("<circle").count(), 3);
        assert!(svg.contains(">A</text>") && svg.contains("&lt;B&gt;") && !svg.contains("style="));
        for part in svg.split("cx=\"").skip(1) {
            let x: f64 = part.split('"').next().unwrap_or_default().parse().unwrap_or(f64::NAN);
            assert!((0.0..=WIDTH).contains(&x), "{x}");
        }
        let crowd = Map { marks: vec![mark(0.0, 0.0, None); 4_000], ..map };
        assert!(crowd.to_string().matches("<circle").count() <= MAX_MARKS);
    }
}
