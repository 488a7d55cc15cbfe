//! Our map of opinion: factors that predict votes, groups in their space, and only groups that come back.

pub mod cluster;
pub mod fit;
pub mod learn;
pub mod model;
mod sheet;
mod small;
pub mod stability;
mod start;

pub use sheet::Sheet;
pub(crate) use sheet::parts;
