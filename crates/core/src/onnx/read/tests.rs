use super::*;
use crate::onnx::proto::{
    AttributeProto, DimensionProto, OperatorSetIdProto, TensorProto, TensorShapeProto,
    TensorTypeProto, TypeProto, ValueInfoProto, data_type,
};

fn op(kind: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: kind.to_owned(),
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}

fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        ints: ints.to_vec(),
        ..AttributeProto::default()
    }
}

fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        s: Some(value.as_bytes().to_vec()),
        ..AttributeProto::default()
    }
}

fn with(attributes: &[AttributeProto], node: NodeProto) -> NodeProto {
    NodeProto {
        attribute: attributes.to_vec(),
        ..node
    }
}

fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: dims.to_vec(),
        data_type: data_type::FLOAT,
        float_data: values.to_vec(),
        ..TensorProto::default()
    }
}

/// Of an image `x` `[1,2,4,6]`, with output `y`.
fn model(node: Vec<NodeProto>, initializer: Vec<TensorProto>) -> ModelProto {
    let dim = [1, 2, 4, 6].map(|size| DimensionProto {
        dim_value: Some(size),
        dim_param: None,
    });
    let shape = Some(TensorShapeProto { dim: dim.into() });
    let tensor_type = Some(TensorTypeProto {
        elem_type: data_type::FLOAT,
        shape,
    });
    let info = |name: &str| ValueInfoProto {
        name: name.to_owned(),
        kind: Some(TypeProto {
            tensor_type: tensor_type.clone(),
        }),
    };
    ModelProto {
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: Some(17),
        }],
        graph: Some(GraphProto {
            node,
            initializer,
            input: vec![info("x")],
            output: vec![info("y")],
            ..GraphProto::default()
        }),
        ..ModelProto::default()
    }
}

fn error(model: &ModelProto) -> String {
    read(&model.encode_to_vec(), None).unwrap_err().to_string()
}

fn error_of(nodes: Vec<NodeProto>) -> String {
    error(&model(nodes, Vec::new()))
}

#[test]
fn errors_name_the_node() {
    let named = NodeProto {
        name: "odd".to_owned(),
        ..op("Erf", &["x"], "y")
    };
    assert_eq!(
        error_of(vec![named]),
        "node odd (Erf): this operation is not supported"
    );
    let foreign = NodeProto {
        domain: "com.microsoft".to_owned(),
        ..op("FusedConv", &["x"], "y")
    };
    assert!(error_of(vec![foreign]).starts_with("node y (FusedConv): operators of com.microsoft"));
    let early = error_of(vec![op("Relu", &["later"], "y")]);
    assert_eq!(
        early,
        "node y (Relu): nothing before it gives its input later"
    );
    let swish = vec![op("Sigmoid", &["x"], "s"), op("Mul", &["x", "s"], "y")];
    assert!(error_of(swish).contains("node y (Mul): of two maps"));
    assert!(error_of(vec![op("Shape", &["x"], "y")]).contains("output y does not come"));
    assert!(error_of(Vec::new()).contains("output y"));
}

#[test]
fn what_is_no_onnx_file_is_said_so() {
    for bytes in [&b""[..], b"PK\x03\x04", &[0xff; 100]] {
        let error = read(bytes, None).unwrap_err().to_string();
        assert!(error.starts_with("not an ONNX file"), "{error}");
    }
    let mut outside = model(
        vec![op("Add", &["x", "c"], "y")],
        vec![floats("c", &[], &[])],
    );
    if let Some(graph) = &mut outside.graph {
        graph.initializer[0].data_location = 1;
    }
    assert!(error(&outside).contains("tensor c: its numbers are in another file"));
    let short = model(Vec::new(), vec![floats("c", &[3], &[1.0])]);
    assert!(error(&short).contains("1 numbers for [3]"));
}

#[test]
fn little_files_do_not_take_much_memory() {
    // Each as long as both before it.
    let doubled = |kind: &str, attribute: &[AttributeProto], first: NodeProto| {
        let mut nodes = vec![first];
        for i in 0..70 {
            let (from, to) = (format!("v{i}"), format!("v{}", i + 1));
            nodes.push(with(attribute, op(kind, &[&from, &from], &to)));
        }
        nodes.push(op("Identity", &["v70"], "y"));
        nodes
    };
    let axis = AttributeProto {
        name: "axis".to_owned(),
        i: Some(1),
        ..AttributeProto::default()
    };
    let maps = doubled(
        "Concat",
        std::slice::from_ref(&axis),
        op("Relu", &["x"], "v0"),
    );
    assert!(error_of(maps).contains("impossible size"));
    let vectors = doubled("Concat", &[axis], op("Flatten", &["x"], "v0"));
    assert!(error_of(vectors).contains("of too many parts"));
    let shapes = doubled("Concat", &[], op("Shape", &["x"], "v0"));
    assert!(error_of(shapes).contains("too long for a shape"));

    let kernel = floats("w", &[1, 2, 1, 1], &[1.0, 2.0]);
    for attribute in [
        ints("pads", &[60_000; 4]),
        ints("pads", &[i64::MAX; 4]),
        ints("pads", &[-1; 4]),
        ints("strides", &[0, 0]),
    ] {
        let conv = with(&[attribute], op("Conv", &["x", "w"], "y"));
        let error = error(&model(vec![conv], vec![kernel.clone()]));
        assert!(error.contains("supported"), "{error}");
    }
}

#[test]
fn upsampling_must_be_that_of_graphs() {
    let upsampled = |size: [f32; 2], mode: &str, rounding: &str| {
        let attributes = [
            text("coordinate_transformation_mode", mode),
            text("nearest_mode", rounding),
        ];
        let up = with(&attributes, op("Resize", &["small", "", "scales"], "up"));
        let pool = op("MaxPool", &["x"], "small");
        let pool = with(
            &[ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])],
            pool,
        );
        let scales = floats("scales", &[4], &[1.0, 1.0, size[0], size[1]]);
        let model = model(vec![pool, up, op("Add", &["up", "x"], "y")], vec![scales]);
        read(&model.encode_to_vec(), None).map(|model| model.graph.nodes()[2].op)
    };
    let same = [
        ("asymmetric", "floor"),
        ("half_pixel", "round_prefer_floor"),
        ("pytorch_half_pixel", "round_prefer_ceil"),
    ];
    for (mode, rounding) in same {
        assert_eq!(
            upsampled([2.0, 2.0], mode, rounding).unwrap(),
            Op::UpsampleAdd,
            "{mode}"
        );
    }
    for (mode, rounding) in [
        ("asymmetric", "ceil"),
        ("align_corners", "floor"),
        ("half_pixel", "floor"),
        ("tf_crop_and_resize", "floor"),
    ] {
        let error = upsampled([2.0, 2.0], mode, rounding)
            .unwrap_err()
            .to_string();
        assert!(error.contains("does not take pixel"), "{mode}: {error}");
    }
    let other = upsampled([1.5, 2.0], "asymmetric", "floor")
        .unwrap_err()
        .to_string();
    assert!(
        other.starts_with("node y (Add): of [1, 2, 3, 6]"),
        "{other}"
    );
}

/// A factor goes into a layer only where nobody else reads that.
#[test]
fn factors_leave_what_others_read() {
    let tensors = || {
        vec![
            floats("w", &[1, 2, 1, 1], &[1.0, 2.0]),
            floats("f", &[], &[3.0]),
        ]
    };
    let conv = op("Conv", &["x", "w"], "c");
    let scaled = op("Mul", &["c", "f"], "m");
    let alone = vec![conv.clone(), scaled.clone(), op("Relu", &["m"], "y")];
    let alone = read(&model(alone, tensors()).encode_to_vec(), None).unwrap();
    let [_, conv_node, relu] = alone.graph.nodes() else {
        panic!("{:?}", alone.graph);
    };
    assert_eq!(conv_node.name, "c");
    assert_eq!(relu.op, Op::Act(crate::net::Act::Leaky(0.0)));
    assert_eq!(alone.weights.0["c.weight"].values[..], [3.0, 6.0]);

    let shared = vec![conv, scaled, op("Add", &["c", "m"], "y")];
    let shared = read(&model(shared, tensors()).encode_to_vec(), None).unwrap();
    assert_eq!(shared.graph.nodes().len(), 4);
    assert_eq!(shared.weights.0["c.weight"].values[..], [1.0, 2.0]);
    assert_eq!(shared.weights.0["m.weight"].values[..], [3.0]);
}
