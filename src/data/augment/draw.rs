//! Random choices that never panic, whatever the range.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::data::FaceLabel;

/// True with `probability`; draws one number either way.
pub fn chance(rng: &mut ChaCha8Rng, probability: f32) -> bool {
    rng.random::<f32>() < probability
}

/// [`chance`] that draws nothing at probability zero. For transforms that are off by default:
/// without them, the same seed gives the same crops as before they existed.
pub fn chance_if_on(rng: &mut ChaCha8Rng, probability: f32) -> bool {
    probability > 0.0 && chance(rng, probability)
}

/// Evenly from a range.
pub fn uniform(rng: &mut ChaCha8Rng, [low, high]: [f32; 2]) -> f32 {
    low + rng.random::<f32>() * (high - low)
}

/// From a range of positive numbers, such that each factor is equally likely everywhere.
pub fn log_uniform(rng: &mut ChaCha8Rng, range: [f32; 2]) -> f32 {
    uniform(rng, range.map(f32::ln)).exp()
}

/// One of the items, each equally likely.
pub fn pick<'a, T>(rng: &mut ChaCha8Rng, items: &'a [T]) -> Option<&'a T> {
    let at = (rng.random::<f32>() * items.len() as f32) as usize;
    items.get(at.min(items.len().saturating_sub(1)))
}

/// One of the faces that are not ignored.
pub fn pick_face<'a>(rng: &mut ChaCha8Rng, faces: &'a [FaceLabel]) -> Option<&'a FaceLabel> {
    let shown: Vec<&FaceLabel> = faces.iter().filter(|f| !f.ignored).collect();
    pick(rng, &shown).copied()
}
