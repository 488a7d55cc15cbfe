//! The governed query: SQL of a grant → plan → labels → protection below and above the asker's operators → rows.

mod allowed;
mod barrier;
mod catalogue;
mod certified;
mod config;
mod engine;
mod facts;
mod faults;
mod functions;
mod govern;
mod governed;
mod leakproof;
mod mask;
mod memory;
mod names;
mod noise;
mod objects;
mod params;
mod parse;
mod prepared;
mod run;
mod scope;
mod statistic;
mod total;
mod units;
mod watch;
mod world;

pub use catalogue::{GrantedColumn, GrantedTable};
pub use config::EngineConfig;
pub use engine::Engine;
pub use noise::{NoiseTerms, Question};
pub use params::Param;
pub use prepared::{Prepared, ResultColumn};
pub use run::RowStream;
pub use world::{GrantWorld, MaskKey, Source};
