//! Long answers, kept once: certificates are read again and again, whole and in parts.

use super::{Line, Vector};

/// Shorter answers are written where they come.
const SHORTEST: usize = 64;

/// The long answers of a file, none of which is part of another.
#[derive(Debug, Default)]
pub(super) struct Blobs(Vec<Vec<u8>>);

impl Blobs {
    /// Those of `vectors`. What is different each time is not among them.
    pub(super) fn of(vectors: &[Vector]) -> Self {
        let lines = vectors.iter().flat_map(|vector| &vector.conversation);
        let mut long: Vec<&[u8]> = lines
            .filter_map(|line| match line {
                Line::Exchange { answer, .. } => Some(&answer[..answer.len().saturating_sub(2)]),
                Line::Power(_) => None,
            })
            .filter(|data| data.len() >= SHORTEST)
            .collect();
        long.sort_by_key(|data| std::cmp::Reverse(data.len()));
        let mut blobs = Self::default();
        for data in long {
            if blobs.find(data).is_none() {
                blobs.0.push(data.to_vec());
            }
        }
        blobs
    }

    /// Which blob `data` is part of, and from which byte on; `None` for what stands where it comes.
    pub(super) fn find(&self, data: &[u8]) -> Option<(usize, usize)> {
        if data.len() < SHORTEST {
            return None;
        }
        self.0.iter().enumerate().find_map(|(number, blob)| {
            blob.windows(data.len()).position(|window| window == data).map(|from| (number, from))
        })
    }

    /// The blobs in the order of their numbers.
    pub(super) fn all(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }
}
