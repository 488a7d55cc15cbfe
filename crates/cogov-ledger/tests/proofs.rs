//! Proofs and roots against a brute-force RFC 6962 tree.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests may stop at once"
)]

mod common;

use cogov_ledger::{Checkpoint, HashBytes, Ledger, MemoryMedia};
use common::{leaf, open, sealed};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

const LARGEST: u64 = 300;

fn sha(parts: &[&[u8]]) -> HashBytes {
    Sha256::digest(parts.concat()).into()
}

fn split(n: usize) -> usize {
    n.next_power_of_two() / 2
}

/// MTH of RFC 6962, section 2.1, word by word.
fn mth(leaves: &[Vec<u8>]) -> HashBytes {
    match leaves {
        [] => sha(&[]),
        [one] => sha(&[&[0], one]),
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            sha(&[&[1], &mth(left), &mth(right)])
        }
    }
}

/// PATH of RFC 6962, section 2.1.1.
fn path(m: usize, leaves: &[Vec<u8>]) -> Vec<HashBytes> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut proof, sibling) =
        if m < k { (path(m, left), mth(right)) } else { (path(m - k, right), mth(left)) };
    proof.push(sibling);
    proof
}

/// SUBPROOF of RFC 6962, section 2.1.2.
fn subproof(m: usize, leaves: &[Vec<u8>], whole: bool) -> Vec<HashBytes> {
    if m == leaves.len() {
        return if whole { Vec::new() } else { vec![mth(leaves)] };
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut proof, sibling) = if m <= k {
        (subproof(m, left, whole), mth(right))
    } else {
        (subproof(m - k, right, false), mth(left))
    };
    proof.push(sibling);
    proof
}

fn filled(size: u64) -> (Ledger, Vec<Vec<u8>>) {
    let ledger = open(&MemoryMedia::new()).unwrap().0;
    let leaves: Vec<_> = (0..size).map(leaf).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let queued: Vec<_> =
        leaves.iter().zip(0..).map(|(leaf, number)| ledger.append(leaf.clone(), sealed(number))).collect();
    for (index, append) in (0..).zip(queued) {
        assert_eq!(runtime.block_on(append).unwrap(), index);
    }
    (ledger, leaves)
}

fn head(size: u64, leaves: &[Vec<u8>]) -> Checkpoint {
    Checkpoint {
        origin: String::new(),
        size,
        root: mth(&leaves[..size as usize]),
        time: None,
        note: Vec::new(),
    }
}

#[test]
fn every_proof_of_every_tree_holds_and_no_other() {
    let (ledger, leaves) = filled(LARGEST);
    let heads: Vec<_> = (0..=LARGEST).map(|size| head(size, &leaves)).collect();
    for size in 1..=LARGEST {
        for index in 0..size {
            let proof = ledger.proof(index, size).unwrap();
            proof.check(&leaves[index as usize], &heads[size as usize]).unwrap();
            assert!(proof.check(b"another", &heads[size as usize]).is_err());
        }
        for old in 0..=size {
            let proof = ledger.consistency(old, size).unwrap();
            proof.check(&heads[old as usize], &heads[size as usize]).unwrap();
            let mut forked = heads[size as usize].clone();
            forked.root[0] ^= 1;
            assert!(old == 0 || proof.check(&heads[old as usize], &forked).is_err(), "{old} {size}");
        }
    }
}

#[test]
fn nothing_is_proven_about_trees_that_do_not_exist() {
    let (ledger, _) = filled(3);
    assert!(ledger.proof(0, 4).is_err());
    assert!(ledger.proof(2, 2).is_err());
    assert!(ledger.proof(0, 0).is_err());
    assert!(ledger.consistency(2, 4).is_err());
    assert!(ledger.consistency(3, 2).is_err());
    assert!(ledger.read(u64::MAX).is_err());
    assert!(ledger.range(2, 1).unwrap().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn proofs_are_those_of_the_rfc(size in 1..700u64, picks in proptest::collection::vec((any::<u64>(), any::<u64>()), 8)) {
        let (ledger, leaves) = filled(size);
        prop_assert_eq!(ledger.publish_blocking().unwrap().root, mth(&leaves));
        for (a, b) in picks {
            let tree = 1 + a % size;
            let at = b % tree;
            let leaves = &leaves[..tree as usize];
            prop_assert_eq!(ledger.proof(at, tree).unwrap().hashes, path(at as usize, leaves));
            prop_assert_eq!(ledger.consistency(at + 1, tree).unwrap().hashes, subproof(at as usize + 1, leaves, true));
        }
    }
}
