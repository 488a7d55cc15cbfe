//! Tile paths and entry bundles, as C2SP tlog-tiles writes them.

use std::fmt;

/// Height of a tile: it spans eight levels of the tree.
pub(crate) const HEIGHT: u8 = 8;

/// Hashes or entries in a full tile.
pub(crate) const WIDTH: usize = 1 << HEIGHT;

/// Highest level a tile can have; a tree of 2^64 leaves needs no more.
const MAX_LEVEL: u8 = 7;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Hashes of a tile level.
    Hashes(u8),
    /// Entries, length-prefixed.
    Entries,
}

impl Kind {
    /// How many items of this kind a tree of `size` leaves has.
    pub(crate) fn items(self, size: u64) -> u64 {
        match self {
            Self::Entries => size,
            Self::Hashes(level) => size.checked_shr(u32::from(level) * u32::from(HEIGHT)).unwrap_or(0),
        }
    }
}

/// A tile or entry bundle: `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Tile {
    pub(crate) kind: Kind,
    /// Number within its level, from 0.
    pub(crate) n: u64,
    /// 1 to 256.
    pub(crate) width: usize,
}

impl Tile {
    /// Reads a public path. Only the one canonical spelling of a tile is accepted, so nothing else can be reached by it.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("tile/")?;
        let (kind, rest) = rest.split_once('/')?;
        let kind = match kind {
            "entries" => Kind::Entries,
            level => Kind::Hashes(level.parse().ok().filter(|level| *level <= MAX_LEVEL)?),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok().filter(|width| (1..WIDTH).contains(width))?),
            None => (rest, WIDTH),
        };
        let n = number.split('/').try_fold(0u64, |n, part| {
            let digits: u64 = part.strip_prefix('x').unwrap_or(part).parse().ok()?;
            n.checked_mul(1000)?.checked_add(digits)
        })?;
        let tile = Self { kind, n, width };
        (tile.to_string() == path).then_some(tile)
    }

    /// Every tile that a tree of `size` leaves has and one of `old` leaves had not, entries first, lower levels before higher.
    pub(crate) fn added(old: u64, size: u64) -> impl Iterator<Item = Self> {
        let kinds = std::iter::once(Kind::Entries).chain((0..=MAX_LEVEL).map(Kind::Hashes));
        kinds.flat_map(move |kind| {
            let (before, now) = (kind.items(old), kind.items(size));
            let range = if before < now { before / WIDTH as u64..now.div_ceil(WIDTH as u64) } else { 0..0 };
            range.map(move |n| Self { kind, n, width: width(now, n) })
        })
    }

    /// True for a tile that never changes again.
    pub(crate) fn is_full(self) -> bool {
        self.width == WIDTH
    }

    /// True when a tree of `size` leaves has every item of this tile.
    pub(crate) fn exists_in(self, size: u64) -> bool {
        let end = self.n.checked_mul(WIDTH as u64).and_then(|start| start.checked_add(self.width as u64));
        end.is_some_and(|end| end <= self.kind.items(size))
    }

    /// The folder of this tile's partial versions.
    pub(crate) fn partials(self) -> String {
        format!("{}.p", Self { width: WIDTH, ..self })
    }
}

/// Items in tile `n` when its level has `items`.
fn width(items: u64, n: u64) -> usize {
    let left = items.saturating_sub(n.saturating_mul(WIDTH as u64));
    usize::try_from(left).map_or(WIDTH, |left| left.min(WIDTH))
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Entries => f.write_str("tile/entries/")?,
            Kind::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        let mut number = format!("{:03}", self.n % 1000);
        let mut rest = self.n / 1000;
        while rest > 0 {
            number = format!("x{:03}/{number}", rest % 1000);
            rest /= 1000;
        }
        f.write_str(&number)?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

/// Appends one entry to a bundle: big-endian 16-bit length, then its bytes. `leaf` is at most 65,535 bytes long.
pub(crate) fn put_entry(bundle: &mut Vec<u8>, leaf: &[u8]) {
    bundle.extend_from_slice(&(leaf.len() as u16).to_be_bytes());
    bundle.extend_from_slice(leaf);
}

/// Takes the first entry off a bundle, or `None` when the bundle ends within it.
pub(crate) fn take_entry<'a>(bundle: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, rest) = bundle.split_first_chunk::<2>()?;
    let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*len).into())?;
    *bundle = rest;
    Some(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        let tile = Tile { kind: Kind::Hashes(0), n: 1_234_067, width: 256 };
        assert_eq!(tile.to_string(), "tile/0/x001/x234/067");
        assert_eq!(Tile::parse("tile/0/x001/x234/067"), Some(tile));
        let tile = Tile { kind: Kind::Entries, n: 0, width: 7 };
        assert_eq!(tile.to_string(), "tile/entries/000.p/7");
        assert_eq!(Tile::parse("tile/entries/000.p/7"), Some(tile));
    }

    #[test]
    fn only_canonical_paths_are_read() {
        for path in [
            "tile/0/../../journal",
            "tile/0/0",
            "tile/00/000",
            "tile/0/x000/001",
            "tile/0/000.p/256",
            "tile/0/000.p/0",
            "tile/0/000.p/07",
            "tile/0/001/000",
            "tile/0/x001/x000",
            "tile/8/000",
            "tile/0/+01",
            "tile//000",
            "tile/0/000/",
            "/tile/0/000",
            "checkpoint",
            "",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
        ] {
            assert_eq!(Tile::parse(path), None, "{path}");
        }
    }

    #[test]
    fn added_tiles_cover_the_new_tree() {
        let paths = |old, new| Tile::added(old, new).map(|tile| tile.to_string()).collect::<Vec<_>>();
        assert_eq!(paths(0, 1), ["tile/entries/000.p/1", "tile/0/000.p/1"]);
        assert_eq!(
            paths(255, 257),
            ["tile/entries/000", "tile/entries/001.p/1", "tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1",]
        );
        assert_eq!(paths(256, 256), Vec::<String>::new());
        assert_eq!(Tile::added(0, 70_000).last().unwrap().to_string(), "tile/2/000.p/1");
    }
}
