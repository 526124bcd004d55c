//! All float tensors of a module side by side in one flat vector. Small tensors are expensive one
//! by one (a step over 200 of them is mostly overhead); one slice is not, and it is what gets
//! saved.

use std::collections::HashMap;
use std::ops::Range;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Tensor, TensorData};

use crate::device::Reading;

/// What a tensor is to the optimiser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A weight matrix or kernel: learns, and decays.
    Decayed,
    /// A bias, or the scale or shift of a norm: learns, does not decay.
    Plain,
    /// A running statistic: measured, not learned.
    Statistic,
}

/// One tensor and its place.
#[derive(Clone, Debug)]
pub struct Entry {
    /// As in weights files; the same for every model of one architecture.
    pub name: String,
    /// Sizes of its axes.
    pub shape: Vec<usize>,
    /// Where it begins in the flat vector.
    pub start: usize,
    /// How many numbers it has.
    pub len: usize,
    /// How it is updated.
    pub kind: Kind,
}

impl Entry {
    /// Its part of the flat vector.
    pub const fn range(&self) -> Range<usize> {
        self.start..self.start + self.len
    }
}

/// Where each float tensor of a module lies in the flat vector.
#[derive(Clone, Debug)]
pub struct Layout {
    entries: Vec<Entry>,
    by_id: HashMap<ParamId, usize>,
    len: usize,
}

impl Layout {
    /// The layout of `module`.
    pub fn of<M: Module>(module: &M) -> Self {
        let mut builder = Builder::default();
        module.visit(&mut builder);
        builder.layout
    }

    /// The tensors, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Length of the flat vector.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether the module has no tensors.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Copy every tensor of `module` out. Running statistics of a module in training may lag by
    /// one batch; `module.valid()` brings them up to date.
    pub fn read<M: Module>(&self, module: &M, into: &mut [f32]) {
        self.read_where(module, into, |_| true);
    }

    /// Copy only the running statistics.
    pub fn read_statistics<M: Module>(&self, module: &M, into: &mut [f32]) {
        self.read_where(module, into, |kind| kind == Kind::Statistic);
    }

    fn read_where<M: Module>(&self, module: &M, into: &mut [f32], wanted: fn(Kind) -> bool) {
        let (mut reading, mut places) = (Reading::default(), Vec::new());
        self.add_to(&mut reading, &mut places, module, wanted);
        copy(reading.finish(), &places, into);
    }

    /// Have the running statistics of `module` read too, whose places follow in `places`.
    pub(super) fn add_statistics<M: Module>(
        &self,
        reading: &mut Reading,
        places: &mut Vec<Range<usize>>,
        module: &M,
    ) {
        self.add_to(reading, places, module, |kind| kind == Kind::Statistic);
    }

    fn add_to<M: Module>(
        &self,
        reading: &mut Reading,
        places: &mut Vec<Range<usize>>,
        module: &M,
        wanted: fn(Kind) -> bool,
    ) {
        module.visit(&mut Reader {
            layout: self,
            reading,
            places,
            wanted,
        });
    }

    /// `module` with all its tensors taken from `values`.
    pub fn write<M: Module>(&self, module: M, values: &[f32]) -> M {
        self.write_where(module, values, |_| true)
    }

    /// `module` with its learned tensors taken from `values`; running statistics stay.
    pub fn write_learned<M: Module>(&self, module: M, values: &[f32]) -> M {
        self.write_where(module, values, |kind| kind != Kind::Statistic)
    }

    fn write_where<M: Module>(&self, module: M, values: &[f32], wanted: fn(Kind) -> bool) -> M {
        module.map(&mut Writer {
            layout: self,
            values,
            wanted,
        })
    }

    pub(super) fn find(&self, id: ParamId) -> Option<(usize, &Entry)> {
        let &index = self.by_id.get(&id)?;
        Some((index, &self.entries[index]))
    }
}

/// Variants of enums are no part of a path: there is only one at a time.
fn is_part(container: &str) -> bool {
    !container.starts_with("Enum:")
}

struct Builder {
    path: Vec<String>,
    layout: Layout,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            path: Vec::new(),
            layout: Layout {
                entries: Vec::new(),
                by_id: HashMap::new(),
                len: 0,
            },
        }
    }
}

impl ModuleVisitor for Builder {
    fn enter_module(&mut self, name: &str, container: &str) {
        if is_part(container) {
            self.path.push(name.to_owned());
        }
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        if is_part(container) {
            self.path.pop();
        }
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let shape: Vec<usize> = param.lazy_shape().to_vec();
        let len = shape.iter().product();
        let field = self.path.last().map_or("", String::as_str);
        let kind = match D {
            _ if field.starts_with("running_") => Kind::Statistic,
            // Only biases, scales and shifts have one axis.
            1 => Kind::Plain,
            _ => Kind::Decayed,
        };
        let layout = &mut self.layout;
        layout.by_id.insert(param.id, layout.entries.len());
        layout.entries.push(Entry {
            name: self.path.join("."),
            shape,
            start: layout.len,
            len,
            kind,
        });
        layout.len += len;
    }
}

/// Write what was read to its places.
pub(super) fn copy(
    data: impl Iterator<Item = TensorData>,
    places: &[Range<usize>],
    into: &mut [f32],
) {
    for (data, place) in data.zip(places) {
        if let Ok(numbers) = data.as_slice::<f32>() {
            into[place.clone()].copy_from_slice(numbers);
        }
    }
}

struct Reader<'a> {
    layout: &'a Layout,
    reading: &'a mut Reading,
    places: &'a mut Vec<Range<usize>>,
    wanted: fn(Kind) -> bool,
}

impl ModuleVisitor for Reader<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some((_, entry)) = self.layout.find(param.id) else {
            return;
        };
        if (self.wanted)(entry.kind) {
            self.reading.add(param.val());
            self.places.push(entry.range());
        }
    }
}

struct Writer<'a> {
    layout: &'a Layout,
    values: &'a [f32],
    wanted: fn(Kind) -> bool,
}

impl ModuleMapper for Writer<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some((_, entry)) = self.layout.find(param.id) else {
            return param;
        };
        if !(self.wanted)(entry.kind) {
            return param;
        }
        let data = TensorData::new(self.values[entry.range()].to_vec(), entry.shape.clone());
        param.map(|old| {
            let new = Tensor::from_data(data, &old.device());
            if old.is_require_grad() {
                new.set_require_grad(true)
            } else {
                new
            }
        })
    }
}
