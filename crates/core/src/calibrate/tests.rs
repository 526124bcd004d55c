use super::*;
use crate::graph::reference::{random_image, random_weights};
use crate::graph::{RANGE_FIELD, Tensor};
use crate::settings::Settings;

fn inputs(side: u32) -> Vec<Input> {
    let input = |seed| {
        let numbers = random_image((side * side * 3) as usize, seed);
        let bytes = numbers.iter().map(|v| (v * 40.0 + 128.0) as u8).collect();
        Input {
            pixels: image::RgbImage::from_raw(side, side, bytes).unwrap(),
            size: [side as usize; 2],
        }
    };
    [1, 2].map(input).to_vec()
}

#[test]
fn what_bears_bytes_gets_them_and_the_rest_keeps_its_numbers() {
    let settings = Settings::default();
    let program = Program::detector(&settings).unwrap();
    let graph = (program.describe)([3, 64, 64]).unwrap();
    let weights = random_weights(&graph, 3).unwrap();
    let inputs = inputs(64);
    let (made, report) = to_bytes(&program, &weights, &inputs, 1.0).unwrap();
    assert!(report.in_numbers.is_empty() && report.inputs == 2);
    assert_eq!(report.in_bytes.len(), graph.byte_convs().len());
    assert!(
        report
            .losses
            .iter()
            .all(|(_, loss)| (1e-4..0.3).contains(loss)),
        "{report:?}"
    );
    assert!(made.has_bytes() && !weights.has_bytes());
    // What the file must hold is what there is.
    let specs = graph.tensors_in_bytes(|name| report.in_bytes.iter().any(|(own, _)| own == name));
    assert_eq!(specs.len(), made.0.len());
    for spec in specs {
        assert_eq!(made.0[&spec.name].shape, spec.shape, "{}", spec.name);
    }
    let median = report.in_bytes[report.in_bytes.len() / 2].1;
    let (some, report) = to_bytes(&program, &weights, &inputs, median).unwrap();
    assert!(!report.in_bytes.is_empty() && !report.in_numbers.is_empty());
    for (name, loss) in &report.in_numbers {
        assert!(*loss > median, "{name}");
        assert_eq!(some.of_conv(name), weights.of_conv(name));
    }
    assert!(to_bytes(&program, &weights, &[], 1.0).is_err());
}

#[test]
fn ranges_of_training_say_how_inputs_are_written() {
    let program = Program::detector(&Settings::default()).unwrap();
    let graph = (program.describe)([3, 64, 64]).unwrap();
    let mut weights = random_weights(&graph, 3).unwrap();
    assert!(of_ranges(&program, &weights).is_err());
    let name = program.byte_convs().unwrap()[1].clone();
    let set = |weights: &mut Weights, name: &str, range: [f32; 2]| {
        let tensor = Tensor::new(vec![2], range.to_vec()).unwrap();
        weights.0.insert(format!("{name}.{RANGE_FIELD}"), tensor);
    };
    set(&mut weights, &name, [-0.51, 2.04]);
    let made = of_ranges(&program, &weights).unwrap();
    let scale = made.byte_scale(&name).unwrap().unwrap();
    assert_eq!((scale.zero, (scale.scale * 1e5).round()), (51, 1000.0));
    assert!(!made.has_ranges());
    for (range, conv) in [([1.0, -1.0], &*name), ([0.0, 1.0], "backbone.stem")] {
        let mut wrong = weights.clone();
        set(&mut wrong, conv, range);
        let error = of_ranges(&program, &wrong).unwrap_err().to_string();
        assert!(error.contains(conv), "{error}");
    }
}
