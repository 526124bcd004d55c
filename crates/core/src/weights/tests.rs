use std::collections::BTreeMap;

use serde::Deserialize;

use super::{File, aligner_prefixes, from_half, one_or_many, split};
use crate::settings::Task;

fn file(json: &str, data: &[u8]) -> Vec<u8> {
    let length = (json.len() as u64).to_le_bytes();
    [&length, json.as_bytes(), data].concat()
}

#[test]
fn tensors_by_hand() {
    let json = r#"{"a": {"dtype": "F32", "shape": [1, 2], "data_offsets": [2, 10]},
        "b": {"dtype": "BF16", "shape": [], "data_offsets": [0, 2]}}"#;
    let data = [
        &[0x40, 0xc0][..],
        &1.5f32.to_le_bytes(),
        &(-2.0f32).to_le_bytes(),
    ]
    .concat();
    let read = File::parse(&file(json, &data)).unwrap();
    assert_eq!(read.tensors["a"].shape, [1, 2]);
    assert_eq!(*read.tensors["a"].values, [1.5, -2.0]);
    assert_eq!(*read.tensors["b"].values, [-3.0]);
    assert_eq!(read.header, None);
}

#[test]
fn what_does_not_fit_is_an_error() {
    let entry = |dtype: &str, shape: &str, offsets: &str| {
        format!(r#"{{"a": {{"dtype": "{dtype}", "shape": {shape}, "data_offsets": {offsets}}}}}"#)
    };
    for (json, wrong) in [
        (entry("F32", "[2]", "[0, 4]"), "instead of [2]"),
        (entry("F32", "[1]", "[4, 12]"), "truncated"),
        (entry("F32", "[1]", "[4, 0]"), "truncated"),
        (entry("I32", "[1]", "[0, 4]"), "no floating-point"),
        (entry("I8", "[4]", "[0, 4]"), "there is no a_scale"),
        (
            entry("F32", "[18446744073709551615, 2]", "[0, 4]"),
            "instead of",
        ),
        ("{\"a\": 1}".to_owned(), "truncated"),
        ("{".to_owned(), "truncated"),
    ] {
        let error = File::parse(&file(&json, &[0; 8])).unwrap_err().to_string();
        assert!(error.contains(wrong), "{json}: {error}");
    }
    assert!(File::parse(&[255; 40]).is_err());
}

#[test]
fn bytes_are_multiples_of_their_outputs_scales() {
    let entries = |scales: &str| {
        format!(
            r#"{{"a": {{"dtype": "I8", "shape": [2, 2], "data_offsets": [0, 4]}},
            "a_scale": {{"dtype": "F32", "shape": {scales}, "data_offsets": [4, 12]}}}}"#
        )
    };
    let data = [
        &[1, 0xff, 127, 0x81][..],
        &0.5f32.to_le_bytes(),
        &2f32.to_le_bytes(),
    ]
    .concat();
    let read = File::parse(&file(&entries("[2]"), &data)).unwrap();
    assert_eq!(*read.tensors["a"].values, [0.5, -0.5, 254.0, -254.0]);
    let error = File::parse(&file(&entries("[1, 2]"), &data)).unwrap_err();
    assert!(error.to_string().contains("a_scale has not"), "{error}");
}

#[test]
fn halves_by_hand() {
    for (bits, value) in [
        (0x0000, 0.0),
        (0x3c00, 1.0),
        (0xc000, -2.0),
        (0x3555, 0.333_251_95),
        (0x7bff, 65504.0),
        (0x0001, 5.960_464_5e-8),
        (0x0400, 6.103_515_6e-5),
        (0xfc00, f32::NEG_INFINITY),
    ] {
        assert_eq!(from_half(bits), value, "{bits:x}");
    }
    assert!(from_half(0x7e00).is_nan());
}

#[test]
fn tensors_go_to_the_network_that_their_prefix_names() {
    let beside_detector = aligner_prefixes(Task::Detect, 3);
    assert_eq!(beside_detector, ["aligner.", "aligner2.", "aligner3."]);
    assert_eq!(aligner_prefixes(Task::Align, 1), ["aligner2."]);
    assert!(aligner_prefixes(Task::Align, 0).is_empty());
    let names = [
        "aligner.a",
        "aligner2.a",
        "aligner3.b.aligner.c",
        "alignerx",
        "b",
    ];
    let tensors: BTreeMap<String, usize> = names.map(str::to_owned).into_iter().zip(0..).collect();
    let found = split(tensors, &beside_detector);
    let list = |network: usize| -> Vec<(&str, usize)> {
        let all = found[network].iter();
        all.map(|(name, &value)| (name.as_str(), value)).collect()
    };
    assert_eq!(list(0), [("alignerx", 3), ("b", 4)]);
    assert_eq!((list(1), list(2)), (vec![("a", 0)], vec![("a", 1)]));
    assert_eq!(list(3), [("b.aligner.c", 2)]);
}

#[test]
fn aligners_stand_alone_or_in_a_list() {
    #[derive(Deserialize)]
    struct Header {
        #[serde(default, deserialize_with = "one_or_many")]
        aligner: Vec<Part>,
    }
    #[derive(Deserialize)]
    struct Part {
        points: usize,
    }
    let points = |text: &str| -> serde_json::Result<Vec<usize>> {
        let header: Header = serde_json::from_str(text)?;
        Ok(header.aligner.iter().map(|part| part.points).collect())
    };
    assert!(points("{}").unwrap().is_empty());
    assert!(points(r#"{"aligner": null}"#).unwrap().is_empty());
    assert_eq!(points(r#"{"aligner": {"points": 98}}"#).unwrap(), [98]);
    let two = r#"{"aligner": [{"points": 5}, {"points": 98}]}"#;
    assert_eq!(points(two).unwrap(), [5, 98]);
    assert!(points(r#"{"aligner": [7]}"#).is_err());
}
