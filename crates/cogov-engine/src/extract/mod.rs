//! Files of an extract: CSV and Parquet batch by batch, marked with the decision under which they left.
//!
//! The mark is the **order of the rows**. No value is changed, added or left out. Rows are shuffled within blocks of
//! [`BLOCK`] by a key that only the node knows (of the grant and the decision); each block is sorted by keyed hashes of
//! one of its columns, chosen by the key, or of the whole row. Whoever has the key finds, in a copy without any
//! metadata, far more neighbours in its order than chance gives; with any other key, as many as chance gives.
//!
//! What it withstands: another file format, renamed or reordered columns, columns left out while one with many
//! different values is kept, rows left out, other rows added, copies put one after another. What it does not withstand: sorting or shuffling the
//! rows, values that were all changed, copies of a few hundred rows or less. A sorted or shuffled copy still shows by the sketch
//! (see [`Sketch`]) which extracts its rows were in, but not which of several extracts of the same rows it came from.

mod csv;
mod file;
mod key;
mod mark;
mod trace;

pub use csv::{csv_head, csv_rows};
pub use file::{ExtractWriter, FileFormat};
pub use key::WatermarkKey;
pub use mark::{BLOCK, Marker, Sketch};
pub use trace::{Copied, Likeness, Suspect, TraceError, trace};
