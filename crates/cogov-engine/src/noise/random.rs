//! Where noise comes from: a port, so that tests choose it.

/// The machine gives no random bytes: nothing may be released then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoRandomness;

/// A source of random bytes that nobody can foresee.
pub trait Randomness: Send + Sync {
    /// Fills the buffer.
    ///
    /// # Errors
    /// When there are none.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoRandomness>;
}

/// The operating system's generator, for every draw. A crate's own generator would have to be seeded, kept apart
/// across forks and threads, and wiped; the kernel does all three.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
        getrandom::fill(buffer).map_err(|error| {
            tracing::error!(%error, "the system gives no random bytes");
            NoRandomness
        })
    }
}
