//! Which crop an aligner looks at.

use crate::error::{Result, ensure};
use crate::geometry::{BoxXyxy, FaceCrop, Landmarks, Point, Scheme};
use crate::settings::{AroundFive, Settings};

/// How the crops of an aligner lie around faces.
///
/// Around landmarks of its own scheme a crop is upright and exceeds their bounds by
/// `aligner.context` ([`FaceCrop::around`]). Landmarks of another scheme tell where eyes, nose and
/// mouth corners are, and [`AroundFive`] where the aligner's own landmarks lie beside those. An
/// aligner of the five points themselves needs no more than them.
#[derive(Clone, Debug, PartialEq)]
pub struct Framing {
    scheme: Scheme,
    context: f32,
    around_five: AroundFive,
}

impl Framing {
    /// That of the aligner that `settings` describe.
    ///
    /// # Errors
    /// When its landmark scheme is impossible.
    pub fn of(settings: &Settings) -> Result<Self> {
        Ok(Self {
            scheme: settings.landmarks.scheme()?,
            context: settings.aligner.context,
            around_five: settings.aligner.around_five.clone(),
        })
    }

    /// The aligner's landmarks.
    pub const fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// Side of a crop, in longer sides of the face's landmarks.
    pub const fn context(&self) -> f32 {
        self.context
    }

    /// Whether crops can be made around landmarks of `from`.
    ///
    /// # Errors
    /// When that is another scheme, and does not say where eyes, nose and mouth corners are.
    pub fn check_after(&self, from: &Scheme) -> Result<()> {
        ensure!(
            *from == self.scheme || from.has_five(),
            Settings,
            "an aligner of {} landmarks ({}) after {} others ({}) goes by eyes, nose and mouth corners, \
             and landmarks.custom.anatomy does not say which those are",
            self.scheme.len(),
            self.scheme.name(),
            from.len(),
            from.name()
        );
        Ok(())
    }

    /// The crop of a face whose labelled `landmarks`, of scheme `from`, are known; pixels of the
    /// photo. `None` when they have no extent, or one of eyes, nose and mouth corners is missing.
    pub fn around(&self, landmarks: &Landmarks, from: &Scheme) -> Option<FaceCrop> {
        if *from == self.scheme {
            return FaceCrop::around(landmarks, from, self.context);
        }
        let five = from.five_of_labelled(landmarks)?;
        let nose = five[2];
        let (five, scheme) = (Landmarks::all(five), Scheme::five());
        if self.scheme == scheme {
            return FaceCrop::around(&five, &scheme, self.context);
        }
        let crop = self
            .around_five
            .widened(&FaceCrop::around(&five, &scheme, 1.0)?, nose)?;
        Some(FaceCrop {
            side: crop.side * self.context,
            ..crop
        })
    }

    /// The crop of a face that has these `bounds`, not turned: those of its landmarks as the aligner
    /// `of` (another one, or this one) gives them, or those that `of` tells of a whole face. `None`
    /// when they have no size.
    pub fn of_box(&self, bounds: BoxXyxy, around: Around, of: &Self) -> Option<FaceCrop> {
        let crop = FaceCrop::of_box(bounds, 1.0)?;
        let five = Scheme::five();
        let wider = around == Around::Face || of.scheme != five;
        let own = match self.scheme == five && wider {
            true => of.around_five.narrowed(&crop),
            false => crop,
        };
        Some(FaceCrop {
            side: own.side * self.context,
            ..own
        })
    }
}

/// What a box is around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    /// The landmarks that the face gets.
    Landmarks,
    /// The whole face, whatever its landmarks; the same unless those are eyes, nose and mouth only.
    Face,
}

impl AroundFive {
    /// From the square around five points to that around all landmarks; `nose` in the photo.
    fn widened(&self, five: &FaceCrop, nose: Point) -> Option<FaceCrop> {
        let map = five.to_crop(1.0);
        let aside = map.apply(nose)[0] - 0.5;
        let middle = [0.5 - self.turn * aside, 0.5 + self.drop];
        Some(FaceCrop {
            centre: map.inverse()?.apply(middle),
            side: five.side * self.scale,
            angle: five.angle,
        })
    }

    /// The other way round, for an upright face that looks straight ahead.
    fn narrowed(&self, whole: &FaceCrop) -> FaceCrop {
        let side = whole.side / self.scale;
        let [x, y] = whole.centre;
        FaceCrop {
            centre: [x, y - self.drop * side],
            side,
            angle: whole.angle,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Affine;
    use crate::settings::{LandmarksConfig, SchemeName};

    fn framing(scheme: SchemeName, context: f32) -> Framing {
        let mut settings = Settings {
            landmarks: LandmarksConfig {
                scheme,
                custom: None,
            },
            ..Settings::default()
        };
        settings.aligner.context = context;
        settings.aligner.around_five = AroundFive {
            scale: 2.0,
            drop: 0.25,
            turn: 1.5,
        };
        Framing::of(&settings).unwrap()
    }

    /// Eyes 40 pixels apart, the mouth 50 below them, the nose `aside` of the middle.
    fn five(aside: f32) -> Landmarks {
        Landmarks::all([
            [30.0, 40.0],
            [70.0, 40.0],
            [50.0 + aside, 60.0],
            [32.0, 90.0],
            [68.0, 90.0],
        ])
    }

    fn near(a: FaceCrop, b: FaceCrop) {
        let far = (a.centre[0] - b.centre[0]).hypot(a.centre[1] - b.centre[1]);
        let other = (a.side - b.side).abs() + (a.angle - b.angle).abs();
        assert!(far < 1e-3 && other < 1e-3, "{a:?} {b:?}");
    }

    #[test]
    fn five_points_give_the_crop_of_all_by_hand() {
        let dense = framing(SchemeName::Wflw98, 1.5);
        let crop = |aside| dense.around(&five(aside), &Scheme::five()).unwrap();
        // The five are 50 pixels high: the face 100, the crop 150; its middle a quarter of 50 lower.
        let straight = FaceCrop {
            centre: [50.0, 77.5],
            side: 150.0,
            angle: 0.0,
        };
        near(crop(0.0), straight);
        // A nose 6 pixels to the right: the rest of the face lies 9 to the left.
        let turned = FaceCrop {
            centre: [41.0, 77.5],
            ..straight
        };
        near(crop(6.0), turned);
        // And the same of a face that lies on its side, twice as large.
        let turn = Affine::rotation(1.2, 2.0, [7.0, -3.0]);
        let lying = dense.around(&five(6.0).map(|p| turn.apply(p)), &Scheme::five());
        let expected = FaceCrop {
            centre: turn.apply(turned.centre),
            side: 300.0,
            angle: 1.2,
        };
        near(lying.unwrap(), expected);
    }

    #[test]
    fn own_landmarks_and_five_of_many_need_no_guess() {
        let few = framing(SchemeName::Five, 1.5);
        let own = FaceCrop::around(&five(3.0), &Scheme::five(), 1.5).unwrap();
        near(few.around(&five(3.0), &Scheme::five()).unwrap(), own);
        // 68 points of which each group lies on one of the five.
        let scheme = Scheme::ibug68();
        let anatomy = scheme.anatomy();
        let at = |i: usize| {
            let groups = [
                &anatomy.left_eye,
                &anatomy.right_eye,
                &anatomy.nose,
                &anatomy.mouth_left,
                &anatomy.mouth_right,
            ];
            let group = groups.iter().position(|group| group.contains(&i));
            group.map_or([500.0, 500.0], |k| five(3.0)[k].at)
        };
        let many = Landmarks::all((0..68).map(at));
        near(few.around(&many, &scheme).unwrap(), own);
        // Without a mouth there is nothing to go by.
        assert!(
            few.around(&many.masked(|[_, y]| y < 80.0), &scheme)
                .is_none()
        );
    }

    #[test]
    fn boxes_go_the_other_way() {
        let (few, dense) = (
            framing(SchemeName::Five, 3.0),
            framing(SchemeName::Wflw98, 1.5),
        );
        let bounds = BoxXyxy::new(0.0, 27.5, 100.0, 127.5);
        let square = |centre, side| FaceCrop {
            centre,
            side,
            angle: 0.0,
        };
        near(
            few.of_box(bounds, Around::Landmarks, &dense).unwrap(),
            square([50.0, 65.0], 150.0),
        );
        let alone = |around| few.of_box(bounds, around, &few).unwrap();
        near(alone(Around::Face), square([50.0, 65.0], 150.0));
        near(alone(Around::Landmarks), square([50.0, 77.5], 300.0));
        let own = FaceCrop::of_box(bounds, 1.5).unwrap();
        for around in [Around::Landmarks, Around::Face] {
            near(dense.of_box(bounds, around, &dense).unwrap(), own);
        }
        // As the landmarks of a straight face do.
        let straight = |framing: &Framing| framing.around(&five(0.0), &Scheme::five()).unwrap();
        near(straight(&dense), own);
        near(straight(&few), square([50.0, 65.0], 150.0));
    }

    #[test]
    fn a_scheme_without_anatomy_is_refused() {
        let custom = Scheme::new("custom", 7, &[], [0, 1], Default::default(), Vec::new());
        let dense = framing(SchemeName::Wflw98, 1.5);
        let error = dense.check_after(&custom.unwrap()).unwrap_err().to_string();
        assert!(error.contains("anatomy") && error.contains('7'), "{error}");
        dense.check_after(&Scheme::five()).unwrap();
    }
}
