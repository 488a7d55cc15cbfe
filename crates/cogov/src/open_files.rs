//! How many files the process may hold open. A query that spills holds one for each batch, and each connection is one
//! too: the 1,024 that many systems allow at first are soon used up.

/// More than that is not asked for.
const ENOUGH: u64 = 65_536;

/// Raises the soft limit to the hard one, or to what is enough. Where the system does not let it, the server works as
/// far as the limit goes.
pub fn allow_more() {
    match rlimit::increase_nofile_limit(ENOUGH) {
        Ok(now) => tracing::debug!(now, "files that may be open"),
        Err(error) => {
            tracing::warn!(%error, "the limit of open files cannot be raised: large queries may fail that spill");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_this_process_is_raised_and_never_falls() {
        let (before, most) = rlimit::Resource::NOFILE.get().unwrap();
        allow_more();
        let (now, still) = rlimit::Resource::NOFILE.get().unwrap();
        assert_eq!(most, still, "the hard limit stays");
        assert!(now >= before && now >= most.min(ENOUGH));
    }
}
