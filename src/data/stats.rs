//! Counts of labelled faces.

use std::fmt;

use super::FaceLabel;

/// Upper edges of the size classes, pixels (side of the square with the box's area).
const EDGES: [f32; 6] = [8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// How many faces of which kind and size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Photos or crops.
    pub photos: usize,
    /// Of those, all faces labelled.
    pub complete: usize,
    /// Of those, no face at all.
    pub empty: usize,
    /// Faces, ignored ones included.
    pub faces: usize,
    /// Neither face nor background.
    pub ignored: usize,
    /// Others, with at least one labelled point.
    pub with_points: usize,
    /// Of those, some points not labelled.
    pub partial: usize,
    /// Faces that are not ignored, by size.
    pub sizes: [usize; EDGES.len() + 1],
}

impl Stats {
    /// Count one photo.
    pub fn add(&mut self, faces: &[FaceLabel], complete: bool) {
        self.photos += 1;
        self.complete += usize::from(complete);
        self.empty += usize::from(faces.is_empty());
        self.faces += faces.len();
        for face in faces {
            if face.ignored {
                self.ignored += 1;
                continue;
            }
            let points = face.has_landmarks();
            self.with_points += usize::from(points);
            self.partial += usize::from(points && face.landmarks.iter().any(|p| !p.labelled));
            let side = face.box_xyxy.side();
            self.sizes[EDGES.iter().filter(|&&edge| side >= edge).count()] += 1;
        }
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { photos, faces, .. } = self;
        writeln!(
            f,
            "photos {photos} (all faces labelled in {}, no face in {})",
            self.complete, self.empty
        )?;
        writeln!(
            f,
            "faces {faces}: with points {} (some points only: {}), box only {}, ignored {}",
            self.with_points,
            self.partial,
            faces - self.with_points - self.ignored,
            self.ignored
        )?;
        let most = self.sizes.iter().copied().max().unwrap_or(0).max(1);
        for (i, &count) in self.sizes.iter().enumerate() {
            let low = if i == 0 { 0.0 } else { EDGES[i - 1] };
            let high = EDGES.get(i).map_or("..".into(), |e| format!("{e:.0}"));
            let bar = "#".repeat((count * 40).div_ceil(most));
            writeln!(f, "  {low:>4.0} - {high:<4} px {count:>7} {bar}")?;
        }
        Ok(())
    }
}
