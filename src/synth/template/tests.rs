use super::*;
use rand::SeedableRng;

fn assert_mirrored(shape: &Shape) {
    let scheme = Scheme::wflw98();
    let places = shape.landmarks();
    for (i, &j) in scheme.mirror().iter().enumerate() {
        let ([x, y, z], [mx, my, mz]) = (places[i], places[j]);
        let off = (x + mx).abs().max((y - my).abs()).max((z - mz).abs());
        assert!(off < 1e-6, "{i} and {j}: {:?} {:?}", places[i], places[j]);
    }
}

#[test]
fn a_frontal_face_is_its_own_mirror_image() {
    assert_mirrored(&Shape::plain());
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..50 {
        let mut shape = Shape::random(&mut rng);
        shape.gaze[0] = 0.0;
        assert_mirrored(&shape);
    }
}

#[test]
fn parts_are_where_they_belong() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for _ in 0..200 {
        let p = Shape::random(&mut rng).landmarks();
        for i in 0..32 {
            assert!(p[i][0] < p[i + 1][0], "contour {i}");
        }
        assert!(p[33..38].windows(2).all(|w| w[0][0] < w[1][0]));
        assert!(p[35][1] < p[62][1] && p[62][1] < p[66][1], "brow, lids");
        assert!(
            p[66][1] < p[54][1] && p[57][1] < p[79][1],
            "eye, nose, mouth"
        );
        assert!(p[79][1] < p[90][1] && p[90][1] < p[94][1] && p[94][1] < p[85][1]);
        assert!(p[85][1] < p[16][1], "mouth, chin");
        assert!(p[64][0] < p[51][0] && p[51][0] < p[68][0]);
        let inside = p[96][0] > p[60][0] && p[96][0] < p[64][0];
        assert!(inside && p[97][0] > p[68][0] && p[97][0] < p[72][0]);
    }
}
