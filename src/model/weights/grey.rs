//! Start weights of colour networks for networks of grey images.

use burn::tensor::TensorData;
use retinamark_core::graph::{Graph, Op};

use super::read::Tensors;

/// Kernels of the image in `found` that read red, green and blue, summed over these where `graph` has
/// one channel: a grey image shows each colour the same, and so the outputs stay the same for one
/// that is normalised alike in all colours.
pub fn sum_colours(graph: &Graph, found: &mut Tensors) {
    let of_image = |inputs: &[_]| {
        let first = inputs.first().map(|&id| graph.node(id));
        first.is_some_and(|node| node.op == Op::Input && node.shape[0] == 1)
    };
    for node in graph.nodes().iter().filter(|node| of_image(&node.inputs)) {
        for spec in graph.tensors_of(node) {
            let Some(own) = found.get_mut(&spec.name) else {
                continue;
            };
            if let ([to, 1, rows, columns], [outputs, 3, height, width]) =
                (&spec.shape[..], &own.data.shape()[..])
                && [to, rows, columns] == [outputs, height, width]
            {
                own.data = summed(&own.data, rows * columns, spec.shape.clone());
            }
        }
    }
}

/// `[O,3,k,k]` -> `[O,1,k,k]`, of which `area` = `k * k`.
fn summed(data: &TensorData, area: usize, shape: Vec<usize>) -> TensorData {
    let values: Vec<f32> = data.iter::<f32>().collect();
    let outputs = values.chunks_exact(3 * area);
    let sums = outputs.flat_map(|kernels| {
        (0..area).map(|at| kernels[at] + kernels[at + area] + kernels[at + 2 * area])
    });
    TensorData::new(sums.collect::<Vec<f32>>(), shape)
}
