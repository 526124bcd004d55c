//! One synthetic face: its labels and its looks.

use image::RgbImage;
use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::paint::{any_colour, clipped, ellipse, mix, polygon, stroke};
use super::pose::Pose;
use super::template::{Place, Shape};
use crate::geometry::{BoxXyxy, Point};

const SKIN: [[u8; 3]; 6] = [
    [255, 224, 196],
    [240, 200, 165],
    [222, 175, 135],
    [190, 138, 98],
    [141, 92, 60],
    [92, 58, 40],
];
const HAIR: [[u8; 3]; 6] = [
    [25, 20, 18],
    [60, 40, 25],
    [110, 70, 35],
    [200, 160, 90],
    [170, 80, 40],
    [190, 190, 190],
];
const IRIS: [[u8; 3]; 4] = [[70, 45, 25], [60, 100, 150], [70, 120, 70], [40, 30, 25]];

/// A face: what it looks like and how it stands in the picture.
#[derive(Clone, Debug)]
pub struct SynthFace {
    shape: Shape,
    /// Where it is.
    pub pose: Pose,
    skin: [u8; 3],
    hair: [u8; 3],
    iris: [u8; 3],
    lips: [u8; 3],
    clothes: [u8; 3],
    /// How far down the hair reaches at the sides; none: bald.
    hair_length: Option<f32>,
}

impl SynthFace {
    /// A random face at no particular place.
    pub fn random(rng: &mut ChaCha8Rng) -> Self {
        let pick = |colours: &[[u8; 3]], rng: &mut ChaCha8Rng| {
            let colour = colours.choose(rng).copied().unwrap_or_default();
            mix(colour, any_colour(rng), 0.08)
        };
        let skin = pick(&SKIN, rng);
        Self {
            shape: Shape::random(rng),
            pose: Pose::random(rng),
            hair: pick(&HAIR, rng),
            iris: pick(&IRIS, rng),
            lips: mix(skin, [170, 50, 60], rng.random_range(0.35..0.75)),
            clothes: any_colour(rng),
            hair_length: rng.random_bool(0.85).then(|| rng.random_range(-0.2..1.3)),
            skin,
        }
    }

    /// Its 98 points, pixels.
    pub fn landmarks(&self) -> Vec<Point> {
        self.place(&self.shape.landmarks())
    }

    /// From crown to chin and from ear to ear, pixels.
    pub fn box_xyxy(&self) -> BoxXyxy {
        BoxXyxy::around(&self.head()).unwrap_or_default()
    }

    /// Everything that is drawn of it, hair and shoulders too, pixels.
    pub fn extent(&self) -> BoxXyxy {
        let (top, bottom) = (self.shape.crown * 1.1 - 0.05, self.shape.chin + 0.9);
        let corners = [-1.5, 1.5].map(|x| [[x, top, 0.0], [x, bottom, 0.0]]);
        BoxXyxy::around(&self.place(corners.as_flattened())).unwrap_or_default()
    }

    /// The WFLW attributes pose and expression; the others are not drawn.
    pub fn attributes(&self) -> [bool; 6] {
        let expression = self.shape.is_expressive();
        [self.pose.is_large(), expression, false, false, false, false]
    }

    fn place(&self, places: &[Place]) -> Vec<Point> {
        places.iter().map(|&p| self.pose.apply(p)).collect()
    }

    /// Outline of the head without hair and ears.
    fn head(&self) -> Vec<Point> {
        let mut outline = self.landmarks()[..33].to_vec();
        outline.extend(self.place(&self.shape.forehead()));
        outline
    }

    /// Draw it.
    pub fn draw(&self, image: &mut RgbImage) {
        let points = self.landmarks();
        let dark = mix(self.skin, [30, 10, 10], 0.35);
        self.draw_behind(image, dark);
        polygon(image, &self.head(), self.skin);
        self.draw_fringe(image);
        stroke(image, &points[..33], self.pose.scale * 0.03, dark);
        polygon(image, &points[33..42], self.hair);
        polygon(image, &points[42..51], self.hair);
        self.draw_eye(image, &points[60..68], points[96], dark);
        self.draw_eye(image, &points[68..76], points[97], dark);
        self.draw_nose(image, &points[51..60], dark);
        self.draw_mouth(image, &points[76..88], &points[88..96]);
    }

    /// Hair at the back, neck, clothes, ears.
    fn draw_behind(&self, image: &mut RgbImage, dark: [u8; 3]) {
        let (chin, crown) = (self.shape.chin, self.shape.crown);
        if let Some(length) = self.hair_length {
            let mut hair: Vec<Place> = self.shape.forehead();
            for [x, y, _] in &mut hair {
                *x *= 1.14;
                *y = *y * 1.1 - 0.05;
            }
            hair.extend([[-1.16, length, -0.5], [1.16, length, -0.5]]);
            polygon(image, &self.place(&hair), mix(self.hair, [0; 3], 0.15));
        }
        let neck = [
            [-0.5, chin - 0.5, -0.3],
            [0.5, chin - 0.5, -0.3],
            [0.55, chin + 0.4, -0.3],
            [-0.55, chin + 0.4, -0.3],
        ];
        polygon(image, &self.place(&neck), mix(self.skin, dark, 0.5));
        let shoulders = [
            [-0.6, chin + 0.25, -0.3],
            [0.6, chin + 0.25, -0.3],
            [1.5, chin + 0.6, -0.3],
            [1.5, chin + 0.9, -0.3],
            [-1.5, chin + 0.9, -0.3],
            [-1.5, chin + 0.6, -0.3],
        ];
        polygon(image, &self.place(&shoulders), self.clothes);
        let covered = self.hair_length.is_some_and(|l| l > 0.5) && crown < 0.0;
        if !covered {
            for x in [-1.03, 1.03] {
                let ear: Vec<Place> = ellipse([x, 0.12], 0.12, 0.26)
                    .iter()
                    .map(|p| [p[0], p[1], -0.5])
                    .collect();
                polygon(image, &self.place(&ear), mix(self.skin, dark, 0.3));
            }
        }
    }

    /// Hair over the forehead.
    fn draw_fringe(&self, image: &mut RgbImage) {
        if self.hair_length.is_none() {
            return;
        }
        let mut cap: Vec<Place> = self.shape.forehead();
        for [_, y, _] in &mut cap {
            *y = *y * 1.06 - 0.02;
        }
        let line = self.shape.crown * 0.55;
        cap.extend([
            [-0.8, line, 0.0],
            [0.0, line - 0.12, 0.05],
            [0.8, line, 0.0],
        ]);
        polygon(image, &self.place(&cap), self.hair);
    }

    /// White, iris, pupil, lids. `lids`: from the corner on the left over the upper lid and back.
    fn draw_eye(&self, image: &mut RgbImage, lids: &[Point], pupil: Point, dark: [u8; 3]) {
        polygon(image, lids, [245, 245, 240]);
        let radius = self.pose.scale * 0.085;
        let iris = clipped(&ellipse(pupil, radius, radius), lids);
        polygon(image, &iris, self.iris);
        let hole = clipped(&ellipse(pupil, radius * 0.45, radius * 0.45), lids);
        polygon(image, &hole, [8; 3]);
        stroke(
            image,
            &lids[..5],
            self.pose.scale * 0.035,
            mix(dark, [0; 3], 0.6),
        );
        let mut below = lids[4..].to_vec();
        below.push(lids[0]);
        stroke(image, &below, self.pose.scale * 0.015, dark);
    }

    /// `nose`: four points down the bridge, five along the lower edge.
    fn draw_nose(&self, image: &mut RgbImage, nose: &[Point], dark: [u8; 3]) {
        let wing = [nose[0], nose[3], nose[6], nose[5], nose[4]];
        polygon(image, &wing, mix(self.skin, dark, 0.25));
        stroke(
            image,
            &nose[..4],
            self.pose.scale * 0.03,
            mix(self.skin, [255; 3], 0.35),
        );
        stroke(image, &nose[4..], self.pose.scale * 0.035, dark);
        for i in [5, 7] {
            let size = self.pose.scale * 0.035;
            polygon(
                image,
                &ellipse(nose[i], size, size * 0.7),
                mix(dark, [0; 3], 0.5),
            );
        }
    }

    fn draw_mouth(&self, image: &mut RgbImage, outer: &[Point], inner: &[Point]) {
        polygon(image, outer, self.lips);
        let within = mix(self.lips, [30, 0, 0], 0.8);
        polygon(image, inner, within);
        if self.shape.mouth_open > 0.04 {
            let mut teeth = inner[..5].to_vec();
            let [x, y] = inner[2];
            let middle = [(x + inner[6][0]) * 0.5, (y + inner[6][1]) * 0.5];
            teeth.push(middle);
            polygon(image, &teeth, [240, 238, 230]);
        }
        let line: Vec<Point> = inner[..5].to_vec();
        stroke(image, &line, self.pose.scale * 0.02, within);
    }
}
