use super::*;

#[test]
fn bytes_by_hand() {
    let scale = ByteScale::reaching(-1.0, 4.1);
    assert_eq!((scale.zero, (scale.scale * 1e6).round()), (50, 20000.0));
    for (x, rounded) in [
        (0.0, 0.0),
        (0.029, 0.02),
        (-0.031, -0.04),
        (9.0, 4.1),
        (-7.0, -1.0),
    ] {
        assert!((scale.rounded(x) - rounded).abs() < 1e-5, "{x}");
    }
    // What only falls on one side of zero still has a byte for it.
    assert_eq!(ByteScale::reaching(2.0, 5.0).zero, 0);
    assert_eq!(ByteScale::reaching(-5.0, -2.0).zero, 255);
    assert!(ByteScale::reaching(0.0, 0.0).factor().is_finite());
    // The last bytes stand for -1 and 4.1, and for half a step beyond.
    for (x, held) in [
        (-1.009, true),
        (-1.011, false),
        (4.109, true),
        (4.111, false),
    ] {
        assert_eq!(scale.holds(x), held, "{x}");
    }
}

#[test]
fn weights_become_multiples_of_their_outputs_scale() {
    let values = vec![1.27, -0.514, 0.0, 0.0, 2.0, 0.01];
    let mut weights = Weights::default();
    let tensor = Tensor::new(vec![3, 2, 1, 1], values).unwrap();
    weights.0.insert("c.weight".into(), tensor);
    let input = ByteScale {
        scale: 0.5,
        zero: 3,
    };
    assert_eq!(weights.byte_scale("c").unwrap(), None);
    weights.round_to_bytes("c", input).unwrap();
    assert_eq!(weights.byte_scale("c").unwrap(), Some(input));
    let scales = weights.tensor("c.weight_scale").unwrap().values.clone();
    let rounded = &weights.tensor("c.weight").unwrap().values;
    let bytes: Vec<i8> = rounded
        .iter()
        .enumerate()
        .map(|(at, &weight)| weight_byte(weight, scales[at / 2]).unwrap())
        .collect();
    assert_eq!(bytes, [127, -51, 0, 0, 127, 1]);
    assert!(weight_byte(0.51, 0.02).is_err() && weight_byte(1.28, 0.01).is_err());
    weights.0.remove("c.input_zero");
    assert!(
        weights
            .byte_scale("c")
            .unwrap_err()
            .to_string()
            .contains("c.input_zero")
    );
}
