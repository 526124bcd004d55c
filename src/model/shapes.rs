//! Names and shapes of a network's tensors.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Shape, Tensor};

/// Path and shape of every tensor of `module`, running statistics included, in the order of its
/// fields. Weights that were not used yet are not made up for it, which would take longer than
/// reading them from a file.
pub fn shapes<M: Module>(module: &M) -> Vec<(String, Shape)> {
    let mut shapes = Shapes::default();
    module.visit(&mut shapes);
    shapes.found
}

#[derive(Default)]
struct Shapes {
    path: Vec<String>,
    found: Vec<(String, Shape)>,
}

/// Variants of enums are no part of a path: there is only one at a time.
fn is_part(container: &str) -> bool {
    !container.starts_with("Enum:")
}

impl ModuleVisitor for Shapes {
    fn enter_module(&mut self, name: &str, container: &str) {
        if is_part(container) {
            self.path.push(name.to_string());
        }
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        if is_part(container) {
            self.path.pop();
        }
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.found.push((self.path.join("."), param.lazy_shape()));
    }
}
