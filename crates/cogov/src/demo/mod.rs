//! The demo world: a commonwealth made of real microdata, loaded into an empty home.

mod announce;
mod consultations;
mod load;
mod registry;
mod sources;
mod world;

pub use announce::{announce, people};
pub use load::load_once;
