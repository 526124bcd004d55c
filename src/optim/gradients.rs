//! Gradients of several micro-batches, added up where they were computed.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};

use super::Layout;
use super::layout::copy;
use crate::device::Reading;

/// The sum of the gradients of each tensor of a layout, on one device.
#[derive(Clone, Debug)]
pub struct Gradients {
    sums: Vec<Option<Tensor<1>>>,
}

impl Gradients {
    /// None of any tensor of `layout`.
    pub fn none(layout: &Layout) -> Self {
        Self {
            sums: vec![None; layout.entries().len()],
        }
    }

    /// Add those of one micro-batch of `module`, wherever they are; frozen tensors have none. The sum
    /// stays on the device of the first ones.
    pub fn add<M: Module>(&mut self, layout: &Layout, module: &M, gradients: &GradientsParams) {
        let there = self.sums.iter().flatten().next().map(Tensor::device);
        module.visit(&mut Adder {
            layout,
            gradients,
            sums: &mut self.sums,
            there,
        });
    }

    /// Read the sums into `sums`, and the running statistics of `module` into `values`, both vectors
    /// of `layout`: the program waits once. Says of each entry whether it has a gradient; none is
    /// left.
    pub fn read<M: Module>(
        &mut self,
        layout: &Layout,
        module: &M,
        values: &mut [f32],
        sums: &mut [f32],
    ) -> Vec<bool> {
        let (mut reading, mut places) = (Reading::default(), Vec::new());
        let mut touched = Vec::with_capacity(self.sums.len());
        for (sum, entry) in self.sums.iter_mut().zip(layout.entries()) {
            let sum = sum.take();
            touched.push(sum.is_some());
            if let Some(sum) = sum {
                reading.add(sum);
                places.push(entry.range());
            }
        }
        let gradients = places.len();
        layout.add_statistics(&mut reading, &mut places, module);
        let (gradients, statistics) = places.split_at(gradients);
        let mut data = reading.finish();
        copy(data.by_ref().take(gradients.len()), gradients, sums);
        copy(data, statistics, values);
        touched
    }
}

struct Adder<'a> {
    layout: &'a Layout,
    gradients: &'a GradientsParams,
    sums: &'a mut [Option<Tensor<1>>],
    /// Where the sum is; nowhere yet.
    there: Option<Device>,
}

impl ModuleVisitor for Adder<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some((index, entry)) = self.layout.find(param.id) else {
            return;
        };
        let Some(gradient) = self.gradients.get::<D>(param.id) else {
            return;
        };
        let gradient = gradient.without_autodiff().reshape([entry.len]);
        let gradient = match &self.there {
            Some(there) => gradient.to_device(there),
            None => gradient,
        };
        let sum = &mut self.sums[index];
        *sum = Some(match sum.take() {
            Some(sum) => sum + gradient,
            None => gradient,
        });
    }
}
