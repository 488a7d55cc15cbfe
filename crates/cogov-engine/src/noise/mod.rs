//! Mechanisms of differential privacy: random bits, exact noise, its scale, quantiles from noisy counts.
//!
//! Nothing here knows of SQL or grants. What makes an answer private (bounded contributions below, noise of the
//! right scale above) is put together in `query/noise`; the page `docs/noise.md` holds the argument.

mod gaussian;
mod quantile;
mod random;
mod scale;

pub use gaussian::Sampler;
pub use quantile::{BINS, Ladder, Located};
pub use random::{NoRandomness, Randomness, SystemRandomness};
pub use scale::{Scale, Sensitivity};

/// Standard deviations within which 95 % of a normal distribution lie, to both sides.
pub const Z95: f64 = 1.959_963_984_540_054;
