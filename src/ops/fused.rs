//! How a hand-written operation enters burn: one extension trait for the `flex` backend and for
//! autodiff on top of it.

use std::fmt::Debug;
use std::marker::PhantomData;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, DispatchTensorKind, Flex, backend_extension};
use burn::tensor::{DType, Tensor, TensorData};
use burn_flex::FlexTensor;

/// A contiguous f32 tensor on the CPU.
#[derive(Clone, Debug)]
pub(super) struct Array(FlexTensor);

impl Array {
    fn new(tensor: FlexTensor) -> Self {
        if tensor.is_contiguous() {
            // `to_contiguous` would keep a second handle, and the memory could not be reused.
            return Self(tensor);
        }
        Self(tensor.to_contiguous())
    }

    /// A tensor of `shape` that holds `values`.
    pub(super) fn from_vec<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Self {
        Self(FlexTensor::from_data(TensorData::new(values, shape)))
    }

    /// All values, row-major.
    pub(super) fn values(&self) -> &[f32] {
        let start = self.0.layout().start_offset();
        &self.0.storage::<f32>()[start..start + self.0.layout().num_elements()]
    }

    /// The values to overwrite, without a copy where nobody else holds them.
    pub(super) fn values_mut(&mut self) -> &mut [f32] {
        let start = self.0.layout().start_offset();
        let len = self.0.layout().num_elements();
        &mut self.0.storage_mut::<f32>()[start..start + len]
    }
}

/// An operation of `N` float tensors with its own gradient.
pub(super) trait Kernel<const N: usize>: Clone + Debug + Send + Sync + 'static {
    /// What the backward pass needs from the forward pass.
    type Saved: Clone + Debug + Send + 'static;

    /// The result; it may take the memory of an input that `save` does not need.
    fn forward(&self, inputs: &mut [Array; N]) -> Array;

    /// What to keep, asked for after `forward` and only when a gradient is wanted.
    fn save(&self, inputs: [Array; N], output: &Array) -> Self::Saved;

    /// The gradients of those inputs that `wanted` names.
    fn backward(&self, saved: Self::Saved, grad: Array, wanted: [bool; N]) -> [Option<Array>; N];
}

/// Backends that run a [`Kernel`].
#[backend_extension(Flex, Autodiff)]
pub(super) trait FusedBackend: Backend {
    /// Runs a kernel of one tensor.
    fn fused1<K: Kernel<1>>(kernel: K, a: FloatTensor<Self>) -> FloatTensor<Self>;

    /// Runs a kernel of two tensors.
    fn fused2<K: Kernel<2>>(
        kernel: K,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// Runs a kernel of three tensors.
    fn fused3<K: Kernel<3>>(
        kernel: K,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

impl FusedBackend for Flex {
    fn fused1<K: Kernel<1>>(kernel: K, a: FlexTensor) -> FlexTensor {
        kernel.forward(&mut [a].map(Array::new)).0
    }

    fn fused2<K: Kernel<2>>(kernel: K, a: FlexTensor, b: FlexTensor) -> FlexTensor {
        kernel.forward(&mut [a, b].map(Array::new)).0
    }

    fn fused3<K: Kernel<3>>(kernel: K, a: FlexTensor, b: FlexTensor, c: FlexTensor) -> FlexTensor {
        kernel.forward(&mut [a, b, c].map(Array::new)).0
    }
}

impl<C: CheckpointStrategy> FusedBackend for Autodiff<Flex, C> {
    fn fused1<K: Kernel<1>>(kernel: K, a: FloatTensor<Self>) -> FloatTensor<Self> {
        tracked::<C, K, 1>(kernel, [a])
    }

    fn fused2<K: Kernel<2>>(
        kernel: K,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        tracked::<C, K, 2>(kernel, [a, b])
    }

    fn fused3<K: Kernel<3>>(
        kernel: K,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        tracked::<C, K, 3>(kernel, [a, b, c])
    }
}

/// The backward step of kernel `K`.
#[derive(Debug)]
struct Step<K>(PhantomData<K>);

impl<const N: usize, K: Kernel<N>> Backward<Flex, N> for Step<K> {
    type State = (K, K::Saved);

    fn backward(
        self,
        ops: Ops<Self::State, N>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = Array::new(grads.consume::<Flex>(&ops.node));
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let (kernel, saved) = ops.state;
        let results = kernel.backward(saved, grad, wanted);
        for (parent, result) in ops.parents.into_iter().zip(results) {
            if let (Some(node), Some(result)) = (parent, result) {
                grads.register::<Flex>(node.id, result.0);
            }
        }
    }
}

fn tracked<C: CheckpointStrategy, K: Kernel<N>, const N: usize>(
    kernel: K,
    inputs: [FloatTensor<Autodiff<Flex, C>>; N],
) -> FloatTensor<Autodiff<Flex, C>> {
    let nodes: [NodeGuard; N] = inputs.each_ref().map(|input| input.node());
    let mut inputs = inputs.map(|input| Array::new(input.into_primitive()));
    let output = kernel.forward(&mut inputs);
    let step = Step::<K>(PhantomData);
    match step.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let saved = kernel.save(inputs, &output);
            prep.finish((kernel, saved), output.0)
        }
        OpsKind::UnTracked(prep) => prep.finish(output.0),
    }
}

/// Whether the fused kernels can take `x`: f32 on the `flex` backend, with or without autodiff,
/// not empty.
pub(super) fn is_supported<const D: usize>(x: &Tensor<D>) -> bool {
    if x.dtype() != DType::F32 || x.dims().contains(&0) {
        return false;
    }
    match x.clone().into_dispatch().kind {
        DispatchTensorKind::Flex(_) => true,
        DispatchTensorKind::Autodiff(inner) => matches!(*inner, DispatchTensorKind::Flex(_)),
        #[allow(unreachable_patterns)]
        _ => false,
    }
}

/// Runs a kernel of one tensor; `is_supported` must hold for it.
pub(super) fn run1<const A: usize, const O: usize>(
    kernel: impl Kernel<1>,
    a: Tensor<A>,
) -> Tensor<O> {
    Tensor::from_dispatch(<Dispatch as FusedBackend>::fused1(
        kernel,
        a.into_dispatch(),
    ))
}

/// Runs a kernel of two tensors; `is_supported` must hold for both.
pub(super) fn run2<const A: usize, const B: usize, const O: usize>(
    kernel: impl Kernel<2>,
    a: Tensor<A>,
    b: Tensor<B>,
) -> Tensor<O> {
    let output = <Dispatch as FusedBackend>::fused2(kernel, a.into_dispatch(), b.into_dispatch());
    Tensor::from_dispatch(output)
}

/// Runs a kernel of three tensors; `is_supported` must hold for all.
pub(super) fn run3<const A: usize, const B: usize, const C: usize, const O: usize>(
    kernel: impl Kernel<3>,
    a: Tensor<A>,
    b: Tensor<B>,
    c: Tensor<C>,
) -> Tensor<O> {
    let output = <Dispatch as FusedBackend>::fused3(
        kernel,
        a.into_dispatch(),
        b.into_dispatch(),
        c.into_dispatch(),
    );
    Tensor::from_dispatch(output)
}
