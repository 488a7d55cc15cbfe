//! Profiling and grading: what each column of a table holds, and the category and grade that follow.
//!
//! Identifiers with check digits are found wherever they stand, and a column of ordinary numbers is not
//! taken for identifiers because some pass by chance. Every other kind is found by the share of values of
//! its shape, and by the column's name. The grade is the highest of the categories' floors, of what the
//! rows' uniqueness says, and of the scheme's volume rules. No finding ever quotes a value.

mod checkdigit;
mod content;
mod distinct;
mod mask;
mod names;
mod people;
mod profiler;
mod propose;
mod sample;
mod scan;
mod shapes;
mod unique;
mod words;

pub use checkdigit::{
    bank_card, credit_check, credit_code, iban, iban_remainder, luhn, old_resident_id, organisation_check,
    resident_check, resident_id,
};
pub use mask::mask_shape;
pub use profiler::{GradingError, Header, Profiler};
pub use sample::invented_sample;
pub use scan::{Found, Identifier, find_identifiers};
pub(crate) use unique::row_hashes;

/// Whether digits are an identifier that people and cards carry: such a column stays text.
pub(crate) fn numeric_identifier(digits: &str) -> bool {
    resident_id(digits) || bank_card(digits) || shapes::mobile(digits)
}

/// Whether a text is an e-mail address or a phone number.
pub(crate) fn is_contact(text: &str) -> bool {
    let found = shapes::shapes(text);
    found.has(shapes::Shape::Email) || found.has(shapes::Shape::Phone)
}
