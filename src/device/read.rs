//! Numbers from a device: the only way that training reads any.

use std::cell::Cell;
use std::mem::take;

use burn::tensor::{Tensor, TensorData, Transaction};

thread_local! {
    static READS: Cell<u64> = const { Cell::new(0) };
}

/// How often this thread has waited for numbers. A device computes ahead of the program until it is
/// read, so that a training step may read but a few times, however many tensors it has; tests count.
pub fn reads() -> u64 {
    READS.get()
}

/// Tensors that are read together: the program waits once for all of them.
#[derive(Default)]
pub struct Reading {
    transaction: Transaction,
    tensors: usize,
}

impl Reading {
    /// Have `tensor` read too. All must lie on one device.
    pub fn add<const D: usize>(&mut self, tensor: Tensor<D>) {
        self.transaction = take(&mut self.transaction).register(tensor.without_autodiff());
        self.tensors += 1;
    }

    /// The numbers of each, f32, in the order in which they were added.
    pub fn finish(self) -> impl Iterator<Item = TensorData> {
        let data = match self.tensors {
            0 => Vec::new(),
            _ => {
                READS.set(READS.get() + 1);
                self.transaction.execute()
            }
        };
        data.into_iter().map(TensorData::convert::<f32>)
    }
}

/// The numbers of one tensor.
pub fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let mut reading = Reading::default();
    reading.add(tensor);
    let data = reading.finish().next();
    data.map_or_else(Vec::new, |data| data.iter::<f32>().collect())
}
